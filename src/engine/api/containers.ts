/** Containers: what is shown of them, and what can be done with them. */
import type {Readable, Writable} from 'node:stream';
import type {
	ContainerConfig,
	ContainerUpdate,
	CreateOptions,
	HealthState,
	HostConfig,
	PublishChange,
} from './config.ts';
import type {ContainerStats, StatsOptions} from './stats.ts';
import type {Filters} from './system.ts';

/** The streams of a container or of an exec. */
export interface Session {
	/** Ends the container's stdin when it is ended. */
	readonly stdin: Writable;
	readonly stdout: Readable;
	/** Ends at once when there is a terminal. */
	readonly stderr: Readable;
	/** The exec's id, 64 hex digits; undefined for an attach. */
	readonly execId?: string;
	/**
	 * Output to a function instead of the two streams, which then aren't made. No backpressure but the function's
	 * own: it has dealt with a chunk when it returns.
	 */
	writeTo(write: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void): void;
	resize(rows: number, columns: number): void;
	/** Resolves when the process has ended and both outputs have been delivered. Rejects when the monitor is gone. */
	readonly exit: Promise<ExitStatus>;
	/** Leaves; the process goes on. */
	detach(): void;
}

export interface ExitStatus {
	/** 128+N when signal N ended it. */
	code: number;
	oomKilled: boolean;
	/** The restart policy starts it again. */
	restarting: boolean;
}

export interface StreamOptions {
	stdin?: boolean;
	stdout?: boolean;
	stderr?: boolean;
	rows?: number;
	columns?: number;
}

export interface ExecOptions extends StreamOptions {
	argv: string[];
	tty?: boolean;
	user?: string;
	workingDir?: string;
	env?: string[];
	privileged?: boolean;
	detach?: boolean;
}

export type ContainerStatus =
	| 'created'
	| 'running'
	| 'paused'
	| 'restarting'
	| 'removing'
	| 'exited'
	| 'dead';

export interface PortSummary {
	IP?: string;
	PrivatePort: number;
	PublicPort?: number;
	Type: 'tcp' | 'udp' | 'sctp';
}

/** A row of `ps`, as docker's API lists it. */
export interface ContainerSummary {
	Id: string;
	/** With a leading slash, docker's way. */
	Names: string[];
	Image: string;
	ImageID: string;
	Command: string;
	/** Seconds since the epoch. */
	Created: number;
	Ports: PortSummary[];
	Labels: Record<string, string>;
	State: ContainerStatus;
	/** `Up 2 minutes`, `Exited (0) 3 hours ago`, ... */
	Status: string;
	HostConfig: {NetworkMode: string};
	/** By network: NetworkID, EndpointID, Gateway, IPAddress, ... */
	NetworkSettings: {Networks: Record<string, object>};
	Mounts: MountPoint[];
	/** When the last run began and ended, seconds since the epoch, so that a face can count on from it. */
	StartedAt?: number;
	FinishedAt?: number;
	SizeRw?: number;
	SizeRootFs?: number;
}

export interface MountPoint {
	Type: 'bind' | 'volume' | 'tmpfs' | 'image';
	Name?: string;
	Source: string;
	Destination: string;
	Driver?: string;
	Mode: string;
	RW: boolean;
	Propagation: string;
}

/** docker's `inspect` of a container; see containers/inspect.ts. */
export type ContainerInspect = Record<string, unknown> & {
	Id: string;
	Name: string;
	Image: string;
	State: {
		Status: ContainerStatus;
		Running: boolean;
		Paused: boolean;
		Restarting: boolean;
		OOMKilled: boolean;
		Dead: boolean;
		Pid: number;
		ExitCode: number;
		Error: string;
		StartedAt: string;
		FinishedAt: string;
		/** Absent when nobody checks it, or it has never run. */
		Health?: HealthState;
	};
	Config: ContainerConfig;
	HostConfig: HostConfig;
	Mounts: MountPoint[];
};

export interface LogOptions {
	follow?: boolean;
	/** Number of last lines; undefined is all. */
	tail?: number;
	/** Nanoseconds since the epoch. */
	since?: bigint;
	until?: bigint;
	stdout?: boolean;
	stderr?: boolean;
	signal?: AbortSignal;
}

export interface LogEntry {
	stream: 'stdout' | 'stderr';
	/** RFC 3339 with nanoseconds. */
	time: string;
	/**
	 * With its newline, unless it is a part of a longer line. Of the driver `local`: a byte that is no part of UTF-8
	 * is the lone surrogate U+DC00 + byte.
	 */
	line: string;
	/** Labels, variables and tag that --log-opt has asked for. */
	attrs?: Record<string, string>;
}

/** What `top` shows; each row has as many fields as there are titles. */
export interface ContainerProcesses {
	Titles: string[];
	Processes: string[][];
}

/** What a container has written to one of its outputs, some lines at a time. */
export interface LogText {
	stream: 'stdout' | 'stderr';
	/** Valid until the next are asked for. */
	data: Uint8Array;
}

/** What is at a path of a container. */
export interface PathStat {
	/** Its last name; `.` of the content of a folder, `/` of the root. */
	name: string;
	/** st_mode. */
	mode: number;
	/** Bytes. */
	size: number;
	/** Nanoseconds since the epoch. */
	mtime: bigint;
	/** Of a link: where it leads in the container, all links on the way replaced. */
	linkTarget?: string;
}

export interface CopyOptions {
	/** A link in the last place of the source is followed. */
	followLink?: boolean;
	/** Into a container: files get the user that it runs as as owner, where it has one. */
	archive?: boolean;
}

export interface CopyResult {
	/** Bytes of the archive that was made of the files; 0 when they came as one. */
	size: number;
	/** Where they went, links replaced in a container and absolute on the host. */
	path: string;
}

/** docker's: 0 changed, 1 added, 2 deleted. */
export interface FileChange {
	Kind: 0 | 1 | 2;
	Path: string;
}

export interface CommitOptions {
	/** `repository[:tag]`; without one the image has no name. */
	reference?: string;
	author?: string;
	comment?: string;
	/** Dockerfile instructions: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR. */
	changes?: readonly string[];
	/** Whether a container that runs stands still meanwhile. Default true. */
	pause?: boolean;
}

export interface Containers {
	create(options: CreateOptions): Promise<{id: string; warnings: string[]}>;
	/**
	 * Starts; resolves once the command runs. With `attach` the session has all output from the first byte.
	 * Throws code `command` with exitCode 126 or 127 when the command can't be run.
	 */
	start(container: string, options?: {attach?: StreamOptions}): Promise<Session | undefined>;
	attach(container: string, options: StreamOptions): Promise<Session>;
	exec(container: string, options: ExecOptions): Promise<Session>;
	/** Seconds; undefined is the container's own time-out. A container that is not running is fine. */
	stop(container: string, options?: {signal?: string; timeout?: number}): Promise<void>;
	restart(container: string, options?: {signal?: string; timeout?: number}): Promise<void>;
	kill(container: string, signal?: string): Promise<void>;
	pause(container: string): Promise<void>;
	unpause(container: string): Promise<void>;
	remove(container: string, options?: {force?: boolean; volumes?: boolean; link?: boolean}): Promise<void>;
	rename(container: string, name: string): Promise<void>;
	resize(container: string, rows: number, columns: number): Promise<void>;
	/** Resolves at the end of the current run with its exit code. */
	wait(container: string): Promise<ExitStatus>;
	list(options?: {
		all?: boolean;
		limit?: number;
		size?: boolean;
		filters?: Filters;
	}): Promise<ContainerSummary[]>;
	inspect(container: string, options?: {size?: boolean}): Promise<ContainerInspect>;
	/** Batches of entries, oldest first; with `follow` it goes on until the container has ended. */
	logs(container: string, options?: LogOptions): AsyncIterable<LogEntry[]>;
	/** The same as text, much faster: what the container wrote, with the time before each line when asked. */
	logText(container: string, options?: LogOptions & {timestamps?: boolean}): AsyncIterable<LogText[]>;
	/** Its processes as ps(1) shows them with these options, `-ef` without any; `quiet` makes no event of it. */
	top(container: string, options?: readonly string[], how?: {quiet?: boolean}): Promise<ContainerProcesses>;
	/**
	 * Batches of samples: of the named containers, those that have been removed left out, or of all that run,
	 * newest first, as they come and go.
	 */
	stats(containers?: readonly string[], options?: StatsOptions): AsyncIterable<ContainerStats[]>;
	/** What is at a path, resolved in the container; a link in the last place is not followed. */
	statPath(container: string, path: string): Promise<PathStat>;
	/**
	 * Copies into a container, running or not, by the rules of `docker cp`: from a path of the host, or what a tar
	 * archive has, plain or compressed with gzip or zstd, from a stream or a descriptor.
	 */
	copyTo(
		container: string,
		from: string | {fd: number} | AsyncIterable<Uint8Array>,
		path: string,
		options?: CopyOptions,
	): Promise<CopyResult>;
	/** Copies out of a container, running or not, by the rules of `docker cp`: to a path of the host, or as a tar archive to a descriptor. */
	copyFrom(
		container: string,
		path: string,
		to: string | {fd: number},
		options?: CopyOptions,
	): Promise<CopyResult & {stat: PathStat}>;
	/** What is at a path as a tar archive. Until it has ended or is destroyed the container can't be started or removed. */
	archive(container: string, path: string): Promise<{stat: PathStat; stream: Readable}>;
	/** What the container has changed of its image's files, sorted by path. */
	changes(container: string): Promise<FileChange[]>;
	/** The root file system without what is mounted in it, as a tar archive; with `to` it is written there. */
	export(container: string): Promise<Readable>;
	export(container: string, to: {fd: number}): Promise<undefined>;
	/** Makes an image of what the container has changed; resolves to its id. */
	commit(container: string, options?: CommitOptions): Promise<{id: string}>;
	/** The full id for a name, an id or an unambiguous prefix. */
	resolve(container: string): Promise<string>;
	/** Changes limits and the restart policy, also while it runs: all of it, or on an error nothing. */
	update(container: string, change: ContainerUpdate): Promise<{warnings: string[]}>;
	/** Removes those that don't run. Filters: label, label!, until. */
	prune(options?: {filters?: Filters}): Promise<{ContainersDeleted: string[]; SpaceReclaimed: number}>;
	/** Publishes ports of a container, also while it runs, and takes published ones back (keys as `80/tcp`). */
	updatePublished(container: string, change: PublishChange): Promise<{warnings: string[]}>;
	/** The start plan that would be run, as text. */
	plan(options: CreateOptions): Promise<string>;
}
