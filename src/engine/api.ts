/**
 * The public face of the engine, for the command line, the terminal UI and other programs. Names of fields
 * in `ContainerConfig` and `HostConfig` are those of docker's API, as `inspect` shows them.
 */
import type {Readable, Writable} from 'node:stream';
import type {NetworkRecord} from './networks/record.ts';
import type {Paths} from './paths.ts';

export type {IpamConfig, NetworkRecord} from './networks/record.ts';

export interface HealthConfig {
	Test?: string[];
	/** Nanoseconds, as all durations here. */
	Interval?: number;
	Timeout?: number;
	StartPeriod?: number;
	StartInterval?: number;
	Retries?: number;
}

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

/** What health checks of a container have come to. */
export interface HealthState {
	Status: HealthStatus;
	/** Failures since the last success, as far as they count. */
	FailingStreak: number;
	/** The last five, oldest first; ExitCode -1 is a check that could not be run or took too long. */
	Log: {Start: string; End: string; ExitCode: number; Output: string}[];
}

export interface ContainerConfig {
	Hostname: string;
	Domainname: string;
	/** As given: `name`, `uid`, `name:group`, ...; empty is root. */
	User: string;
	AttachStdin: boolean;
	AttachStdout: boolean;
	AttachStderr: boolean;
	ExposedPorts?: Record<string, object>;
	Tty: boolean;
	OpenStdin: boolean;
	StdinOnce: boolean;
	Env: string[];
	Cmd: string[] | null;
	Healthcheck?: HealthConfig;
	/** podman's `--health-on-failure`: none, kill, restart or stop; absent is none. */
	HealthcheckOnFailureAction?: string;
	/** As the user wrote it. */
	Image: string;
	Volumes: Record<string, object> | null;
	WorkingDir: string;
	Entrypoint: string[] | null;
	Labels: Record<string, string>;
	StopSignal?: string;
	/** Seconds. */
	StopTimeout?: number;
	Shell?: string[];
}

export interface MountSpec {
	Type: 'bind' | 'volume' | 'tmpfs' | 'image';
	Source?: string;
	Target: string;
	ReadOnly?: boolean;
	Consistency?: string;
	BindOptions?: {
		Propagation?: string;
		NonRecursive?: boolean;
		CreateMountpoint?: boolean;
		ReadOnlyNonRecursive?: boolean;
		ReadOnlyForceRecursive?: boolean;
	};
	VolumeOptions?: {
		NoCopy?: boolean;
		Labels?: Record<string, string>;
		Subpath?: string;
		DriverConfig?: {Name?: string; Options?: Record<string, string>};
	};
	ImageOptions?: {Subpath?: string};
	TmpfsOptions?: {SizeBytes?: number; Mode?: number; Options?: string[][]};
}

export interface DeviceMapping {
	PathOnHost: string;
	PathInContainer: string;
	CgroupPermissions: string;
}

export interface DeviceRequest {
	/** `cdi`, or empty. */
	Driver: string;
	/** -1 is all. */
	Count: number;
	DeviceIDs: string[] | null;
	/** One of these lists must be met. */
	Capabilities: string[][] | null;
	Options: Record<string, string> | null;
}

export interface HostConfig {
	/** `source:target[:options]`; a source without a slash is a volume's name. */
	Binds: string[] | null;
	Mounts?: MountSpec[];
	ContainerIDFile: string;
	LogConfig: {Type: string; Config: Record<string, string>};
	NetworkMode: string;
	PortBindings: Record<string, {HostIp: string; HostPort: string}[]>;
	RestartPolicy: {Name: 'no' | 'always' | 'unless-stopped' | 'on-failure' | ''; MaximumRetryCount: number};
	AutoRemove: boolean;
	/** Of volumes that `Binds` and the image name; empty is `local`. */
	VolumeDriver?: string;
	VolumesFrom: string[] | null;
	CapAdd: string[] | null;
	CapDrop: string[] | null;
	CgroupnsMode: 'private' | 'host' | '';
	Dns: string[];
	DnsOptions: string[];
	DnsSearch: string[];
	ExtraHosts: string[] | null;
	/** `container:alias` of the default bridge. */
	Links?: string[] | null;
	GroupAdd: string[] | null;
	IpcMode: string;
	OomScoreAdj: number;
	PidMode: string;
	Privileged: boolean;
	PublishAllPorts: boolean;
	ReadonlyRootfs: boolean;
	SecurityOpt: string[] | null;
	/** `size`. */
	StorageOpt?: Record<string, string>;
	Tmpfs?: Record<string, string>;
	UTSMode: string;
	UsernsMode: string;
	/** Bytes. */
	ShmSize: number;
	Sysctls?: Record<string, string>;
	Runtime: string;
	Isolation: string;
	CpuShares: number;
	/** Bytes. */
	Memory: number;
	NanoCpus: number;
	CgroupParent: string;
	BlkioWeight: number;
	BlkioWeightDevice?: {Path: string; Weight: number}[] | null;
	/** Bytes or operations each second. */
	BlkioDeviceReadBps?: {Path: string; Rate: number}[] | null;
	BlkioDeviceWriteBps?: {Path: string; Rate: number}[] | null;
	BlkioDeviceReadIOps?: {Path: string; Rate: number}[] | null;
	BlkioDeviceWriteIOps?: {Path: string; Rate: number}[] | null;
	/** Microseconds, as the next three. */
	CpuPeriod: number;
	CpuQuota: number;
	CpuRealtimePeriod?: number;
	CpuRealtimeRuntime?: number;
	CpusetCpus: string;
	CpusetMems: string;
	Devices: DeviceMapping[] | null;
	DeviceCgroupRules: string[] | null;
	/** Of CDI, and what --gpus asks for. */
	DeviceRequests?: DeviceRequest[] | null;
	MemoryReservation: number;
	/** Memory and swap together; -1 unlimited swap; 0 unset. */
	MemorySwap: number;
	MemorySwappiness: number | null;
	OomKillDisable: boolean | null;
	Init: boolean | null;
	PidsLimit: number | null;
	Ulimits: {Name: string; Soft: number; Hard: number}[] | null;
	MaskedPaths: string[] | null;
	ReadonlyPaths: string[] | null;
	Annotations?: Record<string, string>;
}

/** What a container asks of a network; docker's EndpointSettings. */
export interface EndpointSettings {
	IPAMConfig?: {IPv4Address?: string; IPv6Address?: string; LinkLocalIPs?: string[]};
	/** `container:alias`: names for this container only. */
	Links?: string[];
	/** Names on the network besides the container's own. */
	Aliases?: string[];
	MacAddress?: string;
	/** The network with the highest one gives the default route. */
	GwPriority?: number;
	DriverOpts?: Record<string, string>;
}

export interface Platform {
	os: string;
	architecture: string;
	variant?: string;
}

export interface CreateOptions {
	/** Without the leading slash; a random name when absent. */
	name?: string;
	/** A reference or (a prefix of) an id of an image that is in the store. */
	image: string;
	/** What the user set; the rest comes from the image and the defaults. */
	config?: Partial<ContainerConfig>;
	hostConfig?: Partial<HostConfig>;
	/** By network; the one of `hostConfig.NetworkMode` and any others. */
	networks?: Record<string, EndpointSettings>;
	platform?: Platform;
	/** Made by `run`, which starts it at once: one with AutoRemove goes when its maker dies before the start. */
	transient?: boolean;
}

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

/** Filters as docker's: key to accepted values. */
export type Filters = Record<string, string[]>;

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

/** Of one interface of a container. */
export interface NetworkStats {
	rx_bytes: number;
	rx_packets: number;
	rx_errors: number;
	rx_dropped: number;
	tx_bytes: number;
	tx_packets: number;
	tx_errors: number;
	tx_dropped: number;
}

/** Nanoseconds. */
export interface CpuStats {
	cpu_usage: {total_usage: number; usage_in_kernelmode: number; usage_in_usermode: number};
	/** Of all CPUs together since the boot. */
	system_cpu_usage?: number;
	online_cpus?: number;
	throttling_data: {periods: number; throttled_periods: number; throttled_time: number};
}

export interface BlkioEntry {
	major: number;
	minor: number;
	/** `Read`, `Write` and others on cgroup v1, `read` and `write` on v2. */
	op: string;
	value: number;
}

/** A sample of what a container uses, as docker's API has it. usage.ts has its formulas. */
export interface ContainerStats {
	id: string;
	/** With a leading slash. */
	name: string;
	/** RFC 3339; the zero time of a container that isn't up, or that had no sample before. */
	read: string;
	preread: string;
	num_procs: number;
	pids_stats: {current?: number; limit?: number};
	cpu_stats: CpuStats;
	precpu_stats: CpuStats;
	/** Bytes; the limit is the host's memory when there is none. */
	memory_stats: {
		usage?: number;
		max_usage?: number;
		failcnt?: number;
		limit?: number;
		stats?: Record<string, number>;
	};
	blkio_stats: {
		io_service_bytes_recursive: BlkioEntry[] | null;
		io_serviced_recursive: BlkioEntry[] | null;
	};
	networks?: Record<string, NetworkStats>;
}

/** What `top` shows; each row has as many fields as there are titles. */
export interface ContainerProcesses {
	Titles: string[];
	Processes: string[][];
}

export interface StatsOptions {
	/** Goes on until `signal` or until it is left; otherwise there is one batch. The default. */
	stream?: boolean;
	/** Also those that aren't up, with empty numbers; only without names. */
	all?: boolean;
	/** Milliseconds between batches, 1000 when absent. */
	interval?: number;
	signal?: AbortSignal;
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

export interface ListPlatform {
	architecture: string;
	os: string;
	'os.version'?: string;
	'os.features'?: string[];
	variant?: string;
}

/** A manifest or an index, byte for byte as its registry has it. */
export interface RegistryDocument {
	/** In full. */
	name: string;
	mediaType: string;
	digest: string;
	bytes: Buffer;
}

export interface CombineOptions {
	/** Names that the result gets, the first one's repository first. */
	tags: readonly string[];
	/** Manifests of the first name's repository. */
	descriptors: readonly {digest: string}[];
	/** What the first name means already comes first. */
	append: boolean;
	/** Only these, `os/architecture[/variant]`; empty: all. */
	platforms: readonly string[];
	/** `index:KEY` or `manifest-descriptor[PLATFORM]:KEY`. */
	annotations: Readonly<Record<string, string>>;
	/** A manifest alone becomes an index of one. */
	preferIndex: boolean;
	/** Nothing is pushed. */
	dryRun: boolean;
	onProgress?: (text: string) => void;
}

/** Images of registries that are not fetched. */
export interface RegistryImages {
	read(reference: string): Promise<RegistryDocument>;
	/** Configurations of images by their platforms. */
	configurations(reference: string): Promise<Record<string, object>>;
	/** Makes an index of images, or copies one, and pushes it. */
	combine(sources: readonly string[], options: CombineOptions): Promise<RegistryDocument>;
}

/** One manifest of a list, as docker's `manifest inspect --verbose` shows it. */
export interface ManifestEntry {
	/** In full: `docker.io/library/x:1`. */
	Ref: string;
	Descriptor: {mediaType: string; digest: string; size: number; platform?: ListPlatform};
	/** base64; empty when only what the list says was asked for. */
	Raw: string;
}

export interface ManifestList {
	entries: ManifestEntry[];
	/** The list as it would be pushed. */
	bytes: Buffer;
}

/** A manifest that is in the list's repository now. */
export interface ManifestPushEvent {
	/** `docker.io/library/x@sha256:...` */
	ref: string;
	digest: string;
}

/** Manifest lists that are put together on this host and pushed; the images are in a registry. */
export interface ManifestLists {
	/** Of a list that is here or in a registry, or of one manifest. `whole`: with the manifests of a list. */
	inspect(
		reference: string,
		options?: {list?: string; insecure?: boolean; whole?: boolean},
	): Promise<ManifestEntry | ManifestList>;
	/** Resolves to the list's full name. */
	create(
		list: string,
		manifests: readonly string[],
		options?: {amend?: boolean; insecure?: boolean},
	): Promise<string>;
	annotate(list: string, manifest: string, platform: Partial<ListPlatform>): Promise<void>;
	/** Resolves to the digest of the list. */
	push(
		list: string,
		options?: {insecure?: boolean; purge?: boolean; onProgress?: (event: ManifestPushEvent) => void},
	): Promise<string>;
	remove(list: string): Promise<void>;
}

export interface RegistrySearchResult {
	Name: string;
	Description: string;
	StarCount: number;
	IsOfficial: boolean;
	IsAutomated: boolean;
}

/** What concerns a registry as a whole. `server` is a host with or without a scheme; empty is Docker Hub. */
export interface Registries {
	/**
	 * Keeps credentials that the registry takes, in docker's configuration or with its credential helper. `stored` is
	 * the file when anybody who reads it has them.
	 */
	login(
		server: string,
		credentials: {username: string; password: string; identityToken?: string},
	): Promise<{stored: string | undefined}>;
	/** Forgets them; false when there were none. */
	logout(server: string): Promise<boolean>;
	/** Those that are kept. */
	credentials(
		server: string,
	): Promise<{username: string; password: string; identityToken?: string} | undefined>;
	/** Docker Hub's search; with `host/` before the term, the names in the catalogue of that registry. */
	search(term: string, options?: {limit?: number}): Promise<RegistrySearchResult[]>;
}

export interface VolumeSummary {
	Name: string;
	Driver: 'local';
	Mountpoint: string;
	Labels: Record<string, string> | null;
	Options: Record<string, string> | null;
	Scope: 'local';
	/** RFC 3339. */
	CreatedAt: string;
}

export interface Volumes {
	create(options?: {
		name?: string;
		labels?: Record<string, string>;
		driver?: string;
		options?: Record<string, string>;
	}): Promise<VolumeSummary>;
	list(options?: {filters?: Filters}): Promise<VolumeSummary[]>;
	inspect(name: string): Promise<VolumeSummary>;
	remove(name: string, options?: {force?: boolean}): Promise<void>;
	/** Removes anonymous ones that no container refers to; with the filter `all` any. Filters: all, label, label!. */
	prune(options?: {filters?: Filters}): Promise<{VolumesDeleted: string[]; SpaceReclaimed: number}>;
}

/** What `update` changes; 0, '' and what is absent stay as they are. */
export interface ContainerUpdate {
	BlkioWeight?: number;
	CpuShares?: number;
	NanoCpus?: number;
	CpuPeriod?: number;
	CpuQuota?: number;
	CpuRealtimePeriod?: number;
	CpuRealtimeRuntime?: number;
	CpusetCpus?: string;
	CpusetMems?: string;
	Memory?: number;
	MemoryReservation?: number;
	MemorySwap?: number;
	/** Below 1: none. */
	PidsLimit?: number;
	RestartPolicy?: HostConfig['RestartPolicy'];
}

export interface PublishChange {
	add?: HostConfig['PortBindings'];
	/** A binding without HostPort is every one of that container port. */
	remove?: HostConfig['PortBindings'];
}

export interface NetworkCreateOptions {
	name: string;
	/** `bridge` (the default), `macvlan`, `ipvlan`. */
	driver?: string;
	internal?: boolean;
	attachable?: boolean;
	ipv4?: boolean;
	ipv6?: boolean;
	labels?: Record<string, string>;
	options?: Record<string, string>;
	/** As given on a command line: each of the others finds the subnet that it is in. */
	subnets?: readonly string[];
	gateways?: readonly string[];
	ipRanges?: readonly string[];
	auxAddresses?: Readonly<Record<string, string>>;
	ipamDriver?: string;
	ipamOptions?: Record<string, string>;
	/** `local`, or empty. */
	scope?: string;
	ingress?: boolean;
	/** Makes a network that others only take their configuration from. */
	configOnly?: boolean;
	/** The name of such a network. */
	configFrom?: string;
}

/** docker's `network inspect`. */
export interface NetworkInspect extends NetworkRecord {
	/** Those that run, by id. */
	Containers: Record<
		string,
		{
			Name: string;
			EndpointID: string;
			MacAddress: string;
			/** With the prefix; empty when it has none. */
			IPv4Address: string;
			IPv6Address: string;
		}
	>;
}

export interface Networks {
	create(options: NetworkCreateOptions): Promise<{id: string; warnings: string[]}>;
	/** Sorted by name. Filters: driver, id, label, name, scope, type, dangling. */
	list(options?: {filters?: Filters}): Promise<NetworkRecord[]>;
	/** By name, id or prefix of an id. */
	inspect(network: string): Promise<NetworkInspect>;
	remove(network: string, options?: {force?: boolean}): Promise<void>;
	/** Those that no container refers to. Filters: label, until. */
	prune(options?: {filters?: Filters}): Promise<{NetworksDeleted: string[]}>;
	connect(network: string, container: string, settings?: EndpointSettings): Promise<void>;
	disconnect(network: string, container: string, options?: {force?: boolean}): Promise<void>;
}

/** docker's event message. */
export interface EngineEvent {
	Type: 'container' | 'image' | 'volume' | 'network';
	Action: string;
	Actor: {ID: string; Attributes: Record<string, string>};
	scope: 'local';
	/** Seconds since the epoch. */
	time: number;
	/** Nanoseconds since the epoch: more than a double holds exactly, so a bigint. */
	timeNano: bigint;
}

export interface EventOptions {
	/** Past events are given from here; with `until` alone they are the last 256, and with neither none. */
	since?: bigint;
	/** Ends the stream; a time that has passed ends it after the past events. */
	until?: bigint;
	filters?: Filters;
	signal?: AbortSignal;
}

export interface Events {
	/**
	 * Past events since `since`, then live ones, in batches, from this and other processes (inotify, no
	 * polling). After a gap (overflow, rotation that outran the reader) a batch is preceded by `{gap: true}`.
	 */
	stream(options?: EventOptions): AsyncIterable<EngineEvent[] | {gap: true}>;
}

export interface EngineInfo extends Record<string, unknown> {
	ID: string;
	Containers: number;
	ContainersRunning: number;
	ContainersPaused: number;
	ContainersStopped: number;
	Images: number;
	Driver: 'overlay2' | 'copy';
	CgroupVersion: '1' | '2';
	KernelVersion: string;
	OperatingSystem: string;
	Architecture: string;
	NCPU: number;
	MemTotal: number;
	Name: string;
	ServerVersion: string;
	Warnings: string[];
}

/** What is used of the disk; sizes are bytes. */
export interface DiskUsage {
	/** All layers of all images, each once. */
	LayersSize: number;
	/** SharedSize: what other images have, too. */
	Images: (ImageSummary & {SharedSize: number})[];
	/** With sizes. */
	Containers: ContainerSummary[];
	/** Bytes of each container's log, by its id. */
	ContainerLogs: Record<string, number>;
	/** RefCount: containers that use it. */
	Volumes: (VolumeSummary & {UsageData: {Size: number; RefCount: number}})[];
	BuildCache: BuildCacheRecord[];
}

export interface CheckLine {
	/** `kernel`, `cgroups`, `overlay`, `forwarding`, `firewall`, `ports`, ... */
	subject: string;
	/** `warn` limits something, `fail` keeps containers from running. */
	status: 'ok' | 'warn' | 'fail';
	message: string;
	/** A command or a setting that helps. */
	advice?: string;
}

/** What became of a container that was to be started or stopped. */
export interface BootOutcome {
	id: string;
	name: string;
	/** Absent: it went well. */
	error?: unknown;
}

export interface Engine {
	readonly paths: Paths;
	readonly containers: Containers;
	readonly images: Images;
	readonly volumes: Volumes;
	readonly networks: Networks;
	readonly manifests: ManifestLists;
	readonly registryImages: RegistryImages;
	readonly registries: Registries;
	readonly events: Events;
	readonly builds: Builds;
	/** Builds an image of a Dockerfile; the id is that of its configuration. With an output there is none. */
	build(options: BuildOptions): Promise<{id: string; digest: string}>;
	/** What builds have kept. Shared: an image has the layer too, so that removing it frees nothing. */
	buildCache(filters?: Filters): Promise<BuildCacheRecord[]>;
	/** Forgets what builds have kept: filters as for buildCache. Resolves to what is gone. */
	pruneBuildCache(options?: {
		all?: boolean;
		filters?: Filters;
		keep?: CacheRoom;
	}): Promise<{records: BuildCacheRecord[]; reclaimed: number}>;
	info(): Promise<EngineInfo>;
	diskUsage(): Promise<DiskUsage>;
	/** Looks at the host: what is fine, and what to do about what isn't. Changes nothing. */
	check(): Promise<CheckLine[]>;
	/**
	 * Brings what killed processes left behind in order. Cheap when there is nothing; every command calls it first.
	 * The first one after a boot starts what was running and is to run; with `boots` the caller sees to that.
	 */
	repair(options?: {boots?: boolean}): Promise<void>;
	/** Starts what is to run after a boot, by docker's rules. */
	boot(): Promise<BootOutcome[]>;
	/** Stops all containers, so that the next boot brings back those that are to run. */
	shutdown(): Promise<BootOutcome[]>;
	close(): Promise<void>;
}
