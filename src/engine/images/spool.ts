/**
 * An archive of images on the disk: read once, front to back, into files that may become blobs. All of it is a
 * stranger's: paths are names in a table and never reach the file system.
 */
import {closeSync, mkdirSync, openSync, readSync, unlinkSync} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {join, posix} from 'node:path';
import {Readable, type Transform} from 'node:stream';
import {Parser, type ReadEntry} from 'tar';
import {native} from '../../kernel/native.ts';
import {isErrno, WherryError} from '../errors.ts';
import {digestHex, isDigest} from '../store/digest.ts';
import {type EarlyReader, Reading} from './reading.ts';

/** A file of the archive, spooled; not synced. */
export interface Spooled {
	readonly file: string;
	readonly size: number;
	readonly digest: string;
}

/** Entries in one archive: 500 layers with three files each, for a few hundred images. */
const mostEntries = 200_000;
const mostLinks = 8;

/** Bytes that a decoder of whole archives gives at a time. */
const chunkSize = 256 << 10;

export const corrupt = (message: string): WherryError => new WherryError('corrupt', message);

/** The beginning of a stream, and the whole of it again. */
async function peek(input: Readable, length: number): Promise<{head: Buffer; whole: Readable}> {
	const chunks: Buffer[] = [];
	let size = 0;
	const iterator = input[Symbol.asyncIterator]();
	while (size < length) {
		const {done, value} = await iterator.next();
		if (done) break;
		chunks.push(Buffer.from(value));
		size += value.length;
	}
	const head = Buffer.concat(chunks);
	const whole = Readable.from(
		(async function* () {
			if (head.length > 0) yield head;
			for (;;) {
				const {done, value} = await iterator.next();
				if (done) return;
				yield value as Buffer;
			}
		})(),
		{objectMode: false},
	);
	return {head, whole};
}

/** What the first bytes of a file say that it is. */
export function compressionOf(head: Buffer): 'gzip' | 'zstd' | 'other' | undefined {
	if (head.length >= 3 && head[0] === 0x1f && head[1] === 0x8b && head[2] === 8) return 'gzip';
	if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
	// A frame that decoders skip, as zstd:chunked and pzstd put one first (RFC 8878, section 3.1.2).
	if (head.length >= 4 && head.readUInt32LE(0) >>> 4 === 0x184d2a5) return 'zstd';
	const text = head.toString('latin1');
	if (text.startsWith('BZh') || text.startsWith('\xfd7zXZ\0')) return 'other';
	return undefined;
}

/** bzip2 and xz: their decoders want files, which have no names for longer than they are needed. */
async function decoded(input: Readable, folder: string): Promise<Readable> {
	const [packed, unpacked] = [join(folder, 'packed'), join(folder, 'unpacked')];
	const from = await open(packed, 'wx+', 0o600);
	let to: FileHandle | undefined;
	try {
		unlinkSync(packed);
		to = await open(unpacked, 'wx+', 0o600);
		unlinkSync(unpacked);
		let at = 0;
		for await (const chunk of input)
			at += (await from.write(chunk as Buffer, 0, chunk.length, at)).bytesWritten;
		await native.decodeFile(from.fd, to.fd);
		return to.createReadStream({start: 0});
	} catch (error) {
		await to?.close();
		if (!isErrno(error, 'EBADLAYER')) throw error;
		throw new WherryError('corrupt', `the archive can't be read: ${error.message}`, {cause: error});
	} finally {
		await from.close();
	}
}

/**
 * A stream that is a layer as it is, and how it is compressed. Only bzip2 and xz, which layers don't have, are undone.
 * `folder`: where there is room for files, for these.
 */
export async function layerStream(
	input: Readable,
	folder?: string,
): Promise<{kind: 'gzip' | 'zstd' | undefined; whole: Readable}> {
	const {head, whole} = await peek(input, 6);
	if (head.length === 0) throw corrupt('the archive is empty');
	const kind = compressionOf(head);
	if (kind !== 'other') return {kind, whole};
	if (folder !== undefined) return {kind: undefined, whole: await decoded(whole, folder)};
	throw new WherryError('unsupported', 'layers compressed with bzip2 or xz are not supported');
}

/** A stream without its compression. `folder`: where there is room for files, for bzip2 and xz. */
export async function plain(input: Readable, folder?: string): Promise<Readable> {
	const {kind, whole} = await layerStream(input, folder);
	if (kind === undefined) return whole;
	const zlib = process.getBuiltinModule('node:zlib');
	const inflate: Transform =
		kind === 'gzip' ? zlib.createGunzip({chunkSize}) : zlib.createZstdDecompress({chunkSize});
	whole.on('error', (error) => inflate.destroy(error));
	return whole.pipe(inflate);
}

/** Writes the files of an archive to a folder, and what its paths mean. */
export class Spool {
	readonly folder: string;
	readonly files = new Map<string, Spooled>();
	readonly links = new Map<string, string>();
	readonly #early: EarlyReader | undefined;
	/** Files whose digest is not known yet. */
	readonly #unnamed: Promise<unknown>[] = [];
	#entries = 0;

	constructor(folder: string, early?: EarlyReader) {
		this.folder = folder;
		this.#early = early;
		mkdirSync(folder, {recursive: true, mode: 0o700});
	}

	async read(input: Readable, signal: AbortSignal | undefined): Promise<void> {
		let failure: unknown;
		let working: Promise<void> = Promise.resolve();
		const parser = new Parser({
			strict: true,
			onReadEntry: (entry) => {
				const previous = working;
				working = previous
					.then(() => this.#entry(entry))
					.catch((error) => {
						failure ??= error;
						entry.resume();
					});
			},
		});
		const ended = new Promise<void>((resolve, reject) => {
			parser.on('end', resolve);
			parser.on('error', reject);
		});
		ended.catch(() => {});
		try {
			for await (const chunk of input) {
				signal?.throwIfAborted();
				if (failure) throw failure;
				if (!parser.write(chunk as Buffer)) {
					await Promise.race([new Promise((resolve) => parser.once('drain', resolve)), ended]);
				}
			}
			parser.end();
			await ended;
		} catch (error) {
			if (error instanceof WherryError || signal?.aborted) throw error;
			throw new WherryError('corrupt', `the archive can't be read: ${(error as Error).message}`, {
				cause: error,
			});
		}
		await working;
		if (failure) throw failure;
		await Promise.all(this.#unnamed);
		if (this.#entries === 0) throw corrupt('the archive is empty');
	}

	async #entry(entry: ReadEntry): Promise<void> {
		if (++this.#entries > mostEntries) throw corrupt(`the archive has more than ${mostEntries} entries`);
		const path = clean(entry.path);
		if (entry.type === 'SymbolicLink' || entry.type === 'Link') {
			const target = entry.linkpath ?? '';
			const base = entry.type === 'Link' ? '' : posix.dirname(path);
			this.links.set(path, clean(posix.join(base, target)));
			entry.resume();
			return;
		}
		if (!['File', 'OldFile', 'ContiguousFile'].includes(entry.type)) {
			entry.resume();
			return;
		}
		const file = join(this.folder, String(this.#entries));
		const handle = await open(file, 'wx', 0o600);
		const reading = new Reading(this.#early, path, entry.size ?? 0);
		let size = 0;
		try {
			for await (const chunk of entry as unknown as AsyncIterable<Buffer>) {
				const writing = handle.writeFile(chunk);
				writing.catch(() => {});
				size += chunk.length;
				await reading.write(chunk);
				await writing;
			}
		} finally {
			await handle.close();
		}
		const name = (digest: string) => this.files.set(path, {file, size, digest});
		name('');
		const naming = reading.digest(file).then(name);
		naming.catch(() => {});
		this.#unnamed.push(naming);
	}

	/** The file that a path of the archive means, through its links. */
	find(path: string): Spooled | undefined {
		let at = clean(path);
		for (let hop = 0; hop <= mostLinks; hop++) {
			const file = this.files.get(at);
			if (file) return file;
			const target = this.links.get(at);
			if (target === undefined) return undefined;
			at = target;
		}
		return undefined;
	}

	document(path: string, limit: number): Buffer | undefined {
		const found = this.find(path);
		if (!found) return undefined;
		if (found.size > limit) throw corrupt(`${path} in the archive is larger than ${limit} bytes`);
		return readWhole(found);
	}

	blob(digest: string): Spooled | undefined {
		return isDigest(digest) ? this.find(`blobs/sha256/${digestHex(digest)}`) : undefined;
	}
}

const clean = (path: string): string => posix.normalize(`/${path}`).slice(1).replace(/\/$/, '');

export function readWhole({file, size}: Spooled): Buffer {
	const bytes = Buffer.alloc(size);
	const fd = openSync(file, 'r');
	try {
		let at = 0;
		while (at < size) {
			const length = readSync(fd, bytes, at, size - at, at);
			if (length === 0) break;
			at += length;
		}
		return bytes.subarray(0, at);
	} finally {
		closeSync(fd);
	}
}

export function headOf({file}: Spooled): Buffer {
	const head = Buffer.alloc(6);
	const fd = openSync(file, 'r');
	try {
		return head.subarray(0, readSync(fd, head, 0, 6, 0));
	} finally {
		closeSync(fd);
	}
}
