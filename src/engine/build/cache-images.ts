/**
 * The cache of a build for elsewhere: an image whose layers are those of the steps, with a table of the steps in its
 * configuration, in a member of our own. Keys depend on content alone, so they mean the same on every host. With
 * `inline` the member is in the built image itself. It is not BuildKit's format (vnd.buildkit.cacheconfig): that has
 * digests of BuildKit's own operations, which nobody else can make, so neither could find anything of the other's.
 */
import {closeSync, constants, createReadStream, createWriteStream, openSync} from 'node:fs';
import {join} from 'node:path';
import {finished} from 'node:stream/promises';
import {native} from '../../kernel/native.ts';
import type {BuildCacheTarget, Images} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';
import {WherryError} from '../errors.ts';
import {addImage, type NewImage, type NewLayer} from '../images/new-image.ts';
import {hostPlatform} from '../images/platform.ts';
import {parseReference, withDefaultTag} from '../images/reference.ts';
import {type CachedStep, readStep, writeStep} from '../store/build-cache.ts';
import type {Store} from '../store/collect.ts';
import {isDigest} from '../store/digest.ts';
import {makeFolders} from '../store/files.ts';
import {mediaTypes} from '../store/manifest.ts';

const member = 'wherry.cache.v0';

/** A step, and the number of its layer in the image. */
interface SharedStep {
	readonly key: string;
	readonly description: string;
	readonly created: string;
	readonly layer?: number;
}

/** The member that says which steps an image's layers are of. */
export function cacheMember(
	steps: ReadonlyMap<string, CachedStep>,
	layers: readonly NewLayer[],
): Record<string, unknown> {
	const places = new Map(layers.map(({diffId}, at) => [diffId, at]));
	const list = [...steps].flatMap(([key, {description, created, layer}]): SharedStep[] => {
		if (!layer) return [{key, description, created}];
		const place = places.get(layer.diffId);
		return place === undefined ? [] : [{key, description, created, layer: place}];
	});
	return {[member]: list};
}

/** The steps that made these layers, or no files. */
export function stepsOfLayers(
	steps: ReadonlyMap<string, CachedStep>,
	layers: readonly NewLayer[],
): ReadonlyMap<string, CachedStep> {
	const own = new Set(layers.map(({diffId}) => diffId));
	return new Map([...steps].filter(([, {layer}]) => !layer || own.has(layer.diffId)));
}

function stepsOf(configuration: unknown): SharedStep[] {
	const list = (configuration as Record<string, unknown> | null)?.[member];
	if (!Array.isArray(list)) return [];
	return list.filter(
		({key, description, created, layer}) =>
			/^[a-f0-9]{64}$/.test(String(key)) &&
			typeof description === 'string' &&
			typeof created === 'string' &&
			(layer === undefined || Number.isSafeInteger(layer)),
	);
}

/** Writes the steps of an image of the store into this host's cache; resolves to how many there were. */
async function takeSteps({catalog, layout, paths}: Store, id: string): Promise<number> {
	const image = (await catalog.images()).find(({ids}) => ids.includes(id));
	const loaded = image && (await catalog.load(image.manifests[0]!, {id}));
	const bytes = loaded && (await layout.readBlob(loaded.manifest.config.digest));
	if (!loaded || !bytes) return 0;
	const steps = stepsOf(JSON.parse(bytes.toString('utf8')));
	for (const {key, description, created, layer: place} of steps) {
		if (readStep(paths, key)) continue;
		const descriptor = place === undefined ? undefined : loaded.manifest.layers[place];
		const diffId = place === undefined ? undefined : loaded.configuration.diffIds[place];
		if (place !== undefined && (!descriptor || !isDigest(diffId))) continue;
		await writeStep(paths, key, {
			description: description.slice(0, 500),
			created,
			...(descriptor && diffId
				? {layer: {diffId, digest: descriptor.digest, size: descriptor.size, mediaType: descriptor.mediaType}}
				: {}),
		});
	}
	return steps.length;
}

const idOf = async (images: Images, reference: string): Promise<string | undefined> =>
	(await images.ids([reference]))[0];

/** Takes what a cache from elsewhere has. What was only fetched for it is gone afterwards, except for its layers. */
export async function importCache(
	context: EngineContext,
	store: Store,
	from: BuildCacheTarget,
	scratch: string,
	signal: AbortSignal | undefined,
): Promise<void> {
	const images = await context.images();
	const options = signal ? {signal} : {};
	if ('folder' in from) {
		const file = join(scratch, 'cache.tar');
		const source = openSync(from.folder, constants.O_RDONLY | constants.O_DIRECTORY);
		const output = openSync(file, 'wx', 0o600);
		try {
			await native.packTree(source, output, {name: '', withTop: false});
		} finally {
			closeSync(output);
			closeSync(source);
		}
		for (const {id} of await images.load(createReadStream(file), options)) {
			await images.resolve(id);
			await takeSteps(store, id);
			await images.remove(id).catch(() => {});
		}
		return;
	}
	if (!('reference' in from)) return;
	const before = await idOf(images, from.reference);
	// One that is here is good enough, and may never have been pushed.
	if (before !== undefined && (await takeSteps(store, before)) > 0) return;
	await images.pull(from.reference, options);
	const {id} = await images.resolve(from.reference);
	const count = await takeSteps(store, id);
	if (before === undefined) await images.remove(from.reference).catch(() => {});
	if (count === 0) throw new WherryError('not-found', `no cache in ${from.reference}`);
}

/** Sends the layers and the table of all steps of a build. */
export async function exportCache(
	context: EngineContext,
	store: Store,
	steps: ReadonlyMap<string, CachedStep>,
	to: BuildCacheTarget,
	scratch: string,
): Promise<void> {
	const layers = new Map<string, NewLayer>();
	for (const {layer} of steps.values()) {
		if (!layer) continue;
		const {diffId, digest, size, mediaType = mediaTypes.ociLayer} = layer;
		layers.set(diffId, {diffId, descriptor: {mediaType, digest, size}});
	}
	const created = new Date(0).toISOString();
	const list = [...layers.values()];
	const image: NewImage = {
		platform: hostPlatform(),
		created,
		config: {},
		history: list.map(() => ({created, created_by: 'cache'})),
		layers: list,
		more: cacheMember(steps, list),
	};
	if ('folder' in to) {
		const {writeArchive} = await import('./image-archive.ts');
		const {unpackFile} = await import('./output.ts');
		const file = join(scratch, 'cache-out.tar');
		const output = createWriteStream(file, {mode: 0o600});
		const written = finished(output);
		// Whoever writes finds out first.
		written.catch(() => {});
		await writeArchive(store, [image], [], {image: output, format: 'oci'});
		output.end();
		await written;
		makeFolders(to.folder, 0o777);
		await unpackFile(file, to.folder);
	} else if ('reference' in to) {
		const images = await context.images();
		const before = await idOf(images, to.reference);
		const reference = withDefaultTag(parseReference(to.reference));
		await addImage(store, image, reference);
		try {
			await images.push(to.reference);
		} finally {
			if (before === undefined) await images.remove(to.reference).catch(() => {});
			else await images.tag(before, to.reference).catch(() => {});
		}
	}
}
