/** What is written to the terminal to take it over, to give it back, and to undo what a program inside left. */
import type {MouseTracking} from './emulator.ts';

/** Alternate screen off, cursor on, mouse off, paste marks off, colours off, autowrap on, region whole. */
export const RESTORE =
	'\u001b[?2026l\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?2004l\u001b[0m\u001b[?1049l\u001b[?25h';

export const PASTE_ON = '\u001b[?2004h';
export const PASTE_OFF = '\u001b[?2004l';

/** Buttons, moves while one is held, and the wheel, with places beyond column 223. */
export const MOUSE_ON = '\u001b[?1002h\u001b[?1006h';
export const MOUSE_OFF = '\u001b[?1002l\u001b[?1006l';

/** An empty screen with the cursor at its beginning. */
export const CLEAR = '\u001b[0m\u001b[2J\u001b[H';

/** The same, but what was there is scrolled out of sight instead of lost: it is the user's shell's. */
export function scrollAway(rows: number): string {
	return `\u001b[0m${'\n'.repeat(rows)}${CLEAR}`;
}

/**
 * What a session's program may have left behind: alternate screen, scroll region, origin mode, cursor and keypad
 * keys, character sets, mouse, focus and paste reports, kitty's keyboard flags, a hidden or blinking cursor.
 */
export const UNDO_SESSION =
	'\u001b[?1049l\u001b[?47l\u001b[r\u001b[?6l\u001b[?7h\u001b[?1l\u001b>\u001b(B\u000f' +
	'\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1004l\u001b[?1005l\u001b[?1006l\u001b[?1015l\u001b[?2004l\u001b[?2026l' +
	'\u001b[<9u\u001b[>4;0m\u001b[0 q\u001b[4l\u001b[0m\u001b[?25h\u001b]104\u0007\u001b]110\u0007\u001b]111\u0007\u001b]112\u0007';

/** OSC 52: the terminal puts it on the clipboard, also over ssh; those that don't know it ignore it. */
export function clipboard(text: string): string {
	return `\u001b]52;c;${Buffer.from(text, 'utf8').toString('base64')}\u0007`;
}

/** What the terminal reports of the mouse; all that it reports comes in the form that has no bounds. */
export function mouseModes(tracking: MouseTracking): string {
	const off = '\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l';
	if (tracking === 'none') return off;
	const mode = tracking === 'any' ? 1003 : tracking === 'drag' ? 1002 : 1000;
	return `${off}\u001b[?1006h\u001b[?${mode}h`;
}
