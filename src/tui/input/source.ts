/**
 * Where keys come from. Node's stream for a terminal takes 6 ms to load, and the first frame needn't wait for it: until
 * then the terminal is only told to keep what is typed and not to show it.
 */
import type {ReadStream} from 'node:tty';
import {native} from '../../kernel/native.ts';

export interface InputSource {
	/** Nothing that is typed is shown from now on, and `stream` gives it. */
	hush(): void;
	/** Always the same one. Its mode is what it was before `hush`. */
	stream(): ReadStream;
	/** Ends `hush` and raw mode, if there was one. */
	restore(): void;
}

/** A stream that is there already. */
export class StreamSource implements InputSource {
	readonly #stream: ReadStream;

	constructor(stream: ReadStream) {
		this.#stream = stream;
	}

	hush(): void {}

	stream(): ReadStream {
		return this.#stream;
	}

	restore(): void {
		if (this.#stream.isTTY) this.#stream.setRawMode(false);
	}
}

/** The process's own terminal. */
export class TerminalSource implements InputSource {
	#loud: (() => void) | undefined;
	#stream: ReadStream | undefined;

	hush(): void {
		if (!this.#stream) this.#loud ??= native.hushTerminal(0);
	}

	stream(): ReadStream {
		// Loaded first, so that nothing is shown for no longer than a few instructions.
		this.#stream ??= process.stdin;
		this.#unhush();
		return this.#stream;
	}

	restore(): void {
		this.#unhush();
		this.#stream?.setRawMode(false);
	}

	#unhush(): void {
		this.#loud?.();
		this.#loud = undefined;
	}
}
