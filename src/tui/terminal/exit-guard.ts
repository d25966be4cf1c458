/**
 * Gives the terminal back however the program ends: return, signal, exception. The bytes are written
 * synchronously and first; the error comes after them, on the screen that the user is left with.
 */
import {writeSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import type {InputSource} from '../input/source.ts';
import {RESTORE} from './modes.ts';

/** Those that would end the process and that a program may be told to end by. */
const SIGNALS = {
	SIGTERM: 15,
	SIGHUP: 1,
	SIGINT: 2,
	SIGQUIT: 3,
	SIGALRM: 14,
	SIGUSR2: 12,
	SIGXCPU: 24,
} as const;

/** Milliseconds that the process waits for what it ends. */
const PATIENCE = 5000;

export interface ExitGuardOptions {
	input: InputSource;
	/** The terminal's descriptor. */
	fd: number;
	/** What Ink has to do before the terminal is given back, and must not do after. */
	unmount(): void;
	/** What must not outlive the process. It has a few seconds; the terminal has been given back. */
	onEnd?(): Promise<unknown> | undefined;
	/** SIGTSTP from outside: step back, stop, come again. */
	onSuspend(): void;
	/** SIGCONT: the terminal has to be taken over again. */
	onContinue(): void;
}

export class ExitGuard {
	readonly #options: ExitGuardOptions;
	#restored = false;
	#ends = false;

	constructor(options: ExitGuardOptions) {
		this.#options = options;
		for (const signal of Object.keys(SIGNALS)) process.on(signal, this.#onSignal);
		process.on('SIGTSTP', options.onSuspend);
		process.on('SIGCONT', options.onContinue);
		process.on('uncaughtException', this.#onError);
		process.on('unhandledRejection', this.#onError);
		process.on('exit', this.restore);
	}

	/** Once; later calls do nothing. */
	readonly restore = (): void => {
		if (this.#restored) return;
		this.#restored = true;
		const {input, fd, unmount} = this.#options;
		try {
			unmount();
		} catch {
			// The terminal comes first.
		}
		try {
			writeSync(fd, RESTORE);
		} catch {
			// A terminal that has gone needs nothing.
		}
		try {
			input.restore();
		} catch {
			// As above.
		}
	};

	/** After a normal end: the process goes on without us. */
	release(): void {
		this.restore();
		for (const signal of Object.keys(SIGNALS)) process.off(signal, this.#onSignal);
		process.off('SIGTSTP', this.#options.onSuspend);
		process.off('SIGCONT', this.#options.onContinue);
		process.off('uncaughtException', this.#onError);
		process.off('unhandledRejection', this.#onError);
		process.off('exit', this.restore);
	}

	/**
	 * Stops the whole job as Ctrl+Z does, with the signal's own meaning: a process group that nobody could wake
	 * again (a shell-less terminal) isn't stopped by the kernel. Returns after SIGCONT.
	 */
	stopJob(): void {
		process.off('SIGTSTP', this.#options.onSuspend);
		process.kill(0, 'SIGTSTP');
		process.on('SIGTSTP', this.#options.onSuspend);
	}

	/** Meanwhile another program of the job has the keys: Ctrl+C and Ctrl+\ are for it, Ctrl+Z stops both. */
	async withoutKeys<T>(work: () => Promise<T>): Promise<T> {
		const ignore = (): void => {};
		for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
			process.off(signal, this.#onSignal);
			process.on(signal, ignore);
		}
		process.off('SIGTSTP', this.#options.onSuspend);
		try {
			return await work();
		} finally {
			process.on('SIGTSTP', this.#options.onSuspend);
			for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
				process.off(signal, ignore);
				process.on(signal, this.#onSignal);
			}
		}
	}

	readonly #onSignal = (signal: NodeJS.Signals): void => {
		this.restore();
		this.#exit(128 + SIGNALS[signal as keyof typeof SIGNALS]);
	};

	/** A second reason to end waits for nothing. */
	#exit(code: number): void {
		const ending = this.#ends ? undefined : this.#options.onEnd?.();
		this.#ends = true;
		if (!ending) process.exit(code);
		process.exitCode = code;
		void Promise.race([ending, sleep(PATIENCE)]).finally(() => process.exit(code));
	}

	readonly #onError = (error: unknown): void => {
		this.restore();
		const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
		try {
			writeSync(2, `wherry: the terminal UI stopped; containers are not affected.\n${text}\n`);
		} catch {
			// Nobody reads it.
		}
		this.#exit(1);
	};
}
