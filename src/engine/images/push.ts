/**
 * Push: layers, configuration, then the manifest, of which only what the registry lacks is sent. Layers that were
 * made here are plain archives in the store and are compressed on the way; what they become is remembered, so
 * that the next push asks for it instead of compressing again.
 */
import {createReadStream, createWriteStream, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {createGzip} from 'node:zlib';
import {randomHex} from '../../kernel/random.ts';
import type {Platform, PushEvent} from '../api.ts';
import {WherryError} from '../errors.ts';
import {Repository} from '../registry/client.ts';
import type {CredentialSource} from '../registry/credentials.ts';
import {describeFailure, RegistryFailure} from '../registry/failure.ts';
import type {Transport} from '../registry/transport.ts';
import {UnfinishedUploads} from '../registry/unfinished.ts';
import {Upload} from '../registry/upload.ts';
import type {Store} from '../store/collect.ts';
import {digestHex, sha256, shortId} from '../store/digest.ts';
import {readIfThere, replaceFile, storageError} from '../store/files.ts';
import {namedEntry, withNames} from '../store/layout.ts';
import {acquireLease, type Lease} from '../store/leases.ts';
import {
	type Descriptor,
	type Index,
	isIndex,
	type Manifest,
	mediaTypes,
	parseManifest,
} from '../store/manifest.ts';
import {noSuchImage} from './lookup.ts';
import {matches, notProvided} from './platform.ts';
import {familiar, familiarName, type Reference, storedName, withDigest} from './reference.ts';

export interface PushRequest {
	/** With a tag, or without one for all tags. */
	readonly reference: Reference;
	readonly allTags?: boolean | undefined;
	/** Of an index only the image for this platform; `all`: the whole, as without one. */
	readonly platform?: Platform | 'all' | undefined;
	readonly onProgress?: ((event: PushEvent) => void) | undefined;
	readonly signal?: AbortSignal | undefined;
}

export interface Pushed {
	readonly tag: string;
	/** Of the manifest that the registry has now. */
	readonly digest: string;
	/** Bytes of the manifest. */
	readonly size: number;
}

const parallel = 5;
/** zlib's level: half the time of its default for a hundredth more bytes. */
const gzipLevel = 4;
const reportEvery = 100;

/** What a plain layer has become: by its digest, the digest and size of the compressed one. */
type Compressed = Record<string, {digest: string; size: number}>;

export async function pushImage(
	store: Store,
	transport: Transport,
	credentials: CredentialSource,
	request: PushRequest,
): Promise<Pushed[]> {
	const {reference, allTags} = request;
	const images = await store.catalog.images();
	const known = images
		.flatMap(({references}) => references)
		.filter(({domain, path}) => domain === reference.domain && path === reference.path);
	// Those of a repository go in the order of their names, as docker's do.
	const names = known
		.filter(
			({tag, digest}) => tag !== undefined && digest === undefined && (allTags || tag === reference.tag),
		)
		.sort((left, right) => (left.tag! < right.tag! ? -1 : 1));
	request.onProgress?.({
		kind: 'status',
		message: `The push refers to repository [${reference.domain}/${reference.path}]`,
	});
	if (names.length === 0) {
		const name = allTags ? familiarName(reference) : familiar(reference);
		throw new WherryError(
			'not-found',
			known.length > 0
				? `tag does not exist: ${name}`
				: `An image does not exist locally with the tag: ${familiarName(reference)}`,
			// docker's daemon says this inside of an answer that has begun.
			{object: name, bare: true},
		);
	}
	const repository = new Repository(transport, reference.domain, reference.path, credentials, {
		access: 'pull,push',
	});
	// What is in the registry by now; the images of several tags and platforms have much in common.
	const settled = new Set<string>();
	const unfinished = new UnfinishedUploads(store.paths, `${reference.domain}/${reference.path}`);
	const pushed: Pushed[] = [];
	try {
		// Nothing is said to be on its way before there is somebody to take it.
		await repository.connect(request.signal);
		for (const name of names) {
			const one = await new Push(
				store,
				new Upload(transport, repository, unfinished),
				name,
				request,
				settled,
			).run();
			request.onProgress?.({kind: 'status', message: `${one.tag}: digest: ${one.digest} size: ${one.size}`});
			pushed.push(one);
		}
	} catch (error) {
		if (error instanceof RegistryFailure) throw pushFailure(error, reference);
		throw storageError(error, store.paths.root);
	}
	return pushed;
}

function pushFailure(failure: RegistryFailure, reference: Reference): WherryError {
	if (failure.status === 401 || failure.status === 403) {
		return new WherryError('denied', failure.message, {object: familiarName(reference), cause: failure});
	}
	return describeFailure(failure, familiarName(reference), familiar(reference));
}

/** One image on its way to one tag. */
class Push {
	readonly #store: Store;
	readonly #upload: Upload;
	readonly #reference: Reference;
	readonly #request: PushRequest;
	readonly #settled: Set<string>;
	#lease!: Lease;

	/** `settled`: digests of the blobs and manifests that the registry has; those that it gets are added. */
	constructor(
		store: Store,
		upload: Upload,
		reference: Reference,
		request: PushRequest,
		settled: Set<string>,
	) {
		this.#store = store;
		this.#upload = upload;
		this.#reference = reference;
		this.#request = request;
		this.#settled = settled;
	}

	async run(): Promise<Pushed> {
		const {layout} = this.#store;
		const tag = this.#reference.tag!;
		const entry = (await layout.read()).find(
			({reference}) => reference && storedName(reference) === storedName(this.#reference),
		);
		if (!entry) throw noSuchImage(familiar(this.#reference));
		const {digest} = entry.descriptor;
		const bytes = await layout.readBlob(digest);
		const document = bytes && parseManifest(bytes);
		const {platform: wanted} = this.#request;
		const platform = wanted === 'all' ? undefined : wanted;
		const sent =
			document && isIndex(document) && !platform
				? await this.#index(digest, document, bytes)
				: await this.#image(digest, platform, tag, false);
		const named = namedEntry(entry.descriptor, withDigest(this.#reference, sent.digest));
		await layout.update((entries) => withNames(entries, [named]));
		return {tag, ...sent};
	}

	/** Sends one image with its manifest. `fixed`: its layers are what their digests say and no other. */
	async #image(
		digest: string,
		platform: Platform | undefined,
		tag: string | undefined,
		fixed: boolean,
	): Promise<{digest: string; size: number}> {
		const {layout, catalog, paths, locks} = this.#store;
		const loaded = await catalog.load(digest, {platform}).catch((error: unknown) => {
			if (!platform) throw error;
			throw notProvided(familiar(this.#reference), platform);
		});
		if (!loaded)
			throw new WherryError('corrupt', `image ${familiar(this.#reference)} is damaged in the store`);
		const {manifest, configuration} = loaded;
		if (platform && !matches(platform, configuration)) throw notProvided(familiar(this.#reference), platform);
		const blobs = [loaded.digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)];
		if (manifest.original) blobs.push(manifest.original);
		this.#lease = await acquireLease(paths, locks, [...new Set([...blobs, digest].map(digestHex))]);
		try {
			const ids = manifest.layers.map((layer, at) => shortId(configuration.diffIds[at] ?? layer.digest));
			const layers = await this.#layers(manifest, ids, fixed);
			await this.#blob(manifest.config.digest, manifest.config.size, layout.blobPath(manifest.config.digest));
			return await this.#manifest(tag, await this.#document(loaded.digest, manifest, layers));
		} finally {
			this.#lease.release();
		}
	}

	/** Sends all images of an index, those that are here; the others the registry must have. */
	async #index(digest: string, index: Index, stored: Buffer): Promise<{digest: string; size: number}> {
		const {layout, paths, locks} = this.#store;
		const original = index.original && (await layout.readBlob(index.original));
		const lease = await acquireLease(
			paths,
			locks,
			[...new Set([digest, index.original ?? digest])].map(digestHex),
		);
		try {
			for (const {digest: child, mediaType} of index.manifests) {
				if (this.#settled.has(child)) continue;
				const bytes = await layout.readBlob(child);
				if (bytes) await this.#child(child, bytes);
				else if (!(await this.#upload.hasManifest(child, mediaType, child, this.#request.signal)))
					throw new WherryError(
						'not-found',
						`manifest ${child} of ${familiar(this.#reference)} is not in the store; pull it with --platform all, or push one platform with --platform`,
						{object: child},
					);
			}
			const bytes = original || stored;
			const said = JSON.parse(bytes.toString('utf8')).mediaType;
			const mediaType = typeof said === 'string' ? said : index.mediaType;
			return await this.#manifest(this.#reference.tag, {bytes, mediaType});
		} finally {
			lease.release();
		}
	}

	async #child(digest: string, bytes: Buffer): Promise<void> {
		const {layout, paths, locks} = this.#store;
		const manifest = parseManifest(bytes, '', {anyContent: true}) as Manifest;
		const original = manifest.original && (await layout.readBlob(manifest.original));
		const blobs = [manifest.config, ...manifest.layers];
		this.#lease = await acquireLease(
			paths,
			locks,
			[...new Set([digest, ...blobs.map((blob) => blob.digest)])].map(digestHex),
		);
		try {
			await this.#layers(
				manifest,
				manifest.layers.map((layer) => shortId(layer.digest)),
				true,
			);
			await this.#blob(manifest.config.digest, manifest.config.size, layout.blobPath(manifest.config.digest));
			const document = original || bytes;
			const said = JSON.parse(document.toString('utf8')).mediaType;
			const mediaType = typeof said === 'string' ? said : manifest.mediaType;
			await this.#manifest(undefined, {bytes: document, mediaType});
		} finally {
			this.#lease.release();
		}
	}

	/** Puts a manifest where the registry lacks it: under a tag, or under its digest. */
	async #manifest(
		tag: string | undefined,
		{bytes, mediaType}: {bytes: Buffer; mediaType: string},
	): Promise<{digest: string; size: number}> {
		const {signal} = this.#request;
		const digest = sha256(bytes);
		const place = tag ?? digest;
		if (tag === undefined && this.#settled.has(digest)) return {digest, size: bytes.length};
		if (!(await this.#upload.hasManifest(place, mediaType, digest, signal)))
			await this.#upload.manifest(place, mediaType, bytes, signal);
		this.#settled.add(digest);
		return {digest, size: bytes.length};
	}

	/** What is sent as the manifest: as it was pulled, or as it is with the layers as they were sent. */
	async #document(stored: string, manifest: Manifest, layers: readonly Descriptor[]) {
		const {layout} = this.#store;
		const original = manifest.original && (await layout.readBlob(manifest.original));
		if (original)
			return {bytes: original, mediaType: JSON.parse(original.toString('utf8')).mediaType as string};
		const bytes = await layout.readBlob(stored);
		if (!bytes)
			throw new WherryError('corrupt', `manifest ${stored} is missing in the store`, {object: stored});
		const same = layers.every(({digest}, at) => digest === manifest.layers[at]!.digest);
		if (same) return {bytes, mediaType: manifest.mediaType};
		const document = JSON.parse(bytes.toString('utf8'));
		const changed = {
			...document,
			layers: layers.map(({mediaType, digest, size, annotations}) => ({
				mediaType,
				digest,
				size,
				...(annotations ? {annotations} : {}),
			})),
		};
		return {bytes: Buffer.from(JSON.stringify(changed)), mediaType: mediaTypes.ociManifest};
	}

	/** Sends the layers, a few at a time; gives their descriptors as the registry has them. */
	async #layers(manifest: Manifest, ids: readonly string[], fixed: boolean): Promise<Descriptor[]> {
		for (const id of ids) this.#state(id, 'Preparing');
		const results: Descriptor[] = [];
		const first = new Map<string, Promise<Descriptor>>();
		let next = 0;
		const work = async () => {
			for (let at = next++; at < manifest.layers.length; at = next++) {
				const layer = manifest.layers[at]!;
				// The same layer twice in one image is sent once.
				let sending = first.get(layer.digest);
				if (!sending) {
					sending = this.#layer(layer, ids[at]!, fixed || manifest.original !== undefined);
					first.set(layer.digest, sending);
				}
				results[at] = await sending;
			}
		};
		const outcomes = await Promise.allSettled(Array.from({length: parallel}, work));
		const failure = outcomes.find((outcome) => outcome.status === 'rejected');
		if (failure) throw failure.reason;
		return results;
	}

	#state(
		id: string,
		state: Extract<PushEvent, {kind: 'layer'}>['state'],
		current?: number,
		total?: number,
	): void {
		const progress = current === undefined || total === undefined ? {} : {current, total};
		this.#request.onProgress?.({kind: 'layer', id, state, ...progress});
	}

	/** `fixed`: the manifest names this blob and no other. */
	async #layer(layer: Descriptor, id: string, fixed: boolean): Promise<Descriptor> {
		const {layout} = this.#store;
		if (fixed || layer.mediaType !== mediaTypes.ociLayer) {
			await this.#blob(layer.digest, layer.size, layout.blobPath(layer.digest), id);
			return layer;
		}
		const known = this.#remembered()[layer.digest];
		const compressed = {...layer, mediaType: `${mediaTypes.ociLayer}+gzip`, ...known};
		if (known && (await this.#has(known.digest))) {
			this.#state(id, 'Layer already exists');
			return compressed;
		}
		const file = join(this.#store.paths.ingest, `${randomHex(8)}.push`);
		try {
			const made = await this.#compress(layer, file);
			await this.#blob(made.digest, made.size, file, id);
			return {...compressed, ...made};
		} finally {
			rmSync(file, {force: true});
		}
	}

	async #compress(layer: Descriptor, file: string): Promise<{digest: string; size: number}> {
		const {createHash} = await import('node:crypto');
		const hash = createHash('sha256');
		const gzip = createGzip({level: gzipLevel, chunkSize: 256 << 10});
		gzip.on('data', (chunk) => hash.update(chunk));
		const {signal} = this.#request;
		const source = createReadStream(this.#store.layout.blobPath(layer.digest), {highWaterMark: 256 << 10});
		await pipeline(
			[source, gzip, createWriteStream(file, {mode: 0o600, flags: 'wx'})],
			signal ? {signal} : {},
		);
		const made = {digest: `sha256:${hash.digest('hex')}`, size: statSync(file).size};
		await replaceFile(this.#memory, JSON.stringify({...this.#remembered(), [layer.digest]: made}), {
			sync: false,
		});
		return made;
	}

	get #memory(): string {
		return join(this.#store.paths.cache, 'compressed.json');
	}

	#remembered(): Compressed {
		try {
			return JSON.parse(readIfThere(this.#memory)?.toString('utf8') ?? '{}');
		} catch {
			return {};
		}
	}

	/** Sends a blob that the registry lacks: from another of its repositories, or from here. */
	async #blob(digest: string, size: number, file: string, id?: string): Promise<void> {
		const {signal} = this.#request;
		const say = (state: Extract<PushEvent, {kind: 'layer'}>['state'], current?: number) => {
			if (id !== undefined) this.#state(id, state, current, size);
		};
		if (await this.#has(digest)) return say('Layer already exists');
		if (id !== undefined) {
			for (const from of await this.#sources(digest)) {
				if (!(await this.#upload.mount(digest, from, signal))) continue;
				this.#settled.add(digest);
				return say(`Mounted from ${from}`);
			}
		}
		let reported = 0;
		await this.#upload.send(
			file,
			{digest, size},
			{
				signal,
				onProgress: (sent) => {
					const now = performance.now();
					if (now - reported < reportEvery && sent < size) return;
					reported = now;
					say('Pushing', sent);
				},
			},
		);
		this.#settled.add(digest);
		say('Pushed');
	}

	/** Whether the registry has a blob; it is asked once. */
	async #has(digest: string): Promise<boolean> {
		if (this.#settled.has(digest)) return true;
		const there = await this.#upload.has(digest, this.#request.signal);
		if (there) this.#settled.add(digest);
		return there;
	}

	/** Other repositories of the same registry from which an image with this blob came, or to which it went. */
	async #sources(digest: string): Promise<string[]> {
		const {domain, path} = this.#reference;
		const images = await this.#store.catalog.images();
		const paths = images
			.filter(({allBlobs}) => allBlobs.includes(digest))
			.flatMap(({references}) => references)
			.filter((other) => other.domain === domain && other.path !== path && other.digest !== undefined)
			.map((other) => other.path);
		return [...new Set(paths)].slice(0, 3);
	}
}
