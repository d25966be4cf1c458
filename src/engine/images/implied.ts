/**
 * Folders that a layer's entries lie in but that it has no entry for. Overlay shows the topmost layer's
 * folder, so they must look like those of the layers below.
 */
import {chmodSync, lchownSync, lstatSync, type Stats, utimesSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import {isErrno} from '../errors.ts';

/** Those that mean something on a folder. `trusted.overlay.*` belongs to one layer and is never copied. */
const attributes = ['system.posix_acl_access', 'system.posix_acl_default', 'security.selinux'];

type Found = {path: string; stats: Stats} | 'hidden' | 'absent';

/** Looks for a folder in one layer. No link is followed: the layer is not the container's root. */
function findIn(layer: string, folder: string): Found {
	let path = layer;
	let opaque = false;
	for (const part of folder.split('/')) {
		path = join(path, part);
		const stats = lstatSync(path, {throwIfNoEntry: false});
		if (!stats) return opaque ? 'hidden' : 'absent';
		// A whiteout, a file or a link hides the folders further down.
		if (!stats.isDirectory()) return 'hidden';
		if (native.getXattr(path, 'trusted.overlay.opaque')?.toString() === 'y') opaque = true;
	}
	return {path, stats: lstatSync(path)};
}

/** `tree` is the layer's `fs`, `below` those of the layers under it, topmost first. */
export function dressImplied(tree: string, implied: readonly string[], below: readonly string[]): void {
	// Children first: what happens in a folder changes its times.
	for (const folder of [...implied].reverse()) {
		for (const layer of below) {
			const found = findIn(layer, folder);
			if (found === 'hidden') break;
			if (found === 'absent') continue;
			copyLook(found.path, found.stats, join(tree, folder));
			break;
		}
	}
}

function copyLook(from: string, stats: Stats, to: string): void {
	lchownSync(to, stats.uid, stats.gid);
	chmodSync(to, stats.mode & 0o7777);
	for (const name of attributes) {
		const value = native.getXattr(from, name);
		if (value === undefined) continue;
		try {
			native.setXattr(to, name, value);
		} catch (error) {
			if (!isErrno(error, 'EOPNOTSUPP', 'ENOTSUP', 'EPERM')) throw error;
		}
	}
	utimesSync(to, stats.atimeMs / 1000, stats.mtimeMs / 1000);
}
