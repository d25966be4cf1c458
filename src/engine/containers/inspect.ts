/** docker's `inspect` of a container. */
import {existsSync, readdirSync} from 'node:fs';
import {basename} from 'node:path';
import type {MonitorState} from '../../runtime/monitor-protocol.ts';
import type {ContainerInspect, MountPoint} from '../api.ts';
import {readIfThere} from '../files.ts';
import {
	type EndpointInspect,
	type InspectInput,
	networkSettings,
	nominalEndpoint,
} from '../networks/inspect.ts';
import {namesOf} from '../networks/names.ts';
import {readNetwork} from '../networks/record.ts';
import {hasEndpoints, noNetwork, readNetworkState} from '../networks/state.ts';
import type {Paths} from '../paths.ts';
import {wantedProfile} from '../security/apparmor.ts';
import {apparmorEnabled} from '../security/apparmor-enabled.ts';
import {sortedKeys} from '../sorted.ts';
import type {EngineContext} from './context.ts';
import {healthState} from './health.ts';
import {shownConfig, shownHostConfig} from './inspect-config.ts';
import {isId} from './names.ts';
import {
	type ContainerRecord,
	currentState,
	findContainer,
	healthLogPath,
	isUp,
	logPath,
	type StoredHostConfig,
} from './record.ts';
import {storageDriver} from './storage.ts';

/** Without what only the engine needs; a tmpfs of --tmpfs is in HostConfig alone, as docker has it. */
export function publicMounts({Mounts, HostConfig}: ContainerRecord): MountPoint[] {
	return Mounts.filter(
		({Type, Destination}) => Type !== 'tmpfs' || HostConfig.Tmpfs?.[Destination] === undefined,
	).map(({Type, Name, Source, Destination, Driver, Mode, RW, Propagation}) => ({
		Type,
		...(Name === undefined ? {} : {Name}),
		Source,
		Destination,
		...(Driver === undefined ? {} : {Driver}),
		// Options of a tmpfs are in HostConfig.
		Mode: Type === 'tmpfs' ? '' : Mode,
		RW,
		Propagation,
	}));
}

const noFiles: ReadonlySet<string> = new Set();

function filesOf(folder: string): ReadonlySet<string> {
	try {
		return new Set(readdirSync(folder));
	} catch {
		return noFiles;
	}
}

/** The execs that run, as the monitor notes them. */
function execIds(folder: string): string[] | null {
	const ids = [...filesOf(`${folder}/execs`)].filter(isId);
	return ids.length > 0 ? ids.sort() : null;
}

/** docker's HostConfig has links as paths. */
async function shownLinks(context: EngineContext, record: ContainerRecord): Promise<string[] | null> {
	if (!record.HostConfig.Links?.length) return null;
	const links = (await import('./links.ts')).linkNames(context, record);
	return links.map(({name, alias}) => `/${name}:/${record.Name}/${alias}`);
}

/** Only cgroup v1 has a switch for the OOM killer; there docker says that it is not off. */
const oomKiller = (host: StoredHostConfig): StoredHostConfig => ({
	...host,
	OomKillDisable: host.OomKillDisable ?? (existsSync('/sys/fs/cgroup/cgroup.controllers') ? null : false),
});

/**
 * Where the root file system is. Nothing is mounted on the host: while a container is up its merged view is that
 * of its first process; otherwise there is none, and docker's path doesn't exist either.
 */
function graphDriver(paths: Paths, record: ContainerRecord, pid: number): Record<string, unknown> {
	const driver = storageDriver(paths);
	if (driver !== 'overlay2') return {Data: null, Name: driver};
	const folder = paths.container(record.Id);
	return {
		Data: {
			ID: record.Id,
			LowerDir: record.layers
				.map((key) => `${paths.layer(key)}/fs`)
				.toReversed()
				.join(':'),
			MergedDir: pid > 0 ? `/proc/${pid}/root` : `${folder}/merged`,
			UpperDir: `${folder}/upper`,
			WorkDir: `${folder}/work`,
		},
		Name: driver,
	};
}

/** What of networks is shown of a container, with its addresses and ports while it is up. */
export function networkInput(paths: Paths, record: ContainerRecord, state: MonitorState): InspectInput {
	const up = isUp(state);
	return {
		mode: record.HostConfig.NetworkMode,
		settings: record.Networks,
		state: up && hasEndpoints(record) ? readNetworkState(paths, record.Id) : noNetwork,
		exposed: record.Config.ExposedPorts,
		names: (endpoint) => namesOf(record, endpoint),
		sandbox: up && state.pid > 0 ? `/proc/${state.pid}/ns/net` : '',
		id: record.Id,
	};
}

/** One that has run is still shown with the ids of its networks. */
function shownNetworks(paths: Paths, record: ContainerRecord, state: MonitorState): Record<string, unknown> {
	const settings = networkSettings(networkInput(paths, record, state));
	const networks = settings.Networks as Record<string, EndpointInspect>;
	if (state.status !== 'created') {
		for (const [name, endpoint] of Object.entries(networks)) {
			endpoint.NetworkID ||= readNetwork(paths, name)?.Id ?? '';
			if (isUp(state) && (name === 'host' || name === 'none'))
				endpoint.EndpointID ||= nominalEndpoint(record.Id, endpoint.NetworkID);
		}
	}
	return {
		...settings,
		Ports: sortedKeys(settings.Ports as Record<string, unknown>),
		Networks: sortedKeys(networks),
	};
}

export async function inspectContainer(
	context: EngineContext,
	container: string,
	options: {size?: boolean} = {},
): Promise<ContainerInspect> {
	const {paths} = context;
	const record = findContainer(paths, container);
	const state = currentState(paths, record.Id);
	const folder = paths.container(record.Id);
	const command = [...(record.Config.Entrypoint ?? []), ...(record.Config.Cmd ?? [])];
	// Before the first start there is none of them.
	const files = state.status === 'created' && !state.error ? noFiles : filesOf(folder);
	const fileOf = (name: string): string => (files.has(name) ? `${folder}/${name}` : '');
	const graph = graphDriver(paths, record, isUp(state) ? state.pid : 0);
	const health = healthState(state, state.health && readIfThere(healthLogPath(paths, record.Id)));
	const size = options.size ? await (await import('./size.ts')).containerSize(paths, record) : {};
	return {
		Id: record.Id,
		Created: record.Created,
		Path: command[0] ?? '',
		Args: command.slice(1),
		State: {
			Status: state.status,
			Running: isUp(state),
			Paused: state.status === 'paused',
			Restarting: state.status === 'restarting',
			OOMKilled: state.oomKilled,
			Dead: false,
			Pid: state.pid,
			ExitCode: state.exitCode,
			Error: state.error,
			StartedAt: state.startedAt,
			FinishedAt: state.finishedAt,
			...(health ? {Health: health} : {}),
		},
		Image: record.Image,
		ResolvConfPath: fileOf('resolv.conf'),
		HostnamePath: fileOf('hostname'),
		HostsPath: fileOf('hosts'),
		LogPath:
			record.HostConfig.LogConfig.Type === 'json-file' ? fileOf(basename(logPath(paths, record.Id))) : '',
		Name: `/${record.Name}`,
		RestartCount: state.restartCount,
		Driver: String(graph.Name),
		Platform: record.Os,
		MountLabel: record.MountLabel ?? '',
		ProcessLabel: record.ProcessLabel ?? '',
		AppArmorProfile: apparmorEnabled() ? wantedProfile(record.HostConfig) : '',
		ExecIDs: isUp(state) ? execIds(paths.runContainer(record.Id)) : null,
		HostConfig: shownHostConfig(oomKiller(record.HostConfig), await shownLinks(context, record)),
		GraphDriver: graph,
		...size,
		Mounts: publicMounts(record),
		Config: shownConfig(record.Config),
		NetworkSettings: shownNetworks(paths, record, state),
	};
}
