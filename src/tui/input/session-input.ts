/**
 * What is typed while a session has the keys: nearly all of it is the program's. Taken out are the detach keys, the
 * few keys that the key table has for this, and the mouse. Sequences may be cut anywhere between two reads.
 */
import {DetachScanner} from '../../cli/terminal/detach-keys.ts';
import {KeyDecoder} from './decoder.ts';
import type {MouseEvent} from './event.ts';

/** How long the beginning of the detach keys is held back, milliseconds. */
const DETACH_TIMEOUT = 500;
/** How long the beginning of a sequence is held back, milliseconds. */
const SEQUENCE_TIMEOUT = 40;
/** A sequence beyond this is no key. */
const SEQUENCE_LIMIT = 64;

const ESC = 0x1b;
const PASTE_START = '\u001b[200~';
const PASTE_END = '\u001b[201~';

export interface SessionReceiver {
	/** The bytes of the detach keys. */
	detachKeys: Uint8Array;
	/** For the program, as they came. */
	onBytes(bytes: Uint8Array): void;
	/** A key that is a sequence or a control character; false: it is the program's, and comes as `onBytes`. */
	onKey(key: string): boolean;
	onMouse(event: MouseEvent): void;
	/** The beginning and the end of a paste. */
	onPaste(edge: 'start' | 'end'): void;
	/** `rest` is what was typed after the detach keys. */
	onDetach(rest: Uint8Array): void;
}

export class SessionInput {
	readonly #receiver: SessionReceiver;
	readonly #scanner: DetachScanner;
	#held = new Uint8Array();
	#pasting = false;
	#closed = false;
	#detachTimer: NodeJS.Timeout | undefined;
	#sequenceTimer: NodeJS.Timeout | undefined;

	constructor(receiver: SessionReceiver) {
		this.#receiver = receiver;
		this.#scanner = new DetachScanner(receiver.detachKeys);
	}

	close(): void {
		this.#closed = true;
		clearTimeout(this.#detachTimer);
		clearTimeout(this.#sequenceTimer);
	}

	feed(chunk: Uint8Array): void {
		clearTimeout(this.#sequenceTimer);
		const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
		this.#held = new Uint8Array();
		let plain = 0;
		let at = 0;
		while (at < bytes.length) {
			const length = this.#wanted(bytes, at, chunk.length);
			if (length === 0) {
				at++;
				continue;
			}
			this.#pass(bytes.subarray(plain, at), bytes.subarray(at));
			if (this.#closed) return;
			if (length < 0) {
				this.#hold(bytes.slice(at));
				return;
			}
			const rest = bytes.subarray(at + length);
			this.#take(bytes.subarray(at, at + length), rest);
			if (this.#closed) return;
			at += length;
			plain = at;
		}
		this.#pass(bytes.subarray(plain), new Uint8Array());
	}

	/** How long the sequence or the control character at `at` is; 0: there is none; -1: it isn't whole yet. */
	#wanted(bytes: Uint8Array, at: number, read: number): number {
		const first = bytes[at]!;
		if (this.#pasting) {
			if (first !== ESC) return 0;
			const mark = Buffer.from(bytes.subarray(at, at + PASTE_END.length)).toString('latin1');
			if (mark === PASTE_END) return mark.length;
			return at + mark.length === bytes.length && PASTE_END.startsWith(mark) ? -1 : 0;
		}
		if (first !== ESC) return first < 0x20 ? 1 : 0;
		const second = bytes[at + 1];
		// A lone one is the Esc key; behind others it may be the beginning of what was cut.
		if (second === undefined) return read > 1 && at > 0 ? -1 : 0;
		if (second !== 0x5b && second !== 0x4f) return 0;
		// The Linux console's function keys: ESC [ [ A.
		let end = at + (second === 0x5b && bytes[at + 2] === 0x5b ? 3 : 2);
		while (end < bytes.length && bytes[end]! >= 0x20 && bytes[end]! <= 0x3f) end++;
		if (end - at > SEQUENCE_LIMIT) return 0;
		// ESC [ alone is Alt+[.
		if (end === bytes.length) return -1;
		return bytes[end]! >= 0x40 && bytes[end]! <= 0x7e ? end - at + 1 : 0;
	}

	#take(sequence: Uint8Array, rest: Uint8Array): void {
		const text = Buffer.from(sequence).toString('latin1');
		if (text === PASTE_START || text === PASTE_END) {
			this.#pasting = text === PASTE_START;
			this.#receiver.onPaste(this.#pasting ? 'start' : 'end');
			return;
		}
		const [event] = new KeyDecoder().feed(sequence);
		// A control character may be a part of the detach keys; a sequence comes after what is held back.
		if (sequence.length > 1 && this.#scanner.holding) this.#receiver.onBytes(this.#scanner.flush());
		if (event?.type === 'mouse') this.#receiver.onMouse(event);
		// What our own terminal says of itself is not for the program, which asks the emulator.
		else if (event?.type === 'report') return;
		else if (event?.type !== 'key' || !this.#receiver.onKey(event.key)) this.#pass(sequence, rest);
	}

	#hold(bytes: Uint8Array<ArrayBuffer>): void {
		this.#held = bytes;
		this.#sequenceTimer = setTimeout(() => {
			const held = this.#held;
			this.#held = new Uint8Array();
			this.#pass(held, new Uint8Array());
		}, SEQUENCE_TIMEOUT);
	}

	/** Past the detach keys; a paste holds none. */
	#pass(bytes: Uint8Array, after: Uint8Array): void {
		if (bytes.length === 0 || this.#closed) return;
		clearTimeout(this.#detachTimer);
		if (this.#pasting) {
			this.#receiver.onBytes(Buffer.concat([this.#scanner.flush(), bytes]));
			return;
		}
		const {forward, detached, rest} = this.#scanner.feed(bytes);
		if (forward.length > 0) this.#receiver.onBytes(forward);
		if (detached) {
			this.close();
			this.#receiver.onDetach(after.length === 0 ? rest : Buffer.concat([rest, after]));
			return;
		}
		if (!this.#scanner.holding) return;
		this.#detachTimer = setTimeout(() => {
			const held = this.#scanner.flush();
			if (held.length > 0) this.#receiver.onBytes(held);
		}, DETACH_TIMEOUT);
	}
}
