/** Which files are archives that ADD unpacks: tar, plain or compressed with gzip, bzip2, xz or zstd. */
import {closeSync, openSync} from 'node:fs';
import {native} from '../../kernel/native.ts';

const blockSize = 512;

/** Whether a block is a header by its checksum, which old archives without a magic have too (POSIX, ustar). */
function isHeader(block: Uint8Array): boolean {
	if (block.length < blockSize) return false;
	const field = Buffer.from(block.subarray(148, 156)).toString('latin1');
	const digits = /^\s*([0-7]+)[\s\0]*$/.exec(field)?.[1];
	if (digits === undefined) return false;
	let sum = 0;
	for (let at = 0; at < blockSize; at++) sum += at >= 148 && at < 156 ? 32 : block[at]!;
	return sum === Number.parseInt(digits, 8);
}

export function isArchive(file: string): boolean {
	const fd = openSync(file, 'r');
	try {
		const head = native.decodeHead(fd, blockSize);
		return head !== undefined && isHeader(head);
	} finally {
		closeSync(fd);
	}
}
