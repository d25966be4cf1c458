import test, {type ExecutionContext} from 'ava';
import {screenLines} from '../../../src/tui/render/cells.ts';
import {loadEmulator} from '../../../src/tui/terminal/emulator.ts';
import {TermSession, type TermSessionOptions} from '../../../src/tui/terminal/term-session.ts';
import {FakeSession} from '../fake-session.ts';
import {until} from '../harness.ts';

const ESC = '\u001b';

async function open(t: ExecutionContext, change: Partial<TermSessionOptions> = {}) {
	const fake = new FakeSession();
	const ends: unknown[] = [];
	const left: string[] = [];
	const screen = new TermSession(await loadEmulator(), {
		session: fake.session,
		tty: true,
		columns: 40,
		rows: 5,
		history: [],
		onEnd: (end) => void ends.push(end?.code),
		onLeave: () => void left.push('left'),
		...change,
	});
	t.teardown(() => screen.close());
	const text = (): string =>
		screenLines(screen.emulator, 'none', false)
			.map((line) => line.trimEnd())
			.join('\n')
			.trimEnd();
	return {fake, screen, ends, left, text};
}

test('a program’s questions are answered to it alone, and its OSCs go nowhere but the title', async (t) => {
	const {fake, screen, text} = await open(t);
	fake.write(`${ESC}]52;c;aGFja2Vk\u0007${ESC}]8;;http://x\u0007link${ESC}]8;;\u0007${ESC}]11;?\u0007`);
	fake.write(`${ESC}]2;a\u202ename${'x'.repeat(500)}\u0007${ESC}[c${ESC}[6n${ESC}[?6n${ESC}P$qm${ESC}\\`);
	fake.write('end');
	await until(() => text().includes('end'));
	t.is(text(), 'linkend');
	t.regex(screen.title, /^anamex+$/);
	t.true(screen.title.length <= 120);
	t.true(fake.input.startsWith(`${ESC}[?1;2c${ESC}[1;5R`), JSON.stringify(fake.input));
});

test('questions without end aren’t answered without end', async (t) => {
	const {fake, text} = await open(t);
	fake.reads = false;
	for (let at = 0; at < 200; at++) fake.write(`${ESC}[c`.repeat(500));
	fake.write('end');
	await until(() => text().includes('end'));
	t.true(fake.session.stdin.writableLength < 100_000);
});

test('a flood is read only as fast as it is shown, and all of it is', async (t) => {
	const {fake, text} = await open(t);
	let written = 0;
	const line = `${'x'.repeat(78)}\r\n`;
	for (let at = 0; at < 50_000 && fake.stdout.write(line); at++) written += line.length;
	// The pipe is full: nobody has read ahead more than the emulator may have before it.
	t.true(written < 1_000_000, `${written}`);
	let lines = 0;
	const pump = (): void => {
		while (lines < 20_000) {
			lines++;
			if (!fake.stdout.write(line)) return void fake.stdout.once('drain', pump);
		}
		fake.stdout.write('the end');
	};
	pump();
	await until(() => text().endsWith('the end'));
	t.is(lines, 20_000);
});

test('pictures are counted, not bytes', async (t) => {
	const {fake, screen, text} = await open(t);
	let pictures = 0;
	const began = performance.now();
	screen.subscribe(() => pictures++);
	for (let at = 0; at < 3000; at++) fake.write(`line ${at}\r\n`);
	await until(() => text().includes('line 2999'));
	t.true(pictures <= (performance.now() - began) / 33 + 2, `${pictures}`);
});

test('what is typed goes in; what nobody reads is lost before it fills the memory', async (t) => {
	const {fake, screen} = await open(t);
	t.true(screen.type(Buffer.from('ls\r')));
	await until(() => fake.input === 'ls\r');
	fake.reads = false;
	let taken = 0;
	while (screen.type(Buffer.alloc(64 * 1024, 'x'))) taken++;
	t.true(taken > 8 && taken <= 16);
	t.true(fake.session.stdin.writableLength <= 1 << 20);
});

test('the size goes to both, and a program that sits there is made to draw itself anew', async (t) => {
	const {fake, screen} = await open(t);
	t.deepEqual(fake.calls, ['resize 6 40', 'resize 5 40']);
	screen.resize(60, 9);
	screen.resize(60, 9);
	t.deepEqual(fake.calls.slice(2), ['resize 9 60']);
	t.is(screenLines(screen.emulator, 'none', false).length, 9);
});

test('lines that have gone can be scrolled back to, stay in sight while more come, and typing goes to the end', async (t) => {
	const {fake, screen, text} = await open(t);
	for (let at = 0; at < 30; at++) fake.write(`line ${at}\r\n`);
	await until(() => text().includes('line 29'));
	screen.scroll(-10);
	t.regex(text(), /^line 16\n/);
	fake.write('more\r\nand more\r\n');
	await until(() => screen.emulator.below > 10);
	t.regex(text(), /^line 16\n/);
	screen.scroll(Number.NEGATIVE_INFINITY);
	t.regex(text(), /^line 0\n/);
	screen.type(Buffer.from('x'));
	t.regex(text(), /and more$/);
	// The oldest go, however many come.
	for (let at = 0; at < 8000; at++) fake.write('many\r\n');
	fake.write('last');
	await until(() => text().endsWith('last'));
	screen.scroll(Number.NEGATIVE_INFINITY);
	t.is(screen.emulator.below, 5000);
});

test('a container without a terminal has line ends put right, and lines typed here', async (t) => {
	const {fake, screen, left, text} = await open(t, {tty: false, history: ['before'], rows: 9});
	t.deepEqual(fake.calls, []);
	fake.write('one\ntwo\n');
	fake.stderr.write('three\n');
	screen.type(Buffer.from('helo\u007flo'));
	t.is(fake.input, '');
	screen.type(Buffer.from('\r'));
	await until(() => text().includes('three') && fake.input !== '');
	t.is(fake.input, 'hello\n');
	t.regex(text(), /before[\s\S]*one\ntwo/);
	screen.type(Buffer.from('\u0003'));
	t.deepEqual(left, ['left']);
});

test('its end comes after all that it wrote, and what is typed then goes nowhere', async (t) => {
	const {fake, screen, ends, text} = await open(t);
	fake.write('x'.repeat(100_000));
	fake.write('bye');
	await until(() => fake.stdout.readableLength === 0);
	fake.end(3);
	await until(() => ends.length > 0);
	t.deepEqual(ends, [3]);
	t.true(text().endsWith('bye'));
	screen.type(Buffer.from('rm -rf /\r'));
	t.is(fake.input, '');
	screen.close();
	t.false(fake.calls.includes('detach'));
});

test('one that is closed is left, not ended', async (t) => {
	const {fake, screen, ends} = await open(t);
	screen.close();
	t.is(fake.calls.at(-1), 'detach');
	fake.write('after');
	fake.end(0);
	await new Promise((resolve) => setTimeout(resolve, 20));
	t.deepEqual(ends, []);
});

test('a search marks what it finds, goes back through what has scrolled away, and on again', async (t) => {
	const {fake, screen} = await open(t);
	for (let row = 0; row < 40; row++) fake.write(`row ${row} ${row % 10 === 3 ? '日本 Needle' : 'hay'}\r\n`);
	fake.write('end');
	await until(() => screenLines(screen.emulator, 'none', false).some((line) => line.startsWith('end')));
	const seen = (): string =>
		screenLines(screen.emulator, 'none', false, (row) => screen.search.marks(row))
			.map((line) => line.trimEnd())
			.join('\n');
	screen.searchFor('needle');
	t.notRegex(seen(), /\u001b/);
	t.true(screen.findNext(-1));
	t.is(screen.search.place, '4/4');
	// Exactly its cells, with wide characters before them.
	t.true(seen().includes(`row 33 日本 ${ESC}[1m${ESC}[4m${ESC}[7mNeedle${ESC}[0m`), JSON.stringify(seen()));
	for (const place of ['3/4', '2/4', '1/4']) {
		t.true(screen.findNext(-1));
		t.is(screen.search.place, place);
	}
	t.regex(seen(), /row 3 日本 .*Needle/);
	t.false(screen.findNext(-1));
	t.true(screen.findNext(1));
	t.is(screen.search.place, '2/4');
	// The place stays with its row, whatever is written below.
	fake.write('\r\nmore and more'.repeat(50));
	await until(() => screen.emulator.kept > 90);
	t.true(screen.findNext(1));
	t.is(screen.search.place, '3/4');
	screen.searchFor('re:^row 2[34]');
	t.true(screen.findNext(-1));
	t.regex(screen.search.place, /^\d\/2$/);
	screen.searchFor('re:(');
	t.is(screen.search.place, 'is no regular expression');
	t.false(screen.findNext(-1));
	screen.searchFor('');
	t.notRegex(seen(), /\u001b/);
});

test('what was wrapped is found as one, and marked in each of its rows', async (t) => {
	const {fake, screen} = await open(t);
	fake.write(`${'x'.repeat(36)}searched for`);
	await until(() => screen.emulator.isWrapped(1));
	screen.searchFor('searched');
	t.true(screen.findNext(-1));
	t.is(screen.search.place, '1/1');
	t.deepEqual(screen.search.marks(0), [{from: 36, to: 40, found: true}]);
	t.deepEqual(screen.search.marks(1), [{from: 0, to: 4, found: true}]);
	t.deepEqual(screen.search.marks(2), []);
});
