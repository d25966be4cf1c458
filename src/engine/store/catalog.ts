/**
 * What images there are: index.json, with what lists need of manifests and configurations kept in
 * `cache/images.json`, so that a list reads two files whatever the number of images. Blobs never change, so
 * the cache is right or missing; it is made again when it is lost, unreadable or of another version.
 */
import {join} from 'node:path';
import type {Platform} from '../api.ts';
import {selectPlatform} from '../images/platform.ts';
import {type Reference, storedName} from '../images/reference.ts';
import type {Paths} from '../paths.ts';
import {isDigest} from './digest.ts';
import {readIfThere, replaceFile} from './files.ts';
import {findLayers} from './layers.ts';
import {type Entry, type Layout, parentOf, taggedTime} from './layout.ts';
import {
	type Configuration,
	type Descriptor,
	type Index,
	isIndex,
	type Manifest,
	mediaTypes,
	parseConfiguration,
	parseManifest,
} from './manifest.ts';

const version = 3;

/** Of one manifest, all that lists and filters need. */
export interface Summary extends Platform {
	/** `sha256:...` of the configuration. */
	readonly id: string;
	/** RFC 3339, as the image has it; empty when it has none. */
	readonly created: string;
	readonly labels: Record<string, string> | null;
	/** Lowest first. */
	readonly diffIds: string[];
	/** Bytes that the files of all layers hold; absent while one is missing. */
	readonly size?: number;
	/** Blobs that the manifest needs, itself and the configuration included; of an index those of all platforms. */
	readonly blobs: string[];
	/** The images for other platforms in the same index, as far as they are here. */
	readonly others?: readonly {readonly id: string; readonly diffIds: readonly string[]}[];
}

/** A manifest with its configuration. */
export interface LoadedImage {
	readonly manifest: Manifest;
	readonly digest: string;
	readonly configuration: Configuration;
}

/** Which image of an index is meant: that for a platform, or that with an id; neither: for this machine. */
export interface Wanted {
	readonly platform?: Platform | undefined;
	readonly id?: string | undefined;
}

export interface Image extends Summary {
	/** Its id, and those for other platforms under the same name. */
	readonly ids: readonly string[];
	/** Its names, tags and digests, in the index's order. */
	readonly references: readonly Reference[];
	/** The manifests that have this configuration; the first is the one that is used. */
	readonly manifests: readonly string[];
	readonly entries: readonly Entry[];
	/** Of all its manifests. */
	readonly allBlobs: readonly string[];
	/** RFC 3339 of the last `tag`. */
	readonly tagged: string | undefined;
	/** The id of the image that it was committed from, which need not be there any more. */
	readonly parent?: string | undefined;
}

type Cache = Record<string, Summary>;

function isSummary(value: unknown): value is Summary {
	if (typeof value !== 'object' || value === null) return false;
	const {id, created, diffIds, blobs, os, architecture} = value as Partial<Summary>;
	return (
		isDigest(id) &&
		typeof created === 'string' &&
		typeof os === 'string' &&
		typeof architecture === 'string' &&
		Array.isArray(diffIds) &&
		diffIds.every(isDigest) &&
		Array.isArray(blobs) &&
		blobs.every(isDigest)
	);
}

export class Catalog {
	readonly #paths: Paths;
	readonly #layout: Layout;

	constructor(paths: Paths, layout: Layout) {
		this.#paths = paths;
		this.#layout = layout;
	}

	/** All images, in the order of the index. Entries whose blobs are lost are left out. */
	async images(): Promise<Image[]> {
		const [entries, cache] = await Promise.all([this.#layout.read(), this.#readCache()]);
		const summaries: Cache = Object.create(null);
		let changed = false;
		for (const {descriptor} of entries) {
			const {digest} = descriptor;
			if (summaries[digest]) continue;
			const known = cache[digest];
			const found = known?.size === undefined ? await this.#summarize(digest, known) : known;
			if (found !== known) changed = true;
			if (found) summaries[digest] = found;
		}
		if (changed || Object.keys(cache).length !== Object.keys(summaries).length)
			await this.#writeCache(summaries);
		return group(entries, summaries);
	}

	/**
	 * A manifest and its configuration; undefined when a blob is lost. Of an index the one that is wanted. Throws
	 * `not-found` when it has none for the platform.
	 */
	async load(digest: string, wanted: Wanted = {}): Promise<LoadedImage | undefined> {
		const bytes = await this.#layout.readBlob(digest);
		if (!bytes) return undefined;
		const document = parseManifest(bytes);
		if (!isIndex(document)) return this.#withConfiguration(document, digest);
		if (wanted.id !== undefined) {
			const all = await this.variants(digest);
			return all.find(({manifest}) => manifest.config.digest === wanted.id);
		}
		const here: Descriptor[] = [];
		for (const entry of document.manifests)
			if ((await this.#layout.blobSize(entry.digest)) !== undefined) here.push(entry);
		try {
			return await this.#loadOne(selectPlatform(here, wanted.platform).digest);
		} catch (error) {
			// An image for other machines only is one all the same.
			const [first] = wanted.platform ? [] : await this.variants(digest);
			if (first) return first;
			throw error;
		}
	}

	/** The images of an index that are here, whatever their platforms; of a manifest itself. */
	async variants(digest: string): Promise<LoadedImage[]> {
		const bytes = await this.#layout.readBlob(digest);
		const document = bytes && parseManifest(bytes);
		if (!document) return [];
		const digests = isIndex(document) ? document.manifests.map((entry) => entry.digest) : [digest];
		const loaded = await Promise.all(digests.map((each) => this.#loadOne(each).catch(() => undefined)));
		return loaded.filter((each) => each !== undefined);
	}

	/** Like `load`, but an index in an index is nothing. */
	async #loadOne(digest: string): Promise<LoadedImage | undefined> {
		const bytes = await this.#layout.readBlob(digest);
		const document = bytes && parseManifest(bytes);
		return document && !isIndex(document) ? this.#withConfiguration(document, digest) : undefined;
	}

	async #withConfiguration(manifest: Manifest, digest: string): Promise<LoadedImage | undefined> {
		const configuration = await this.#layout.readBlob(manifest.config.digest);
		return configuration && {manifest, digest, configuration: parseConfiguration(configuration)};
	}

	async #summarize(digest: string, known: Summary | undefined): Promise<Summary | undefined> {
		const summary = known ?? (await this.#read(digest));
		if (!summary) return undefined;
		const layers = findLayers(this.#paths, summary.diffIds);
		const missing = layers.some((layer) => layer === undefined);
		const blobs = missing ? (await this.load(digest).catch(() => undefined))?.manifest.layers : undefined;
		const sizes = await this.layerSizes(summary.diffIds, blobs);
		const size = sizes.every((each) => each !== undefined)
			? sizes.reduce((sum, each) => sum + each, 0)
			: undefined;
		return size === undefined ? summary : {...summary, size};
	}

	/**
	 * What the files of each layer hold, in bytes; undefined for one that is not unpacked, unless it was made here: that
	 * is unpacked when it is first needed, and its blob, of those of the manifest, is an archive as it is.
	 */
	layerSizes(
		diffIds: readonly string[],
		blobs: readonly Descriptor[] | undefined,
	): Promise<(number | undefined)[]> {
		return Promise.all(
			findLayers(this.#paths, diffIds).map(async (layer, at) => {
				if (layer) return layer.size;
				const blob = blobs?.[at];
				if (blob?.mediaType !== mediaTypes.ociLayer) return undefined;
				const {contentSize} = await import('./archive-content.ts');
				return contentSize(this.#layout.blobPath(blob.digest));
			}),
		);
	}

	async #read(digest: string): Promise<Summary | undefined> {
		const loaded = await this.load(digest).catch(() => undefined);
		if (!loaded) return undefined;
		const {manifest, configuration} = loaded;
		const {os, architecture, variant, created, config, diffIds} = configuration;
		const others = (await this.variants(digest))
			.filter((each) => each.digest !== loaded.digest)
			.map((each) => ({id: each.manifest.config.digest, diffIds: each.configuration.diffIds}));
		return {
			id: manifest.config.digest,
			os,
			architecture,
			...(variant === undefined ? {} : {variant}),
			created: created ?? '',
			labels: config.Labels ?? null,
			diffIds: [...diffIds],
			blobs: await this.blobs(digest),
			...(others.length > 0 ? {others} : {}),
		};
	}

	/** All that an entry of index.json needs, as far as it is here. */
	async blobs(digest: string): Promise<string[]> {
		const found = new Set<string>([digest]);
		const add = (document: Manifest | Index) => {
			if (document.original !== undefined) found.add(document.original);
			if (isIndex(document)) return;
			for (const each of [document.config, ...document.layers]) found.add(each.digest);
		};
		const top = await this.#layout.readBlob(digest);
		if (!top) return [digest];
		const document = parseManifest(top, '', {anyContent: true});
		add(document);
		for (const entry of isIndex(document) ? document.manifests : []) {
			const bytes = await this.#layout.readBlob(entry.digest);
			if (!bytes) continue;
			found.add(entry.digest);
			try {
				add(parseManifest(bytes, '', {anyContent: true}));
			} catch {
				// Some other document that another tool keeps there.
			}
		}
		return [...found];
	}

	get #cachePath(): string {
		return join(this.#paths.cache, 'images.json');
	}

	async #readCache(): Promise<Cache> {
		const bytes = readIfThere(this.#cachePath);
		try {
			const document = JSON.parse(bytes?.toString('utf8') ?? '{}');
			if (document.version !== version) return {};
			return Object.fromEntries(
				Object.entries(document.manifests as Cache).filter(([, value]) => isSummary(value)),
			);
		} catch {
			return {};
		}
	}

	/** Nothing is lost when this fails: on a read-only or full disk the lists still work. */
	async #writeCache(manifests: Cache): Promise<void> {
		await replaceFile(this.#cachePath, JSON.stringify({version, manifests}), {sync: false}).catch(() => {});
	}
}

function group(entries: readonly Entry[], summaries: Cache): Image[] {
	const images = new Map<string, {summary: Summary; entries: Entry[]}>();
	for (const entry of entries) {
		const summary = summaries[entry.descriptor.digest];
		if (!summary) continue;
		const image = images.get(summary.id);
		if (image) image.entries.push(entry);
		else images.set(summary.id, {summary, entries: [entry]});
	}
	return [...images.values()].map(({summary, entries: own}) => ({
		...summary,
		ids: unique(
			own.flatMap(({descriptor}) => summaries[descriptor.digest]?.others ?? []).map(({id}) => id),
			[summary.id],
		),
		entries: own,
		allBlobs: [...new Set(own.flatMap(({descriptor}) => summaries[descriptor.digest]?.blobs ?? []))],
		references: uniqueNames(own.flatMap(({reference}) => reference ?? [])),
		manifests: [...new Set(own.map(({descriptor}) => descriptor.digest))],
		tagged: own
			.map(taggedTime)
			.filter((time) => time !== undefined)
			.sort()
			.at(-1),
		parent: own.map(parentOf).find((id) => id !== undefined),
	}));
}

const unique = (more: readonly string[], first: readonly string[]): string[] => [
	...new Set([...first, ...more]),
];

const uniqueNames = (references: readonly Reference[]): Reference[] => [
	...new Map(references.map((reference) => [storedName(reference), reference])).values(),
];
