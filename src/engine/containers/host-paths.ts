/** The host's side of `docker cp`: what is copied, and where a copy goes. Errors are worded as docker's client words them. */
import {lstatSync, readlinkSync, realpathSync, type Stats, statSync} from 'node:fs';
import {posix, resolve} from 'node:path';
import {isErrno} from '../errors.ts';
import {
	type CopyDestination,
	CopyRefusal,
	type CopySource,
	cleanPath,
	folderOf,
	hasTrailingSlash,
	keepTrailing,
	notDirectory,
	rebased,
	splitEntry,
} from './copy-paths.ts';
import {systemWords} from './system-words.ts';

const refusal = (error: unknown): CopyRefusal =>
	error instanceof CopyRefusal ? error : new CopyRefusal('invalid', systemWords(error), {cause: error});

/** With its trailing `/` or `/.`, which means something. */
export const absolutePath = (path: string): string => keepTrailing(resolve(path), path);

/** With a trailing slash a file is no such thing. */
function lstat(path: string): Stats {
	try {
		return lstatSync(path);
	} catch (error) {
		throw refusal(error);
	}
}

/** The path without links; Go's filepath.EvalSymlinks. */
function real(path: string): string {
	try {
		return realpathSync.native(path);
	} catch (error) {
		if (isErrno(error, 'ENOTDIR')) throw notDirectory();
		throw refusal(Object.assign(error as Error, {syscall: 'lstat', path: missingIn(path)}));
	}
}

/** The first name of a path that nothing has, or what a link there leads to. */
function missingIn(path: string): string {
	for (let slash = path.indexOf('/', 1); ; slash = path.indexOf('/', slash + 1)) {
		const part = slash < 0 ? path : path.slice(0, slash);
		const status = lstatSync(part, {throwIfNoEntry: false});
		if (!status) return part;
		if (status.isSymbolicLink() && !statSync(part, {throwIfNoEntry: false})) {
			return resolve(folderOf(part), readlinkSync(part));
		}
		if (slash < 0) return path;
	}
}

/** What is copied from the host. Links before the last name are replaced, and with `followLink` that, too. */
export function hostSource(given: string, followLink: boolean): CopySource {
	const path = absolutePath(given);
	let found: {path: string; name: string | undefined};
	if (followLink) found = rebased(path, real(path));
	else {
		const slash = path.lastIndexOf('/');
		const folder = real(path.slice(0, slash + 1));
		const name = path.slice(slash + 1);
		found = {path: `${folder === '/' ? '' : folder}/${name}`, name: undefined};
		// `link/`: the copy is called as the link is.
		if (hasTrailingSlash(path)) {
			const own = posix.basename(path);
			if (posix.basename(folder) !== own && name === '') found.name = own;
		}
	}
	return {path: found.path, isFolder: lstat(found.path).isDirectory(), name: found.name};
}

const mostLinks = 10;

/** Where a copy goes on the host: a link is followed, also one that leads to nothing yet. */
export function hostDestination(given: string): CopyDestination {
	let path = absolutePath(given);
	for (let links = 0; ; links++) {
		let status: Stats;
		try {
			status = lstatSync(path);
		} catch (error) {
			if (!isErrno(error, 'ENOENT')) throw refusal(error);
			return missingDestination(path);
		}
		if (!status.isSymbolicLink()) return {path, exists: true, isFolder: status.isDirectory()};
		if (links > mostLinks) throw new CopyRefusal('invalid', `too many symlinks in ${given}`);
		const target = readlinkSync(path);
		path = target.startsWith('/') ? target : posix.join(splitEntry(path).folder, target);
	}
}

function missingDestination(path: string): CopyDestination {
	const {folder} = splitEntry(path);
	let status: Stats;
	try {
		status = statSync(folder);
	} catch (error) {
		throw refusal(error);
	}
	if (!status.isDirectory()) throw notDirectory();
	return {path, exists: false, isFolder: false};
}

/** docker's check of a path for output, before anything else is done. */
export function checkOutput(given: string): void {
	const path = absolutePath(given);
	const folder = folderOf(cleanPath(path));
	if (!statSync(folder, {throwIfNoEntry: false})) {
		throw new CopyRefusal(
			'invalid',
			`invalid output path: directory ${JSON.stringify(folder)} does not exist`,
		);
	}
	let status: Stats | undefined;
	try {
		status = statSync(path, {throwIfNoEntry: false});
	} catch (error) {
		throw refusal(error);
	}
	if (status?.isCharacterDevice() || status?.isBlockDevice()) {
		throw new CopyRefusal(
			'invalid',
			`invalid output path: ${JSON.stringify(path)} must be a directory or a regular file: got a device`,
		);
	}
}
