/**
 * The one owner of the terminal's input. Bytes go to whoever has captured them, or through the decoder to the panes;
 * never to Ink, whose parser gives chunks instead of keys.
 */
import type {ReadStream} from 'node:tty';
import {KeyDecoder} from './decoder.ts';
import type {InputEvent} from './event.ts';
import type {InputSource} from './source.ts';

/** How long a lone ESC may be the beginning of a sequence, milliseconds. */
const ESCAPE_TIMEOUT = 40;
/** Bytes that somebody may have typed one after the other; more is a paste. */
const TYPED = 64;

export class InputRouter {
	readonly #source: InputSource;
	#input: ReadStream | undefined;
	readonly #onEvent: (event: InputEvent) => void;
	readonly #onEnd: () => void;
	#decoder = new KeyDecoder();
	#escapeTimer: NodeJS.Timeout | undefined;
	#receiver: ((bytes: Uint8Array) => void) | undefined;

	constructor(source: InputSource, handlers: {onEvent(event: InputEvent): void; onEnd(): void}) {
		this.#source = source;
		this.#onEvent = handlers.onEvent;
		this.#onEnd = handlers.onEnd;
	}

	start(): void {
		if (this.#input) return;
		const input = this.#source.stream();
		this.#input = input;
		input.setRawMode?.(true);
		input.on('data', this.#onData);
		input.on('end', this.#onEnd);
		input.on('error', this.#onEnd);
		input.resume();
	}

	/** The terminal's input is somebody else's, or nobody's, until `start`. */
	stop(): void {
		const input = this.#input;
		if (!input) return;
		this.#input = undefined;
		clearTimeout(this.#escapeTimer);
		input.off('data', this.#onData);
		input.off('end', this.#onEnd);
		input.off('error', this.#onEnd);
		input.pause();
		input.setRawMode?.(false);
	}

	/** Everything that is typed is for `receiver`, as it comes. */
	capture(receiver: (bytes: Uint8Array) => void): void {
		this.#receiver = receiver;
	}

	/** Back to the panes, with what came after whatever ended it. */
	release(rest: Uint8Array = new Uint8Array()): void {
		this.#receiver = undefined;
		this.#decoder = new KeyDecoder();
		if (rest.length > 0) this.#toPanes(rest);
	}

	readonly #onData = (data: Buffer | string): void => {
		const bytes = typeof data === 'string' ? Buffer.from(data) : data;
		if (this.#receiver) this.#receiver(bytes);
		else this.#toPanes(bytes);
	};

	#toPanes(bytes: Uint8Array): void {
		clearTimeout(this.#escapeTimer);
		// What is typed behind a key that opened a session is the session's.
		const step = bytes.length <= TYPED ? 1 : bytes.length;
		for (let at = 0; at < bytes.length; at += step) {
			for (const event of this.#decoder.feed(bytes.subarray(at, at + step))) this.#onEvent(event);
			if (this.#receiver && at + step < bytes.length) {
				this.#receiver(bytes.subarray(at + step));
				return;
			}
		}
		if (this.#decoder.pending) {
			this.#escapeTimer = setTimeout(() => {
				for (const event of this.#decoder.flush()) this.#onEvent(event);
			}, ESCAPE_TIMEOUT);
		}
	}
}
