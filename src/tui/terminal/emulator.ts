/**
 * A terminal that nobody sees: what a container writes goes in, cells come out. Everything that it writes is hostile:
 * replies go back to it alone, nothing of an OSC leaves here but the title, and what is kept has a bound.
 */
import type {IBufferCell, IMarker, Terminal} from '@xterm/headless';
import {clusterWidth} from '../text/width.ts';

/** Lines that can be scrolled back to. */
export const SCROLLBACK = 5000;
/** Marks on one character; those beyond stand alone, or they would be kept without end. */
const MARKS = 16;
/** Characters of a title. */
const TITLE_LIMIT = 120;
/** Colours, links and their reset: some keep what they are told without a bound, and none is for the screen outside. */
const IGNORED_OSC = [4, 8, 10, 11, 12, 52, 104, 110, 111, 112];

/**
 * Sequences that do one thing as often as they say: repeat a character, insert, delete and scroll lines, go to the next
 * tab stops. The emulator would do it two thousand million times; no screen has use for more than this.
 */
const REPEATING = ['b', 'L', 'M', 'S', 'T', 'I', 'Z'];
const MOST_REPEATS = 500;
/** Bytes that are read in one go: between two of these the panes have their turn. */
const PIECE = 4096;

type Xterm = typeof Terminal;

let loading: Promise<Xterm> | undefined;

/** Loaded with the first session: the panes alone don't pay for it. */
export async function loadEmulator(): Promise<Xterm> {
	// The package is CommonJS: in the bundle it comes as itself, elsewhere as the default export.
	loading ??= import('@xterm/headless').then((xterm) => (xterm.default ?? xterm).Terminal);
	return await loading;
}

export type MouseTracking = 'none' | 'x10' | 'vt200' | 'drag' | 'any';

export interface EmulatorOptions {
	columns: number;
	rows: number;
	/** Whether a line feed also returns: nobody else does it where the container has no terminal. */
	convertEol: boolean;
	/** What the emulator answers to questions of the program inside. */
	onReply(data: string): void;
	/** Not sanitised. */
	onTitle(title: string): void;
}

export class Emulator {
	readonly #terminal: Terminal;
	#cursorHidden = false;
	/** How the program wants to be told of the mouse: 1006, 1005 and 1015 are what it may ask for. */
	#sgrMouse = false;

	constructor(Xterm: Xterm, {columns, rows, convertEol, onReply, onTitle}: EmulatorOptions) {
		const terminal = new Xterm({
			cols: columns,
			rows,
			convertEol,
			scrollback: SCROLLBACK,
			allowProposedApi: true,
			logLevel: 'off',
		});
		this.#terminal = terminal;
		terminal.unicode.register(WIDTHS);
		terminal.unicode.activeVersion = WIDTHS.version;
		terminal.onData(onReply);
		terminal.onBinary(onReply);
		terminal.onTitleChange((title) => onTitle(title.slice(0, TITLE_LIMIT)));
		const {parser} = terminal;
		for (const number of IGNORED_OSC) parser.registerOscHandler(number, () => true);
		for (const final of REPEATING)
			parser.registerCsiHandler({final}, (params) => params.some((count) => Number(count) > MOST_REPEATS));
		parser.registerCsiHandler({prefix: '?', final: 'h'}, (params) => this.#setModes(params, true));
		parser.registerCsiHandler({prefix: '?', final: 'l'}, (params) => this.#setModes(params, false));
		parser.registerCsiHandler({intermediates: '!', final: 'p'}, () => this.#reset());
		parser.registerEscHandler({final: 'c'}, () => this.#reset());
	}

	/** The emulator does the rest. */
	#setModes(params: (number | number[])[], on: boolean): boolean {
		for (const mode of params) {
			if (mode === 25) this.#cursorHidden = !on;
			if (mode === 1006) this.#sgrMouse = on;
		}
		return false;
	}

	#reset(): boolean {
		this.#cursorHidden = false;
		this.#sgrMouse = false;
		return false;
	}

	/** `done` when it has been read. */
	write(chunk: Uint8Array | string, done?: () => void): void {
		let at = 0;
		for (; chunk.length - at > PIECE; at += PIECE) this.#terminal.write(part(chunk, at, at + PIECE));
		this.#terminal.write(part(chunk, at), done);
	}

	resize(columns: number, rows: number): void {
		this.#terminal.resize(columns, rows);
	}

	/** Negative is back. */
	scroll(lines: number): void {
		this.#terminal.scrollLines(lines);
	}

	scrollToTop(): void {
		this.#terminal.scrollToTop();
	}

	scrollToEnd(): void {
		this.#terminal.scrollToBottom();
	}

	/** Rows that are there, with those that were scrolled out of sight. */
	get kept(): number {
		return this.#terminal.buffer.active.length;
	}

	/** Which of them is the first that is seen. */
	get top(): number {
		return this.#terminal.buffer.active.viewportY;
	}

	scrollToRow(row: number): void {
		this.#terminal.scrollToLine(Math.max(0, row));
	}

	/** Whether this one of all rows goes on the line of the one before. */
	isWrapped(row: number): boolean {
		return this.#terminal.buffer.active.getLine(row)?.isWrapped ?? false;
	}

	/** The characters of one of all rows; the blanks at its end are left out where its line ends. */
	rowText(row: number): string {
		const line = this.#terminal.buffer.active.getLine(row);
		return line?.translateToString(!this.isWrapped(row + 1)) ?? '';
	}

	/** The column of each UTF-16 unit of `rowText`, and the first one behind it. */
	rowColumns(row: number): number[] {
		const {active} = this.#terminal.buffer;
		const line = active.getLine(row);
		const own = active.getNullCell();
		const columns: number[] = [];
		const {length} = this.rowText(row);
		let column = 0;
		while (columns.length < length && column < this.#terminal.cols) {
			const cell = line?.getCell(column, own);
			for (let unit = 0; unit < (cell?.getChars().length || 1); unit++) columns.push(column);
			column += Math.max(1, cell?.getWidth() ?? 1);
		}
		return [...columns, column];
	}

	/** Stays with the row, whatever is written after it; its `line` is -1 when that is gone. */
	markRow(row: number): IMarker | undefined {
		const {active} = this.#terminal.buffer;
		return this.#terminal.registerMarker(row - active.baseY - active.cursorY);
	}

	/** Lines below what is seen. */
	get below(): number {
		const {active} = this.#terminal.buffer;
		return active.baseY - active.viewportY;
	}

	get columns(): number {
		return this.#terminal.cols;
	}

	get rows(): number {
		return this.#terminal.rows;
	}

	/** A program that has the whole screen: nothing to scroll back to. */
	get alternate(): boolean {
		return this.#terminal.buffer.active.type === 'alternate';
	}

	get mouse(): {tracking: MouseTracking; sgr: boolean} {
		return {tracking: this.#terminal.modes.mouseTrackingMode, sgr: this.#sgrMouse};
	}

	get applicationCursor(): boolean {
		return this.#terminal.modes.applicationCursorKeysMode;
	}

	get bracketedPaste(): boolean {
		return this.#terminal.modes.bracketedPasteMode;
	}

	/** Whether the program is in the middle of drawing and asked for patience. */
	get drawing(): boolean {
		return this.#terminal.modes.synchronizedOutputMode;
	}

	/** Of what is seen; undefined while it is hidden or scrolled out of sight. */
	get cursor(): {column: number; row: number} | undefined {
		const {active} = this.#terminal.buffer;
		const row = active.cursorY + this.below;
		if (this.#cursorHidden || row >= this.#terminal.rows) return undefined;
		return {column: Math.min(active.cursorX, this.#terminal.cols - 1), row};
	}

	/**
	 * Calls back with each cell of a row of what is seen, and how many columns it takes; the cell is the same object each
	 * time. A wide one whose second half was written over or cut off takes one, as does a mark with nothing before it.
	 */
	eachCell(row: number, visit: (cell: IBufferCell, column: number, width: 1 | 2) => void): void {
		const {active} = this.#terminal.buffer;
		const line = active.getLine(active.viewportY + row);
		const empty = active.getNullCell();
		const own = active.getNullCell();
		const next = active.getNullCell();
		const {cols} = this.#terminal;
		for (let column = 0; column < cols; column++) {
			const cell = line?.getCell(column, own) ?? empty;
			const wide =
				cell.getWidth() === 2 && column + 1 < cols && line?.getCell(column + 1, next)?.getWidth() === 0;
			visit(cell, column, wide ? 2 : 1);
			if (wide) column++;
		}
	}

	close(): void {
		this.#terminal.dispose();
	}
}

const part = (chunk: Uint8Array | string, from: number, to?: number): Uint8Array | string =>
	typeof chunk === 'string' ? chunk.slice(from, to) : chunk.subarray(from, to);

/** How wide characters are for the program inside, which is how wide they are on our own screen. */
const widths = new Uint8Array(0x20000).fill(255);

function pointWidth(code: number): 0 | 1 | 2 {
	if (code < 0x7f) return code < 0x20 ? 0 : 1;
	if (code >= widths.length) return Math.min(2, clusterWidth(String.fromCodePoint(code))) as 0 | 1 | 2;
	if (widths[code] === 255) widths[code] = Math.min(2, clusterWidth(String.fromCodePoint(code)));
	return widths[code] as 0 | 1 | 2;
}

const WIDTHS = {
	version: 'wherry',
	wcwidth: pointWidth,
	/** Bit 0 says that it joins what is before it, bits 1 and 2 are the width, the rest is ours: how many have joined. */
	charProperties(code: number, before: number): number {
		const own = pointWidth(code);
		const last = (before >> 1) & 3;
		const joined = before >> 3;
		if (own !== 0) return own << 1;
		if (before === 0 || last === 0) return 0;
		return joined < MARKS ? ((joined + 1) << 3) | (last << 1) | 1 : 1 << 1;
	},
};
