/** Publishes ports of a container and takes them back, also while it runs. */
import type {HostConfig, PublishChange} from '../api.ts';
import {WherryError} from '../errors.ts';
import {portsFor} from '../networks/allocate.ts';
import {publishOps, reserveOps, unpublishOps} from '../networks/endpoint.ts';
import {groupPorts} from '../networks/port-ranges.ts';
import {checkTwice, parseContainerPort, wantedPorts} from '../networks/ports.ts';
import {
	hasEndpoints,
	type NetworkState,
	noNetwork,
	type PublishedPort,
	publishingEndpoint,
	readNetworkState,
	writeNetworkState,
} from '../networks/state.ts';
import {takeBackPorts} from '../networks/unfinished.ts';
import type {EngineContext} from './context.ts';
import {emit} from './context.ts';
import {
	type ContainerRecord,
	currentState,
	findContainer,
	isUp,
	noSuchContainer,
	readRecord,
	writeRecord,
} from './record.ts';
import {releasePorts} from './release-ports.ts';
import {reloadMonitor, rewritePlans, runNetworkOps} from './rewrite-plans.ts';

type Bindings = HostConfig['PortBindings'];

const isNormal = (key: string): boolean => /^\d+\/(?:tcp|udp|sctp)$/.test(key);

const normalKey = (key: string): string => {
	if (isNormal(key)) return key;
	const {port, protocol} = parseContainerPort(key);
	return `${port}/${protocol}`;
};

/** A copy that may be changed, but for its lists. */
function normalize(bindings: Bindings | undefined): Bindings {
	const result: Bindings = {};
	for (const [key, list] of Object.entries(bindings ?? {})) {
		const name = normalKey(key);
		result[name] = [...(result[name] ?? []), ...(list?.length ? list : [{HostIp: '', HostPort: ''}])];
	}
	return result;
}

const matches = (
	wanted: {HostIp: string; HostPort: string},
	port: {hostIp: string; hostPort: string},
): boolean =>
	(wanted.HostPort === '' || wanted.HostPort === port.hostPort) &&
	(wanted.HostIp === '' || wanted.HostIp === port.hostIp);

/** Takes those off the bindings; throws when one isn't there. */
function takeOff(left: Bindings, remove: Bindings, ports: readonly PublishedPort[]): void {
	for (const [key, list] of Object.entries(remove)) {
		for (const wanted of list) {
			const before = left[key] ?? [];
			// A port that the engine has chosen is known by its number only while it is up.
			const chosen = ports.some(
				(port) =>
					`${port.containerPort}/${port.protocol}` === key &&
					matches(wanted, {hostIp: port.hostIp, hostPort: String(port.hostPort)}),
			);
			const after = before.filter(
				(binding) =>
					!matches(wanted, {hostIp: binding.HostIp, hostPort: binding.HostPort}) &&
					!(chosen && !/^[1-9]\d*$/.test(binding.HostPort)),
			);
			if (after.length === before.length && !chosen) {
				const host = `${wanted.HostIp ? `${wanted.HostIp}:` : ''}${wanted.HostPort}`;
				throw new WherryError('not-found', `port ${host ? `${host}:` : ''}${key} is not published`, {
					object: key,
				});
			}
			if (after.length > 0) left[key] = after;
			else delete left[key];
		}
	}
}

/**
 * Throws when what is added asks for what the container has already. The others have been checked when they came, and
 * there may be thousands of them.
 */
function checkAdded(bindings: Bindings, add: Bindings): void {
	const added = new Set(Object.values(add).flatMap((list) => list.map(({HostPort}) => HostPort)));
	const concerned: Bindings = {...add};
	for (const [key, list] of Object.entries(bindings)) {
		if (list.some(({HostPort}) => added.has(HostPort))) concerned[key] = [...(add[key] ?? []), ...list];
	}
	checkTwice(wantedPorts(concerned));
}

function split(state: NetworkState, remove: Bindings): {gone: PublishedPort[]; stay: PublishedPort[]} {
	if (Object.keys(remove).length === 0) return {gone: [], stay: state.ports};
	const isGone = ({containerPort, protocol, hostIp, hostPort}: PublishedPort): boolean =>
		(remove[`${containerPort}/${protocol}`] ?? []).some((wanted) =>
			matches(wanted, {hostIp, hostPort: String(hostPort)}),
		);
	const [gone, stay]: PublishedPort[][] = [[], []];
	for (const port of state.ports) (isGone(port) ? gone! : stay!).push(port);
	return {gone: gone!, stay: stay!};
}

async function apply(
	context: EngineContext,
	record: ContainerRecord,
	before: NetworkState,
	add: Bindings,
	remove: Bindings,
): Promise<void> {
	const {paths} = context;
	const endpoint = publishingEndpoint(before);
	if (!endpoint) {
		throw new WherryError(
			'conflict',
			`container ${record.Name} has no network that ports can be published on`,
			{
				object: record.Id,
			},
		);
	}
	const {gone, stay} = split(before, remove);
	const added = await portsFor(
		context,
		record,
		endpoint,
		{...before, ports: []},
		{bindings: add, taken: stay},
	);
	if (gone.length > 0) {
		await runNetworkOps(context, record, unpublishOps(paths, groupPorts(gone), endpoint));
		await releasePorts(context, record, gone);
		writeNetworkState(paths, record.Id, {...before, ports: stay});
		await rewritePlans(context, record);
	}
	if (added.length === 0) return reloadMonitor(context, record);
	const unfinished = {ports: added};
	writeNetworkState(paths, record.Id, {...before, ports: stay, unfinished});
	await reserve(context, record, added, endpoint);
	writeNetworkState(paths, record.Id, {...before, ports: [...stay, ...added], unfinished});
	// The stop plan knows of the elements before they are there, and only since the ports are ours.
	await rewritePlans(context, record);
	await runNetworkOps(context, record, publishOps(paths, groupPorts(added), endpoint));
	await reloadMonitor(context, record);
}

async function reserve(
	context: EngineContext,
	record: ContainerRecord,
	added: readonly PublishedPort[],
	endpoint: NonNullable<ReturnType<typeof publishingEndpoint>>,
): Promise<void> {
	const ops = reserveOps(groupPorts(added), endpoint);
	const {portError} = await import('./network-errors.ts');
	await runNetworkOps(context, record, ops, 'network', (detail) =>
		portError(context, record, endpoint.endpointId, ops[detail.op ?? -1], detail),
	);
}

export async function updatePublished(
	context: EngineContext,
	container: string,
	change: PublishChange,
): Promise<{warnings: string[]}> {
	const {paths, locks} = context;
	const add = normalize(change.add);
	const remove = normalize(change.remove);
	checkTwice(wantedPorts(add));
	const {Id} = findContainer(paths, container);
	const warnings: string[] = [];
	await locks.with(Id, async () => {
		let record = readRecord(paths, Id);
		if (!record) throw noSuchContainer(container);
		const {NetworkMode: mode} = record.HostConfig;
		if (!hasEndpoints(record)) {
			throw new WherryError('conflict', `ports can't be published with network mode ${mode}`, {object: Id});
		}
		const up = isUp(currentState(paths, Id));
		let state = up ? readNetworkState(paths, Id) : noNetwork;
		if (state.unfinished?.network) {
			record = await (await import('../networks/connect.ts')).endUnfinished(context, record);
			state = readNetworkState(paths, Id);
		}
		if (state.unfinished) state = await takeBackPorts(context, record, state);
		let bindings = record.HostConfig.PortBindings ?? {};
		if (!Object.entries(bindings).every(([key, list]) => isNormal(key) && list?.length))
			bindings = normalize(bindings);
		takeOff(bindings, remove, state.ports);
		checkAdded(bindings, add);
		for (const [key, list] of Object.entries(add)) bindings[key] = [...(bindings[key] ?? []), ...list];
		const ExposedPorts = record.Config.ExposedPorts ?? {};
		for (const key of Object.keys(add)) ExposedPorts[key] ??= {};
		const updated: ContainerRecord = {
			...record,
			Config: {...record.Config, ExposedPorts},
			HostConfig: {...record.HostConfig, PortBindings: bindings},
		};
		if (up) await apply(context, updated, state, add, remove);
		writeRecord(paths, updated);
		emit(context, updated, 'update');
	});
	return {warnings};
}
