/**
 * Pull: manifest, configuration, then the layers, each fetched, verified and unpacked in one pass, three at a
 * time. Nothing is fetched or unpacked twice, by this or by another process: a lock per blob, held as long
 * as it takes, is the one exception from "no lock across a transfer". A name appears in the index when
 * everything under it is on the disk.
 */
import {closeSync, constants, openSync} from 'node:fs';
import {mkdir, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import type {Platform, PullEvent} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import type {Lock} from '../locks.ts';
import {type Document, Repository} from '../registry/client.ts';
import type {CredentialSource} from '../registry/credentials.ts';
import {describeFailure, RegistryFailure} from '../registry/failure.ts';
import type {Transport} from '../registry/transport.ts';
import {partialPath, type Store, sweep} from '../store/collect.ts';
import {chainIds, digestHex, sha256, shortId} from '../store/digest.ts';
import {replaceFile, storageError, syncFolder} from '../store/files.ts';
import {findLayer, type Layer, type LayerRecord} from '../store/layers.ts';
import {namedEntry, withNames} from '../store/layout.ts';
import {acquireLease, type Lease} from '../store/leases.ts';
import {
	type Configuration,
	type Descriptor,
	isIndex,
	type Manifest,
	mediaTypes,
	parseConfiguration,
	toOciManifest,
} from '../store/manifest.ts';
import {downloadLayer, unpackBlob} from './download.ts';
import {dressImplied} from './implied.ts';
import {formatPlatform, matches, selectPlatform} from './platform.ts';
import {canonical, familiar, familiarName, type Reference, storedName, withDigest} from './reference.ts';

export interface PullRequest {
	/** With a tag or a digest. */
	readonly reference: Reference;
	readonly platform?: Platform | undefined;
	readonly onProgress?: ((event: PullEvent) => void) | undefined;
	readonly signal?: AbortSignal | undefined;
}

export interface Pulled {
	readonly id: string;
	/** Of the manifest, or of the index when the name is one's. */
	readonly digest: string;
	/** The name's image has changed. */
	readonly changed: boolean;
}

const parallel = 3;
/** Milliseconds between two reports of one layer's progress. */
const reportEvery = 100;

export async function pullImage(
	store: Store,
	transport: Transport,
	credentials: CredentialSource,
	request: PullRequest,
): Promise<Pulled> {
	const {reference} = request;
	const repository = new Repository(transport, reference.domain, reference.path, credentials);
	try {
		return await pull(store, repository, request);
	} catch (error) {
		if (error instanceof RegistryFailure)
			throw describeFailure(error, familiarName(reference), familiar(reference));
		throw storageError(error, store.paths.root);
	}
}

async function pull(store: Store, repository: Repository, request: PullRequest): Promise<Pulled> {
	const {reference, platform, signal} = request;
	const report = (event: PullEvent) => request.onProgress?.(event);
	await sweep(store);
	const top = await repository.manifest(reference.digest ?? reference.tag!, signal);
	const heading = reference.digest === undefined ? reference.tag! : canonical(reference);
	report({kind: 'status', id: heading, message: `Pulling from ${reference.path}`});

	const document = await select(repository, top, platform, signal);
	const manifest = document.manifest as Manifest;
	const known = await store.layout.readBlob(manifest.config.digest);
	const bytes = known ?? (await repository.blob({...manifest.config, signal}));
	const configuration = parseConfiguration(bytes);
	checkConfiguration(manifest, configuration);

	const isDocker = manifest.mediaType !== mediaTypes.ociManifest;
	const stored = isDocker ? toOciManifest(manifest, document.digest) : document.bytes;
	const chain = chainIds(configuration.diffIds);
	const blobs = [
		sha256(stored),
		document.digest,
		manifest.config.digest,
		...manifest.layers.map(({digest}) => digest),
	];
	const keys = [...blobs, ...configuration.diffIds, ...chain].map(digestHex);
	const lease = await acquireLease(store.paths, store.locks, [...new Set(keys)]);
	try {
		const layers = new LayerPull(store, repository, lease, manifest, configuration, report);
		await layers.run(signal);
		await store.layout.writeBlob(bytes);
		if (isDocker) await store.layout.writeBlob(document.bytes);
		await store.layout.writeBlob(stored);
		for (const folder of [store.layout.blobs, store.paths.layers])
			await syncFolder(folder).catch((error) => {
				// An image without layers has no such folder.
				if (!isErrno(error, 'ENOENT')) throw error;
			});
		const changed = await name(store, reference, top.digest, stored, manifest.config.digest);
		const actual = {
			os: configuration.os,
			architecture: configuration.architecture,
			...variantOf(configuration),
		};
		if (platform && !matches(platform, actual))
			report({
				kind: 'status',
				message: `WARNING: image with reference ${familiar(reference)} was found but does not match the specified platform: wanted ${formatPlatform(platform)}, actual: ${formatPlatform(actual)}`,
			});
		report({kind: 'status', message: `Digest: ${top.digest}`});
		const outcome = changed ? 'Downloaded newer image for' : 'Image is up to date for';
		report({kind: 'status', message: `Status: ${outcome} ${familiar(reference)}`});
		return {id: manifest.config.digest, digest: top.digest, changed};
	} finally {
		lease.release();
	}
}

/** Unpacks the layers of an image whose blobs are in the store, where they are not unpacked yet. */
export async function unpackImage(
	store: Store,
	manifest: Manifest,
	configuration: Configuration,
): Promise<void> {
	checkConfiguration(manifest, configuration);
	const blobs = manifest.layers.map(({digest}) => digest);
	const keys = [...blobs, ...configuration.diffIds, ...chainIds(configuration.diffIds)].map(digestHex);
	const lease = await acquireLease(store.paths, store.locks, [...new Set(keys)]);
	try {
		await new LayerPull(store, undefined, lease, manifest, configuration, () => {}).run(undefined);
		await syncFolder(store.paths.layers);
	} finally {
		lease.release();
	}
}

const variantOf = ({variant}: Configuration): {variant?: string} => (variant === undefined ? {} : {variant});

/** The manifest for the platform; what an index names is looked up by digest, once. */
async function select(
	repository: Repository,
	top: Document,
	platform: Platform | undefined,
	signal: AbortSignal | undefined,
): Promise<Document> {
	if (!isIndex(top.manifest)) return top;
	const entry = selectPlatform(top.manifest.manifests, platform);
	const document = await repository.manifest(entry.digest, signal);
	if (isIndex(document.manifest))
		throw new WherryError('unsupported', `index ${top.digest} names another index, ${entry.digest}`, {
			object: entry.digest,
		});
	return document;
}

function checkConfiguration(manifest: Manifest, configuration: Configuration): void {
	if (configuration.os !== 'linux')
		throw new WherryError(
			'unsupported',
			`image operating system ${JSON.stringify(configuration.os)} cannot be used on this platform`,
			{object: manifest.config.digest},
		);
	if (configuration.diffIds.length !== manifest.layers.length)
		throw new WherryError('corrupt', "layers from manifest don't match image configuration", {
			object: manifest.config.digest,
		});
}

/** Gives the manifest its names. Whether the reference means another image than before. */
async function name(
	store: Store,
	reference: Reference,
	topDigest: string,
	manifest: Buffer,
	id: string,
): Promise<boolean> {
	const {catalog, layout} = store;
	const before = (await catalog.images()).find(({references}) =>
		references.some((known) => storedName(known) === storedName(reference)),
	);
	const descriptor = {mediaType: mediaTypes.ociManifest, digest: sha256(manifest), size: manifest.length};
	const byDigest = withDigest(reference, topDigest);
	const names = reference.digest === undefined ? [reference, byDigest] : [byDigest];
	await layout.update((entries) =>
		withNames(
			entries,
			names.map((each) => namedEntry(descriptor, each)),
		),
	);
	return before?.id !== id;
}

/** The layers of one image on their way. */
class LayerPull {
	readonly #store: Store;
	readonly #repository: Repository | undefined;
	readonly #lease: Lease;
	readonly #layers: readonly Descriptor[];
	readonly #diffIds: readonly string[];
	readonly #chain: readonly string[];
	readonly #report: (event: PullEvent) => void;
	/** One per layer, settled when it is in its place. */
	readonly #ready: Promise<Layer>[] = [];
	readonly #waiting: (() => void)[] = [];
	#running = 0;

	constructor(
		store: Store,
		repository: Repository | undefined,
		lease: Lease,
		manifest: Manifest,
		configuration: Configuration,
		report: (event: PullEvent) => void,
	) {
		this.#store = store;
		this.#repository = repository;
		this.#lease = lease;
		this.#layers = manifest.layers;
		this.#diffIds = configuration.diffIds;
		this.#chain = chainIds(configuration.diffIds);
		this.#report = report;
	}

	/** Resolves when all layers are there. The first failure stops the others, and all have ended when it rejects. */
	async run(signal: AbortSignal | undefined): Promise<void> {
		const stop = new AbortController();
		const onAbort = () => stop.abort();
		signal?.addEventListener('abort', onAbort, {once: true});
		if (signal?.aborted) stop.abort();
		let failure: unknown;
		try {
			for (let at = 0; at < this.#layers.length; at++) {
				const ready = this.#bring(at, stop.signal);
				ready.catch((error: unknown) => {
					failure ??= error;
					stop.abort();
				});
				this.#ready.push(ready);
			}
			await Promise.allSettled(this.#ready);
			if (signal?.aborted) throw new WherryError('cancelled', 'context canceled', {cause: failure});
			if (failure !== undefined) throw failure;
		} finally {
			signal?.removeEventListener('abort', onAbort);
		}
	}

	async #bring(at: number, signal: AbortSignal): Promise<Layer> {
		const {paths, layout} = this.#store;
		const blob = this.#layers[at]!;
		const state = (next: Extract<PullEvent, {kind: 'layer'}>['state']) =>
			this.#report({kind: 'layer', id: shortId(blob.digest), state: next});
		const there = () => findLayer(paths, this.#diffIds[at]!, this.#chain[at]!);
		const whole = async () => (await layout.blobSize(blob.digest)) === blob.size;
		const present = await there();
		if (present && (await whole())) {
			state('Already exists');
			return present;
		}
		state('Pulling fs layer');
		await this.#turn(() => state('Waiting'));
		let staged: Layer | Staged;
		try {
			stopIf(signal);
			staged = await this.#fetch(at, signal, there, whole);
		} finally {
			this.#running--;
			this.#waiting.shift()?.();
		}
		try {
			const layer = 'staging' in staged ? await this.#place(at, staged) : staged;
			state('Pull complete');
			return layer;
		} finally {
			if ('staging' in staged) await native.removeTree(staged.staging);
		}
	}

	/** Waits until fewer than three are under way. */
	async #turn(onWait: () => void): Promise<void> {
		if (this.#running >= parallel) {
			onWait();
			await new Promise<void>((resolve) => this.#waiting.push(resolve));
		}
		this.#running++;
	}

	/** Under the blob's lock: the blob into the store, and the tree into a staging folder. */
	async #fetch(
		at: number,
		signal: AbortSignal,
		there: () => Promise<Layer | undefined>,
		whole: () => Promise<boolean>,
	): Promise<Layer | Staged> {
		const {paths, layout} = this.#store;
		const blob = this.#layers[at]!;
		const hex = digestHex(blob.digest);
		const lock = await this.#lock(hex, signal);
		try {
			const [present, haveBlob] = [await there(), await whole()];
			if (present && haveBlob) return present;
			if (!haveBlob && !this.#repository)
				throw new WherryError(
					'corrupt',
					`layer ${blob.digest} is missing in the store; pull the image again`,
					{
						object: blob.digest,
					},
				);
			// The same blob may be in one image at two places.
			const staging = this.#lease.staging(`${hex}-${at}`);
			const tree = join(staging, 'fs');
			const partial = partialPath(paths, hex);
			try {
				if (!present) {
					await mkdir(staging, {recursive: true, mode: 0o700});
					await mkdir(tree, {mode: 0o755});
				}
				const stats = haveBlob
					? await unpackBlob(layout.blobPath(blob.digest), blob, tree, signal)
					: await downloadLayer({
							repository: this.#repository!,
							blob,
							partial,
							...(present ? {} : {directory: tree}),
							progress: this.#progress(blob),
							signal,
						});
				if (stats && stats.diffId !== this.#diffIds[at])
					throw new WherryError(
						'corrupt',
						`layer ${blob.digest} unpacks to ${stats.diffId}, but the image configuration names ${this.#diffIds[at]}`,
						{object: blob.digest},
					);
				const record = stats && {diffId: stats.diffId, size: stats.size, implied: stats.implied};
				if (record) await replaceFile(join(staging, 'layer.json'), JSON.stringify(record), {sync: false});
				await flush(paths.ingest);
				if (!haveBlob) {
					await mkdir(layout.blobs, {recursive: true, mode: 0o700});
					await layout.adoptBlob(partial, blob.digest);
				}
				return present ?? {staging, record: record!};
			} catch (error) {
				await native.removeTree(staging);
				if (error instanceof WherryError && ['corrupt', 'exhausted'].includes(error.code))
					await rm(partial, {force: true});
				throw error;
			}
		} finally {
			lock.release({remove: true});
		}
	}

	/** Puts a staged tree into its place. One with implied folders needs the layers below first. */
	async #place(at: number, {staging, record}: Staged): Promise<Layer> {
		const {paths} = this.#store;
		const tree = join(staging, 'fs');
		let key = digestHex(record.diffId);
		if (record.implied.length > 0) {
			const below = await Promise.all(this.#ready.slice(0, at));
			dressImplied(
				tree,
				record.implied,
				below.reverse().map((layer) => join(paths.layer(layer.key), 'fs')),
			);
			key = digestHex(this.#chain[at]!);
		}
		await mkdir(paths.layers, {recursive: true, mode: 0o700});
		try {
			native.renameNoReplace(staging, paths.layer(key));
		} catch (error) {
			if (!isErrno(error, 'EEXIST', 'ENOTEMPTY')) throw error;
			// Somebody else was faster, or what is there is damaged.
			const other = await findLayer(paths, record.diffId, this.#chain[at]!);
			if (other) return other;
			await rename(paths.layer(key), `${staging}.removed`);
			native.renameNoReplace(staging, paths.layer(key));
			await native.removeTree(`${staging}.removed`);
		}
		return {...record, key};
	}

	/** A wait for another process can be given up. */
	#lock(hex: string, signal: AbortSignal): Promise<Lock> {
		const acquiring = this.#store.locks.acquire(`blob-${hex}`);
		return new Promise((resolve, reject) => {
			const onAbort = () => {
				reject(new WherryError('cancelled', 'context canceled'));
				acquiring.then(
					(lock) => lock.release({remove: true}),
					() => {},
				);
			};
			signal.addEventListener('abort', onAbort, {once: true});
			acquiring.then((lock) => {
				signal.removeEventListener('abort', onAbort);
				resolve(lock);
			}, reject);
		});
	}

	#progress(blob: Descriptor) {
		const layer = {kind: 'layer', id: shortId(blob.digest)} as const;
		let last = 0;
		return {
			downloading: (current: number) => {
				const now = performance.now();
				if (now - last < reportEvery && current < blob.size) return;
				last = now;
				this.#report({...layer, state: 'Downloading', current, total: blob.size});
			},
			retrying: (delay: number) => this.#report({...layer, state: 'Retrying', delay}),
			extracting: () => {
				this.#report({...layer, state: 'Verifying Checksum'});
				this.#report({...layer, state: 'Download complete'});
				this.#report({...layer, state: 'Extracting', current: blob.size, total: blob.size});
			},
		};
	}
}

interface Staged {
	readonly staging: string;
	readonly record: LayerRecord;
}

function stopIf(signal: AbortSignal): void {
	if (signal.aborted) throw new WherryError('cancelled', 'context canceled');
}

const running = new Map<string, Promise<void>>();
const queued = new Map<string, Promise<void>>();

/** syncfs of the store's file system. Layers that end while one runs share the one after it. */
function flush(folder: string): Promise<void> {
	const current = running.get(folder);
	if (!current) {
		const started = syncFileSystem(folder).finally(() => running.delete(folder));
		running.set(folder, started);
		return started;
	}
	const next =
		queued.get(folder) ??
		current
			.catch(() => {})
			.then(() => {
				queued.delete(folder);
				return flush(folder);
			});
	queued.set(folder, next);
	return next;
}

async function syncFileSystem(folder: string): Promise<void> {
	const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
	try {
		await native.syncfs(fd);
	} finally {
		closeSync(fd);
	}
}
