/**
 * `:z` and `:Z` of mounts on a host with SELinux: the files get the label of containers, of all or of this one
 * alone. Others may change the tree meanwhile: every step is from a folder that is held open, and never along a
 * link.
 */
import {closeSync, constants, openSync, readdirSync} from 'node:fs';
import {basename, dirname} from 'node:path';
import {setImmediate as turn} from 'node:timers/promises';
import {native} from '../../kernel/native.ts';
import {isErrno, WherryError} from '../errors.ts';

export interface LabelledMount {
	readonly Type: string;
	readonly Source: string;
	/** `z`, `ro,Z`, ... */
	readonly Mode: string;
}

/** Whose label the system itself depends on. */
const ofTheSystem = new Set([
	...[
		'/',
		'/bin',
		'/boot',
		'/dev',
		'/etc',
		'/etc/passwd',
		'/etc/pki',
		'/etc/shadow',
		'/home',
		'/lib',
		'/lib64',
	],
	...[
		'/media',
		'/opt',
		'/proc',
		'/root',
		'/run',
		'/sbin',
		'/srv',
		'/sys',
		'/tmp',
		'/usr',
		'/var',
		'/var/lib',
	],
	'/var/log',
]);

const openFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

function setLabel(path: string, label: string): void {
	try {
		native.setXattr(path, 'security.selinux', Buffer.from(`${label}\0`));
	} catch (error) {
		// Gone meanwhile, or on a file system that has no labels.
		if (!isErrno(error, 'ENOENT', 'ENOTSUP', 'EOPNOTSUPP', 'EROFS')) throw error;
	}
}

/** Takes the descriptor over. */
async function labelFolder(fd: number, label: string): Promise<void> {
	try {
		const here = `/proc/self/fd/${fd}`;
		setLabel(`${here}/.`, label);
		for (const entry of readdirSync(here, {withFileTypes: true})) {
			const path = `${here}/${entry.name}`;
			if (!entry.isDirectory()) {
				setLabel(path, label);
				continue;
			}
			try {
				await labelFolder(openSync(path, openFlags), label);
			} catch (error) {
				// No longer there, or no longer a folder.
				if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
			}
		}
	} finally {
		closeSync(fd);
	}
	await turn();
}

/** Labels a file, or a folder with all that is in it. */
export async function relabel(path: string, label: string): Promise<void> {
	if (ofTheSystem.has(path)) {
		throw new WherryError('invalid', `SELinux relabeling of ${path} is not allowed`, {object: path});
	}
	const parent = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
	try {
		const at = `/proc/self/fd/${parent}/${basename(path)}`;
		let folder: number;
		try {
			folder = openSync(at, openFlags);
		} catch (error) {
			if (!isErrno(error, 'ENOTDIR', 'ELOOP')) throw error;
			return setLabel(at, label);
		}
		await labelFolder(folder, label);
	} finally {
		closeSync(parent);
	}
}

/** The label that a mount's files get; undefined: they keep theirs. `z` is for every container. */
export function labelOf({Type, Mode}: LabelledMount, label: string): string | undefined {
	const words = Mode.split(',');
	if (Type !== 'bind' && Type !== 'volume') return undefined;
	if (words.includes('Z')) return label;
	return words.includes('z') ? label.split(':').slice(0, 3).concat('s0').join(':') : undefined;
}

/** For a container that has a label. */
export async function relabelMounts(mounts: readonly LabelledMount[], label: string): Promise<void> {
	for (const mount of mounts) {
		const wanted = labelOf(mount, label);
		if (wanted !== undefined) await relabel(mount.Source, wanted);
	}
}
