/**
 * The one owner of the terminal's input. Bytes go to the attached session, past the detach scanner, or through
 * the decoder to the panes; never to Ink, whose parser gives chunks instead of keys.
 */
import type {ReadStream} from 'node:tty';
import {DetachScanner} from '../../cli/terminal/detach-keys.ts';
import {KeyDecoder} from './decoder.ts';
import type {InputEvent} from './event.ts';

/** How long a lone ESC may be the beginning of a sequence, milliseconds. */
const ESCAPE_TIMEOUT = 40;
/** How long the beginning of the detach keys is held back, milliseconds. */
const DETACH_TIMEOUT = 500;

export interface Attachment {
	/** The bytes of the detach keys. */
	keys: Uint8Array;
	/** False: the receiver is full; no more until `resume`. */
	write(bytes: Uint8Array): boolean;
	onDetach(): void;
}

export class InputRouter {
	readonly #input: ReadStream;
	readonly #onEvent: (event: InputEvent) => void;
	readonly #onEnd: () => void;
	#decoder = new KeyDecoder();
	#escapeTimer: NodeJS.Timeout | undefined;
	#attachment: Attachment | undefined;
	#scanner: DetachScanner | undefined;
	#detachTimer: NodeJS.Timeout | undefined;
	#listening = false;

	constructor(input: ReadStream, handlers: {onEvent(event: InputEvent): void; onEnd(): void}) {
		this.#input = input;
		this.#onEvent = handlers.onEvent;
		this.#onEnd = handlers.onEnd;
	}

	start(): void {
		if (this.#listening) return;
		this.#listening = true;
		this.#input.setRawMode?.(true);
		this.#input.on('data', this.#onData);
		this.#input.on('end', this.#onEnd);
		this.#input.on('error', this.#onEnd);
		this.#input.resume();
	}

	/** The terminal's input is somebody else's, or nobody's, until `start`. */
	stop(): void {
		if (!this.#listening) return;
		this.#listening = false;
		clearTimeout(this.#escapeTimer);
		clearTimeout(this.#detachTimer);
		this.#input.off('data', this.#onData);
		this.#input.off('end', this.#onEnd);
		this.#input.off('error', this.#onEnd);
		this.#input.pause();
		this.#input.setRawMode?.(false);
	}

	attach(attachment: Attachment): void {
		this.#attachment = attachment;
		this.#scanner = new DetachScanner(attachment.keys);
	}

	/** Back to the panes. */
	detach(): void {
		clearTimeout(this.#detachTimer);
		this.#attachment = undefined;
		this.#scanner = undefined;
		this.#decoder = new KeyDecoder();
		if (this.#listening) this.#input.resume();
	}

	/** The receiver has room again. */
	resume(): void {
		if (this.#listening) this.#input.resume();
	}

	readonly #onData = (data: Buffer | string): void => {
		const bytes = typeof data === 'string' ? Buffer.from(data) : data;
		if (this.#attachment) this.#toSession(bytes);
		else this.#toPanes(bytes);
	};

	#toSession(bytes: Uint8Array): void {
		const attachment = this.#attachment!;
		clearTimeout(this.#detachTimer);
		const scanned = this.#scanner!.feed(bytes);
		if (scanned.forward.length > 0 && !attachment.write(scanned.forward)) this.#input.pause();
		if (scanned.detached) {
			this.detach();
			attachment.onDetach();
			if (scanned.rest.length > 0) this.#toPanes(scanned.rest);
			return;
		}
		if (this.#scanner!.holding) {
			this.#detachTimer = setTimeout(() => {
				const held = this.#scanner?.flush();
				if (held && held.length > 0) attachment.write(held);
			}, DETACH_TIMEOUT);
		}
	}

	#toPanes(bytes: Uint8Array): void {
		clearTimeout(this.#escapeTimer);
		for (const event of this.#decoder.feed(bytes)) this.#onEvent(event);
		if (this.#decoder.pending) {
			this.#escapeTimer = setTimeout(() => {
				for (const event of this.#decoder.flush()) this.#onEvent(event);
			}, ESCAPE_TIMEOUT);
		}
	}
}
