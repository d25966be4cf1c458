/**
 * How many cells a string takes, and cutting strings to cells. The production bundle also gives this to Ink in
 * place of `string-width` (bundle-plugins.mjs), which makes an `Intl.Segmenter` when it is imported (10 ms)
 * and runs an emoji regular expression on each character; the results are the same, and a test compares them.
 * Strings are expected to be sanitised (sanitize.ts): control characters take no cell here.
 */
import {isNarrow, LazySegmenter} from './segmenter.ts';
import {WIDE_RANGES} from './wide-ranges.ts';

const graphemes = new LazySegmenter();
const ESCAPES =
	/\u001b\[[0-9:;<=>?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u009b[0-9;]*[@-~]/g;
let invisible: RegExp | undefined;
let emoji: RegExp | undefined;
let pictographic: RegExp | undefined;
let spacingMark: RegExp | undefined;

export default function stringWidth(input: string, options?: {countAnsiEscapeCodes?: boolean}): number {
	if (typeof input !== 'string' || input.length === 0) return 0;
	const escapes = !options?.countAnsiEscapeCodes && (input.includes('\u001b') || input.includes('\u009b'));
	const text = escapes ? input.replace(ESCAPES, '') : input;
	if (isNarrow(text)) return text.length;
	let width = 0;
	for (const cluster of clusters(text)) width += clusterWidth(cluster);
	return width;
}

export {stringWidth as displayWidth};

/** The longest beginning that fits, with `…` when something was cut. */
export function truncate(text: string, width: number): string {
	if (width <= 0) return '';
	if (isNarrow(text)) return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
	let used = 0;
	let fits = '';
	let fitsWithMark = '';
	for (const cluster of clusters(text)) {
		const next = used + clusterWidth(cluster);
		if (next > width) return `${fitsWithMark}…`;
		used = next;
		fits += cluster;
		if (used < width) fitsWithMark = fits;
	}
	return fits;
}

/** Cut or filled with spaces to exactly this many cells. */
export function fitCells(text: string, width: number, align: 'left' | 'right' = 'left'): string {
	const cut = truncate(text, width);
	const space = ' '.repeat(Math.max(0, width - stringWidth(cut)));
	return align === 'left' ? cut + space : space + cut;
}

/** The cells from `start`, at most `width` of them; a wide character that is cut in half becomes a space. */
export function sliceCells(text: string, start: number, width: number): string {
	if (isNarrow(text)) return text.slice(start, start + width);
	let at = 0;
	let out = '';
	for (const cluster of clusters(text)) {
		const cells = clusterWidth(cluster);
		if (at >= start + width) break;
		if (at >= start && at + cells <= start + width) out += cluster;
		else if (at + cells > start) out += ' '.repeat(Math.min(at + cells, start + width) - Math.max(at, start));
		at += cells;
	}
	return out;
}

/** The same, and where in the text it begins: its first character, less the spaces that stand for half of one. */
export function sliceWithOffset(text: string, start: number, width: number): {text: string; offset: number} {
	const part = sliceCells(text, start, width);
	if (start === 0) return {text: part, offset: 0};
	if (isNarrow(text)) return {text: part, offset: start};
	let at = 0;
	let offset = 0;
	for (const cluster of clusters(text)) {
		if (at >= start) break;
		at += clusterWidth(cluster);
		offset += cluster.length;
	}
	return {text: part, offset: offset - Math.max(0, at - start)};
}

/** Hard-wrapped into rows of at most `width` cells; at least one row. */
export function wrapCells(text: string, width: number, maxRows = Number.POSITIVE_INFINITY): string[] {
	const rows: string[] = [];
	if (width <= 0) return [''];
	if (isNarrow(text)) {
		for (let at = 0; at < text.length && rows.length < maxRows; at += width)
			rows.push(text.slice(at, at + width));
		return rows.length === 0 ? [''] : rows;
	}
	let row = '';
	let used = 0;
	for (const cluster of clusters(text)) {
		const cells = clusterWidth(cluster);
		if (used + cells > width) {
			rows.push(row);
			if (rows.length >= maxRows) return rows;
			row = '';
			used = 0;
		}
		row += cluster;
		used += cells;
	}
	rows.push(row);
	return rows;
}

/** Rows of at most `width` cells, broken at spaces where there are some; a break takes one space away. */
export function wrapWords(text: string, width: number): string[] {
	if (stringWidth(text) <= width) return [text];
	const rows: string[] = [];
	let row: string | undefined;
	for (const word of text.split(' ')) {
		const longer = row === undefined ? word : `${row} ${word}`;
		if (stringWidth(longer) <= width) {
			row = longer;
			continue;
		}
		if (row !== undefined && row.trim() !== '') rows.push(row);
		const parts = wrapCells(word, width);
		rows.push(...parts.slice(0, -1));
		row = parts.at(-1)!;
	}
	return row === undefined ? rows : [...rows, row];
}

export function* clusters(text: string): Generator<string> {
	for (const {segment} of graphemes.segment(text)) yield segment;
}

/** Of one grapheme cluster. */
export function clusterWidth(cluster: string): number {
	invisible ??=
		/[\p{Default_Ignorable_Code_Point}\p{Control}\p{Format}\p{Nonspacing_Mark}\p{Enclosing_Mark}\p{Surrogate}]/v;
	if (isEmoji(cluster)) return 2;
	const points: string[] = [...cluster];
	let base = 0;
	while (base < points.length && invisible.test(points[base]!)) base++;
	if (base === points.length) return 0;
	const visible = points.slice(base);
	if (isJamo(visible[0]!.codePointAt(0)!))
		return hangulWidth(visible.filter((point) => !invisible!.test(point)));
	let width = pointWidth(visible[0]!.codePointAt(0)!);
	spacingMark ??= /\p{Spacing_Mark}/v;
	for (const point of visible.slice(1)) {
		if (spacingMark.test(point) || (point >= '\uff00' && point <= '\uffef')) {
			width += pointWidth(point.codePointAt(0)!);
		}
	}
	return width;
}

function isEmoji(cluster: string): boolean {
	// A character that is an emoji by itself is wide by itself; the slow expression is for sequences.
	if (cluster.length <= (cluster.codePointAt(0)! > 0xffff ? 2 : 1)) return false;
	emoji ??= /^\p{RGI_Emoji}$/v;
	// Real emoji are short; the regular expressions aren't run on a megabyte of marks.
	if (cluster.length > 50) return false;
	if (emoji.test(cluster) || /^[\d#*]\u20e3$/.test(cluster)) return true;
	if (!cluster.includes('\u200d')) return false;
	pictographic ??= /\p{Extended_Pictographic}/gu;
	return (cluster.match(pictographic)?.length ?? 0) >= 2;
}

const isLeading = (code: number): boolean =>
	(code >= 0x1100 && code <= 0x115f) || (code >= 0xa960 && code <= 0xa97c);
const isVowel = (code: number): boolean =>
	(code >= 0x1160 && code <= 0x11a7) || (code >= 0xd7b0 && code <= 0xd7c6);
const isTrailing = (code: number): boolean =>
	(code >= 0x11a8 && code <= 0x11ff) || (code >= 0xd7cb && code <= 0xd7fb);
const isJamo = (code: number): boolean => isLeading(code) || isVowel(code) || isTrailing(code);

/** Leading, vowel and trailing jamo make one wide syllable; those that don't combine stand alone. */
function hangulWidth(points: string[]): number {
	const codes = points.map((point) => point.codePointAt(0)!);
	let width = 0;
	for (let index = 0; index < codes.length; index++) {
		if (isLeading(codes[index]!) && codes[index + 1] !== undefined && isVowel(codes[index + 1]!)) {
			width += 2;
			index += codes[index + 2] !== undefined && isTrailing(codes[index + 2]!) ? 2 : 1;
		} else {
			width += pointWidth(codes[index]!);
		}
	}
	return width;
}

function pointWidth(code: number): number {
	if (code < WIDE_RANGES[0]!) return 1;
	if (code >= 0x4e00 && code <= 0x9fff) return 2;
	let low = 0;
	let high = WIDE_RANGES.length / 2 - 1;
	while (low <= high) {
		const middle = (low + high) >> 1;
		if (code < WIDE_RANGES[middle * 2]!) high = middle - 1;
		else if (code > WIDE_RANGES[middle * 2 + 1]!) low = middle + 1;
		else return 2;
	}
	return 1;
}
