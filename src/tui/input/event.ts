/** What the decoder makes of the terminal's bytes. */

export interface KeyEvent {
	type: 'key';
	/**
	 * The key as the key table writes it: `j`, `J`, `ctrl-p`, `alt-x`, `f1`, `up`, `shift-tab`, `enter`, `esc`,
	 * `space`. Modifiers come in the order ctrl, alt, shift; shift is only named where it isn't in the character.
	 */
	key: string;
	/** What a text field inserts; empty for keys that write nothing. */
	text: string;
}

export interface PasteEvent {
	type: 'paste';
	text: string;
}

export interface MouseEvent {
	type: 'mouse';
	action: 'press' | 'release' | 'move' | 'wheel-up' | 'wheel-down';
	/** 0 left, 1 middle, 2 right. */
	button: number;
	/** From zero. */
	column: number;
	row: number;
}

/** A reply or a report that nobody asked for: focus, cursor position, device attributes. */
export interface ReportEvent {
	type: 'report';
	sequence: string;
}

export type InputEvent = KeyEvent | PasteEvent | MouseEvent | ReportEvent;
