/** --storage-opt size: a limit on what a container writes, where its file system has project quotas. */
import {native} from '../../kernel/native.ts';
import type {HostConfig} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';

/** Project ids below are an administrator's own. */
const firstProject = 1 << 20;
const projects = 2 ** 31;

function fail(message: string): never {
	throw new WherryError('invalid', message);
}

/** Bytes; undefined: no limit. Throws `invalid` in docker's words. */
export function rootSize({StorageOpt}: Pick<HostConfig, 'StorageOpt'>): number | undefined {
	let size: number | undefined;
	for (const [key, value] of Object.entries(StorageOpt ?? {})) {
		if (key.toLowerCase() !== 'size') fail(`Unknown option ${key}`);
		const match = /^(\d+\.?\d*|\.\d+) ?([kmgtp])?i?b?$/i.exec(value);
		if (!match) fail(`invalid size: '${value}'`);
		const power = match[2] ? 'kmgtp'.indexOf(match[2].toLowerCase()) + 1 : 0;
		size = Math.trunc(Number(match[1]) * 1024 ** power);
		if (!Number.isSafeInteger(size)) fail(`invalid size: '${value}'`);
	}
	return size || undefined;
}

/**
 * Limits what the folders, which are new, will hold together. They get a project of their own, found from the
 * container's id. Throws `unsupported` where the file system has no project quotas.
 */
export function limitFolders(id: string, folders: readonly string[], bytes: number): void {
	const [first, ...others] = folders as [string, ...string[]];
	let project = (Number.parseInt(id.slice(0, 8), 16) % projects) + firstProject;
	try {
		while (!native.limitProject(first, project, bytes)) project++;
		for (const folder of others) native.limitProject(folder, project, 0);
	} catch (error) {
		// ESRCH: no quotas are on; the others: the file system or the kernel doesn't have them.
		if (!isErrno(error, 'ESRCH', 'ENOTTY', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EINVAL', 'EPERM')) throw error;
		throw new WherryError(
			'unsupported',
			"--storage-opt is supported only for overlay over xfs with 'pquota' or ext4 with 'prjquota' mount option",
			{cause: error},
		);
	}
}
