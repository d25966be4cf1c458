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
import {type Entry, type Layout, taggedTime} from './layout.ts';
import {
	type Configuration,
	isIndex,
	type Manifest,
	mediaTypes,
	parseConfiguration,
	parseManifest,
} from './manifest.ts';

const version = 2;

/** Of one manifest, all that lists and filters need. */
export interface Summary extends Platform {
	/** `sha256:...` of the configuration. */
	readonly id: string;
	/** RFC 3339, as the image has it; empty when it has none. */
	readonly created: string;
	readonly labels: Record<string, string> | null;
	/** Lowest first. */
	readonly diffIds: string[];
	/** Bytes of the unpacked layers; absent while one is missing. */
	readonly size?: number;
	/** Blobs that the manifest needs, itself and the configuration included. */
	readonly blobs: string[];
}

export interface Image extends Summary {
	/** Its names, tags and digests, in the index's order. */
	readonly references: readonly Reference[];
	/** The manifests that have this configuration; the first is the one that is used. */
	readonly manifests: readonly string[];
	readonly entries: readonly Entry[];
	/** Of all its manifests. */
	readonly allBlobs: readonly string[];
	/** RFC 3339 of the last `tag`. */
	readonly tagged: string | undefined;
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

	/** A manifest and its configuration; undefined when a blob is lost. For an index, those for this machine. */
	async load(
		digest: string,
	): Promise<{manifest: Manifest; digest: string; configuration: Configuration} | undefined> {
		const bytes = await this.#layout.readBlob(digest);
		if (!bytes) return undefined;
		const document = parseManifest(bytes);
		if (isIndex(document)) {
			const selected = selectPlatform(document.manifests, undefined).digest;
			return selected === digest ? undefined : this.load(selected);
		}
		const configuration = await this.#layout.readBlob(document.config.digest);
		return configuration && {manifest: document, digest, configuration: parseConfiguration(configuration)};
	}

	async #summarize(digest: string, known: Summary | undefined): Promise<Summary | undefined> {
		const summary = known ?? (await this.#read(digest));
		if (!summary) return undefined;
		const layers = findLayers(this.#paths, summary.diffIds);
		const missing = layers.some((layer) => layer === undefined);
		const blobs = missing ? (await this.load(digest).catch(() => undefined))?.manifest.layers : undefined;
		const sizes = layers.map((layer, at) => {
			if (layer) return layer.size;
			// One that was made here is unpacked when it is first needed; its blob is as large.
			return blobs?.[at]?.mediaType === mediaTypes.ociLayer ? blobs[at].size : undefined;
		});
		const size = sizes.every((each) => each !== undefined)
			? sizes.reduce((sum, each) => sum + each, 0)
			: undefined;
		return size === undefined ? summary : {...summary, size};
	}

	async #read(digest: string): Promise<Summary | undefined> {
		const loaded = await this.load(digest).catch(() => undefined);
		if (!loaded) return undefined;
		const {manifest, configuration} = loaded;
		const {os, architecture, variant, created, config, diffIds} = configuration;
		return {
			id: manifest.config.digest,
			os,
			architecture,
			...(variant === undefined ? {} : {variant}),
			created: created ?? '',
			labels: config.Labels ?? null,
			diffIds: [...diffIds],
			blobs: [
				...new Set([
					...[digest, loaded.digest, manifest.config.digest],
					...manifest.layers.map((layer) => layer.digest),
					...(manifest.original === undefined ? [] : [manifest.original]),
				]),
			],
		};
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
		entries: own,
		allBlobs: [...new Set(own.flatMap(({descriptor}) => summaries[descriptor.digest]?.blobs ?? []))],
		references: unique(own.flatMap(({reference}) => reference ?? [])),
		manifests: [...new Set(own.map(({descriptor}) => descriptor.digest))],
		tagged: own
			.map(taggedTime)
			.filter((time) => time !== undefined)
			.sort()
			.at(-1),
	}));
}

const unique = (references: readonly Reference[]): Reference[] => [
	...new Map(references.map((reference) => [storedName(reference), reference])).values(),
];
