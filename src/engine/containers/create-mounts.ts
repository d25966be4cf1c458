/** Wanted mounts to mount points: sources checked, volumes made, referred to and filled from the image. */
import {statSync} from 'node:fs';
import type {ResolvedImage} from '../api.ts';
import {WherryError} from '../errors.ts';
import {copyUp} from '../volumes/copy-up.ts';
import {addReference, dataFolder, dropReference, lockVolume} from '../volumes/references.ts';
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
	wanted: {name?: string; labels?: Record<string, string>},
	work: (name: string) => T | Promise<T>,
): Promise<T> {
	for (;;) {
		const {Name} = await context.volumes.create(wanted);
		const lock = await lockVolume(context.paths, Name);
		if (!lock) continue;
		try {
			return await work(Name);
		} finally {
			lock.release();
		}
	}
}

async function takeVolume(
	context: EngineContext,
	id: string,
	mount: WantedMount,
	image: ResolvedImage,
): Promise<StoredMount> {
	if (mount.subpath) {
		throw new WherryError('unsupported', 'volume-subpath is not supported yet', {object: mount.source});
	}
	if (mount.driver && mount.driver !== 'local') {
		throw new WherryError(
			'unsupported',
			`create ${mount.source}: error looking up volume plugin ${mount.driver}: plugin "${mount.driver}" not found`,
		);
	}
	if (Object.keys(mount.driverOptions ?? {}).length > 0) {
		throw new WherryError('unsupported', 'volume driver options are not supported yet', {
			object: mount.source,
		});
	}
	const wanted = {
		...(mount.source ? {name: mount.source} : {}),
		...(mount.labels ? {labels: mount.labels} : {}),
	};
	return withVolume(context, wanted, async (name) => {
		addReference(context.paths, name, id);
		try {
			if (!mount.noCopy) await copyUp(context.paths, name, id, image.layers, mount.target);
		} catch (error) {
			dropReference(context.paths, name, id);
			throw error;
		}
		return {
			Type: 'volume' as const,
			Name: name,
			Source: dataFolder(context.paths, name),
			Destination: mount.target,
			Driver: 'local',
			// docker shows none for a volume that only has a path.
			Mode: mount.mode || (mount.source ? 'z' : ''),
			RW: !mount.readOnly,
			Propagation: '',
			...(mount.source ? {} : {anonymous: true}),
		};
	});
}

/** Drops the references of a container to its volumes; with `anonymous` those that nobody uses any more go. */
export async function releaseMounts(
	context: EngineContext,
	id: string,
	mounts: readonly StoredMount[],
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
				await withVolume(context, {name: mount.Name}, (name) => addReference(context.paths, name, id));
			}
			mounts.push(mount);
		}
		for (const mount of wanted) {
			if (mount.type === 'volume') {
				mounts.push(await takeVolume(context, id, mount, image));
				continue;
			}
			mounts.push({
				Type: mount.type,
				Source: mount.source,
				Destination: mount.target,
				Mode: mount.mode,
				RW: !mount.readOnly,
				Propagation: mount.propagation,
				...(mount.makeSource ? {makeSource: true} : {}),
			});
		}
		return mounts;
	} catch (error) {
		await releaseMounts(context, id, mounts, true);
		throw error;
	}
}
