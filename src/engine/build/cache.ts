/** The cache of builds as a whole: what is in it, and its prune. */
import {rmSync, statfsSync} from 'node:fs';
import type {BuildCacheRecord, CacheRoom, Filters} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';
import {checkFilters, truthOf} from '../filters.ts';
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

const known = ['until', 'unused-for', 'id', 'description', 'shared', 'private', 'inuse', 'mutable', 'type'];

/** BuildKit's filters, of which ours have but one type and are never in use or to be changed. */
export async function filteredRecords(context: EngineContext, filters: Filters): Promise<BuildCacheRecord[]> {
	checkFilters(filters, known);
	const now = Date.now();
	const limits = [...(filters.until ?? []), ...(filters['unused-for'] ?? [])].map((value) =>
		untilTime(value, now),
	);
	const truth = (key: string): boolean | undefined => truthOf(filters, key);
	const [shared, isPrivate, inUse, mutable] = ['shared', 'private', 'inuse', 'mutable'].map(truth);
	return (await cacheRecords(context)).filter(
		({Id, Description, LastUsedAt, Shared}) =>
			limits.every((limit) => LastUsedAt < limit) &&
			(filters.id ?? [Id]).some((id) => Id.startsWith(id)) &&
			(filters.description ?? [Description]).includes(Description) &&
			(filters.type ?? ['regular']).includes('regular') &&
			(shared === undefined || Shared === shared) &&
			(isPrivate === undefined || Shared !== isPrivate) &&
			inUse !== true &&
			mutable !== true,
	);
}

/** How many bytes stay; undefined: none, whatever they are. */
function roomFor({reserved, maxUsed, minFree}: CacheRoom, root: string, used: number): number | undefined {
	const limits = [...(maxUsed === undefined ? [] : [maxUsed])];
	if (minFree !== undefined) {
		const {bavail, bsize} = statfsSync(root);
		limits.push(Math.max(0, used + bavail * bsize - minFree));
	}
	if (limits.length === 0) return reserved;
	return Math.max(reserved ?? 0, Math.min(...limits));
}

/** `all` takes the folders of cache mounts as well. */
export async function pruneCache(
	context: EngineContext,
	{all = false, filters = {}, keep = {}}: {all?: boolean; filters?: Filters; keep?: CacheRoom},
): Promise<{records: BuildCacheRecord[]; reclaimed: number}> {
	const found = await filteredRecords(context, filters);
	const sizeOf = ({Size, Shared}: BuildCacheRecord): number => (Shared ? 0 : Size);
	const used = (await cacheRecords(context)).reduce((sum, record) => sum + sizeOf(record), 0);
	const room = roomFor(keep, context.paths.root, used);
	let left = used;
	// The longest unused first, as long as there is more than may stay.
	const records =
		room === undefined
			? found
			: found
					.toReversed()
					.filter((record) => {
						if (left <= room) return false;
						left -= sizeOf(record);
						return true;
					})
					.toReversed();
	const ids = new Set(records.map(({Id}) => Id));
	for (const {key} of listSteps(context.paths)) if (ids.has(key.slice(0, 25))) removeStep(context.paths, key);
	const isWhole = Object.keys(filters).length === 0 && room === undefined;
	if (all && isWhole) rmSync(cacheMounts(context.paths), {recursive: true, force: true});
	if (isWhole) removeContextCaches(context.paths);
	await collect(openStore(context.paths, context.locks));
	return {records, reclaimed: records.reduce((sum, record) => sum + sizeOf(record), 0)};
}
