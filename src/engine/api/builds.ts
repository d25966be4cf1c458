/** Builds, their records, and what they keep. */
import type {Readable, Writable} from 'node:stream';
import type {HostConfig, Platform} from './config.ts';

/** What a build is doing. Steps are numbered from 1, as they begin. */
export type BuildEvent =
	| {kind: 'start'; id: number; name: string}
	| {kind: 'log'; id: number; stream: 'stdout' | 'stderr'; text: string}
	| {kind: 'note'; id: number; text: string}
	| {kind: 'cached' | 'done'; id: number}
	| {kind: 'error'; id: number; message: string}
	/** Something about the Dockerfile; `excerpt` shows the lines. */
	| ({kind: 'warning'; excerpt: string} & BuildWarning);

/** What is doubtful in a Dockerfile, by the name of BuildKit's rule. */
export interface BuildWarning {
	rule: string;
	message: string;
	/** Where the rule is explained. */
	url: string;
	/** From 1. */
	line: number;
	endLine: number;
}

/** A step of a build as its record says. Times in milliseconds since the epoch. */
export interface BuildRecordStep {
	/** As in the events; below zero for a remark on the Dockerfile. */
	id: number;
	name: string;
	state: 'running' | 'done' | 'cached' | 'failed';
	started: number;
	ended?: number;
	/** The last one. */
	note?: string;
	/** The last ones that it wrote, not sanitised, and how many came before them. */
	lines: readonly string[];
	dropped: number;
}

/** A build of any process of this host. All texts are what the builder and the build wrote. */
export interface BuildRecord {
	/** 25 letters and digits. */
	id: string;
	/** As they were given. */
	tags: readonly string[];
	/** A folder, an address, or `-` for an archive. */
	context: string;
	dockerfile?: string;
	target?: string;
	/** `broken`: its process has ended without a word; then `ended` is when it last wrote. */
	state: 'running' | 'done' | 'failed' | 'cancelled' | 'broken';
	/** Milliseconds since the epoch. */
	started: number;
	ended?: number;
	steps: readonly BuildRecordStep[];
	error?: string;
	/** Its id. */
	image?: string;
	/** The process that builds, or has built. */
	pid: number;
	/** SIGINT makes that process give the build up. */
	interruptible: boolean;
}

/** Builds of all processes: those that run, and the last fifty that have ended. The newest come first. */
export interface Builds {
	list(): Promise<BuildRecord[]>;
	/** The list as it is, and again whenever it is another one, a few times a second at most. Ends with the signal. */
	follow(options?: {signal?: AbortSignal}): AsyncIterable<BuildRecord[]>;
	/**
	 * Asks the process of a build to give it up, after a look whether it is still that process. Throws `not-found`,
	 * `conflict` when it isn't running, `unsupported` for one that is not interruptible.
	 */
	cancel(id: string): Promise<void>;
	/** Forgets one that has ended. Throws `not-found`, and `conflict` for one that runs. */
	remove(id: string): Promise<void>;
}

/** A place for the cache of builds. `inline`: the built image has it in itself. */
export type BuildCacheTarget = ({folder: string} | {reference: string} | {inline: true}) & {
	/** What goes out: the steps of the image's own layers, or all (default). */
	readonly mode?: 'min' | 'max';
	/** A cache that can't be written is no reason to fail. */
	readonly ignoreError?: boolean;
};

/** How much of the cache of builds a prune leaves, the last used first, in bytes; nothing said: nothing. */
export interface CacheRoom {
	/** At least so much, also where the others would leave less. */
	reserved?: number;
	/** At most so much. */
	maxUsed?: number;
	/** So much of the disk is to be free. */
	minFree?: number;
}

export interface BuildCacheRecord {
	Id: string;
	Description: string;
	/** Bytes of the layer. */
	Size: number;
	/** An image has the layer, too. */
	Shared: boolean;
	/** RFC 3339. */
	CreatedAt: string;
	/** Milliseconds since the epoch. */
	LastUsedAt: number;
}

export type BuildOutput =
	/** With the names of `tags`. */
	| 'image'
	/** The files of the target. */
	| {folder: string}
	| {archive: Writable}
	| {image: Writable; format: 'oci' | 'docker'}
	/** The same image, unpacked into a folder. */
	| {layout: string; format: 'oci' | 'docker'};

export interface BuildOptions {
	/** A folder, an archive of one, or the address of a git repository, an archive or a Dockerfile. */
	context: {folder: string} | {archive: Readable} | {empty: true} | {remote: string};
	/** The Dockerfile's text; absent: the file `dockerfile` of the context. */
	text?: string;
	/** A path: absolute, or in the context's folder. Default `Dockerfile`. */
	dockerfile?: string;
	tags?: readonly string[];
	args?: Readonly<Record<string, string>>;
	labels?: Readonly<Record<string, string>>;
	target?: string;
	noCache?: boolean;
	/** What others have built, which is looked at before the build. */
	cacheFrom?: readonly BuildCacheTarget[];
	/** Where this build's steps go. */
	cacheTo?: readonly BuildCacheTarget[];
	/** Says what is doubtful in the Dockerfile and builds nothing. */
	check?: boolean;
	/** What RUN may ask for: `network.host` and `security.insecure` only if they are here. */
	allow?: readonly string[];
	/** Stages whose steps are all made anew. */
	noCacheFilter?: readonly string[];
	/** Base images are asked for again. */
	pull?: boolean;
	platform?: Platform;
	/** Several: the image is an index. What a RUN of another one than this host's needs is an interpreter. */
	platforms?: readonly Platform[];
	secrets?: Readonly<Record<string, Buffer>>;
	/** More contexts by name: a folder, or an image. */
	contexts?: Readonly<Record<string, {folder: string} | {image: string} | {remote: string}>>;
	/** Sockets of key agents by id, or files of private keys, for `RUN --mount=type=ssh` and git repositories. */
	ssh?: Readonly<Record<string, string | {readonly keys: readonly string[]}>>;
	/** Of the image's manifest. */
	annotations?: Readonly<Record<string, string>>;
	/** Of the containers of RUN: network mode, limits, added hosts, ... */
	hostConfig?: Partial<HostConfig>;
	/** All times in the image, in milliseconds since the epoch. */
	sourceDateEpoch?: number;
	/** An image of the engine's own when absent. With none, a build only fills the cache. */
	outputs?: readonly BuildOutput[];
	onProgress?: (event: BuildEvent) => void;
	signal?: AbortSignal;
	/** Of its record: 25 of a-z and 0-9. Made up when absent. */
	id?: string;
	/** SIGINT to this process aborts `signal`, so that others can ask for it. */
	interruptible?: boolean;
}
