/**
 * `save`: images as one archive, which is an OCI image layout (image-spec, image-layout.md) with docker's
 * `manifest.json` beside it, so that every tool reads it. Blobs go into it as they are in the store: digests stay
 * what they were.
 */
import {createReadStream} from 'node:fs';
import type {Writable} from 'node:stream';
import type {Platform} from '../api.ts';
import {WherryError} from '../errors.ts';
import type {Image} from '../store/catalog.ts';
import type {Store} from '../store/collect.ts';
import {digestHex} from '../store/digest.ts';
import {acquireLease} from '../store/leases.ts';
import {type Descriptor, mediaTypes} from '../store/manifest.ts';
import {archiveEnd, fileFrame, folderHeader, put} from './archive.ts';
import {lookup, noSuchImage} from './lookup.ts';
import {matches, notProvided} from './platform.ts';
import {canonical, familiar, parseAny, type Reference, storedName, withDefaultTag} from './reference.ts';

interface Saved {
	readonly image: Image;
	/** The manifest that is saved. */
	readonly manifest: Descriptor;
	/** Its names in the archive; none for an id. */
	readonly names: Reference[];
}

/** The images that are meant: a repository without a tag is all of its tags, an id has no name. */
function choose(images: readonly Image[], texts: readonly string[]): Saved[] {
	const chosen = new Map<string, Saved>();
	const add = (image: Image, reference: Reference | undefined): void => {
		const entry = image.entries.find(
			(each) => !reference || (each.reference && storedName(each.reference) === storedName(reference)),
		);
		if (!entry) throw noSuchImage(image.id);
		const known = chosen.get(entry.descriptor.digest);
		const saved = known ?? {image, manifest: entry.descriptor, names: []};
		chosen.set(entry.descriptor.digest, saved);
		if (reference?.tag !== undefined && reference.digest === undefined) saved.names.push(reference);
	};
	for (const text of texts) {
		const any = parseAny(text);
		if (!('id' in any) && any.tag === undefined && any.digest === undefined) {
			const tags = images.flatMap((image) =>
				image.references
					.filter(
						({domain, path, digest}) => domain === any.domain && path === any.path && digest === undefined,
					)
					.map((reference) => ({image, reference})),
			);
			if (tags.length > 0) {
				for (const {image, reference} of tags) add(image, reference);
				continue;
			}
		}
		const {image, reference} = lookedUp(images, text);
		add(image, reference && withDefaultTag(reference));
	}
	return [...chosen.values()];
}

/** docker's save names a missing image as it was given. */
function lookedUp(...[images, text]: Parameters<typeof lookup>): ReturnType<typeof lookup> {
	try {
		return lookup(images, text);
	} catch (error) {
		throw error instanceof WherryError && error.code === 'not-found' ? noSuchImage(text) : error;
	}
}

export async function saveImages(
	store: Store,
	texts: readonly string[],
	output: Writable,
	{platform, signal}: {platform?: Platform | undefined; signal?: AbortSignal | undefined} = {},
): Promise<Image[]> {
	const {layout, catalog, paths, locks} = store;
	const saved = choose(await catalog.images(), texts);
	const blobs = new Map<string, number>();
	const docker: object[] = [];
	const index: object[] = [];
	const repositories: Record<string, Record<string, string>> = {};
	for (const {image, manifest: entry, names} of saved) {
		const name = names[0] ? familiar(names[0]) : image.id;
		const loaded = await catalog.load(entry.digest, {platform}).catch((error: unknown) => {
			if (platform) throw notProvided(name, platform);
			throw error;
		});
		if (!loaded)
			throw new WherryError('corrupt', `image ${image.id} is damaged in the store`, {object: image.id});
		if (platform && !matches(platform, loaded.configuration)) throw notProvided(name, platform);
		const {config, layers} = loaded.manifest;
		const manifest = platform
			? {
					mediaType: loaded.manifest.mediaType,
					digest: loaded.digest,
					size: (await layout.blobSize(loaded.digest)) ?? 0,
				}
			: entry;
		for (const {digest, size} of [manifest, config, ...layers]) blobs.set(digest, size);
		// An index goes with all that it has here, byte for byte.
		if (manifest.digest !== loaded.digest)
			for (const digest of await catalog.blobs(entry.digest))
				blobs.set(digest, (await layout.blobSize(digest)) ?? 0);
		const path = (digest: string): string => `blobs/sha256/${digestHex(digest)}`;
		docker.push({
			Config: path(config.digest),
			RepoTags: names.length > 0 ? names.map(familiar) : null,
			Layers: layers.map(({digest}) => path(digest)),
		});
		const {mediaType, digest, size} = manifest;
		const descriptor = {mediaType: mediaType || mediaTypes.ociManifest, digest, size};
		if (names.length === 0) index.push(descriptor);
		for (const name of names) {
			index.push({
				...descriptor,
				annotations: {
					'io.containerd.image.name': canonical(name),
					'org.opencontainers.image.ref.name': name.tag!,
				},
			});
			const repository = familiar({domain: name.domain, path: name.path});
			repositories[repository] = {
				...repositories[repository],
				[name.tag!]: digestHex(layers.at(-1)?.digest ?? config.digest),
			};
		}
	}
	const lease = await acquireLease(paths, locks, [...blobs.keys()].map(digestHex));
	try {
		await put(output, folderHeader('blobs', 0o755));
		await put(output, folderHeader('blobs/sha256', 0o755));
		for (const [digest, size] of [...blobs].sort(([left], [right]) => (left < right ? -1 : 1))) {
			signal?.throwIfAborted();
			if ((await layout.blobSize(digest)) !== size) {
				throw new WherryError('corrupt', `blob ${digest} is missing in the store; pull the image again`, {
					object: digest,
				});
			}
			const {before, after} = fileFrame(`blobs/sha256/${digestHex(digest)}`, 0o644, size);
			await put(output, before);
			for await (const chunk of createReadStream(layout.blobPath(digest), {highWaterMark: 1 << 20})) {
				signal?.throwIfAborted();
				await put(output, chunk);
			}
			await put(output, after);
		}
		const documents: Record<string, unknown> = {
			'index.json': {schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: index},
			'manifest.json': docker,
			'oci-layout': {imageLayoutVersion: '1.0.0'},
			...(Object.keys(repositories).length > 0 ? {repositories} : {}),
		};
		for (const [name, document] of Object.entries(documents)) {
			const bytes = Buffer.from(JSON.stringify(document));
			const {before, after} = fileFrame(name, 0o644, bytes.length);
			await put(output, Buffer.concat([before, bytes, after]));
		}
		await put(output, archiveEnd());
		return saved.map(({image}) => image);
	} finally {
		lease.release();
	}
}
