/** Writes small trees as tar archives (POSIX.1-2001 ustar, pax records for long names), always the same bytes. */
import {once} from 'node:events';
import type {Writable} from 'node:stream';

export type ArchiveEntry = {
	/** Relative, without a slash at the end. */
	readonly path: string;
	readonly mode: number;
} & (
	| {readonly type: 'folder'}
	| {readonly type: 'link'; readonly target: string}
	| {readonly type: 'file'; readonly content: Buffer}
);

const block = 512;
const largestOctal = 8 ** 11 - 1;
const flags = {file: '0', link: '2', folder: '5', extended: 'x'} as const;

interface Header {
	name: string;
	mode: number;
	size: number;
	flag: string;
	target?: string;
}

function header({name, mode, size, flag, target = ''}: Header): Buffer {
	const bytes = Buffer.alloc(block);
	bytes.write(name, 0, 100);
	bytes.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
	// Owner, group and time are 0: the same files give the same digest everywhere.
	bytes.write('0000000\0', 108);
	bytes.write('0000000\0', 116);
	if (size <= largestOctal) bytes.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
	else {
		// GNU's and star's way with numbers that octal digits can't hold.
		bytes.writeBigUInt64BE(BigInt(size), 128);
		bytes[124] = 0x80;
	}
	bytes.write('00000000000\0', 136);
	bytes.write(' '.repeat(8), 148);
	bytes.write(flag, 156);
	bytes.write(target, 157, 100);
	bytes.write('ustar\x0000', 257, 'latin1');
	const sum = bytes.reduce((total, byte) => total + byte, 0);
	bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
	return bytes;
}

const padding = (size: number): Buffer => Buffer.alloc((block - (size % block)) % block);

/** `LENGTH KEY=VALUE\n`, where the length counts itself. */
function record(key: string, value: string): string {
	const rest = ` ${key}=${value}\n`;
	const size = Buffer.byteLength(rest);
	let length = size + String(size).length;
	if (String(length).length > String(size).length) length = size + String(length).length;
	return `${length}${rest}`;
}

function extended(records: Record<string, string>): Buffer[] {
	const content = Buffer.from(
		Object.entries(records)
			.map(([key, value]) => record(key, value))
			.join(''),
	);
	return [
		header({name: 'pax', mode: 0o644, size: content.length, flag: flags.extended}),
		content,
		padding(content.length),
	];
}

/** What stands before a file's content, and what after it, for files that are not in memory. */
export function fileFrame(path: string, mode: number, size: number): {before: Buffer; after: Buffer} {
	return {before: header({name: path, mode, size, flag: flags.file}), after: padding(size)};
}

export const folderHeader = (path: string, mode: number): Buffer =>
	header({name: `${path}/`, mode, size: 0, flag: flags.folder});

export const archiveEnd = (): Buffer => Buffer.alloc(2 * block);

/** The archive in pieces. Entries are sorted by path, so folders come before what they hold. */
export function writeArchive(entries: Iterable<ArchiveEntry>): Buffer[] {
	const sorted = [...entries].sort((left, right) =>
		left.path < right.path ? -1 : left.path > right.path ? 1 : 0,
	);
	const pieces = sorted.flatMap((entry) => {
		const name = entry.type === 'folder' ? `${entry.path}/` : entry.path;
		const target = entry.type === 'link' ? entry.target : '';
		const content = entry.type === 'file' ? entry.content : Buffer.alloc(0);
		const long: Record<string, string> = {};
		if (Buffer.byteLength(name) > 100) long.path = name;
		if (Buffer.byteLength(target) > 100) long.linkpath = target;
		return [
			...(Object.keys(long).length > 0 ? extended(long) : []),
			header({name, mode: entry.mode, size: content.length, flag: flags[entry.type], target}),
			content,
			padding(content.length),
		];
	});
	return [...pieces, Buffer.alloc(2 * block)];
}

/** Writes bytes and waits until there is room for more. Throws the error of an output that is broken. */
export async function put(output: Writable, bytes: Buffer): Promise<void> {
	// A broken one has told so once, and never drains.
	if (output.errored) throw output.errored;
	if (!output.write(bytes)) await once(output, 'drain');
}
