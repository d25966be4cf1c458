/** docker's `inspect` of a container. */
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import type {MonitorState} from '../../runtime/monitor-protocol.ts';
import type {ContainerInspect, HostConfig, MountPoint} from '../api.ts';
import {readIfThere} from '../files.ts';
import {type InspectInput, networkSettings} from '../networks/inspect.ts';
import {namesOf} from '../networks/names.ts';
import {noNetwork, readNetworkState} from '../networks/state.ts';
import type {Paths} from '../paths.ts';
import type {EngineContext} from './context.ts';
import {healthState} from './health.ts';
import {
	type ContainerRecord,
	currentState,
	findContainer,
	healthLogPath,
	isUp,
	logPath,
	type StoredMount,
} from './record.ts';
import {storageDriver} from './storage.ts';

/** Without what only the engine needs; a tmpfs of --tmpfs is in HostConfig, as docker has it. */
export function publicMounts(mounts: readonly StoredMount[]): MountPoint[] {
	return mounts.map(({anonymous: _, makeSource: __, ...mount}) => mount);
}

function exists(folder: string, file: string): string {
	try {
		return readdirSync(folder).includes(file) ? join(folder, file) : '';
	} catch {
		return '';
	}
}

/** docker's HostConfig has links as paths. */
async function publicHost(context: EngineContext, record: ContainerRecord): Promise<HostConfig> {
	const {HostConfig: host, Name} = record;
	if (!host.Links?.length) return host;
	const links = (await import('./links.ts')).linkNames(context, record);
	return {...host, Links: links.map(({name, alias}) => `/${name}:/${Name}/${alias}`)};
}

/** What of networks is shown of a container, with its addresses and ports while it is up. */
export function networkInput(paths: Paths, record: ContainerRecord, state: MonitorState): InspectInput {
	const up = isUp(state);
	return {
		mode: record.HostConfig.NetworkMode,
		settings: record.Networks,
		state: up ? readNetworkState(paths, record.Id) : noNetwork,
		exposed: record.Config.ExposedPorts,
		names: (endpoint) => namesOf(record, endpoint),
		sandbox: up && state.pid > 0 ? `/proc/${state.pid}/ns/net` : '',
		id: record.Id,
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
	const driver = storageDriver(paths);
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
		ResolvConfPath: exists(folder, 'resolv.conf'),
		HostnamePath: exists(folder, 'hostname'),
		HostsPath: exists(folder, 'hosts'),
		LogPath: record.HostConfig.LogConfig.Type === 'none' ? '' : logPath(paths, record.Id),
		Name: `/${record.Name}`,
		RestartCount: state.restartCount,
		Driver: driver,
		Platform: record.Os,
		MountLabel: '',
		ProcessLabel: '',
		AppArmorProfile: '',
		ExecIDs: null,
		HostConfig: await publicHost(context, record),
		GraphDriver: {
			Data:
				driver === 'overlay2'
					? {
							ID: record.Id,
							LowerDir: record.layers
								.map((key) => join(paths.layer(key), 'fs'))
								.toReversed()
								.join(':'),
							MergedDir: '',
							UpperDir: join(folder, 'upper'),
							WorkDir: join(folder, 'work'),
						}
					: {},
			Name: driver,
		},
		Mounts: publicMounts(record.Mounts),
		Config: record.Config,
		NetworkSettings: networkSettings(networkInput(paths, record, state)),
		...size,
	};
}
