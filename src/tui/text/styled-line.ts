/**
 * A log line as a terminal would leave it, with the colours that its program gave it: of all escape sequences only
 * those of SGR (ECMA-48) get through, as values, and never as bytes. Pure.
 */
import type {TextStyle} from '../theme.ts';
import {ESCAPES, expandTabs, sanitizeLogLine, UNWANTED_ALL} from './sanitize.ts';

export interface StyledRun {
	/** Where in the text, in code units; the end is not part of it. */
	start: number;
	end: number;
	style: TextStyle;
}

export interface StyledLine {
	/** What `sanitizeLogLine` gives. */
	text: string;
	/** In order; what lies between has no style of its own. */
	runs: readonly StyledRun[];
}

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;
/** Runs of one line; a line that changes its colour more often than it has cells is no text. */
const MOST_RUNS = 2000;
const SGR = /^\u001b\[([0-9;:]*)m$/;
const NOTHING: TextStyle = {};

export function styledLogLine(line: string): StyledLine {
	if (!line.includes('\u001b[')) return {text: sanitizeLogLine(line), runs: []};
	const raw = line.replace(/(?:\r?\n|\r)+$/, '');
	let text = '';
	let column = 0;
	let runs: StyledRun[] = [];
	let style = NOTHING;
	let at = 0;
	const add = (piece: string): void => {
		// What a carriage return overwrites is gone, but not the colour.
		const back = piece.lastIndexOf('\r');
		if (back >= 0) {
			text = '';
			column = 0;
			runs = [];
		}
		const spread = expandTabs(piece.slice(back + 1), column);
		column += spread.length;
		const shown = spread.replace(UNWANTED_ALL, '');
		if (shown === '') return;
		const start = text.length;
		text += shown;
		if (style === NOTHING || runs.length >= MOST_RUNS) return;
		const last = runs.at(-1);
		if (last && last.style === style && last.end === start) last.end = text.length;
		else runs.push({start, end: text.length, style});
	};
	for (const match of raw.matchAll(ESCAPES)) {
		add(raw.slice(at, match.index));
		at = match.index + match[0].length;
		const parameters = SGR.exec(match[0])?.[1];
		if (parameters !== undefined) style = afterSgr(style, parameters);
	}
	add(raw.slice(at));
	return {text, runs};
}

/** The style after `CSI parameters m`; what isn't known changes nothing. */
export function afterSgr(before: TextStyle, parameters: string): TextStyle {
	let style: TextStyle = {...before};
	const parts = parameters.split(';');
	for (let at = 0; at < parts.length; at++) {
		const part = parts[at]!;
		const number = Number.parseInt(part || '0', 10);
		if (number === 0) style = {};
		else if (number === 38 || number === 48) {
			const {color, used} = extendedColor(part, parts.slice(at + 1, at + 5));
			at += used;
			if (color !== undefined) style = {...style, [number === 38 ? 'color' : 'backgroundColor']: color};
		} else style = simple(style, number);
	}
	return Object.keys(style).length === 0 ? NOTHING : style;
}

const without = (style: TextStyle, ...names: (keyof TextStyle)[]): TextStyle => {
	const rest = {...style};
	for (const name of names) delete rest[name];
	return rest;
};

function simple(style: TextStyle, number: number): TextStyle {
	if (number >= 30 && number <= 37) return {...style, color: NAMES[number - 30]!};
	if (number >= 90 && number <= 97) return {...style, color: `${NAMES[number - 90]!}Bright`};
	if (number >= 40 && number <= 47) return {...style, backgroundColor: NAMES[number - 40]!};
	if (number >= 100 && number <= 107) return {...style, backgroundColor: `${NAMES[number - 100]!}Bright`};
	switch (number) {
		case 1:
			return {...style, bold: true};
		case 2:
			return {...style, dimColor: true};
		case 3:
			return {...style, italic: true};
		case 4:
		case 21:
			return {...style, underline: true};
		case 7:
			return {...style, inverse: true};
		case 9:
			return {...style, strikethrough: true};
		case 22:
			return without(style, 'bold', 'dimColor');
		case 23:
			return without(style, 'italic');
		case 24:
			return without(style, 'underline');
		case 27:
			return without(style, 'inverse');
		case 29:
			return without(style, 'strikethrough');
		case 39:
			return without(style, 'color');
		case 49:
			return without(style, 'backgroundColor');
		default:
			return style;
	}
}

/** `38;5;n` and `38;2;r;g;b`, or all of it in one part with colons, where a colour space may come before the red. */
function extendedColor(part: string, following: readonly string[]): {color?: string; used: number} {
	const colons = part.includes(':');
	const words = colons ? part.split(':').slice(1) : following;
	const byte = (text: string | undefined): number | undefined =>
		text !== undefined && /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
	if (words[0] === '5') {
		const index = byte(words[1]);
		return {used: colons ? 0 : 2, ...(index === undefined ? {} : {color: `ansi256(${index})`})};
	}
	if (words[0] !== '2') return {used: 0};
	const [red, green, blue] = (colons && words.length > 4 ? words.slice(2, 5) : words.slice(1, 4)).map(byte);
	const known = red !== undefined && green !== undefined && blue !== undefined;
	return {used: colons ? 0 : 4, ...(known ? {color: `rgb(${red}, ${green}, ${blue})`} : {})};
}
