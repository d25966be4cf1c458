/** What a container's root file system is: an overlay, or a folder where overlay can't be. */
import {statfsSync} from 'node:fs';
import {join} from 'node:path';
import type {Root} from '../../runtime/compile.ts';
import type {Paths} from '../paths.ts';
import {overlayLowers} from '../store/layers.ts';

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

export function rootOf(paths: Paths, driver: StorageDriver, id: string, layers: readonly string[]): Root {
	const folder = paths.container(id);
	if (driver === 'copy' || layers.length === 0)
		return {kind: 'folder', path: join(folder, driver === 'copy' ? 'rootfs' : 'upper')};
	return {
		kind: 'overlay',
		lowers: overlayLowers(paths, layers),
		upper: join(folder, 'upper'),
		work: join(folder, 'work'),
	};
}
