/** docker's `HostConfig`: the defaults, and what contradicts itself. Limits are checked in runtime/cgroups. Pure. */
import type {ContainerConfig, HostConfig} from '../api.ts';
import {WherryError} from '../errors.ts';
import {ipVersion} from '../networks/address.ts';
import {parseSecurityOptions} from '../security/options.ts';
import {parentPath} from './cgroup.ts';
import {checkLogConfig} from './log-config.ts';

const MiB = 1 << 20;

const defaults: HostConfig = {
	Binds: null,
	ContainerIDFile: '',
	LogConfig: {Type: 'json-file', Config: {}},
	NetworkMode: 'bridge',
	PortBindings: {},
	RestartPolicy: {Name: 'no', MaximumRetryCount: 0},
	AutoRemove: false,
	VolumesFrom: null,
	CapAdd: null,
	CapDrop: null,
	CgroupnsMode: '',
	Dns: [],
	DnsOptions: [],
	DnsSearch: [],
	ExtraHosts: null,
	GroupAdd: null,
	IpcMode: 'private',
	OomScoreAdj: 0,
	PidMode: '',
	Privileged: false,
	PublishAllPorts: false,
	ReadonlyRootfs: false,
	SecurityOpt: null,
	UTSMode: '',
	UsernsMode: '',
	ShmSize: 64 * MiB,
	Runtime: 'wherry',
	Isolation: '',
	CpuShares: 0,
	Memory: 0,
	NanoCpus: 0,
	CgroupParent: '',
	BlkioWeight: 0,
	CpuPeriod: 0,
	CpuQuota: 0,
	CpusetCpus: '',
	CpusetMems: '',
	Devices: null,
	DeviceCgroupRules: null,
	MemoryReservation: 0,
	MemorySwap: 0,
	MemorySwappiness: null,
	OomKillDisable: null,
	Init: null,
	PidsLimit: null,
	Ulimits: null,
	MaskedPaths: null,
	ReadonlyPaths: null,
};

/**
 * What the user set over the defaults; an empty mode means the default, as in docker's API. On cgroup v1 that is the
 * host's cgroup namespace: programs look for the container's id in /proc/self/cgroup there.
 */
export function completeHostConfig(
	user: Partial<HostConfig>,
	options: {cgroupVersion?: 1 | 2} = {},
): HostConfig {
	const host: HostConfig = {...defaults, ...user};
	if (host.NetworkMode === '' || host.NetworkMode === 'default') host.NetworkMode = 'bridge';
	host.RestartPolicy = {
		Name: user.RestartPolicy?.Name || 'no',
		MaximumRetryCount: user.RestartPolicy?.MaximumRetryCount ?? 0,
	};
	host.LogConfig = {Type: user.LogConfig?.Type || 'json-file', Config: user.LogConfig?.Config ?? {}};
	host.IpcMode ||= 'private';
	host.CgroupnsMode ||= host.Privileged || options.cgroupVersion === 1 ? 'host' : 'private';
	host.SecurityOpt = withoutLabels(host);
	host.ShmSize ||= defaults.ShmSize;
	host.Runtime ||= defaults.Runtime;
	return host;
}

/** As docker: what reaches into the host isn't kept apart by SELinux, unless the user says so. */
function withoutLabels({SecurityOpt, Privileged, PidMode, IpcMode}: HostConfig): string[] | null {
	const reaches = Privileged || PidMode === 'host' || IpcMode === 'host';
	if (!reaches || SecurityOpt?.some((option) => /^label[=:]/.test(option))) return SecurityOpt;
	return [...(SecurityOpt ?? []), 'label=disable'];
}

type Fail = (message: string, code?: 'invalid' | 'unsupported') => never;

const fail: Fail = (message, code = 'invalid') => {
	throw new WherryError(code, message);
};

function checkNumbers(host: HostConfig): void {
	const unsigned = [
		'ShmSize',
		'CpuShares',
		'Memory',
		'NanoCpus',
		'BlkioWeight',
		'CpuPeriod',
		'MemoryReservation',
	] as const;
	for (const key of [...unsigned, 'CpuQuota', 'MemorySwap', 'OomScoreAdj'] as const) {
		if (!Number.isSafeInteger(host[key])) fail(`invalid value for ${key}: ${host[key]}`);
	}
	if (host.ShmSize < 0) fail('SHM size can not be less than 0');
	if (host.Memory < 0 || host.MemoryReservation < 0) {
		fail('invalid value: memory limits can not be less than 0');
	}
}

/** Throws `invalid`. */
export function checkRestartPolicy({Name, MaximumRetryCount}: HostConfig['RestartPolicy']): void {
	if (!['no', 'always', 'on-failure', 'unless-stopped'].includes(Name)) {
		fail(
			`invalid restart policy: unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
		);
	}
	if (MaximumRetryCount !== 0 && Name !== 'on-failure') {
		fail("invalid restart policy: maximum retry count can only be used with 'on-failure'");
	}
	if (MaximumRetryCount < 0) fail('invalid restart policy: maximum retry count cannot be negative');
}

function checkRestart({RestartPolicy, AutoRemove}: HostConfig): void {
	checkRestartPolicy(RestartPolicy);
	if (AutoRemove && RestartPolicy.Name !== 'no') {
		fail("can't create 'AutoRemove' container with restart policy");
	}
}

function checkModes(host: HostConfig): void {
	const joins = (mode: string) => /^container:.+$/.test(mode);
	if (!['none', 'private', 'shareable', 'host'].includes(host.IpcMode) && !joins(host.IpcMode)) {
		fail(`invalid IPC mode: ${host.IpcMode}`);
	}
	if (host.PidMode !== '' && host.PidMode !== 'host' && !joins(host.PidMode)) {
		fail(`invalid PID mode: ${host.PidMode}`);
	}
	if (host.UTSMode !== '' && host.UTSMode !== 'host') fail(`invalid UTS mode: ${host.UTSMode}`);
	if (host.UsernsMode !== '' && host.UsernsMode !== 'host') fail(`invalid USER mode: ${host.UsernsMode}`);
	if (!['private', 'host'].includes(host.CgroupnsMode)) {
		fail(`invalid cgroup namespace mode: ${host.CgroupnsMode}`);
	}
	if (!['wherry', 'runc', 'crun', 'io.containerd.runc.v2'].includes(host.Runtime)) {
		fail(`unknown or invalid runtime name: ${host.Runtime}`);
	}
	if (host.Isolation !== '' && host.Isolation !== 'default') {
		fail(`invalid isolation: ${JSON.stringify(host.Isolation)} - linux only supports 'default'`);
	}
	parentPath(host.CgroupParent);
	parseSecurityOptions(host.SecurityOpt ?? []);
}

/** Without a network there is nothing that a link could do: docker takes them and leaves them be. */
function checkLinks({Links, NetworkMode}: HostConfig): void {
	if (!Links?.length) return;
	const what = NetworkMode === 'host' ? 'host type networking' : 'container type network';
	fail(`conflicting options: ${what} can't be used with links. This would result in undefined behavior`);
}

/** What the network's mode excludes; `config` is what the user gave, without any default. */
export function checkNetwork(user: Partial<ContainerConfig>, host: HostConfig): void {
	const mode = host.NetworkMode;
	for (const server of host.Dns) {
		if (ipVersion(server) === 0) fail(`invalid DNS server: ${server} is not an IP address`);
	}
	const published = Object.keys(host.PortBindings ?? {}).length > 0 || host.PublishAllPorts;
	if (host.UTSMode === 'host' && user.Hostname) fail('conflicting options: hostname and the UTS mode');
	if (mode === 'container') fail('invalid container format container:<name|id>');
	if (mode.startsWith('container:')) {
		if (mode === 'container:') fail('invalid container format container:<name|id>');
		if (user.Hostname) fail('conflicting options: hostname and the network mode');
		checkLinks(host);
		if (host.Dns.length > 0) fail('conflicting options: dns and the network mode');
		if (host.ExtraHosts?.length) {
			fail('conflicting options: custom host-to-IP mapping and the network mode');
		}
		if (published) fail('conflicting options: port publishing and the container type network mode');
		if (Object.keys(user.ExposedPorts ?? {}).length > 0) {
			fail('conflicting options: port exposing and the container type network mode');
		}
		return;
	}
	if (mode === 'host') checkLinks(host);
	for (const entry of host.ExtraHosts ?? []) {
		if (!/^[^:=\s]+[:=][0-9a-fA-F.:[\]]+$/.test(entry) && !/^[^:=\s]+[:=]host-gateway$/.test(entry)) {
			fail(`invalid IP address in add-host: "${entry.slice(entry.search(/[:=]/) + 1)}"`);
		}
	}
}

/** Throws `invalid`, or `unsupported` for what is known but not there yet. */
export function checkHostConfig(user: Partial<ContainerConfig>, host: HostConfig): void {
	checkNumbers(host);
	checkLogConfig(host.LogConfig);
	checkRestart(host);
	checkModes(host);
	checkNetwork(user, host);
	for (const device of host.Devices ?? []) {
		if (!/^[rwm]{1,3}$/.test(device.CgroupPermissions || 'rwm')) {
			fail(`invalid device mode: ${device.CgroupPermissions}`);
		}
		if (!device.PathInContainer.startsWith('/')) {
			fail(`invalid device path: ${device.PathInContainer} is not an absolute path`);
		}
	}
}
