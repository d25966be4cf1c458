/**
 * The rules of `docker cp` for paths (docker's documentation of the command, and pkg/archive/copy.go): where a
 * copy goes, and what it is called there. Pure. `SRC/.` is the content of a folder, a trailing slash says that
 * something is one. Paths are lexical, as Go's path/filepath has them.
 */
import {posix} from 'node:path';
import {WherryError} from '../errors.ts';

/** What docker's client says itself, without asking its server: printed without a prefix. */
export class CopyRefusal extends WherryError {}

const refusal = (message: string): CopyRefusal => new CopyRefusal('invalid', message);

export const notDirectory = (): CopyRefusal => refusal('not a directory');
const noSuchDirectory = () => refusal('no such directory');
const cannotCopyDirectory = () => refusal('cannot copy directory');

/** filepath.Clean: no trailing slash, no `.`, and `..` only at the beginning of a relative path. */
export const cleanPath = (path: string): string => posix.normalize(path).replace(/(.)\/+$/, '$1');

/** filepath.Base: the last name; `.` of nothing, `/` of the root. */
export function baseName(path: string): string {
	if (path === '') return '.';
	const name = /([^/]*)\/*$/.exec(path)![1]!;
	return name === '' ? '/' : name;
}

/** filepath.Dir: what is before the last slash. */
export const folderOf = (path: string): string => cleanPath(path.slice(0, path.lastIndexOf('/') + 1));

export const hasTrailingSlash = (path: string): boolean => path.endsWith('/');
export const isContent = (path: string): boolean => baseName(path) === '.';
export const assertsFolder = (path: string): boolean => hasTrailingSlash(path) || isContent(path);

/** Gives a cleaned path the trailing `/.` or `/` of the original, which means something. */
export function keepTrailing(cleaned: string, original: string): string {
	let path = cleaned;
	if (!isContent(path) && isContent(original)) path += hasTrailingSlash(path) ? '.' : '/.';
	if (!hasTrailingSlash(path) && hasTrailingSlash(original)) path += '/';
	return path;
}

/** A path in a container: absolute, whatever is written, and clean but for its end. */
export const pathInRoot = (path: string): string => keepTrailing(cleanPath(`/${path}`), path);

/** The folder that an entry is in, and its name; the name of content is `.`. */
export function splitEntry(path: string): {folder: string; name: string} {
	const cleaned = isContent(path) ? `${posix.join(cleanPath(path), '/')}.` : cleanPath(path);
	return {folder: folderOf(cleaned), name: baseName(cleaned)};
}

/**
 * The path that a link was replaced with, with the trailing `/.` or `/` of the path as it was written, and the name
 * that the copy has when that is another one than the path's own.
 */
export function rebased(path: string, resolved: string): {path: string; name: string | undefined} {
	let result = resolved;
	if (isContent(path) && !isContent(result)) result += '/.';
	if (hasTrailingSlash(path) && !hasTrailingSlash(result)) result += '/';
	return {path: result, name: baseName(path) === baseName(result) ? undefined : baseName(path)};
}

export interface CopySource {
	path: string;
	isFolder: boolean;
	/** The name in the archive, where it isn't that of the path. */
	name?: string | undefined;
}

export interface CopyDestination {
	path: string;
	exists: boolean;
	isFolder: boolean;
}

export interface PlannedCopy {
	/** The folder to unpack into. */
	folder: string;
	/** What the source is called there; `.` is its content only. */
	name: string;
}

/** Where a copy goes. Throws docker's refusals. */
export function planCopy(source: CopySource, destination: CopyDestination): PlannedCopy {
	const own = source.name ?? splitEntry(source.path).name;
	if (destination.exists && destination.isFolder) return {folder: destination.path, name: own};
	if (destination.exists && source.isFolder) throw cannotCopyDirectory();
	if (!destination.exists && !source.isFolder && assertsFolder(destination.path)) throw noSuchDirectory();
	return splitEntry(destination.path);
}

/** One argument of `cp`: `CONTAINER:PATH`, or a path of the host, also `./with:colon`. */
export function splitArgument(argument: string): {container: string | undefined; path: string} {
	const colon = argument.indexOf(':');
	if (argument.startsWith('/') || argument.startsWith('.') || colon <= 0) {
		return {container: undefined, path: colon === 0 ? argument.slice(1) : argument};
	}
	return {container: argument.slice(0, colon), path: argument.slice(colon + 1)};
}
