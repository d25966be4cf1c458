import test from 'ava';
import {sanitize, sanitizeLogLine} from '../../../src/tui/text/sanitize.ts';

const NAMES: [hostile: string, shown: string][] = [
	['web', 'web'],
	['日本 ünïcode 🚣', '日本 ünïcode 🚣'],
	['\x1b[2J\x1b[Hgone', 'gone'],
	['a\x1b]0;title\x07b', 'ab'],
	['a\x1b]52;c;aGFjaw==\x1b\\b', 'ab'],
	['a\x1bPq#0\x1b\\b', 'ab'],
	['a\x1b]8;;http://x\x07link', 'alink'],
	['a\x1b]never ends', 'a'],
	['\x9b31mred', '31mred'],
	['two\nlines\tand tabs', 'two lines and tabs'],
	['\u202egnp.exe', 'gnp.exe'],
	['a\u2066b\u2069c\u200b\ufeff', 'abc'],
	['bell\x07 back\b', 'bell back'],
	['lone \ud800 half', 'lone  half'],
	['\x1b', ''],
	['\x1b(0lqqk\x1b(B', 'lqqk'],
];

for (const [hostile, shown] of NAMES) {
	test(`the name ${JSON.stringify(hostile)} is shown as "${shown}"`, (t) => {
		t.is(sanitize(hostile), shown);
	});
}

const LINES: [line: string, shown: string][] = [
	['plain\n', 'plain'],
	['plain\r\n', 'plain'],
	['\x1b[32mok\x1b[0m\n', 'ok'],
	['10%\r50%\r100%\n', '100%'],
	['a\tb\n', 'a       b'],
	['1234567\tb\n', '1234567 b'],
	['\x1b[?1049h\x1b[2Jfull screen\n', 'full screen'],
	['\x00\x01binary\x7f\n', 'binary'],
];

for (const [line, shown] of LINES) {
	test(`the log line ${JSON.stringify(line)} is shown as "${shown}"`, (t) => {
		t.is(sanitizeLogLine(line), shown);
	});
}

test('no control character survives, whatever surrounds it', (t) => {
	for (let code = 0; code < 0xa0; code++) {
		if (code >= 0x20 && code < 0x7f) continue;
		const text = `a${String.fromCharCode(code)}[31mb`;
		t.notRegex(sanitize(text), /[\u0000-\u001f\u007f-\u009f]/);
		t.notRegex(sanitizeLogLine(text), /[\u0000-\u001f\u007f-\u009f]/);
	}
});

test('the longest lines of nothing but beginnings come out clean', (t) => {
	for (const unit of ['\x1b', '\x1b[', '\x1b]', '\r', '\t', '\x1bP', '\x1b]x\x1b', '\u0300']) {
		t.notRegex(sanitizeLogLine(unit.repeat(16_384 / unit.length)), /[\u0000-\u001f\u007f-\u009f]/);
	}
});
