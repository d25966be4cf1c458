/** Connects containers to networks and takes them off again, also while they run. */
import {appendFileSync, readFileSync, unlinkSync, writeFileSync} from 'node:fs';
import type {Op} from '../../runtime/plan/ops.ts';
import type {EndpointSettings} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';
import {hostFiles, ownNames} from '../containers/host-files.ts';
import {
	type ContainerRecord,
	currentState,
	findContainer,
	isUp,
	noSuchContainer,
	readRecord,
	writeRecord,
} from '../containers/record.ts';
import {releasePorts} from '../containers/release-ports.ts';
import {reloadMonitor, rewritePlans, runNetworkOps} from '../containers/rewrite-plans.ts';
import {isErrno, WherryError} from '../errors.ts';
import {readIfThere} from '../files.ts';
import {allocateEndpoint, chooseGateway, firstIndex, portsFor, prioritiesOf} from './allocate.ts';
import {
	defaultRouteOps,
	endpointOps,
	firewallOps,
	namesOp,
	publishOps,
	removeDefaultRouteOps,
	removeEndpointOps,
	reserveOps,
	unpublishOps,
} from './endpoint.ts';
import {leaseFile, listLeases} from './leases.ts';
import {hostResolvConf, planNames, writeZoneEntries} from './names.ts';
import {
	type BindingRange,
	eachPort,
	groupPorts,
	type PublishedPort,
	packPorts,
	portAt,
} from './port-ranges.ts';
import {findNetwork, type NetworkRecord} from './record.ts';
import {resolvText} from './resolv-conf.ts';
import {
	type EndpointState,
	gatewayEndpoint,
	hasEndpoints,
	type NetworkState,
	noNetwork,
	publishingEndpoint,
	readNetworkState,
	writeNetworkState,
} from './state.ts';
import {dropHoldings} from './stray.ts';
import {takeBackPorts} from './unfinished.ts';
import {checkSettings, hasOwnNetwork, networkOf} from './wanted.ts';
import {zoneFile} from './zone.ts';

function checkConnectable(record: ContainerRecord, network: NetworkRecord): void {
	const mode = record.HostConfig.NetworkMode;
	const fail = (message: string): never => {
		throw new WherryError('denied', message, {object: record.Id});
	};
	if (mode.startsWith('container:') || (mode === 'host' && network.Driver !== 'host')) {
		fail(
			'container sharing network namespace with another container or host cannot be connected to any other network',
		);
	}
	if (network.Driver === 'host') {
		fail('cannot connect container to host network - container must be created in host network mode');
	}
	if (!hasEndpoints(record) || network.Driver === 'null') {
		fail(
			'container cannot be connected to multiple networks with one of the networks in private (none) mode',
		);
	}
}

const addressesOf = (endpoint: EndpointState): string[] =>
	[endpoint.ipv4?.address, endpoint.ipv6?.address].filter((address) => address !== undefined);

function unlinkQuietly(path: string): void {
	try {
		unlinkSync(path);
	} catch (error) {
		if (!isErrno(error, 'ENOENT')) throw error;
	}
}

/** Gives a lease and a zone entry back; after no plan has them any more. */
function giveBack({paths}: EngineContext, id: string, endpoint: EndpointState): void {
	unlinkQuietly(zoneFile(paths, endpoint.networkId, id));
	for (const address of addressesOf(endpoint)) unlinkQuietly(leaseFile(paths, endpoint.networkId, address));
}

/** The lines of an endpoint come and go; what the container has written itself stays. In place: the file is bound. */
function editHosts(
	{paths}: EngineContext,
	record: ContainerRecord,
	added: readonly string[],
	removed: readonly string[],
): void {
	const {hosts} = hostFiles(paths, record);
	const text = readIfThere(hosts);
	if (text === undefined) return;
	const gone = new Set(removed);
	if (gone.size > 0) {
		const lines = text.split('\n').filter((line) => !gone.has(line.split(/\s/)[0]!));
		writeFileSync(hosts, lines.join('\n'));
	}
	const names = ownNames(record.Config);
	const lines = added.map((address) => `${address}\t${names}\n`);
	if (lines.length > 0) appendFileSync(hosts, lines.join(''));
}

/** resolv.conf follows unless the container has changed it. In place: the file is bound. */
function editResolvConf(
	context: EngineContext,
	record: ContainerRecord,
	before: NetworkState,
	after: NetworkState,
): void {
	const {resolvConf} = hostFiles(context.paths, record);
	const text = (state: NetworkState) =>
		resolvText(planNames(context.paths, record.Id, record.HostConfig, state, hostResolvConf()).resolvConf);
	const [old, wanted] = [text(before), text(after)];
	try {
		if (old !== wanted && readFileSync(resolvConf, 'utf8') === old) writeFileSync(resolvConf, wanted);
	} catch (error) {
		if (!isErrno(error, 'ENOENT')) throw error;
	}
}

/** Names that the container's resolver knows, when they are other ones than before. */
async function updateNames(
	context: EngineContext,
	record: ContainerRecord,
	before: NetworkState,
	after: NetworkState,
): Promise<void> {
	const service = (state: NetworkState) =>
		planNames(context.paths, record.Id, record.HostConfig, state, hostResolvConf()).service;
	const [old, wanted] = [service(before), service(after)];
	if (!wanted || JSON.stringify(old) === JSON.stringify(wanted)) return;
	await runNetworkOps(context, record, [namesOp(wanted)], 'names');
}

/** The default route and the published ports follow the network that leads out. */
function routeOps(before: NetworkState, after: NetworkState): {first: Op[]; last: Op[]} {
	const [old, next] = [gatewayEndpoint(before), gatewayEndpoint(after)];
	if (old?.networkId === next?.networkId) return {first: [], last: []};
	const wasThere = next && before.endpoints.some(({networkId}) => networkId === next.networkId);
	return {
		first:
			old && after.endpoints.some(({networkId}) => networkId === old.networkId)
				? removeDefaultRouteOps(old)
				: [],
		last: next && wasThere ? defaultRouteOps(next) : [],
	};
}

/** docker: a port that nobody asked for by number is another one after the move. */
function chosenFreely(
	{HostConfig}: ContainerRecord,
	{chosen, containerPort, protocol}: PublishedPort,
): boolean {
	const isOfRange = (binding: BindingRange): boolean =>
		portAt(binding, protocol, containerPort)?.hostPort.includes('-') ?? false;
	return chosen === true && !HostConfig.PortBindings.some(isOfRange);
}

/**
 * Ports follow the network that they are published on. `stored` is what the state on disk has until then, `moved`
 * what it has from then on, but for the ports.
 */
async function movePorts(
	context: EngineContext,
	record: ContainerRecord,
	before: NetworkState,
	after: NetworkState,
	{stored, moved}: {stored: NetworkState; moved: NetworkState},
): Promise<void> {
	const {paths} = context;
	const [old, next] = [publishingEndpoint(before), publishingEndpoint(after)];
	if (old?.networkId === next?.networkId) return;
	if (old) {
		await runNetworkOps(context, record, unpublishOps(paths, groupPorts(before.ports), old));
		await releasePorts(context, record, before.ports);
	}
	const left = packPorts(eachPort(before.ports).filter((port) => chosenFreely(record, port)));
	const ports = next ? await portsFor(context, record, next, noNetwork, {taken: left}) : [];
	after.ports = ports;
	if (!next || ports.length === 0) return;
	writeNetworkState(paths, record.Id, {...stored, unfinished: {...stored.unfinished, ports}});
	await runNetworkOps(context, record, reserveOps(groupPorts(ports), next));
	writeNetworkState(paths, record.Id, {...moved, ports, unfinished: {...moved.unfinished, ports}});
	await rewritePlans(context, record);
	await runNetworkOps(context, record, publishOps(paths, groupPorts(ports), next));
}

function freePosition(endpoints: readonly EndpointState[]): number {
	const taken = new Set(endpoints.map(({index}) => index - firstIndex));
	for (let position = 0; ; position++) if (!taken.has(position)) return position;
}

async function connectRunning(
	context: EngineContext,
	record: ContainerRecord,
	network: NetworkRecord,
	settings: EndpointSettings,
): Promise<void> {
	const {paths} = context;
	const before = await takeBackPorts(context, record, readNetworkState(paths, record.Id));
	const endpoint = await allocateEndpoint(
		context,
		record,
		{network, settings},
		freePosition(before.endpoints),
	);
	// Its monitor may be of an earlier version.
	if (before.endpoints.some(({driver, led}) => driver === 'bridge' && !led)) delete endpoint.led;
	const after: NetworkState = {
		endpoints: [...before.endpoints.map((each) => ({...each})), endpoint],
		ports: before.ports,
	};
	chooseGateway(after.endpoints, prioritiesOf(record));
	const routes = routeOps(before, after);
	const unfinished = {...after, unfinished: {network: network.Id}};
	try {
		// From here on the stop plan knows of the lease.
		writeNetworkState(paths, record.Id, unfinished);
		await rewritePlans(context, record);
		await runNetworkOps(context, record, [
			...routes.first,
			...firewallOps(paths, [endpoint]),
			...endpointOps(endpoint),
			...routes.last,
		]);
		writeZoneEntries(paths, record, after.endpoints);
		await updateNames(context, record, before, after);
		await movePorts(context, record, before, after, {stored: unfinished, moved: unfinished});
	} catch (error) {
		try {
			const old = gatewayEndpoint(before);
			await runNetworkOps(context, record, [
				...removeEndpointOps(endpoint),
				...(routes.first.length > 0 && old ? defaultRouteOps(old) : []),
			]);
		} catch {
			// It has ended, and its interfaces with it.
		}
		writeNetworkState(paths, record.Id, before);
		if (isUp(currentState(paths, record.Id))) await rewritePlans(context, record);
		giveBack(context, record.Id, endpoint);
		throw error;
	}
	editHosts(context, record, addressesOf(endpoint), []);
	editResolvConf(context, record, before, after);
	await reloadMonitor(context, record);
	writeNetworkState(paths, record.Id, after);
}

function without(record: ContainerRecord, network: string): ContainerRecord {
	const {[network]: _, ...Networks} = record.Networks ?? {};
	return {...record, Networks};
}

/** Work on a container under its lock, with its record as it is then. */
async function locked<T>(
	context: EngineContext,
	container: string,
	work: (record: ContainerRecord) => Promise<T>,
): Promise<T> {
	const {Id} = findContainer(context.paths, container);
	return context.locks.with(Id, async () => {
		const record = readRecord(context.paths, Id);
		if (!record) throw noSuchContainer(container);
		return work(record);
	});
}

function tell(
	{events}: EngineContext,
	action: string,
	network: NetworkRecord,
	record: ContainerRecord,
): void {
	if (record.Build) return;
	events.append('network', action, network.Id, {
		container: record.Id,
		name: network.Name,
		type: network.Driver,
	});
}

/** Takes a container off a network, if a change of that broke off. False: none did. */
async function takeOff(
	context: EngineContext,
	record: ContainerRecord,
	network: NetworkRecord,
): Promise<boolean> {
	const {endpoints, unfinished} = readNetworkState(context.paths, record.Id);
	const endpoint = endpoints.find(({networkId}) => networkId === network.Id);
	if (endpoint && unfinished?.network !== network.Id) return false;
	const left = without(record, network.Name);
	if (endpoint) await disconnectRunning(context, left, endpoint);
	else await finishDisconnect(context, left, network);
	return true;
}

/** Ends what broke off with another network than `than`, before anything else is changed. For one that is up. */
export async function endUnfinished(
	context: EngineContext,
	record: ContainerRecord,
	than?: string,
): Promise<ContainerRecord> {
	const {endpoints, unfinished} = readNetworkState(context.paths, record.Id);
	const endpoint = endpoints.find(({networkId}) => networkId === unfinished?.network);
	if (!endpoint || endpoint.networkId === than) return record;
	const left = without(record, endpoint.network);
	await disconnectRunning(context, left, endpoint);
	writeRecord(context.paths, left);
	return left;
}

export async function connectContainer(
	context: EngineContext,
	name: string,
	container: string,
	settings: EndpointSettings,
): Promise<void> {
	// docker: the container is looked for first.
	findContainer(context.paths, container);
	const network = await networkOf(context, name);
	await locked(context, container, async (found) => {
		checkSettings(network, settings);
		checkConnectable(found, network);
		const up = isUp(currentState(context.paths, found.Id));
		let record = up ? await endUnfinished(context, found, network.Id) : found;
		const networks = record.Networks ?? {[record.HostConfig.NetworkMode]: {}};
		if (networks[network.Name]) {
			if (!up || !(await takeOff(context, record, network))) {
				throw new WherryError(
					'denied',
					`endpoint with name ${record.Name} already exists in network ${network.Name}`,
					{object: record.Id},
				);
			}
			record = without(record, network.Name);
		}
		const Networks = {...(record.Networks ?? networks), [network.Name]: settings};
		const connected: ContainerRecord = {...record, Networks};
		// First the record: a lease of a network that it has is found when this breaks off.
		writeRecord(context.paths, connected);
		try {
			if (up) await connectRunning(context, connected, network, settings);
		} catch (error) {
			writeRecord(context.paths, record);
			throw error;
		}
		// docker: one that doesn't run is connected when it starts.
		if (up) tell(context, 'connect', network, record);
	});
}

async function disconnectRunning(
	context: EngineContext,
	record: ContainerRecord,
	endpoint: EndpointState,
): Promise<void> {
	const {paths} = context;
	const found = readNetworkState(paths, record.Id);
	const again = found.unfinished?.network === endpoint.networkId;
	const before = await takeBackPorts(context, record, found);
	const after: NetworkState = {
		endpoints: before.endpoints
			.filter(({networkId}) => networkId !== endpoint.networkId)
			.map((each) => ({...each})),
		ports: before.ports,
	};
	chooseGateway(after.endpoints, prioritiesOf(record));
	const unfinished = {network: endpoint.networkId};
	// As long as the interface is there the state has it: as the last one, on which nothing is published.
	const moved = {endpoints: [...after.endpoints, {...endpoint, gateway: false}], ports: [], unfinished};
	await movePorts(context, record, before, after, {stored: {...before, unfinished}, moved});
	const gateway = gatewayEndpoint(after);
	const moves = again || routeOps(before, after).last.length > 0;
	// One that broke off may have come so far that the route is there.
	const routes = gateway && moves ? [...removeDefaultRouteOps(gateway), ...defaultRouteOps(gateway)] : [];
	await runNetworkOps(context, record, [...removeEndpointOps(endpoint), ...routes]);
	await updateNames(context, record, before, after);
	writeNetworkState(paths, record.Id, after);
	await rewritePlans(context, record);
	giveBack(context, record.Id, endpoint);
	editHosts(context, record, [], addressesOf(endpoint));
	editResolvConf(context, record, before, after);
	await reloadMonitor(context, record);
}

/** Of one that broke off when the interface was gone: its plans may still have it. */
async function finishDisconnect(
	context: EngineContext,
	record: ContainerRecord,
	network: NetworkRecord,
): Promise<void> {
	const addresses = [...listLeases(context.paths, network.Id)]
		.filter(([, holder]) => holder === record.Id)
		.map(([address]) => address);
	await rewritePlans(context, record);
	dropHoldings(context.paths, network.Id, record.Id);
	editHosts(context, record, [], addresses);
	await reloadMonitor(context, record);
}

/** With `force` also a network that is gone: the container must be able to start without it. */
function networkToLeave({paths}: EngineContext, name: string, force: boolean): NetworkRecord | undefined {
	try {
		return findNetwork(paths, name);
	} catch (error) {
		if (force && error instanceof WherryError && error.code === 'not-found') return undefined;
		throw error;
	}
}

/** docker has an article for a container that doesn't run. */
const notConnected = (id: string, network: string, up: boolean): string =>
	`container ${id} is not connected to ${up ? 'network' : 'the network'} ${network}`;

function checkLeavable(record: ContainerRecord, network: NetworkRecord, up: boolean): void {
	if (network.Driver !== 'host') return;
	throw new WherryError(
		'denied',
		record.HostConfig.NetworkMode === 'host'
			? 'cannot disconnect container from host network - container was created in host network mode'
			: notConnected(record.Id, network.Name, up),
		{object: record.Id},
	);
}

export async function disconnectContainer(
	context: EngineContext,
	name: string,
	container: string,
	options: {force?: boolean} = {},
): Promise<void> {
	const {paths} = context;
	try {
		findContainer(paths, container);
	} catch (error) {
		if (!options.force || !(error instanceof WherryError) || error.code !== 'not-found') throw error;
		findNetwork(paths, name);
		throw new WherryError('not-found', `endpoint ${container} not found`, {object: container});
	}
	const network = networkToLeave(context, name, options.force ?? false);
	await locked(context, container, async (found) => {
		const up = isUp(currentState(paths, found.Id));
		if (network) checkLeavable(found, network, up);
		const record = up ? await endUnfinished(context, found, network?.Id) : found;
		const mode = record.HostConfig.NetworkMode;
		const networks = record.Networks ?? (hasOwnNetwork(mode) || mode === 'none' ? {[mode]: {}} : {});
		const known = network?.Name ?? name;
		if (!networks[known]) {
			throw new WherryError('denied', notConnected(record.Id, known, up), {object: record.Id});
		}
		const {[known]: _, ...rest} = networks;
		const left: ContainerRecord = {...record, Networks: rest};
		const endpoint = up
			? readNetworkState(paths, record.Id).endpoints.find((each) => each.network === known)
			: undefined;
		if (endpoint) await disconnectRunning(context, left, endpoint);
		// One that broke off has gone so far.
		else if (up && network && network.Driver !== 'null') await finishDisconnect(context, left, network);
		writeRecord(paths, left);
		if (up && network) tell(context, 'disconnect', network, record);
	});
}
