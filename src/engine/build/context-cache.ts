/**
 * What is known of files that builds read. A file in WHERRY_ROOT/build-cache/contexts for each folder that a
 * build takes, with the digests of its files by what lstat says of them (native/addon/stat_cache.h). A file
 * in WHERRY_ROOT/build-cache/layers for the layers of each stage and image, which never change, with the digests of
 * what was taken of them. Nothing is lost with them but the time to read the files again.
 */
import {
	mkdirSync,
	readFileSync,
	realpathSync,
	renameSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import type {Paths} from '../paths.ts';
import {sha256} from '../store/digest.ts';
import {listFolder} from '../store/leases.ts';

/** More than that of a kind are not kept; the longest unused goes first. */
const mostFiles = 64;

const cacheFolder = (paths: Paths, kind: 'contexts' | 'layers'): string =>
	join(paths.root, 'build-cache', kind);

/** The file for what is below a path of a context. */
export function contextCache(paths: Paths, context: string): (path: string) => string {
	const folder = cacheFolder(paths, 'contexts');
	const real = realpathSync(context);
	return (path) => touched(folder, `${real}\0${path}`);
}

/** The file of a name, used now. */
function touched(folder: string, name: string): string {
	mkdirSync(folder, {recursive: true, mode: 0o700});
	const file = join(folder, sha256(name).slice(7));
	if (statSync(file, {throwIfNoEntry: false})) utimesSync(file, new Date(), new Date());
	else dropOldest(folder);
	return file;
}

/** Digests by what they are of. */
export interface KnownDigests {
	get(name: string): string | undefined;
	set(name: string, digest: string): void;
}

/** What is written is checked as it is read: whatever is wrong with the file, nothing is known then. */
export function layerDigests(paths: Paths, layers: readonly string[]): KnownDigests {
	// The number is that of what the digests are made of.
	const file = touched(cacheFolder(paths, 'layers'), `1\0${layers.join('\0')}`);
	const read = (): Map<string, string> => {
		try {
			const [sum, body = ''] = readFileSync(file, 'utf8').split('\n');
			return new Map(sum === sha256(body) ? (JSON.parse(body) as [string, string][]) : []);
		} catch {
			return new Map();
		}
	};
	let known: Map<string, string> | undefined;
	return {
		get(name) {
			known ??= read();
			return known.get(name);
		},
		set(name, digest) {
			// Another build may have added some.
			known = new Map([...read(), [name, digest]]);
			const body = JSON.stringify([...known]);
			const staging = `${file}.${process.pid}`;
			try {
				writeFileSync(staging, `${sha256(body)}\n${body}`, {mode: 0o600});
				renameSync(staging, file);
			} catch {
				// What could not be kept is read again.
				rmSync(staging, {force: true});
			}
		},
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
	for (const kind of ['contexts', 'layers'] as const)
		rmSync(cacheFolder(paths, kind), {recursive: true, force: true});
}
