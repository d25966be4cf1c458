/** Small files that are replaced as a whole: written beside, then renamed. */
import {closeSync, fsyncSync, openSync, readFileSync, renameSync, unlinkSync, writeSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {native} from '../kernel/native.ts';
import {isErrno} from './errors.ts';

let serial = 0;

/** With `sync` the content is on the disk before the name is: for what a power cut must not lose. */
export function replaceFile(
	path: string,
	content: string | Uint8Array,
	options: {mode?: number; sync?: boolean} = {},
): void {
	const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${serial++}`);
	const fd = openSync(temporary, 'wx', options.mode ?? 0o600);
	try {
		const bytes = typeof content === 'string' ? Buffer.from(content) : content;
		let done = 0;
		while (done < bytes.byteLength) done += writeSync(fd, bytes, done);
		if (options.sync) fsyncSync(fd);
		closeSync(fd);
		renameSync(temporary, path);
	} catch (error) {
		try {
			closeSync(fd);
		} catch {}
		try {
			unlinkSync(temporary);
		} catch {}
		throw error;
	}
}

/** Undefined when it is not there. */
export function readIfThere(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
		throw error;
	}
}

/** Below so many, files are read one by one, which needs no thread. */
const few = 8;

/** Of at most `most` bytes each; undefined for one that can't be read. Many are read natively in one go. */
export async function readMany(paths: readonly string[], most: number): Promise<(string | undefined)[]> {
	if (paths.length < few) {
		return paths.map((path) => {
			try {
				return readFileSync(path, 'utf8');
			} catch {
				return undefined;
			}
		});
	}
	const texts = await native.readFiles(paths, most);
	return texts.map((bytes) =>
		// Each character is a byte of UTF-8.
		bytes !== undefined && /[\x80-\xff]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString() : bytes,
	);
}

export function unlinkIfThere(path: string): void {
	try {
		unlinkSync(path);
	} catch (error) {
		if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
	}
}

/** The time as RFC 3339 with nanoseconds, UTC, as docker writes it. */
export function timestamp(nanoseconds: bigint): string {
	const seconds = new Date(Number(nanoseconds / 1_000_000n)).toISOString().slice(0, 19);
	return `${seconds}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}Z`;
}

/** Nanoseconds since the epoch of an RFC 3339 time; undefined when it is none. */
export function parseTimestamp(text: string): bigint | undefined {
	const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(text);
	if (!match) return undefined;
	const milliseconds = Date.parse(`${match[1]}${match[3]}`);
	if (Number.isNaN(milliseconds)) return undefined;
	return BigInt(milliseconds) * 1_000_000n + BigInt((match[2] ?? '0').padEnd(9, '0'));
}
