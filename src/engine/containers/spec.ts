/**
 * docker's `Config` and `HostConfig` to an OCI runtime `config.json` (runtime-spec, config.md and
 * config-linux.md): the defaults of docker's own profile, and what the user changed of it.
 */
import {capabilityNames, capabilitySet} from '../../runtime/capabilities.ts';
import {cgroupPath} from '../../runtime/cgroups/layout.ts';
import {linuxResources} from '../../runtime/cgroups/limits.ts';
import type {MountOrigin} from '../../runtime/mounts.ts';
import type {
	Hook,
	Hooks,
	LinuxDevice,
	LinuxNamespace,
	LinuxSeccomp,
	Mount,
	Rlimit,
	Spec,
} from '../../runtime/oci.ts';
import {parseSeccompProfile} from '../../runtime/seccomp/profile.ts';
import type {ProfileOptions} from '../../runtime/seccomp/profile-options.ts';
import type {ContainerEdits} from '../cdi/specification.ts';
import {WherryError} from '../errors.ts';
import {parseSecurityOptions, type SecurityOptions} from '../security/options.ts';
import type {Labels} from '../security/selinux.ts';
import {containerCgroup} from './cgroup.ts';
import {type Grants, noGrants} from './grants.ts';
import {maskedPaths, readonlyPaths} from './masked-paths.ts';
import type {ConfigSettings, HostSettings, StoredMount} from './record.ts';
import {devicesOf, throttlesOf} from './spec-devices.ts';

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What the host is, as far as a spec depends on it. */
export interface SpecHost {
	cgroupVersion: 1 | 2;
	arch: 'x64' | 'arm64';
	kernel: [number, number];
	/** Highest capability number of the kernel (/proc/sys/kernel/cap_last_cap). */
	lastCapability: number;
	/** The host's device nodes, for --privileged. */
	devices: () => LinuxDevice[];
	/** One device node, or those of a folder, for --device; undefined: there is nothing at that path. */
	device: (path: string) => LinuxDevice[] | undefined;
	/** The numbers that a device node has; undefined: there is none. */
	deviceNumbers: (path: string) => {major: number; minor: number} | undefined;
	/** Numbers of /sys/devices/system/cpu/cpuN/thermal_throttle that exist. */
	thermalThrottle: () => number[];
	/** The default profile. */
	defaultSeccomp: (options: ProfileOptions) => LinuxSeccomp;
}

/** A namespace of another process to join: a path of the form /proc/PID/ns/TYPE. */
export interface JoinedNamespaces {
	network?: string;
	pid?: string;
	ipc?: string;
}

export interface SpecInput {
	id: string;
	config: ConfigSettings;
	hostConfig: HostSettings;
	mounts: readonly StoredMount[];
	/** Of those whose source is no plain path, by destination. */
	origins?: Readonly<Record<string, MountOrigin>>;
	/** Host files that are bound to /etc/resolv.conf, /etc/hostname and /etc/hosts; absent: not bound. */
	files: {resolvConf?: string; hostname?: string; hosts?: string};
	/** Host path of the init for --init. */
	init: string;
	/** The root file system's host folder, for the bundle only. */
	rootPath: string;
	/** Paths of /dev/shm and namespaces of containers joined. */
	joined: JoinedNamespaces;
	shmPath?: string;
	grants?: Grants;
	/** Of SELinux. */
	labels?: Labels;
}

function environment(config: ConfigSettings, more: readonly string[]): string[] {
	const env = new Map<string, string>([['PATH', defaultPath]]);
	if (config.Hostname) env.set('HOSTNAME', config.Hostname);
	if (config.Tty) env.set('TERM', 'xterm');
	for (const entry of [...config.Env, ...more]) {
		const split = entry.indexOf('=');
		if (split > 0) env.set(entry.slice(0, split), entry.slice(split + 1));
		// `-e NAME` of a NAME that isn't set: there shall be none.
		else if (split < 0) env.delete(entry);
	}
	return [...env].map(([key, value]) => `${key}=${value}`);
}

function defaultMounts(input: SpecInput, options: SecurityOptions): Mount[] {
	const {hostConfig: host} = input;
	const readOnly = host.Privileged ? [] : ['ro'];
	const mounts: Mount[] = [
		{destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev']},
		{
			destination: '/dev',
			type: 'tmpfs',
			source: 'tmpfs',
			options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
		},
		{
			destination: '/dev/pts',
			type: 'devpts',
			source: 'devpts',
			options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
		},
		{
			destination: '/sys',
			type: 'sysfs',
			source: 'sysfs',
			options: ['nosuid', 'noexec', 'nodev', ...readOnly],
		},
		{
			destination: '/sys/fs/cgroup',
			type: 'cgroup',
			source: 'cgroup',
			options: [...(options.writableCgroups ? [] : readOnly), 'nosuid', 'noexec', 'nodev'],
		},
	];
	// It shows the queues of the namespace that it is mounted in, the host's or another container's too.
	mounts.push({
		destination: '/dev/mqueue',
		type: 'mqueue',
		source: 'mqueue',
		options: ['nosuid', 'noexec', 'nodev'],
	});
	const shmPath = host.IpcMode === 'host' ? '/dev/shm' : input.shmPath;
	if (shmPath) {
		mounts.push({
			destination: '/dev/shm',
			type: 'bind',
			source: shmPath,
			options: ['rbind', 'nosuid', 'noexec', 'nodev'],
		});
	} else if (host.IpcMode !== 'none') {
		const size = host.ShmSize || 64 << 20;
		mounts.push({
			destination: '/dev/shm',
			type: 'tmpfs',
			source: 'shm',
			options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${size}`],
		});
	}
	return mounts;
}

/** docker's: what is mounted below is read-only, too, where the kernel can make it so (5.12). */
function readOnlyWord({alone, below}: StoredMount, {kernel: [major, minor]}: SpecHost): 'ro' | 'rro' {
	if (below === 'readonly') return 'rro';
	const able = major > 5 || (major === 5 && minor >= 12);
	return able && !alone && below === undefined ? 'rro' : 'ro';
}

function userMounts(input: SpecInput, host: SpecHost): Mount[] {
	const mounts: Mount[] = [];
	for (const point of input.mounts) {
		if (point.Type === 'tmpfs') {
			const given = point.Mode ? point.Mode.split(',') : [];
			mounts.push({
				destination: point.Destination,
				type: 'tmpfs',
				source: 'tmpfs',
				options: ['nosuid', 'nodev', 'noexec', ...given],
			});
			continue;
		}
		const origin = input.origins?.[point.Destination];
		if (origin && 'lowers' in origin) {
			mounts.push({
				destination: point.Destination,
				type: 'overlay',
				source: 'overlay',
				options: ['ro', 'nodev', 'nosuid', `lowerdir=${origin.lowers.join(':')}`],
			});
			continue;
		}
		mounts.push({
			destination: point.Destination,
			type: 'bind',
			source: [point.from ?? point.Source, ...(point.subpath ? [point.subpath] : [])].join('/'),
			options: [
				point.alone ? 'bind' : 'rbind',
				point.RW && !point.sourceReadOnly ? 'rw' : readOnlyWord(point, host),
				point.Propagation || 'rprivate',
			],
		});
	}
	for (const edit of (input.grants?.edits ?? []).flatMap((each) => each.mounts)) {
		mounts.push({
			destination: edit.containerPath,
			type: edit.type,
			source: edit.hostPath,
			options:
				edit.type === 'bind' && !edit.options.some((option) => /^r?bind$/.test(option))
					? ['rbind', ...edit.options]
					: edit.options,
		});
	}
	const {files} = input;
	const taken = new Set(mounts.map((mount) => mount.destination));
	const bindFile = (source: string | undefined, destination: string): void => {
		if (!source || taken.has(destination)) return;
		const access = input.hostConfig.ReadonlyRootfs ? 'ro' : 'rw';
		mounts.push({destination, type: 'bind', source, options: ['rbind', 'rprivate', access]});
	};
	bindFile(files.resolvConf, '/etc/resolv.conf');
	bindFile(files.hostname, '/etc/hostname');
	bindFile(files.hosts, '/etc/hosts');
	if (input.hostConfig.Init) {
		mounts.push({
			destination: '/sbin/docker-init',
			type: 'bind',
			source: input.init,
			options: ['bind', 'ro', 'rprivate'],
		});
	}
	const depth = (path: string): number => path.split('/').filter(Boolean).length;
	return mounts.sort((a, b) => depth(a.destination) - depth(b.destination));
}

function namespaces(input: SpecInput, cgroupVersion: 1 | 2): LinuxNamespace[] {
	const {hostConfig: host, joined} = input;
	const list: LinuxNamespace[] = [{type: 'mount'}];
	const add = (type: LinuxNamespace['type'], mode: string, path: string | undefined): void => {
		if (path) list.push({type, path});
		else if (mode !== 'host') list.push({type});
	};
	add('network', host.NetworkMode, joined.network);
	if (host.UTSMode !== 'host') list.push({type: 'uts'});
	add('pid', host.PidMode, joined.pid);
	add('ipc', host.IpcMode, joined.ipc);
	const cgroup = host.CgroupnsMode || (cgroupVersion === 2 && !host.Privileged ? 'private' : 'host');
	if (cgroup === 'private') list.push({type: 'cgroup'});
	return list;
}

function seccompOf(
	options: SecurityOptions,
	capabilities: string[],
	privileged: boolean,
	host: SpecHost,
): LinuxSeccomp | undefined {
	const context = {capabilities, arch: host.arch, kernel: host.kernel};
	if (options.seccomp === 'unconfined') return undefined;
	if (options.seccomp !== undefined && options.seccomp !== 'builtin')
		return parseSeccompProfile(options.seccomp, context);
	return privileged ? undefined : host.defaultSeccomp(context);
}

function sysctls(input: SpecInput): Record<string, string> {
	const defaults: Record<string, string> = {};
	const {NetworkMode: network} = input.hostConfig;
	if (network !== 'host' && !input.joined.network) {
		defaults['net.ipv4.ip_unprivileged_port_start'] = '0';
		defaults['net.ipv4.ping_group_range'] = '0 2147483647';
	}
	return {...defaults, ...input.hostConfig.Sysctls};
}

const namespacedKernelSysctls = new Set([
	'kernel.msgmax',
	'kernel.msgmnb',
	'kernel.msgmni',
	'kernel.sem',
	'kernel.shmall',
	'kernel.shmmax',
	'kernel.shmmni',
	'kernel.shm_rmid_forced',
]);

/** Only sysctls of a namespace that the container has to itself may be set (CVE-2022-0811). */
export function checkSysctls(host: HostSettings): void {
	for (const [key, value] of Object.entries(host.Sysctls ?? {})) {
		if (!/^[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)+$/.test(key) || /[\n\0]/.test(value)) {
			throw new WherryError('invalid', `sysctl "${key}" is not allowed: it is not a sysctl's name`);
		}
		const ipc = namespacedKernelSysctls.has(key) || key.startsWith('fs.mqueue.');
		const network = key.startsWith('net.');
		const uts = key === 'kernel.domainname' || key === 'kernel.hostname';
		if (!ipc && !network && !uts)
			throw new WherryError('invalid', `sysctl "${key}" is not in a separate kernel namespace`);
		if (network && host.NetworkMode === 'host') {
			throw new WherryError('invalid', `sysctl "${key}" not allowed in host network namespace`);
		}
		if (ipc && host.IpcMode === 'host')
			throw new WherryError('invalid', `sysctl "${key}" not allowed in host ipc namespace`);
	}
}

/** `RLIMIT_NOFILE` for `nofile`; docker's -1 is the kernel's largest number. */
function rlimits(host: HostSettings): Rlimit[] {
	const value = (limit: number): number | bigint => (limit < 0 ? 2n ** 64n - 1n : limit);
	return (host.Ulimits ?? []).map((limit) => ({
		type: `RLIMIT_${limit.Name.toUpperCase()}`,
		soft: value(limit.Soft),
		hard: value(limit.Hard),
	}));
}

function hooksOf(edits: readonly ContainerEdits[]): Hooks | undefined {
	const given = edits.flatMap((each) => each.hooks);
	if (given.length === 0) return undefined;
	const hooks: Record<string, Hook[]> = {};
	for (const {name, hook} of given) hooks[name] = [...(hooks[name] ?? []), hook];
	return hooks;
}

export function buildSpec(input: SpecInput, host: SpecHost): Spec {
	const {config, hostConfig} = input;
	const options = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
	checkSysctls(hostConfig);
	const capabilities = capabilitySet({
		add: hostConfig.CapAdd ?? [],
		drop: hostConfig.CapDrop ?? [],
		privileged: hostConfig.Privileged,
	}).filter(
		(name) => capabilityNames.indexOf(name as (typeof capabilityNames)[number]) <= host.lastCapability,
	);
	const seccomp = seccompOf(options, capabilities, hostConfig.Privileged, host);
	const masks = options.systemPaths && !hostConfig.Privileged;
	const thermal = masks ? host.thermalThrottle() : [];
	const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
	const numericUser = /^(\d+)(?::(\d+))?$/.exec(config.User);
	const {apparmor, edits} = input.grants ?? noGrants;
	const devices = devicesOf(hostConfig, edits, Number(numericUser?.[1] ?? 0), host);
	const additionalGids = edits.flatMap((edit) => edit.additionalGids);
	const hooks = hooksOf(edits);
	if (config.Domainname && hostConfig.UTSMode === 'host') {
		throw new WherryError('invalid', 'sysctl "kernel.domainname" is not in a separate kernel namespace');
	}
	// What a user mounts there is instead of ours, not over it.
	const own = new Set<string>(
		input.mounts
			.map((point) => point.Destination)
			.filter((path) => path === '/dev/shm' || path === '/dev/mqueue'),
	);

	return {
		ociVersion: '1.0.2',
		process: {
			terminal: config.Tty,
			user: {
				uid: Number(numericUser?.[1] ?? 0),
				gid: Number(numericUser?.[2] ?? 0),
				...(additionalGids.length > 0 ? {additionalGids} : {}),
			},
			args: hostConfig.Init ? ['/sbin/docker-init', '--', ...command] : command,
			env: environment(
				config,
				edits.flatMap(({env}) => env),
			),
			cwd: config.WorkingDir || '/',
			capabilities: {bounding: capabilities, effective: capabilities, permitted: capabilities},
			...(hostConfig.Ulimits?.length ? {rlimits: rlimits(hostConfig)} : {}),
			noNewPrivileges: options.noNewPrivileges,
			oomScoreAdj: hostConfig.OomScoreAdj,
			...(apparmor ? {apparmorProfile: apparmor} : {}),
			...(input.labels?.process ? {selinuxLabel: input.labels.process} : {}),
		},
		root: {path: input.rootPath, readonly: hostConfig.ReadonlyRootfs},
		...(hostConfig.UTSMode === 'host' ? {} : {hostname: config.Hostname}),
		...(config.Domainname ? {domainname: config.Domainname} : {}),
		mounts: [
			...defaultMounts(input, options).filter(({destination}) => !own.has(destination)),
			...userMounts(input, host),
		],
		...(hooks ? {hooks} : {}),
		...(hostConfig.Annotations ? {annotations: hostConfig.Annotations} : {}),
		linux: {
			namespaces: namespaces(input, host.cgroupVersion),
			devices: devices.nodes,
			resources: linuxResources(hostConfig, devices.rules, throttlesOf(hostConfig, host)),
			cgroupsPath: cgroupPath(containerCgroup({Id: input.id, HostConfig: hostConfig})),
			...(input.labels?.mount ? {mountLabel: input.labels.mount} : {}),
			sysctl: sysctls(input),
			maskedPaths: masks
				? (hostConfig.MaskedPaths ?? [
						...maskedPaths,
						...thermal.map((cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`),
					])
				: [],
			readonlyPaths: masks ? (hostConfig.ReadonlyPaths ?? [...readonlyPaths]) : [],
			...(seccomp ? {seccomp} : {}),
		},
	};
}
