/** Images in registries, looked at and put together without being fetched, as buildx imagetools does it. */
import {createWriteStream} from 'node:fs';
import {rm} from 'node:fs/promises';
import {pipeline} from 'node:stream/promises';
import type {CombineOptions, Platform, RegistryDocument, RegistryImages} from '../api.ts';
import {WherryError} from '../errors.ts';
import {Upload} from '../registry/upload.ts';
import {sha256} from '../store/digest.ts';
import {acquireLease} from '../store/leases.ts';
import {type Descriptor, isIndex, type Manifest, mediaTypes, parseManifest} from '../store/manifest.ts';
import {configuration, goEscapes, platformOf} from './manifest-lists.ts';
import {formatPlatform, normalize} from './platform.ts';
import {canonical, canonicalName, parseReference, type Reference, withDefaultTag} from './reference.ts';
import {connected, type ListOptions} from './registry-connection.ts';

/** One manifest of what is put together, as the list names it, and where it is. */
interface Member {
	readonly descriptor: Descriptor;
	readonly from: Reference;
}

const nameOf = (text: string): Reference => withDefaultTag(parseReference(text));
const isDockerType = (mediaType: string): boolean => mediaType.startsWith('application/vnd.docker.');

/** The descriptors of an index, with all that they say. Its shape has been checked. */
const membersOf = (bytes: Buffer): Descriptor[] =>
	(JSON.parse(bytes.toString('utf8')) as {manifests: Descriptor[]}).manifests;

function platformText({platform}: Descriptor): string {
	const {os = '', architecture = '', variant} = platform ?? {};
	return formatPlatform(normalize({os, architecture, ...(variant === undefined ? {} : {variant})}));
}

export class LocalRegistryImages implements RegistryImages {
	readonly #options: ListOptions;

	constructor(options: ListOptions) {
		this.#options = options;
	}

	async read(text: string): Promise<RegistryDocument> {
		const reference = nameOf(text);
		return connected(this.#options, reference, {}, async (repository) => {
			const {bytes, digest, manifest} = await repository.manifest(
				reference.digest ?? reference.tag!,
				undefined,
				{anyContent: true},
			);
			const {mediaType} = JSON.parse(bytes.toString('utf8')) as {mediaType?: string};
			return {name: canonical(reference), mediaType: mediaType ?? manifest.mediaType, digest, bytes};
		});
	}

	/** Of one image, or of each that an index names, by its platform. What is no image has none. */
	async configurations(text: string): Promise<Record<string, object>> {
		const reference = nameOf(text);
		const {bytes} = await this.read(text);
		return connected(this.#options, reference, {}, async (repository) => {
			const document = parseManifest(bytes, '', {anyContent: true});
			const found: Record<string, object> = {};
			const manifests: Manifest[] = [];
			if (!isIndex(document)) manifests.push(document);
			else
				for (const {digest, platform} of document.manifests) {
					if (platform?.architecture === 'unknown') continue;
					const {manifest} = await repository.manifest(digest, undefined, {anyContent: true});
					if (!isIndex(manifest)) manifests.push(manifest);
				}
			for (const manifest of manifests) {
				const config = await configuration(repository, manifest);
				if (config) found[formatPlatform(platformOf(config))] = config;
			}
			return found;
		});
	}

	async combine(sources: readonly string[], options: CombineOptions): Promise<RegistryDocument> {
		const tags = options.tags.map(nameOf);
		if (sources.length + options.descriptors.length === 0 || (tags.length === 0 && !options.dryRun))
			throw new WherryError('invalid', 'at least one source and one tag are needed');
		const home = tags[0] ?? nameOf(sources[0] ?? 'x');
		const documents: {document: RegistryDocument; from: Reference}[] = [];
		const texts = [
			...(options.append ? tags.slice(0, 1).map(canonical) : []),
			...sources,
			...options.descriptors.map(({digest}) => `${canonicalName(home)}@${digest}`),
		];
		for (const text of texts) documents.push({document: await this.read(text), from: nameOf(text)});
		const members: Member[] = [];
		for (const {document, from} of documents) {
			const isList = isIndex(parseManifest(document.bytes, document.mediaType, {anyContent: true}));
			const found = isList ? membersOf(document.bytes) : [await this.#describe(document, from)];
			for (const descriptor of found) {
				if (members.some((each) => each.descriptor.digest === descriptor.digest)) continue;
				const wanted = options.platforms.length === 0 || options.platforms.includes(platformText(descriptor));
				if (wanted) members.push({descriptor, from});
			}
		}
		if (members.length === 0)
			throw new WherryError('not-found', 'no manifests of the platforms that were asked for');
		const only = documents[0]!;
		const isPlain =
			documents.length === 1 &&
			options.platforms.length === 0 &&
			Object.keys(options.annotations).length === 0;
		const isCopy = isPlain && (!options.preferIndex || membersIfAny(only.document) !== undefined);
		const made = isCopy ? only.document : encode(members, options.annotations);
		if (options.dryRun) return made;
		for (const tag of tags) {
			options.onProgress?.(`pushing ${made.digest} to ${canonical(tag)}`);
			await connected(this.#options, tag, {push: true}, async (repository, transport) => {
				const upload = new Upload(transport, repository);
				for (const member of members) await this.#take(upload, member, tag);
				await upload.manifest(tag.tag ?? made.digest, made.mediaType, made.bytes);
			});
		}
		return made;
	}

	/** A manifest alone, with the platform that its configuration says. */
	async #describe(document: RegistryDocument, from: Reference): Promise<Descriptor> {
		const manifest = parseManifest(document.bytes, document.mediaType, {anyContent: true}) as Manifest;
		const said = await connected(this.#options, from, {}, (repository) =>
			configuration(repository, manifest),
		);
		const {mediaType, digest, bytes} = document;
		const platform = platformOf(said) as Platform;
		return {mediaType, digest, size: bytes.length, ...(platform.architecture ? {platform} : {})};
	}

	/** Brings a manifest and its blobs to where the list will be. */
	async #take(upload: Upload, {descriptor, from}: Member, to: Reference): Promise<void> {
		const isHere = from.domain === to.domain && from.path === to.path;
		if (isHere) return;
		const {paths, locks} = this.#options;
		await connected(this.#options, from, {}, async (repository) => {
			const {bytes, manifest} = await repository.manifest(descriptor.digest, undefined, {anyContent: true});
			if (isIndex(manifest))
				throw new WherryError('unsupported', `index ${descriptor.digest} is named by another index`);
			for (const {digest, size} of [manifest.config, ...manifest.layers]) {
				if (await upload.has(digest)) continue;
				if (from.domain === to.domain && (await upload.mount(digest, from.path))) continue;
				const lease = await acquireLease(paths, locks, []);
				const file = lease.staging('blob');
				try {
					await pipeline(repository.stream({digest, size}), createWriteStream(file, {mode: 0o600}));
					await upload.send(file, {digest, size});
				} finally {
					await rm(file, {force: true});
					lease.release();
				}
			}
			await upload.manifest(descriptor.digest, descriptor.mediaType, bytes);
		});
	}
}

function membersIfAny({bytes, mediaType}: RegistryDocument): Descriptor[] | undefined {
	return isIndex(parseManifest(bytes, mediaType, {anyContent: true})) ? membersOf(bytes) : undefined;
}

/** docker's list when all in it is docker's, else OCI's index; two spaces, as buildx writes it. Pure. */
function encode(members: readonly Member[], annotations: Readonly<Record<string, string>>): RegistryDocument {
	const isDocker =
		Object.keys(annotations).length === 0 &&
		members.every(({descriptor}) => isDockerType(descriptor.mediaType));
	const mediaType = isDocker ? mediaTypes.dockerList : mediaTypes.ociIndex;
	const ofIndex: Record<string, string> = {};
	const ofManifests: {platform: string; key: string; value: string}[] = [];
	for (const [name, value] of Object.entries(annotations)) {
		const [, kind = '', platform = '', key = ''] = /^(?:([a-z-]+)(?:\[([^\]]*)\])?:)?(.*)$/.exec(name) ?? [];
		if (kind === 'index') ofIndex[key] = value;
		else if (kind === 'manifest-descriptor') ofManifests.push({platform, key, value});
		else throw new WherryError('unsupported', `"${kind || 'manifest'}" annotations are not supported yet`);
	}
	const manifests = members.map(({descriptor}) => {
		const own = ofManifests.filter(({platform}) => platform === '' || platform === platformText(descriptor));
		if (own.length === 0) return descriptor;
		const added = Object.fromEntries(own.map(({key, value}) => [key, value]));
		return {...descriptor, annotations: {...descriptor.annotations, ...added}};
	});
	const document = {
		schemaVersion: 2,
		mediaType,
		manifests,
		...(Object.keys(ofIndex).length > 0 ? {annotations: ofIndex} : {}),
	};
	const bytes = Buffer.from(goEscapes(JSON.stringify(document, undefined, 2)));
	return {name: '', mediaType, digest: sha256(bytes), bytes};
}
