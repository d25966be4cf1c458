/**
 * `load`: archives that docker, podman, skopeo and others have saved: docker's format (`manifest.json` with the
 * configuration and layers of each image) and OCI image layouts. The archive is read once, front to back, into
 * files that become blobs, while what looks like a layer is unpacked; only then is looked at what they are. All of
 * it is a stranger's: paths are names in a table and never reach the file system.
 */
import {mkdirSync, rmSync} from 'node:fs';
import type {Readable} from 'node:stream';
import type {LoadEvent, Platform} from '../api.ts';
import {WherryError} from '../errors.ts';
import {type Store, sweep} from '../store/collect.ts';
import {chainIds, digestHex, sha256} from '../store/digest.ts';
import {storageError, syncFolder} from '../store/files.ts';
import {flush} from '../store/flush.ts';
import {namedEntry, unnamedEntry, withNames, withUnnamed} from '../store/layout.ts';
import {acquireLease} from '../store/leases.ts';
import {
	checkStrings,
	type Descriptor,
	type Index,
	isIndex,
	largestConfig,
	largestManifest,
	type Manifest,
	mediaTypes,
	parseConfiguration,
	parseManifest,
	toOciIndex,
	toOciManifest,
} from '../store/manifest.ts';
import {EarlyLayers} from './early-layers.ts';
import {selectPlatform} from './platform.ts';
import {unpackImage} from './pull.ts';
import {familiar, parseReference, type Reference, withDefaultTag} from './reference.ts';
import {compressionOf, corrupt, headOf, plain, readWhole, Spool, type Spooled} from './spool.ts';

/** An image that the archive holds. */
interface Found {
	readonly manifest: Buffer;
	/** As it came, when it is docker's and what is kept is made of it. */
	readonly original?: Buffer;
	readonly config: Buffer;
	readonly names: Reference[];
	/** Digest to where its bytes are. */
	readonly blobs: Map<string, Spooled>;
	/** The index that is kept with all else that it has in the archive. */
	readonly index?: {readonly bytes: Buffer; readonly original?: Buffer; readonly others: readonly Other[]};
}

/** A manifest for another platform: only its blobs are kept. */
interface Other {
	readonly manifest: Manifest;
	readonly documents: readonly Buffer[];
	readonly blobs: ReadonlyMap<string, Spooled>;
}

export interface LoadRequest {
	/** `all`: indexes are kept whole. */
	readonly platform?: Platform | 'all' | undefined;
	readonly onProgress?: ((event: LoadEvent) => void) | undefined;
	readonly signal?: AbortSignal | undefined;
}

function json(bytes: Buffer, what: string): unknown {
	checkStrings(bytes, what);
	try {
		return JSON.parse(bytes.toString('utf8'));
	} catch (cause) {
		throw new WherryError('corrupt', `${what} of the archive is not valid JSON`, {cause});
	}
}

function nameOf(text: unknown): Reference | undefined {
	if (typeof text !== 'string') return undefined;
	try {
		return withDefaultTag(parseReference(text));
	} catch {
		return undefined;
	}
}

/** docker's own format. */
function fromDocker(spool: Spool, list: unknown): Found[] {
	if (!Array.isArray(list)) throw corrupt('manifest.json of the archive is not a list');
	return list.map((item, at): Found => {
		const {Config, RepoTags, Layers} = (item ?? {}) as {
			Config?: unknown;
			RepoTags?: unknown;
			Layers?: unknown;
		};
		if (typeof Config !== 'string' || !Array.isArray(Layers)) {
			throw corrupt(`image ${at} of manifest.json has no configuration or no layers`);
		}
		const config = spool.document(Config, largestConfig);
		if (!config) throw corrupt(`the archive lacks the configuration ${JSON.stringify(Config.slice(0, 200))}`);
		const blobs = new Map<string, Spooled>();
		const layers = Layers.map((path): Descriptor => {
			const found = typeof path === 'string' ? spool.find(path) : undefined;
			if (!found) throw corrupt(`the archive lacks the layer ${JSON.stringify(String(path).slice(0, 200))}`);
			blobs.set(found.digest, found);
			const kind = compressionOf(headOf(found));
			if (kind === 'other')
				throw corrupt(`layer ${String(path).slice(0, 200)} is compressed in an unknown way`);
			const mediaType = kind ? `${mediaTypes.ociLayer}+${kind}` : mediaTypes.ociLayer;
			return {mediaType, digest: found.digest, size: found.size};
		});
		const manifest = Buffer.from(
			JSON.stringify({
				schemaVersion: 2,
				mediaType: mediaTypes.ociManifest,
				config: {mediaType: mediaTypes.ociConfig, digest: sha256(config), size: config.length},
				layers,
			}),
		);
		// Of an archive that is both, the manifest that was saved is the one that keeps its digest.
		const names = (Array.isArray(RepoTags) ? RepoTags : []).flatMap((text) => nameOf(text) ?? []);
		return {manifest, config, names, blobs};
	});
}

/** What a manifest names, verified. */
function blobsOf(spool: Spool, {config, layers}: Manifest): Map<string, Spooled> {
	const blobs = new Map<string, Spooled>();
	for (const {digest} of [config, ...layers]) {
		const blob = spool.blob(digest);
		if (!blob) throw corrupt(`the archive lacks the blob ${digest}`);
		if (blob.digest !== digest) throw corrupt(`the blob ${digest} of the archive is not what its name says`);
		blobs.set(digest, blob);
	}
	return blobs;
}

/** An index with the manifests that are in the archive besides the one that is unpacked. */
function wholeIndex(
	spool: Spool,
	bytes: Buffer,
	index: Index,
	digest: string,
	chosen: string,
	here: readonly Descriptor[],
): Found['index'] {
	const converted = new Map<string, {mediaType: string; digest: string; size: number}>();
	const others: Other[] = [];
	for (const entry of here) {
		const spooled = spool.blob(entry.digest)!;
		if (spooled.digest !== entry.digest)
			throw corrupt(`the manifest ${entry.digest} of the archive is not what its name says`);
		if (spooled.size > largestManifest) throw corrupt('a manifest of the archive is larger than 4 MiB');
		const document = readWhole(spooled);
		const manifest = parseManifest(document, entry.mediaType, {anyContent: true});
		if (isIndex(manifest))
			throw new WherryError('unsupported', 'an index of the archive names another index');
		const isDocker = manifest.mediaType !== mediaTypes.ociManifest;
		const stored = isDocker ? toOciManifest(manifest, entry.digest) : document;
		converted.set(entry.digest, {
			mediaType: mediaTypes.ociManifest,
			digest: sha256(stored),
			size: stored.length,
		});
		if (entry.digest === chosen) continue;
		others.push({
			manifest,
			documents: isDocker ? [stored, document] : [stored],
			blobs: blobsOf(spool, manifest),
		});
	}
	const same = [...converted].every(([from, to]) => from === to.digest);
	if (same && index.mediaType === mediaTypes.ociIndex) return {bytes, others};
	return {bytes: toOciIndex(bytes, digest, converted), original: bytes, others};
}

/** The image of a manifest in an OCI layout; of an index the one for this host. */
function fromManifest(
	spool: Spool,
	descriptor: Descriptor,
	platform: Platform | 'all' | undefined,
	depth = 0,
): Omit<Found, 'names'> {
	const spooled = spool.blob(descriptor.digest);
	if (!spooled) throw corrupt(`the archive lacks the manifest ${descriptor.digest}`);
	if (spooled.digest !== descriptor.digest)
		throw corrupt(`the manifest ${descriptor.digest} of the archive is not what its name says`);
	if (spooled.size > largestManifest) throw corrupt('a manifest of the archive is larger than 4 MiB');
	const bytes = readWhole(spooled);
	const document = parseManifest(bytes, descriptor.mediaType);
	if (isIndex(document)) {
		if (depth > 0) throw new WherryError('unsupported', 'an index of the archive names another index');
		const here = document.manifests.filter(({digest}) => spool.blob(digest));
		if (platform !== 'all') return fromManifest(spool, selectPlatform(here, platform), platform, depth + 1);
		const chosen = selectPlatform(here, undefined);
		return {
			...fromManifest(spool, chosen, undefined, depth + 1),
			index: wholeIndex(spool, bytes, document, descriptor.digest, chosen.digest, here),
		};
	}
	const {config} = document as Manifest;
	const blobs = blobsOf(spool, document as Manifest);
	const configBlob = blobs.get(config.digest)!;
	if (configBlob.size > largestConfig) throw corrupt('the image configuration is larger than 8 MiB');
	const isDocker = (document as Manifest).mediaType !== mediaTypes.ociManifest;
	return {
		manifest: isDocker ? toOciManifest(document as Manifest, descriptor.digest) : bytes,
		...(isDocker ? {original: bytes} : {}),
		config: readWhole(configBlob),
		blobs,
	};
}

function fromLayout(spool: Spool, index: Buffer, platform: LoadRequest['platform']): Found[] {
	const document = parseManifest(index, mediaTypes.ociIndex);
	if (!isIndex(document)) throw corrupt('index.json of the archive is not an index');
	const found = new Map<string, Found>();
	for (const descriptor of document.manifests) {
		const {annotations = {}} = descriptor;
		const full = nameOf(annotations['io.containerd.image.name']);
		// Alone it may be a tag only, which names nothing.
		const short = annotations['org.opencontainers.image.ref.name'];
		const name = full ?? (short !== undefined && /[/:]/.test(short) ? nameOf(short) : undefined);
		const known = found.get(descriptor.digest) ?? {...fromManifest(spool, descriptor, platform), names: []};
		found.set(descriptor.digest, known);
		if (name) known.names.push(name);
	}
	return [...found.values()];
}

/** An archive of both kinds: docker's names for the layout's manifests. */
function withDockerNames(found: Found[], docker: Found[]): Found[] {
	for (const image of found) {
		if (image.names.length > 0) continue;
		const id = sha256(image.config);
		const same = docker.find(({config}) => sha256(config) === id);
		if (same) image.names.push(...same.names);
	}
	return found;
}

export interface Loaded {
	readonly id: string;
	/** Familiar names; none: it is known by its id. */
	readonly names: string[];
}

/** Loads all images of an archive. Nothing is named before it is whole. */
export async function loadImages(store: Store, input: Readable, request: LoadRequest): Promise<Loaded[]> {
	const {paths, locks} = store;
	await sweep(store);
	const lease = await acquireLease(paths, locks, []);
	const early = new EarlyLayers(store, lease);
	const spool = new Spool(lease.staging('load'), early);
	try {
		await spool.read(await plain(input, spool.folder), request.signal);
		const index = spool.find('oci-layout') && spool.document('index.json', largestManifest);
		const list = spool.document('manifest.json', largestManifest);
		if (!index && !list) {
			throw corrupt(
				'the archive is neither one of docker’s nor an OCI image layout: it has no manifest.json and no index.json',
			);
		}
		const docker = list && !index ? fromDocker(spool, json(list, 'manifest.json')) : [];
		let found = docker;
		if (index) {
			found = fromLayout(spool, index, request.platform);
			if (list && found.some(({names}) => names.length === 0)) {
				found = withDockerNames(found, fromDocker(spool, json(list, 'manifest.json')));
			}
		}
		if (found.length === 0) throw corrupt('the archive has no images');
		const loaded: Loaded[] = [];
		for (const image of found) loaded.push(await keep(store, image, request, early));
		return loaded;
	} catch (error) {
		throw storageError(error, paths.root);
	} finally {
		await early.end();
		rmSync(spool.folder, {recursive: true, force: true});
		lease.release();
	}
}

async function keep(
	store: Store,
	found: Found,
	{signal, onProgress}: LoadRequest,
	early: EarlyLayers,
): Promise<Loaded> {
	const {layout, paths, locks} = store;
	const manifest = parseManifest(found.manifest) as Manifest;
	const configuration = parseConfiguration(found.config);
	const {index} = found;
	const documents = [found.config, found.manifest, found.original, index?.original, index?.bytes]
		.concat(index?.others.flatMap((other) => other.documents))
		.filter((each) => each !== undefined);
	const named = index?.bytes ?? found.manifest;
	const descriptor = {
		mediaType: index ? mediaTypes.ociIndex : mediaTypes.ociManifest,
		digest: sha256(named),
		size: named.length,
	};
	const more = index?.others.flatMap(({manifest: {config, layers}}) => [config, ...layers]) ?? [];
	const digests = [...documents.map(sha256), ...[...manifest.layers, ...more].map(({digest}) => digest)];
	const keys = [...digests, ...configuration.diffIds, ...chainIds(configuration.diffIds)].map(digestHex);
	const lease = await acquireLease(paths, locks, [...new Set(keys)]);
	try {
		mkdirSync(layout.blobs, {recursive: true, mode: 0o700});
		const spooled = new Map(
			[found.blobs, ...(index?.others ?? []).map((other) => other.blobs)].flatMap((each) => [...each]),
		);
		let synced: Promise<void> | undefined;
		for (const {digest, size} of [...manifest.layers, ...more]) {
			signal?.throwIfAborted();
			if ((await layout.blobSize(digest)) === size) continue;
			synced ??= flush(paths.ingest);
			await synced;
			await layout.adoptBlob(spooled.get(digest)!.file, digest);
			// The next image of the archive may have it too.
		}
		await unpackImage(store, manifest, configuration, (event) => onProgress?.(event), early);
		for (const bytes of documents) await layout.writeBlob(bytes);
		await syncFolder(layout.blobs);
		await layout.update((entries) => {
			if (found.names.length === 0) {
				const withName = entries.filter((entry) => entry.reference);
				return withUnnamed(withName, [...entries, unnamedEntry(descriptor)]);
			}
			return withNames(
				entries,
				found.names.map((name) => namedEntry(descriptor, name)),
			);
		});
		return {id: manifest.config.digest, names: found.names.map(familiar)};
	} finally {
		lease.release();
	}
}
