/**
 * Terminal bytes to events, one by one: `jj` in one read is two keys. Sequences may be cut anywhere between
 * two reads. Sources: ECMA-48, xterm's ctlseqs (modifiers, SGR mouse, bracketed paste), the Linux console
 * (`ESC [ [ A`), rxvt (`ESC [ 7 ~`, doubled ESC for Alt).
 */
import type {InputEvent, KeyEvent} from './event.ts';

const ESC = 0x1b;
const PASTE_END = '\u001b[201~';
/** A paste beyond this is cut: nobody types it into a field, and it is held in memory. */
const PASTE_LIMIT = 1 << 20;
/** A control string (OSC, DCS, ...) beyond this can't be a reply; it is dropped up to its end. */
const STRING_LIMIT = 1 << 16;
/** A CSI sequence beyond this is noise. */
const CSI_LIMIT = 64;

const CSI_FINAL: Record<string, string> = {
	A: 'up',
	B: 'down',
	C: 'right',
	D: 'left',
	E: 'begin',
	F: 'end',
	H: 'home',
	P: 'f1',
	Q: 'f2',
	R: 'f3',
	S: 'f4',
};

const CSI_TILDE: Record<number, string> = {
	1: 'home',
	2: 'insert',
	3: 'delete',
	4: 'end',
	5: 'pageup',
	6: 'pagedown',
	7: 'home',
	8: 'end',
	11: 'f1',
	12: 'f2',
	13: 'f3',
	14: 'f4',
	15: 'f5',
	17: 'f6',
	18: 'f7',
	19: 'f8',
	20: 'f9',
	21: 'f10',
	23: 'f11',
	24: 'f12',
};

/** SS3's keypad in application mode sends what the key says. */
const SS3_KEYPAD: Record<string, string> = {
	j: '*',
	k: '+',
	l: ',',
	m: '-',
	n: '.',
	o: '/',
	X: '=',
};

const CONTROL_NAMES: Record<number, string> = {
	0: 'ctrl-space',
	8: 'backspace',
	9: 'tab',
	10: 'enter',
	13: 'enter',
	27: 'esc',
	28: 'ctrl-\\',
	29: 'ctrl-]',
	30: 'ctrl-^',
	31: 'ctrl-_',
	127: 'backspace',
};

export class KeyDecoder {
	#held: number[] = [];
	#paste: string | undefined;
	#pasteDecoder = new TextDecoder();
	/** Inside a control string: everything up to its terminator is dropped. */
	#string: {length: number} | undefined;

	/** Whether bytes wait for more: a lone ESC, half a character. `flush` decides them after a time-out. */
	get pending(): boolean {
		return this.#held.length > 0;
	}

	feed(chunk: Uint8Array): InputEvent[] {
		const bytes = this.#held.length === 0 ? Array.from(chunk) : [...this.#held, ...chunk];
		this.#held = [];
		return this.#decode(bytes, false);
	}

	/** No more bytes came: what is held is taken for what it is, ESC for the Esc key. */
	flush(): InputEvent[] {
		const bytes = this.#held;
		this.#held = [];
		return bytes.length === 0 ? [] : this.#decode(bytes, true);
	}

	#decode(bytes: number[], final: boolean): InputEvent[] {
		const events: InputEvent[] = [];
		let at = 0;
		while (at < bytes.length) {
			if (this.#paste !== undefined) {
				at = this.#takePaste(bytes, at, events);
				continue;
			}
			if (this.#string) {
				at = this.#skipString(bytes, at, final);
				continue;
			}
			const taken = this.#takeOne(bytes, at, final, events);
			if (taken === 0) {
				this.#held = bytes.slice(at);
				break;
			}
			at += taken;
		}
		return events;
	}

	/** How many bytes one event took; 0 when it isn't complete. */
	#takeOne(bytes: number[], at: number, final: boolean, events: InputEvent[]): number {
		const first = bytes[at]!;
		if (first === ESC) return this.#takeEscape(bytes, at, final, events);
		if (first < 0x80) {
			events.push(plainKey(first));
			return 1;
		}
		const length = utf8Length(first);
		if (length === 0) {
			events.push(textKey('\ufffd'));
			return 1;
		}
		let have = 1;
		while (have < length && at + have < bytes.length && (bytes[at + have]! & 0xc0) === 0x80) have++;
		if (have < length && at + have === bytes.length && !final) return 0;
		events.push(textKey(new TextDecoder().decode(Uint8Array.from(bytes.slice(at, at + have)))));
		return have;
	}

	#takeEscape(bytes: number[], at: number, final: boolean, events: InputEvent[]): number {
		const second = bytes[at + 1];
		if (second === undefined) {
			if (!final) return 0;
			events.push({type: 'key', key: 'esc', text: ''});
			return 1;
		}
		if (second === ESC) {
			// rxvt's Alt+arrow is ESC and the arrow's own sequence; two presses of Esc are two keys.
			const third = bytes[at + 2];
			if (third === undefined && !final) return 0;
			if (third !== 0x5b && third !== 0x4f) {
				events.push({type: 'key', key: 'esc', text: ''});
				return 1;
			}
			const inner: InputEvent[] = [];
			const taken = this.#takeEscape(bytes, at + 1, final, inner);
			if (taken === 0) return 0;
			for (const event of inner) events.push(event.type === 'key' ? withAlt(event) : event);
			return taken + 1;
		}
		if (second === 0x5b) return this.#takeCsi(bytes, at, final, events);
		if (second === 0x4f) return takeSs3(bytes, at, final, events);
		// OSC, DCS, SOS, PM, APC: replies, never keys.
		if (second === 0x5d || second === 0x50 || second === 0x58 || second === 0x5e || second === 0x5f) {
			if (final && bytes.length === at + 2) {
				events.push(withAlt(plainKey(second)));
				return 2;
			}
			if (bytes.length === at + 2) return 0;
			this.#string = {length: 0};
			return 2;
		}
		const inner: InputEvent[] = [];
		const taken = this.#takeOne(bytes, at + 1, final, inner);
		if (taken === 0) return 0;
		for (const event of inner) events.push(event.type === 'key' ? withAlt(event) : event);
		return taken + 1;
	}

	#takeCsi(bytes: number[], at: number, final: boolean, events: InputEvent[]): number {
		let end = at + 2;
		// The Linux console's function keys: ESC [ [ A.
		if (bytes[end] === 0x5b) {
			const letter = bytes[end + 1];
			if (letter === undefined) return final ? this.#giveUp(events, 3) : 0;
			const number = letter - 0x40;
			if (number >= 1 && number <= 5) events.push({type: 'key', key: `f${number}`, text: ''});
			return 4;
		}
		while (end < bytes.length && bytes[end]! >= 0x20 && bytes[end]! <= 0x3f) {
			if (end - at > CSI_LIMIT) return end - at;
			end++;
		}
		if (end === bytes.length) {
			if (!final) return 0;
			if (end === at + 2) {
				events.push({type: 'key', key: 'alt-[', text: ''});
				return 2;
			}
			return this.#giveUp(events, end - at);
		}
		const last = bytes[end]!;
		const length = end - at + 1;
		// Not a final byte: the sequence was broken off, and what breaks it is read on its own.
		if (last < 0x40 || last > 0x7e) return length - 1;
		const parameters = String.fromCharCode(...bytes.slice(at + 2, end));
		const letter = String.fromCharCode(last);
		// X10 mouse: three more bytes. We never ask for it, but it must not become text.
		if (letter === 'M' && parameters === '') {
			if (bytes.length < at + 6) return final ? bytes.length - at : 0;
			return 6;
		}
		if (letter === '~' && parameters === '200') {
			this.#paste = '';
			this.#pasteDecoder = new TextDecoder();
			return length;
		}
		const event = csiEvent(parameters, letter);
		if (event) events.push(event);
		return length;
	}

	#giveUp(events: InputEvent[], length: number): number {
		events.push({type: 'key', key: 'esc', text: ''});
		return length;
	}

	#takePaste(bytes: number[], at: number, events: InputEvent[]): number {
		this.#paste += this.#pasteDecoder.decode(Uint8Array.from(bytes.slice(at)), {stream: true});
		const end = this.#paste!.indexOf(PASTE_END);
		if (end === -1) {
			// The end mark may itself be cut, so the tail stays even when the rest is dropped.
			if (this.#paste!.length > PASTE_LIMIT) {
				this.#paste = this.#paste!.slice(0, PASTE_LIMIT - 16) + this.#paste!.slice(-PASTE_END.length);
			}
			return bytes.length;
		}
		const rest = this.#paste!.slice(end + PASTE_END.length);
		events.push({type: 'paste', text: this.#paste!.slice(0, end).slice(0, PASTE_LIMIT)});
		this.#paste = undefined;
		if (rest.length > 0) events.push(...this.feed(new TextEncoder().encode(rest)));
		return bytes.length;
	}

	#skipString(bytes: number[], at: number, final: boolean): number {
		for (let index = at; index < bytes.length; index++) {
			const byte = bytes[index]!;
			const string = this.#string!;
			string.length++;
			if (byte === 0x07 || byte === 0x18 || byte === 0x1a || string.length > STRING_LIMIT) {
				this.#string = undefined;
				return index + 1;
			}
			if (byte === ESC) {
				// ST is ESC \; any other ESC starts something new. Which, the next read may have to say.
				const next = bytes[index + 1];
				if (next === undefined && !final) {
					this.#held = [ESC];
					return bytes.length;
				}
				this.#string = undefined;
				return next === 0x5c ? index + 2 : index;
			}
		}
		if (final) this.#string = undefined;
		return bytes.length;
	}
}

function plainKey(byte: number): KeyEvent {
	const name = CONTROL_NAMES[byte];
	if (name !== undefined) return {type: 'key', key: name, text: ''};
	if (byte < 0x20) return {type: 'key', key: `ctrl-${String.fromCharCode(byte + 0x60)}`, text: ''};
	return textKey(String.fromCharCode(byte));
}

function textKey(text: string): KeyEvent {
	return {type: 'key', key: text === ' ' ? 'space' : text, text};
}

function withAlt(event: KeyEvent): KeyEvent {
	const shift = event.key.startsWith('shift-') ? 'shift-' : '';
	const control = event.key.startsWith('ctrl-') ? 'ctrl-' : '';
	const rest = event.key.slice(shift.length + control.length);
	return {type: 'key', key: `${control}alt-${shift}${rest}`, text: ''};
}

/** xterm's modifier parameter: 1 + (shift 1, alt 2, ctrl 4, meta 8). */
function withModifiers(name: string, parameter: number): KeyEvent {
	const bits = Math.max(0, parameter - 1);
	const control = bits & 4 ? 'ctrl-' : '';
	const alt = bits & 10 ? 'alt-' : '';
	const shift = bits & 1 ? 'shift-' : '';
	return {type: 'key', key: `${control}${alt}${shift}${name}`, text: ''};
}

function csiEvent(parameters: string, letter: string): InputEvent | undefined {
	if (parameters.startsWith('<') && (letter === 'M' || letter === 'm')) return mouseEvent(parameters, letter);
	if (/^[?>=<]/.test(parameters) || letter === 'I' || letter === 'O' || letter === 'c') {
		return {type: 'report', sequence: `\u001b[${parameters}${letter}`};
	}
	const numbers = parameters.split(';').map((part) => Number.parseInt(part, 10) || 0);
	const modifier = numbers[1] ?? 1;
	if (letter === 'Z') return {type: 'key', key: 'shift-tab', text: ''};
	if (letter === '~') {
		// modifyOtherKeys: ESC [ 27 ; modifier ; code ~
		if (numbers[0] === 27 && numbers.length === 3) return codeKey(numbers[2]!, modifier);
		const name = CSI_TILDE[numbers[0] ?? 0];
		return name === undefined ? undefined : withModifiers(name, modifier);
	}
	if (letter === '^' || letter === '@' || letter === '$') {
		// rxvt: ctrl, ctrl+shift and shift in the final byte.
		const name = CSI_TILDE[numbers[0] ?? 0];
		const rxvt = letter === '^' ? 5 : letter === '@' ? 6 : 2;
		return name === undefined ? undefined : withModifiers(name, rxvt);
	}
	if (letter === 'u') return codeKey(numbers[0] ?? 0, modifier);
	if (letter >= 'a' && letter <= 'd' && parameters === '') {
		return withModifiers(CSI_FINAL[letter.toUpperCase()]!, 2);
	}
	// A cursor position report ends with R as F3 does; F3's first parameter is 1.
	if (letter === 'R' && numbers.length === 2 && numbers[0] !== 1) {
		return {type: 'report', sequence: `\u001b[${parameters}R`};
	}
	const name = CSI_FINAL[letter];
	return name === undefined ? undefined : withModifiers(name, modifier);
}

/** A key as its code point and modifiers, as kitty's protocol and modifyOtherKeys send it. */
function codeKey(code: number, modifier: number): KeyEvent | undefined {
	const bits = Math.max(0, modifier - 1);
	if (code === 9 && bits & 1) return {type: 'key', key: 'shift-tab', text: ''};
	if (code < 0x20 || code === 127) {
		const name = CONTROL_NAMES[code];
		return name === undefined ? undefined : withModifiers(name, modifier & ~1 ? modifier : 1);
	}
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
	const character = String.fromCodePoint(code);
	if ((bits & ~1) === 0) return textKey(bits & 1 ? character.toUpperCase() : character);
	const key = character === ' ' ? 'space' : bits & 4 ? character.toLowerCase() : character;
	return withModifiers(key, (bits & ~1) + 1);
}

function mouseEvent(parameters: string, letter: string): InputEvent | undefined {
	const [code, column, row] = parameters.slice(1).split(';').map(Number);
	if (code === undefined || !column || !row) return undefined;
	const at = {column: column - 1, row: row - 1};
	if (code & 64) {
		return {type: 'mouse', action: code & 1 ? 'wheel-down' : 'wheel-up', button: 0, ...at};
	}
	const action = letter === 'm' ? 'release' : code & 32 ? 'move' : 'press';
	return {type: 'mouse', action, button: code & 3, ...at};
}

function takeSs3(bytes: number[], at: number, final: boolean, events: InputEvent[]): number {
	let end = at + 2;
	while (end < bytes.length && bytes[end]! >= 0x30 && bytes[end]! <= 0x3b) end++;
	if (end === bytes.length) {
		if (!final) return 0;
		events.push({type: 'key', key: 'alt-O', text: ''});
		return end - at;
	}
	const letter = String.fromCharCode(bytes[end]!);
	const parameter = Number.parseInt(
		String.fromCharCode(...bytes.slice(at + 2, end))
			.split(';')
			.at(-1) ?? '',
		10,
	);
	if (letter === 'M') events.push({type: 'key', key: 'enter', text: ''});
	else if (letter >= 'p' && letter <= 'y') events.push(textKey(String(letter.charCodeAt(0) - 0x70)));
	else if (SS3_KEYPAD[letter] !== undefined) events.push(textKey(SS3_KEYPAD[letter]));
	else if (letter >= 'a' && letter <= 'd') events.push(withModifiers(CSI_FINAL[letter.toUpperCase()]!, 5));
	else if (CSI_FINAL[letter] !== undefined) events.push(withModifiers(CSI_FINAL[letter], parameter || 1));
	return end - at + 1;
}

/** How long a UTF-8 character is that begins so; 0 for a byte that begins none. */
function utf8Length(byte: number): number {
	if (byte >= 0xc2 && byte <= 0xdf) return 2;
	if (byte >= 0xe0 && byte <= 0xef) return 3;
	if (byte >= 0xf0 && byte <= 0xf4) return 4;
	return 0;
}
