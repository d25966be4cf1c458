/** One sync for many files: what is written into a folder's file system is on the disk afterwards. */
import {closeSync, constants, openSync} from 'node:fs';
import {native} from '../../kernel/native.ts';

const running = new Map<string, Promise<void>>();
const queued = new Map<string, Promise<void>>();

/** syncfs, of what has been written before the call. Who asks while one runs shares the one after it. */
export function flush(folder: string): Promise<void> {
	const current = running.get(folder);
	if (!current) {
		const started = syncFileSystem(folder).finally(() => running.delete(folder));
		running.set(folder, started);
		return started;
	}
	const next =
		queued.get(folder) ??
		current
			.catch(() => {})
			.then(() => {
				queued.delete(folder);
				return flush(folder);
			});
	queued.set(folder, next);
	return next;
}

async function syncFileSystem(folder: string): Promise<void> {
	const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
	try {
		await native.syncfs(fd);
	} finally {
		closeSync(fd);
	}
}
