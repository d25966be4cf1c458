/**
 * OCI runtime `config.json` to plans. Pure: paths, cgroups and settings come in as values. The order of the
 * operations is what makes a container safe; each step says why it stands where it stands.
 */
import {capabilityMask} from './capabilities.ts';
import type {CgroupOps} from './cgroups/ops.ts';
import {type HookSubject, hooksByPlace} from './hooks.ts';
import {
	contextOption,
	idMapText,
	type MountOrigin,
	MS,
	mountOps,
	overlayOptions,
	parseMountOptions,
	propagationFlags,
} from './mounts.ts';
import {cloneFlags, hasNamespace, namespacePath} from './namespaces.ts';
import type {Process, Spec} from './oci.ts';
import type {Plan} from './plan/encode.ts';
import type {Op} from './plan/ops.ts';
import type {MonitorSettings} from './plan/sections.ts';
import {schedulingOps} from './scheduling.ts';
import {hasListener, seccompFlags} from './seccomp/flags.ts';

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

/** Ids, capabilities and the filter, in the order that leaves no gap; the same for init and exec. */
function privilegeOps(
	spec: Spec,
	process: Process,
	user: UserSpec,
	seccomp: Uint8Array | undefined,
	joinsPids: boolean,
): Op[] {
	const profile = spec.linux?.seccomp;
	const filter: Op[] = [];
	if (seccomp) {
		// The fork into another pid namespace comes late, but not after calls may wait for an agent, who is told the pid.
		if (joinsPids && profile && hasListener(profile)) filter.push({op: 'forkInit'});
		filter.push({op: 'seccomp', program: seccomp, flags: profile ? seccompFlags(profile) : 0});
	}
	const sets = process.capabilities ?? {};
	const ops: Op[] = [
		...labelOps(process),
		{op: 'user', spec: user.spec, groups: [...user.groups]},
		{op: 'boundingSet', mask: capabilityMask(sets.bounding ?? [])},
	];
	// Without no-new-privileges a filter can only be loaded with CAP_SYS_ADMIN, so before capabilities go; with it, last.
	if (!process.noNewPrivileges) ops.push(...filter);
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
	if (process.noNewPrivileges) ops.push({op: 'noNewPrivileges'}, ...filter);
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
	/** Whether the host has /proc/kcore, which /dev/core leads to. */
	hasKcore: boolean;
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

/** The root and what is mounted in it. */
function rootOps(input: CompileInput, shares: boolean): Op[] {
	const {spec, cgroups, root} = input;
	return [
		{op: 'propagation', path: '/', flags: MS.rec | (shares ? MS.slave : MS.private)},
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
		...mountOps(spec, cgroups, {
			version: input.cgroupVersion,
			hasKcore: input.hasKcore,
			shmDonor: input.donors?.ipc,
			origins: input.origins ?? {},
		}),
	];
}

function rootPropagation({linux}: Spec): Op[] {
	if (!linux?.rootfsPropagation) return [];
	return [{op: 'propagation', path: '/', flags: propagationFlags[`r${linux.rootfsPropagation}`] ?? 0}];
}

/** Of file systems that are made for the container (`--tmpfs /x:shared`); binds get theirs when they are made. */
function mountPropagation({mounts}: Spec): Op[] {
	return (mounts ?? []).flatMap(({type, destination, options}): Op[] => {
		const {flags, propagation} = parseMountOptions(options ?? []);
		const isPrivate = propagation === 0 || (propagation & MS.private) !== 0;
		if (type === 'bind' || type === 'cgroup' || flags & MS.bind || isPrivate) return [];
		return [{op: 'propagation', path: destination, flags: propagation}];
	});
}

export function compileContainer(input: CompileInput): {monitor: Plan; stop: Plan} {
	const {spec, cgroups} = input;
	const process = spec.process!;
	const [users = '', mounts = ''] = [namespacePath(spec, 'user'), namespacePath(spec, 'mount')];
	let flags: number = mounts ? 0 : cloneFlags.mount;
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
	// Joined users: what is new is unshared once it is one of them.
	const cloned = users ? 0 : flags;
	const hooks = input.hooks && spec.hooks && hooksByPlace(spec.hooks, input.hooks);
	const shares = (spec.mounts ?? []).some((mount) =>
		mount.options?.some((option) => option.endsWith('shared') || option.endsWith('slave')),
	);

	const init: Op[] = [];
	if (cgroups.initJoin.length > 0 && !ownUsers) init.push({op: 'joinCgroups', files: [...cgroups.initJoin]});
	init.push(...joins);
	if (users || mounts) init.push({op: 'joinUsers', users, mounts});
	// New namespaces belong to the users of who makes them.
	if (users) {
		init.push({op: 'unshare', flags});
		if (flags & cloneFlags.pid) init.push({op: 'forkInit'});
	}
	// After joining the cgroup: the namespace's root is the cgroup of the moment.
	if (hasNamespace(spec, 'cgroup') && !namespacePath(spec, 'cgroup')) {
		init.push({op: 'unshare', flags: cloneFlags.cgroup});
	}
	if (hasNamespace(spec, 'time') && !namespacePath(spec, 'time')) {
		init.push({op: 'timeOffsets', offsets: timeOffsetsText(spec)});
	}
	const streams: Op = process.terminal
		? {op: 'console', rows: input.rows ?? 24, columns: input.columns ?? 80}
		: {op: 'stdio'};
	// A hook of the host finds the container's mounts, and the container isn't let go before they are done.
	const atHooks: Op[] =
		hooks && hooks.created.length + hooks.beforePivot.length > 0 ? [{op: 'wait'}, ...hooks.beforePivot] : [];
	// What others have mounted stays as it is.
	if (mounts) init.push(streams, ...atHooks);
	else
		init.push(
			...rootOps(input, shares),
			streams,
			...atHooks,
			{op: 'pivot'},
			...rootPropagation(spec),
			...mountPropagation(spec),
		);
	if (spec.hostname) init.push({op: 'hostname', name: spec.hostname});
	if (spec.domainname) init.push({op: 'domainname', name: spec.domainname});
	if (hasNamespace(spec, 'network') && !namespacePath(spec, 'network')) init.push({op: 'loopbackUp'});
	// Before /proc/sys turns read-only.
	for (const [key, value] of Object.entries(spec.linux?.sysctl ?? {})) {
		init.push({op: 'sysctl', path: key.replaceAll('.', '/'), value});
	}
	if (!mounts) {
		for (const path of spec.linux?.readonlyPaths ?? []) init.push({op: 'readonly', path});
		for (const path of spec.linux?.maskedPaths ?? []) init.push({op: 'mask', path});
	}
	init.push(...rlimitOps(process));
	if (process.oomScoreAdj) init.push({op: 'oomScoreAdj', value: process.oomScoreAdj});
	// The working directory is made as root, before the root may turn read-only.
	init.push({op: 'workdir', path: process.cwd, create: 1});
	if (spec.root?.readonly && !mounts) init.push({op: 'readonlyRoot'});
	if (!init.some(({op}) => op === 'wait')) init.push({op: 'wait'});
	init.push(...schedulingOps(spec, process));
	init.push(...privilegeOps(spec, process, input.user, input.seccomp, joined('pid') !== undefined));
	init.push({op: 'umask', mask: process.user?.umask ?? 0o022});
	init.push({op: 'workdir', path: process.cwd, create: 0});
	if (input.startFifo) init.push({op: 'awaitStart'});
	if (hooks) init.push(...hooks.beforeExec);
	init.push({op: 'exec', argv: process.args ?? [], env: process.env ?? []});

	const settings: MonitorSettings = {
		...input.settings,
		tty: process.terminal ? '1' : '0',
		'clone-flags': String(cloned),
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
	exec.push(...privilegeOps(spec, process, input.user, input.seccomp, (flags & cloneFlags.pid) !== 0));
	exec.push({op: 'umask', mask: process.user?.umask ?? 0o022}, {op: 'workdir', path: cwd, create: 0});
	exec.push({op: 'exec', argv: [...input.argv], env: [...env].map(([key, value]) => `${key}=${value}`)});
	return {exec};
}
