/** The entries of an unpacked layer, as overlay has them (Documentation/filesystems/overlayfs.rst). */
import {lstatSync, readdirSync, type Stats} from 'node:fs';
import {join} from 'node:path';
import {setImmediate as turn} from 'node:timers/promises';
import {native} from '../../kernel/native.ts';
import {isErrno, WherryError} from '../errors.ts';
import type {LayerEntry} from './layer-files.ts';

/** A layer may have been made to be large: more entries than this are not looked at. */
const mostEntries = 2_000_000;
/** Entries that are read before others have their turn. */
const slice = 500;

/**
 * Folders before what is in them, in the order of their names. Lets others have their turn, so that an interface
 * goes on. Rejects with `invalid` for a layer of more entries than anybody would look through.
 */
export async function readLayerTree(folder: string, signal?: AbortSignal): Promise<LayerEntry[]> {
	signal?.throwIfAborted();
	const entries: LayerEntry[] = [];
	const links = new Set<string>();
	const left: string[] = [''];
	for (let path = left.pop(); path !== undefined; path = left.pop()) {
		const names = readdirSync(join(folder, path)).sort();
		const folders: string[] = [];
		for (const name of names) {
			const at = path === '' ? name : `${path}/${name}`;
			const stats = statOf(join(folder, at));
			if (!stats) continue;
			entries.push(entryOf(at, join(folder, at), stats, links));
			if (stats.isDirectory()) folders.push(at);
			if (entries.length % slice === 0) {
				await turn();
				signal?.throwIfAborted();
			}
		}
		if (entries.length > mostEntries) {
			throw new WherryError('invalid', `a layer has more than ${mostEntries} files; they are not looked at`);
		}
		left.push(...folders.reverse());
	}
	return entries;
}

/** A name that is no UTF-8 can't be asked for by what it was read as: it is left out. */
function statOf(path: string): Stats | undefined {
	try {
		return lstatSync(path);
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return undefined;
		throw error;
	}
}

function entryOf(path: string, full: string, stats: Stats, links: Set<string>): LayerEntry {
	if (stats.isDirectory()) {
		const opaque = native.getXattr(full, 'trusted.overlay.opaque')?.toString() === 'y';
		return {path, kind: 'folder', size: 0, ...(opaque ? {opaque} : {})};
	}
	if (stats.isCharacterDevice() && stats.rdev === 0) return {path, kind: 'whiteout', size: 0};
	let size = stats.isFile() || stats.isSymbolicLink() ? stats.size : 0;
	if (stats.nlink > 1) {
		const link = `${stats.dev} ${stats.ino}`;
		if (links.has(link)) size = 0;
		links.add(link);
	}
	return {path, kind: 'file', size};
}
