/** `import`: an image of one layer from an archive of files. */
import {createWriteStream, mkdirSync, rmdirSync} from 'node:fs';
import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import type {ImageConfig, Platform} from '../api.ts';
import {type Store, sweep} from '../store/collect.ts';
import {digestHex} from '../store/digest.ts';
import {storageError, syncFolder} from '../store/files.ts';
import {acquireLease} from '../store/leases.ts';
import {type Manifest, mediaTypes, parseConfiguration, parseManifest} from '../store/manifest.ts';
import {applyConfigChanges} from './config-changes.ts';
import {EarlyLayers} from './early-layers.ts';
import {addImage} from './new-image.ts';
import {hostPlatform} from './platform.ts';
import {unpackImage} from './pull.ts';
import {Reading} from './reading.ts';
import type {Reference} from './reference.ts';
import {plain} from './spool.ts';

export interface ImportRequest {
	readonly reference?: Reference | undefined;
	/** Dockerfile instructions. */
	readonly changes?: readonly string[] | undefined;
	readonly message?: string | undefined;
	readonly platform?: Platform | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** Of an archive that comes from a pipe: so large that it says nothing. */
const unknownSize = 2 ** 45;

/** Resolves to the image's id. The archive may be compressed with gzip or zstd. */
export async function importImage(store: Store, input: Readable, request: ImportRequest): Promise<string> {
	const {paths, locks, layout} = store;
	const empty: ImageConfig = {};
	const config = applyConfigChanges(empty, [...(request.changes ?? [])]);
	await sweep(store);
	const lease = await acquireLease(paths, locks, []);
	const early = new EarlyLayers(store, lease);
	try {
		const file = lease.staging('import');
		const reading = new Reading(early, '', unknownSize);
		let size = 0;
		const folder = lease.staging('packed');
		mkdirSync(folder, {mode: 0o700});
		const source = await plain(input, folder).finally(() => rmdirSync(folder));
		const counted = async function* (chunks: AsyncIterable<Buffer>) {
			for await (const chunk of chunks) {
				size += chunk.length;
				yield chunk;
				await reading.write(chunk);
			}
		};
		const output = createWriteStream(file, {mode: 0o600, flags: 'wx', flush: true});
		await pipeline(source, counted, output, request.signal ? {signal: request.signal} : {});
		const digest = await reading.digest(file);
		const created = new Date().toISOString();
		const comment = request.message || 'Imported from -';
		const layer = {descriptor: {mediaType: mediaTypes.ociLayer, digest, size}, diffId: digest, file};
		const kept = await acquireLease(paths, locks, [digestHex(digest)]);
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
						layers: [layer.descriptor],
					}),
				),
			) as Manifest;
			const rootfs = {type: 'layers', diff_ids: [digest]};
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
					layers: [{descriptor: layer.descriptor, diffId: digest}],
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
