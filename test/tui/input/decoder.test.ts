import test from 'ava';
import {KeyDecoder} from '../../../src/tui/input/decoder.ts';
import type {InputEvent} from '../../../src/tui/input/event.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Events as one line: keys by name, the rest by kind. */
function show(events: InputEvent[]): string {
	return events
		.map((event) => {
			if (event.type === 'key') return event.key;
			if (event.type === 'paste') return `paste<${event.text}>`;
			if (event.type === 'mouse') return `${event.action}:${event.button}@${event.column},${event.row}`;
			return 'report';
		})
		.join(' ');
}

function decode(input: Uint8Array): string {
	const decoder = new KeyDecoder();
	return show([...decoder.feed(input), ...decoder.flush()]);
}

const KEYS: [bytes: string, keys: string][] = [
	['j', 'j'],
	['jj', 'j j'],
	['J', 'J'],
	[' ', 'space'],
	['\r', 'enter'],
	['\n', 'enter'],
	['\t', 'tab'],
	['\x1b[Z', 'shift-tab'],
	['\x7f', 'backspace'],
	['\b', 'backspace'],
	['\x00', 'ctrl-space'],
	['\x01\x10\x11\x1a', 'ctrl-a ctrl-p ctrl-q ctrl-z'],
	['\x1c\x1d\x1e\x1f', 'ctrl-\\ ctrl-] ctrl-^ ctrl-_'],
	['\x1b', 'esc'],
	['\x1b\x1b', 'esc esc'],
	['\x1bj', 'alt-j'],
	['\x1bJ', 'alt-J'],
	['\x1b\x7f', 'alt-backspace'],
	['\x1b\r', 'alt-enter'],
	['\x1b\x01', 'ctrl-alt-a'],
	['\x1b[A\x1b[B\x1b[C\x1b[D', 'up down right left'],
	['\x1bOA\x1bOB\x1bOC\x1bOD', 'up down right left'],
	['\x1b[H\x1b[F\x1bOH\x1bOF', 'home end home end'],
	[
		'\x1b[1~\x1b[2~\x1b[3~\x1b[4~\x1b[5~\x1b[6~\x1b[7~\x1b[8~',
		'home insert delete end pageup pagedown home end',
	],
	['\x1b[1;2A\x1b[1;3A\x1b[1;5A\x1b[1;6A', 'shift-up alt-up ctrl-up ctrl-shift-up'],
	['\x1b[3;5~\x1b[5;3~', 'ctrl-delete alt-pageup'],
	['\x1bOP\x1bOQ\x1bOR\x1bOS', 'f1 f2 f3 f4'],
	['\x1b[11~\x1b[12~\x1b[13~\x1b[14~\x1b[15~', 'f1 f2 f3 f4 f5'],
	['\x1b[17~\x1b[18~\x1b[19~\x1b[20~\x1b[21~\x1b[23~\x1b[24~', 'f6 f7 f8 f9 f10 f11 f12'],
	['\x1b[[A\x1b[[E', 'f1 f5'],
	['\x1b[1;2P\x1b[1;5R', 'shift-f1 ctrl-f3'],
	['\x1b\x1b[A', 'alt-up'],
	['\x1b[a\x1bOa\x1b[3^', 'shift-up ctrl-up ctrl-delete'],
	['\x1bOM\x1bOp\x1bOk', 'enter 0 +'],
	['\x1b[97;5u\x1b[106u\x1b[27u\x1b[13u', 'ctrl-a j esc enter'],
	['\x1b[27;5;97~', 'ctrl-a'],
	['\x1b[<0;10;5M\x1b[<0;10;5m', 'press:0@9,4 release:0@9,4'],
	['\x1b[<64;1;1M\x1b[<65;1;1M', 'wheel-up:0@0,0 wheel-down:0@0,0'],
	['\x1b[<35;3;4M', 'move:3@2,3'],
	['\x1b[M !!j', 'j'],
	['\x1b[I\x1b[O\x1b[24;80R\x1b[?62;4c', 'report report report report'],
	['\x1b]11;rgb:0000/0000/0000\x07j', 'j'],
	['\x1b]11;rgb:0000\x1b\\j', 'j'],
	['\x1bP1$r0m\x1b\\j', 'j'],
	['\x1b[200~a\rb\x1b[A\x1b[201~j', 'paste<a\rb\x1b[A> j'],
	['\x1b[99~j', 'j'],
	['\x1b[1;\x1b[Aj', 'up j'],
	['\x1b[', 'alt-['],
	['\x1bO', 'alt-O'],
	['\x1b[5', 'esc'],
];

for (const [input, keys] of KEYS) {
	test(`the bytes ${JSON.stringify(input)} are ${keys}`, (t) => {
		t.is(decode(bytes(input)), keys);
	});
}

test('characters beyond ASCII are one key each and carry their text', (t) => {
	t.is(decode(Buffer.from('é日🚣ж')), 'é 日 🚣 ж');
	const [event] = new KeyDecoder().feed(Buffer.from('日'));
	t.deepEqual(event, {type: 'key', key: '日', text: '日'});
});

test('bytes that are no character become the replacement and swallow nothing after them', (t) => {
	t.is(decode(Uint8Array.of(0xff, 0x6a)), '\ufffd j');
	t.is(decode(Uint8Array.of(0xe6, 0x6a)), '\ufffd j');
	t.is(decode(Uint8Array.of(0xe6, 0x97)), '\ufffd');
});

test('whatever a read is cut into, the keys are the same', (t) => {
	const all = Buffer.concat([
		...KEYS.filter(([, keys]) => !/alt-\[|alt-O|^esc/.test(keys)).map(([input]) => bytes(input)),
		Buffer.from('é日🚣'),
	]);
	const whole = decode(all);
	for (const size of [1, 2, 3, 5, 7]) {
		const decoder = new KeyDecoder();
		const events: InputEvent[] = [];
		for (let at = 0; at < all.length; at += size) events.push(...decoder.feed(all.subarray(at, at + size)));
		events.push(...decoder.flush());
		t.is(show(events), whole, `reads of ${size}`);
	}
});

test('an escape waits for what may follow, and is the Esc key when nothing does', (t) => {
	const decoder = new KeyDecoder();
	t.deepEqual(decoder.feed(bytes('\x1b')), []);
	t.true(decoder.pending);
	t.is(show(decoder.flush()), 'esc');
	t.false(decoder.pending);
	t.deepEqual(decoder.feed(bytes('\x1b')), []);
	t.is(show(decoder.feed(bytes('[A'))), 'up');
});

test('a paste without an end is held in bounds', (t) => {
	const decoder = new KeyDecoder();
	decoder.feed(bytes('\x1b[200~'));
	for (let index = 0; index < 40; index++) decoder.feed(Buffer.alloc(1 << 16, 'x'));
	const [event] = decoder.feed(bytes('\x1b[201~'));
	t.is(event?.type, 'paste');
	t.true((event as {text: string}).text.length <= 1 << 20);
	t.is(show(decoder.feed(bytes('j'))), 'j');
});
