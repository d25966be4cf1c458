/**
 * The files of a json-file log: `container.log`, `.1`, `.2`, ... (higher is older), each with its index
 * (runtime/monitor-protocol.ts), and where in them a reader has to begin.
 */
import {closeSync, fstatSync, openSync, readFileSync, readSync} from 'node:fs';
import {logIndexRecord} from '../../runtime/monitor-protocol.ts';
import {isErrno} from '../errors.ts';
import {parseTimestamp} from '../files.ts';

/** More files than a log has: the reader's own bound on what a folder may claim. */
const maxFiles = 1000;
const scanChunk = 256 << 10;

export interface LogFile {
	fd: number;
	inode: number;
	path: string;
}

export function openLog(path: string): LogFile | undefined {
	try {
		const fd = openSync(path, 'r');
		return {fd, inode: fstatSync(fd).ino, path};
	} catch (error) {
		if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
		throw error;
	}
}

/** All files, oldest first. A rotation meanwhile shows one twice; it is then taken once. */
export function openLogs(path: string): LogFile[] {
	const files: LogFile[] = [];
	for (let number = 0; number < maxFiles; number++) {
		const file = openLog(number === 0 ? path : `${path}.${number}`);
		if (!file) {
			if (number === 0) continue;
			break;
		}
		if (files.some((other) => other.inode === file.inode)) closeSync(file.fd);
		else files.unshift(file);
	}
	return files;
}

export interface IndexEntry {
	offset: number;
	line: number;
	time: bigint;
}

/** The index of a file; entries that can't be (a torn one, one beyond the end) end it. */
export function readIndex(file: LogFile): IndexEntry[] {
	let data: Buffer;
	try {
		data = readFileSync(`${file.path}.idx`);
	} catch {
		return [];
	}
	const size = fstatSync(file.fd).size;
	const entries: IndexEntry[] = [];
	for (let at = 0; at + logIndexRecord <= data.length; at += logIndexRecord) {
		const entry = {
			offset: Number(data.readBigUInt64LE(at)),
			line: Number(data.readBigUInt64LE(at + 8)),
			time: data.readBigUInt64LE(at + 16),
		};
		const before = entries.at(-1);
		const grows = !before || (entry.offset > before.offset && entry.line > before.line);
		if (entry.offset >= size || !grows) break;
		// The index may belong to another file, after a rotation: a line begins after a line's end.
		if (entry.offset > 0 && byteAt(file.fd, entry.offset - 1) !== 10) break;
		entries.push(entry);
	}
	return entries;
}

function byteAt(fd: number, offset: number): number {
	const byte = Buffer.alloc(1);
	return readSync(fd, byte, 0, 1, offset) === 1 ? byte[0]! : -1;
}

/** Offsets of line starts, from a line start on. */
function* lineStarts(fd: number, from: number): Generator<number> {
	const chunk = Buffer.allocUnsafe(scanChunk);
	let offset = from;
	let start = from;
	for (;;) {
		const length = readSync(fd, chunk, 0, scanChunk, offset);
		if (length === 0) return;
		const data = chunk.subarray(0, length);
		for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, at + 1)) {
			yield start;
			start = offset + at + 1;
		}
		offset += length;
	}
}

/** Where to begin in which files for the last `count` lines. */
export function tailStart(files: readonly LogFile[], count: number): Map<LogFile, number> {
	const starts = new Map<LogFile, number>();
	let missing = count;
	for (const file of files.toReversed()) {
		if (missing <= 0) break;
		const index = [{offset: 0, line: 0}, ...readIndex(file)];
		const last = index.at(-1)!;
		let total = last.line;
		for (const _ of lineStarts(file.fd, last.offset)) total++;
		if (total <= missing) {
			starts.set(file, 0);
			missing -= total;
			continue;
		}
		const first = total - missing;
		const near = index.findLast((entry) => entry.line <= first)!;
		let line = near.line;
		for (const start of lineStarts(file.fd, near.offset)) {
			if (line++ === first) {
				starts.set(file, start);
				break;
			}
		}
		missing = 0;
	}
	return starts;
}

/** The time of the first line; undefined when there is none. */
function firstTime(file: LogFile): bigint | undefined {
	const head = Buffer.alloc(128 << 10);
	const text = head.toString('utf8', 0, readSync(file.fd, head, 0, head.length, 0));
	const line = text.slice(0, Math.max(0, text.indexOf('\n')));
	const match = /"time":"([^"]+)"\}$/.exec(line);
	return match ? parseTimestamp(match[1]!) : undefined;
}

/** Where to begin for the lines since a time; some that come before it are still to be skipped. */
export function sinceStart(files: readonly LogFile[], since: bigint): Map<LogFile, number> {
	const starts = new Map<LogFile, number>();
	for (const file of files.toReversed()) {
		const before = readIndex(file).findLast((entry) => entry.time < since);
		starts.set(file, before?.offset ?? 0);
		const first = firstTime(file);
		if (first !== undefined && first < since) break;
	}
	return starts;
}
