/**
 * Grapheme clusters without the price where it isn't due: an `Intl.Segmenter` takes 10 ms to make and a
 * microsecond for each character, and nearly all text on the screen is of single characters. In the production
 * bundle this stands for `Intl.Segmenter` everywhere, in Ink too (bundle-plugins.mjs).
 */

/** One cell, and never joined with its neighbours: ASCII, Latin, punctuation, arrows, boxes, braille. */
function isNarrowUnit(code: number): boolean {
	if (code <= 0x7e) return code >= 0x20;
	if (code <= 0x2ff) return code >= 0xa1 && code !== 0xad && code !== 0xa9 && code !== 0xae;
	if (code < 0x2013 || code > 0x28ff) return false;
	return (
		code <= 0x2026 ||
		(code >= 0x2030 && code <= 0x205e) ||
		(code >= 0x2190 && code <= 0x2319) ||
		(code >= 0x2500 && code <= 0x25fc) ||
		(code >= 0x2768 && code <= 0x2794) ||
		code >= 0x2800
	);
}

/** Whether each UTF-16 unit of the text is one cell. */
export function isNarrow(text: string): boolean {
	for (let index = 0; index < text.length; index++) if (!isNarrowUnit(text.charCodeAt(index))) return false;
	return true;
}

/** Whether each UTF-16 unit is a character: controls are, too (styled text is full of ESC), but CR may join LF. */
function isUnitwise(text: string): boolean {
	for (let index = 0; index < text.length; index++) {
		const code = text.charCodeAt(index);
		if (!isNarrowUnit(code) && (code > 0x1f || code === 0x0d)) return false;
	}
	return true;
}

interface Segment {
	segment: string;
	index: number;
	input: string;
}

export class LazySegmenter {
	readonly #locale: string | string[] | undefined;
	readonly #options: Intl.SegmenterOptions | undefined;
	#segmenter: Intl.Segmenter | undefined;

	constructor(locale?: string | string[], options?: Intl.SegmenterOptions) {
		this.#locale = locale;
		this.#options = options;
	}

	segment(input: string): Iterable<Segment> & {containing(index?: number): Segment | undefined} {
		const graphemes = (this.#options?.granularity ?? 'grapheme') === 'grapheme';
		if (graphemes && isUnitwise(input)) return units(input);
		// Not written as a member: the bundle puts this class in place of that.
		const Segmenter = Reflect.get(Intl, 'Segmenter') as typeof Intl.Segmenter;
		this.#segmenter ??= new Segmenter(this.#locale, this.#options);
		return this.#segmenter.segment(input);
	}
}

/** What `Intl.Segments` is, for a text whose characters are its UTF-16 units. */
function units(input: string) {
	const at = (index: number): Segment => ({segment: input[index]!, index, input});
	return {
		*[Symbol.iterator](): Generator<Segment> {
			for (let index = 0; index < input.length; index++) yield at(index);
		},
		containing: (index = 0): Segment | undefined =>
			index >= 0 && index < input.length ? at(index) : undefined,
	};
}
