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
import {acquireLease} from '../store/leases.ts';
import {
	type Configuration,
	isIndex,
	type Manifest,
	mediaTypes,
	parseConfiguration,
	toOciManifest,
} from '../store/manifest.ts';
import {LayerPull} from './layer-pull.ts';
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

export async function pullImage(
	store: Store,
	transport: Transport,
	credentials: CredentialSource,
	request: PullRequest,
): Promise<Pulled> {
	const {reference} = request;
	const {domain, path} = reference;
	for (const mirror of domain === 'docker.io' ? transport.settings.mirrors : []) {
		try {
			return await pull(store, new Repository(transport, domain, path, credentials, {mirror}), request);
		} catch (error) {
			// Whatever is wrong with a mirror, the registry itself is asked next; but not after Ctrl+C or on a full disk.
			const mirrors =
				error instanceof RegistryFailure || (error instanceof WherryError && error.code === 'unavailable');
			if (!mirrors) throw storageError(error, store.paths.root);
		}
	}
	const repository = new Repository(transport, domain, path, credentials);
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
		await layers.run(signal, known !== undefined && (await isNamed(store, manifest.config.digest)));
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
	report: (event: PullEvent) => void = () => {},
): Promise<void> {
	checkConfiguration(manifest, configuration);
	const blobs = manifest.layers.map(({digest}) => digest);
	const keys = [...blobs, ...configuration.diffIds, ...chainIds(configuration.diffIds)].map(digestHex);
	const lease = await acquireLease(store.paths, store.locks, [...new Set(keys)]);
	try {
		await new LayerPull(store, undefined, lease, manifest, configuration, report).run(undefined, false);
		await syncFolder(store.paths.layers);
	} finally {
		lease.release();
	}
}

const isNamed = async (store: Store, id: string): Promise<boolean> =>
	(await store.catalog.images()).some((image) => image.id === id);

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
