import {isatty, type ReadStream} from 'node:tty';
import type {Session} from '../../engine/api.ts';
import {native} from '../../kernel/native.ts';

import {CliError} from '../errors.ts';
import {printError, writeErr, writeOut} from '../output.ts';
import {DetachScanner} from './detach-keys.ts';

export const inputIsTerminal = (): boolean => isatty(0);
export const outputIsTerminal = (): boolean => isatty(1);

/** docker's check before it allocates a terminal for somebody who has none. */
export function requireTerminal(attachStdin: boolean, tty: boolean): void {
	if (attachStdin && tty && !inputIsTerminal()) throw new CliError('the input device is not a TTY', 1);
}

export interface WindowSize {
	rows: number;
	columns: number;
}

/** The window of the terminal that stdout is. */
export function windowSize(): WindowSize | undefined {
	if (!outputIsTerminal()) return undefined;
	const [columns, rows] = process.stdout.getWindowSize();
	return {rows, columns};
}

/** Puts the terminal into raw mode and back, also when the process ends in any way that Node sees. */
class RawMode {
	#stream: ReadStream | undefined;
	readonly #restore = (): void => this.leave();

	enter(): void {
		if (!inputIsTerminal() || this.#stream) return;
		this.#stream = process.stdin as ReadStream;
		this.#stream.setRawMode(true);
		native.rawTerminal(0);
		process.on('exit', this.#restore);
	}

	leave(): void {
		process.off('exit', this.#restore);
		try {
			this.#stream?.setRawMode(false);
		} catch {
			// The terminal is gone.
		}
		this.#stream = undefined;
	}
}

/** What the proxy passes on. Job control (TSTP, CONT) stays with the client, as in a shell pipeline. */
const proxied: NodeJS.Signals[] = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'];
const signalNumbers: Record<string, number> = {SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15};

export interface PumpOptions {
	/** The process in the container has a terminal. */
	tty: boolean;
	stdin: boolean;
	detachKeys: Uint8Array;
	/** Passes a signal on; without it a signal ends this process, and the container goes on. */
	onSignal?: ((signal: NodeJS.Signals) => Promise<void>) | undefined;
}

/** docker's word for a detach that ends in an error. */
export const detachedMessage = 'read escape sequence';

/** Who asks this often to end wants this process to end, whatever the container makes of it. */
const insistence = 3;

/**
 * Connects the terminal or pipes of this process to a session until the session ends or the user detaches.
 * Resolves to the exit code, or to `detached`, which docker's run and start take as a good end and its attach and exec
 * as an error.
 */
export async function pump(session: Session, options: PumpOptions): Promise<number | 'detached'> {
	const {tty, stdin, onSignal} = options;
	const raw = new RawMode();
	const cleanups: (() => void)[] = [];
	const {promise: left, resolve: leave} = Promise.withResolvers<'detached' | 'hung up'>();
	let asked = 0;

	if (tty && outputIsTerminal()) {
		const resize = (): void => {
			const size = windowSize();
			if (size) session.resize(size.rows, size.columns);
		};
		// Emitted after SIGWINCH, when Node has asked for the new size.
		process.stdout.on('resize', resize);
		cleanups.push(() => process.stdout.off('resize', resize));
	}
	for (const signal of proxied) {
		const number = signalNumbers[signal];
		if (!onSignal && number === undefined) continue;
		const listener = (): void => {
			if (!onSignal) process.exit(128 + number!);
			const passed = onSignal(signal);
			// The terminal is gone. What runs in the container is told, and goes on if it likes.
			if (signal === 'SIGHUP' && tty) passed.finally(() => leave('hung up'));
			if ((signal === 'SIGINT' || signal === 'SIGTERM') && ++asked === insistence) {
				raw.leave();
				printError(`\ngot ${insistence} SIGTERM/SIGINTs, forcefully exiting`);
				process.exit(1);
			}
		};
		process.on(signal, listener);
		cleanups.push(() => process.off(signal, listener));
	}
	if (stdin) {
		const isTerminal = inputIsTerminal();
		if (tty) raw.enter();
		const scanner = tty ? new DetachScanner(options.detachKeys) : undefined;
		const input = process.stdin;
		const onData = (chunk: Buffer): void => {
			const {forward, detached} = scanner?.feed(chunk) ?? {forward: chunk, detached: false};
			if (forward.length > 0 && !session.stdin.write(forward)) {
				input.pause();
				session.stdin.once('drain', () => input.resume());
			}
			if (detached) leave('detached');
		};
		const onEnd = (): void => {
			// A terminal in raw mode ends only when it is gone. That of the container doesn't end with a file or a pipe.
			if (!tty) session.stdin.end();
			else if (isTerminal) leave('hung up');
		};
		input.on('data', onData);
		input.on('end', onEnd);
		input.on('error', onEnd);
		cleanups.push(() => {
			input.off('data', onData);
			input.off('end', onEnd);
			input.pause();
		});
	}
	// Last: output may be there already, and a terminal must be raw and a signal be heard by the time it is seen.
	session.writeTo((stream, chunk) => (stream === 'stdout' ? writeOut(chunk) : writeErr(chunk)));
	try {
		const result = await Promise.race([left, session.exit]);
		if (typeof result === 'object') return result.code;
		session.detach();
		raw.leave();
		if (result === 'hung up') return 128 + signalNumbers.SIGHUP!;
		return 'detached';
	} finally {
		raw.leave();
		for (const cleanup of cleanups) cleanup();
	}
}
