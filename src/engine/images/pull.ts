/**
 * Pull: manifest, configuration, then the layers. A name appears in the index when everything under it is on
 * the disk.
 */
import type {Platform, PullEvent} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import {type Document, Repository} from '../registry/client.ts';
import type {CredentialSource} from '../registry/credentials.ts';
import {describeFailure, RegistryFailure} from '../registry/failure.ts';
import type {Transport} from '../registry/transport.ts';
import {type Store, sweep} from '../store/collect.ts';
import {chainIds, digestHex, sha256} from '../store/digest.ts';
import {storageError, syncFolder} from '../store/files.ts';
import {namedEntry, withNames} from '../store/layout.ts';
import {acquireLease, type Lease} from '../store/leases.ts';
import {
	type Configuration,
	type Descriptor,
	type Index,
	isIndex,
	type Manifest,
	mediaTypes,
	parseConfiguration,
	toOciIndex,
	toOciManifest,
} from '../store/manifest.ts';
import type {EarlyLayers} from './early-layers.ts';
import {LayerPull} from './layer-pull.ts';
import {formatPlatform, matches, selectPlatform} from './platform.ts';
import {canonical, familiar, familiarName, type Reference, storedName, withDigest} from './reference.ts';

export interface PullRequest {
	/** With a tag or a digest. */
	readonly reference: Reference;
	/** `all`: an index is kept whole. */
	readonly platform?: Platform | 'all' | undefined;
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

export async function pullImage(
	store: Store,
	transport: Transport,
	credentials: CredentialSource,
	request: PullRequest,
): Promise<Pulled> {
	const pulled = await fromAny(store, transport, credentials, request.reference, (repository) =>
		pull(store, repository, request),
	);
	reportOutcome(request, pulled.changed);
	return pulled;
}

/** All tags of a repository; `keep` is called with each that has come. */
export async function pullAllTags<T>(
	store: Store,
	transport: Transport,
	credentials: CredentialSource,
	request: PullRequest,
	keep: (pulled: Pulled, reference: Reference) => Promise<T>,
): Promise<T[]> {
	const {reference, signal} = request;
	const results: T[] = [];
	let changed = false;
	let failure: unknown;
	await fromAny(store, transport, credentials, reference, async (repository) => {
		const tags = await repository.tags(signal);
		if (tags.length === 0)
			throw new WherryError('not-found', `repository ${familiarName(reference)} has no tags`, {
				object: familiarName(reference),
			});
		for (const tag of tags) {
			const tagged = {...reference, tag};
			try {
				const pulled = await pull(store, repository, {...request, reference: tagged});
				changed ||= pulled.changed;
				results.push(await keep(pulled, tagged));
			} catch (error) {
				if (signal?.aborted) throw error;
				failure ??= inWords(error, store, tagged);
			}
		}
	});
	if (results.length > 0) reportOutcome(request, changed);
	if (failure !== undefined) throw failure;
	return results;
}

/** docker's last line. */
function reportOutcome({reference, onProgress}: PullRequest, changed: boolean): void {
	const outcome = changed ? 'Downloaded newer image for' : 'Image is up to date for';
	onProgress?.({kind: 'status', message: `Status: ${outcome} ${familiar(reference)}`});
}

const inWords = (error: unknown, store: Store, reference: Reference): unknown =>
	error instanceof RegistryFailure
		? describeFailure(error, familiarName(reference), familiar(reference))
		: storageError(error, store.paths.root);

/** Works with the first mirror that does its part, or with the registry itself. */
async function fromAny<T>(
	store: Store,
	transport: Transport,
	credentials: CredentialSource,
	reference: Reference,
	work: (repository: Repository) => Promise<T>,
): Promise<T> {
	const {domain, path} = reference;
	for (const mirror of domain === 'docker.io' ? transport.settings.mirrors : []) {
		try {
			return await work(new Repository(transport, domain, path, credentials, {mirror}));
		} catch (error) {
			// Whatever is wrong with a mirror, the registry itself is asked next; but not after Ctrl+C or on a full disk.
			const mirrors =
				error instanceof RegistryFailure || (error instanceof WherryError && error.code === 'unavailable');
			if (!mirrors) throw storageError(error, store.paths.root);
		}
	}
	const repository = new Repository(transport, domain, path, credentials);
	try {
		return await work(repository);
	} catch (error) {
		throw inWords(error, store, reference);
	}
}

async function pull(store: Store, repository: Repository, request: PullRequest): Promise<Pulled> {
	const {reference, platform, signal} = request;
	const report = (event: PullEvent) => request.onProgress?.(event);
	await sweep(store);
	const top = await repository.manifest(reference.digest ?? reference.tag!, signal);
	const heading = reference.digest === undefined ? reference.tag! : canonical(reference);
	report({kind: 'status', id: heading, message: `Pulling from ${reference.path}`});

	if (platform === 'all' && isIndex(top.manifest)) return pullIndex(store, repository, top, request);
	const document = await select(repository, top, platform === 'all' ? undefined : platform, signal);
	const brought = await bring(store, repository, document, true, request);
	try {
		const {id} = brought;
		const changed = await name(store, reference, top.digest, brought.descriptor, id);
		if (platform && platform !== 'all' && !matches(platform, brought.platform))
			report({
				kind: 'status',
				message: `WARNING: image with reference ${familiar(reference)} was found but does not match the specified platform: wanted ${formatPlatform(platform)}, actual: ${formatPlatform(brought.platform)}`,
			});
		report({kind: 'status', message: `Digest: ${top.digest}`});
		return {id, digest: top.digest, changed};
	} finally {
		brought.lease.release();
	}
}

/** A manifest that is in the store with all that it names, held by a lease. */
interface Brought {
	readonly id: string;
	readonly platform: Platform;
	readonly descriptor: {mediaType: string; digest: string; size: number};
	readonly lease: Lease;
}

/** Without `unpack` only the blobs come: what can't run here may be anything. */
async function bring(
	store: Store,
	repository: Repository,
	document: Document,
	unpack: boolean,
	{signal, onProgress}: PullRequest,
): Promise<Brought> {
	const manifest = document.manifest as Manifest;
	const id = manifest.config.digest;
	const known = await store.layout.readBlob(id);
	const bytes = known ?? (await repository.blob({...manifest.config, signal}));
	const configuration = unpack ? parseConfiguration(bytes) : blobsOnly;
	if (unpack) checkConfiguration(manifest, configuration);

	const isDocker = manifest.mediaType !== mediaTypes.ociManifest;
	const stored = isDocker ? toOciManifest(manifest, document.digest) : document.bytes;
	const digests = [sha256(stored), document.digest, id, ...manifest.layers.map(({digest}) => digest)];
	const keys = [...digests, ...configuration.diffIds, ...chainIds(configuration.diffIds)].map(digestHex);
	const lease = await acquireLease(store.paths, store.locks, [...new Set(keys)]);
	try {
		const report = (event: PullEvent) => onProgress?.(event);
		const layers = new LayerPull(
			store,
			repository,
			lease,
			manifest,
			unpack ? configuration : undefined,
			report,
		);
		await layers.run(signal, known !== undefined && (await isNamed(store, id)));
		await store.layout.writeBlob(bytes);
		if (isDocker) await store.layout.writeBlob(document.bytes);
		await store.layout.writeBlob(stored);
		for (const folder of [store.layout.blobs, store.paths.layers])
			await syncFolder(folder).catch((error) => {
				// An image without layers has no such folder.
				if (!isErrno(error, 'ENOENT')) throw error;
			});
		const {os, architecture} = configuration;
		return {
			id,
			platform: {os, architecture, ...variantOf(configuration)},
			descriptor: {mediaType: mediaTypes.ociManifest, digest: sha256(stored), size: stored.length},
			lease,
		};
	} catch (error) {
		lease.release();
		throw error;
	}
}

const blobsOnly: Configuration = {os: '', architecture: '', config: {}, diffIds: [], history: []};

/** An index with the images of all platforms, of which the one for this machine is unpacked. */
async function pullIndex(
	store: Store,
	repository: Repository,
	top: Document,
	request: PullRequest,
): Promise<Pulled> {
	const {reference, signal, onProgress} = request;
	const {layout, paths, locks} = store;
	const {manifests} = top.manifest as Index;
	const own = ownEntry(manifests);
	const leases: Lease[] = [];
	try {
		const converted = new Map<string, Brought['descriptor']>();
		let id: string | undefined;
		for (const {digest} of manifests) {
			if (converted.has(digest)) continue;
			const unpack = digest === own?.digest;
			const document = await repository.manifest(digest, signal, {anyContent: !unpack});
			if (isIndex(document.manifest)) throw nested(top.digest, digest);
			const brought = await bring(store, repository, document, unpack, request);
			leases.push(brought.lease);
			converted.set(digest, brought.descriptor);
			if (unpack) id = brought.id;
		}
		const same = [...converted].every(([digest, {digest: stored}]) => digest === stored);
		const isOci = top.manifest.mediaType === mediaTypes.ociIndex;
		const stored = same && isOci ? top.bytes : toOciIndex(top.bytes, top.digest, converted);
		const digest = sha256(stored);
		leases.push(await acquireLease(paths, locks, [digest, top.digest].map(digestHex)));
		await layout.writeBlob(top.bytes);
		await layout.writeBlob(stored);
		await syncFolder(layout.blobs);
		id ??= (await store.catalog.variants(digest))[0]?.manifest.config.digest;
		if (id === undefined)
			throw new WherryError('unsupported', `index ${top.digest} names no image`, {object: top.digest});
		const descriptor = {mediaType: mediaTypes.ociIndex, digest, size: stored.length};
		const changed = await name(store, reference, top.digest, descriptor, id);
		onProgress?.({kind: 'status', message: `Digest: ${top.digest}`});
		return {id, digest: top.digest, changed};
	} finally {
		for (const lease of leases) lease.release();
	}
}

/** The entry for this machine, when there is one. */
function ownEntry(entries: readonly Descriptor[]): Descriptor | undefined {
	try {
		return selectPlatform(entries, undefined);
	} catch {
		return undefined;
	}
}

const nested = (index: string, digest: string): WherryError =>
	new WherryError('unsupported', `index ${index} names another index, ${digest}`, {object: digest});

/** Unpacks the layers of an image whose blobs are in the store, where they are not unpacked yet, here or `early`. */
export async function unpackImage(
	store: Store,
	manifest: Manifest,
	configuration: Configuration,
	report: (event: PullEvent) => void = () => {},
	early?: EarlyLayers,
): Promise<void> {
	checkConfiguration(manifest, configuration);
	const blobs = manifest.layers.map(({digest}) => digest);
	const keys = [...blobs, ...configuration.diffIds, ...chainIds(configuration.diffIds)].map(digestHex);
	const lease = await acquireLease(store.paths, store.locks, [...new Set(keys)]);
	try {
		const layers = new LayerPull(store, undefined, lease, manifest, configuration, report, early);
		await layers.run(undefined, false);
		await syncFolder(store.paths.layers);
	} finally {
		lease.release();
	}
}

const isNamed = async (store: Store, id: string): Promise<boolean> =>
	(await store.catalog.images()).some(({ids}) => ids.includes(id));

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
	if (isIndex(document.manifest)) throw nested(top.digest, entry.digest);
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
	descriptor: Brought['descriptor'],
	id: string,
): Promise<boolean> {
	const {catalog, layout} = store;
	const before = (await catalog.images()).find(({references}) =>
		references.some((known) => storedName(known) === storedName(reference)),
	);
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
