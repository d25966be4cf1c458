/**
 * What is known of the files of build contexts: a file in WHERRY_ROOT/build-cache/contexts for each folder that a
 * build takes, with the digests of its files by what lstat says of them (native/addon/stat_cache.h). Nothing is lost
 * with them but the time to read the files again.
 */
import {mkdirSync, realpathSync, rmSync, statSync, utimesSync} from 'node:fs';
import {join} from 'node:path';
import type {Paths} from '../paths.ts';
import {sha256} from '../store/digest.ts';
import {listFolder} from '../store/leases.ts';

/** More than that are not kept; the longest unused goes first. */
const mostFiles = 64;

const cacheFolder = (paths: Paths): string => join(paths.root, 'build-cache', 'contexts');

/** The file for what is below a path of a context. */
export function contextCache(paths: Paths, context: string): (path: string) => string {
	const folder = cacheFolder(paths);
	const real = realpathSync(context);
	return (path) => {
		mkdirSync(folder, {recursive: true, mode: 0o700});
		const file = join(folder, sha256(`${real}\0${path}`).slice(7));
		if (statSync(file, {throwIfNoEntry: false})) utimesSync(file, new Date(), new Date());
		else dropOldest(folder);
		return file;
	};
}

function dropOldest(folder: string): void {
	const names = listFolder(folder);
	if (names.length < mostFiles) return;
	const used = names.map((name): [string, number] => [
		name,
		statSync(join(folder, name), {throwIfNoEntry: false})?.mtimeMs ?? 0,
	]);
	used.sort(([, left], [, right]) => left - right);
	for (const [name] of used.slice(0, names.length - mostFiles + 1)) rmSync(join(folder, name), {force: true});
}

export function removeContextCaches(paths: Paths): void {
	rmSync(cacheFolder(paths), {recursive: true, force: true});
}
