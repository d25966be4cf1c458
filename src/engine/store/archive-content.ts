/**
 * What the files of a layer hold that is in the store as an uncompressed archive and not unpacked yet: docker calls
 * the sum of their lengths, with those of links, the size of a layer. Only headers are read.
 */
import {type FileHandle, open} from 'node:fs/promises';
import {isErrno} from '../errors.ts';

const block = 512;
/** Longer attributes are not looked into. */
const mostAttributes = 1 << 20;
const readAhead = 64 * 1024;

const padded = (size: number): number => Math.ceil(size / block) * block;

/** Eleven or twelve octal digits, or with the first bit set a number of base 256. */
function number(field: Buffer): number {
	if (field[0]! & 0x80) return Number(field.readBigUInt64BE(field.length - 8));
	const digits = /^[ \0]*([0-7]*)/.exec(field.toString('latin1'))?.[1] ?? '';
	return digits === '' ? 0 : Number.parseInt(digits, 8);
}

const text = (field: Buffer): string => field.toString('latin1').split('\0', 1)[0]!;

/** The attributes of a pax header that lengths depend on. */
function attributes(data: Buffer): Map<string, string> {
	const found = new Map<string, string>();
	let at = 0;
	while (at < data.length) {
		const length = Number.parseInt(data.toString('latin1', at, at + 20), 10);
		if (!(length > 0)) break;
		const [, name, value] = /^\d+ ([^=]*)=(.*)\n$/s.exec(data.toString('utf8', at, at + length)) ?? [];
		if (name !== undefined) found.set(name, value!);
		at += length;
	}
	return found;
}

/** Bytes of an archive from any place on; ahead of what is asked for, since most entries are small. */
class Window {
	readonly #file: FileHandle;
	readonly #bytes = Buffer.alloc(readAhead);
	#start = 0;
	#end = 0;

	constructor(file: FileHandle) {
		this.#file = file;
	}

	async read(at: number, length: number): Promise<Buffer> {
		if (length > readAhead) {
			const bytes = Buffer.alloc(length);
			return bytes.subarray(0, (await this.#file.read(bytes, 0, length, at)).bytesRead);
		}
		if (at < this.#start || at + length > this.#end) {
			this.#start = at;
			this.#end = at + (await this.#file.read(this.#bytes, 0, readAhead, at)).bytesRead;
		}
		return this.#bytes.subarray(at - this.#start, Math.min(at + length, this.#end) - this.#start);
	}
}

/** Bytes; undefined for a file that is not there. What is no archive ends where that shows. */
export async function contentSize(path: string): Promise<number | undefined> {
	let file: FileHandle;
	try {
		file = await open(path);
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return undefined;
		throw error;
	}
	try {
		return await sum(new Window(file));
	} finally {
		await file.close();
	}
}

async function sum(archive: Window): Promise<number> {
	let total = 0;
	let pax = new Map<string, string>();
	let longLink = 0;
	for (let at = 0; Number.isSafeInteger(at) && Number.isSafeInteger(total); ) {
		const header = await archive.read(at, block);
		if (header.length < block || header[0] === 0) break;
		const type = String.fromCharCode(header[156]!);
		const stored = number(header.subarray(124, 136));
		const short = text(header.subarray(157, 257)).length;
		at += block;
		if ('xKgL'.includes(type)) {
			if (type === 'K') longLink = Math.max(0, stored - 1);
			if (type === 'x' && stored <= mostAttributes) pax = attributes(await archive.read(at, stored));
			at += padded(stored);
			continue;
		}
		const size = Number(pax.get('size') ?? stored);
		if (type === '2') total += Buffer.byteLength(pax.get('linkpath') ?? '') || longLink || short;
		if ('07\0'.includes(type)) total += Number(pax.get('GNU.sparse.realsize') ?? size);
		// Links, devices and folders have no data, whatever their header says.
		if (!'123456'.includes(type)) at += padded(size);
		pax = new Map();
		longLink = 0;
	}
	return total;
}
