/**
 * From our own terminal's bytes to those that a program in an emulated xterm expects: keys as xterm sends them in the
 * mode that the program asked for, the mouse at the pane's own coordinates, pastes with or without their marks.
 */
import type {MouseTracking} from '../terminal/emulator.ts';
import type {MouseEvent} from './event.ts';

/** Of the program inside. */
export interface KeyModes {
	applicationCursor: boolean;
	bracketedPaste: boolean;
}

const CURSOR: Record<string, string> = {up: 'A', down: 'B', right: 'C', left: 'D', home: 'H', end: 'F'};

/** Other terminals have other sequences for these: rxvt, screen, the Linux console. */
const FIXED: Record<string, string> = {
	insert: '\u001b[2~',
	delete: '\u001b[3~',
	pageup: '\u001b[5~',
	pagedown: '\u001b[6~',
	f1: '\u001bOP',
	f2: '\u001bOQ',
	f3: '\u001bOR',
	f4: '\u001bOS',
	f5: '\u001b[15~',
	f6: '\u001b[17~',
	f7: '\u001b[18~',
	f8: '\u001b[19~',
	f9: '\u001b[20~',
	f10: '\u001b[21~',
	f11: '\u001b[23~',
	f12: '\u001b[24~',
};

/** What a program in an xterm gets for a key; undefined where it gets what was typed. */
export function keyBytes(key: string, {applicationCursor}: KeyModes): string | undefined {
	const letter = CURSOR[key];
	if (letter !== undefined) return `\u001b${applicationCursor ? 'O' : '['}${letter}`;
	return FIXED[key];
}

/** Columns and rows from zero within the pane. Undefined: the program didn't ask for it. */
export function mouseBytes(
	event: Pick<MouseEvent, 'action' | 'button'>,
	column: number,
	row: number,
	{tracking, sgr}: {tracking: MouseTracking; sgr: boolean},
): Uint8Array | undefined {
	const {action, button} = event;
	const wheel = action === 'wheel-up' || action === 'wheel-down';
	if (tracking === 'none') return undefined;
	if (tracking === 'x10' && action !== 'press') return undefined;
	if (action === 'move' && tracking !== 'any' && (tracking !== 'drag' || button === 3)) return undefined;
	const base = wheel ? (action === 'wheel-up' ? 64 : 65) : button;
	const code = base + (action === 'move' ? 32 : 0);
	if (sgr) {
		return Buffer.from(`\u001b[<${code};${column + 1};${row + 1}${action === 'release' ? 'm' : 'M'}`);
	}
	// The old way has a byte for each, and one code for the release of any button.
	if (column > 222 || row > 222) return undefined;
	const old = action === 'release' ? 3 : code;
	return Uint8Array.of(0x1b, 0x5b, 0x4d, 32 + old, 33 + column, 33 + row);
}

/** What turning the wheel means to a program that has the whole screen and no mouse: three lines. */
export function wheelKeys(action: MouseEvent['action'], modes: KeyModes): string {
	return keyBytes(action === 'wheel-up' ? 'up' : 'down', modes)!.repeat(3);
}
