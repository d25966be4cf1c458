/**
 * File systems of volumes with driver options: mounted at the volume's data by the first container that uses it and
 * unmounted by the last. Who has it mounted is written in `WHERRY_RUN/volumes/<name>/<user>`, under the volume's lock,
 * by the monitor's `releaseMount`, too. Nothing of it survives a boot, as no mount does.
 */
import {
	closeSync,
	existsSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	rmdirSync,
	statSync,
} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import {isErrno, WherryError} from '../errors.ts';
import {unlinkIfThere} from '../files.ts';
import type {Paths} from '../paths.ts';
import {isAlive, startTime} from '../processes.ts';
import {type VolumeMount, volumeMount} from './options.ts';
import {dataFolder, lockVolume, noSuchVolume} from './references.ts';

type Options = Readonly<Record<string, string>> | null;

/** MS_* of propagation, which docker takes out of the flags that it tells of. */
const propagation = (1 << 17) | (1 << 18) | (1 << 19) | (1 << 20);

export const mountUsers = (paths: Paths, name: string): string => join(paths.volumeMounts, name);
export const mountUser = (paths: Paths, name: string, user: string): string =>
	join(mountUsers(paths, name), user);

/** Whether something is mounted at a path, in our mount namespace. */
function isMounted(path: string): boolean {
	const wanted = path.replace(
		/[ \t\n\\]/g,
		(letter) => `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`,
	);
	return readFileSync('/proc/self/mountinfo', 'utf8')
		.split('\n')
		.some((line) => line.split(' ')[4] === wanted);
}

/** docker resolves the name of a file server, which the kernel doesn't. */
async function resolveAddress({type, data}: {type: string; data: string}): Promise<string> {
	const address = /(?:^|,)addr=([^,]*)/.exec(data)?.[1];
	if (!address || !/^(nfs|cifs)$/.test(type) || /^[\d.]+$/.test(address)) return data;
	const {lookup} = await import('node:dns/promises');
	try {
		return data.replace(`addr=${address}`, `addr=${(await lookup(address)).address}`);
	} catch (cause) {
		throw new WherryError('unavailable', `error resolving passed in network volume address: ${address}`, {
			cause,
		});
	}
}

const errorWords: Readonly<Record<string, string>> = {
	EACCES: 'permission denied',
	EBUSY: 'device or resource busy',
	ECONNREFUSED: 'connection refused',
	EINVAL: 'invalid argument',
	ENODEV: 'no such device',
	ENOENT: 'no such file or directory',
	ENOTBLK: 'block device required',
	ENOTDIR: 'not a directory',
	EPERM: 'operation not permitted',
	ETIMEDOUT: 'connection timed out',
};

function mountFailure(name: string, target: string, what: string, code: string): WherryError {
	const words = errorWords[code] ?? code;
	const hidden = what.replace(/password=[^,:]*/, 'password=********');
	return new WherryError(
		'invalid',
		`error while mounting volume '${target}': failed to mount local volume: ${hidden}: ${words}`,
		{object: name},
	);
}

/** Under the volume's lock. */
async function mountNow(
	name: string,
	target: string,
	mount: VolumeMount & {kind: 'filesystem'},
): Promise<void> {
	const data = await resolveAddress(mount);
	const flags = mount.flags & ~propagation;
	try {
		await native.mountFilesystem(mount.device, target, mount.type, flags, data);
	} catch (error) {
		const shown = `mount ${mount.device}:${target}, flags: 0x${flags.toString(16)}${data ? `, data: ${data}` : ''}`;
		throw mountFailure(name, target, shown, (error as NodeJS.ErrnoException).code ?? '');
	}
}

/** What docker says of a bind's device that isn't there. */
export function checkFolder(name: string, target: string, folder: string): void {
	const stat = folder.startsWith('/') ? statSync(folder, {throwIfNoEntry: false}) : undefined;
	if (stat) return;
	throw mountFailure(name, target, `mount ${folder}:${target}, flags: 0x1000`, 'ENOENT');
}

/** Makes the files of a volume reachable for a user, a container's id. */
export async function acquireMount(
	paths: Paths,
	name: string,
	options: Options,
	user: string,
): Promise<void> {
	const mount = volumeMount(options);
	if (mount?.kind === 'folder') checkFolder(name, dataFolder(paths, name), mount.path);
	if (mount?.kind !== 'filesystem') return;
	const lock = await lockVolume(paths, name);
	if (!lock) throw noSuchVolume(name);
	try {
		mkdirSync(mountUsers(paths, name), {recursive: true, mode: 0o700});
		closeSync(openSync(mountUser(paths, name, user), 'a', 0o600));
		const target = dataFolder(paths, name);
		try {
			if (!isMounted(target)) await mountNow(name, target, mount);
		} catch (error) {
			await dropUser(paths, name, user);
			throw error;
		}
	} finally {
		lock.release();
	}
}

/** Under the volume's lock. */
async function dropUser(paths: Paths, name: string, user: string): Promise<void> {
	const folder = mountUsers(paths, name);
	unlinkIfThere(mountUser(paths, name, user));
	try {
		rmdirSync(folder);
	} catch (error) {
		// Others have it.
		if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return;
		if (!isErrno(error, 'ENOENT')) throw error;
	}
	await native.unmount(dataFolder(paths, name));
}

/** For this process; gives the function that takes it back. */
export async function holdMount(paths: Paths, name: string, options: Options): Promise<() => Promise<void>> {
	const user = `process-${process.pid}-${startTime(process.pid) ?? 0}-${process.hrtime.bigint()}`;
	await acquireMount(paths, name, options, user);
	return async () => {
		if (volumeMount(options)?.kind === 'filesystem') await releaseUser(paths, name, user);
	};
}

/** For the time of some work on the files, by this process. */
export async function withMount<T>(
	paths: Paths,
	name: string,
	options: Options,
	work: () => Promise<T>,
): Promise<T> {
	const release = await holdMount(paths, name, options);
	try {
		return await work();
	} finally {
		await release();
	}
}

async function releaseUser(paths: Paths, name: string, user: string): Promise<void> {
	const lock = await lockVolume(paths, name);
	try {
		await dropUser(paths, name, user);
	} finally {
		lock?.release();
	}
}

/** Under the volume's lock, before the volume goes: whatever a user left behind. */
export async function dropMount(paths: Paths, name: string): Promise<void> {
	const folder = mountUsers(paths, name);
	if (!existsSync(folder)) return;
	await native.unmount(dataFolder(paths, name));
	await native.removeTree(folder);
}

/** Takes back what processes that have died had mounted. */
export async function repairMounts(paths: Paths): Promise<void> {
	let names: string[];
	try {
		names = readdirSync(paths.volumeMounts);
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return;
		throw error;
	}
	for (const name of names) {
		for (const user of readdirSync(mountUsers(paths, name))) {
			const match = /^process-(\d+)-(\d+)-/.exec(user);
			if (match && !isAlive(Number(match[1]), Number(match[2]))) await releaseUser(paths, name, user);
		}
	}
}
