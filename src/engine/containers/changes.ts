/** `docker diff`: what a container has changed of its image's files. */
import {closeSync, constants, existsSync, mkdirSync, openSync} from 'node:fs';
import {join} from 'node:path';
import {native, type StartMarks} from '../../kernel/native.ts';
import type {FileChange} from '../api.ts';
import {overlayLowers} from '../store/layers.ts';
import type {EngineContext} from './context.ts';
import {mountTable} from './mount-table.ts';
import {type ContainerRecord, findContainer} from './record.ts';
import {rootOf, storageDriver} from './root-kind.ts';

/**
 * What starts make where an image has nothing: mount points, and the mark of a container. docker has them in a
 * layer of its own below the container's, so they are in no diff and in no image that is made of a container.
 */
export const startMarks: Pick<StartMarks, 'files' | 'folders' | 'links'> = {
	files: ['.dockerenv', 'etc/hostname', 'etc/hosts', 'etc/resolv.conf', 'sbin/docker-init'],
	folders: ['dev', 'etc', 'proc', 'sbin', 'sys'],
	links: [`${mountTable.path} -> ${mountTable.target}`],
};

export interface WrittenTree {
	/** The folder with what the container has written, or with its whole root. */
	readonly fd: number;
	/** It is an overlay's upper folder. */
	readonly upper: boolean;
	/** The image's root. */
	readonly base: number;
	close(): void;
}

/** The image's root, which is the base of all that the container has changed; a descriptor to close. */
function openBase({paths}: EngineContext, {layers}: ContainerRecord): number {
	const folders = overlayLowers(paths, layers);
	if (folders.length > 1) return native.mountOverlay(folders, undefined, undefined);
	if (folders.length === 0 && !existsSync(paths.mountpoint)) {
		mkdirSync(paths.mountpoint, {recursive: true, mode: 0o700});
	}
	// That of an image without layers is as empty as this folder.
	return openSync(folders[0] ?? paths.mountpoint, constants.O_RDONLY | constants.O_DIRECTORY);
}

/** Reading what is below an overlay disturbs nobody, whether or not it is mounted. */
export function openWritten(context: EngineContext, record: ContainerRecord): WrittenTree {
	const root = rootOf(context.paths, storageDriver(context.paths), record.Id, record.layers);
	const isOverlay = storageDriver(context.paths) === 'overlay2';
	const path = root.kind === 'folder' ? root.path : join(context.paths.container(record.Id), 'upper');
	const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
	try {
		const base = openBase(context, record);
		return {
			fd,
			upper: isOverlay,
			base,
			close() {
				closeSync(fd);
				closeSync(base);
			},
		};
	} catch (error) {
		closeSync(fd);
		throw error;
	}
}

const kinds = {C: 0, A: 1, D: 2} as const;

export async function containerChanges(context: EngineContext, container: string): Promise<FileChange[]> {
	const record = findContainer(context.paths, container);
	const tree = openWritten(context, record);
	try {
		const lines = await native.listChanges(tree.fd, tree.base, {
			upper: tree.upper,
			marks: {...startMarks, base: tree.base},
		});
		return lines.map((line) => ({Kind: kinds[line[0] as keyof typeof kinds], Path: `/${line.slice(2)}`}));
	} finally {
		tree.close();
	}
}
