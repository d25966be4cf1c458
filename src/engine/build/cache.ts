/** The cache of builds as a whole: what is in it, and its prune. */
import {rmSync} from 'node:fs';
import type {BuildCacheRecord, Filters} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';
import {checkFilters} from '../filters.ts';
import {untilTime} from '../prune-filter.ts';
import {cacheMounts, listSteps, removeStep} from '../store/build-cache.ts';
import {collect, openStore} from '../store/collect.ts';
import {removeContextCaches} from './context-cache.ts';

export async function cacheRecords(context: EngineContext): Promise<BuildCacheRecord[]> {
	const store = openStore(context.paths, context.locks);
	const ofImages = new Set((await store.catalog.images()).flatMap(({diffIds}) => diffIds));
	return listSteps(context.paths)
		.map(
			({key, description, layer, created, lastUsed}): BuildCacheRecord => ({
				Id: key.slice(0, 25),
				Description: description,
				Size: layer?.size ?? 0,
				Shared: layer !== undefined && ofImages.has(layer.diffId),
				CreatedAt: created,
				LastUsedAt: lastUsed,
			}),
		)
		.sort((left, right) => right.LastUsedAt - left.LastUsedAt || (left.Id < right.Id ? -1 : 1));
}

/** `all` takes the folders of cache mounts as well. */
export async function pruneCache(
	context: EngineContext,
	{all = false, filters = {}}: {all?: boolean; filters?: Filters},
): Promise<{records: BuildCacheRecord[]; reclaimed: number}> {
	checkFilters(filters, ['until', 'id', 'unused-for']);
	const now = Date.now();
	const limits = [...(filters.until ?? []), ...(filters['unused-for'] ?? [])].map((value) =>
		untilTime(value, now),
	);
	const records = (await cacheRecords(context)).filter(
		({Id, LastUsedAt}) =>
			limits.every((limit) => LastUsedAt < limit) && (filters.id ?? [Id]).some((id) => Id.startsWith(id)),
	);
	const ids = new Set(records.map(({Id}) => Id));
	for (const {key} of listSteps(context.paths)) if (ids.has(key.slice(0, 25))) removeStep(context.paths, key);
	if (all && limits.length === 0 && filters.id === undefined) {
		rmSync(cacheMounts(context.paths), {recursive: true, force: true});
	}
	if (limits.length === 0 && filters.id === undefined) removeContextCaches(context.paths);
	await collect(openStore(context.paths, context.locks));
	const reclaimed = records.reduce((sum, {Size, Shared}) => sum + (Shared ? 0 : Size), 0);
	return {records, reclaimed};
}
