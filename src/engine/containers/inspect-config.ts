/**
 * `Config` and `HostConfig` as docker shows them: every member, in docker's order, with what docker has where
 * nothing was said. Members that docker leaves out when they say nothing are undefined. Pure.
 */
import type {ContainerConfig, HostConfig} from '../api.ts';
import {bindingsOf, exposedOf} from '../networks/port-ranges.ts';
import {sortedKeys} from '../sorted.ts';
import {shownPaths} from './masked-paths.ts';
import type {StoredConfig, StoredHostConfig} from './record.ts';

const config: Readonly<Record<string, unknown>> = {
	Hostname: '',
	Domainname: '',
	User: '',
	AttachStdin: false,
	AttachStdout: false,
	AttachStderr: false,
	ExposedPorts: undefined,
	Tty: false,
	OpenStdin: false,
	StdinOnce: false,
	Env: null,
	Cmd: null,
	Healthcheck: undefined,
	Image: '',
	Volumes: null,
	WorkingDir: '',
	Entrypoint: null,
	OnBuild: null,
	Labels: {},
	StopSignal: undefined,
	StopTimeout: undefined,
	Shell: undefined,
};

const host: Readonly<Record<string, unknown>> = {
	Binds: null,
	ContainerIDFile: '',
	LogConfig: {Type: 'json-file', Config: {}},
	NetworkMode: 'bridge',
	PortBindings: {},
	RestartPolicy: {Name: 'no', MaximumRetryCount: 0},
	AutoRemove: false,
	VolumeDriver: '',
	VolumesFrom: null,
	ConsoleSize: [0, 0],
	Annotations: undefined,
	CapAdd: null,
	CapDrop: null,
	CgroupnsMode: 'private',
	Dns: [],
	DnsOptions: [],
	DnsSearch: [],
	ExtraHosts: null,
	GroupAdd: null,
	IpcMode: 'private',
	Cgroup: '',
	Links: null,
	OomScoreAdj: 0,
	PidMode: '',
	Privileged: false,
	PublishAllPorts: false,
	ReadonlyRootfs: false,
	SecurityOpt: null,
	StorageOpt: undefined,
	Tmpfs: undefined,
	UTSMode: '',
	UsernsMode: '',
	ShmSize: 0,
	Sysctls: undefined,
	Runtime: '',
	Isolation: '',
	CpuShares: 0,
	Memory: 0,
	NanoCpus: 0,
	CgroupParent: '',
	BlkioWeight: 0,
	BlkioWeightDevice: [],
	BlkioDeviceReadBps: [],
	BlkioDeviceWriteBps: [],
	BlkioDeviceReadIOps: [],
	BlkioDeviceWriteIOps: [],
	CpuPeriod: 0,
	CpuQuota: 0,
	CpuRealtimePeriod: 0,
	CpuRealtimeRuntime: 0,
	CpusetCpus: '',
	CpusetMems: '',
	Devices: [],
	DeviceCgroupRules: null,
	DeviceRequests: null,
	MemoryReservation: 0,
	MemorySwap: 0,
	MemorySwappiness: null,
	OomKillDisable: null,
	PidsLimit: null,
	Ulimits: [],
	CpuCount: 0,
	CpuPercent: 0,
	IOMaximumIOps: 0,
	IOMaximumBandwidth: 0,
	Mounts: undefined,
	MaskedPaths: null,
	ReadonlyPaths: null,
	Init: undefined,
};

/** Lists of which docker has an empty one where ours has none. */
const emptyLists = [
	'Devices',
	'Ulimits',
	'BlkioWeightDevice',
	'BlkioDeviceReadBps',
	'BlkioDeviceWriteBps',
	'BlkioDeviceReadIOps',
	'BlkioDeviceWriteIOps',
];

const maps = [
	'ExposedPorts',
	'Volumes',
	'Labels',
	'PortBindings',
	'Annotations',
	'StorageOpt',
	'Tmpfs',
	'Sysctls',
];

function sortMaps(members: Record<string, unknown>): void {
	for (const name of maps) {
		const map = members[name];
		if (typeof map === 'object' && map !== null) members[name] = sortedKeys(map as Record<string, unknown>);
	}
}

const optionalOf = (members: Readonly<Record<string, unknown>>): string[] =>
	Object.keys(members).filter((name) => members[name] === undefined);

const optionalConfig = optionalOf(config);
const optionalHost = optionalOf(host);

const isEmpty = (value: unknown): boolean =>
	value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);

function leaveOut(members: Record<string, unknown>, names: readonly string[]): void {
	for (const name of names) {
		if (members[name] !== undefined && isEmpty(members[name])) members[name] = undefined;
	}
}

export function shownConfig({ExposedPorts, ...given}: StoredConfig): ContainerConfig {
	const exposed = ExposedPorts && exposedOf(ExposedPorts);
	const shown: Record<string, unknown> = {...config, ...given, ExposedPorts: exposed};
	leaveOut(shown, optionalConfig);
	sortMaps(shown);
	return shown as unknown as ContainerConfig;
}

/** `links` are those of the default bridge, as paths. */
export function shownHostConfig(given: StoredHostConfig, links: readonly string[] | null): HostConfig {
	const shown: Record<string, unknown> = {
		...host,
		...given,
		PortBindings: bindingsOf(given.PortBindings),
		Links: links,
		...shownPaths(given),
	};
	for (const name of emptyLists) shown[name] ??= [];
	leaveOut(shown, optionalHost);
	sortMaps(shown);
	return shown as unknown as HostConfig;
}
