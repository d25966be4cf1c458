/**
 * The files of a log: `<id>-json.log`, `.1`, `.2`, ... (higher is older; full ones may be `.1.gz`), each with its
 * index (runtime/monitor-protocol.ts), and where in them a reader has to begin.
 */
import {
	closeSync,
	constants,
	createReadStream,
	fstatSync,
	openSync,
	readSync,
	statSync,
	unlinkSync,
	writeSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {createGunzip} from 'node:zlib';
import {logIndexPath, logIndexRecord} from '../../runtime/monitor-protocol.ts';
import {isErrno} from '../errors.ts';
import {parseTimestamp} from '../files.ts';

/** More files than a log has: the reader's own bound on what a folder may claim. */
const maxFiles = 1000;
const scanChunk = 256 << 10;
/** From <fcntl.h>; with O_DIRECTORY in it on every architecture. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** A file and its index as they were when it was opened, whatever their names are by now. */
export class LogFile {
	fd: number;
	readonly path: string;
	readonly inode: number;
	/** That of the index, which a file keeps when it is compressed; the file's own when it has none. */
	readonly identity: number;
	readonly #index: number | undefined;
	#packed: boolean;

	constructor(fd: number, path: string, index: number | undefined, packed: boolean) {
		this.fd = fd;
		this.path = path;
		this.inode = fstatSync(fd).ino;
		this.identity = index === undefined ? this.inode : fstatSync(index).ino;
		this.#index = index;
		this.#packed = packed;
	}

	/** Makes the lines of a compressed file readable by `fd`. What is damaged is left out. */
	async unpack(): Promise<void> {
		if (!this.#packed) return;
		this.#packed = false;
		const packed = this.fd;
		this.fd = openScratch(dirname(this.path));
		try {
			const source = createReadStream('', {fd: packed, start: 0, autoClose: false});
			const unpacked = source.pipe(createGunzip());
			source.on('error', (error) => unpacked.destroy(error));
			for await (const chunk of unpacked as AsyncIterable<Buffer>) {
				for (let done = 0; done < chunk.length; ) done += writeSync(this.fd, chunk, done);
			}
		} catch (error) {
			if (!/^Z_/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
		} finally {
			closeSync(packed);
		}
	}

	/** Entries that can't be (a torn one, one beyond the end) end the index. */
	readIndex(): IndexEntry[] {
		if (this.#index === undefined) return [];
		const data = Buffer.alloc(fstatSync(this.#index).size);
		const length = readSync(this.#index, data, 0, data.length, 0);
		const {size} = fstatSync(this.fd);
		const entries: IndexEntry[] = [];
		for (let at = 0; at + logIndexRecord <= length; at += logIndexRecord) {
			const entry = {
				offset: Number(data.readBigUInt64LE(at)),
				line: Number(data.readBigUInt64LE(at + 8)),
				time: data.readBigUInt64LE(at + 16),
			};
			const before = entries.at(-1);
			const grows = !before || (entry.offset > before.offset && entry.line > before.line);
			if (entry.offset >= size || !grows) break;
			// The index may belong to another file, after a rotation: a line begins after a line's end.
			if (entry.offset > 0 && byteAt(this.fd, entry.offset - 1) !== 10) break;
			entries.push(entry);
		}
		return entries;
	}

	close(): void {
		closeSync(this.fd);
		if (this.#index !== undefined) closeSync(this.#index);
	}
}

const isSame = (one: LogFile, other: LogFile): boolean =>
	one.inode === other.inode || one.identity === other.identity;

export interface IndexEntry {
	offset: number;
	line: number;
	time: bigint;
}

/** A file without a name. */
function openScratch(folder: string): number {
	try {
		return openSync(folder, O_TMPFILE | constants.O_RDWR, 0o600);
	} catch {
		const path = join(folder, `.unpacked-${process.pid}-${process.hrtime.bigint()}`);
		const fd = openSync(path, 'wx+', 0o600);
		unlinkSync(path);
		return fd;
	}
}

function openIfThere(path: string): number | undefined {
	try {
		return openSync(path, 'r');
	} catch (error) {
		if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
		throw error;
	}
}

function openLog(path: string): LogFile | undefined {
	let fd = openIfThere(path);
	const packed = fd === undefined;
	fd ??= openIfThere(`${path}.gz`);
	return fd === undefined ? undefined : new LogFile(fd, path, openIfThere(logIndexPath(path)), packed);
}

/** All files, oldest first. */
export function openLogs(path: string): LogFile[] {
	for (let attempt = 0; ; attempt++) {
		const files: LogFile[] = [];
		// A rotation moves the names along from the highest down, and has one missing at any moment.
		let missing = 0;
		for (let number = 0; number < maxFiles && missing < 2; number++) {
			const file = openLog(number === 0 ? path : `${path}.${number}`);
			missing = file ? 0 : missing + 1;
			if (!file) continue;
			if (files.some((other) => isSame(other, file))) file.close();
			else files.unshift(file);
		}
		// A rotation meanwhile has moved the names along, and one file may have been missed.
		const current = files.at(-1);
		const still = current?.path !== path || statSync(path, {throwIfNoEntry: false})?.ino === current.inode;
		if (still || attempt === 5) return files;
		for (const file of files) file.close();
	}
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
export async function tailStart(files: readonly LogFile[], count: number): Promise<Map<LogFile, number>> {
	const starts = new Map<LogFile, number>();
	let missing = count;
	for (const file of files.toReversed()) {
		if (missing <= 0) break;
		await file.unpack();
		const index = [{offset: 0, line: 0}, ...file.readIndex()];
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
	const head = Buffer.alloc(256 << 10);
	const text = head.toString('utf8', 0, readSync(file.fd, head, 0, head.length, 0));
	const line = text.slice(0, Math.max(0, text.indexOf('\n')));
	const match = /"time":"([^"]+)"\}$/.exec(line);
	return match ? parseTimestamp(match[1]!) : undefined;
}

/** Where to begin for the lines since a time; some that come before it are still to be skipped. */
export async function sinceStart(files: readonly LogFile[], since: bigint): Promise<Map<LogFile, number>> {
	const starts = new Map<LogFile, number>();
	for (const file of files.toReversed()) {
		await file.unpack();
		const before = file.readIndex().findLast((entry) => entry.time < since);
		starts.set(file, before?.offset ?? 0);
		const first = firstTime(file);
		if (first !== undefined && first < since) break;
	}
	return starts;
}

/** The files that have come after this one, oldest first. */
export function newerLogs(path: string, current: LogFile | undefined): LogFile[] {
	const name = statSync(path, {throwIfNoEntry: false});
	if (!name || name.ino === current?.inode) return [];
	const files = openLogs(path);
	const at = files.findIndex((file) => current && isSame(file, current));
	for (const file of files.slice(0, at + 1)) file.close();
	return files.slice(at + 1);
}
