/** Wanted mounts to mount points: sources checked, volumes made, referred to and filled from the image. */
import {statSync} from 'node:fs';
import type {ResolvedImage, VolumeSummary} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import {copyUp, imageHas} from '../volumes/copy-up.ts';
import {withMount} from '../volumes/mounting.ts';
import {volumeMount} from '../volumes/options.ts';
import {addReference, dataFolder, dropReference, lockVolume} from '../volumes/references.ts';
import type {VolumeOptions} from '../volumes/volumes.ts';
import type {EngineContext} from './context.ts';
import {parseVolumesFrom, type WantedMount} from './mounts.ts';
import {findContainer, type StoredMount} from './record.ts';

/** The mounts of the containers of --volumes-from. */
export function inheritedMounts(context: EngineContext, from: readonly string[]): StoredMount[] {
	const mounts = new Map<string, StoredMount>();
	for (const text of from) {
		const {container, mode} = parseVolumesFrom(text);
		const readOnly = mode.split(',').includes('ro');
		for (const mount of findContainer(context.paths, container).Mounts) {
			if (mount.Type === 'tmpfs') continue;
			mounts.set(mount.Destination, {...mount, RW: mount.RW && !readOnly});
		}
	}
	return [...mounts.values()];
}

function checkBind(mount: WantedMount): void {
	if (mount.makeSource) return;
	if (statSync(mount.source, {throwIfNoEntry: false})) return;
	throw new WherryError(
		'invalid',
		`invalid mount config for type "bind": bind source path does not exist: ${mount.source}`,
		{object: mount.source},
	);
}

/** Runs under a volume's lock; makes the volume when it isn't there (any more). */
async function withVolume<T>(
	context: EngineContext,
	wanted: VolumeOptions,
	work: (volume: VolumeSummary) => T | Promise<T>,
): Promise<T> {
	for (;;) {
		const volume = await context.volumes.create(wanted);
		const lock = await lockVolume(context.paths, volume.Name);
		if (!lock) continue;
		try {
			return await work(volume);
		} finally {
			lock.release();
		}
	}
}

/** What the image has at the target goes into the volume, when there is room for it. */
async function fillVolume(
	context: EngineContext,
	id: string,
	mount: WantedMount,
	volume: VolumeSummary,
	image: ResolvedImage,
): Promise<void> {
	const {paths} = context;
	const {Name} = volume;
	const where = volumeMount(volume.Options);
	// It will be another one, and empty, when it is used.
	if (where?.kind === 'filesystem' && where.type === 'tmpfs') return;
	const folder = where?.kind === 'folder' ? where.path : dataFolder(paths, Name);
	const copy = async (): Promise<void> => {
		const lock = await lockVolume(paths, Name);
		try {
			await copyUp(paths, Name, id, image.layers, mount.target, where ? folder : undefined);
		} finally {
			lock?.release();
		}
	};
	try {
		if (!where) await copy();
		else if (imageHas(paths, image.layers, mount.target)) await withMount(paths, Name, volume.Options, copy);
	} catch (error) {
		if (!isErrno(error, 'ENOTDIR')) throw error;
		throw new WherryError(
			'invalid',
			mount.source
				? `source ${mount.target} is not directory`
				: `cannot mount volume over existing file, file exists ${mount.target}`,
			{object: mount.target},
		);
	}
}

async function takeVolume(
	context: EngineContext,
	id: string,
	mount: WantedMount,
	image: ResolvedImage,
): Promise<StoredMount> {
	const {paths} = context;
	const wanted: VolumeOptions = {
		...(mount.source ? {name: mount.source} : {owner: id}),
		...(mount.labels ? {labels: mount.labels} : {}),
		...(mount.driver ? {driver: mount.driver} : {}),
		...(mount.driverOptions ? {options: mount.driverOptions} : {}),
	};
	const volume = await withVolume(context, wanted, (made) => {
		addReference(paths, made.Name, id);
		return made;
	});
	const {Name} = volume;
	try {
		if (!mount.noCopy && !mount.subpath) await fillVolume(context, id, mount, volume, image);
	} catch (error) {
		await releaseMounts(context, id, [{Type: 'volume', Name, anonymous: mount.source === ''}], true);
		throw error;
	}
	const where = volumeMount(volume.Options);
	return {
		Type: 'volume',
		Name,
		Source: dataFolder(paths, Name),
		Destination: mount.target,
		Driver: 'local',
		Mode: mount.source && !mount.mode ? 'z' : mount.mode,
		RW: !mount.readOnly,
		Propagation: '',
		...(mount.source ? {} : {anonymous: true}),
		...(mount.subpath ? {subpath: mount.subpath} : {}),
		...(where?.kind === 'folder' ? {from: where.path} : {}),
		...(where?.kind === 'folder' && where.readOnly ? {sourceReadOnly: true} : {}),
		...(where?.kind === 'filesystem' ? {hostMount: true} : {}),
	};
}

/** Drops the references of a container to its volumes; with `anonymous` those that nobody uses any more go. */
export async function releaseMounts(
	context: EngineContext,
	id: string,
	mounts: readonly Pick<StoredMount, 'Type' | 'Name' | 'anonymous'>[],
	anonymous: boolean,
): Promise<void> {
	const {paths, volumes} = context;
	for (const mount of mounts) {
		if (mount.Type !== 'volume' || !mount.Name) continue;
		const lock = await lockVolume(paths, mount.Name);
		if (!lock) continue;
		try {
			dropReference(paths, mount.Name, id);
			if (anonymous && mount.anonymous) await volumes.removeUnused(mount.Name, true);
		} finally {
			lock.release();
		}
	}
}

async function takeImage(context: EngineContext, mount: WantedMount): Promise<StoredMount> {
	const image = await (await context.images()).resolve(mount.source);
	return {
		Type: 'image',
		Source: mount.source,
		Destination: mount.target,
		Mode: '',
		RW: false,
		Propagation: '',
		image: image.id,
		layers: image.layers,
		...(mount.subpath ? {subpath: mount.subpath} : {}),
	};
}

function takeOther(mount: WantedMount): StoredMount {
	return {
		Type: mount.type,
		Source: mount.source,
		Destination: mount.target,
		Mode: mount.mode,
		RW: !mount.readOnly,
		Propagation: mount.propagation,
		...(mount.makeSource ? {makeSource: true} : {}),
		...(mount.recursive ? {} : {alone: true}),
		...(mount.below ? {below: mount.below} : {}),
	};
}

/** What has been made is undone when something fails. */
export async function makeMounts(
	context: EngineContext,
	id: string,
	wanted: readonly WantedMount[],
	inherited: readonly StoredMount[],
	image: ResolvedImage,
): Promise<StoredMount[]> {
	for (const mount of wanted) if (mount.type === 'bind') checkBind(mount);
	const mounts: StoredMount[] = [];
	const targets = new Set(wanted.map((mount) => mount.target));
	try {
		for (const mount of inherited) {
			if (targets.has(mount.Destination)) continue;
			if (mount.Type === 'volume' && mount.Name) {
				const known = {name: mount.Name, quiet: true};
				await withVolume(context, known, ({Name}) => addReference(context.paths, Name, id));
			}
			mounts.push(mount);
		}
		for (const mount of wanted) {
			if (mount.type === 'volume') mounts.push(await takeVolume(context, id, mount, image));
			else if (mount.type === 'image') mounts.push(await takeImage(context, mount));
			else mounts.push(takeOther(mount));
		}
		return mounts;
	} catch (error) {
		await releaseMounts(context, id, mounts, true);
		throw error;
	}
}
