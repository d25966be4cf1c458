import test from 'ava';
import {sanitizeLogLine} from '../../../src/tui/text/sanitize.ts';
import {styledLogLine} from '../../../src/tui/text/styled-line.ts';

const LINES: [line: string, runs: unknown[]][] = [
	['plain', []],
	['\u001b[31mred\u001b[0m plain', [{start: 0, end: 3, style: {color: 'red'}}]],
	[
		'\u001b[1;92mok\u001b[22mok',
		[
			{start: 0, end: 2, style: {color: 'greenBright', bold: true}},
			{start: 2, end: 4, style: {color: 'greenBright'}},
		],
	],
	[
		'\u001b[38;5;208mx\u001b[48:2::1:2:3my\u001b[mz',
		[
			{start: 0, end: 1, style: {color: 'ansi256(208)'}},
			{start: 1, end: 2, style: {color: 'ansi256(208)', backgroundColor: 'rgb(1, 2, 3)'}},
		],
	],
	['\u001b[38;2;1;2;300mx', []],
	['\u001b[38;5mx', []],
	// The line's end keeps its colour, what was overwritten goes.
	['\u001b[32m10%\r100%\n', [{start: 0, end: 4, style: {color: 'green'}}]],
	['a\t\u001b[7mb\tc', [{start: 8, end: 17, style: {inverse: true}}]],
	// Everything else of a terminal's language stays out.
	[
		'\u001b[2J\u001b]0;title\u0007\u001b[31mx\u001b[5;5H\u001b[39m\u202ey',
		[{start: 0, end: 1, style: {color: 'red'}}],
	],
	['\u001b[31', []],
];

for (const [line, runs] of LINES) {
	test(`the colours of ${JSON.stringify(line)}`, (t) => {
		const styled = styledLogLine(line);
		t.deepEqual(styled.runs as unknown[], runs);
		t.is(styled.text, sanitizeLogLine(line));
	});
}

test('whatever a line has, its text is that of the plain line and its runs lie within it, in order', (t) => {
	const pieces = [
		'a',
		'日',
		'\t',
		'\r',
		'\u001b[31m',
		'\u001b[0m',
		'\u001b[',
		'\u001b',
		']0;',
		'\u0007',
		'\u001bP',
		'm',
		'38;5;1',
		'\u001b[48;5;9m',
		'\u009b',
		'\n',
	];
	let seed = 7;
	const next = (below: number): number => {
		seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
		return seed % below;
	};
	for (let round = 0; round < 3000; round++) {
		const line = Array.from({length: next(14)}, () => pieces[next(pieces.length)]).join('');
		const {text, runs} = styledLogLine(line);
		t.is(text, sanitizeLogLine(line), JSON.stringify(line));
		let at = 0;
		for (const {start, end} of runs) {
			if (start < at || end <= start || end > text.length) t.fail(JSON.stringify(line));
			at = end;
		}
	}
});
