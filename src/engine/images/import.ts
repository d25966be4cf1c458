/** `import`: an image of one layer from an archive of files. */
import {createHash} from 'node:crypto';
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
import {addImage} from './new-image.ts';
import {hostPlatform} from './platform.ts';
import {unpackImage} from './pull.ts';
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

/** Resolves to the image's id. The archive may be compressed with gzip or zstd. */
export async function importImage(store: Store, input: Readable, request: ImportRequest): Promise<string> {
	const {paths, locks, layout} = store;
	const empty: ImageConfig = {};
	const config = applyConfigChanges(empty, [...(request.changes ?? [])]);
	await sweep(store);
	const lease = await acquireLease(paths, locks, []);
	try {
		const file = lease.staging('import');
		const hash = createHash('sha256');
		let size = 0;
		const folder = lease.staging('packed');
		mkdirSync(folder, {mode: 0o700});
		const source = await plain(input, folder).finally(() => rmdirSync(folder));
		const counted = async function* (chunks: AsyncIterable<Buffer>) {
			for await (const chunk of chunks) {
				hash.update(chunk);
				size += chunk.length;
				yield chunk;
			}
		};
		const output = createWriteStream(file, {mode: 0o600, flags: 'wx', flush: true});
		await pipeline(source, counted, output, request.signal ? {signal: request.signal} : {});
		const digest = `sha256:${hash.digest('hex')}`;
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
		lease.release();
	}
}
