/** Where a container's root file system comes from: an overlay, or a copy where overlay can't be. */
import {chmodSync, chownSync, closeSync, constants, mkdirSync, openSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import {isErrno} from '../errors.ts';
import type {Paths} from '../paths.ts';
import {overlayLowers} from '../store/layers.ts';
import {openImageRoot} from '../volumes/copy-up.ts';
import {linkMountTable} from './mount-table.ts';
import type {StorageDriver} from './root-kind.ts';

export {rootOf, type StorageDriver, storageDriver} from './root-kind.ts';

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
		linkMountTable(upper, overlayLowers(paths, layers));
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
	if (layers.length === 0) {
		markRoot(target);
		return linkMountTable(target, []);
	}
	const from = openImageRoot(paths, layers);
	const to = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY);
	try {
		await native.copyTree(from, to);
		markRoot(target);
		linkMountTable(target, [target]);
	} finally {
		closeSync(from);
		closeSync(to);
	}
}
