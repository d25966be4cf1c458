/**
 * Manifest lists that are put together here and pushed, as docker's `manifest` commands do: of images that are in a
 * registry, without fetching their layers. A list is one file in WHERRY_ROOT/manifests until it is pushed or removed.
 */
import {createHash} from 'node:crypto';
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import type {ListPlatform, ManifestEntry, ManifestList, ManifestLists, ManifestPushEvent} from '../api.ts';
import {WherryError} from '../errors.ts';
import type {Repository} from '../registry/client.ts';
import {Upload} from '../registry/upload.ts';
import {sha256} from '../store/digest.ts';
import {readIfThere, replaceFile} from '../store/files.ts';
import {type Index, isIndex, type Manifest, mediaTypes, parseManifest} from '../store/manifest.ts';
import {
	canonical,
	canonicalName,
	familiar,
	parseReference,
	type Reference,
	withDefaultTag,
} from './reference.ts';
import {connected, type ListOptions, noSuchManifest} from './registry-connection.ts';

/** Go's names of systems with the processors that each runs on; nothing else can be in a list (docker's rule). */
const combinations: Readonly<Record<string, readonly string[]>> = {
	darwin: ['386', 'amd64', 'arm', 'arm64'],
	dragonfly: ['amd64'],
	freebsd: ['386', 'amd64', 'arm'],
	linux: ['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips64', 'mips64le', 'ppc64le', 'riscv64', 's390x'],
	netbsd: ['386', 'amd64', 'arm'],
	openbsd: ['386', 'amd64', 'arm'],
	plan9: ['386', 'amd64'],
	solaris: ['amd64'],
	windows: ['386', 'amd64', 'arm64'],
};

const isKnown = (os: string, architecture: string): boolean =>
	Object.hasOwn(combinations, os) && combinations[os]!.includes(architecture);

const nameOf = (text: string): Reference => withDefaultTag(parseReference(text));

/** docker keeps a file for each manifest, and so has them in the order of these names. */
const order = ({Ref}: ManifestEntry): string => Ref.replaceAll(':', '%').replaceAll('/', '#');

/** The list as it is pushed: docker's bytes, so that both give the same digest. */
export function encodeList(entries: readonly ManifestEntry[]): {mediaType: string; bytes: Buffer} {
	const first = entries[0]?.Descriptor.mediaType;
	const mediaType = first === mediaTypes.ociManifest ? mediaTypes.ociIndex : mediaTypes.dockerList;
	const manifests = entries.map(({Descriptor: {mediaType: type, size, digest, platform}}) => ({
		mediaType: type,
		size,
		digest,
		platform: orderedPlatform(platform ?? {architecture: '', os: ''}),
	}));
	const text = JSON.stringify({schemaVersion: 2, mediaType, manifests}, undefined, 3);
	return {mediaType, bytes: Buffer.from(goEscapes(text))};
}

/** encoding/json writes these so. */
export const goEscapes = (json: string): string =>
	json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

function orderedPlatform(platform: ListPlatform): ListPlatform {
	const {architecture, os, variant} = platform;
	const [version, features] = [platform['os.version'], platform['os.features']];
	return {
		architecture,
		os,
		...(version ? {'os.version': version} : {}),
		...(features && features.length > 0 ? {'os.features': features} : {}),
		...(variant ? {variant} : {}),
	};
}

export function platformOf(value: Record<string, unknown> | undefined): ListPlatform {
	const text = (key: string): string => (typeof value?.[key] === 'string' ? (value[key] as string) : '');
	const features = value?.['os.features'];
	return orderedPlatform({
		architecture: text('architecture'),
		os: text('os'),
		'os.version': text('os.version'),
		'os.features': Array.isArray(features) ? features.filter((each) => typeof each === 'string') : [],
		variant: text('variant'),
	});
}

export class LocalManifestLists implements ManifestLists {
	readonly #options: ListOptions;

	constructor(options: ListOptions) {
		this.#options = options;
	}

	async inspect(
		text: string,
		{list, insecure = false, whole = false}: {list?: string; insecure?: boolean; whole?: boolean} = {},
	): Promise<ManifestEntry | ManifestList> {
		const reference = nameOf(text);
		if (list !== undefined) {
			const ref = canonical(reference);
			const found = this.#read(nameOf(list))?.find(({Ref}) => Ref === ref);
			if (!found) throw noSuchManifest(ref);
			return found;
		}
		const local = this.#read(reference);
		if (local) return {entries: local, bytes: encodeList(local).bytes};
		return connected(this.#options, reference, {insecure}, async (repository) => {
			const document = await repository.manifest(reference.digest ?? reference.tag!, undefined, {
				anyContent: true,
			});
			if (!isIndex(document.manifest))
				return this.#entry(repository, canonical(reference), document.bytes, document.manifest);
			const entries = await this.#members(repository, reference, document.bytes, document.manifest, whole);
			return {entries, bytes: encodeList(entries).bytes};
		});
	}

	async create(
		list: string,
		texts: readonly string[],
		{amend = false, insecure = false}: {amend?: boolean; insecure?: boolean} = {},
	): Promise<string> {
		const target = nameOf(list);
		const references = texts.map(nameOf);
		const check = () => {
			const known = this.#read(target);
			if (known && !amend)
				throw new WherryError(
					'conflict',
					'refusing to amend an existing manifest list with no --amend flag',
					{object: list},
				);
			return known ?? [];
		};
		const before = check();
		const added: ManifestEntry[] = [];
		for (const reference of references) {
			const ref = canonical(reference);
			const known = before.find(({Ref}) => Ref === ref);
			added.push(
				known ??
					(await connected(this.#options, reference, {insecure}, async (repository) => {
						const {bytes, manifest} = await repository.manifest(reference.digest ?? reference.tag!);
						if (isIndex(manifest))
							throw new WherryError('invalid', `${familiar(reference)} is a manifest list`, {object: ref});
						return this.#entry(repository, ref, bytes, manifest);
					})),
			);
		}
		await this.#change(target, () => {
			const known = check().filter(({Ref}) => !added.some((each) => each.Ref === Ref));
			return [...known, ...added];
		});
		return canonical(target);
	}

	async annotate(list: string, text: string, changes: Partial<ListPlatform>): Promise<void> {
		const target = nameOf(list);
		const ref = canonical(nameOf(text));
		await this.#change(target, (entries = []) => {
			const entry = entries.find(({Ref}) => Ref === ref);
			if (!entry) throw noSuchManifest(ref, `manifest for image ${text} does not exist in ${list}`);
			const platform = {...(entry.Descriptor.platform ?? {architecture: '', os: ''})};
			for (const key of ['architecture', 'os', 'os.version', 'variant'] as const)
				if (changes[key]) platform[key] = changes[key];
			const features = new Set([...(platform['os.features'] ?? []), ...(changes['os.features'] ?? [])]);
			if (!isKnown(platform.os, platform.architecture))
				throw new WherryError(
					'invalid',
					`manifest entry for image has unsupported os/arch combination: ${changes.os ?? ''}/${changes.architecture ?? ''}`,
					{object: ref},
				);
			const annotated = orderedPlatform({...platform, 'os.features': [...features]});
			const changed = {...entry, Descriptor: {...entry.Descriptor, platform: annotated}};
			return entries.map((each) => (each === entry ? changed : each));
		});
	}

	/** Blobs are taken over from the images' repositories, which have to be in the same registry. */
	async push(
		list: string,
		options: {insecure?: boolean; purge?: boolean; onProgress?: (event: ManifestPushEvent) => void} = {},
	): Promise<string> {
		const target = nameOf(list);
		const entries = this.#read(target);
		if (!entries) throw noSuchManifest(canonical(target));
		for (const {Ref, Descriptor} of entries) {
			const {domain} = parseReference(Ref);
			if (!Descriptor.platform?.architecture || !Descriptor.platform.os)
				throw new WherryError(
					'invalid',
					`manifest ${Ref} must have an OS and Architecture to be pushed to a registry`,
					{object: Ref},
				);
			if (domain !== target.domain)
				throw new WherryError(
					'invalid',
					`cannot use source images from a different registry than the target image: ${domain} != ${target.domain}`,
					{object: Ref},
				);
		}
		const {mediaType, bytes} = encodeList(entries);
		await connected(this.#options, target, {...options, push: true}, async (repository, transport) => {
			const upload = new Upload(transport, repository);
			for (const entry of entries) {
				const source = parseReference(entry.Ref);
				if (source.path === target.path) continue;
				await this.#takeOver(upload, entry, source, target);
				options.onProgress?.({
					ref: `${canonicalName(target)}@${entry.Descriptor.digest}`,
					digest: entry.Descriptor.digest,
				});
			}
			await upload.manifest(target.tag ?? sha256(bytes), mediaType, bytes);
		});
		if (options.purge) await this.remove(list);
		return sha256(bytes);
	}

	async remove(list: string): Promise<void> {
		const target = nameOf(list);
		await this.#options.locks.with('manifests', () => {
			if (!this.#read(target)) throw noSuchManifest(canonical(target));
			rmSync(this.#file(target));
		});
	}

	async #takeOver(upload: Upload, entry: ManifestEntry, source: Reference, target: Reference): Promise<void> {
		const bytes = Buffer.from(entry.Raw, 'base64');
		const manifest = parseManifest(bytes, '', {anyContent: true}) as Manifest;
		for (const {digest} of [manifest.config, ...manifest.layers]) {
			if (await upload.has(digest)) continue;
			if (await upload.mount(digest, source.path)) continue;
			const from = `${canonicalName(source)}@${digest}`;
			throw new WherryError('unavailable', `error mounting ${from} to ${canonical(target)}`, {
				object: digest,
			});
		}
		const {mediaType, digest} = entry.Descriptor;
		await upload.manifest(digest, mediaType, bytes);
	}

	/** A manifest of a registry, with the platform that its configuration says. */
	async #entry(
		repository: Repository,
		ref: string,
		bytes: Buffer,
		manifest: Manifest,
		platform?: ListPlatform,
	): Promise<ManifestEntry> {
		const said = platform ?? platformOf(await configuration(repository, manifest));
		return {
			Ref: ref,
			Descriptor: {
				mediaType: manifest.mediaType,
				digest: sha256(bytes),
				size: bytes.length,
				...(said.architecture || said.os ? {platform: said} : {}),
			},
			Raw: bytes.toString('base64'),
		};
	}

	/** What an index of a registry names; with `whole` the manifests are fetched, too. */
	async #members(
		repository: Repository,
		reference: Reference,
		bytes: Buffer,
		index: Index,
		whole: boolean,
	): Promise<ManifestEntry[]> {
		const {manifests} = JSON.parse(bytes.toString('utf8')) as {
			manifests: {platform?: Record<string, unknown>}[];
		};
		const entries: ManifestEntry[] = [];
		for (const [at, {mediaType, digest, size}] of index.manifests.entries()) {
			const platform = platformOf(manifests[at]?.platform);
			const Ref = `${canonical(reference)}@${digest}`;
			const document = whole ? await repository.manifest(digest, undefined, {anyContent: true}) : undefined;
			entries.push(
				document && !isIndex(document.manifest)
					? await this.#entry(repository, Ref, document.bytes, document.manifest, platform)
					: {Ref, Descriptor: {mediaType, digest, size, platform}, Raw: ''},
			);
		}
		return entries;
	}

	#file(list: Reference): string {
		const name = createHash('sha256').update(canonical(list)).digest('hex');
		return join(this.#options.paths.root, 'manifests', `${name}.json`);
	}

	#read(list: Reference): ManifestEntry[] | undefined {
		const file = this.#file(list);
		const bytes = readIfThere(file);
		if (!bytes) return undefined;
		try {
			const {entries} = JSON.parse(bytes.toString('utf8')) as {entries: ManifestEntry[]};
			return entries.sort((left, right) => (order(left) < order(right) ? -1 : 1));
		} catch (cause) {
			throw new WherryError('corrupt', `${file} is damaged; remove it and make the list again`, {
				object: canonical(list),
				cause,
			});
		}
	}

	/** Replaces a list under the lock. */
	async #change(
		list: Reference,
		change: (entries: ManifestEntry[] | undefined) => ManifestEntry[],
	): Promise<void> {
		await this.#options.locks.with('manifests', async () => {
			const entries = change(this.#read(list));
			await replaceFile(this.#file(list), JSON.stringify({name: canonical(list), entries}));
		});
	}
}

/** Of an image; something else says nothing about a platform. */
export async function configuration(
	repository: Repository,
	{config}: Manifest,
): Promise<Record<string, unknown> | undefined> {
	if (config.mediaType !== mediaTypes.ociConfig && config.mediaType !== mediaTypes.dockerConfig)
		return undefined;
	try {
		const document: unknown = JSON.parse((await repository.blob(config)).toString('utf8'));
		return typeof document === 'object' && document !== null
			? (document as Record<string, unknown>)
			: undefined;
	} catch (error) {
		if (error instanceof SyntaxError) return undefined;
		throw error;
	}
}
