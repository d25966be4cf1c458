/** A session on a terminal that isn't there, so that the build can keep what V8 compiled for one. */
import {PassThrough, Writable} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import type {WriteStream} from 'node:tty';
import type {TerminalInput} from './input/router.ts';

/** Down and up a list, to the other lists and the detail, and out. */
const KEYS = ['j', 'k', '2', '3', '4', 'k', 'G', '1', 'q'];
/** Milliseconds between two keys: each has its frame, and the log is opened. */
const PAUSE = 100;

export interface RehearsalTerminal {
	stdin: TerminalInput;
	stdout: WriteStream & {fd: number};
	/** Types all the keys; the last one ends the session. */
	type(): Promise<void>;
}

export function rehearsalTerminal(): RehearsalTerminal {
	const input = new PassThrough();
	const stdin = Object.assign(input, {
		isTTY: true,
		fd: 0,
		setRawMode: () => stdin,
	}) as unknown as TerminalInput;
	const output = new Writable({write: (_chunk, _encoding, done) => done()});
	// The first descriptor is where the terminal is given back to; the build throws its output away.
	const stdout = Object.assign(output, {
		isTTY: true,
		fd: 1,
		columns: 120,
		rows: 40,
	}) as unknown as WriteStream & {
		fd: number;
	};
	return {
		stdin,
		stdout,
		type: async () => {
			for (const key of KEYS) {
				await sleep(PAUSE);
				input.write(key);
			}
		},
	};
}
