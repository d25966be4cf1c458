import {writeSync} from 'node:fs';
import {systemWords} from '../engine/containers/system-words.ts';
import {isErrno} from '../engine/errors.ts';
import {CliError} from './errors.ts';

/**
 * Text and bytes to stdout and stderr, at once and in order. Written with write(2): making Node's stream
 * objects costs more than a short command takes.
 */
function writeAll(fd: 1 | 2, data: string | Uint8Array): void {
	let rest = typeof data === 'string' ? Buffer.from(data) : data;
	while (rest.length > 0) {
		try {
			rest = rest.subarray(writeSync(fd, rest));
		} catch (error) {
			const {code} = error as NodeJS.ErrnoException;
			if (code === 'EAGAIN') {
				// Somebody made the shared description non-blocking; there is nothing to wait on from here.
				Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
				continue;
			}
			// The reader has left: end as a program that SIGPIPE ends.
			if (code === 'EPIPE') process.exit(141);
			// What can't be told can't be told on stderr either.
			if (code === 'EIO' || code === 'EBADF' || fd === 2) return;
			if (code === 'ENOSPC') throw new CliError('write /dev/stdout: no space left on device');
			throw error;
		}
	}
}

/** An error while an archive went to `path`, empty for standard output: in docker's words when there is no room. */
export function archiveError(error: unknown, path: string): unknown {
	if (!isErrno(error, 'ENOSPC', 'EDQUOT', 'EFBIG')) return error;
	return new CliError(systemWords({code: error.code, syscall: 'write', path: path || '/dev/stdout'}));
}

export const writeOut = (data: string | Uint8Array): void => writeAll(1, data);
export const writeErr = (data: string | Uint8Array): void => writeAll(2, data);
export const printLine = (line: string): void => writeAll(1, `${line}\n`);
export const printError = (line: string): void => writeAll(2, `${line}\n`);
