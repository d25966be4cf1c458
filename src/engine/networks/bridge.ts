/** The kernel side of a bridge network: made when a container first needs it, found again afterwards. */
import {readFileSync, writeFileSync} from 'node:fs';
import {protocol} from '../../kernel/netlink/message.ts';
import * as rt from '../../kernel/netlink/rtnetlink.ts';
import {exchange} from '../../kernel/netlink/socket.ts';
import {isErrno, WherryError} from '../errors.ts';
import {readIfThere} from '../files.ts';
import type {Locks} from '../locks.ts';
import type {Paths} from '../paths.ts';
import {
	type Address,
	addressBytes,
	formatMac,
	formatSubnet,
	lastAddress,
	macOf,
	type Subnet,
} from './address.ts';
import {
	addGuard,
	addNetwork,
	familiesOf,
	firewallLock,
	presentTables,
	readStamp,
	removeGuard,
	removeNetworkElements,
	removeStamp,
	type Stamp,
	tableName,
	writeBase,
	writeStamp,
} from './firewall.ts';
import {disallowInHostFilter} from './host-filter.ts';
import {poolsOf} from './ipam.ts';
import {bridgeOptions} from './options.ts';
import type {NetworkRecord} from './record.ts';
import {familyOf} from './ruleset.ts';

interface Context {
	readonly paths: Paths;
	readonly locks: Locks;
}

/** ifalias of our bridges: says whose they are. */
const aliasOf = (paths: Paths, network: NetworkRecord): string =>
	`wherry ${network.Id} ${paths.root}`.slice(0, 255);
const derivedName = (network: NetworkRecord): string => `wy${network.Id.slice(0, 10)}`;

interface Gateway {
	address: Address;
	subnet: Subnet;
}

const gatewaysOf = (network: NetworkRecord): Gateway[] =>
	[...poolsOf(network, 4), ...poolsOf(network, 6)]
		.filter((pool) => pool.gateway)
		.map((pool) => ({address: pool.gateway!, subnet: pool.subnet}));

async function findLink(request: ReturnType<typeof rt.getLink>): Promise<rt.LinkInfo | undefined> {
	try {
		return rt.parseLinks(await exchange(protocol.route, [request]))[0];
	} catch (error) {
		if (isErrno(error, 'ENODEV')) return undefined;
		throw error;
	}
}

/** Writes below /proc/sys unless it is so already; false when the host doesn't have it. */
function setSysctl(path: string, value: string): boolean {
	const file = `/proc/sys/${path}`;
	try {
		if (readFileSync(file, 'latin1').trim() === value) return true;
		writeFileSync(file, value);
		return true;
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return false;
		throw new WherryError(
			'denied',
			`can't set ${path.replaceAll('/', '.')}=${value}: ${(error as Error).message}`,
			{
				cause: error,
			},
		);
	}
}

async function enableForwarding(version6: boolean): Promise<void> {
	setSysctl('net/ipv4/ip_forward', '1');
	if (!version6 || readFileSync('/proc/sys/net/ipv6/conf/all/forwarding', 'latin1').trim() === '1') return;
	// A router doesn't take its own routes from router advertisements unless told to: the host must not lose them.
	for (const {name} of rt.parseLinks(await exchange(protocol.route, [rt.getLinks()]))) {
		const path = `net/ipv6/conf/${name}/accept_ra`;
		try {
			if (readFileSync(`/proc/sys/${path}`, 'latin1').trim() === '1') setSysctl(path, '2');
		} catch {
			// Without IPv6 on it there is nothing to keep.
		}
	}
	setSysctl('net/ipv6/conf/all/forwarding', '1');
}

/** The bridge with this name or, when another one has it, with the derived one. */
async function makeBridge(paths: Paths, network: NetworkRecord): Promise<rt.LinkInfo> {
	const {name, mtu} = bridgeOptions(network);
	const alias = aliasOf(paths, network);
	const first = gatewaysOf(network)[0];
	const names = name
		? [name, ...(network.Name === 'bridge' ? [derivedName(network)] : [])]
		: [derivedName(network)];
	for (const wanted of names) {
		const found = await findLink(rt.getLink(wanted));
		if (found) {
			// docker: a bridge that the user has made under the name that he gives is used as it is.
			const ours =
				found.kind === 'bridge' && (found.alias === alias || (name === wanted && network.Name !== 'bridge'));
			if (ours) return found;
			continue;
		}
		try {
			const replies = await exchange(protocol.route, [
				rt.newBridge(wanted, {...(mtu ? {mtu} : {}), ...(first ? {mac: macOf(first.address)} : {})}),
				rt.setLink({name: wanted}, {alias}),
				rt.getLink(wanted),
			]);
			return rt.parseLinks(replies)[0]!;
		} catch (error) {
			if (!isErrno(error, 'EEXIST')) throw error;
		}
	}
	throw new WherryError('conflict', `the interface ${names[0]} exists and is not a bridge of this network`, {
		object: network.Name,
	});
}

/** One that was given no link-layer address, as one that the user has made, takes that of one or another port. */
const keepsMac = (paths: Paths, network: NetworkRecord, {alias}: rt.LinkInfo): boolean =>
	alias === aliasOf(paths, network) && gatewaysOf(network).length > 0;

async function addressBridge(link: rt.LinkInfo, network: NetworkRecord): Promise<void> {
	const messages = gatewaysOf(network).map(({address, subnet}) =>
		rt.newAddress(
			link.index,
			addressBytes(address),
			subnet.prefix,
			address.version === 4 ? addressBytes({version: 4, value: lastAddress(subnet)}) : undefined,
		),
	);
	await exchange(protocol.route, [...messages, rt.setLink({index: link.index}, {up: true})]);
}

const routeLocalnet = (bridge: string): string => `net/ipv4/conf/${bridge}/route_localnet`;

/** The kernel takes that of all interfaces as well. False when there is no such bridge. */
const routesLocalnet = (bridge: string): boolean =>
	['all', bridge].some((name) => readIfThere(`/proc/sys/${routeLocalnet(name)}`)?.trim() === '1');

function loopbackOf(bridge: string, before: Stamp | undefined): NonNullable<Stamp['loopback']> {
	if (!routesLocalnet(bridge)) return 'closed';
	return before?.bridge === bridge && before.loopback === 'open' ? 'open' : 'found-open';
}

/** Before it is up: a container must not configure the host by router advertisements (CVE-2020-13401). */
function hardenBridge(bridge: string, network: NetworkRecord): void {
	if (network.EnableIPv6) {
		setSysctl(`net/ipv6/conf/${bridge}/disable_ipv6`, '0');
		setSysctl(`net/ipv6/conf/${bridge}/accept_ra`, '0');
	} else setSysctl(`net/ipv6/conf/${bridge}/disable_ipv6`, '1');
}

/** Two queries at the same time. */
async function isReady(paths: Paths, stamp: Stamp): Promise<boolean> {
	const table = tableName(paths);
	const [link, ...tables] = await Promise.all([
		findLink(rt.getLinkByIndex(stamp.index)),
		...familiesOf(stamp).map((version) => presentTables(familyOf(version), [table])),
	]);
	const bridge =
		link?.name === stamp.bridge &&
		link.kind === 'bridge' &&
		link.up &&
		(stamp.mac === undefined || stamp.mac === (link.mac && formatMac(link.mac))) &&
		// Somebody may have opened it since, for one interface or for all.
		!(stamp.loopback === 'closed' && routesLocalnet(stamp.bridge));
	return bridge && tables.every((names) => names.has(table));
}

/**
 * Makes what the kernel must have of a bridge network: interface, addresses, table and elements, sysctls. Two
 * queries when it is all there.
 */
export async function ensureBridge({paths, locks}: Context, network: NetworkRecord): Promise<Stamp> {
	const before = readStamp(paths, network.Id);
	if (before && (await isReady(paths, before))) return before;
	return locks.with(firewallLock, async () => {
		const meanwhile = readStamp(paths, network.Id);
		if (meanwhile && (await isReady(paths, meanwhile))) return meanwhile;
		const options = bridgeOptions(network);
		const link = await makeBridge(paths, network);
		const stamp: Stamp = {
			bridge: link.name,
			index: link.index,
			...(link.mac && keepsMac(paths, network, link) ? {mac: formatMac(link.mac)} : {}),
			subnets: gatewaysOf(network).map(({subnet}) => formatSubnet(subnet)),
			internal: network.Internal,
			icc: options.icc,
			masquerade: options.masquerade,
			loopback: loopbackOf(link.name, before),
		};
		hardenBridge(link.name, network);
		await addNetwork(paths, stamp);
		await addressBridge(link, network);
		await enableForwarding(network.EnableIPv6);
		writeStamp(paths, network.Id, stamp);
		writeBase(paths);
		return stamp;
	});
}

/**
 * Lets packets with the host's loopback addresses come to a network's containers and back, for published ports whose
 * clients are not led. Never without the rules that keep everybody else's from coming in (CVE-2020-8558).
 */
export async function openLoopback({paths, locks}: Context, id: string): Promise<void> {
	const isOpen = ({bridge, loopback}: Stamp): boolean => loopback !== 'closed' && routesLocalnet(bridge);
	const before = readStamp(paths, id);
	if (!before || isOpen(before)) return;
	await locks.with(firewallLock, async () => {
		const stamp = readStamp(paths, id);
		if (!stamp || isOpen(stamp)) return;
		await addGuard(paths);
		writeStamp(paths, id, {...stamp, loopback: 'open'});
		writeBase(paths);
		setSysctl(routeLocalnet(stamp.bridge), '1');
	});
}

/** Takes it all away; a bridge that somebody else has made stays. */
export async function removeBridge({paths, locks}: Context, network: NetworkRecord): Promise<void> {
	await locks.with(firewallLock, async () => {
		const stamp = readStamp(paths, network.Id);
		const name = stamp?.bridge ?? bridgeOptions(network).name ?? derivedName(network);
		if (stamp) {
			await removeNetworkElements(paths, stamp);
			await disallowInHostFilter(paths, stamp);
		}
		const link = await findLink(rt.getLink(name));
		if (link && link.alias === aliasOf(paths, network)) {
			await exchange(protocol.route, [rt.deleteLink({index: link.index})], {tolerate: ['ENODEV']});
		} else if (link && stamp?.loopback === 'open') {
			// It goes on without the guard.
			setSysctl(routeLocalnet(link.name), '0');
		}
		removeStamp(paths, network.Id);
		writeBase(paths);
		await removeGuard(paths);
	});
}
