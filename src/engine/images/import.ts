/** `import`: an image of one layer from an archive of files. */
import {createWriteStream, mkdirSync, rmdirSync} from 'node:fs';
import {join} from 'node:path';
import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {native} from '../../kernel/native.ts';
import type {ImageConfig, Platform} from '../api.ts';
import {isErrno} from '../errors.ts';
import {type Store, sweep} from '../store/collect.ts';
import {digestHex} from '../store/digest.ts';
import {storageError, syncFolder} from '../store/files.ts';
import {acquireLease, type Lease} from '../store/leases.ts';
import {
	type Descriptor,
	type Manifest,
	mediaTypes,
	parseConfiguration,
	parseManifest,
} from '../store/manifest.ts';
import {applyConfigChanges} from './config-changes.ts';
import {registerFailed, unpackBlob} from './download.ts';
import {EarlyLayers} from './early-layers.ts';
import {isEntryLimit} from './layer-limit.ts';
import {addImage} from './new-image.ts';
import {hostPlatform} from './platform.ts';
import {unpackImage} from './pull.ts';
import {Reading} from './reading.ts';
import type {Reference} from './reference.ts';
import {layerStream} from './spool.ts';

export interface ImportRequest {
	readonly reference?: Reference | undefined;
	/** Dockerfile instructions. */
	readonly changes?: readonly string[] | undefined;
	readonly message?: string | undefined;
	readonly platform?: Platform | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** Of an archive that comes from a pipe: a plain one unpacks to no more than it is, whatever that may be. */
const unknownSize = 2 ** 45;

/**
 * Resolves to the image's id. The archive may be compressed; with gzip or zstd it becomes the layer's blob as it is,
 * so that nothing is compressed again when it is pushed.
 */
export async function importImage(store: Store, input: Readable, request: ImportRequest): Promise<string> {
	const {paths, locks, layout} = store;
	const empty: ImageConfig = {};
	const config = applyConfigChanges(empty, [...(request.changes ?? [])]);
	await sweep(store);
	const lease = await acquireLease(paths, locks, []);
	const early = new EarlyLayers(store, lease);
	try {
		const file = lease.staging('import');
		let size = 0;
		const folder = lease.staging('packed');
		mkdirSync(folder, {mode: 0o700});
		const {kind, whole} = await layerStream(input, folder).finally(() => rmdirSync(folder));
		// Of what is compressed only its end tells how much it may grow to: what is beyond the least is unpacked behind it.
		const reading = new Reading(early, '', kind ? 0 : unknownSize);
		const counted = async function* (chunks: AsyncIterable<Buffer>) {
			for await (const chunk of chunks) {
				size += chunk.length;
				yield chunk;
				await reading.write(chunk);
			}
		};
		const output = createWriteStream(file, {mode: 0o600, flags: 'wx', flush: true});
		await pipeline(whole, counted, output, request.signal ? {signal: request.signal} : {});
		const digest = await reading.digest(file);
		const mediaType = kind ? `${mediaTypes.ociLayer}+${kind}` : mediaTypes.ociLayer;
		const descriptor = {mediaType, digest, size};
		const diffId = kind ? await unpackedDigest(early, lease, file, descriptor, request.signal) : digest;
		const created = new Date().toISOString();
		const comment = request.message || 'Imported from -';
		const kept = await acquireLease(paths, locks, [...new Set([digest, diffId])].map(digestHex));
		try {
			mkdirSync(layout.blobs, {recursive: true, mode: 0o700});
			await layout.adoptBlob(file, digest);
			// It must be a good layer before it becomes an image.
			const manifest = parseManifest(
				Buffer.from(
					JSON.stringify({
						schemaVersion: 2,
						mediaType: mediaTypes.ociManifest,
						config: {mediaType: mediaTypes.ociConfig, digest, size: 0},
						layers: [descriptor],
					}),
				),
			) as Manifest;
			const rootfs = {type: 'layers', diff_ids: [diffId]};
			await unpackImage(
				store,
				manifest,
				parseConfiguration(Buffer.from(JSON.stringify({os: 'linux', rootfs}))),
				() => {},
				early,
			);
			await syncFolder(paths.layers);
			return await addImage(
				store,
				{
					platform: request.platform ?? hostPlatform(),
					created,
					config,
					history: [{created, comment}],
					layers: [{descriptor, diffId}],
				},
				request.reference,
			);
		} finally {
			kept.release();
		}
	} catch (error) {
		throw storageError(error, paths.root);
	} finally {
		await early.end();
		lease.release();
	}
}

/** The diff id of a compressed layer, of which `early` has the tree afterwards. */
async function unpackedDigest(
	early: EarlyLayers,
	lease: Lease,
	file: string,
	descriptor: Descriptor,
	signal: AbortSignal = new AbortController().signal,
): Promise<string> {
	const known = early.diffId(descriptor.digest);
	if (known !== undefined) return known;
	// Nothing gets better by a second try, but that more bytes are allowed now.
	if (isErrno(early.failure, 'EBADLAYER') || isEntryLimit(early.failure))
		throw registerFailed(descriptor.digest, early.failure);
	const staging = lease.staging('import-tree');
	const tree = join(staging, 'fs');
	mkdirSync(staging, {mode: 0o700});
	mkdirSync(tree, {mode: 0o755});
	try {
		const stats = await unpackBlob(file, descriptor, tree, signal);
		early.add({staging, stats});
		return stats.diffId;
	} catch (error) {
		await native.removeTree(staging);
		throw error;
	}
}
