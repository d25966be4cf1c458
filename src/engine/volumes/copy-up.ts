/**
 * What the image has at a volume's target goes into a volume that is new or empty, as docker does when a
 * container is created. The image is seen through a detached mount, which nothing else can see and which
 * goes with its descriptor; its paths are resolved within it.
 */
import {
	chmodSync,
	chownSync,
	closeSync,
	constants,
	fstatSync,
	mkdirSync,
	openSync,
	readdirSync,
	renameSync,
} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import {isErrno} from '../errors.ts';
import type {Paths} from '../paths.ts';
import {overlayLowers} from '../store/layers.ts';
import {dataFolder, listReferences} from './references.ts';

/** The image's root: a descriptor to close. */
export function openImageRoot(paths: Paths, layers: readonly string[]): number {
	const folders = overlayLowers(paths, layers);
	// One layer is its own root: overlay wants two lower folders where there is no upper one.
	if (folders.length === 1) return openSync(folders[0]!, constants.O_RDONLY | constants.O_DIRECTORY);
	return native.mountOverlay(folders, undefined, undefined);
}

/**
 * The folder at a path of the image; undefined when the image has nothing there. Throws ENOTDIR when it is
 * something else.
 */
function openSource(root: number, path: string): number | undefined {
	try {
		return native.openInRoot(root, path, constants.O_RDONLY | constants.O_DIRECTORY, 0);
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return undefined;
		throw error;
	}
}

/** Whether the image has something to copy at a path. Throws ENOTDIR when it is no folder. */
export function imageHas(paths: Paths, layers: readonly string[], path: string): boolean {
	if (layers.length === 0) return false;
	const root = openImageRoot(paths, layers);
	try {
		const source = openSource(root, path);
		if (source !== undefined) closeSync(source);
		return source !== undefined;
	} finally {
		closeSync(root);
	}
}

/**
 * What keeps a folder from being made at an absolute path of the image: the path, when it is something else, or the
 * first part of it that is. Undefined: it is a folder, or can become one.
 */
export function imageBlocks(paths: Paths, layers: readonly string[], path: string): string | undefined {
	if (layers.length === 0) return undefined;
	const root = openImageRoot(paths, layers);
	const blocks = (at: string): boolean => {
		try {
			const source = openSource(root, at);
			if (source !== undefined) closeSync(source);
			return false;
		} catch (error) {
			if (isErrno(error, 'ENOTDIR')) return true;
			// Links that go in circles: the start says what the kernel does.
			if (isErrno(error, 'ELOOP')) return false;
			throw error;
		}
	};
	try {
		if (!blocks(path)) return undefined;
		const parts = path.split('/').filter(Boolean);
		const at = parts.findIndex((_, index) => blocks(`/${parts.slice(0, index + 1).join('/')}`));
		return `/${parts.slice(0, at + 1).join('/')}`;
	} finally {
		closeSync(root);
	}
}

async function copyFolder(from: number, target: string): Promise<void> {
	const to = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY);
	try {
		await native.copyTree(from, to);
	} finally {
		closeSync(to);
	}
	// Owner before mode: chown(2) clears the set-id bits.
	const {uid, gid, mode} = fstatSync(from);
	chownSync(target, uid, gid);
	chmodSync(target, mode & 0o7777);
}

/**
 * Under the volume's lock. `id` is the container that is being made; `elsewhere` is where the volume's files are when
 * they are not its own.
 */
export async function copyUp(
	paths: Paths,
	name: string,
	id: string,
	layers: readonly string[],
	target: string,
	elsewhere?: string,
): Promise<void> {
	const data = elsewhere ?? dataFolder(paths, name);
	if (layers.length === 0 || readdirSync(data).length > 0) return;
	const root = openImageRoot(paths, layers);
	try {
		const source = openSource(root, target);
		if (source === undefined) return;
		try {
			if (elsewhere !== undefined || listReferences(paths, name).some((reference) => reference !== id)) {
				// Somebody may have it mounted, and wouldn't see a folder that takes its place.
				await copyFolder(source, data);
				return;
			}
			// A copy that breaks off must not pass for a volume with content.
			const temporary = join(paths.volume(name), `.data-${id}`);
			await native.removeTree(temporary);
			mkdirSync(temporary, {mode: 0o755});
			try {
				await copyFolder(source, temporary);
				renameSync(temporary, data);
			} catch (error) {
				await native.removeTree(temporary);
				throw error;
			}
		} finally {
			closeSync(source);
		}
	} finally {
		closeSync(root);
	}
}
