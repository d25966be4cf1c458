/**
 * Text with its style written into it, as Ink's `Text` would write it. Each element costs time in every frame that
 * it is in, and each of its nodes a layout: a table of which every cell is one takes longer than all else of a first
 * frame. So a widget puts its lines together and gives Ink one text.
 */
import chalk, {type ChalkInstance, type ForegroundColorName, foregroundColorNames} from 'chalk';
import type {TextStyle} from '../theme.ts';

/** What turns a style on and off, by the style: nothing where the terminal has no colours. */
const known = new Map<string, readonly [on: string, off: string]>();
/** Logs may ask for any of sixteen million colours. */
const MOST = 1000;
/** No text that is shown has it. */
const MARK = '\u0000';

/** `text` has no styles of its own. */
export function paint(text: string, style: TextStyle): string {
	if (text === '') return '';
	const {color = '', backgroundColor = ''} = style;
	const attributes = ATTRIBUTES.reduce((bits, name, at) => (style[name] ? bits | (1 << at) : bits), 0);
	if (attributes === 0 && color === '' && backgroundColor === '') return text;
	const key = `${chalk.level} ${attributes} ${color} ${backgroundColor}`;
	let codes = known.get(key);
	if (!codes) {
		if (known.size >= MOST) known.clear();
		codes = codesOf(style);
		known.set(key, codes);
	}
	return codes[0] + text + codes[1];
}

const ATTRIBUTES = ['dimColor', 'bold', 'italic', 'underline', 'strikethrough', 'inverse'] as const;
const BRUSHES = ['dim', 'bold', 'italic', 'underline', 'strikethrough', 'inverse'] as const;

function codesOf(style: TextStyle): readonly [on: string, off: string] {
	let brush: ChalkInstance = chalk;
	if (style.color) brush = withColour(brush, style.color, false);
	if (style.backgroundColor) brush = withColour(brush, style.backgroundColor, true);
	for (const [at, name] of ATTRIBUTES.entries()) if (style[name]) brush = brush[BRUSHES[at]!];
	const [on = '', off = ''] = brush(MARK).split(MARK);
	return [on, off];
}

/** The forms that Ink knows: a name, `#rrggbb`, `ansi256(n)`, `rgb(r, g, b)`; others change nothing. */
function withColour(brush: ChalkInstance, colour: string, background: boolean): ChalkInstance {
	if (colour.startsWith('#')) return background ? brush.bgHex(colour) : brush.hex(colour);
	const [, form, list] = /^(ansi256|rgb)\(([\d\s,]+)\)$/.exec(colour) ?? [];
	const [first = 0, second = 0, third = 0] = (list ?? '').split(',').map(Number);
	if (form === 'ansi256') return background ? brush.bgAnsi256(first) : brush.ansi256(first);
	if (form === 'rgb') return background ? brush.bgRgb(first, second, third) : brush.rgb(first, second, third);
	const name = colour as ForegroundColorName;
	if (!foregroundColorNames.includes(name)) return brush;
	return background ? brush[`bg${name[0]!.toUpperCase()}${name.slice(1)}` as 'bgRed'] : brush[name];
}
