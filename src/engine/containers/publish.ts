/** Publishes ports of a container and takes them back, also while it runs. */
import type {PublishChange} from '../api.ts';
import {WherryError} from '../errors.ts';
import {portsFor} from '../networks/allocate.ts';
import {publishOps, reserveOps, unpublishOps} from '../networks/endpoint.ts';
import {
	type BindingRange,
	groupPorts,
	isExposed,
	type PublishedRange,
	packExposed,
	portAt,
	takeOut,
} from '../networks/port-ranges.ts';
import {checkBindings, checkTwice, overlap, wantedPorts} from '../networks/ports.ts';
import {
	hasEndpoints,
	type NetworkState,
	noNetwork,
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

const matches = (
	{hostIp, hostPort}: BindingRange,
	port: {hostIp: string; hostPort: number | string},
): boolean =>
	(hostPort === '' || hostPort === String(port.hostPort)) && (hostIp === '' || hostIp === port.hostIp);

/** One by one: they don't have to be ranges of the container's. */
const single = (ranges: readonly BindingRange[]): BindingRange[] =>
	ranges.flatMap((range) =>
		Array.from(
			{length: range.count},
			(_, step) => portAt(range, range.protocol, range.containerPort + step)!,
		),
	);

/** What is left of the bindings; throws when one isn't there. */
function takeOff(
	bindings: readonly BindingRange[],
	remove: readonly BindingRange[],
	ports: readonly PublishedRange[],
): BindingRange[] {
	let left = [...bindings];
	for (const wanted of single(remove)) {
		// A port that the engine has chosen is known by its number only while it is up.
		const chosen = ports.some((range) => {
			const port = portAt(range, wanted.protocol, wanted.containerPort);
			return port !== undefined && matches(wanted, port);
		});
		const found = takeOut(
			left,
			wanted,
			(binding) => matches(wanted, binding) || (chosen && !/^[1-9]\d*$/.test(binding.hostPort)),
		);
		if (found.taken.length === 0 && !chosen) {
			const {hostIp, hostPort, containerPort, protocol} = wanted;
			const host = `${hostIp ? `${hostIp}:` : ''}${hostPort}`;
			const key = `${containerPort}/${protocol}`;
			throw new WherryError('not-found', `port ${host ? `${host}:` : ''}${key} is not published`, {
				object: key,
			});
		}
		left = found.left;
	}
	return left;
}

/**
 * Throws when what is added asks for what the container has already. The others have been checked when they came, and
 * there may be thousands of them.
 */
function checkAdded(bindings: readonly BindingRange[], add: readonly BindingRange[]): void {
	const added = wantedPorts(add);
	const concerned = wantedPorts(bindings).filter((ports) => added.some((each) => overlap(ports, each)));
	checkTwice([...concerned, ...added]);
}

function split(
	state: NetworkState,
	remove: readonly BindingRange[],
): {gone: PublishedRange[]; stay: PublishedRange[]} {
	const gone: PublishedRange[] = [];
	let stay = state.ports;
	for (const wanted of single(remove)) {
		const {taken, left} = takeOut(stay, wanted, (port) => matches(wanted, port));
		gone.push(...taken);
		stay = left;
	}
	return {gone, stay};
}

/** What is published counts as exposed, and goes on to. */
function withAdded(exposed: readonly string[], add: readonly BindingRange[]): string[] {
	const more = single(add)
		.filter(({protocol, containerPort}) => !isExposed(exposed, protocol, containerPort))
		.map(({protocol, containerPort}) => `${containerPort}/${protocol}`);
	return [...exposed, ...packExposed(new Set(more))];
}

async function apply(
	context: EngineContext,
	record: ContainerRecord,
	before: NetworkState,
	add: readonly BindingRange[],
	remove: readonly BindingRange[],
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
	added: readonly PublishedRange[],
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
	const add = checkBindings(change.add);
	const remove = checkBindings(change.remove);
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
		const left = takeOff(record.HostConfig.PortBindings, remove, state.ports);
		checkAdded(left, add);
		const updated: ContainerRecord = {
			...record,
			Config: {...record.Config, ExposedPorts: withAdded(record.Config.ExposedPorts ?? [], add)},
			HostConfig: {...record.HostConfig, PortBindings: [...left, ...add]},
		};
		if (up) await apply(context, updated, state, add, remove);
		writeRecord(paths, updated);
		emit(context, updated, 'update');
	});
	return {warnings};
}
