/**
 * Cells of an emulated terminal as lines of text with SGR: the only way from what a container writes to our own
 * screen. Attributes are numbers until here, and characters pass the same filter as everything that others wrote.
 */
import type {IBufferCell} from '@xterm/headless';
import type {Emulator} from '../terminal/emulator.ts';
import {sanitize} from '../text/sanitize.ts';
import {isNarrow} from '../text/segmenter.ts';
import {displayWidth} from '../text/width.ts';
import {type ColourDepth, nearest16, nearest256, paletteColour} from './colour-depth.ts';

const ESC = '\u001b[';
const OFF = `${ESC}0m`;
/** What stands for a character that isn't as wide on the screen as the program inside believes. */
const UNKNOWN = '\ufffd';
/** Colours without number can be asked for: what they are on the screen is forgotten when there are this many. */
const STYLES = 4096;

const styles = new Map<number, string>();
let stylesDepth: ColourDepth | undefined;

/** Columns of a row that are marked; `found` is the one that was gone to. */
export interface CellMark {
	from: number;
	/** The first one behind it. */
	to: number;
	found: boolean;
}

/** All rows that are seen, each exactly as wide as the terminal. */
export function screenLines(
	emulator: Emulator,
	depth: ColourDepth,
	showCursor: boolean,
	marks: (row: number) => readonly CellMark[] = () => [],
): string[] {
	const cursor = showCursor ? emulator.cursor : undefined;
	const lines: string[] = [];
	for (let row = 0; row < emulator.rows; row++) {
		lines.push(rowText(emulator, row, cursor?.row === row ? cursor.column : -1, depth, marks(row)));
	}
	return lines;
}

interface Run {
	text: string;
	style: string;
}

function rowText(
	emulator: Emulator,
	row: number,
	cursor: number,
	depth: ColourDepth,
	marks: readonly CellMark[],
): string {
	const runs: Run[] = [];
	let narrow = true;
	emulator.eachCell(row, (cell, column, width) => {
		const inverted = column === cursor || (width === 2 && column + 1 === cursor);
		const mark = marks.length > 0 ? marks.find(({from, to}) => column >= from && column < to) : undefined;
		const style = cellStyle(cell, inverted !== (mark !== undefined), depth, mark?.found ? FOUND : 0);
		let text = cell.isInvisible() ? ' '.repeat(width) : cell.getChars() || ' ';
		if (!isNarrow(text)) {
			narrow = false;
			text = safeText(text, width);
		}
		const last = runs.at(-1);
		if (last?.style === style) last.text += text;
		else runs.push({text, style});
	});
	// Characters of two cells may join, as the letters of flags do; then none of those is worth it.
	if (!narrow && displayWidth(runs.map(({text}) => text).join('')) !== emulator.columns) {
		for (const run of runs) run.text = run.text.replace(/[^\u0020-\u007e\u2500-\u257f]/gu, unknown);
	}
	let line = '';
	for (const {text, style} of runs) line += style === '' ? text : `${style}${text}${OFF}`;
	return line;
}

const unknown = (character: string): string => {
	const width = displayWidth(character);
	return width === 0 ? '' : UNKNOWN + ' '.repeat(width - 1);
};

/** Of exactly this many cells. */
function safeText(text: string, width: number): string {
	// What would join the next cell's character, or make this one an emoji, is no part of a cell.
	const clean = sanitize(text).replaceAll(/[\u200d\ufe00-\ufe0f]/g, '');
	if (displayWidth(clean) === width) return clean;
	const first = String.fromCodePoint(clean.codePointAt(0) ?? 0x20);
	if (displayWidth(first) === width) return first;
	return UNKNOWN + ' '.repeat(width - 1);
}

/** Bold and underlined, whatever the cell is. */
const FOUND = 1 | 8;

function cellStyle(cell: IBufferCell, inverted: boolean, depth: ColourDepth, more: number): string {
	if (cell.isAttributeDefault() && !inverted && more === 0) return '';
	if (stylesDepth !== depth || styles.size > STYLES) {
		styles.clear();
		stylesDepth = depth;
	}
	const flags =
		more |
		(cell.isBold() ? 1 : 0) |
		(cell.isDim() ? 2 : 0) |
		(cell.isItalic() ? 4 : 0) |
		(cell.isUnderline() ? 8 : 0) |
		(cell.isBlink() ? 16 : 0) |
		(Boolean(cell.isInverse()) === inverted ? 0 : 32) |
		(cell.isStrikethrough() ? 64 : 0) |
		(cell.isOverline() ? 128 : 0);
	const fg = depth === 'none' ? 0 : colourKey(cell.isFgRGB(), cell.isFgPalette(), cell.getFgColor());
	const bg = depth === 'none' ? 0 : colourKey(cell.isBgRGB(), cell.isBgPalette(), cell.getBgColor());
	// Two of the sixteen million colours and the flags are more than a number holds exactly.
	const key = (fg * 2 ** 25 + bg) * 256 + flags;
	if (!Number.isSafeInteger(key)) return styleText(fg, bg, flags, depth);
	let style = styles.get(key);
	if (style === undefined) {
		style = styleText(fg, bg, flags, depth);
		styles.set(key, style);
	}
	return style;
}

const RGB = 1 << 24;
/** 0 is the terminal's own, then come the 256, and then all others. */
const colourKey = (rgb: boolean, palette: boolean, colour: number): number =>
	rgb ? RGB | colour : palette ? colour + 1 : 0;

const FLAGS = [1, 2, 3, 4, 5, 7, 9, 53];

/** One sequence for each attribute: those that read it needn't know how several are put into one. */
function styleText(fg: number, bg: number, flags: number, depth: ColourDepth): string {
	let text = '';
	for (const [bit, code] of FLAGS.entries()) if (flags & (1 << bit)) text += `${ESC}${code}m`;
	if (fg !== 0) text += `${ESC}${colourCode(fg, 30, 90, 38, depth)}m`;
	if (bg !== 0) text += `${ESC}${colourCode(bg, 40, 100, 48, depth)}m`;
	return text;
}

function colourCode(key: number, dark: number, bright: number, extended: number, depth: ColourDepth): string {
	let index: number;
	if (key >= RGB) {
		const colour = key - RGB;
		if (depth === 'true')
			return `${extended};2;${(colour >> 16) & 255};${(colour >> 8) & 255};${colour & 255}`;
		index = depth === '256' ? nearest256(colour) : nearest16(colour);
	} else index = depth === '16' && key > 16 ? nearest16(paletteColour(key - 1)) : key - 1;
	if (index < 8) return String(dark + index);
	return index < 16 ? String(bright + index - 8) : `${extended};5;${index}`;
}
