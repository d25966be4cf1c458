/** Tar archives made by hand, byte by byte, so that wrong ones can be made as well. */
import {Buffer} from 'node:buffer';

export interface Header {
	readonly name: string;
	readonly type?: string;
	readonly mode?: number;
	readonly uid?: number;
	readonly gid?: number;
	/** What the header claims; by default the size of the data. */
	readonly size?: number | string | Buffer;
	readonly mtime?: number;
	readonly link?: string;
	readonly major?: number;
	readonly minor?: number;
	readonly prefix?: string;
	readonly magic?: string;
	/** Bytes put into the header at these offsets before the checksum is made. */
	readonly raw?: Readonly<Record<number, Buffer | string>>;
	readonly badChecksum?: boolean;
}

const blockSize = 512;

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;

/** GNU's base-256 numbers. */
export function base256(value: bigint, width: number): Buffer {
	const bytes = Buffer.alloc(width);
	let rest = BigInt.asUintN(width * 8, value);
	for (let index = width - 1; index >= 0; index--) {
		bytes[index] = Number(rest & 0xffn);
		rest >>= 8n;
	}
	bytes[0] = value < 0n ? 0xff : 0x80 | (bytes[0] ?? 0);
	return bytes;
}

export function padded(data: Buffer): Buffer {
	return Buffer.concat([data, Buffer.alloc((blockSize - (data.length % blockSize)) % blockSize)]);
}

export function header(fields: Header, dataSize = 0): Buffer {
	const block = Buffer.alloc(blockSize);
	const put = (offset: number, value: Buffer | string) => Buffer.from(value).copy(block, offset);
	put(0, Buffer.from(fields.name).subarray(0, 100));
	put(100, octal(fields.mode ?? 0o644, 8));
	put(108, octal(fields.uid ?? 0, 8));
	put(116, octal(fields.gid ?? 0, 8));
	const size = fields.size ?? dataSize;
	put(124, typeof size === 'number' ? octal(size, 12) : size);
	put(136, octal(fields.mtime ?? 1_000_000_000, 12));
	block[156] = (fields.type ?? '0').charCodeAt(0);
	put(157, Buffer.from(fields.link ?? '').subarray(0, 100));
	put(257, fields.magic ?? 'ustar\x0000');
	put(329, octal(fields.major ?? 0, 8));
	put(337, octal(fields.minor ?? 0, 8));
	put(345, fields.prefix ?? '');
	for (const [offset, value] of Object.entries(fields.raw ?? {})) put(Number(offset), value);
	block.fill(' ', 148, 156);
	let sum = 0;
	for (const byte of block) sum += byte;
	put(148, `${(sum + (fields.badChecksum ? 1 : 0)).toString(8).padStart(6, '0')}\0 `);
	return block;
}

export function entry(fields: Header, data: Buffer | string = ''): Buffer {
	const bytes = Buffer.from(data);
	return Buffer.concat([header(fields, bytes.length), padded(bytes)]);
}

export const file = (name: string, data = name, fields: Partial<Header> = {}): Buffer =>
	entry({...fields, name}, data);
export const folder = (name: string, fields: Partial<Header> = {}): Buffer =>
	entry({mode: 0o755, ...fields, name, type: '5'});
export const symlink = (name: string, link: string): Buffer => entry({name, link, type: '2', mode: 0o777});
export const hardLink = (name: string, link: string): Buffer => entry({name, link, type: '1'});

/** A pax header for the next entry. */
export function pax(records: readonly (readonly [string, string | Buffer])[], type = 'x'): Buffer {
	const lines = records.map(([key, value]) => {
		const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
		let length = rest.length;
		while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
		return Buffer.concat([Buffer.from(String(length)), rest]);
	});
	return entry({name: 'PaxHeaders/x', type}, Buffer.concat(lines));
}

/** GNU's long name ('L') or long link ('K') for the next entry. */
export const longName = (name: string, type: 'L' | 'K' = 'L'): Buffer =>
	entry({name: '././@LongLink', type, magic: 'ustar  \0'}, `${name}\0`);

export const archive = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, Buffer.alloc(2 * blockSize)]);
