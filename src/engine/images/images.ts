/** The engine's images: pull, list, inspect, resolve, tag, remove. */
import {rmSync} from 'node:fs';
import type {EngineEvent, ImageInspect, ImageSummary, Images, Platform, ResolvedImage} from '../api.ts';
import {WherryError} from '../errors.ts';
import {truthOf} from '../filters.ts';
import type {Locks} from '../locks.ts';
import type {Paths} from '../paths.ts';
import type {TransportOptions} from '../registry/transport.ts';
import type {Image, Wanted} from '../store/catalog.ts';
import {collect, openStore, sweep} from '../store/collect.ts';
import {chainIds} from '../store/digest.ts';
import {isFull, storageError} from '../store/files.ts';
import {findLayers} from '../store/layers.ts';
import {type Entry, namedEntry, withNames, withUnnamed} from '../store/layout.ts';
import {acquireLease, removalMark} from '../store/leases.ts';
import {applyFilters, createdSeconds, createdTime} from './filters.ts';
import {describeImage} from './inspect.ts';
import {digestsOf, type Lookup, lookup, manifestsOf, noSuchImage, tagsOf} from './lookup.ts';
import {notProvided} from './platform.ts';
import {
	canonical,
	canonicalName,
	familiar,
	familiarName,
	parseReference,
	type Reference,
	storedName,
	withDefaultTag,
} from './reference.ts';
import {
	exclusiveLayers,
	type ImageUser,
	inOrder,
	planParent,
	planRemoval,
	type Removal,
	removalLines,
} from './remove.ts';

export interface ImagesOptions {
	readonly paths: Paths;
	readonly locks: Locks;
	readonly journal: {
		append(type: EngineEvent['Type'], action: string, id: string, attributes?: Record<string, string>): void;
	};
	/** The containers with the images that they were made from. */
	readonly containersUsing: () => Promise<readonly ImageUser[]>;
	/** The same for lists: it may be from when another list began to read them. */
	readonly containersShown?: () => Promise<readonly ImageUser[]>;
	readonly transport?: TransportOptions;
	readonly env?: NodeJS.ProcessEnv;
}

const baseName = 'docker.io/wherry/base';

export interface ImageEngine extends Images {
	/** Removes what killed processes have left behind; cheap when there is nothing. */
	repair(): Promise<void>;
	close(): void;
}

export function createImages(options: ImagesOptions): ImageEngine {
	const {paths, locks, journal} = options;
	const store = openStore(paths, locks);
	const {layout} = store;
	let closeTransport = () => {};

	const tell = (action: string, id: string, name: string, labels?: Record<string, string> | null) =>
		journal.append('image', action, id, {...labels, name});

	async function tellPulled(pulled: string, reference: Reference): Promise<void> {
		const image = (await store.catalog.images()).find(({ids}) => ids.includes(pulled));
		tell('pull', familiar(reference), familiarName(reference), image?.labels);
	}

	async function connection() {
		const [{Transport}, {dockerCredentials}] = await Promise.all([
			import('../registry/transport.ts'),
			import('../registry/credentials.ts'),
		]);
		const env = options.env ?? process.env;
		const transport = new Transport({env, ...options.transport});
		closeTransport = () => transport.close();
		return {transport, credentials: dockerCredentials(env)};
	}
	let connecting: ReturnType<typeof connection> | undefined;

	async function load(found: Lookup, wanted: Wanted = {}) {
		const {image} = found;
		let missing: unknown;
		for (const digest of manifestsOf(found)) {
			try {
				const loaded = await store.catalog.load(digest, wanted);
				if (loaded) return loaded;
			} catch (error) {
				missing = error;
			}
		}
		if (missing) throw missing;
		// Somebody may have removed it since it was found.
		const named = (await layout.read()).map(({descriptor}) => descriptor.digest);
		if (!image.manifests.some((digest) => named.includes(digest))) throw noSuchImage(image.id);
		throw new WherryError('corrupt', `image ${image.id} is damaged in the store; pull it again`, {
			object: image.id,
		});
	}

	const find = async (text: string): Promise<Image> => (await seek(text)).image;

	async function seek(text: string): Promise<Lookup> {
		const images = await store.catalog.images();
		try {
			return lookup(images, text);
		} catch (error) {
			if (!(error instanceof WherryError) || error.code !== 'not-found' || !isBase(text)) throw error;
			await engine.ensureBase();
			return lookup(await store.catalog.images(), text);
		}
	}

	/** One image with its documents: that of a name and a platform, or that of an id. */
	async function open(text: string, platform: Platform | undefined) {
		const found = await seek(text);
		const {image, id} = found;
		const loaded = await load(found, {platform, id}).catch((error) => {
			if (!platform || !(error instanceof WherryError) || error.code !== 'not-found') throw error;
			throw notProvided(text, platform);
		});
		const own = loaded.manifest.config.digest;
		// Of another platform's image the list knows less.
		const {size: _, ...rest} = image;
		const {os, architecture, diffIds} = loaded.configuration;
		return {
			...loaded,
			image: own === image.id ? image : {...rest, id: own, os, architecture, diffIds: [...diffIds]},
		};
	}

	/**
	 * Takes names of an image away and, when it goes itself, what only it needs. What goes is planned under the lock
	 * under which containers are made; undefined: nothing.
	 */
	async function takeAway<T extends {image: Image; removal: Removal}>(
		plan: () => Promise<T | undefined>,
	): Promise<T | undefined> {
		let done: T | undefined;
		const lease = await withRoom(paths, () => acquireLease(paths, locks, [removalMark]));
		try {
			await collect(store, async () => {
				const planned = await plan();
				if (!planned) return false;
				const {image, removal} = planned;
				const gone = new Set(removal.untagged.map(storedName));
				await layout.update((entries) => removeNames(entries, image, gone, removal.deleted));
				done = planned;
				return removal.deleted;
			});
			if (done) tellRemoved(done.image, done.removal);
			return done;
		} finally {
			lease.release();
		}
	}

	function tellRemoved({id, labels}: Image, {untagged, deleted}: Removal): void {
		// A digest that goes with the last tag of its repository is not told of.
		const tags = new Set(untagged.filter(({digest}) => digest === undefined).map(canonicalName));
		for (const each of untagged)
			if (each.digest === undefined || !tags.has(canonicalName(each))) tell('untag', id, id, labels);
		if (deleted) tell('delete', id, id, labels);
	}

	/** What Dockerfiles call nothing at all is no image. */
	function refuseReserved(reference: Reference): void {
		if (canonicalName(reference) === 'docker.io/library/scratch')
			throw new WherryError('invalid', "'scratch' is a reserved name", {object: familiar(reference)});
	}

	const engine: ImageEngine = {
		async pull(text, request = {}) {
			const reference = withDefaultTag(parseReference(text));
			refuseReserved(reference);
			if (canonicalName(reference) === baseName) {
				const known = (await store.catalog.images()).length;
				const id = await engine.ensureBase();
				const image = lookup(await store.catalog.images(), id).image;
				request.onProgress?.({
					kind: 'status',
					message: `Status: Image is up to date for ${familiar(reference)}`,
				});
				const changed = known !== (await store.catalog.images()).length;
				return {id, digest: image.manifests[0]!, reference: canonical(reference), changed};
			}
			const {pullImage} = await import('./pull.ts');
			connecting ??= connection();
			const {transport, credentials} = await connecting;
			const pulled = await pullImage(store, transport, credentials, {reference, ...request});
			await tellPulled(pulled.id, reference);
			return {...pulled, reference: canonical(reference)};
		},

		async pullAll(text, request = {}) {
			const reference = parseReference(text);
			if (reference.tag !== undefined || reference.digest !== undefined) {
				throw new WherryError('invalid', "tag can't be used with --all-tags/-a", {object: text});
			}
			refuseReserved(reference);
			if (canonicalName(reference) === baseName) return [await engine.pull(text, request)];
			const {pullAllTags} = await import('./pull.ts');
			connecting ??= connection();
			const {transport, credentials} = await connecting;
			return pullAllTags(store, transport, credentials, {reference, ...request}, async (pulled, tagged) => {
				await tellPulled(pulled.id, tagged);
				return {...pulled, reference: canonical(tagged)};
			});
		},

		async push(text, request = {}) {
			const parsed = parseReference(text);
			if (request.allTags && (parsed.tag !== undefined || parsed.digest !== undefined)) {
				throw new WherryError('invalid', "tag can't be used with --all-tags/-a", {object: text});
			}
			if (parsed.digest !== undefined) {
				throw new WherryError('invalid', 'cannot push a digest reference', {object: text, bare: true});
			}
			const reference = request.allTags ? parsed : withDefaultTag(parsed);
			const {pushImage} = await import('./push.ts');
			connecting ??= connection();
			const {transport, credentials} = await connecting;
			const pushed = await pushImage(store, transport, credentials, {...request, reference});
			for (const {tag} of pushed) {
				const name = familiar({...reference, tag});
				tell('push', name, familiarName(reference));
			}
			return pushed;
		},

		async save(texts, output, request = {}) {
			const {saveImages} = await import('./save.ts');
			for (const text of texts) if (isBase(text)) await find(text);
			for (const {id} of await saveImages(store, texts, output, request)) tell('save', id, id);
		},

		async load(input, request = {}) {
			const {loadImages} = await import('./load.ts');
			const loaded = await loadImages(store, input, request);
			for (const {id} of loaded) tell('load', id, id);
			return loaded;
		},

		async import(input, {reference: text, ...request} = {}) {
			const reference = text ? withDefaultTag(parseReference(text)) : undefined;
			if (reference?.digest !== undefined) {
				throw new WherryError('invalid', 'cannot import digest reference', {object: text});
			}
			const {importImage} = await import('./import.ts');
			const id = await importImage(store, input, {...request, reference});
			if (reference) tell('tag', id, familiar(reference));
			tell('import', id, id);
			return {id};
		},

		async layers(text, {platform, signal} = {}) {
			// Unpacks those that aren't yet.
			await engine.resolve(text, {platform});
			const {image, configuration} = await open(text, platform);
			const {readLayers} = await import('./layers.ts');
			const layers = findLayers(paths, configuration.diffIds).map((layer) => {
				if (layer) return layer;
				throw new WherryError('corrupt', `a layer of image ${text} is not there any more`, {
					object: image.id,
				});
			});
			return readLayers(paths, image.id, configuration, layers, signal);
		},

		async history(text, {platform} = {}) {
			const {image, configuration, manifest} = await open(text, platform);
			const {historyOf} = await import('./history.ts');
			return historyOf(image, configuration, await store.catalog.layerSizes(image.diffIds, manifest.layers));
		},

		async list({all = false, filters = {}, platforms = false, containers = true} = {}) {
			const {containersUsing, containersShown = containersUsing} = options;
			const [images, users] = await Promise.all([
				store.catalog.images(),
				containers || platforms ? containersShown() : [],
			]);
			const counts = new Map<string, number>();
			for (const {image} of users) counts.set(image, (counts.get(image) ?? 0) + 1);
			const used = ({ids}: Image) =>
				containers ? ids.reduce((sum, id) => sum + (counts.get(id) ?? 0), 0) : -1;
			const parents = new Set(images.map(({parent}) => parent));
			// docker: what only others were made from is seen by those who want all.
			const isHidden = ({references, ids}: Image) =>
				!(all && truthOf(filters, 'dangling') !== true) &&
				references.length === 0 &&
				ids.some((id) => parents.has(id));
			const shown = images.filter((image) => !isHidden(image));
			const found = applyFilters(shown, filters, (name) => lookup(images, name).image).sort(
				(left, right) => createdTime(right.image) - createdTime(left.image),
			);
			const summaries = found.map(
				({image, references}): ImageSummary => ({
					Id: image.id,
					RepoTags: tagsOf(references),
					RepoDigests: digestsOf(references),
					Created: createdSeconds(image.created),
					Size: image.size ?? 0,
					Labels: image.labels,
					Containers: used(image),
				}),
			);
			if (!platforms) return summaries;
			const {platformsOf} = await import('./platforms.ts');
			const ids = new Set(counts.keys());
			for (const [at, {image}] of found.entries())
				summaries[at]!.Platforms = await platformsOf(store, image, ids);
			return summaries;
		},

		async inspect(text, {platform} = {}): Promise<ImageInspect> {
			const {image, configuration} = await open(text, platform);
			return describeImage(image, configuration, findLayers(paths, image.diffIds), paths);
		},

		async ids(texts) {
			const images = await store.catalog.images();
			return texts.map((text) => found(images, text)?.id);
		},

		async descendants(text) {
			const images = await store.catalog.images();
			const ancestor = found(images, text);
			if (!ancestor) return [];
			const {descendantsOf} = await import('./ancestry.ts');
			return descendantsOf(images, ancestor, async (image) => (await load({image})).configuration);
		},

		async resolve(text, {platform} = {}): Promise<ResolvedImage> {
			const {image, manifest, configuration} = await open(text, platform);
			let layers = findLayers(paths, configuration.diffIds);
			if (layers.includes(undefined)) {
				const {unpackImage} = await import('./pull.ts');
				await unpackImage(store, manifest, configuration);
				layers = findLayers(paths, configuration.diffIds);
			}
			const name = image.references.find(({digest}) => digest === undefined) ?? image.references[0];
			return {
				id: image.id,
				config: configuration.config,
				os: configuration.os,
				architecture: configuration.architecture,
				layers: layers.map((layer) => {
					if (layer) return layer.key;
					throw new WherryError('corrupt', `a layer of image ${text} can't be unpacked`, {object: image.id});
				}),
				name: name ? familiar(name) : image.id,
			};
		},

		async tag(text, target) {
			const reference = withDefaultTag(parseReference(target));
			if (reference.digest !== undefined)
				throw new WherryError('invalid', 'refusing to create a tag with a digest reference', {
					object: target,
					bare: true,
				});
			if (familiarName(reference) === 'sha256')
				throw new WherryError(
					'invalid',
					'refusing to create an ambiguous tag using digest algorithm as name',
					{object: target},
				);
			const source = await seek(text);
			const {image} = source;
			const tagged = new Date().toISOString();
			let done = false;
			await layout.update((entries) => {
				const from = manifestsOf(source)
					.map((digest) => entries.find(({descriptor}) => descriptor.digest === digest))
					.find((entry) => entry !== undefined);
				if (!from) return undefined;
				done = true;
				return withNames(entries, [namedEntry(from.descriptor, reference, tagged)]);
			});
			if (!done) throw noSuchImage(text);
			tell('tag', image.id, familiar(reference), image.labels);
		},

		async remove(text, {force = false, prune = true} = {}) {
			if (text.trim() === '') throw new WherryError('invalid', 'image name cannot be blank', {object: text});
			const plan = async () => {
				const users = await options.containersUsing();
				const images = await store.catalog.images();
				const found = lookup(images, text);
				return {image: found.image, removal: planRemoval(images, found, text, users, force)};
			};
			// What can't be done is said before anything waits or is written.
			await plan();
			let done = (await takeAway(plan)) as {image: Image; removal: Removal} | undefined;
			const lines: ({Untagged: string} | {Deleted: string})[] = [];
			while (done) {
				lines.push(...removalLines(done.image, done.removal));
				const {parent} = done.image;
				if (!prune || !done.removal.deleted || parent === undefined) break;
				const above = async () =>
					planParent(await store.catalog.images(), parent, await options.containersUsing());
				// Looked at first: to take away is to go through all of the store.
				done = (await above()) && (await takeAway(above));
			}
			return lines;
		},

		async previewRemoval(texts, {force = false} = {}) {
			const {previewRemoval} = await import('./prune.ts');
			const [images, users] = await Promise.all([store.catalog.images(), options.containersUsing()]);
			return previewRemoval(paths, images, users, texts, force);
		},

		async prune({filters = {}, preview = false} = {}) {
			const {prunable, previewPrune} = await import('./prune.ts');
			const images = await store.catalog.images();
			if (preview) return previewPrune(paths, images, await options.containersUsing(), filters);
			const deleted: ({Untagged: string} | {Deleted: string})[] = [];
			let reclaimed = 0;
			for (const {id} of prunable(images, await options.containersUsing(), filters)) {
				// What others do meanwhile counts: a container that uses it, a name that it has got or lost.
				const done = await takeAway(async () => {
					const users = await options.containersUsing();
					const known = await store.catalog.images();
					const [image] = prunable(known, users, filters).filter((each) => each.id === id);
					if (!image) return undefined;
					const layers = findLayers(paths, image.diffIds);
					const untagged = inOrder(image.references);
					const removal = {untagged, deleted: true, layers: exclusiveLayers(known, image)};
					return {image, removal, sizes: layers.map((layer) => layer?.size ?? 0)};
				});
				if (!done) continue;
				const {image, removal, sizes} = done;
				deleted.push(...removalLines(image, removal));
				for (const [at, key] of chainIds(image.diffIds).entries())
					if (removal.layers.includes(key)) reclaimed += sizes[at]!;
			}
			journal.append('image', 'prune', '', {reclaimed: String(reclaimed)});
			return {ImagesDeleted: deleted, SpaceReclaimed: reclaimed};
		},

		async verify() {
			const {checkImages} = await import('./verify.ts');
			return checkImages(store);
		},

		async ensureBase() {
			const existing = (await store.catalog.images()).find(({references}) =>
				references.some((each) => storedName(each) === `${baseName}:latest`),
			);
			if (existing) return existing.id;
			const {makeBase} = await import('./base.ts');
			return makeBase(store, parseReference(`${baseName}:latest`));
		},

		repair: () => sweep(store),
		close: () => closeTransport(),
	};
	return engine;
}

/** The image that is meant; undefined when it isn't there, or could be several. */
function found(images: readonly Image[], text: string): Image | undefined {
	try {
		return lookup(images, text).image;
	} catch {
		return undefined;
	}
}

function isBase(text: string): boolean {
	try {
		return storedName(parseReference(text)) === `${baseName}:latest`;
	} catch {
		return false;
	}
}

/** On a full disk what can be made again goes first: that which makes room has to work there too. */
async function withRoom<T>(paths: Paths, work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		if (!isFull(error)) throw error;
		rmSync(paths.cache, {recursive: true, force: true});
	}
	return work().catch((error) => {
		throw storageError(error, paths.root);
	});
}

/** The entries without these names of an image. Names that it has got meanwhile keep it. */
function removeNames(entries: readonly Entry[], image: Image, gone: Set<string>, deleted: boolean): Entry[] {
	const isOurs = ({descriptor}: Entry) => image.manifests.includes(descriptor.digest);
	const named = entries.filter(
		(entry) => entry.reference && !(isOurs(entry) && gone.has(storedName(entry.reference))),
	);
	return withUnnamed(
		named,
		entries.filter((entry) => !(deleted && isOurs(entry))),
	);
}
