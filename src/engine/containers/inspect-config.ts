/**
 * `Config` and `HostConfig` as docker shows them: every member, in docker's order, with what docker has where
 * nothing was said. Pure.
 */
import type {ContainerConfig, HostConfig} from '../api.ts';
import {shownPaths} from './masked-paths.ts';

/** Members that docker leaves out when they say nothing. */
const absent = Symbol('absent');

type Members = readonly (readonly [name: string, otherwise: unknown])[];

const configMembers: Members = [
	['Hostname', ''],
	['Domainname', ''],
	['User', ''],
	['AttachStdin', false],
	['AttachStdout', false],
	['AttachStderr', false],
	['ExposedPorts', absent],
	['Tty', false],
	['OpenStdin', false],
	['StdinOnce', false],
	['Env', null],
	['Cmd', null],
	['Healthcheck', absent],
	['Image', ''],
	['Volumes', null],
	['WorkingDir', ''],
	['Entrypoint', null],
	['OnBuild', null],
	['Labels', {}],
	['StopSignal', absent],
	['StopTimeout', absent],
	['Shell', absent],
];

const hostMembers: Members = [
	['Binds', null],
	['ContainerIDFile', ''],
	['LogConfig', {Type: 'json-file', Config: {}}],
	['NetworkMode', 'bridge'],
	['PortBindings', {}],
	['RestartPolicy', {Name: 'no', MaximumRetryCount: 0}],
	['AutoRemove', false],
	['VolumeDriver', ''],
	['VolumesFrom', null],
	['ConsoleSize', [0, 0]],
	['Annotations', absent],
	['CapAdd', null],
	['CapDrop', null],
	['CgroupnsMode', 'private'],
	['Dns', []],
	['DnsOptions', []],
	['DnsSearch', []],
	['ExtraHosts', null],
	['GroupAdd', null],
	['IpcMode', 'private'],
	['Cgroup', ''],
	['Links', null],
	['OomScoreAdj', 0],
	['PidMode', ''],
	['Privileged', false],
	['PublishAllPorts', false],
	['ReadonlyRootfs', false],
	['SecurityOpt', null],
	['StorageOpt', absent],
	['Tmpfs', absent],
	['UTSMode', ''],
	['UsernsMode', ''],
	['ShmSize', 0],
	['Sysctls', absent],
	['Runtime', ''],
	['Isolation', ''],
	['CpuShares', 0],
	['Memory', 0],
	['NanoCpus', 0],
	['CgroupParent', ''],
	['BlkioWeight', 0],
	['BlkioWeightDevice', []],
	['BlkioDeviceReadBps', []],
	['BlkioDeviceWriteBps', []],
	['BlkioDeviceReadIOps', []],
	['BlkioDeviceWriteIOps', []],
	['CpuPeriod', 0],
	['CpuQuota', 0],
	['CpuRealtimePeriod', 0],
	['CpuRealtimeRuntime', 0],
	['CpusetCpus', ''],
	['CpusetMems', ''],
	['Devices', []],
	['DeviceCgroupRules', null],
	['DeviceRequests', null],
	['MemoryReservation', 0],
	['MemorySwap', 0],
	['MemorySwappiness', null],
	['OomKillDisable', null],
	['PidsLimit', null],
	['Ulimits', []],
	['CpuCount', 0],
	['CpuPercent', 0],
	['IOMaximumIOps', 0],
	['IOMaximumBandwidth', 0],
	['Mounts', absent],
	['MaskedPaths', null],
	['ReadonlyPaths', null],
	['Init', absent],
];

/** Lists of which docker has an empty one where ours has none. */
const emptyLists: ReadonlySet<string> = new Set(['Devices', 'Ulimits']);

function complete(members: Members, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
	const shown: Record<string, unknown> = {};
	for (const [name, otherwise] of members) {
		const value = given[name];
		if (otherwise !== absent) {
			shown[name] = value === undefined || (value === null && emptyLists.has(name)) ? otherwise : value;
		} else if (value !== undefined && value !== null && !isEmpty(value)) shown[name] = value;
	}
	// What docker doesn't have comes last.
	for (const name of Object.keys(given))
		if (!Object.hasOwn(shown, name) && !known.has(name)) shown[name] = given[name];
	return shown;
}

const known: ReadonlySet<string> = new Set([...configMembers, ...hostMembers].map(([name]) => name));

const isEmpty = (value: unknown): boolean =>
	value === '' || (typeof value === 'object' && Object.keys(value as object).length === 0);

export const shownConfig = (config: ContainerConfig): ContainerConfig =>
	complete(configMembers, {...config}) as unknown as ContainerConfig;

/** `links` are those of the default bridge, as paths. */
export function shownHostConfig(host: HostConfig, links: readonly string[] | null): HostConfig {
	const given = {...host, Links: links, ...shownPaths(host)};
	return complete(hostMembers, given) as unknown as HostConfig;
}
