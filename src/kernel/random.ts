/**
 * Random bytes from the kernel. node:crypto has them too, but loading it takes as long as a short command's
 * own work.
 */
import {closeSync, openSync, readSync} from 'node:fs';

export function randomBytes(size: number): Buffer {
	const bytes = Buffer.alloc(size);
	const fd = openSync('/dev/urandom', 'r');
	try {
		// random(4): reads of up to 256 bytes are never short; longer ones may be.
		for (let at = 0; at < size; ) at += readSync(fd, bytes, at, size - at, null);
	} finally {
		closeSync(fd);
	}
	return bytes;
}

export const randomHex = (size: number): string => randomBytes(size).toString('hex');

/** A whole number from 0 to `end` without it, each equally likely; `end` is at most 2^32. */
export function randomInt(end: number): number {
	const fair = 2 ** 32 - (2 ** 32 % end);
	for (;;) {
		const value = randomBytes(4).readUInt32LE();
		if (value < fair) return value % end;
	}
}
