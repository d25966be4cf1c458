/**
 * Ink's `Output` for the production bundle (bundle-plugins.mjs): what the boxes and texts of a frame have written,
 * put together into lines. Ink's own makes an object of each character, several times over, which took half of the
 * time of each frame; the pictures are the same, and a test compares them. Of escape sequences only colours and the
 * like (SGR) are known; others are left out.
 */
import {isNarrow} from '../text/segmenter.ts';
import {clusters, clusterWidth, displayWidth} from '../text/width.ts';
import {applySgr, PLAIN, type Style, transition} from './style.ts';

export interface Clip {
	x1: number | undefined;
	x2: number | undefined;
	y1: number | undefined;
	y2: number | undefined;
}

/** Gets a line with its styles and its number within the text, and gives it back otherwise. */
type Transformer = (line: string, index: number) => string;

/** Cells of one line: a wide character's second cell is empty. */
interface Row {
	texts: string[];
	styles: Style[];
}

const ESCAPE = '\u001b';
/** Made for the first text that isn't plain: its classes take half a millisecond. */
let ignored: RegExp | undefined;
const isIgnored = (cluster: string): boolean => {
	ignored ??= /^\p{Default_Ignorable_Code_Point}+$/u;
	return ignored.test(cluster);
};
/** Sequences that aren't SGR, and lone escapes. */
const SEQUENCE =
	/\u001b\[[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]?/y;

export default class Output {
	readonly width: number;
	readonly height: number;
	readonly #rows: Row[];
	readonly #clips: Clip[] = [];

	constructor({width, height}: {width: number; height: number}) {
		this.width = width;
		this.height = height;
		this.#rows = Array.from({length: height}, () => ({
			texts: new Array(width).fill(' '),
			styles: new Array(width).fill(PLAIN),
		}));
	}

	clip(clip: Clip): void {
		const outer = this.#clips.at(-1);
		this.#clips.push(
			outer
				? {
						x1: tighter(outer.x1, clip.x1, Math.max),
						x2: tighter(outer.x2, clip.x2, Math.min),
						y1: tighter(outer.y1, clip.y1, Math.max),
						y2: tighter(outer.y2, clip.y2, Math.min),
					}
				: clip,
		);
	}

	unclip(): void {
		this.#clips.pop();
	}

	write(x: number, y: number, text: string, {transformers}: {transformers: readonly Transformer[]}): void {
		if (text === '') return;
		const clip = this.#clips.at(-1);
		const left = Math.max(0, clip?.x1 ?? 0);
		const right = Math.min(this.width, clip?.x2 ?? this.width);
		const top = Math.max(0, clip?.y1 ?? 0);
		const bottom = Math.min(this.height, clip?.y2 ?? this.height);
		if (left >= right || top >= bottom) return;
		const lines = text.includes('\n') ? splitLines(text) : [text];
		// Transformers count from the first line that the clip lets through, and from the text's own.
		const first = Math.max(0, top - y);
		for (let index = first; index < lines.length && y + index < bottom; index++) {
			const row = this.#rows[y + index]!;
			let line = lines[index]!;
			let start = x;
			const whole = x >= left && x + displayWidth(line) <= right;
			// That of a text without a style of its own changes nothing.
			const changed = transformers.some((transform) => transform(line, index) !== line);
			// A transformer finds each style opened and closed once, as Ink's does.
			if (!whole || (changed && line.includes(ESCAPE))) {
				line = sliceStyled(line, left - x, right - x);
				start = Math.max(x, left);
			}
			if (changed) for (const transform of transformers) line = transform(line, index);
			put(row, start, this.width, line);
		}
	}

	/** The lines without the spaces at their ends, and how many they are. */
	get(): {output: string; height: number} {
		return {output: this.#rows.map(rowText).join('\n'), height: this.height};
	}
}

function tighter(
	a: number | undefined,
	b: number | undefined,
	choose: (...values: number[]) => number,
): number | undefined {
	if (a === undefined) return b;
	return b === undefined ? a : choose(a, b);
}

/** Calls back with each piece of plain text and the style that it is in; returns the last style. */
function eachRun(text: string, style: Style, onRun: (run: string, style: Style) => void): Style {
	if (!text.includes(ESCAPE)) {
		onRun(text, style);
		return style;
	}
	let at = 0;
	for (let from = text.indexOf(ESCAPE); from >= 0; from = text.indexOf(ESCAPE, at)) {
		if (from > at) onRun(text.slice(at, from), style);
		const end = sgrEnd(text, from);
		if (end > 0) {
			style = applySgr(style, text.slice(from + 2, end));
			at = end + 1;
			continue;
		}
		SEQUENCE.lastIndex = from;
		at = from + (SEQUENCE.exec(text)?.[0].length ?? 1);
	}
	if (at < text.length) onRun(text.slice(at), style);
	return style;
}

/** Where the `m` of the SGR that begins at `from` is; 0 when something else begins there. */
function sgrEnd(text: string, from: number): number {
	if (text[from + 1] !== '[') return 0;
	for (let at = from + 2; at < text.length; at++) {
		const code = text.charCodeAt(at);
		// Digits, colon and semicolon.
		if (code >= 0x30 && code <= 0x3b) continue;
		return code === 0x6d ? at : 0;
	}
	return 0;
}

/** Styles go on over line ends; each line gets what it begins in. */
function splitLines(text: string): string[] {
	const lines = text.split('\n');
	if (!text.includes(ESCAPE)) return lines;
	let style = PLAIN;
	return lines.map((line) => {
		const start = transition(PLAIN, style);
		style = eachRun(line, style, () => {});
		return start + line + transition(style, PLAIN);
	});
}

/** The cells from `from` up to `to`; of a wide character cut in half a space stays. */
function sliceStyled(line: string, from: number, to: number): string {
	let out = '';
	let at = 0;
	let last = PLAIN;
	const add = (text: string, style: Style): void => {
		out += transition(last, style) + text;
		last = style;
	};
	eachRun(line, PLAIN, (run, style) => {
		if (isNarrow(run)) {
			const part = run.slice(Math.max(0, from - at), Math.max(0, to - at));
			if (part !== '') add(part, style);
			at += run.length;
			return;
		}
		for (const cluster of clusters(run)) {
			if (isIgnored(cluster)) continue;
			const width = Math.max(1, clusterWidth(cluster));
			const start = at;
			at += width;
			if (at <= from || start >= to) continue;
			if (start >= from && at <= to) add(cluster, style);
			else add(' '.repeat(Math.min(at, to) - Math.max(start, from)), style);
		}
	});
	return out + transition(last, PLAIN);
}

/** Writes over the cells from `x` on; those outside the row are left out. */
function put(row: Row, x: number, width: number, line: string): void {
	const {texts, styles} = row;
	let at = x;
	let begun = false;
	const begin = (): void => {
		begun = true;
		// Half of a wide character is left before and behind what is written over it.
		if (texts[at] === '' && at > 0) texts[at - 1] = ' ';
	};
	eachRun(line, PLAIN, (run, style) => {
		if (!begun && run !== '') begin();
		if (isNarrow(run)) {
			for (let index = 0; index < run.length; index++, at++) {
				if (at < 0 || at >= width) continue;
				texts[at] = run[index]!;
				styles[at] = style;
			}
			return;
		}
		for (const cluster of clusters(run)) {
			if (isIgnored(cluster)) continue;
			const cells = Math.max(1, clusterWidth(cluster));
			const whole = at >= 0 && at + cells <= width;
			for (let cell = 0; cell < cells; cell++, at++) {
				if (at < 0 || at >= width) continue;
				texts[at] = !whole ? ' ' : cell === 0 ? cluster : '';
				styles[at] = style;
			}
		}
	});
	if (begun && texts[at] === '') texts[at] = ' ';
}

function rowText({texts, styles}: Row): string {
	let out = '';
	let style = PLAIN;
	for (let at = 0; at < texts.length; at++) {
		const next = styles[at]!;
		if (next !== style) {
			out += transition(style, next);
			style = next;
		}
		out += texts[at]!;
	}
	return (out + transition(style, PLAIN)).trimEnd();
}
