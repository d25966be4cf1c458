/** `container prune`: those that don't run, and that nobody is about to start. */
import type {Filters} from '../api.ts';
import {WherryError} from '../errors.ts';
import {pruneTest} from '../prune-filter.ts';
import type {EngineContext} from './context.ts';
import {isUp} from './record.ts';
import {removeContainer} from './remove.ts';
import {loadRows} from './rows.ts';
import {containerSize} from './size.ts';
import {pendingTransients} from './transient.ts';

export async function pruneContainers(
	context: EngineContext,
	filters: Filters,
): Promise<{ContainersDeleted: string[]; SpaceReclaimed: number}> {
	const {paths} = context;
	const goes = pruneTest(filters);
	const deleted: string[] = [];
	let space = 0;
	for (const {record, state, created} of await loadRows(paths)) {
		if (isUp(state) || !goes(record.Config.Labels, created)) continue;
		// A `run` has made it and is about to start it.
		if (pendingTransients(paths).has(record.Id)) continue;
		const {SizeRw} = await containerSize(paths, record);
		try {
			await removeContainer(context, record.Id);
		} catch (error) {
			// It has been started or removed meanwhile, or somebody works on it: not ours to take.
			if (!(error instanceof WherryError)) throw error;
			continue;
		}
		deleted.push(record.Id);
		space += SizeRw;
	}
	context.events.append('container', 'prune', '', {reclaimed: String(space)});
	return {ContainersDeleted: deleted, SpaceReclaimed: space};
}
