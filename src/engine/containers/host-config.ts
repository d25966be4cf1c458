/** docker's `HostConfig`: the defaults, and what contradicts itself. Pure but for the host's CPU count. */
import {availableParallelism} from 'node:os';
import type {ContainerConfig, HostConfig} from '../api.ts';
import {WherryError} from '../errors.ts';

const MiB = 1 << 20;
const minimumMemory = 6 * MiB;

const defaults: HostConfig = {
	Binds: null,
	ContainerIDFile: '',
	LogConfig: {Type: 'json-file', Config: {}},
	NetworkMode: 'none',
	PortBindings: {},
	RestartPolicy: {Name: 'no', MaximumRetryCount: 0},
	AutoRemove: false,
	VolumesFrom: null,
	CapAdd: null,
	CapDrop: null,
	CgroupnsMode: 'private',
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

/** What the user set over the defaults; an empty mode means the default, as in docker's API. */
export function completeHostConfig(user: Partial<HostConfig>): HostConfig {
	const host: HostConfig = {...defaults, ...user};
	// Until there is a bridge, a container whose network nobody chose has its loopback only.
	if (host.NetworkMode === '' || host.NetworkMode === 'default') host.NetworkMode = 'none';
	host.RestartPolicy = {
		Name: user.RestartPolicy?.Name || 'no',
		MaximumRetryCount: user.RestartPolicy?.MaximumRetryCount ?? 0,
	};
	host.LogConfig = {Type: user.LogConfig?.Type || 'json-file', Config: user.LogConfig?.Config ?? {}};
	host.IpcMode ||= 'private';
	host.CgroupnsMode ||= host.Privileged ? 'host' : 'private';
	host.ShmSize ||= defaults.ShmSize;
	host.Runtime ||= defaults.Runtime;
	// As much swap as memory is docker's meaning of a memory limit alone.
	if (host.Memory > 0 && host.MemorySwap === 0) host.MemorySwap = host.Memory * 2;
	return host;
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
	if (host.Memory < 0 || host.MemoryReservation < 0 || host.CpuShares < 0) {
		fail('invalid value: memory and CPU limits can not be less than 0');
	}
	if (host.OomScoreAdj < -1000 || host.OomScoreAdj > 1000) {
		fail(`Invalid value ${host.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
	}
}

function checkMemory(host: HostConfig): void {
	const {Memory, MemorySwap, MemoryReservation, MemorySwappiness} = host;
	if (Memory !== 0 && Memory < minimumMemory) fail('Minimum memory limit allowed is 6MB');
	if (Memory > 0 && MemorySwap > 0 && MemorySwap < Memory) {
		fail('Minimum memoryswap limit should be larger than memory limit, see usage');
	}
	if (Memory === 0 && MemorySwap > 0) {
		fail('You should always set the Memory limit when using Memoryswap limit, see usage');
	}
	if (MemorySwap < -1) fail(`invalid value for memory-swap: ${MemorySwap}`);
	if (MemorySwappiness !== null && (MemorySwappiness < -1 || MemorySwappiness > 100)) {
		fail(`Invalid value: ${MemorySwappiness}, valid memory swappiness range is 0-100`);
	}
	if (MemoryReservation > 0 && MemoryReservation < minimumMemory) {
		fail('Minimum memory reservation allowed is 6MB');
	}
	if (Memory > 0 && MemoryReservation > 0 && Memory < MemoryReservation) {
		fail('Minimum memory limit can not be less than memory reservation limit, see usage');
	}
}

function checkCpu(host: HostConfig): void {
	const {NanoCpus, CpuPeriod, CpuQuota, BlkioWeight} = host;
	if (NanoCpus > 0 && CpuPeriod > 0) fail('Conflicting options: Nano CPUs and CPU Period cannot both be set');
	if (NanoCpus > 0 && CpuQuota > 0) fail('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
	const cpus = availableParallelism();
	if (NanoCpus < 0 || NanoCpus > cpus * 1e9) {
		fail(`Range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`);
	}
	if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000)) {
		fail('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
	}
	if (CpuQuota > 0 && CpuQuota < 1000) fail('CPU cfs quota can not be less than 1ms (i.e. 1000)');
	for (const [what, list] of [
		['cpus', host.CpusetCpus],
		['mems', host.CpusetMems],
	] as const) {
		if (list && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(list)) fail(`Invalid value ${list} for cpuset ${what}`);
	}
	if (BlkioWeight !== 0 && (BlkioWeight < 10 || BlkioWeight > 1000)) {
		fail('Range of blkio weight is from 10 to 1000');
	}
}

const byteSize = /^\d+(\.\d+)?\s?([kmgtp]i?)?b?$/i;

function checkLog({Type, Config}: HostConfig['LogConfig']): void {
	if (Type !== 'json-file' && Type !== 'none') {
		fail(
			`logger: no log driver named '${Type}' is registered; the drivers are json-file and none`,
			'unsupported',
		);
	}
	for (const [key, value] of Object.entries(Config)) {
		if (Type === 'none') fail(`unknown log opt '${key}' for none log driver`);
		if (key === 'max-size') {
			if (value !== '-1' && !byteSize.test(value)) fail(`invalid size: '${value}'`);
		} else if (key === 'max-file') {
			if (!/^\d+$/.test(value)) fail(`invalid max-file: ${value}`);
			if (Number(value) < 1) fail('max-file cannot be less than 1');
		} else if (
			key === 'compress' ||
			key === 'labels' ||
			key === 'labels-regex' ||
			key === 'env' ||
			key === 'env-regex' ||
			key === 'tag' ||
			key === 'mode' ||
			key === 'max-buffer-size'
		) {
			fail(`log opt '${key}' is not supported yet`, 'unsupported');
		} else fail(`unknown log opt '${key}' for json-file log driver`);
	}
}

function checkRestart(host: HostConfig): void {
	const {Name, MaximumRetryCount} = host.RestartPolicy;
	if (!['no', 'always', 'on-failure', 'unless-stopped'].includes(Name)) {
		fail(
			`invalid restart policy: unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
		);
	}
	if (MaximumRetryCount !== 0 && Name !== 'on-failure') {
		fail("invalid restart policy: maximum retry count can only be used with 'on-failure'");
	}
	if (MaximumRetryCount < 0) fail('invalid restart policy: maximum retry count cannot be negative');
	if (host.AutoRemove && Name !== 'no') fail("can't create 'AutoRemove' container with restart policy");
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
	if (host.Isolation !== '' && host.Isolation !== 'default') fail(`invalid isolation: ${host.Isolation}`);
	if (host.CgroupParent !== '') fail('--cgroup-parent is not supported yet', 'unsupported');
}

/** What the network's mode excludes; `config` is what the user gave, without any default. */
export function checkNetwork(user: Partial<ContainerConfig>, host: HostConfig): void {
	const mode = host.NetworkMode;
	const published = Object.keys(host.PortBindings ?? {}).length > 0 || host.PublishAllPorts;
	if (host.UTSMode === 'host' && user.Hostname) fail('conflicting options: hostname and the UTS mode');
	if (mode.startsWith('container:')) {
		if (mode === 'container:') fail('invalid container format container:<name|id>');
		if (user.Hostname) fail('conflicting options: hostname and the network mode');
		if (host.Dns.length > 0) fail('conflicting options: dns and the network mode');
		if (host.ExtraHosts?.length) {
			fail('conflicting options: custom host-to-IP mapping and the network mode');
		}
		if (published) fail('conflicting options: port publishing and the container type network mode');
		return;
	}
	if (mode !== 'none' && mode !== 'host') {
		fail(
			`network ${mode} is not supported yet: only --network none, host and container:<name|id> are`,
			'unsupported',
		);
	}
	// docker takes ports without a network and drops them; with none they would only seem to be open.
	if (published && mode === 'none') {
		fail('publishing ports (-p, -P) is not supported yet: use --network host', 'unsupported');
	}
	for (const entry of host.ExtraHosts ?? []) {
		if (!/^[^:=\s]+[:=][0-9a-fA-F.:[\]]+$/.test(entry) && !/^[^:=\s]+[:=]host-gateway$/.test(entry)) {
			fail(`invalid IP address in add-host: "${entry.slice(entry.search(/[:=]/) + 1)}"`);
		}
	}
}

/** Throws `invalid`, or `unsupported` for what is known but not there yet. */
export function checkHostConfig(user: Partial<ContainerConfig>, host: HostConfig): void {
	checkNumbers(host);
	checkMemory(host);
	checkCpu(host);
	checkLog(host.LogConfig);
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
