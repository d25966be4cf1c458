/**
 * The part of the OCI runtime specification's `config.json` that Wherry writes and reads (runtime-spec
 * 1.2, config.md and config-linux.md). Sizes are bytes; times are microseconds where the specification says
 * so. Fields that are absent mean what the specification says about their absence.
 */
export interface Spec {
	ociVersion: string;
	process?: Process;
	root?: Root;
	hostname?: string;
	domainname?: string;
	mounts?: Mount[];
	hooks?: Hooks;
	linux?: Linux;
	annotations?: Record<string, string>;
}

export interface Root {
	/** Absolute, or relative to the bundle. */
	path: string;
	readonly?: boolean;
}

export interface Mount {
	destination: string;
	type?: string;
	source?: string;
	options?: string[];
	uidMappings?: LinuxIdMapping[];
	gidMappings?: LinuxIdMapping[];
}

export interface Process {
	terminal?: boolean;
	consoleSize?: {height: number; width: number};
	user: User;
	args?: string[];
	/** `NAME=value`. */
	env?: string[];
	/** Absolute. */
	cwd: string;
	capabilities?: LinuxCapabilities;
	rlimits?: Rlimit[];
	noNewPrivileges?: boolean;
	apparmorProfile?: string;
	oomScoreAdj?: number;
	selinuxLabel?: string;
	ioPriority?: {class: string; priority?: number};
	scheduler?: {
		/** SCHED_OTHER, ... */
		policy: string;
		nice?: number;
		priority?: number;
		flags?: string[];
		/** Nanoseconds, for SCHED_DEADLINE. */
		runtime?: number;
		deadline?: number;
		period?: number;
	};
}

export interface User {
	uid: number;
	gid: number;
	umask?: number;
	additionalGids?: number[];
}

/** Names with the prefix `CAP_`. */
export interface LinuxCapabilities {
	bounding?: string[];
	effective?: string[];
	inheritable?: string[];
	permitted?: string[];
	ambient?: string[];
}

/** `type` is `RLIMIT_NOFILE` and so on; 2^64-1 is without limit. */
export interface Rlimit {
	type: string;
	soft: number | bigint;
	hard: number | bigint;
}

export interface Hook {
	path: string;
	args?: string[];
	env?: string[];
	timeout?: number;
}

export interface Hooks {
	prestart?: Hook[];
	createRuntime?: Hook[];
	createContainer?: Hook[];
	startContainer?: Hook[];
	poststart?: Hook[];
	poststop?: Hook[];
}

export interface LinuxIdMapping {
	containerID: number;
	hostID: number;
	size: number;
}

export type LinuxNamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time';

export interface LinuxNamespace {
	type: LinuxNamespaceType;
	/** A namespace file to join; absent: a new one. */
	path?: string;
}

export interface LinuxDevice {
	type: 'c' | 'b' | 'u' | 'p';
	path: string;
	major?: number;
	minor?: number;
	/** Permission bits. */
	fileMode?: number;
	uid?: number;
	gid?: number;
}

export interface Linux {
	namespaces?: LinuxNamespace[];
	uidMappings?: LinuxIdMapping[];
	gidMappings?: LinuxIdMapping[];
	timeOffsets?: Record<string, {secs?: number; nanosecs?: number}>;
	devices?: LinuxDevice[];
	cgroupsPath?: string;
	resources?: LinuxResources;
	rootfsPropagation?: 'private' | 'shared' | 'slave' | 'unbindable' | '';
	seccomp?: LinuxSeccomp;
	sysctl?: Record<string, string>;
	maskedPaths?: string[];
	readonlyPaths?: string[];
	mountLabel?: string;
	personality?: {domain: 'LINUX' | 'LINUX32'; flags?: string[]};
}

/** A rule of the device filter; the last rule that speaks about an access decides. */
export interface LinuxDeviceCgroup {
	allow: boolean;
	/** Absent is `a`: character and block devices. */
	type?: 'a' | 'c' | 'b';
	/** Absent or -1 is every number. */
	major?: number;
	minor?: number;
	/** Some of `r`, `w`, `m` (mknod); absent is all. */
	access?: string;
}

export interface LinuxMemory {
	/** -1 is without limit, in each of these three. */
	limit?: number;
	reservation?: number;
	/** Memory and swap together. */
	swap?: number;
	/** 0 to 100; only on cgroup v1. */
	swappiness?: number;
	disableOOMKiller?: boolean;
	useHierarchy?: boolean;
	checkBeforeUpdate?: boolean;
}

export interface LinuxCPU {
	/** v1's scale: 2 to 262144, 1024 is the default. */
	shares?: number;
	/** Microseconds for each period; -1 is without limit. */
	quota?: number;
	burst?: number;
	period?: number;
	realtimeRuntime?: number;
	realtimePeriod?: number;
	/** Lists such as `0-2,7`. */
	cpus?: string;
	mems?: string;
	idle?: number;
}

export interface LinuxWeightDevice {
	major: number;
	minor: number;
	weight?: number;
	leafWeight?: number;
}

export interface LinuxThrottleDevice {
	major: number;
	minor: number;
	/** Bytes or operations each second. */
	rate: number;
}

export interface LinuxBlockIO {
	/** 10 to 1000. */
	weight?: number;
	leafWeight?: number;
	weightDevice?: LinuxWeightDevice[];
	throttleReadBpsDevice?: LinuxThrottleDevice[];
	throttleWriteBpsDevice?: LinuxThrottleDevice[];
	throttleReadIOPSDevice?: LinuxThrottleDevice[];
	throttleWriteIOPSDevice?: LinuxThrottleDevice[];
}

export interface LinuxResources {
	devices?: LinuxDeviceCgroup[];
	memory?: LinuxMemory;
	cpu?: LinuxCPU;
	/** 0 and -1 are without limit. */
	pids?: {limit: number};
	blockIO?: LinuxBlockIO;
	hugepageLimits?: {pageSize: string; limit: number}[];
	/** cgroup v2 files by name. */
	unified?: Record<string, string>;
}

export type SeccompAction =
	| 'SCMP_ACT_KILL'
	| 'SCMP_ACT_KILL_PROCESS'
	| 'SCMP_ACT_KILL_THREAD'
	| 'SCMP_ACT_TRAP'
	| 'SCMP_ACT_ERRNO'
	| 'SCMP_ACT_TRACE'
	| 'SCMP_ACT_ALLOW'
	| 'SCMP_ACT_LOG'
	| 'SCMP_ACT_NOTIFY';

export type SeccompOperator =
	| 'SCMP_CMP_NE'
	| 'SCMP_CMP_LT'
	| 'SCMP_CMP_LE'
	| 'SCMP_CMP_EQ'
	| 'SCMP_CMP_GE'
	| 'SCMP_CMP_GT'
	| 'SCMP_CMP_MASKED_EQ';

export interface LinuxSeccompArg {
	/** 0 to 5. */
	index: number;
	/** 64 bits without sign; for MASKED_EQ the mask. A number beyond 2^53 has lost its low bits in JSON. */
	value: number | bigint;
	/** For MASKED_EQ what the masked argument must equal. */
	valueTwo?: number | bigint;
	op: SeccompOperator;
}

export interface LinuxSyscall {
	names: string[];
	action: SeccompAction;
	/** Absent is EPERM. */
	errnoRet?: number;
	/** All must hold. */
	args?: LinuxSeccompArg[];
}

export interface LinuxSeccomp {
	defaultAction: SeccompAction;
	defaultErrnoRet?: number;
	/** `SCMP_ARCH_*`; the native one is always among them. */
	architectures?: string[];
	/** `SECCOMP_FILTER_FLAG_*`. */
	flags?: string[];
	listenerPath?: string;
	listenerMetadata?: string;
	syscalls?: LinuxSyscall[];
}
