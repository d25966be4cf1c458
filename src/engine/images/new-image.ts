/**
 * Images that are made here: a layer is packed into a blob of the store, uncompressed, and what refers to it is
 * written after it. A name appears in the index when everything under it is on the disk.
 */
import {closeSync, fsync, openSync} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import {promisify} from 'node:util';
import {native, type PackStats} from '../../kernel/native.ts';
import type {ImageConfig, Platform} from '../api.ts';
import type {Store} from '../store/collect.ts';
import {chainIds, digestHex, sha256} from '../store/digest.ts';
import {storageError, syncFolder} from '../store/files.ts';
import {namedEntry, unnamedEntry, withNames, withParent, withUnnamed} from '../store/layout.ts';
import {acquireLease, type Lease} from '../store/leases.ts';
import {type Descriptor, type HistoryEntry, mediaTypes} from '../store/manifest.ts';
import type {Reference} from './reference.ts';

const sync = promisify(fsync);

/** A layer that is in the store, or on its way to it. */
export interface NewLayer {
	readonly descriptor: Descriptor;
	readonly diffId: string;
	/** Where it lies until it has its name. */
	readonly file?: string;
}

/**
 * Packs a layer; undefined when it has no entries. `lease` holds its file until the image is there.
 */
export async function packLayer(
	lease: Lease,
	pack: (fd: number) => Promise<PackStats & {digest: string}>,
	options: {keepEmpty?: boolean} = {},
): Promise<NewLayer | undefined> {
	const file = lease.staging('layer');
	const fd = openSync(file, 'wx', 0o600);
	let packed: PackStats & {digest: string};
	try {
		packed = await pack(fd);
		// A blob has its name only when its bytes are on the disk.
		await sync(fd);
	} catch (error) {
		await native.removeTree(file);
		throw error;
	} finally {
		closeSync(fd);
	}
	const {size, digest, entries} = packed;
	if (entries === 0 && !options.keepEmpty) {
		await native.removeTree(file);
		return undefined;
	}
	return {descriptor: {mediaType: mediaTypes.ociLayer, digest, size}, diffId: digest, file};
}

export interface NewImage {
	readonly platform: Platform;
	/** RFC 3339. */
	readonly created: string;
	readonly author?: string;
	readonly config: ImageConfig;
	readonly history: readonly HistoryEntry[];
	/** Lowest first. */
	readonly layers: readonly NewLayer[];
	/** The id of the image that it was committed from. */
	readonly parent?: string;
	/** Of the manifest. */
	readonly annotations?: Readonly<Record<string, string>>;
	/** Members of the configuration that somebody else put there (`os.version`). */
	readonly more?: Readonly<Record<string, unknown>>;
}

/** Without what is empty, as everybody writes configurations. */
function compact(value: object): object {
	return Object.fromEntries(
		Object.entries(value).filter(
			([, member]) =>
				member !== undefined &&
				member !== null &&
				member !== '' &&
				!(Array.isArray(member) && member.length === 0) &&
				!(typeof member === 'object' && Object.keys(member).length === 0),
		),
	);
}

export function encodeConfiguration(image: NewImage): Buffer {
	const {platform, created, author, config, history, layers, more} = image;
	return Buffer.from(
		JSON.stringify({
			...more,
			created,
			...(author ? {author} : {}),
			...platform,
			config: compact(config),
			rootfs: {type: 'layers', diff_ids: layers.map(({diffId}) => diffId)},
			history,
		}),
	);
}

export function encodeManifest({layers, annotations}: NewImage, configuration: Buffer): Buffer {
	const config = {
		mediaType: mediaTypes.ociConfig,
		digest: sha256(configuration),
		size: configuration.length,
	};
	return Buffer.from(
		JSON.stringify({
			schemaVersion: 2,
			mediaType: mediaTypes.ociManifest,
			config,
			layers: layers.map(({descriptor: {mediaType, digest, size}}) => ({mediaType, digest, size})),
			...(annotations && Object.keys(annotations).length > 0 ? {annotations} : {}),
		}),
	);
}

/** Writes an image and gives it the name, or none; resolves to its id. */
export async function addImage(
	store: Store,
	image: NewImage,
	reference: Reference | undefined,
): Promise<string> {
	const {layout, paths, locks} = store;
	const configuration = encodeConfiguration(image);
	const id = sha256(configuration);
	const manifest = encodeManifest(image, configuration);
	const plain = {mediaType: mediaTypes.ociManifest, digest: sha256(manifest), size: manifest.length};
	const descriptor = image.parent === undefined ? plain : withParent(plain, image.parent);
	const diffIds = image.layers.map(({diffId}) => diffId);
	const keys = [
		id,
		descriptor.digest,
		...diffIds,
		...chainIds(diffIds),
		...image.layers.map((layer) => layer.descriptor.digest),
	].map(digestHex);
	const lease = await acquireLease(paths, locks, [...new Set(keys)]);
	try {
		await mkdir(layout.blobs, {recursive: true, mode: 0o700});
		for (const {file, descriptor: blob} of image.layers) {
			// One that is there already gives way to the same bytes, of which we know that they are whole.
			if (file !== undefined) await layout.adoptBlob(file, blob.digest);
		}
		await layout.writeBlob(configuration);
		await layout.writeBlob(manifest);
		await syncFolder(layout.blobs);
		await layout.update((entries) => {
			if (reference) return withNames(entries, [namedEntry(descriptor, reference, new Date().toISOString())]);
			const named = entries.filter((entry) => entry.reference);
			return withUnnamed(named, [...entries, unnamedEntry(descriptor)]);
		});
		return id;
	} catch (error) {
		throw storageError(error, paths.root);
	} finally {
		lease.release();
	}
}
