import test from 'ava';
import theirs from 'string-width';
import {LazySegmenter} from '../../../src/tui/text/segmenter.ts';
import {
	displayWidth,
	fitCells,
	sliceCells,
	truncate,
	wrapCells,
	wrapWords,
} from '../../../src/tui/text/width.ts';

const SAMPLES = [
	'',
	'plain',
	'naïve café',
	'e\u0301e\u0301',
	'日本語',
	'ｱｲｳ ﾞ',
	'한국어',
	'\u1100\u1161\u11a8\u1100',
	'╭─┃…→↑▶■▂▅',
	'⣿⣀',
	'⏳⌚⭐✔✔️❤❤️',
	'👩‍👩‍👧‍👦🚣🏽‍♀️🇩🇪1️⃣',
	'\u200b\u200d\u2060x\ufeff',
	'नमस्ते',
	'ไทย',
	'(╯°□°）╯︵ ┻━┻',
	'𝒳𠀀',
	'\u001b[31mred\u001b[0m',
	'a\r\nb\nc\u0000\u0007',
	'a\u00adb',
	'©®™‼⁉',
	`${'z̸̢̛'.repeat(30)}`,
];

for (const sample of SAMPLES) {
	test(`the cells of ${JSON.stringify(sample.slice(0, 24))} are those that Ink counts`, (t) => {
		t.is(displayWidth(sample), theirs(sample));
	});
}

test('every single character up to U+1FFFF takes the cells that Ink counts', (t) => {
	const wrong: string[] = [];
	for (let code = 0x20; code <= 0x1ffff; code++) {
		if (code >= 0xd800 && code <= 0xdfff) continue;
		const character = String.fromCodePoint(code);
		if (displayWidth(character) !== theirs(character)) wrong.push(code.toString(16));
	}
	t.deepEqual(wrong.slice(0, 20), []);
});

test('the lazy segmenter cuts as the real one does', (t) => {
	const real = new Intl.Segmenter();
	const lazy = new LazySegmenter();
	for (const sample of SAMPLES) {
		const cut = (segmenter: {segment(text: string): Iterable<{segment: string; index: number}>}) =>
			[...segmenter.segment(sample)].map(({segment, index}) => `${index}:${segment}`);
		t.deepEqual(cut(lazy), cut(real));
		t.is(lazy.segment(sample).containing(1)?.segment, real.segment(sample).containing(1)?.segment);
	}
});

for (const sample of SAMPLES) {
	test(`${JSON.stringify(sample.slice(0, 24))} is cut, filled and wrapped to exact cells`, (t) => {
		if (sample.includes('\u001b')) return t.pass();
		for (let width = 1; width <= 12; width++) {
			t.true(displayWidth(truncate(sample, width)) <= width);
			t.is(displayWidth(fitCells(sample, width)), width);
			t.is(displayWidth(fitCells(sample, width, 'right')), width);
			for (let start = 0; start < 6; start++) t.true(displayWidth(sliceCells(sample, start, width)) <= width);
			if (width < 2) continue;
			const rows = wrapCells(sample, width);
			t.is(rows.join(''), sample);
			t.true(rows.every((row) => displayWidth(row) <= width));
		}
	});
}

test('a cut is marked, what fits is not touched', (t) => {
	t.is(truncate('abcdef', 6), 'abcdef');
	t.is(truncate('abcdef', 5), 'abcd…');
	t.is(truncate('日本語', 5), '日本…');
	t.is(truncate('日本語', 4), '日…');
	t.is(truncate('日本語', 1), '…');
	t.is(truncate('x', 0), '');
	t.is(sliceCells('a日b', 2, 2), ' b');
});

test('rows are broken between words, and within those that have no room', (t) => {
	t.deepEqual(wrapWords('what builds have kept', 12), ['what builds', 'have kept']);
	t.deepEqual(wrapWords('short', 12), ['short']);
	t.deepEqual(wrapWords('  a indented line', 10), ['  a', 'indented', 'line']);
	t.deepEqual(wrapWords('一二三四五 ab', 6), ['一二三', '四五', 'ab']);
	t.deepEqual(wrapWords('abcdefgh ij', 3), ['abc', 'def', 'gh', 'ij']);
	for (const width of [1, 2, 7, 30])
		for (const row of wrapWords('one two  three 四 verylongword', width))
			t.true(displayWidth(row) <= Math.max(2, width));
});
