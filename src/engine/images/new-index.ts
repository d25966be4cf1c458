/** Images of several platforms that are made here, under one name. */
import type {Store} from '../store/collect.ts';
import {chainIds, digestHex, sha256} from '../store/digest.ts';
import {storageError, syncFolder} from '../store/files.ts';
import {namedEntry, unnamedEntry, withNames, withUnnamed} from '../store/layout.ts';
import {acquireLease} from '../store/leases.ts';
import {type Descriptor, mediaTypes} from '../store/manifest.ts';
import {addImage, encodeConfiguration, encodeManifest, type NewImage} from './new-image.ts';
import {hostPlatform, selectPlatform} from './platform.ts';
import type {Reference} from './reference.ts';

/** An index of images, in their order. Pure. */
export function encodeIndex(images: readonly NewImage[]): {
	bytes: Buffer;
	manifests: Descriptor[];
	ids: string[];
} {
	const ids: string[] = [];
	const manifests = images.map((image): Descriptor => {
		const configuration = encodeConfiguration(image);
		const manifest = encodeManifest(image, configuration);
		ids.push(sha256(configuration));
		return {
			mediaType: mediaTypes.ociManifest,
			digest: sha256(manifest),
			size: manifest.length,
			platform: image.platform,
		};
	});
	const bytes = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests}));
	return {bytes, manifests, ids};
}

/** Writes the images and gives their index the name, or none; resolves to the id of the one for this host, else the first. */
export async function addIndex(
	store: Store,
	images: readonly NewImage[],
	reference: Reference | undefined,
): Promise<string> {
	const {layout, paths, locks} = store;
	const {bytes, manifests, ids} = encodeIndex(images);
	const descriptor = {mediaType: mediaTypes.ociIndex, digest: sha256(bytes), size: bytes.length};
	const diffIds = images.map(({layers}) => layers.map(({diffId}) => diffId));
	const keys = [descriptor.digest, ...manifests.map(({digest}) => digest), ...ids]
		.concat(...diffIds, ...diffIds.map((list) => chainIds(list)))
		.map(digestHex);
	const lease = await acquireLease(paths, locks, [...new Set(keys)]);
	try {
		const before = new Set((await layout.read()).map((entry) => entry.descriptor.digest));
		for (const image of images) await addImage(store, image, undefined);
		await layout.writeBlob(bytes);
		await syncFolder(layout.blobs);
		// The index stands for those that are here only for it.
		const own = new Set(manifests.map(({digest}) => digest).filter((digest) => !before.has(digest)));
		await layout.update((entries) => {
			const others = entries.filter(
				(entry) => entry.reference !== undefined || !own.has(entry.descriptor.digest),
			);
			if (reference) return withNames(others, [namedEntry(descriptor, reference, new Date().toISOString())]);
			const named = others.filter((entry) => entry.reference);
			return withUnnamed(named, [...others, unnamedEntry(descriptor)]);
		});
	} catch (error) {
		throw storageError(error, paths.root);
	} finally {
		lease.release();
	}
	try {
		return ids[manifests.indexOf(selectPlatform(manifests, hostPlatform()))]!;
	} catch {
		return ids[0]!;
	}
}
