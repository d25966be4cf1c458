/** What a container is made of. Fields of `ContainerConfig` and `HostConfig` are those of docker's API, as `inspect` shows them. */

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
