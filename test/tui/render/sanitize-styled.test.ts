import test from 'ava';
import sanitizeStyled from '../../../src/tui/render/sanitize-styled.ts';

const ESC = '\u001b';

test('colours, tabs and line ends stay', (t) => {
	for (const text of ['', 'plain', `a\tb\nc`, `${ESC}[1;38;5;208mx${ESC}[0m`, `${ESC}[4:3m日本${ESC}[m`]) {
		t.is(sanitizeStyled(text), text);
	}
});

test('everything else that a terminal would act on goes', (t) => {
	for (const [text, left] of [
		[`a${ESC}[2Jb`, 'ab'],
		[`${ESC}[31ma${ESC}[5;5Hb${ESC}[39m`, `${ESC}[31mab${ESC}[39m`],
		[`a${ESC}]0;title\u0007b`, 'ab'],
		[`a${ESC}]8;;http://x${ESC}\\b`, 'ab'],
		[`a${ESC}]52;c;unfinished`, 'a'],
		[`a${ESC}Pq#0${ESC}\\b`, 'ab'],
		[`a\u009b2Jb\u009d0;t\u009cc`, 'abc'],
		[`a\rb\bc\u0007\u007f\u0085d`, 'abcd'],
		[`a${ESC}`, 'a'],
		[`a${ESC}[`, 'a'],
		[`a${ESC}cb`, 'ab'],
	] as const) {
		t.is(sanitizeStyled(text), left, JSON.stringify(text));
	}
});
