/** Gives a container that is about to start its addresses and ports. */
import {existsSync} from 'node:fs';
import {protocol} from '../../kernel/netlink/message.ts';
import * as rt from '../../kernel/netlink/rtnetlink.ts';
import {exchange} from '../../kernel/netlink/socket.ts';
import {randomHex} from '../../kernel/random.ts';
import type {EngineContext} from '../containers/context.ts';
import {isId} from '../containers/names.ts';
import {type ContainerRecord, currentState, isUp} from '../containers/record.ts';
import {isErrno, WherryError} from '../errors.ts';
import {type Address, formatAddress, formatMac, macOf, parseAddress, parseMac} from './address.ts';
import {ensureBridge, openLoopback} from './bridge.ts';
import {needsLoopback} from './endpoint.ts';
import {choosePorts} from './free-port.ts';
import {type AddressPool, poolsOf} from './ipam.ts';
import {hostLeads} from './leading.ts';
import {type Abandoned, dropLeases, type Lease, takeLease} from './leases.ts';
import {bridgeOptions, childOptions} from './options.ts';
import {parseLink} from './parse-link.ts';
import type {BindingRange, PublishedRange} from './port-ranges.ts';
import {checkTwice, wantedPorts, withExposed} from './ports.ts';
import {findNetwork, type NetworkRecord} from './record.ts';
import {
	type EndpointState,
	type NetworkState,
	noNetwork,
	publishingEndpoint,
	readNetworkState,
} from './state.ts';
import {dropStray} from './stray.ts';
import {type WantedEndpoint, wantedEndpoints} from './wanted.ts';

/** In a new namespace the first indices may be those of tunnels that the kernel makes by itself. */
export const firstIndex = 100;

/** Under its lock a container holds what its state says; one that is not up holds nothing. */
function holds({paths}: EngineContext, holder: string, network: NetworkRecord, address: string): boolean {
	if (!existsSync(paths.runContainer(holder)) && !isUp(currentState(paths, holder))) return false;
	return readNetworkState(paths, holder).endpoints.some(
		({networkId, ipv4, ipv6}) =>
			networkId === network.Id && (ipv4?.address === address || ipv6?.address === address),
	);
}

function abandonedBy(context: EngineContext, network: NetworkRecord): Abandoned {
	const {paths, locks} = context;
	return async (holder, address, work) => {
		if (!isId(holder)) {
			work();
			return true;
		}
		const lock = await locks.tryAcquire(holder);
		if (!lock) return false;
		try {
			if (holds(context, holder, network, address)) return false;
			work();
			return true;
		} finally {
			lock.release({remove: !existsSync(paths.container(holder))});
		}
	};
}

async function parentIndex(network: NetworkRecord): Promise<number> {
	const {parent} = childOptions(network);
	try {
		return rt.parseLinks(await exchange(protocol.route, [rt.getLink(parent)]))[0]!.index;
	} catch (error) {
		if (!isErrno(error, 'ENODEV')) throw error;
		throw new WherryError(
			'invalid',
			`the parent interface ${parent} of network ${network.Name} is not there`,
			{
				object: network.Name,
				cause: error,
			},
		);
	}
}

/** What an endpoint is on the host's side. */
async function hostSide(context: EngineContext, network: NetworkRecord) {
	if (network.Driver === 'bridge') {
		const {index, icc, bridge, mac} = await ensureBridge(context, network);
		return {
			master: index,
			bridge,
			...(mac ? {bridgeMac: mac} : {}),
			isolated: !icc,
			...(hostLeads() ? {led: true} : {}),
			mode: 0,
			routed: false,
			mtu: bridgeOptions(network).mtu,
		};
	}
	const {mode, routed, mtu} = childOptions(network);
	return {master: await parentIndex(network), isolated: false, mode, routed, mtu};
}

const leased = (network: NetworkRecord, {address, pool}: Lease, routed: boolean) => ({
	address: formatAddress(address),
	prefix: pool.subnet.prefix,
	...(pool.gateway && !network.Internal && !routed ? {gateway: formatAddress(pool.gateway)} : {}),
});

function firstFree(pools: readonly AddressPool[], network: NetworkRecord): Lease {
	for (const pool of pools) {
		const {version} = pool.subnet.address;
		for (let value = pool.from; value <= pool.to; value++) {
			if (!pool.reserved.some((address) => address.value === value)) return {address: {version, value}, pool};
		}
	}
	throw new WherryError('exhausted', `network ${network.Name} has no addresses`);
}

export interface AllocateOptions {
	/** Takes nothing: for showing a plan. */
	dry?: boolean;
	before?: NetworkState;
}

/** One endpoint; `position` is the number of its interface. */
export async function allocateEndpoint(
	context: EngineContext,
	record: Pick<ContainerRecord, 'Id' | 'Name' | 'Config'>,
	{network, settings}: WantedEndpoint,
	position: number,
	options: AllocateOptions = {},
): Promise<EndpointState> {
	const {paths} = context;
	const host = options.dry
		? {master: 0, isolated: false, mode: 0, routed: false, mtu: 0}
		: await hostSide(context, network);
	const old = options.before?.endpoints.find(({networkId}) => networkId === network.Id);
	const lease = async (version: 4 | 6): Promise<Lease | undefined> => {
		const pools = poolsOf(network, version);
		if (pools.length === 0) return undefined;
		if (options.dry) return firstFree(pools, network);
		const text = version === 4 ? settings.IPAMConfig?.IPv4Address : settings.IPAMConfig?.IPv6Address;
		const last = version === 4 ? old?.ipv4?.address : old?.ipv6?.address;
		return takeLease(
			paths,
			{
				network,
				pools,
				container: record.Id,
				wanted: text ? parseAddress(text) : undefined,
				before: last ? parseAddress(last) : undefined,
			},
			abandonedBy(context, network),
		);
	};
	const v4 = await lease(4);
	const v6 = await lease(6);
	const address: Address | undefined = v4?.address ?? v6?.address;
	const mac = settings.MacAddress ? parseMac(settings.MacAddress) : address && macOf(address);
	const prefix = network.Options['com.docker.network.container_iface_prefix'] || 'eth';
	return {
		network: network.Name,
		networkId: network.Id,
		endpointId: randomHex(32),
		driver: network.Driver as EndpointState['driver'],
		interface: `${prefix}${position}`,
		index: firstIndex + position,
		...(network.Driver === 'bridge' ? {peer: `wh${record.Id.slice(0, 9)}${position.toString(36)}`} : {}),
		...host,
		...(mac && network.Driver !== 'ipvlan' ? {mac: formatMac(mac)} : {}),
		...(v4 ? {ipv4: leased(network, v4, host.routed)} : {}),
		...(v6 ? {ipv6: leased(network, v6, host.routed)} : {}),
		...(settings.IPAMConfig?.LinkLocalIPs?.length ? {linkLocal: settings.IPAMConfig.LinkLocalIPs} : {}),
		internal: network.Internal,
		aliases: settings.Aliases ? [...settings.Aliases] : [],
		links: (settings.Links ?? []).map(parseLink),
		gateway: false,
	};
}

/** docker: the highest priority, then by name; an internal network leads nowhere. */
export function chooseGateway(
	endpoints: readonly EndpointState[],
	priorities: Readonly<Record<string, number>>,
): void {
	const candidates = endpoints
		.filter(({internal, ipv4, ipv6, routed}) => !internal && (routed || ipv4?.gateway || ipv6?.gateway))
		.toSorted(
			(a, b) =>
				(priorities[b.network] ?? 0) - (priorities[a.network] ?? 0) || (a.network < b.network ? -1 : 1),
		);
	for (const endpoint of endpoints) endpoint.gateway = endpoint === candidates[0];
}

export const prioritiesOf = (record: Pick<ContainerRecord, 'Networks'>): Record<string, number> =>
	Object.fromEntries(
		Object.entries(record.Networks ?? {}).map(([name, {GwPriority}]) => [name, GwPriority ?? 0]),
	);

/** What of the host is bound for a container that is published on an endpoint; chosen ports of before are kept. */
export async function portsFor(
	context: EngineContext,
	{HostConfig, Config, Name}: ContainerRecord,
	endpoint: EndpointState,
	before: NetworkState,
	options: {bindings?: readonly BindingRange[]; taken?: readonly PublishedRange[]} = {},
): Promise<PublishedRange[]> {
	const all = HostConfig.PublishAllPorts
		? withExposed(HostConfig.PortBindings, Config.ExposedPorts)
		: HostConfig.PortBindings;
	const wanted = wantedPorts(options.bindings ?? all);
	if (wanted.length === 0) return [];
	try {
		checkTwice(wanted);
		const ports = await choosePorts(wanted, {
			hostBinding: bridgeOptions(findNetwork(context.paths, endpoint.network)).hostBinding,
			before: before.ports,
			taken: options.taken ?? [],
		});
		if (endpoint.bridge && ports.some((range) => needsLoopback(range, endpoint))) {
			await openLoopback(context, endpoint.networkId);
		}
		return ports;
	} catch (error) {
		if (!(error instanceof WherryError)) throw error;
		const where = `endpoint ${Name} (${endpoint.endpointId})`;
		throw new WherryError(
			error.code,
			`failed to set up container networking: driver failed programming external connectivity on ${where}: ${error.message}`,
			{object: error.object, exitCode: error.exitCode, cause: error},
		);
	}
}

/** All endpoints and ports. What it has taken when it fails is given back. Under the container's lock. */
export async function allocateNetworks(
	context: EngineContext,
	record: ContainerRecord,
	options: {dry?: boolean} = {},
): Promise<NetworkState> {
	const {paths} = context;
	const before = options.dry ? undefined : readNetworkState(paths, record.Id);
	const wanted = await wantedEndpoints(context, record);
	if (before) dropStray(paths, record, before);
	const endpoints: EndpointState[] = [];
	try {
		for (const [position, each] of wanted.entries()) {
			endpoints.push(
				await allocateEndpoint(context, record, each, position, {...options, ...(before ? {before} : {})}),
			);
		}
		chooseGateway(endpoints, prioritiesOf(record));
		const state: NetworkState = {endpoints, ports: []};
		const publishing = publishingEndpoint(state);
		if (!publishing) return state;
		state.ports = await portsFor(context, record, publishing, before ?? noNetwork);
		return state;
	} catch (error) {
		if (!options.dry) for (const {network} of wanted) dropLeases(paths, network.Id, record.Id);
		throw error;
	}
}
