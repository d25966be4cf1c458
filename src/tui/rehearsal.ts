/** A session on a terminal that isn't there, so that the build can keep what V8 compiled for one. */
import {openSync} from 'node:fs';
import {PassThrough} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import type {ReadStream} from 'node:tty';
import {TerminalOutput, type TerminalStream} from './terminal/output.ts';

/** Down a list, and out. What other keys need is compiled when they are pressed: all starts would read it. */
const KEYS = ['j', 'q'];
/** Milliseconds between two keys: each has its frame, and the log is opened. */
const PAUSE = 100;

export interface RehearsalTerminal {
	stdin: ReadStream;
	stdout: TerminalStream;
	/** Types all the keys; the last one ends the session. */
	type(): Promise<void>;
}

/** Wide enough for all panes. */
class WideOutput extends TerminalOutput {
	override get columns(): number {
		return Math.max(200, super.columns);
	}

	override get rows(): number {
		return Math.max(50, super.rows);
	}
}

export function rehearsalTerminal(): RehearsalTerminal {
	const input = new PassThrough();
	const stdin = Object.assign(input, {
		isTTY: true,
		fd: 0,
		setRawMode: () => stdin,
	}) as unknown as ReadStream;
	const stdout = new WideOutput(openSync('/dev/null', 'w'));
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
