/**
 * The terminal's end for what is shown. Node's own `process.stdout` brings streams and sockets, a tenth of the time
 * until the first frame; a terminal is written to at once and as a whole anyway.
 */
import {EventEmitter} from 'node:events';
import {constants, openSync, writeSync} from 'node:fs';
import {native} from '../../kernel/native.ts';

/** Milliseconds until a terminal that takes no more is asked again. */
const PAUSE = 2;

type Written = (error?: Error | null) => void;

/** What the terminal UI and Ink use of a `WriteStream`. */
export interface TerminalStream {
	readonly isTTY: boolean;
	readonly fd: number;
	readonly columns: number;
	readonly rows: number;
	write(text: string, written?: Written): boolean;
	on(event: 'resize', listener: () => void): unknown;
	off(event: 'resize', listener: () => void): unknown;
}

/** `resize` is emitted when the size is another. What is written to a terminal that has gone is lost in silence. */
export class TerminalOutput extends EventEmitter implements TerminalStream {
	readonly isTTY = true;
	readonly fd: number;
	readonly #writeFd: number;
	#size: [columns: number, rows: number];
	#gone = false;

	/** `fd` is a terminal. */
	constructor(fd: number) {
		super();
		this.fd = fd;
		this.#writeFd = ownDescription(fd);
		this.#size = this.#look();
		process.on('SIGWINCH', this.#onSize);
	}

	get columns(): number {
		return this.#size[0];
	}

	get rows(): number {
		return this.#size[1];
	}

	write(text: string, written?: Written): boolean {
		this.#writeAll(text);
		if (written) queueMicrotask(() => written());
		return true;
	}

	close(): void {
		process.off('SIGWINCH', this.#onSize);
	}

	#writeAll(text: string): void {
		if (this.#gone || text === '') return;
		const bytes = Buffer.from(text);
		for (let at = 0; at < bytes.length; ) {
			try {
				at += writeSync(this.#writeFd, bytes, at);
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
					// That it has gone is told by its input.
					this.#gone = true;
					return;
				}
				Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
			}
		}
	}

	#look(): [columns: number, rows: number] {
		const [columns = 0, rows = 0] = native.terminalSize(this.fd) ?? [];
		return [columns || 80, rows || 24];
	}

	readonly #onSize = (): void => {
		const before = this.#size;
		this.#size = this.#look();
		if (this.#size[0] !== before[0] || this.#size[1] !== before[1]) this.emit('resize');
	};
}

/** Opened anew where that is allowed: whoever shares the descriptor may have made it non-blocking. */
function ownDescription(fd: number): number {
	try {
		return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NOCTTY);
	} catch {
		return fd;
	}
}
