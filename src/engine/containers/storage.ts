/** Where a container's root file system comes from: an overlay, or a copy where overlay can't be. */
import {chmodSync, chownSync, closeSync, constants, mkdirSync, openSync, statfsSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import type {Root} from '../../runtime/compile.ts';
import {isErrno} from '../errors.ts';
import type {Paths} from '../paths.ts';
import {openImageRoot} from '../volumes/copy-up.ts';

/** File systems that can't hold an overlay's upper folder (linux/magic.h): overlay itself, NFS, 9p, FUSE, CIFS, SMB2, ecryptfs. */
const unfit = new Set([0x794c7630, 0x6969, 0x01021997, 0x65735546, 0xff534d42, 0xfe534d42, 0xf15f]);

export type StorageDriver = 'overlay2' | 'copy';

export function storageDriver(paths: Paths): StorageDriver {
	let path = paths.root;
	for (;;) {
		try {
			return unfit.has(Number(statfsSync(path).type) >>> 0) ? 'copy' : 'overlay2';
		} catch (error) {
			// Not made yet: it will be on its parent's file system.
			const parent = join(path, '..');
			if (parent === path) throw error;
			path = parent;
		}
	}
}

/** By this programs know that they are in a container. One of the image, whatever it is, stays. */
function markRoot(folder: string): void {
	try {
		closeSync(openSync(join(folder, '.dockerenv'), 'wx', 0o755));
	} catch (error) {
		if (!isErrno(error, 'EEXIST')) throw error;
	}
}

/** Makes the folders of the root in the container's folder; `limit` gets those that grow, while they are empty. */
export async function makeRoot(
	paths: Paths,
	driver: StorageDriver,
	folder: string,
	layers: readonly string[],
	limit: (folders: readonly string[]) => void = () => {},
): Promise<void> {
	if (driver === 'overlay2') {
		const upper = join(folder, 'upper');
		const work = join(folder, 'work');
		mkdirSync(upper, {mode: 0o755});
		mkdirSync(work, {mode: 0o700});
		limit([upper, work]);
		markRoot(upper);
		// The merged root has the attributes of the upper folder.
		const top = layers.at(-1);
		if (top === undefined) return;
		const {mode, uid, gid} = statSync(join(paths.layer(top), 'fs'));
		if (uid !== 0 || gid !== 0) chownSync(upper, uid, gid);
		if ((mode & 0o7777) !== 0o755) chmodSync(upper, mode & 0o7777);
		return;
	}
	const target = join(folder, 'rootfs');
	mkdirSync(target, {mode: 0o755});
	limit([target]);
	if (layers.length === 0) return markRoot(target);
	const from = openImageRoot(paths, layers);
	const to = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY);
	try {
		await native.copyTree(from, to);
		markRoot(target);
	} finally {
		closeSync(from);
		closeSync(to);
	}
}

export function rootOf(paths: Paths, driver: StorageDriver, id: string, layers: readonly string[]): Root {
	const folder = paths.container(id);
	if (driver === 'copy' || layers.length === 0)
		return {kind: 'folder', path: join(folder, driver === 'copy' ? 'rootfs' : 'upper')};
	return {
		kind: 'overlay',
		lowers: layers.map((key) => join(paths.layer(key), 'fs')).toReversed(),
		upper: join(folder, 'upper'),
		work: join(folder, 'work'),
	};
}
