/** Numbers as filled graphs of braille dots: two samples and four steps for each cell. Pure. */

/** Bits of U+2800's dots, from the bottom up, of the left and the right column. */
const LEFT = [0x40, 0x04, 0x02, 0x01];
const RIGHT = [0x80, 0x20, 0x10, 0x08];
const STEPS = 4;
const BLANK = 0x2800;
const BARS = ' ▁▂▃▄▅▆▇█';

/** Samples that fit in so many cells. */
export const samplesIn = (width: number): number => width * 2;

/** Dots of a column: what isn't zero has one at least. */
function dots(value: number, max: number, most: number): number {
	if (!(value > 0) || !(max > 0)) return 0;
	return Math.max(1, Math.min(most, Math.round((value / max) * most)));
}

/**
 * `height` rows of exactly `width` cells, the newest sample at the right end; `down` hangs from the upper edge.
 * What is above `max` is cut.
 */
export function graphRows(
	values: readonly number[],
	{width, height, max, down = false}: {width: number; height: number; max: number; down?: boolean},
): string[] {
	const count = samplesIn(width);
	const recent = values.slice(-count);
	const columns = [
		...new Array<number>(count - recent.length).fill(0),
		...recent.map((value) => dots(value, max, height * STEPS)),
	];
	const rows: string[] = [];
	for (let row = 0; row < height; row++) {
		// Dots of this row that come before its own, counted from where the graph stands or hangs.
		const before = (down ? row : height - 1 - row) * STEPS;
		let text = '';
		for (let at = 0; at < count; at += 2) {
			const mask = bits(columns[at]! - before, LEFT, down) | bits(columns[at + 1]! - before, RIGHT, down);
			// Some fonts draw the empty pattern, too.
			text += mask === 0 ? ' ' : String.fromCharCode(BLANK | mask);
		}
		rows.push(text);
	}
	return rows;
}

function bits(filled: number, column: readonly number[], down: boolean): number {
	let mask = 0;
	for (let step = 0; step < Math.min(STEPS, filled); step++) mask |= column[down ? STEPS - 1 - step : step]!;
	return mask;
}

/** One row of eighths, one sample a cell. */
export function sparkline(values: readonly number[], width: number, max: number): string {
	const recent = values.slice(-width);
	const bars = recent.map((value) => BARS[dots(value, max, 8)]!).join('');
	return ' '.repeat(Math.max(0, width - recent.length)) + bars;
}

/** The next of 1, 2, 5 times a power of ten: a scale that doesn't jump with each sample. */
export function niceMax(value: number, least: number): number {
	const wanted = Math.max(value, least);
	const power = 10 ** Math.floor(Math.log10(wanted));
	const factor = [1, 2, 5, 10].find((step) => step * power >= wanted * (1 - 1e-9)) ?? 10;
	return factor * power;
}
