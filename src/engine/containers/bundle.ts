/** From a container's record to its `config.json` and its plans. */
import {existsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {initPath} from '../../kernel/locate.ts';
import {compileContainer, compileExec} from '../../runtime/compile.ts';
import type {Spec} from '../../runtime/oci.ts';
import {printOciJson} from '../../runtime/oci-json.ts';
import type {Plan} from '../../runtime/plan/encode.ts';
import type {Op} from '../../runtime/plan/ops.ts';
import {connectedNetworks} from '../networks/connected.ts';
import {releaseOps, unpublishAllOps} from '../networks/endpoint.ts';
import {leaseFile, leasesOf} from '../networks/leases.ts';
import {storedNetworks} from '../networks/record.ts';
import {type NetworkState, readNetworkState} from '../networks/state.ts';
import type {Paths} from '../paths.ts';
import {referenceFile, referencesFolder, volumeLock} from '../volumes/references.ts';
import {containerCgroups} from './cgroup.ts';
import type {EngineContext} from './context.ts';
import {groupsOf} from './exec-plan.ts';
import {type Grants, noGrants} from './grants.ts';
import {healthSettings, probeCommand} from './health.ts';
import type {HostFiles} from './host-files.ts';
import {joinedContainer} from './joined.ts';
import {logSettings} from './log-config.ts';
import {mountOrigins, unmountOps} from './mount-sources.ts';
import {type Attachment, joinedNamespace} from './network.ts';
import {type ContainerRecord, healthLogPath, logPath, statePath} from './record.ts';
import {defaultProfile, seccompProgram} from './seccomp.ts';
import {signalNumber} from './signals.ts';
import {buildSpec} from './spec.ts';
import {specHost} from './spec-host.ts';
import {rootOf, storageDriver} from './storage.ts';

/** The monitor's setting `networks`. */
const networkMembers = (paths: Paths, record: ContainerRecord, state: NetworkState): string =>
	connectedNetworks(paths, record, state)
		.map(({Id, Name, Driver}) => {
			return `${Id} ${membersOf({container: record.Id, name: Name, type: Driver})}`;
		})
		.join('\n');

/** JSON without its braces. */
const membersOf = (value: object): string => JSON.stringify(value).slice(1, -1);

/** The monitor's setting `volumes`; docker's attributes. */
export const volumeMembers = (paths: Paths, {Id, Mounts}: ContainerRecord): string =>
	Mounts.flatMap(({Type, Name, Driver, Destination, Propagation, RW, anonymous}) => {
		if (Type !== 'volume' || !Name) return [];
		const driver = Driver || 'local';
		const mounted = {
			container: Id,
			destination: Destination,
			driver,
			propagation: Propagation,
			'read/write': String(RW),
		};
		return [
			[
				Name,
				anonymous ? paths.volume(Name) : '',
				membersOf(mounted),
				membersOf({container: Id, driver}),
			].join('\t'),
		];
	}).join('\n');

/** What the end undoes besides cgroups and network: with --rm everything, otherwise the folder in WHERRY_RUN. */
export function removalOps(paths: Paths, record: ContainerRecord): Op[] {
	const {Id, Name} = record;
	const ops: Op[] = unmountOps(paths, record);
	if (record.HostConfig.AutoRemove) {
		for (const mount of record.Mounts) {
			if (mount.Type !== 'volume' || !mount.Name) continue;
			ops.push({
				op: 'releaseVolume',
				lock: volumeLock(paths, mount.Name),
				reference: referenceFile(paths, mount.Name, Id),
				volume: mount.anonymous ? paths.volume(mount.Name) : '',
				references: referencesFolder(paths, mount.Name),
			});
		}
		const going = join(paths.containers, `.rm-${Id}`);
		ops.push(
			{op: 'rename', from: paths.container(Id), to: going},
			{op: 'removeFile', path: join(paths.names, Name)},
			{op: 'removeTree', path: going},
			{op: 'removeFile', path: paths.lock(Id)},
		);
	}
	// Last: as long as it is there, whoever comes next runs this plan again.
	ops.push({op: 'removeTree', path: paths.runContainer(Id)});
	return ops;
}

/**
 * What a container holds of networks. Its state may be of an earlier run, whose addresses and ports others have
 * now: then only what is surely its own is given back.
 */
function networkRelease(paths: Paths, id: string): Op[] {
	const state = readNetworkState(paths, id);
	const leases = leasesOf(
		paths,
		storedNetworks(paths).map((network) => network.Id),
		id,
	);
	const isCurrent = state.endpoints.every(({networkId, ipv4, ipv6}) =>
		[ipv4, ipv6].every((each) => !each || leases.includes(leaseFile(paths, networkId, each.address))),
	);
	const current = isCurrent ? [...unpublishAllOps(paths, state), ...releaseOps(paths, id, state)] : [];
	return [...current, ...leases.map((path): Op => ({op: 'removeFile', path}))];
}

/** The stop plan of a container whose own has been lost, or whose name has changed. */
export function stopPlan(paths: Paths, record: ContainerRecord): Plan {
	return {
		stop: [
			...containerCgroups(record).stop,
			...networkRelease(paths, record.Id),
			...removalOps(paths, record),
		],
	};
}

export function specOf(
	context: EngineContext,
	record: ContainerRecord,
	files: HostFiles,
	attachment: Attachment,
	grants: Grants = noGrants,
): Spec {
	const pid = joinedNamespace(context, record.HostConfig.PidMode, 'pid');
	const ipc = joinedNamespace(context, record.HostConfig.IpcMode, 'ipc');
	return buildSpec(
		{
			id: record.Id,
			config:
				attachment.env.length > 0
					? {...record.Config, Env: [...attachment.env, ...record.Config.Env]}
					: record.Config,
			hostConfig: record.HostConfig,
			mounts: record.Mounts,
			origins: mountOrigins(context.paths, record.Mounts),
			files,
			init: initPath(),
			// Where a hook of the host finds the root: it is mounted there, for the container alone.
			rootPath: grants.edits.some(({hooks}) => hooks.length > 0) ? context.paths.mountpoint : 'rootfs',
			grants,
			...(record.MountLabel === undefined
				? {}
				: {labels: {process: record.ProcessLabel ?? '', mount: record.MountLabel}}),
			joined: {
				...(attachment.join ? {network: attachment.join} : {}),
				...(pid ? {pid} : {}),
				...(ipc ? {ipc} : {}),
			},
			...(ipc ? {shmPath: ipc.replace(/\/ns\/ipc$/, '/root/dev/shm')} : {}),
		},
		{...specHost(), defaultSeccomp: (options) => defaultProfile(context.paths, options)},
	);
}

/** The state files of the containers whose namespaces it joins. */
function donorsOf(
	paths: Paths,
	host: ContainerRecord['HostConfig'],
): Partial<Record<'network' | 'pid' | 'ipc', string>> {
	const modes = {network: host.NetworkMode, pid: host.PidMode, ipc: host.IpcMode};
	return Object.fromEntries(
		Object.entries(modes).flatMap(([kind, mode]) => {
			const id = joinedContainer(mode);
			return id ? [[kind, statePath(paths, id)]] : [];
		}),
	);
}

/** The health check's command, with what the container's own command may. */
function probePlan(paths: Paths, record: ContainerRecord, spec: Spec, argv: readonly string[]): Plan {
	return compileExec({
		spec,
		cgroups: containerCgroups(record),
		user: {spec: record.Config.User, groups: groupsOf(record, spec)},
		argv,
		env: [],
		cwd: undefined,
		tty: false,
		rows: 0,
		columns: 0,
		seccomp: seccompProgram(paths, spec),
		capabilities: spec.process?.capabilities?.bounding ?? [],
	});
}

export interface Compiled {
	spec: Spec;
	monitor: Plan;
	stop: Plan;
	/** The stop plan until the published ports are bound; absent: there are none. */
	unarmed?: Plan;
}

export function compileRecord(
	context: EngineContext,
	record: ContainerRecord,
	spec: Spec,
	attachment: Attachment,
	start: {restartCount?: number; rows?: number | undefined; columns?: number | undefined} = {},
): Compiled {
	const {paths} = context;
	const {Config, HostConfig, Id} = record;
	const probe = probeCommand(Config);
	const plans = compileContainer({
		spec,
		root: rootOf(paths, storageDriver(paths), Id, record.layers),
		user: {spec: Config.User, groups: groupsOf(record, spec)},
		seccomp: seccompProgram(paths, spec),
		cgroups: containerCgroups(record, spec.linux?.resources),
		cgroupVersion: specHost().cgroupVersion,
		hasKcore: existsSync('/proc/kcore'),
		settings: {
			id: Id,
			'run-dir': paths.runContainer(Id),
			mountpoint: paths.mountpoint,
			'state-file': statePath(paths, Id),
			'log-file': logPath(paths, Id),
			...logSettings(record),
			'open-stdin': Config.OpenStdin ? '1' : '0',
			'stdin-once': Config.StdinOnce ? '1' : '0',
			'restart-policy': HostConfig.RestartPolicy.Name || 'no',
			'restart-max': String(HostConfig.RestartPolicy.MaximumRetryCount),
			'restart-count': String(start.restartCount ?? 0),
			'stop-signal': String(signalNumber(Config.StopSignal ?? 'SIGTERM')),
			'stop-timeout': String(Config.StopTimeout ?? 10),
			'events-file': record.Build ? '' : paths.events,
			networks: networkMembers(paths, record, attachment.state),
			volumes: volumeMembers(paths, record),
			'auto-remove': HostConfig.AutoRemove ? '1' : '0',
			...(probe ? healthSettings(Config, healthLogPath(paths, Id)) : {}),
		},
		network: attachment.network,
		...(spec.hooks
			? {hooks: {id: Id, bundle: paths.container(Id), annotations: spec.annotations ?? {}}}
			: {}),
		donors: donorsOf(paths, HostConfig),
		origins: mountOrigins(paths, record.Mounts),
		...(start.rows && start.columns ? {rows: start.rows, columns: start.columns} : {}),
		stop: [...attachment.unpublish, ...attachment.stop, ...removalOps(paths, record)],
	});
	if (probe) plans.monitor = {...plans.monitor, ...probePlan(paths, record, spec, probe)};
	if (attachment.unpublish.length === 0) return {spec, ...plans};
	const unarmed = plans.stop.stop!.filter((op) => !attachment.unpublish.includes(op));
	return {spec, ...plans, unarmed: {stop: unarmed}};
}

/** A bundle for any OCI runtime, beside the container; exec reads it, too. */
export function writeBundle(paths: Paths, id: string, spec: Spec): void {
	writeFileSync(join(paths.container(id), 'config.json'), printOciJson(spec), {mode: 0o600});
}
