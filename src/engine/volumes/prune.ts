/** `volume prune`: those that no container refers to; without the filter `all` only anonymous ones. */
import type {Filters} from '../api.ts';
import {truthOf} from '../filters.ts';
import {folderSize} from '../folder-size.ts';
import type {Paths} from '../paths.ts';
import {pruneTest} from '../prune-filter.ts';
import {dataFolder, listReferences, lockVolume} from './references.ts';
import {anonymousLabel, type LocalVolumes} from './volumes.ts';

export async function pruneVolumes(
	paths: Paths,
	volumes: LocalVolumes,
	filters: Filters,
): Promise<{VolumesDeleted: string[]; SpaceReclaimed: number}> {
	const goes = pruneTest(filters, ['all', 'label', 'label!']);
	const all = truthOf(filters, 'all') ?? false;
	const deleted: string[] = [];
	let space = 0;
	for (const {Name, Labels, Options} of await volumes.list()) {
		// docker: what is elsewhere takes no space here.
		if (Object.keys(Options ?? {}).length > 0) continue;
		if (!goes(Labels) || !(all || Object.hasOwn(Labels ?? {}, anonymousLabel))) continue;
		if (listReferences(paths, Name).length > 0) continue;
		const size = await folderSize(dataFolder(paths, Name));
		const lock = await lockVolume(paths, Name);
		if (!lock) continue;
		try {
			// Somebody may have come to use it before we had the lock.
			if (listReferences(paths, Name).length > 0) continue;
			await volumes.removeUnused(Name);
		} finally {
			lock.release();
		}
		deleted.push(Name);
		space += size;
	}
	return {VolumesDeleted: deleted, SpaceReclaimed: space};
}
