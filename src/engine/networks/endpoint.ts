/** From a container's network state to operations of its plans. Pure, but for the paths. */
import {join} from 'node:path';
import {encodeBatch, type Message, protocol} from '../../kernel/netlink/message.ts';
import * as nft from '../../kernel/netlink/nftables.ts';
import * as rt from '../../kernel/netlink/rtnetlink.ts';
import type {Op} from '../../runtime/plan/ops.ts';
import type {Paths} from '../paths.ts';
import {addressBytes, lastAddress, parseAddress, parseMac, parseSubnet} from './address.ts';
import {baseFile, firewallLock, tableName} from './firewall.ts';
import {allowForwardingOps, allowSendingOp} from './host-filter.ts';
import {leaseFile} from './leases.ts';
import {groupPorts, type PortGroup, type PublishedRange, rangesText} from './port-ranges.ts';
import {familyOf, protocolNumber, setName} from './ruleset.ts';
import {type EndpointState, type NetworkState, publishingEndpoint} from './state.ts';
import {zoneFile} from './zone.ts';

/** Descriptors that the monitor holds while it sends (see `netlink` in ops.ts). */
const hostNamespace = 100;
const containerNamespace = 101;
const where = {host: 0, container: 1} as const;
const ignoreErrors = 1;

const netlink = (place: number, family: number, messages: readonly Message[], flags = 0): Op => ({
	op: 'netlink',
	where: place,
	protocol: family,
	messages: encodeBatch(messages),
	flags,
});

const bytesOf = (text: string): Buffer => addressBytes(parseAddress(text)!);
const addressesOf = (endpoint: EndpointState): string[] =>
	[endpoint.ipv4?.address, endpoint.ipv6?.address].filter((address) => address !== undefined);
const bytesOfAll = (endpoint: EndpointState): Buffer[] => addressesOf(endpoint).map(bytesOf);

/**
 * A veth is made from inside: the kernel gives the end that it is asked for the index that it is asked for, so
 * that one batch can go on with it, but the other end only if both have one.
 */
const makeVeth = ({index, mtu, peer, mac, ...endpoint}: EndpointState): Message => {
	const size = mtu ? {mtu} : {};
	const address = mac && parseMac(mac);
	return rt.newVeth(endpoint.interface, {index, ...size, ...(address ? {mac: address} : {})}, peer!, {
		namespaceFd: hostNamespace,
		...size,
	});
};

function makeChild({driver, index, mtu, master, mode, mac, ...endpoint}: EndpointState): Message {
	const address = mac && parseMac(mac);
	return rt.newChildLink(driver as 'macvlan' | 'ipvlan', endpoint.interface, master, mode, {
		namespaceFd: containerNamespace,
		index,
		...(mtu ? {mtu} : {}),
		...(address ? {mac: address} : {}),
	});
}

/**
 * The host's end becomes a port of the bridge. In hairpin mode: with br_netfilter a container's packet to its own
 * published port is turned round on the bridge itself. The bridge is told what address is behind the port, and learns
 * none there: it needs no look-up for each packet, and a container can't draw another's frames to itself. What has yet
 * another address in there (a virtual machine) is reached like any that a bridge doesn't know, by way of all ports.
 * Nor do the host and its containers ask each other for these addresses: no first packet waits for ARP, whose requests
 * go to all ports, and a container that claims the IP address of another one, as NET_RAW lets it, gets nothing of what
 * the host sends there, nor of what others send to the gateway.
 */
function joinBridge(endpoint: EndpointState): Op[] {
	const {peer, master, isolated, mac} = endpoint;
	const port = [
		...rt.joinBridge(peer!, master, {hairpin: true, isolated, learning: mac === undefined}),
		...(mac === undefined
			? []
			: bytesOfAll(endpoint).map((address) => rt.newNeighbour(master, address, parseMac(mac)!))),
	];
	const pins: Op[] = mac === undefined ? [] : [{op: 'pinAddress', port: peer!, mac: parseMac(mac)!}];
	return [netlink(where.host, protocol.route, port), ...pins];
}

function gatewayNeighbours({index, ipv4, ipv6, bridgeMac}: EndpointState): Message[] {
	const mac = bridgeMac && parseMac(bridgeMac);
	const gateways = [ipv4?.gateway, ipv6?.gateway].filter((gateway) => gateway !== undefined);
	return mac ? gateways.map((gateway) => rt.newNeighbour(index, bytesOf(gateway), mac)) : [];
}

/** Of an endpoint that goes: nobody is to wait for answers of whom nobody has asked for. */
const forgetNeighbour = (endpoint: EndpointState): Op[] =>
	endpoint.driver === 'bridge' && endpoint.mac !== undefined
		? [
				netlink(
					where.host,
					protocol.route,
					bytesOfAll(endpoint).map((address) => rt.deleteNeighbour(endpoint.master, address)),
					ignoreErrors,
				),
			]
		: [];

function containerMessages(endpoint: EndpointState): Message[] {
	const {index, ipv4, ipv6, routed, gateway} = endpoint;
	const messages: Message[] = [];
	if (!ipv6) messages.push(rt.withoutLinkLocal({index}));
	if (ipv4) {
		const subnet = parseSubnet(`${ipv4.address}/${ipv4.prefix}`)!;
		const broadcast = addressBytes({version: 4, value: lastAddress(subnet)});
		messages.push(rt.newAddress(index, bytesOf(ipv4.address), ipv4.prefix, broadcast));
	}
	if (ipv6) messages.push(rt.newAddress(index, bytesOf(ipv6.address), ipv6.prefix));
	for (const text of endpoint.linkLocal ?? []) {
		const address = bytesOf(text);
		messages.push(rt.newAddress(index, address, address.length === 4 ? 16 : 64));
	}
	messages.push(rt.setLink({index}, {up: true}), ...gatewayNeighbours(endpoint));
	if (!gateway) return messages;
	for (const [family, each] of [
		[rt.family.inet, ipv4],
		[rt.family.inet6, ipv6],
	] as const) {
		if (!each) continue;
		if (routed) messages.push(rt.newRoute(index, {family}));
		else if (each.gateway) messages.push(rt.newRoute(index, {family, gateway: bytesOf(each.gateway)}));
	}
	return messages;
}

export const endpointOps = (endpoint: EndpointState): Op[] =>
	endpoint.driver === 'bridge'
		? [
				netlink(where.container, protocol.route, [makeVeth(endpoint), ...containerMessages(endpoint)]),
				...joinBridge(endpoint),
			]
		: [
				netlink(where.host, protocol.route, [makeChild(endpoint)]),
				netlink(where.container, protocol.route, containerMessages(endpoint)),
			];

/** The default route moves when the network that gave it goes. */
export function defaultRouteOps(endpoint: EndpointState): Op[] {
	const {index, ipv4, ipv6, routed} = endpoint;
	const messages: Message[] = [];
	if (ipv4 && (routed || ipv4.gateway)) {
		messages.push(
			rt.newRoute(index, {
				family: rt.family.inet,
				...(routed ? {} : {gateway: bytesOf(ipv4.gateway!)}),
			}),
		);
	}
	if (ipv6 && (routed || ipv6.gateway)) {
		messages.push(
			rt.newRoute(index, {
				family: rt.family.inet6,
				...(routed ? {} : {gateway: bytesOf(ipv6.gateway!)}),
			}),
		);
	}
	return messages.length > 0 ? [netlink(where.container, protocol.route, messages)] : [];
}

export const removeDefaultRouteOps = (endpoint: EndpointState): Op[] => [
	netlink(
		where.container,
		protocol.route,
		[endpoint.ipv4 && rt.family.inet, endpoint.ipv6 && rt.family.inet6]
			.filter((family) => family !== undefined)
			.map((family) => rt.deleteDefaultRoute(family)),
		ignoreErrors,
	),
];

/** Removes the interface from a running container. */
export const removeEndpointOps = (endpoint: EndpointState): Op[] => [
	netlink(where.container, protocol.route, [rt.deleteLink({index: endpoint.index})], ignoreErrors),
	...forgetNeighbour(endpoint),
];

const isAny = (ip: string): boolean => ip === '0.0.0.0' || ip === '::';

/** The address that a published port of this family leads to; undefined: there is none, it is proxied. */
function target(endpoint: EndpointState, hostIp: string): Buffer | undefined {
	const address = hostIp.includes(':') ? endpoint.ipv6 : endpoint.ipv4;
	return address && bytesOf(address.address);
}

const isLoopback = (ip: string): boolean => ip.startsWith('127.');

type HostPorts = Pick<PublishedRange, 'protocol' | 'hostIp'>;

/** Whether the host itself reaches the container by IPv4. */
const isNear = ({driver, ipv4}: EndpointState): boolean => driver === 'bridge' && ipv4 !== undefined;

/** Whether clients of the host's loopback addresses come by a port, and to the container itself. */
const isForLoopback = ({hostIp}: HostPorts, endpoint: EndpointState): boolean =>
	isNear(endpoint) && (hostIp === '0.0.0.0' || isLoopback(hostIp));

/** Whether clients on the host are led by a port at their connect(2). */
const isLed = ({protocol: name, hostIp}: HostPorts, endpoint: EndpointState): boolean =>
	name === 'tcp' && endpoint.led === true && isNear(endpoint) && !hostIp.includes(':');

/** Whether packets come with loopback addresses. */
export const needsLoopback = (ports: HostPorts, endpoint: EndpointState): boolean =>
	isForLoopback(ports, endpoint) && !isLed(ports, endpoint);

/** Sockets first: a port that is taken fails before anything else has been done. */
function reserveOp(group: PortGroup, endpoint: EndpointState): Op {
	const {protocol: name, hostIp, text} = group;
	const common = {protocol: protocolNumber[name], address: bytesOf(hostIp), ports: text};
	const toAddress = bytesOf((endpoint.ipv4 ?? endpoint.ipv6!).address);
	if (isForLoopback(group, endpoint) && isLed(group, endpoint))
		return {op: 'proxyLoopback', ...common, toAddress};
	// There is no route_localnet for IPv6: what comes for ::1, or for an address of a kind that the container doesn't
	// have, is proxied; but SCTP, whose associations have many addresses.
	if (name === 'sctp' || (!hostIp.includes(':') && endpoint.ipv4)) return {op: 'reservePorts', ...common};
	return {op: 'proxyPorts', ...common, toAddress};
}

/** Of the ports that the kernel leads to the container by its packets. */
const elementOps = (
	op: 'publishPorts' | 'unpublishPorts',
	paths: Paths,
	groups: readonly PortGroup[],
	endpoint: EndpointState,
): Op[] =>
	groups.flatMap((group): Op[] => {
		const {protocol: name, hostIp, text} = group;
		const toAddress = target(endpoint, hostIp);
		if (!toAddress || (isLoopback(hostIp) && isLed(group, endpoint))) return [];
		return [
			{
				op,
				family: familyOf(hostIp.includes(':') ? 6 : 4),
				table: tableName(paths),
				map: isAny(hostIp) ? setName.published : setName.publishedOn,
				protocol: protocolNumber[name],
				address: isAny(hostIp) ? Buffer.alloc(0) : bytesOf(hostIp),
				toAddress,
				ports: text,
			},
		];
	});

/** The lock under which the programs of leadPorts are made, also by monitors of earlier versions, and their name. */
const leadLock = 'loopback';
const programName = (paths: Paths): string => tableName(paths).replace('-', '_');

const ledPorts = (groups: readonly PortGroup[], endpoint: EndpointState) =>
	groups
		.filter((group) => isLed(group, endpoint))
		.map(({hostIp, text}) => ({
			address: isAny(hostIp) ? Buffer.alloc(0) : bytesOf(hostIp),
			toAddress: bytesOf(endpoint.ipv4!.address),
			ports: text,
		}));

/** Of the ports to which clients on the host are led at their connect(2). */
function leadOps(paths: Paths, groups: readonly PortGroup[], endpoint: EndpointState): Op[] {
	const lead = ledPorts(groups, endpoint).map(
		(ports): Op => ({op: 'leadPorts', name: programName(paths), ...ports, lock: paths.lock(leadLock)}),
	);
	return lead.length > 0 && endpoint.bridge ? [allowSendingOp(paths, endpoint.bridge), ...lead] : lead;
}

const unleadOps = (paths: Paths, groups: readonly PortGroup[], endpoint: EndpointState): Op[] =>
	ledPorts(groups, endpoint).map((ports) => ({op: 'unleadPorts', name: programName(paths), ...ports}));

/** A client that goes on sending to a UDP port must not be held by the entry from before. */
const forgetPorts = (groups: readonly PortGroup[]): Op[] =>
	groups
		.filter(({protocol: name, hostIp}) => name === 'udp' && !hostIp.includes(':'))
		.map(({hostIp, text}) => ({
			op: 'forgetPorts',
			protocol: protocolNumber.udp,
			address: isAny(hostIp) ? Buffer.alloc(0) : bytesOf(hostIp),
			ports: text,
		}));

const forgetAddress = (address: string): Op => ({
	op: 'forgetConnections',
	protocol: 0,
	address: bytesOf(address),
	port: 0,
});

export const reserveOps = (groups: readonly PortGroup[], endpoint: EndpointState): Op[] =>
	groups.map((group) => reserveOp(group, endpoint));

export const publishOps = (paths: Paths, groups: readonly PortGroup[], endpoint: EndpointState): Op[] => [
	...elementOps('publishPorts', paths, groups, endpoint),
	...leadOps(paths, groups, endpoint),
	...forgetPorts(groups),
];

/** For a container that goes on: connections by these ports end, but those that are led or proxied. */
export const unpublishOps = (paths: Paths, groups: readonly PortGroup[], endpoint: EndpointState): Op[] => [
	...unleadOps(paths, groups, endpoint),
	...elementOps('unpublishPorts', paths, groups, endpoint),
	...groups.flatMap(({protocol: name, hostIp, ranges}): Op[] => {
		const address = target(endpoint, hostIp);
		if (!address) return [];
		const inside = ranges.map(({containerPort: port, count}) => ({from: port, to: port, count}));
		return [{op: 'forgetPorts', protocol: protocolNumber[name], address, ports: rangesText(inside)}];
	}),
];

/** Names that a container's resolver asks for, and where it asks for others. */
export interface NameService {
	/** Zone folders. */
	zones: readonly string[];
	/** Addresses of resolvers. */
	upstreams: readonly string[];
	/** Nothing is asked outside. */
	internal: boolean;
}

const resolverAddress = Buffer.of(127, 0, 0, 11);
const markers = {udp: Buffer.of(0xfe, 0xd1), tcp: Buffer.of(0xfe, 0xd2)} as const;

/** In the container: what is for 127.0.0.11:53 goes to the monitor's sockets; their ports are filled in there. */
function resolverRules(): {rules: Buffer; udpPort: number; tcpPort: number} {
	const {register, payloadBase} = nft;
	const family = nft.nfFamily.ipv4;
	const [table, chain] = ['wherry', 'resolver'];
	const portOf = (name: 'udp' | 'tcp') => nft.loadConstant(markers[name], register.word1);
	const rule = (name: 'udp' | 'tcp') =>
		nft.newRule(family, table, chain, [
			nft.loadMeta(nft.metaKey.l4protocol),
			nft.compare(Buffer.of(protocolNumber[name])),
			nft.loadPayload(payloadBase.network, 16, 4),
			nft.compare(resolverAddress),
			nft.loadPayload(payloadBase.transport, 2, 2),
			nft.compare(Buffer.of(0, 53)),
			nft.loadConstant(resolverAddress, register.word0),
			portOf(name),
			nft.destinationNat(2, register.word0, register.word1),
		]);
	const base = {type: 'nat', hook: nft.hook.output, priority: -100, policy: 'accept'} as const;
	const rules = encodeBatch(
		nft.transaction([
			nft.newTable(family, table),
			nft.newChain(family, table, chain, base),
			rule('udp'),
			rule('tcp'),
		]),
	);
	const offset = (name: 'udp' | 'tcp') => {
		const expression = portOf(name);
		return rules.indexOf(expression) + expression.lastIndexOf(markers[name]);
	};
	return {rules, udpPort: offset('udp'), tcpPort: offset('tcp')};
}

export const namesOp = (names: NameService): Op => ({
	op: 'serveNames',
	zones: [...names.zones],
	upstreams: [...names.upstreams],
	internal: names.internal ? 1 : 0,
	...resolverRules(),
});

/** The table, and the way through the host's own filter. Before elements go into the table. */
export function firewallOps(paths: Paths, endpoints: readonly EndpointState[]): Op[] {
	const bridges = endpoints.filter(({driver}) => driver === 'bridge');
	if (bridges.length === 0) return [];
	const versions = bridges.some(({ipv6}) => ipv6) ? ([4, 6] as const) : ([4] as const);
	const lock = paths.lock(firewallLock);
	return [
		...versions.map(
			(version): Op => ({
				op: 'healFirewall',
				base: baseFile(paths, version),
				lock,
				family: familyOf(version),
				table: tableName(paths),
			}),
		),
		...bridges.flatMap(({bridge, ipv6}) =>
			bridge ? allowForwardingOps(paths, ipv6 ? [4, 6] : [4], bridge) : [],
		),
	];
}

/**
 * The stop plan that takes the elements of published ports back counts only once the ports are ours: before
 * that they may be another container's.
 */
const armStopPlan = (paths: Paths, container: string): Op => ({
	op: 'rename',
	from: join(paths.runContainer(container), armedPlan),
	to: join(paths.runContainer(container), 'stop.plan'),
});

/** In WHERRY_RUN/containers/<id>, until the ports are bound. */
export const armedPlan = 'published.plan';

/** The network section of a plan. */
export function networkOps(
	paths: Paths,
	container: string,
	state: NetworkState,
	names: NameService | undefined,
): Op[] {
	const publishing = publishingEndpoint(state);
	const groups = publishing ? groupPorts(state.ports) : [];
	return [
		...(publishing ? reserveOps(groups, publishing) : []),
		...(groups.length > 0 ? [armStopPlan(paths, container)] : []),
		...state.endpoints.flatMap(addressesOf).map(forgetAddress),
		...firewallOps(paths, state.endpoints),
		...state.endpoints.flatMap(endpointOps),
		...(publishing ? publishOps(paths, groups, publishing) : []),
		...(names ? [namesOp(names)] : []),
	];
}

/** What of it a monitor needs after the start: to bring back what somebody flushes. */
export function lastingOps(paths: Paths, state: NetworkState): Op[] {
	const publishing = publishingEndpoint(state);
	return [
		...firewallOps(paths, state.endpoints),
		...(publishing ? elementOps('publishPorts', paths, groupPorts(state.ports), publishing) : []),
	];
}

/** What the end of an endpoint gives back. */
export const releaseEndpointOps = (paths: Paths, container: string, endpoint: EndpointState): Op[] => [
	...forgetNeighbour(endpoint),
	...addressesOf(endpoint).map(forgetAddress),
	{op: 'removeFile', path: zoneFile(paths, endpoint.networkId, container)},
	...addressesOf(endpoint).map(
		(address): Op => ({op: 'removeFile', path: leaseFile(paths, endpoint.networkId, address)}),
	),
];

/** What a stop plan has of published ports; before connections, names and addresses. */
export function unpublishAllOps(paths: Paths, state: NetworkState): Op[] {
	const publishing = publishingEndpoint(state);
	if (!publishing) return [];
	const groups = groupPorts(state.ports);
	return [
		...unleadOps(paths, groups, publishing),
		...elementOps('unpublishPorts', paths, groups, publishing),
	];
}

/** What a stop plan has of endpoints. */
export const releaseOps = (paths: Paths, container: string, state: NetworkState): Op[] =>
	state.endpoints.flatMap((endpoint) => releaseEndpointOps(paths, container, endpoint));
