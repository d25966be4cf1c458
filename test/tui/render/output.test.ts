import {pathToFileURL} from 'node:url';
import xterm from '@xterm/headless';
import test from 'ava';
import Own from '../../../src/tui/render/output.ts';
import {displayWidth} from '../../../src/tui/text/width.ts';

const {default: Inks} = (await import(pathToFileURL('node_modules/ink/build/output.js').href)) as {
	default: typeof Own;
};

type Output = InstanceType<typeof Own>;

const ESC = '\u001b';
const SIZE = {width: 30, height: 8};

const styled =
	(on: string, off: string) =>
	(text: string): string =>
		`${ESC}[${on}m${text}${ESC}[${off}m`;
const bold = styled('1', '22');
const dim = styled('2', '22');
const red = styled('31', '39');
const orange = styled('38;5;208', '39');
const exact = styled('48;2;1;2;3', '49');
const inverse = styled('7', '27');

/** Each cell as a terminal has it: its characters, colours and attributes. */
async function cells(text: string): Promise<string[][]> {
	// Ink's goes on beyond the frame, where ours cuts a wide character in half; a frame's own boxes don't.
	const screen = new xterm.Terminal({cols: 200, rows: SIZE.height, allowProposedApi: true});
	await new Promise<void>((resolve) => screen.write(text.replaceAll('\n', '\r\n'), resolve));
	const rows = Array.from({length: SIZE.height}, (_, y) => {
		const line = screen.buffer.active.getLine(y)!;
		return Array.from({length: SIZE.width - 1}, (_, x) => {
			const cell = line.getCell(x)!;
			// A space that nothing was written to is a space.
			const chars = cell.getWidth() === 0 ? '' : cell.getChars() || ' ';
			return [
				chars,
				cell.getFgColorMode(),
				cell.getFgColor(),
				cell.getBgColorMode(),
				cell.getBgColor(),
				...[cell.isBold(), cell.isDim(), cell.isItalic(), cell.isUnderline(), cell.isInverse()].map(
					(value) => (value === 0 ? '' : 'x'),
				),
			].join(' ');
		});
	});
	screen.dispose();
	return rows;
}

async function same(
	t: import('ava').ExecutionContext,
	draw: (output: Output) => void,
	what: string,
): Promise<void> {
	const [own, inks] = [new Own(SIZE), new Inks(SIZE)];
	draw(own);
	draw(inks);
	const [mine, theirs] = [own.get(), inks.get()];
	t.is(mine.height, theirs.height);
	const [seen, expected] = [await cells(mine.output), await cells(theirs.output)];
	for (const [y, row] of expected.entries()) t.is(seen[y]!.join('|'), row.join('|'), `${what}, line ${y}`);
	for (const line of mine.output.split('\n')) t.true(displayWidth(line) <= SIZE.width, what);
}

const none = {transformers: []};

const SCENES: Record<string, (output: Output) => void> = {
	'plain lines': (output) => {
		output.write(2, 1, 'hello\nworld', none);
		output.write(0, 0, '─'.repeat(30), none);
	},
	'styles within styles': (output) => {
		output.write(1, 1, bold(`a${red(`b${dim('c')}d`)}e`), none);
		output.write(1, 2, `${exact(`x${inverse('y')}`)}z${orange('w')}`, none);
		output.write(1, 3, `${ESC}[1;31mq${ESC}[0mr${ESC}[4mu${ESC}[24mv`, none);
	},
	'styles over line ends': (output) => output.write(0, 0, red('one\ntwo\nthree'), none),
	transformers: (output) => {
		output.write(3, 2, 'abc\ndef', {transformers: [red, bold]});
		output.write(3, 5, `g${dim('h')}i\nj`, {transformers: [(line, index) => `${index}${line}`]});
	},
	'clips within clips': (output) => {
		output.clip({x1: 2, x2: 12, y1: 1, y2: 5});
		output.write(
			0,
			0,
			`${red('0123456789')}abcdefghij\nsecond\n${inverse('third line is long')}\n4\n5\n6\n7`,
			none,
		);
		output.clip({x1: 5, x2: 30, y1: undefined, y2: undefined});
		output.write(0, 2, '.'.repeat(30), none);
		output.unclip();
		output.write(-2, 3, 'negative', {transformers: [bold]});
		output.unclip();
		output.write(20, 7, 'free', none);
	},
	'a clip that lets nothing through': (output) => {
		output.clip({x1: 10, x2: 10, y1: 0, y2: 3});
		output.write(8, 0, 'hidden', none);
		output.unclip();
	},
	'wide characters and what is written over half of them': (output) => {
		output.write(0, 0, '日本語テスト', none);
		output.write(3, 0, 'x', none);
		output.write(0, 1, '日本語', {transformers: [red]});
		output.write(1, 1, '語', none);
		output.write(0, 2, '👩‍👩‍👧‍👦 e\u0301 🇩🇪', none);
		output.clip({x1: 1, x2: 6, y1: 3, y2: 4});
		output.write(0, 3, bold('日本語テスト'), none);
		output.unclip();
	},
	'trailing spaces go, unless they have a colour': (output) => {
		output.write(0, 0, 'a   ', none);
		output.write(0, 1, `b${exact('   ')}`, none);
	},
	'outside of the frame': (output) => {
		output.write(0, 7, 'last\nbeyond', none);
		output.write(5, -1, 'above\ninside', none);
	},
};

for (const [title, draw] of Object.entries(SCENES)) {
	test(`a frame is what Ink makes of it: ${title}`, (t) => same(t, draw, title));
}

/** Numbers that look random and are the same each time. */
function* numbers(seed: number): Generator<number, never> {
	let state = seed;
	for (;;) {
		state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
		yield state >>> 8;
	}
}

test('a frame is what Ink makes of it, whatever is written where', async (t) => {
	const words = ['ab', ' ', '──', '日', '한국', 'é', '語', 'x'.repeat(12), '1\n2', '\n'];
	const styles = [bold, dim, red, orange, exact, inverse, (text: string) => text];
	for (let seed = 1; seed <= 60; seed++) {
		const next = numbers(seed);
		const pick = <T>(list: readonly T[]): T => list[next.next().value % list.length]!;
		const upTo = (most: number): number => next.next().value % most;
		const steps: ((output: Output) => void)[] = [];
		let depth = 0;
		for (let step = 0; step < 12; step++) {
			const kind = upTo(5);
			if (kind === 0) {
				const [x1, y1] = [upTo(20), upTo(5)];
				const clip = {x1, x2: x1 + upTo(15), y1, y2: y1 + upTo(6)};
				steps.push((output) => output.clip(clip));
				depth++;
			} else if (kind === 1 && depth > 0) {
				steps.push((output) => output.unclip());
				depth--;
			} else {
				const text = Array.from({length: 1 + upTo(4)}, () => pick(styles)(pick(words) + pick(words))).join(
					'',
				);
				const [x, y, transform] = [upTo(12), upTo(9) - 1, pick(styles)];
				steps.push((output) => output.write(x, y, text, {transformers: [transform]}));
			}
		}
		await same(t, (output) => steps.forEach((step) => void step(output)), `seed ${seed}`);
	}
});
