import test from 'ava';
import {screenLines} from '../../../src/tui/render/cells.ts';
import {type ColourDepth, nearest16, nearest256} from '../../../src/tui/render/colour-depth.ts';
import {Emulator, loadEmulator} from '../../../src/tui/terminal/emulator.ts';
import {displayWidth} from '../../../src/tui/text/width.ts';

const ESC = '\u001b';

async function draw(
	text: string | Uint8Array,
	{columns = 40, rows = 6, depth = 'true' as ColourDepth, cursor = false} = {},
): Promise<string[]> {
	const emulator = new Emulator(await loadEmulator(), {
		columns,
		rows,
		convertEol: false,
		onReply: () => {},
		onTitle: () => {},
	});
	await new Promise<void>((resolve) => emulator.write(text, resolve));
	const lines = screenLines(emulator, depth, cursor);
	emulator.close();
	return lines;
}

/** Escapes that can be read, and no spaces at the ends. */
const readable = (line: string): string => line.replaceAll(ESC, '␛').trimEnd();
const plain = (line: string): string => line.replaceAll(/\u001b\[[0-9;]*m/g, '');

const SCENE = [
	`${ESC}[1;31mred and bold${ESC}[0m plain ${ESC}[4;38;5;208munderlined orange${ESC}[0m`,
	`${ESC}[38;2;1;2;3;48;2;250;240;230mtwo of sixteen million${ESC}[0m ${ESC}[7minverse${ESC}[0m ${ESC}[8mhidden${ESC}[0m.`,
	`日本語 wide, e\u0301 composed, ${ESC}[92mbright ${ESC}[104mon bright${ESC}[0m ${ESC}[2;3;9mfaint slanted struck${ESC}[0m`,
	`${ESC}(0lqqk${ESC}(B ${ESC}[44m${ESC}[K`,
	`${ESC}[0mtabs\tand\tstops`,
	`${ESC}[5;3Hat five, three${ESC}[2;1H`,
].join('\r\n');

for (const [columns, rows] of [
	[40, 10],
	[80, 24],
	[132, 43],
] as const) {
	test(`colours, attributes, wide characters and the cursor at ${columns}x${rows}`, async (t) => {
		const lines = await draw(SCENE, {columns, rows, cursor: true});
		t.is(lines.length, rows);
		for (const line of lines) t.is(displayWidth(plain(line)), columns);
		t.snapshot(lines.map(readable).join('\n'));
	});
}

test('where there are fewer colours the nearest is shown, and none where none is wanted', async (t) => {
	const text = `${ESC}[38;2;250;10;5mred${ESC}[0m ${ESC}[48;5;21mblue${ESC}[0m ${ESC}[1;33mbold`;
	const [many] = await draw(text, {depth: '256'});
	t.is(readable(many!), '␛[38;5;196mred␛[0m ␛[48;5;21mblue␛[0m ␛[1m␛[33mbold␛[0m');
	const [few] = await draw(text, {depth: '16'});
	t.is(readable(few!), '␛[91mred␛[0m ␛[44mblue␛[0m ␛[1m␛[33mbold␛[0m');
	const [none] = await draw(text, {depth: 'none'});
	t.is(readable(none!), 'red blue ␛[1mbold␛[0m');
	t.is(nearest256(0x808080), 244);
	t.is(nearest256(0xff0000), 196);
	t.is(nearest16(0xff0000), 9);
	t.is(nearest16(0x000000), 0);
});

test('the alternate screen is a screen of its own, and what was there comes back', async (t) => {
	const inside = await draw(`shell${ESC}[?1049h${ESC}[2J${ESC}[Heditor`);
	t.is(inside[0]!.trimEnd(), 'editor');
	const back = await draw(`shell${ESC}[?1049h${ESC}[2J${ESC}[Heditor${ESC}[?1049l`);
	t.is(back[0]!.trimEnd(), 'shell');
});

test('a hidden cursor is not shown, a shown one is a cell turned round', async (t) => {
	const [shown] = await draw('ab\b', {columns: 4, cursor: true});
	t.is(readable(shown!), 'a␛[7mb␛[0m');
	const [hidden] = await draw(`ab\b${ESC}[?25l`, {columns: 4, cursor: true});
	t.is(hidden!.trimEnd(), 'ab');
	const [turned] = await draw(`${ESC}[7mab\b`, {columns: 4, cursor: true});
	t.is(readable(turned!), '␛[7ma␛[0mb');
});

test('characters that join across cells, and marks without end, keep the line as wide as it is', async (t) => {
	for (const text of [
		'👩\u200d👩\u200d👧\u200d👦 family',
		'🇩🇪🇫🇷🇯🇵',
		'❤\ufe0f heart 1\ufe0f\u20e3 key',
		'ᄒ\u1161ᆫ 한 jamo',
		`a${'\u0301'.repeat(5000)}b`,
		'नमस्ते ไทย السلام',
		'\u202eright to left\u202c \u2066isolated',
		'👍🏽👍🏿 tones',
		'x\u00adsoft\ufeffmark',
	]) {
		for (const line of await draw(text, {columns: 24, rows: 3})) {
			t.is(displayWidth(plain(line)), 24, JSON.stringify(text));
			t.notRegex(line, /[\u202a-\u202e\u2066-\u2069\ufeff]/);
			t.true(line.length < 600);
		}
	}
});

test('no bytes at all get anything but colours and characters out', async (t) => {
	let seed = 7;
	const random = (below: number): number => {
		seed = (seed * 1103515245 + 12345) % 2 ** 31;
		return seed % below;
	};
	const pieces = [
		...[
			'\u001b[',
			'\u001b]',
			'\u001bP',
			'\u001b_',
			'\u001b',
			'\u009b',
			'\u0007',
			'\u001b\\',
			';',
			'?',
			'38',
			'48',
		],
		...[
			'm',
			'h',
			'l',
			'r',
			'H',
			'J',
			'K',
			'L',
			'M',
			'P',
			'@',
			'X',
			'S',
			'T',
			'1049',
			'2;255',
			'5;300',
			'99999',
		],
		...[
			'日',
			'\u0301',
			'👩',
			'\u200d',
			'\u202e',
			'\u0000',
			'\u000e',
			'\u000f',
			'\r',
			'\n',
			'\t',
			'\b',
			'text',
			' ',
		],
		...['52;c;aGk=\u0007', '8;;http://x\u0007', '\u001bc', '\u001b(0', '\u001b#8', '\u001b[6n', '\u001b[!p'],
	];
	for (let round = 0; round < 60; round++) {
		let text = '';
		for (let at = 0; at < 300; at++) text += pieces[random(pieces.length)];
		const bytes = Buffer.from(text);
		for (let at = 0; at < 20; at++) bytes[random(bytes.length)] = random(256);
		for (const line of await draw(bytes, {columns: 33, rows: 7, cursor: true})) {
			t.notRegex(plain(line), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
			t.is(displayWidth(plain(line)), 33);
		}
	}
});

test('what would be done thousands of millions of times is not done at all', async (t) => {
	for (const final of 'bLMSTIZ@PX') {
		const lines = await draw(`ab${ESC}[2147483647${final}${ESC}[99999999${final}c`, {columns: 20, rows: 3});
		t.is(lines.length, 3, final);
	}
	const [line] = await draw(`a${ESC}[5bc`);
	t.is(line!.trimEnd(), 'aaaaaac');
});
