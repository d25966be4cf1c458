/** Images of the store. */
import type {Readable, Writable} from 'node:stream';
import type {HealthConfig, Platform} from './config.ts';
import type {CheckLine, Filters} from './system.ts';

export type PullEvent =
	/** docker's lines: "Pulling from library/x", "Digest: ...", "Status: ...". `id` is the tag for the first. */
	| {kind: 'status'; id?: string; message: string}
	/** A layer; `id` is docker's short id (12 hex digits of the blob's digest). */
	| {
			kind: 'layer';
			id: string;
			state:
				| 'Pulling fs layer'
				| 'Waiting'
				| 'Downloading'
				| 'Verifying Checksum'
				| 'Download complete'
				| 'Extracting'
				| 'Pull complete'
				| 'Already exists'
				| 'Retrying';
			current?: number;
			total?: number;
			/** For Retrying: seconds. */
			delay?: number;
	  };

/** What a push is doing; `id` is docker's short id of a layer, 12 hex digits of its diff id. */
export type PushEvent =
	| {kind: 'status'; message: string}
	| {
			kind: 'layer';
			id: string;
			state:
				| 'Preparing'
				| 'Waiting'
				| 'Pushing'
				| 'Pushed'
				| 'Layer already exists'
				| `Mounted from ${string}`;
			/** Bytes. */
			current?: number;
			total?: number;
	  };

/** Layers of a loaded archive that are unpacked. */
export type LoadEvent = PullEvent;

export interface ImageSummary {
	/** `sha256:...` of the config. */
	Id: string;
	RepoTags: string[];
	RepoDigests: string[];
	/** Seconds since the epoch. */
	Created: number;
	/** Bytes of the unpacked layers. */
	Size: number;
	Labels: Record<string, string> | null;
	/** Containers that use it; -1 where they weren't counted. */
	Containers: number;
	/** With `platforms`. */
	Platforms?: PlatformSummary[];
}

/** An image for one platform. */
export interface PlatformSummary {
	/** `sha256:...` of the config; empty when it is not here. */
	Id: string;
	/** `linux/arm64/v8` */
	Platform: string;
	/** It is here; otherwise the index only names it. */
	Available: boolean;
	/** Bytes of the unpacked layers. */
	Size: number;
	/** Bytes of the blobs. */
	ContentSize: number;
	/** A container uses it. */
	InUse: boolean;
}

/** One step of an image's making, as docker's API tells it. */
export interface HistoryItem {
	/** The image's id for the newest step, `<missing>` for the others. */
	Id: string;
	/** Seconds since the epoch. */
	Created: number;
	CreatedBy: string;
	Tags: string[] | null;
	/** Bytes that its layer adds; 0 without one. */
	Size: number;
	Comment: string;
}

export interface ImageFile {
	/** From the root: `/etc/hosts`; of a folder with a slash at its end. */
	path: string;
	/** Bytes; of a folder those of all that is in it. */
	size: number;
}

/** What a layer does to a file of those below it. Folders are told of only when a layer removes them. */
export interface ImageFileChange extends ImageFile {
	change: 'added' | 'changed' | 'removed';
}

export interface ImageLayer {
	diffId: string;
	/** The step that made it; empty when the image doesn't say. */
	command: string;
	/** Seconds since the epoch; 0 when the image doesn't say. */
	created: number;
	/** Bytes of the files that it brings. */
	size: number;
	/** Numbers of files. */
	added: number;
	changed: number;
	removed: number;
	files: ImageFileChange[];
}

export interface ImageLayers {
	id: string;
	/** Lowest first. */
	layers: ImageLayer[];
	/** Bytes of all layers. */
	size: number;
	/** Bytes of files that a later layer replaced or removed: they are in the image and nobody sees them. */
	wasted: number;
	/** The files that these are of, the largest first, 200 at most. `count`: copies that nobody sees. */
	waste: (ImageFile & {count: number})[];
	/** The largest files that are seen, 200 at most. `layer`: the place in `layers` of the one that has it. */
	biggest: (ImageFile & {layer: number})[];
}

export interface ImageConfig {
	User?: string;
	ExposedPorts?: Record<string, object>;
	Env?: string[];
	Entrypoint?: string[] | null;
	Cmd?: string[] | null;
	Volumes?: Record<string, object> | null;
	WorkingDir?: string;
	Labels?: Record<string, string>;
	StopSignal?: string;
	OnBuild?: string[];
	Shell?: string[];
	Healthcheck?: HealthConfig;
	/** Of Windows; BuildKit sets it with every CMD. */
	ArgsEscaped?: boolean;
}

/** What a container needs of an image. */
export interface ResolvedImage {
	id: string;
	config: ImageConfig;
	os: string;
	architecture: string;
	/** Keys of the layers (Paths.layer), lowest first. */
	layers: string[];
	/** A familiar name for errors and events: `busybox`, or the id when it has none. */
	name: string;
}

export type ImageInspect = Record<string, unknown> & {
	Id: string;
	RepoTags: string[];
	RepoDigests: string[];
	Config: ImageConfig;
	Size: number;
};

export interface PullOptions {
	platform?: Platform | 'all';
	onProgress?: (event: PullEvent) => void;
	signal?: AbortSignal;
}

export interface PulledImage {
	id: string;
	/** Of the manifest, or of the index when the name is one's. */
	digest: string;
	reference: string;
	/** The name's image is another one than before. */
	changed: boolean;
}

export interface Images {
	/**
	 * Resolves to the pulled image's id. `wherry/base` is made here and never fetched. With the platform `all` an
	 * index is kept whole, with the images of all its platforms.
	 */
	pull(reference: string, options?: PullOptions): Promise<PulledImage>;
	/** All tags of a repository. One that fails doesn't keep the others; the first failure is thrown at the end. */
	pullAll(repository: string, options?: PullOptions): Promise<PulledImage[]>;
	/**
	 * Sends the image of a tag, or those of all tags of a repository, and resolves to what the registry has. An index
	 * goes as a whole, or of it the image for one platform. What a push before didn't finish goes on where the registry
	 * allows it.
	 */
	push(
		reference: string,
		options?: {
			allTags?: boolean;
			platform?: Platform | 'all';
			onProgress?: (event: PushEvent) => void;
			signal?: AbortSignal;
		},
	): Promise<{tag: string; digest: string; size: number}[]>;
	/**
	 * Writes an OCI image layout with docker's `manifest.json` as one archive; does not end the stream. An index
	 * goes as a whole, or of it the image for one platform.
	 */
	save(
		images: readonly string[],
		output: Writable,
		options?: {platform?: Platform; signal?: AbortSignal},
	): Promise<void>;
	/** Reads such an archive, docker's or OCI's, plain or compressed by gzip or zstd. `all`: indexes are kept whole. */
	load(
		input: Readable,
		options?: {platform?: Platform | 'all'; onProgress?: (event: LoadEvent) => void; signal?: AbortSignal},
	): Promise<{id: string; names: string[]}[]>;
	/** Makes an image of one layer from an archive of files; `changes` are Dockerfile instructions. Resolves to its id. */
	import(
		input: Readable,
		options?: {
			reference?: string;
			changes?: readonly string[];
			message?: string;
			platform?: Platform;
			signal?: AbortSignal;
		},
	): Promise<{id: string}>;
	/**
	 * Reads every entry of every layer; they are unpacked here when they are not yet. Rejects with the signal's reason
	 * when it is aborted.
	 */
	layers(image: string, options?: {platform?: Platform; signal?: AbortSignal}): Promise<ImageLayers>;
	/** The steps of which an image is made, newest first. */
	history(image: string, options?: {platform?: Platform}): Promise<HistoryItem[]>;
	/** Without `containers` these aren't looked at, and their number is -1. */
	list(options?: {
		all?: boolean;
		filters?: Filters;
		platforms?: boolean;
		containers?: boolean;
	}): Promise<ImageSummary[]>;
	inspect(image: string, options?: {platform?: Platform}): Promise<ImageInspect>;
	/** The ids of the images that these names or ids mean; undefined for one that isn't there. */
	ids(images: readonly string[]): Promise<(string | undefined)[]>;
	/** The ids of an image and of those that were made from it; none when it isn't there. */
	descendants(image: string): Promise<string[]>;
	/** Layers are unpacked here when they are not yet. Throws not-found: `No such image: x:latest`. */
	resolve(image: string, options?: {platform?: Platform}): Promise<ResolvedImage>;
	tag(image: string, reference: string): Promise<void>;
	/** docker's lines, in its order. */
	remove(
		image: string,
		options?: {force?: boolean; prune?: boolean},
	): Promise<({Untagged: string} | {Deleted: string})[]>;
	/**
	 * What `remove` would do with these, one after the other, and the bytes that it would free; `failures` are the
	 * errors of those that would stay. Changes nothing.
	 */
	previewRemoval(
		images: readonly string[],
		options?: {force?: boolean},
	): Promise<{
		ImagesDeleted: ({Untagged: string} | {Deleted: string})[];
		SpaceReclaimed: number;
		failures: Error[];
	}>;
	/**
	 * Removes images that have no tag, with the filter `dangling=false` all that no container uses. Filters:
	 * dangling, label, label!, until. `preview`: says what would go and frees nothing.
	 */
	prune(options?: {filters?: Filters; preview?: boolean}): Promise<{
		ImagesDeleted: ({Untagged: string} | {Deleted: string})[];
		SpaceReclaimed: number;
	}>;
	/** Reads every blob, record and name of the store and says what is wrong and what helps. Changes nothing. */
	verify(): Promise<CheckLine[]>;
	/** Makes `wherry/base:latest` from the host's own files when it is absent. */
	ensureBase(): Promise<string>;
}
