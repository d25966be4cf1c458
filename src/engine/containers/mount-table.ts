/**
 * /etc/mtab, which old programs read to know what is mounted. docker links it to /proc in a layer of its own between
 * the image's and the container's, in place of a file or another link of the image.
 */
import {
	chmodSync,
	chownSync,
	lstatSync,
	mkdirSync,
	readlinkSync,
	type Stats,
	symlinkSync,
	unlinkSync,
	utimesSync,
} from 'node:fs';
import {join} from 'node:path';
import {isErrno} from '../errors.ts';

export const mountTable = {path: 'etc/mtab', target: '/proc/mounts'} as const;

/** Links that are as good. */
const alike = new Set(['/proc/mounts', '/proc/self/mounts', '../proc/mounts', '../proc/self/mounts']);

/** Undefined where there is nothing, or where a layer above hides it. */
const look = (path: string): Stats | undefined => lstatSync(path, {throwIfNoEntry: false});

/** overlayfs: what a layer takes away. */
const isWhiteout = (file: Stats): boolean => file.isCharacterDevice() && file.rdev === 0;

/** The image's folder /etc, and whether its table stays. Undefined when it has something else there. */
function imageTable(lowers: readonly string[]): {folder?: Stats; stays: boolean} | undefined {
	let folder: Stats | undefined;
	for (const lower of lowers) {
		const there = look(join(lower, 'etc'));
		if (!there) continue;
		if (isWhiteout(there)) break;
		// A link is followed nowhere.
		if (!there.isDirectory()) return folder && {folder, stays: false};
		folder ??= there;
		const table = join(lower, mountTable.path);
		const file = look(table);
		if (!file) continue;
		const stays = file.isDirectory() || (file.isSymbolicLink() && alike.has(readlinkSync(table)));
		return {folder, stays};
	}
	return {...(folder ? {folder} : {}), stays: false};
}

/**
 * Makes it in `root`, a container's upper folder or its whole root, before anything of it runs. `lowers`: the trees
 * that the image is made of, highest first.
 */
export function linkMountTable(root: string, lowers: readonly string[]): void {
	const image = imageTable(lowers);
	if (!image || image.stays) return;
	const folder = join(root, 'etc');
	const {mode = 0o755, uid = 0, gid = 0, atime, mtime} = image.folder ?? {};
	try {
		mkdirSync(folder, {mode: mode & 0o777});
		// As the image's is.
		if (uid !== 0 || gid !== 0) chownSync(folder, uid, gid);
		chmodSync(folder, mode & 0o7777);
	} catch (error) {
		if (!isErrno(error, 'EEXIST')) throw error;
	}
	const path = join(root, mountTable.path);
	try {
		symlinkSync(mountTable.target, path);
	} catch (error) {
		if (!isErrno(error, 'EEXIST')) throw error;
		unlinkSync(path);
		symlinkSync(mountTable.target, path);
	}
	if (atime && mtime) utimesSync(folder, atime, mtime);
}
