/**
 * `load`: archives that docker, podman, skopeo and others have saved: docker's format (`manifest.json` with the
 * configuration and layers of each image) and OCI image layouts. The archive is read once, front to back, into
 * files that become blobs; only then is looked at what they are. All of it is a stranger's: paths are names in a
 * table and never reach the file system.
 */
import {createHash, type Hash} from 'node:crypto';
import {closeSync, fsyncSync, mkdirSync, openSync, readSync, rmSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {join, posix} from 'node:path';
import {Readable, type Transform} from 'node:stream';
import {Parser, type ReadEntry} from 'tar';
import type {LoadEvent, Platform} from '../api.ts';
import {WherryError} from '../errors.ts';
import {type Store, sweep} from '../store/collect.ts';
import {chainIds, digestHex, isDigest, sha256} from '../store/digest.ts';
import {storageError, syncFolder} from '../store/files.ts';
import {namedEntry, unnamedEntry, withNames, withUnnamed} from '../store/layout.ts';
import {acquireLease} from '../store/leases.ts';
import {
	checkStrings,
	type Descriptor,
	isIndex,
	largestConfig,
	largestManifest,
	type Manifest,
	mediaTypes,
	parseConfiguration,
	parseManifest,
	toOciManifest,
} from '../store/manifest.ts';
import {selectPlatform} from './platform.ts';
import {unpackImage} from './pull.ts';
import {familiar, parseReference, type Reference, withDefaultTag} from './reference.ts';

/** A file of the archive, spooled. */
interface Spooled {
	readonly file: string;
	readonly size: number;
	readonly digest: string;
}

/** An image that the archive holds. */
interface Found {
	readonly manifest: Buffer;
	/** As it came, when it is docker's and what is kept is made of it. */
	readonly original?: Buffer;
	readonly config: Buffer;
	readonly names: Reference[];
	/** Digest to where its bytes are. */
	readonly blobs: Map<string, Spooled>;
}

export interface LoadRequest {
	readonly platform?: Platform | undefined;
	readonly onProgress?: ((event: LoadEvent) => void) | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** Entries in one archive: 500 layers with three files each, for a few hundred images. */
const mostEntries = 200_000;
const mostLinks = 8;

const corrupt = (message: string): WherryError => new WherryError('corrupt', message);

/** The beginning of a stream, and the whole of it again. */
async function peek(input: Readable, length: number): Promise<{head: Buffer; whole: Readable}> {
	const chunks: Buffer[] = [];
	let size = 0;
	const iterator = input[Symbol.asyncIterator]();
	while (size < length) {
		const {done, value} = await iterator.next();
		if (done) break;
		chunks.push(Buffer.from(value));
		size += value.length;
	}
	const head = Buffer.concat(chunks);
	const whole = Readable.from(
		(async function* () {
			if (head.length > 0) yield head;
			for (;;) {
				const {done, value} = await iterator.next();
				if (done) return;
				yield value as Buffer;
			}
		})(),
		{objectMode: false},
	);
	return {head, whole};
}

/** What the first bytes of a file say that it is. */
export function compressionOf(head: Buffer): 'gzip' | 'zstd' | 'other' | undefined {
	if (head.length >= 3 && head[0] === 0x1f && head[1] === 0x8b && head[2] === 8) return 'gzip';
	if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
	const text = head.toString('latin1');
	if (text.startsWith('BZh') || text.startsWith('\xfd7zXZ\0')) return 'other';
	return undefined;
}

/** A stream without its compression. */
export async function plain(input: Readable): Promise<Readable> {
	const {head, whole} = await peek(input, 6);
	if (head.length === 0) throw corrupt('the archive is empty');
	const kind = compressionOf(head);
	if (kind === undefined) return whole;
	if (kind === 'other') {
		throw new WherryError(
			'unsupported',
			'archives compressed with bzip2 or xz are not supported; decompress it first',
		);
	}
	const zlib = process.getBuiltinModule('node:zlib');
	const inflate: Transform = kind === 'gzip' ? zlib.createGunzip() : zlib.createZstdDecompress();
	whole.on('error', (error) => inflate.destroy(error));
	return whole.pipe(inflate);
}

/** Writes the files of an archive to a folder, and what its paths mean. */
class Spool {
	readonly folder: string;
	readonly files = new Map<string, Spooled>();
	readonly links = new Map<string, string>();
	#entries = 0;

	constructor(folder: string) {
		this.folder = folder;
		mkdirSync(folder, {recursive: true, mode: 0o700});
	}

	async read(input: Readable, signal: AbortSignal | undefined): Promise<void> {
		let failure: unknown;
		let working: Promise<void> = Promise.resolve();
		const parser = new Parser({
			strict: true,
			onReadEntry: (entry) => {
				const previous = working;
				working = previous
					.then(() => this.#entry(entry))
					.catch((error) => {
						failure ??= error;
						entry.resume();
					});
			},
		});
		const ended = new Promise<void>((resolve, reject) => {
			parser.on('end', resolve);
			parser.on('error', reject);
		});
		ended.catch(() => {});
		try {
			for await (const chunk of input) {
				signal?.throwIfAborted();
				if (failure) throw failure;
				if (!parser.write(chunk as Buffer)) {
					await Promise.race([new Promise((resolve) => parser.once('drain', resolve)), ended]);
				}
			}
			parser.end();
			await ended;
		} catch (error) {
			if (error instanceof WherryError || signal?.aborted) throw error;
			throw new WherryError('corrupt', `the archive can't be read: ${(error as Error).message}`, {
				cause: error,
			});
		}
		await working;
		if (failure) throw failure;
		if (this.#entries === 0) throw corrupt('the archive is empty');
	}

	async #entry(entry: ReadEntry): Promise<void> {
		if (++this.#entries > mostEntries) throw corrupt(`the archive has more than ${mostEntries} entries`);
		const path = clean(entry.path);
		if (entry.type === 'SymbolicLink' || entry.type === 'Link') {
			const target = entry.linkpath ?? '';
			const base = entry.type === 'Link' ? '' : posix.dirname(path);
			this.links.set(path, clean(posix.join(base, target)));
			entry.resume();
			return;
		}
		if (!['File', 'OldFile', 'ContiguousFile'].includes(entry.type)) {
			entry.resume();
			return;
		}
		const file = join(this.folder, String(this.#entries));
		const handle = await open(file, 'wx', 0o600);
		const hash: Hash = createHash('sha256');
		let size = 0;
		try {
			for await (const chunk of entry as unknown as AsyncIterable<Buffer>) {
				hash.update(chunk);
				size += chunk.length;
				await handle.writeFile(chunk);
			}
		} finally {
			await handle.close();
		}
		this.files.set(path, {file, size, digest: `sha256:${hash.digest('hex')}`});
	}

	/** The file that a path of the archive means, through its links. */
	find(path: string): Spooled | undefined {
		let at = clean(path);
		for (let hop = 0; hop <= mostLinks; hop++) {
			const file = this.files.get(at);
			if (file) return file;
			const target = this.links.get(at);
			if (target === undefined) return undefined;
			at = target;
		}
		return undefined;
	}

	document(path: string, limit: number): Buffer | undefined {
		const found = this.find(path);
		if (!found) return undefined;
		if (found.size > limit) throw corrupt(`${path} in the archive is larger than ${limit} bytes`);
		return readWhole(found);
	}

	blob(digest: string): Spooled | undefined {
		return isDigest(digest) ? this.find(`blobs/sha256/${digestHex(digest)}`) : undefined;
	}
}

const clean = (path: string): string => posix.normalize(`/${path}`).slice(1).replace(/\/$/, '');

function readWhole({file, size}: Spooled): Buffer {
	const bytes = Buffer.alloc(size);
	const fd = openSync(file, 'r');
	try {
		let at = 0;
		while (at < size) {
			const length = readSync(fd, bytes, at, size - at, at);
			if (length === 0) break;
			at += length;
		}
		return bytes.subarray(0, at);
	} finally {
		closeSync(fd);
	}
}

function headOf({file}: Spooled): Buffer {
	const head = Buffer.alloc(6);
	const fd = openSync(file, 'r');
	try {
		return head.subarray(0, readSync(fd, head, 0, 6, 0));
	} finally {
		closeSync(fd);
	}
}

function json(bytes: Buffer, what: string): unknown {
	checkStrings(bytes, what);
	try {
		return JSON.parse(bytes.toString('utf8'));
	} catch (cause) {
		throw new WherryError('corrupt', `${what} of the archive is not valid JSON`, {cause});
	}
}

function nameOf(text: unknown): Reference | undefined {
	if (typeof text !== 'string') return undefined;
	try {
		return withDefaultTag(parseReference(text));
	} catch {
		return undefined;
	}
}

/** docker's own format. */
function fromDocker(spool: Spool, list: unknown): Found[] {
	if (!Array.isArray(list)) throw corrupt('manifest.json of the archive is not a list');
	return list.map((item, at): Found => {
		const {Config, RepoTags, Layers} = (item ?? {}) as {
			Config?: unknown;
			RepoTags?: unknown;
			Layers?: unknown;
		};
		if (typeof Config !== 'string' || !Array.isArray(Layers)) {
			throw corrupt(`image ${at} of manifest.json has no configuration or no layers`);
		}
		const config = spool.document(Config, largestConfig);
		if (!config) throw corrupt(`the archive lacks the configuration ${JSON.stringify(Config.slice(0, 200))}`);
		const blobs = new Map<string, Spooled>();
		const layers = Layers.map((path): Descriptor => {
			const found = typeof path === 'string' ? spool.find(path) : undefined;
			if (!found) throw corrupt(`the archive lacks the layer ${JSON.stringify(String(path).slice(0, 200))}`);
			blobs.set(found.digest, found);
			const kind = compressionOf(headOf(found));
			if (kind === 'other')
				throw corrupt(`layer ${String(path).slice(0, 200)} is compressed in an unknown way`);
			const mediaType = kind ? `${mediaTypes.ociLayer}+${kind}` : mediaTypes.ociLayer;
			return {mediaType, digest: found.digest, size: found.size};
		});
		const manifest = Buffer.from(
			JSON.stringify({
				schemaVersion: 2,
				mediaType: mediaTypes.ociManifest,
				config: {mediaType: mediaTypes.ociConfig, digest: sha256(config), size: config.length},
				layers,
			}),
		);
		// Of an archive that is both, the manifest that was saved is the one that keeps its digest.
		const names = (Array.isArray(RepoTags) ? RepoTags : []).flatMap((text) => nameOf(text) ?? []);
		return {manifest, config, names, blobs};
	});
}

/** The image of a manifest in an OCI layout; of an index the one for this host. */
function fromManifest(
	spool: Spool,
	descriptor: Descriptor,
	platform: Platform | undefined,
	depth = 0,
): Omit<Found, 'names'> {
	const spooled = spool.blob(descriptor.digest);
	if (!spooled) throw corrupt(`the archive lacks the manifest ${descriptor.digest}`);
	if (spooled.digest !== descriptor.digest)
		throw corrupt(`the manifest ${descriptor.digest} of the archive is not what its name says`);
	if (spooled.size > largestManifest) throw corrupt('a manifest of the archive is larger than 4 MiB');
	const bytes = readWhole(spooled);
	const document = parseManifest(bytes, descriptor.mediaType);
	if (isIndex(document)) {
		if (depth > 0) throw new WherryError('unsupported', 'an index of the archive names another index');
		const here = document.manifests.filter(({digest}) => spool.blob(digest));
		return fromManifest(spool, selectPlatform(here, platform), platform, depth + 1);
	}
	const {config, layers} = document as Manifest;
	const blobs = new Map<string, Spooled>();
	for (const {digest} of [config, ...layers]) {
		const blob = spool.blob(digest);
		if (!blob) throw corrupt(`the archive lacks the blob ${digest}`);
		if (blob.digest !== digest) throw corrupt(`the blob ${digest} of the archive is not what its name says`);
		blobs.set(digest, blob);
	}
	const configBlob = blobs.get(config.digest)!;
	if (configBlob.size > largestConfig) throw corrupt('the image configuration is larger than 8 MiB');
	const isDocker = (document as Manifest).mediaType !== mediaTypes.ociManifest;
	return {
		manifest: isDocker ? toOciManifest(document as Manifest, descriptor.digest) : bytes,
		...(isDocker ? {original: bytes} : {}),
		config: readWhole(configBlob),
		blobs,
	};
}

function fromLayout(spool: Spool, index: Buffer, platform: Platform | undefined): Found[] {
	const document = parseManifest(index, mediaTypes.ociIndex);
	if (!isIndex(document)) throw corrupt('index.json of the archive is not an index');
	const found = new Map<string, Found>();
	for (const descriptor of document.manifests) {
		const {annotations = {}} = descriptor;
		const full = nameOf(annotations['io.containerd.image.name']);
		// Alone it may be a tag only, which names nothing.
		const short = annotations['org.opencontainers.image.ref.name'];
		const name = full ?? (short !== undefined && /[/:]/.test(short) ? nameOf(short) : undefined);
		const known = found.get(descriptor.digest) ?? {...fromManifest(spool, descriptor, platform), names: []};
		found.set(descriptor.digest, known);
		if (name) known.names.push(name);
	}
	return [...found.values()];
}

/** An archive of both kinds: docker's names for the layout's manifests. */
function withDockerNames(found: Found[], docker: Found[]): Found[] {
	for (const image of found) {
		if (image.names.length > 0) continue;
		const id = sha256(image.config);
		const same = docker.find(({config}) => sha256(config) === id);
		if (same) image.names.push(...same.names);
	}
	return found;
}

export interface Loaded {
	readonly id: string;
	/** Familiar names; none: it is known by its id. */
	readonly names: string[];
}

/** Loads all images of an archive. Nothing is named before it is whole. */
export async function loadImages(store: Store, input: Readable, request: LoadRequest): Promise<Loaded[]> {
	const {paths, locks} = store;
	await sweep(store);
	const lease = await acquireLease(paths, locks, []);
	const spool = new Spool(lease.staging('load'));
	try {
		await spool.read(await plain(input), request.signal);
		const index = spool.find('oci-layout') && spool.document('index.json', largestManifest);
		const list = spool.document('manifest.json', largestManifest);
		if (!index && !list) {
			throw corrupt(
				'the archive is neither one of docker’s nor an OCI image layout: it has no manifest.json and no index.json',
			);
		}
		const docker = list && !index ? fromDocker(spool, json(list, 'manifest.json')) : [];
		let found = docker;
		if (index) {
			found = fromLayout(spool, index, request.platform);
			if (list && found.some(({names}) => names.length === 0)) {
				found = withDockerNames(found, fromDocker(spool, json(list, 'manifest.json')));
			}
		}
		if (found.length === 0) throw corrupt('the archive has no images');
		const loaded: Loaded[] = [];
		for (const image of found) loaded.push(await keep(store, image, request));
		return loaded;
	} catch (error) {
		throw storageError(error, paths.root);
	} finally {
		rmSync(spool.folder, {recursive: true, force: true});
		lease.release();
	}
}

async function keep(store: Store, found: Found, {signal, onProgress}: LoadRequest): Promise<Loaded> {
	const {layout, paths, locks} = store;
	const manifest = parseManifest(found.manifest) as Manifest;
	const configuration = parseConfiguration(found.config);
	const descriptor = {
		mediaType: mediaTypes.ociManifest,
		digest: sha256(found.manifest),
		size: found.manifest.length,
	};
	const digests = [descriptor.digest, manifest.config.digest, ...manifest.layers.map(({digest}) => digest)];
	if (found.original) digests.push(sha256(found.original));
	const keys = [...digests, ...configuration.diffIds, ...chainIds(configuration.diffIds)].map(digestHex);
	const lease = await acquireLease(paths, locks, [...new Set(keys)]);
	try {
		mkdirSync(layout.blobs, {recursive: true, mode: 0o700});
		for (const {digest, size} of manifest.layers) {
			signal?.throwIfAborted();
			if ((await layout.blobSize(digest)) === size) continue;
			const {file} = found.blobs.get(digest)!;
			const fd = openSync(file, 'r');
			fsyncSync(fd);
			closeSync(fd);
			await layout.adoptBlob(file, digest);
			// The next image of the archive may have it too.
		}
		await unpackImage(store, manifest, configuration, (event) => onProgress?.(event));
		for (const bytes of [found.config, found.manifest, ...(found.original ? [found.original] : [])]) {
			await layout.writeBlob(bytes);
		}
		await syncFolder(layout.blobs);
		await layout.update((entries) => {
			if (found.names.length === 0) {
				const named = entries.filter((entry) => entry.reference);
				return withUnnamed(named, [...entries, unnamedEntry(descriptor)]);
			}
			return withNames(
				entries,
				found.names.map((name) => namedEntry(descriptor, name)),
			);
		});
		return {id: manifest.config.digest, names: found.names.map(familiar)};
	} finally {
		lease.release();
	}
}
