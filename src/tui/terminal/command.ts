/** A command of the command line on the whole screen, and a key afterwards. */
import {spawn} from 'node:child_process';
import {constants} from 'node:os';
import type {InputRouter} from '../input/router.ts';
import type {ExitGuard} from './exit-guard.ts';
import {CLEAR, scrollAway, UNDO_SESSION} from './modes.ts';
import type {TerminalStream} from './output.ts';

export interface CommandOptions {
	/** The program and what comes before the command's own words. */
	program: readonly string[];
	words: readonly string[];
	/** One line, sanitised, at the top. */
	banner: string;
	router: InputRouter;
	guard: ExitGuard;
	stdout: TerminalStream;
}

/** The caller has taken Ink off the screen and puts it back afterwards. Resolves to the exit code, 128+N after signal N. */
export async function runCommand({
	program,
	words,
	banner,
	router,
	guard,
	stdout,
}: CommandOptions): Promise<number> {
	stdout.write(`${scrollAway(stdout.rows)}\u001b[2m${banner}\u001b[0m\r\n`);
	// The terminal's input is the command's alone.
	router.stop();
	// A tick, so that no read of ours is under way when the command begins to read.
	await new Promise((resolve) => setImmediate(resolve));
	const [file, ...args] = program;
	let code: number;
	try {
		code = await guard.withoutKeys(
			() =>
				new Promise((resolve, reject) => {
					const child = spawn(file!, [...args, ...words], {stdio: 'inherit'});
					child.on('error', reject);
					child.on('exit', (status, signal) =>
						resolve(status ?? 128 + (signal ? constants.signals[signal] : 0)),
					);
				}),
		);
	} finally {
		router.start();
	}
	stdout.write(`\r\n\u001b[2m${code === 0 ? 'done' : `exit code ${code}`} · any key goes back\u001b[0m`);
	await new Promise<void>((resolve) => {
		router.capture(() => resolve());
	});
	router.release();
	stdout.write(UNDO_SESSION + CLEAR);
	return code;
}
