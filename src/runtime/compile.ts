/**
 * OCI runtime `config.json` to plans. Pure: paths, cgroups and settings come in as values. The order of the
 * operations is what makes a container safe; each step says why it stands where it stands.
 */

import {basename} from 'node:path';
import {capabilityMask} from './capabilities.ts';
import type {CgroupOps} from './cgroups/ops.ts';
import {type HookSubject, hooksByPlace} from './hooks.ts';
import type {LinuxIdMapping, Mount, Process, Spec} from './oci.ts';
import type {Plan} from './plan/encode.ts';
import type {Op} from './plan/ops.ts';
import type {MonitorSettings} from './plan/sections.ts';
import {schedulingOps} from './scheduling.ts';
import {seccompFlags} from './seccomp/flags.ts';

/** From <sys/mount.h>. */
const MS = {
	rdonly: 1,
	nosuid: 2,
	nodev: 4,
	noexec: 8,
	synchronous: 16,
	remount: 32,
	mandlock: 64,
	dirsync: 128,
	noatime: 1024,
	nodiratime: 2048,
	bind: 4096,
	rec: 16384,
	unbindable: 1 << 17,
	private: 1 << 18,
	slave: 1 << 19,
	shared: 1 << 20,
	relatime: 1 << 21,
	strictatime: 1 << 24,
} as const;

/** Of `bind`: read-only all the way down. A kernel that can't (before 5.12) refuses. */
const recursiveReadOnly = 2 ** 32;

/** From <sched.h>. */
export const cloneFlags = {
	mount: 0x00020000,
	cgroup: 0x02000000,
	uts: 0x04000000,
	ipc: 0x08000000,
	user: 0x10000000,
	pid: 0x20000000,
	network: 0x40000000,
	time: 0x80,
} as const;

const mountFlags: Record<string, number> = {
	ro: MS.rdonly,
	rro: MS.rdonly,
	nosuid: MS.nosuid,
	nodev: MS.nodev,
	noexec: MS.noexec,
	sync: MS.synchronous,
	mand: MS.mandlock,
	dirsync: MS.dirsync,
	noatime: MS.noatime,
	nodiratime: MS.nodiratime,
	relatime: MS.relatime,
	strictatime: MS.strictatime,
	bind: MS.bind,
	rbind: MS.bind | MS.rec,
};
const clearedFlags: Record<string, number> = {
	rw: MS.rdonly,
	suid: MS.nosuid,
	dev: MS.nodev,
	exec: MS.noexec,
	async: MS.synchronous,
	atime: MS.noatime,
	diratime: MS.nodiratime,
	norelatime: MS.relatime,
	nostrictatime: MS.strictatime,
};
const propagationFlags: Record<string, number> = {
	private: MS.private,
	rprivate: MS.private | MS.rec,
	slave: MS.slave,
	rslave: MS.slave | MS.rec,
	shared: MS.shared,
	rshared: MS.shared | MS.rec,
	unbindable: MS.unbindable,
	runbindable: MS.unbindable | MS.rec,
};

/** Numbers of <sys/resource.h> on x86-64 and arm64. */
const rlimitNumbers: Record<string, number> = {
	RLIMIT_CPU: 0,
	RLIMIT_FSIZE: 1,
	RLIMIT_DATA: 2,
	RLIMIT_STACK: 3,
	RLIMIT_CORE: 4,
	RLIMIT_RSS: 5,
	RLIMIT_NPROC: 6,
	RLIMIT_NOFILE: 7,
	RLIMIT_MEMLOCK: 8,
	RLIMIT_AS: 9,
	RLIMIT_LOCKS: 10,
	RLIMIT_SIGPENDING: 11,
	RLIMIT_MSGQUEUE: 12,
	RLIMIT_NICE: 13,
	RLIMIT_RTPRIO: 14,
	RLIMIT_RTTIME: 15,
};

const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;

/** Of a bind whose source is no plain path of the host. */
export type MountOrigin =
	/** A path within a folder of the host, which no link in it may lead out of. */
	| {root: string; path: string}
	/** A path of an image; lowers topmost first. */
	| {lowers: readonly string[]; path: string};

interface ParsedOptions {
	flags: number;
	propagation: number;
	data: string;
}

export function parseMountOptions(options: readonly string[]): ParsedOptions {
	let flags = 0;
	let propagation = 0;
	const data: string[] = [];
	for (const option of options) {
		if (option in mountFlags) flags |= mountFlags[option]!;
		else if (option in clearedFlags) flags &= ~clearedFlags[option]!;
		else if (option in propagationFlags) propagation = propagationFlags[option]!;
		else if (option !== 'defaults' && option !== '') data.push(option);
	}
	return {flags, propagation, data: data.join(',')};
}

/** The devices that every container has, after the tmpfs on /dev (runtime-spec, "Default Devices"). */
const defaultDevices: readonly [path: string, minor: number, major: number][] = [
	['/dev/null', 3, 1],
	['/dev/zero', 5, 1],
	['/dev/full', 7, 1],
	['/dev/random', 8, 1],
	['/dev/urandom', 9, 1],
	['/dev/tty', 0, 5],
];
const deviceLinks: readonly [path: string, target: string][] = [
	['/dev/fd', '/proc/self/fd'],
	['/dev/stdin', '/proc/self/fd/0'],
	['/dev/stdout', '/proc/self/fd/1'],
	['/dev/stderr', '/proc/self/fd/2'],
	['/dev/core', '/proc/kcore'],
	['/dev/ptmx', 'pts/ptmx'],
];

function deviceOps(spec: Spec): Op[] {
	// Nobody makes device nodes in a user namespace of his own.
	const bound = hasNamespace(spec, 'user');
	const ops = defaultDevices.map(
		([path, minor, major]): Op =>
			bound
				? {op: 'bindFromHostDevice', source: path, target: path}
				: {op: 'mknod', path, mode: S_IFCHR | 0o666, major, minor, uid: 0, gid: 0},
	);
	const made = new Set(defaultDevices.map(([path]) => path));
	for (const [path, target] of deviceLinks) {
		ops.push({op: 'symlink', target, path});
		made.add(path);
	}
	for (const device of spec.linux?.devices ?? []) {
		if (made.has(device.path)) continue;
		if (bound && device.type !== 'p') {
			ops.push({op: 'bindFromHostDevice', source: device.path, target: device.path});
			continue;
		}
		const type = device.type === 'b' ? S_IFBLK : device.type === 'p' ? S_IFIFO : S_IFCHR;
		ops.push({
			op: 'mknod',
			path: device.path,
			mode: type | (device.fileMode ?? 0o666),
			major: device.major ?? 0,
			minor: device.minor ?? 0,
			uid: device.uid ?? 0,
			gid: device.gid ?? 0,
		});
	}
	return ops;
}

function cgroupMount(mount: Mount, cgroups: CgroupOps, version: 1 | 2): Op[] {
	const {flags} = parseMountOptions(mount.options ?? []);
	if (version === 2) {
		return [{op: 'mount', fstype: 'cgroup2', source: 'cgroup', target: mount.destination, flags, data: ''}];
	}
	// v1 and hybrid: a tmpfs with this container's folder of every hierarchy, as other engines show it.
	const tmpfs = {op: 'mount', fstype: 'tmpfs', source: 'tmpfs', target: mount.destination} as const;
	const ops: Op[] = [{...tmpfs, flags: flags & ~MS.rdonly, data: 'mode=755'}];
	for (const source of cgroups.dirs) {
		const name = basename(source.slice(0, -cgroups.path.length));
		ops.push({op: 'bind', source, target: `${mount.destination}/${name}`, flags, propagation: MS.private});
	}
	// Only now: the mount points had to be made in it.
	if (flags & MS.rdonly) ops.push({...tmpfs, flags: flags | MS.remount, data: ''});
	return ops;
}

const isSharedMemory = ({destination, source}: Mount): boolean =>
	destination === '/dev/shm' && /^\/proc\/\d+\/root\/dev\/shm$/.test(source ?? '');

/** `shmDonor`: the state file of the container whose /dev/shm is mounted, which no path leads to. */
function mountOps(
	spec: Spec,
	cgroups: CgroupOps,
	version: 1 | 2,
	shmDonor: string | undefined,
	origins: Readonly<Record<string, MountOrigin>>,
): Op[] {
	const ops: Op[] = [];
	for (const mount of spec.mounts ?? []) {
		if (mount.type === 'cgroup') {
			ops.push(...cgroupMount(mount, cgroups, version));
			continue;
		}
		const {flags, propagation, data} = parseMountOptions(mount.options ?? []);
		const origin = origins[mount.destination];
		if (origin && 'lowers' in origin) {
			const {lowers, path} = origin;
			ops.push({op: 'bindImage', lowers, options: overlayOptions, path, target: mount.destination});
			continue;
		}
		if (mount.type === 'bind' || flags & MS.bind) {
			const common = {
				target: mount.destination,
				flags: (flags & ~MS.bind) + (mount.options?.includes('rro') ? recursiveReadOnly : 0),
				propagation: propagation || MS.private | MS.rec,
			};
			const source = shmDonor && isSharedMemory(mount) ? `container:${shmDonor}` : mount.source!;
			ops.push(origin ? {op: 'bindBeneath', ...origin, ...common} : {op: 'bind', source, ...common});
			continue;
		}
		// devpts: newinstance is what every mount of it is since 4.7.
		const label = labelled.has(mount.type ?? '') ? spec.linux?.mountLabel : undefined;
		const cleaned = mount.type === 'devpts' ? data.replace(/(^|,)newinstance(?=,|$)/, '$1') : data;
		ops.push({
			op: 'mount',
			fstype: mount.type ?? 'none',
			source: mount.source ?? 'none',
			target: mount.destination,
			flags,
			data: [cleaned.replace(/^,/, '').replace(/,,/g, ','), ...(label ? [contextOption(label)] : [])]
				.filter(Boolean)
				.join(','),
		});
		if (mount.destination === '/dev') ops.push(...deviceOps(spec));
	}
	if (!spec.mounts?.some((mount) => mount.destination === '/dev')) ops.push(...deviceOps(spec));
	return ops;
}

const namespacePath = (spec: Spec, type: string): string | undefined =>
	spec.linux?.namespaces?.find((namespace) => namespace.type === type)?.path;
const hasNamespace = (spec: Spec, type: string): boolean =>
	spec.linux?.namespaces?.some((namespace) => namespace.type === type) ?? false;

/** What the two modules of the kernel are told to make of the next program. A filter might forbid it later. */
function labelOps({apparmorProfile, selinuxLabel}: Process): Op[] {
	const ops: Op[] = [];
	if (apparmorProfile) {
		// Before Linux 5.8 there is one file for whichever module is the first.
		const files = ['attr/apparmor/exec', 'attr/exec'];
		ops.push({op: 'securityLabel', files, value: `exec ${apparmorProfile}`});
	}
	if (selinuxLabel) ops.push({op: 'securityLabel', files: ['attr/exec'], value: selinuxLabel});
	return ops;
}

/** A context has commas. */
const contextOption = (label: string): string => `context="${label}"`;

/** File systems that take an SELinux context when they are mounted. */
const labelled = new Set(['tmpfs', 'devpts', 'ramfs']);

/** Ids, capabilities and the filter, in the order that leaves no gap; the same for init and exec. */
function privilegeOps(spec: Spec, process: Process, user: UserSpec, seccomp: Uint8Array | undefined): Op[] {
	const flags = spec.linux?.seccomp ? seccompFlags(spec.linux.seccomp) : 0;
	const sets = process.capabilities ?? {};
	const ops: Op[] = [
		...labelOps(process),
		{op: 'user', spec: user.spec, groups: [...user.groups]},
		{op: 'boundingSet', mask: capabilityMask(sets.bounding ?? [])},
	];
	// Without no-new-privileges a filter can only be loaded with CAP_SYS_ADMIN, so before capabilities go; with it, last.
	if (seccomp && !process.noNewPrivileges) ops.push({op: 'seccomp', program: seccomp, flags});
	ops.push(
		{op: 'ids'},
		{
			op: 'capabilities',
			effective: capabilityMask(sets.effective ?? []),
			permitted: capabilityMask(sets.permitted ?? []),
			inheritable: capabilityMask(sets.inheritable ?? []),
			ambient: capabilityMask(sets.ambient ?? []),
		},
	);
	if (process.noNewPrivileges) {
		ops.push({op: 'noNewPrivileges'});
		if (seccomp) ops.push({op: 'seccomp', program: seccomp, flags});
	}
	return ops;
}

function rlimitOps(process: Process): Op[] {
	return (process.rlimits ?? []).map((limit) => ({
		op: 'rlimit',
		resource: rlimitNumbers[limit.type]!,
		soft: limit.soft,
		hard: limit.hard,
	}));
}

export interface UserSpec {
	/** As the user wrote it; resolved natively in the container's own passwd and group. */
	spec: string;
	/** --group-add: names or numbers. */
	groups: readonly string[];
}

function timeOffsetsText(spec: Spec): string {
	return Object.entries(spec.linux?.timeOffsets ?? {})
		.map(([clock, {secs = 0, nanosecs = 0}]) => `${clock} ${secs} ${nanosecs}\n`)
		.join('');
}

const idMapText = (maps: readonly LinuxIdMapping[] | undefined): string =>
	(maps ?? []).map(({containerID, hostID, size}) => `${containerID} ${hostID} ${size}\n`).join('');

export type Root =
	| {kind: 'overlay'; lowers: readonly string[]; upper: string; work: string}
	| {kind: 'folder'; path: string};

export interface CompileInput {
	spec: Spec;
	root: Root;
	user: UserSpec;
	/** The compiled seccomp filter, when the spec has one. */
	seccomp: Uint8Array | undefined;
	cgroups: CgroupOps;
	/** 1 also on a hybrid host. */
	cgroupVersion: 1 | 2;
	settings: Omit<
		MonitorSettings,
		| 'clone-flags'
		| 'join-pid'
		| 'join-net'
		| 'cgroup-dir'
		| 'monitor-cgroups'
		| 'oom-file'
		| 'kill-file'
		| 'tty'
	>;
	/** Netlink batches of the network; see the network module. */
	network?: readonly Op[];
	/** What the end must undo besides the cgroups, before them and in this order. */
	stop: readonly Op[];
	/** Initial size of the terminal. */
	rows?: number;
	columns?: number;
	/** Whom the spec's hooks are told about; absent: they don't run. */
	hooks?: HookSubject;
	/**
	 * State files of the containers whose namespaces are joined, in place of the spec's paths: those are true for one
	 * start only.
	 */
	donors?: Partial<Record<'network' | 'pid' | 'ipc', string>>;
	/** By the destination of a mount of the spec. */
	origins?: Readonly<Record<string, MountOrigin>>;
	/** Without a monitor, by `wherry oci`: the init waits at this FIFO for its start. */
	startFifo?: string;
}

/** Overlay never follows what a layer says about redirects or metadata-only files: layers are strangers' data. */
const overlayOptions = ['redirect_dir=nofollow', 'metacopy=off', 'index=off'];

export function compileContainer(input: CompileInput): {monitor: Plan; stop: Plan} {
	const {spec, cgroups, root} = input;
	const process = spec.process!;
	let flags: number = cloneFlags.mount;
	const joins: Op[] = [];
	const joined = (type: string): string | undefined => {
		const donor = input.donors?.[type as 'network' | 'pid' | 'ipc'];
		return donor === undefined ? namespacePath(spec, type) : `container:${donor}`;
	};
	for (const type of ['uts', 'ipc', 'pid', 'network', 'user'] as const) {
		if (!hasNamespace(spec, type)) continue;
		const path = joined(type);
		if (!path) flags |= cloneFlags[type];
		else if (type === 'ipc' || type === 'uts')
			joins.push({op: 'joinNamespace', path, flag: cloneFlags[type]});
	}
	for (const type of ['cgroup', 'time'] as const) {
		const path = namespacePath(spec, type);
		if (path) joins.push({op: 'joinNamespace', path, flag: cloneFlags[type]});
	}
	const ownUsers = (flags & cloneFlags.user) !== 0;
	const hooks = input.hooks && spec.hooks && hooksByPlace(spec.hooks, input.hooks);
	const shares = (spec.mounts ?? []).some((mount) =>
		mount.options?.some((option) => /shared$|slave$/.test(option)),
	);

	const init: Op[] = [];
	if (cgroups.initJoin.length > 0 && !ownUsers) init.push({op: 'joinCgroups', files: [...cgroups.initJoin]});
	init.push(...joins);
	// After joining the cgroup: the namespace's root is the cgroup of the moment.
	if (hasNamespace(spec, 'cgroup') && !namespacePath(spec, 'cgroup')) {
		init.push({op: 'unshare', flags: cloneFlags.cgroup});
	}
	if (hasNamespace(spec, 'time') && !namespacePath(spec, 'time')) {
		init.push({op: 'timeOffsets', offsets: timeOffsetsText(spec)});
	}
	init.push({op: 'propagation', path: '/', flags: MS.rec | (shares ? MS.slave : MS.private)});
	init.push(
		root.kind === 'overlay'
			? {
					op: 'overlayRoot',
					lowers: [...root.lowers],
					upper: root.upper,
					work: root.work,
					options: spec.linux?.mountLabel
						? [...overlayOptions, contextOption(spec.linux.mountLabel)]
						: overlayOptions,
				}
			: {op: 'bindRoot', source: root.path},
	);
	init.push(...mountOps(spec, cgroups, input.cgroupVersion, input.donors?.ipc, input.origins ?? {}));
	init.push(
		process.terminal ? {op: 'console', rows: input.rows ?? 24, columns: input.columns ?? 80} : {op: 'stdio'},
	);
	// A hook of the host finds the container's mounts, and the container isn't let go before they are done.
	if (hooks && hooks.created.length + hooks.beforePivot.length > 0)
		init.push({op: 'wait'}, ...hooks.beforePivot);
	init.push({op: 'pivot'});
	if (spec.linux?.rootfsPropagation) {
		const flag = propagationFlags[`r${spec.linux.rootfsPropagation}`] ?? 0;
		init.push({op: 'propagation', path: '/', flags: flag});
	}
	if (spec.hostname) init.push({op: 'hostname', name: spec.hostname});
	if (spec.domainname) init.push({op: 'domainname', name: spec.domainname});
	if (hasNamespace(spec, 'network') && !namespacePath(spec, 'network')) init.push({op: 'loopbackUp'});
	// Before /proc/sys turns read-only.
	for (const [key, value] of Object.entries(spec.linux?.sysctl ?? {})) {
		init.push({op: 'sysctl', path: key.replaceAll('.', '/'), value});
	}
	for (const path of spec.linux?.readonlyPaths ?? []) init.push({op: 'readonly', path});
	for (const path of spec.linux?.maskedPaths ?? []) init.push({op: 'mask', path});
	init.push(...rlimitOps(process));
	if (process.oomScoreAdj) init.push({op: 'oomScoreAdj', value: process.oomScoreAdj});
	// The working directory is made as root, before the root may turn read-only.
	init.push({op: 'workdir', path: process.cwd, create: 1});
	if (spec.root?.readonly) init.push({op: 'readonlyRoot'});
	if (!init.some(({op}) => op === 'wait')) init.push({op: 'wait'});
	init.push(...schedulingOps(spec, process));
	init.push(...privilegeOps(spec, process, input.user, input.seccomp));
	init.push({op: 'umask', mask: process.user?.umask ?? 0o022});
	init.push({op: 'workdir', path: process.cwd, create: 0});
	if (input.startFifo) init.push({op: 'awaitStart'});
	if (hooks) init.push(...hooks.beforeExec);
	init.push({op: 'exec', argv: process.args ?? [], env: process.env ?? []});

	const settings: MonitorSettings = {
		...input.settings,
		tty: process.terminal ? '1' : '0',
		'clone-flags': String(flags),
		'join-pid': joined('pid') ?? '',
		'join-net': joined('network') ?? '',
		'cgroup-dir': cgroups.cgroupDir,
		'monitor-cgroups': cgroups.monitorFiles.join('\n'),
		'oom-file': cgroups.oomFile,
		'kill-file': cgroups.killFile,
		...(ownUsers
			? {
					'uid-map': idMapText(spec.linux?.uidMappings),
					'gid-map': idMapText(spec.linux?.gidMappings),
					'init-cgroups': cgroups.initJoin.join('\n'),
				}
			: {}),
		...(input.startFifo ? {'start-fifo': input.startFifo, 'dies-with-monitor': '0'} : {}),
	};
	const stop: Op[] = [...cgroups.stop, ...(hooks?.stop ?? []), ...input.stop];
	return {
		monitor: {
			settings: Object.entries(settings).map(([key, value]) => ({op: 'set', key, value})),
			setup: [...cgroups.monitorSetup, ...cgroups.setup],
			network: input.network ?? [],
			created: hooks?.created ?? [],
			init,
			started: hooks?.started ?? [],
			stop,
			pause: cgroups.pause,
			unpause: cgroups.unpause,
		},
		stop: {stop},
	};
}

/** The options of mounts that are flags of the kernel; others go to the file system. */
export const knownMountOptions = (): string[] =>
	[...Object.keys(mountFlags), ...Object.keys(clearedFlags), ...Object.keys(propagationFlags)].sort();

export interface ExecInput {
	/** The container's spec. */
	spec: Spec;
	/** As it is to be; absent: the container's, changed by what follows. */
	process?: Process;
	cgroups: Pick<CgroupOps, 'execJoin'>;
	user: UserSpec;
	argv: readonly string[];
	/** Added to the container's own; a name without a value takes the container's away. */
	env: readonly string[];
	cwd: string | undefined;
	tty: boolean;
	rows: number;
	columns: number;
	/** The filter; undefined when the exec is privileged or the container has none. */
	seccomp: Uint8Array | undefined;
	/** Names of the capabilities: the container's, or all. */
	capabilities: readonly string[];
}

export function compileExec(input: ExecInput): Plan {
	const {spec} = input;
	const base = spec.process!;
	let flags: number = cloneFlags.mount;
	for (const type of ['uts', 'ipc', 'pid', 'network', 'cgroup', 'user', 'time'] as const)
		if (hasNamespace(spec, type)) flags |= cloneFlags[type];
	const env = new Map<string, string>();
	const add = (entry: string): void => {
		const split = entry.indexOf('=');
		if (split > 0) env.set(entry.slice(0, split), entry.slice(split + 1));
		else if (split < 0) env.delete(entry);
	};
	const list = [...input.capabilities];
	const process: Process = input.process ?? {
		...base,
		capabilities: {bounding: list, effective: list, permitted: list},
	};
	process.env?.forEach(add);
	if (input.tty && !input.process && !env.has('TERM')) add('TERM=xterm');
	input.env.forEach(add);
	const cwd = input.cwd ?? base.cwd;
	const exec: Op[] = [];
	if (input.cgroups.execJoin.length > 0) exec.push({op: 'joinCgroups', files: [...input.cgroups.execJoin]});
	exec.push({op: 'joinContainer', flags});
	exec.push(input.tty ? {op: 'console', rows: input.rows, columns: input.columns} : {op: 'stdio'});
	exec.push(...rlimitOps(process));
	if (process.oomScoreAdj) exec.push({op: 'oomScoreAdj', value: process.oomScoreAdj});
	exec.push(...schedulingOps(spec, process));
	exec.push(...privilegeOps(spec, process, input.user, input.seccomp));
	exec.push({op: 'umask', mask: process.user?.umask ?? 0o022}, {op: 'workdir', path: cwd, create: 0});
	exec.push({op: 'exec', argv: [...input.argv], env: [...env].map(([key, value]) => `${key}=${value}`)});
	return {exec};
}
