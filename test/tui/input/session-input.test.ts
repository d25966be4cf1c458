import test from 'ava';
import {SessionInput} from '../../../src/tui/input/session-input.ts';

const ESC = '\u001b';

/** What comes out, as words; F11 is taken, all other keys are not. */
function listen(keys = Uint8Array.of(16, 17)) {
	const seen: string[] = [];
	let bytes = '';
	const flush = (): void => {
		if (bytes !== '') seen.push(JSON.stringify(bytes));
		bytes = '';
	};
	const say = (word: string): void => {
		flush();
		seen.push(word);
	};
	const input = new SessionInput({
		detachKeys: keys,
		onBytes: (some) => {
			bytes += Buffer.from(some).toString('utf8');
		},
		onKey: (key) => {
			if (key !== 'f11') return false;
			say(key);
			return true;
		},
		onMouse: ({action, column, row}) => say(`${action} ${column} ${row}`),
		onPaste: (edge) => say(`paste ${edge}`),
		onDetach: (rest) => say(`detach ${JSON.stringify(Buffer.from(rest).toString())}`),
	});
	return {
		feed: (...chunks: string[]): string[] => {
			for (const chunk of chunks) input.feed(Buffer.from(chunk));
			flush();
			return seen.splice(0);
		},
		async later(): Promise<string[]> {
			while (bytes === '' && seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
			flush();
			return seen.splice(0);
		},
		close: () => input.close(),
	};
}

test('everything is the program’s as it comes: controls, Alt, characters of several bytes', (t) => {
	const {feed} = listen();
	t.deepEqual(feed(`ls\r\u0003\u001a${ESC}x\tüß日\u007f`), [
		JSON.stringify(`ls\r\u0003\u001a${ESC}x\tüß日\u007f`),
	]);
	t.deepEqual(feed(`${ESC}[A${ESC}OP${ESC}[1;5C`), [JSON.stringify(`${ESC}[A${ESC}OP${ESC}[1;5C`)]);
	// The Esc key waits for nothing.
	t.deepEqual(feed(ESC), [JSON.stringify(ESC)]);
});

test('the detach keys are found across reads, and what comes after them is not the program’s', (t) => {
	t.deepEqual(listen().feed('a\u0010', '\u0011qz'), ['"a"', 'detach "qz"']);
	t.deepEqual(listen().feed('\u0010\u0010\u0011'), ['"\\u0010"', 'detach ""']);
	t.deepEqual(listen().feed('\u0010x\u0011'), [JSON.stringify('\u0010x\u0011')]);
	t.deepEqual(listen(Uint8Array.of(1)).feed(`a\u0001${ESC}[A`), [
		'"a"',
		`detach ${JSON.stringify(`${ESC}[A`)}`,
	]);
});

test('a lone Ctrl+P is passed on after a while', async (t) => {
	const {feed, later} = listen();
	t.deepEqual(feed('\u0010'), []);
	t.deepEqual(await later(), ['"\\u0010"']);
});

test('a key that comes after the beginning of the detach keys comes after it', (t) => {
	t.deepEqual(listen().feed(`\u0010${ESC}[23~x`), ['"\\u0010"', 'f11', '"x"']);
});

test('keys of the pane are taken out wherever they are, also when they are cut', (t) => {
	t.deepEqual(listen().feed(`a${ESC}[23~b`), ['"a"', 'f11', '"b"']);
	for (const at of [1, 2, 3, 4]) {
		const key = `${ESC}[23~`;
		t.deepEqual(listen().feed(`ab${key.slice(0, at)}`, `${key.slice(at)}c`), ['"ab"', 'f11', '"c"'], `${at}`);
	}
});

test('a sequence that never ends is passed on after a while', async (t) => {
	const {feed, later} = listen();
	t.deepEqual(feed(`${ESC}[1;`), []);
	t.deepEqual(await later(), [JSON.stringify(`${ESC}[1;`)]);
});

test('the mouse is no text, and what our own terminal says of itself is nobody’s', (t) => {
	t.deepEqual(listen().feed(`a${ESC}[<0;5;7Mb${ESC}[<64;1;1M`), ['"a"', 'press 4 6', '"b"', 'wheel-up 0 0']);
	t.deepEqual(listen().feed(`a${ESC}[?62;4cb${ESC}[I${ESC}[12;40R`), ['"ab"']);
});

test('a paste has edges, and nothing in it is a key', (t) => {
	const {feed} = listen();
	t.deepEqual(feed(`${ESC}[200~one\u0010\u0011${ESC}[23~two${ESC}[201~x`), [
		'paste start',
		JSON.stringify(`one\u0010\u0011${ESC}[23~two`),
		'paste end',
		'"x"',
	]);
	t.deepEqual(feed(`${ESC}[200~half${ESC}[20`, `1~y`), ['paste start', '"half"', 'paste end', '"y"']);
});

test('nothing comes out after the end', async (t) => {
	const {feed, close} = listen();
	feed('\u0010');
	close();
	await new Promise((resolve) => setTimeout(resolve, 600));
	t.deepEqual(feed('x'), []);
});
