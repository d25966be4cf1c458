/** docker's `inspect` of a container. */
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import type {ContainerInspect, MountPoint} from '../api.ts';
import type {EngineContext} from './context.ts';
import {
	type ContainerRecord,
	currentState,
	findContainer,
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

/** An interface of its own would be described here; none and host have no address of the container's. */
function networkSettings(record: ContainerRecord): Record<string, unknown> {
	const mode = record.HostConfig.NetworkMode;
	const endpoint = {
		IPAMConfig: null,
		Links: null,
		Aliases: null,
		DriverOpts: null,
		GwPriority: 0,
		NetworkID: '',
		EndpointID: '',
		Gateway: '',
		IPAddress: '',
		MacAddress: '',
		IPPrefixLen: 0,
		IPv6Gateway: '',
		GlobalIPv6Address: '',
		GlobalIPv6PrefixLen: 0,
		DNSNames: null,
	};
	return {
		Bridge: '',
		SandboxID: '',
		SandboxKey: '',
		Ports: {},
		HairpinMode: false,
		LinkLocalIPv6Address: '',
		LinkLocalIPv6PrefixLen: 0,
		SecondaryIPAddresses: null,
		SecondaryIPv6Addresses: null,
		EndpointID: '',
		Gateway: '',
		GlobalIPv6Address: '',
		GlobalIPv6PrefixLen: 0,
		IPAddress: '',
		IPPrefixLen: 0,
		IPv6Gateway: '',
		MacAddress: '',
		Networks: mode === 'none' || mode === 'host' ? {[mode]: endpoint} : {},
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
		HostConfig: record.HostConfig,
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
		NetworkSettings: networkSettings(record),
		...size,
	};
}
