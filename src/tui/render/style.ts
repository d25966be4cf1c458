/**
 * What a cell of the terminal looks like (ECMA-48 SGR), as values that are the same object when they are equal:
 * cells are compared, and the way from one style to another is found, without looking into them.
 */

export interface Style {
	/** The parameters that turn each of its attributes on, by what the attribute excludes: `fg` to `38;5;208`. */
	readonly on: ReadonlyMap<Attribute, string>;
	/** Styles after one more sequence, by its parameters. */
	readonly next: Map<string, Style>;
	/** What is written to get to another style. */
	readonly to: Map<Style, string>;
}

type Attribute =
	| 'bold'
	| 'dim'
	| 'italic'
	| 'underline'
	| 'blink'
	| 'inverse'
	| 'hidden'
	| 'strike'
	| 'overline'
	| 'fg'
	| 'bg'
	| 'line';

/** What turns it off; bold and dim can only be turned off together. */
const OFF: Record<Attribute, number> = {
	bold: 22,
	dim: 22,
	italic: 23,
	underline: 24,
	blink: 25,
	inverse: 27,
	hidden: 28,
	strike: 29,
	overline: 55,
	fg: 39,
	bg: 49,
	line: 59,
};

const SINGLE: Record<number, Attribute> = {
	1: 'bold',
	2: 'dim',
	3: 'italic',
	4: 'underline',
	5: 'blink',
	6: 'blink',
	7: 'inverse',
	8: 'hidden',
	9: 'strike',
	21: 'underline',
	53: 'overline',
};

const EXTENDED: Record<number, Attribute> = {38: 'fg', 48: 'bg', 58: 'line'};

const interned = new Map<string, Style>();
/** Styles that are kept: logs may come with any of sixteen million colours, one after the other. */
const MOST = 4000;

function intern(on: Map<Attribute, string>): Style {
	let key = '';
	// In one order, whichever came first.
	for (const attribute of Object.keys(OFF) as Attribute[]) {
		const code = on.get(attribute);
		if (code !== undefined) key += `${attribute} ${code};`;
	}
	let style = interned.get(key);
	if (!style) {
		style = {on, next: new Map(), to: new Map()};
		interned.set(key, style);
	}
	return style;
}

export const PLAIN: Style = intern(new Map());

/** Those that a frame still has live on; two that look the same may then be two, which costs a few bytes. */
function forget(): void {
	interned.clear();
	interned.set('', PLAIN);
	PLAIN.next.clear();
	PLAIN.to.clear();
}

/** The style after `CSI parameters m`. What isn't known changes nothing. */
export function applySgr(style: Style, parameters: string): Style {
	let next = style.next.get(parameters);
	if (!next) {
		if (interned.size > MOST || style.next.size > MOST) forget();
		next = read(style, parameters);
		style.next.set(parameters, next);
	}
	return next;
}

function read(style: Style, parameters: string): Style {
	const on = new Map(style.on);
	const parts = parameters.split(';');
	for (let at = 0; at < parts.length; at++) {
		const part = parts[at]!;
		const number = Number.parseInt(part || '0', 10);
		const extended = EXTENDED[number];
		if (number === 0) on.clear();
		else if (extended) {
			// `38;5;n` and `38;2;r;g;b`, or all of it in one part with colons.
			const more = part.includes(':') ? 0 : parts[at + 1] === '5' ? 2 : parts[at + 1] === '2' ? 4 : 0;
			if (more === 0 && !part.includes(':')) continue;
			on.set(extended, parts.slice(at, at + more + 1).join(';'));
			at += more;
		} else if (SINGLE[number]) {
			// `4:0` is no underline.
			if (part === '4:0') on.delete('underline');
			else on.set(SINGLE[number], part);
		} else if ((number >= 30 && number <= 37) || (number >= 90 && number <= 97)) on.set('fg', part);
		else if ((number >= 40 && number <= 47) || (number >= 100 && number <= 107)) on.set('bg', part);
		else
			for (const attribute of Object.keys(OFF) as Attribute[])
				if (OFF[attribute] === number) on.delete(attribute);
	}
	return intern(on);
}

/** What makes the terminal go on in `to` when it is in `from`. */
export function transition(from: Style, to: Style): string {
	if (from === to) return '';
	let text = from.to.get(to);
	if (text === undefined) {
		text = difference(from, to);
		from.to.set(to, text);
	}
	return text;
}

function difference(from: Style, to: Style): string {
	const off = new Set<number>();
	for (const attribute of from.on.keys()) if (!to.on.has(attribute)) off.add(OFF[attribute]);
	let text = '';
	for (const code of off) text += `\u001b[${code}m`;
	for (const [attribute, code] of to.on) {
		if (from.on.get(attribute) !== code || off.has(OFF[attribute])) text += `\u001b[${code}m`;
	}
	return text;
}
