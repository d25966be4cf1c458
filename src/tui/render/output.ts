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

/** A piece of a line in one style, of characters that are one cell each. */
interface Piece {
	x: number;
	text: string;
	style: Style;
}

/** Cells of one line: a wide character's second cell is empty. */
interface Cells {
	texts: string[];
	styles: Style[];
}

/**
 * One line: while everything is narrow and each thing is behind the one before, its pieces from left to right, which is
 * nearly always; otherwise its cells.
 */
interface Row {
	pieces: Piece[];
	/** The cell behind the last piece. */
	end: number;
	cells: Cells | undefined;
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
		this.#rows = Array.from({length: height}, () => ({pieces: [], end: 0, cells: undefined}));
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
		const inScreen = x >= 0 && left === 0 && right === this.width;
		const lines = text.split('\n');
		// Styles go on over line ends.
		let style = PLAIN;
		// Transformers count from the first line that the clip lets through, and from the text's own.
		for (let index = 0; index < lines.length && y + index < bottom; index++) {
			const line = lines[index]!;
			if (y + index < top) {
				style = eachRun(line, style, ignore);
				continue;
			}
			const row = this.#rows[y + index]!;
			const whole = inScreen || (x >= left && x + displayWidth(line) <= right);
			// That of a text without a style of its own changes nothing.
			const changed = transformers.some((transform) => transform(line, index) !== line);
			if (whole && !changed) {
				style = put(row, x, this.width, line, style);
				continue;
			}
			const end = eachRun(line, style, ignore);
			let part = transition(PLAIN, style) + line + transition(end, PLAIN);
			style = end;
			let start = x;
			// A transformer finds each style opened and closed once, as Ink's does.
			if (!whole || (changed && part.includes(ESCAPE))) {
				part = sliceStyled(part, left - x, right - x);
				start = Math.max(x, left);
			}
			if (changed) for (const transform of transformers) part = transform(part, index);
			put(row, start, this.width, part, PLAIN);
		}
	}

	/** The lines without the spaces at their ends, and how many they are. */
	get(): {output: string; height: number} {
		return {output: this.#rows.map((row) => rowText(row)).join('\n'), height: this.height};
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

const ignore = (): void => {};

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

/** Writes over the cells from `x` on, beginning in `style`; those outside the row are left out. Returns the last style. */
function put(row: Row, x: number, width: number, line: string, style: Style): Style {
	if (row.cells || x < row.end || x < 0) return putCells(cellsOf(row, width), x, width, line, style);
	// Taken back if something doesn't fit.
	const {end} = row;
	const before = row.pieces.length;
	let at = x;
	let plain = true;
	const last = eachRun(line, style, (text, its) => {
		plain &&= isNarrow(text) && at + text.length <= width;
		if (!plain || text === '') return;
		row.pieces.push({x: at, text, style: its});
		at += text.length;
		row.end = at;
	});
	if (plain) return last;
	row.pieces.length = before;
	row.end = end;
	return putCells(cellsOf(row, width), x, width, line, style);
}

function cellsOf(row: Row, width: number): Cells {
	if (row.cells) return row.cells;
	const texts: string[] = new Array(width).fill(' ');
	const styles: Style[] = new Array(width).fill(PLAIN);
	for (const {x, text, style} of row.pieces) {
		for (let index = 0; index < text.length; index++) {
			texts[x + index] = text[index]!;
			styles[x + index] = style;
		}
	}
	row.cells = {texts, styles};
	row.pieces = [];
	return row.cells;
}

function putCells({texts, styles}: Cells, x: number, width: number, line: string, first: Style): Style {
	let at = x;
	let begun = false;
	const begin = (): void => {
		begun = true;
		// Half of a wide character is left before and behind what is written over it.
		if (texts[at] === '' && at > 0) texts[at - 1] = ' ';
	};
	const last = eachRun(line, first, (run, style) => {
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
	return last;
}

function rowText({pieces, cells}: Row): string {
	let out = '';
	let style = PLAIN;
	const go = (next: Style): void => {
		if (next === style) return;
		out += transition(style, next);
		style = next;
	};
	if (cells) {
		for (const [at, text] of cells.texts.entries()) {
			go(cells.styles[at]!);
			out += text;
		}
	} else {
		let end = 0;
		for (const piece of pieces) {
			if (piece.x > end) {
				go(PLAIN);
				out += ' '.repeat(piece.x - end);
			}
			go(piece.style);
			out += piece.text;
			end = piece.x + piece.text.length;
		}
	}
	go(PLAIN);
	return out.trimEnd();
}
