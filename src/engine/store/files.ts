/** Writing files so that after a crash there is the old file, the new file, or none, but no half of one. */
import {constants, mkdirSync, readFileSync, statSync, unlinkSync} from 'node:fs';
import {mkdir, open, rename} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {randomHex} from '../../kernel/random.ts';
import {isErrno, WherryError} from '../errors.ts';

const attempt = (run: () => void): void => {
	try {
		run();
	} catch {}
};

/**
 * Undefined when there is no such file. For documents, which are a few kilobytes: read at once, since each of
 * the four calls that it takes would cost more as a task of libuv's threads than it takes itself.
 */
export function readIfThere(path: string): Buffer | undefined {
	try {
		return readFileSync(path);
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return undefined;
		throw error;
	}
}

/**
 * Makes a folder with its parents, where somebody else says which. Node's own `recursive` goes round for ever where
 * nothing can be made, as below /proc, which answers ENOENT.
 */
export function makeFolders(path: string, mode: number): void {
	const make = (): void => {
		try {
			mkdirSync(path, {mode});
		} catch (error) {
			if (!isErrno(error, 'EEXIST') || !statSync(path, {throwIfNoEntry: false})?.isDirectory()) throw error;
		}
	};
	try {
		make();
	} catch (error) {
		if (!isErrno(error, 'ENOENT') || dirname(path) === path) throw error;
		makeFolders(dirname(path), mode);
		make();
	}
}

/** A name beside `path` that nobody else uses. */
export const temporaryName = (path: string): string =>
	join(dirname(path), `.${basename(path)}.${randomHex(6)}`);

/** Replaces a file as a whole; its folder is made when missing. `sync: false` for what can be made again. */
export async function replaceFile(
	path: string,
	bytes: Uint8Array | string,
	options: {sync?: boolean; mode?: number} = {},
): Promise<void> {
	const temporary = temporaryName(path);
	try {
		const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
		const openFile = () => open(temporary, flags, options.mode ?? 0o600);
		const file = await openFile().catch(async (error) => {
			if (!isErrno(error, 'ENOENT')) throw error;
			await mkdir(dirname(path), {recursive: true, mode: 0o700});
			return openFile();
		});
		try {
			await file.writeFile(bytes);
			if (options.sync ?? true) await file.sync();
		} finally {
			await file.close();
		}
		await rename(temporary, path);
	} catch (error) {
		attempt(() => unlinkSync(temporary));
		throw storageError(error, path);
	}
}

export const isFull = (error: unknown): boolean =>
	isErrno(error, 'ENOSPC', 'EDQUOT') || (error instanceof WherryError && error.code === 'exhausted');

/**
 * Puts a shorter JSON text into the blocks that a file has. One write with spaces to the old length: whoever
 * is killed before the file is cut leaves JSON all the same. False when the text is longer than the file.
 */
export async function shrinkFile(path: string, text: string): Promise<boolean> {
	const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
	try {
		const {size} = await file.stat();
		const bytes = Buffer.from(text);
		if (bytes.length > size) return false;
		const padded = Buffer.alloc(size, ' ');
		bytes.copy(padded);
		await file.write(padded, 0, size, 0);
		await file.truncate(bytes.length);
		await file.sync();
		return true;
	} finally {
		await file.close();
	}
}

/** Makes the names in a folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
	const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
	try {
		await folder.sync();
	} finally {
		await folder.close();
	}
}

/** A full disk and the like in words; everything else as it is. */
export function storageError(error: unknown, path: string): unknown {
	const fail = (code: WherryError['code'], message: string) =>
		new WherryError(code, `write ${path}: ${message}`, {object: path, cause: error});
	if (isErrno(error, 'ENOSPC')) return fail('exhausted', 'no space left on device');
	if (isErrno(error, 'EDQUOT')) return fail('exhausted', 'disk quota exceeded');
	if (isErrno(error, 'EROFS')) return fail('denied', 'read-only file system');
	if (isErrno(error, 'EACCES', 'EPERM')) return fail('denied', 'permission denied');
	if (isErrno(error, 'EIO')) return fail('internal', 'input/output error');
	return error;
}
