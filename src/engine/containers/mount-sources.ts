/** Where the files of a container's mounts are on the host, and what has to be done before they can be mounted. */
import {closeSync, constants, openSync, readFileSync, statSync} from 'node:fs';
import {native} from '../../kernel/native.ts';
import type {MountOrigin} from '../../runtime/mounts.ts';
import type {Op} from '../../runtime/plan/ops.ts';
import {isErrno, WherryError} from '../errors.ts';
import type {Paths} from '../paths.ts';
import {makeFolders} from '../store/files.ts';
import {overlayLowers} from '../store/layers.ts';
import {acquireMount, holdMount, mountUser, mountUsers} from '../volumes/mounting.ts';
import {dataFolder, noSuchVolume, volumeLock} from '../volumes/references.ts';
import type {EngineContext} from './context.ts';
import type {ContainerRecord, StoredMount} from './record.ts';
import {systemWords} from './system-words.ts';

/** Not among Node's constants: a descriptor that only stands for a file. */
const oPath = 0o10000000;

/** The host path of a bind or a volume, without its subpath. */
export const hostSource = ({from, Source}: StoredMount): string => from ?? Source;

/** What of the plan can't be said in an OCI spec, by destination. */
export function mountOrigins(paths: Paths, mounts: readonly StoredMount[]): Record<string, MountOrigin> {
	const origins: Record<string, MountOrigin> = {};
	for (const mount of mounts) {
		const {Destination, layers, subpath} = mount;
		if (layers) {
			origins[Destination] = {
				lowers: overlayLowers(paths, layers),
				path: subpath ?? '/',
			};
		} else if (subpath) origins[Destination] = {root: hostSource(mount), path: subpath};
	}
	return origins;
}

/** The mount of the host that a path is on, and whether it is shared or a slave. */
function mountOf(path: string): {point: string; shared: boolean; slave: boolean} {
	let best = {point: '', shared: false, slave: false};
	for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
		const fields = line.split(' ');
		const point = fields[4]?.replace(/\\([0-7]{3})/g, (_, code) =>
			String.fromCharCode(Number.parseInt(code, 8)),
		);
		if (point === undefined || point.length < best.point.length) continue;
		if (point !== '/' && path !== point && !path.startsWith(`${point}/`)) continue;
		const optional = fields.slice(6, fields.indexOf('-'));
		best = {
			point,
			shared: optional.some((field) => field.startsWith('shared:')),
			slave: optional.some((field) => field.startsWith('master:')),
		};
	}
	return best;
}

/** Mounts reach the container, or come from it, only through a mount of the host that gives them on. */
function checkPropagation({Source, Propagation}: StoredMount): void {
	const way = /^r?(shared|slave)$/.exec(Propagation)?.[1];
	if (!way) return;
	const {point, shared, slave} = mountOf(Source);
	if (shared || (way === 'slave' && slave)) return;
	throw new WherryError(
		'invalid',
		`path ${Source} is mounted on ${point} but it is not a shared${way === 'slave' ? ' or slave' : ''} mount`,
		{object: Source},
	);
}

/** `-v` makes a source that isn't there; any other must be there. */
export function prepareSources(record: ContainerRecord): void {
	for (const mount of record.Mounts) {
		if (mount.Type === 'tmpfs' || mount.Type === 'image') continue;
		checkPropagation(mount);
		if (statSync(mount.Source, {throwIfNoEntry: false})) continue;
		if (!mount.makeSource) {
			if (mount.Type === 'volume') throw noSuchVolume(mount.Name ?? '');
			throw new WherryError(
				'invalid',
				`invalid mount config for type "bind": bind source path does not exist: ${mount.Source}`,
				{object: mount.Source},
			);
		}
		try {
			makeFolders(mount.Source, 0o755);
		} catch (error) {
			if (!isErrno(error, 'EEXIST')) {
				throw new WherryError(
					'invalid',
					`error while creating mount source path '${mount.Source}': ${systemWords(error)}`,
					{object: mount.Source, cause: error},
				);
			}
		}
	}
}

/** Mounts the file systems of volumes that have one; the stop plan takes them back (`unmountOps`). */
export async function acquireVolumes(
	{paths, volumes}: EngineContext,
	record: ContainerRecord,
): Promise<void> {
	for (const mount of record.Mounts) {
		if (mount.Type !== 'volume' || !mount.Name || !(mount.hostMount || mount.from !== undefined)) continue;
		const {Options} = await volumes.inspect(mount.Name);
		await acquireMount(paths, mount.Name, Options, record.Id);
	}
}

/** The same for this process, as long as it has the files open; gives the function that takes it back. */
export async function holdVolumes(
	{paths, volumes}: EngineContext,
	mounts: readonly StoredMount[],
): Promise<() => Promise<void>> {
	const releases: (() => Promise<void>)[] = [];
	const release = async (): Promise<void> => {
		for (const each of releases.splice(0)) await each();
	};
	try {
		for (const {Name, hostMount} of mounts) {
			if (!hostMount || !Name) continue;
			releases.push(await holdMount(paths, Name, (await volumes.inspect(Name)).Options));
		}
		return release;
	} catch (error) {
		await release();
		throw error;
	}
}

/** The path of what is mounted, which holds as long as the descriptors are open that are added to `open`. */
export function openSource(mount: StoredMount, open: number[]): string {
	if (!mount.subpath) return hostSource(mount);
	const root = openSync(hostSource(mount), constants.O_RDONLY | constants.O_DIRECTORY);
	try {
		const fd = native.openInRoot(root, mount.subpath, oPath, 0);
		open.push(fd);
		return `/proc/self/fd/${fd}`;
	} finally {
		closeSync(root);
	}
}

export function unmountOps(paths: Paths, record: ContainerRecord): Op[] {
	return record.Mounts.flatMap(({Name, hostMount}): Op[] =>
		hostMount && Name
			? [
					{
						op: 'releaseMount',
						lock: volumeLock(paths, Name),
						reference: mountUser(paths, Name, record.Id),
						references: mountUsers(paths, Name),
						mountpoint: dataFolder(paths, Name),
					},
				]
			: [],
	);
}
