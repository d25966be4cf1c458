/** `-o type=oci` and `type=docker`: a built image as an archive, without being kept. */
import {createReadStream, createWriteStream} from 'node:fs';
import {join} from 'node:path';
import type {Writable} from 'node:stream';
import {finished} from 'node:stream/promises';
import {archiveEnd, fileFrame, folderHeader, put} from '../images/archive.ts';
import {encodeConfiguration, encodeManifest, type NewImage} from '../images/new-image.ts';
import {encodeIndex} from '../images/new-index.ts';
import {canonical, familiar, type Reference} from '../images/reference.ts';
import type {Store} from '../store/collect.ts';
import {digestHex, sha256} from '../store/digest.ts';
import {makeFolders} from '../store/files.ts';
import {mediaTypes} from '../store/manifest.ts';
import {unpackFile} from './output.ts';

/** An OCI image layout (image-spec, image-layout.md), with docker's `manifest.json` in what docker is to load. */
export async function writeArchive(
	{layout}: Store,
	images: readonly NewImage[],
	tags: readonly Reference[],
	{image: output, format}: {image: Writable; format: 'oci' | 'docker'},
): Promise<{id: string; digest: string}> {
	const [image] = images as [NewImage];
	const path = (blob: string): string => `blobs/sha256/${digestHex(blob)}`;
	const file = async (name: string, bytes: Buffer): Promise<void> => {
		const {before, after} = fileFrame(name, 0o644, bytes.length);
		await put(output, Buffer.concat([before, bytes, after]));
	};
	await put(output, folderHeader('blobs', 0o755));
	await put(output, folderHeader('blobs/sha256', 0o755));
	const documents = new Map<string, Buffer>();
	const [{id, ...only}] = images.map((each) => {
		const configuration = encodeConfiguration(each);
		const manifest = encodeManifest(each, configuration);
		for (const bytes of [configuration, manifest]) documents.set(sha256(bytes), bytes);
		return {id: sha256(configuration), digest: sha256(manifest), size: manifest.length};
	}) as [{id: string; digest: string; size: number}];
	const list = images.length > 1 ? encodeIndex(images).bytes : undefined;
	if (list) documents.set(sha256(list), list);
	const {digest, size} = list ? {digest: sha256(list), size: list.length} : only;
	for (const [name, bytes] of documents) await file(path(name), bytes);
	const layers = new Map(
		images.flatMap((each) =>
			each.layers.map(({descriptor}) => [descriptor.digest, descriptor.size] as const),
		),
	);
	for (const [blob, length] of layers) {
		const {before, after} = fileFrame(path(blob), 0o644, length);
		await put(output, before);
		for await (const chunk of createReadStream(layout.blobPath(blob), {highWaterMark: 1 << 20}))
			await put(output, chunk);
		await put(output, after);
	}
	const descriptor = {
		mediaType: list ? mediaTypes.ociIndex : mediaTypes.ociManifest,
		digest,
		size,
		...(list ? {} : {platform: image.platform}),
	};
	const named = tags.map((tag) => ({
		...descriptor,
		annotations: {
			'io.containerd.image.name': canonical(tag),
			'org.opencontainers.image.created': image.created,
			'org.opencontainers.image.ref.name': tag.tag ?? 'latest',
		},
	}));
	const index = {
		schemaVersion: 2,
		mediaType: mediaTypes.ociIndex,
		manifests: named.length > 0 ? named : [descriptor],
	};
	await file('index.json', Buffer.from(JSON.stringify(index)));
	await file('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
	if (format === 'docker') {
		const entry = {
			Config: path(id),
			RepoTags: tags.length > 0 ? tags.map(familiar) : null,
			Layers: image.layers.map((layer) => path(layer.descriptor.digest)),
		};
		await file('manifest.json', Buffer.from(JSON.stringify([entry])));
	}
	await put(output, archiveEnd());
	return {id, digest};
}

/** The same as a folder, which may be there. */
export async function writeLayout(
	store: Store,
	images: readonly NewImage[],
	tags: readonly Reference[],
	{layout, format}: {layout: string; format: 'oci' | 'docker'},
	scratch: string,
): Promise<{id: string; digest: string}> {
	const file = join(scratch, 'layout.tar');
	const image = createWriteStream(file, {mode: 0o600});
	const told = await writeArchive(store, images, tags, {image, format});
	image.end();
	await finished(image);
	makeFolders(layout, 0o777);
	await unpackFile(file, layout);
	return told;
}
