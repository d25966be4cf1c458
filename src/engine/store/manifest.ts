/**
 * Manifests, indexes and image configurations: OCI image specification 1.1 and docker's image manifest
 * version 2, schema 2. What comes in is hostile: its shape is checked here, once, before anything uses it.
 */
import type {ImageConfig, Platform} from '../api.ts';
import {WherryError} from '../errors.ts';
import {isDigest} from './digest.ts';

export const mediaTypes = {
	ociManifest: 'application/vnd.oci.image.manifest.v1+json',
	ociIndex: 'application/vnd.oci.image.index.v1+json',
	ociConfig: 'application/vnd.oci.image.config.v1+json',
	ociLayer: 'application/vnd.oci.image.layer.v1.tar',
	dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
	dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
	dockerConfig: 'application/vnd.docker.container.image.v1+json',
} as const;

export const manifestTypes: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest];
export const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerList];
const configTypes: readonly string[] = [mediaTypes.ociConfig, mediaTypes.dockerConfig];
/** Whether a configuration is that of an image, and not of an attestation or something else. */
export const isImageConfig = (mediaType: string): boolean => configTypes.includes(mediaType);

const schema1Types: readonly string[] = [
	'application/vnd.docker.distribution.manifest.v1+json',
	'application/vnd.docker.distribution.manifest.v1+prettyjws',
];
/** What servers send that don't know better: then the document's own word counts. */
const vagueTypes: readonly string[] = ['', 'application/json', 'text/plain', 'application/octet-stream'];

const nondistributable = 'application/vnd.oci.image.layer.nondistributable.v1.tar';

/** docker's types of layers and what OCI calls the same bytes. */
const dockerLayerTypes: Readonly<Record<string, string>> = {
	'application/vnd.docker.image.rootfs.diff.tar': mediaTypes.ociLayer,
	'application/vnd.docker.image.rootfs.diff.tar.gzip': `${mediaTypes.ociLayer}+gzip`,
	'application/vnd.docker.image.rootfs.diff.tar.zstd': `${mediaTypes.ociLayer}+zstd`,
	'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip': `${nondistributable}+gzip`,
};
const layerTypes: readonly string[] = [
	...[mediaTypes.ociLayer, nondistributable].flatMap((type) => [type, `${type}+gzip`, `${type}+zstd`]),
	...Object.keys(dockerLayerTypes),
];

const originalAnnotation = 'wherry.original';

/** Bytes. A manifest of 500 layers has about 100 KiB; the specification asks for 4 MiB to be accepted. */
export const largestManifest = 4 << 20;
export const largestConfig = 8 << 20;
/**
 * Strings in one document. Local commands run with a hash seed that is no secret (see the build of the bundle),
 * and this many that all collide still cost them no more than a second or two. An image of 500 layers with a
 * history has some 8,000.
 */
const mostStrings = 20_000;
/** What one overlay mount can stack. */
const mostLayers = 500;
/** Platforms in one index; the largest official images have some 30 with as many attestations. */
const mostManifests = 500;

export interface Descriptor {
	readonly mediaType: string;
	readonly digest: string;
	/** Bytes. */
	readonly size: number;
	readonly annotations?: Readonly<Record<string, string>>;
	readonly platform?: Partial<Platform>;
}

export interface Manifest {
	readonly mediaType: string;
	readonly config: Descriptor;
	/** Lowest first. */
	readonly layers: readonly Descriptor[];
	/** The digest of docker's manifest that this one was made from. */
	readonly original?: string;
}

export interface Index {
	readonly mediaType: string;
	readonly manifests: readonly Descriptor[];
	/** The digest of the index that this one was made from. */
	readonly original?: string;
}

export interface HistoryEntry {
	created?: string;
	created_by?: string;
	author?: string;
	comment?: string;
	empty_layer?: boolean;
}

/** The image configuration, as far as we read it; unknown members stay in the blob. */
export interface Configuration {
	readonly architecture: string;
	readonly os: string;
	readonly variant?: string;
	readonly created?: string;
	readonly author?: string;
	readonly comment?: string;
	readonly docker_version?: string;
	readonly config: ImageConfig;
	/** Lowest first. */
	readonly diffIds: readonly string[];
	readonly history: readonly HistoryEntry[];
}

type Json = Record<string, unknown>;

const corrupt = (message: string): WherryError => new WherryError('corrupt', message);

const isObject = (value: unknown): value is Json =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** Throws for JSON from a stranger that has more strings than any good one. */
export function checkStrings(bytes: Uint8Array, what: string): void {
	let quotes = 0;
	for (let at = bytes.indexOf(0x22); at >= 0; at = bytes.indexOf(0x22, at + 1)) {
		if (++quotes > 2 * mostStrings) throw corrupt(`the ${what} has more than ${mostStrings} strings`);
	}
}

function parseObject(bytes: Uint8Array, what: string): Json {
	checkStrings(bytes, what);
	let value: unknown;
	try {
		value = JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(bytes));
	} catch (cause) {
		throw new WherryError('corrupt', `the ${what} is not valid JSON`, {cause});
	}
	if (!isObject(value)) throw corrupt(`the ${what} is not a JSON object`);
	return value;
}

const optionalString = (value: unknown): string | undefined =>
	typeof value === 'string' ? value : undefined;

const isStrings = (value: unknown): value is string[] =>
	Array.isArray(value) && value.every((item) => typeof item === 'string');

const isStringMap = (value: unknown): value is Record<string, string> =>
	isObject(value) && Object.values(value).every((item) => typeof item === 'string');

export function parseDescriptor(value: unknown, what: string): Descriptor {
	if (!isObject(value)) throw corrupt(`${what} is not a descriptor`);
	const {mediaType, digest, size, annotations, platform} = value;
	if (typeof mediaType !== 'string') throw corrupt(`${what} has no media type`);
	if (!isDigest(digest))
		throw corrupt(`${what} has an invalid digest: ${JSON.stringify(digest)?.slice(0, 200)}`);
	if (!Number.isSafeInteger(size) || (size as number) < 0) throw corrupt(`${what} has an invalid size`);
	return {
		mediaType,
		digest,
		size: size as number,
		...(isStringMap(annotations) ? {annotations} : {}),
		...(isObject(platform) ? {platform: platformOf(platform)} : {}),
	};
}

function platformOf(value: Json): Partial<Platform> {
	const [os, architecture, variant] = [value.os, value.architecture, value.variant].map(optionalString);
	return {
		...(os === undefined ? {} : {os}),
		...(architecture === undefined ? {} : {architecture}),
		...(variant === undefined ? {} : {variant}),
	};
}

/** The media type of a document that a server called `contentType`. */
function documentType(document: Json, contentType: string): string {
	const said = contentType.split(';')[0]!.trim().toLowerCase();
	const own = document.mediaType;
	if (own !== undefined && typeof own !== 'string') throw corrupt('the manifest has an invalid media type');
	if (schema1Types.includes(said) || document.schemaVersion === 1)
		throw new WherryError(
			'unsupported',
			"the image is in docker's image format v1 (manifest version 2, schema 1), which is no longer supported; it has to be pushed again as an OCI image",
		);
	if (document.schemaVersion !== 2) throw corrupt('the manifest has an unknown schema version');
	if (own && !vagueTypes.includes(said) && own !== said)
		throw corrupt(`media type in manifest should be '${said}' not '${own}'`);
	if (!vagueTypes.includes(said)) return said;
	if (own) return own;
	return 'manifests' in document ? mediaTypes.ociIndex : mediaTypes.ociManifest;
}

/**
 * A manifest or an index. One document that could be read as both is refused (CVE-2021-41190): its digest
 * would name two different images. `anyContent`: what is only kept may be something else than an image
 * (attestations, Windows).
 */
export function parseManifest(
	bytes: Uint8Array,
	contentType = '',
	options: {anyContent?: boolean} = {},
): Manifest | Index {
	if (bytes.length > largestManifest) throw corrupt('the manifest is larger than 4 MiB');
	const document = parseObject(bytes, 'manifest');
	const mediaType = documentType(document, contentType);
	if (indexTypes.includes(mediaType)) {
		if ('layers' in document || 'config' in document || 'fsLayers' in document)
			throw corrupt('index: expected index but found manifest');
		if (!Array.isArray(document.manifests)) throw corrupt('the index has no manifests');
		if (document.manifests.length > mostManifests)
			throw new WherryError(
				'unsupported',
				`the index has ${document.manifests.length} manifests; ${mostManifests} is the limit`,
			);
		return {
			mediaType,
			manifests: document.manifests.map((entry, at) => parseDescriptor(entry, `manifest ${at} of the index`)),
			...originalOf(document),
		};
	}
	if (!manifestTypes.includes(mediaType))
		throw new WherryError('unsupported', `unsupported manifest media type ${JSON.stringify(mediaType)}`);
	if ('manifests' in document || 'fsLayers' in document)
		throw corrupt('manifest: expected manifest but found index');
	if (!Array.isArray(document.layers)) throw corrupt('the manifest has no layers');
	const config = parseDescriptor(document.config, "the manifest's configuration");
	const layers = document.layers.map((entry, at) => parseDescriptor(entry, `layer ${at} of the manifest`));
	checkSizes(config, layers);
	if (!options.anyContent) checkSupported(config, layers);
	return {mediaType, config, layers, ...originalOf(document)};
}

function originalOf({annotations}: Json): {original?: string} {
	const original = isObject(annotations) ? annotations[originalAnnotation] : undefined;
	return isDigest(original) ? {original} : {};
}

/**
 * An index of manifests that were converted, with all else that it says about them. `converted`: digest to what is
 * kept in its place.
 */
export function toOciIndex(
	index: Buffer,
	original: string,
	converted: ReadonlyMap<string, {mediaType: string; digest: string; size: number}>,
): Buffer {
	const {manifests, annotations} = JSON.parse(index.toString('utf8')) as {
		manifests: {digest: string}[];
		annotations?: unknown;
	};
	return Buffer.from(
		JSON.stringify({
			schemaVersion: 2,
			mediaType: mediaTypes.ociIndex,
			manifests: manifests.map((entry) => ({...entry, ...converted.get(entry.digest)})),
			annotations: {...(isStringMap(annotations) ? annotations : {}), [originalAnnotation]: original},
		}),
	);
}

/**
 * docker's manifest as an OCI manifest of the same configuration and layers, since other tools find only
 * those in an image layout. It names the original, which is kept, so that a push can send what was pulled.
 */
export function toOciManifest({config, layers}: Manifest, original: string): Buffer {
	const plain = (mediaType: string, {digest, size}: Descriptor) => ({mediaType, digest, size});
	return Buffer.from(
		JSON.stringify({
			schemaVersion: 2,
			mediaType: mediaTypes.ociManifest,
			config: plain(mediaTypes.ociConfig, config),
			layers: layers.map((layer) => plain(dockerLayerTypes[layer.mediaType] ?? layer.mediaType, layer)),
			annotations: {[originalAnnotation]: original},
		}),
	);
}

export const isIndex = (document: Manifest | Index): document is Index => 'manifests' in document;

function checkSizes(config: Descriptor, layers: readonly Descriptor[]): void {
	if (config.size > largestConfig) throw corrupt('the image configuration is larger than 8 MiB');
	if (layers.length > mostLayers)
		throw new WherryError('unsupported', `the image has ${layers.length} layers; ${mostLayers} is the limit`);
}

function checkSupported(config: Descriptor, layers: readonly Descriptor[]): void {
	if (!configTypes.includes(config.mediaType))
		throw new WherryError(
			'unsupported',
			`it is not a container image: its configuration is ${JSON.stringify(config.mediaType)}`,
		);
	for (const layer of layers)
		if (!layerTypes.includes(layer.mediaType))
			throw new WherryError(
				'unsupported',
				`layer ${layer.digest} has the unsupported media type ${JSON.stringify(layer.mediaType)}`,
			);
}

export function parseConfiguration(bytes: Uint8Array): Configuration {
	const document = parseObject(bytes, 'image configuration');
	const {rootfs, config, history} = document;
	const diffIds = isObject(rootfs) && rootfs.type === 'layers' ? (rootfs.diff_ids ?? []) : undefined;
	if (!Array.isArray(diffIds) || !diffIds.every(isDigest))
		throw corrupt('invalid rootfs in image configuration');
	const architecture = optionalString(document.architecture) ?? '';
	const optional: Json = {};
	for (const key of ['variant', 'created', 'author', 'comment', 'docker_version'] as const) {
		const value = optionalString(document[key]);
		if (value !== undefined && value !== '') optional[key] = value;
	}
	return {
		architecture,
		os: optionalString(document.os) ?? 'linux',
		...optional,
		config: runConfig(isObject(config) ? config : {}),
		diffIds,
		history: Array.isArray(history) ? history.filter(isObject) : [],
	};
}

/** The members that have the right type; the others, which no tool writes, are left out. */
function runConfig(value: Json): ImageConfig {
	const config: ImageConfig = {};
	for (const key of ['User', 'WorkingDir', 'StopSignal'] as const)
		if (typeof value[key] === 'string') config[key] = value[key];
	for (const key of ['Env', 'Shell', 'OnBuild'] as const) if (isStrings(value[key])) config[key] = value[key];
	for (const key of ['Entrypoint', 'Cmd'] as const)
		if (isStrings(value[key]) || value[key] === null) config[key] = value[key];
	for (const key of ['ExposedPorts', 'Volumes'] as const)
		if (isObject(value[key])) config[key] = value[key] as Record<string, object>;
	if (isStringMap(value.Labels)) config.Labels = value.Labels;
	if (isObject(value.Healthcheck)) {
		const check = value.Healthcheck;
		const health: Json = {};
		if (isStrings(check.Test)) health.Test = check.Test;
		for (const key of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'])
			if (Number.isSafeInteger(check[key]) && (check[key] as number) >= 0) health[key] = check[key];
		config.Healthcheck = health;
	}
	return config;
}
