/** rtnetlink messages that networks need (linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h). */
import {
	type Attributes,
	attribute,
	first,
	nest,
	parseAttributes,
	text,
	textOf,
	u8,
	u16,
	u32,
} from './attributes.ts';
import {flag, type Message, message, type Reply} from './message.ts';

const type = {
	newLink: 16,
	delLink: 17,
	getLink: 18,
	newAddress: 20,
	getAddress: 22,
	newRoute: 24,
	delRoute: 25,
	getRoute: 26,
	newNeighbour: 28,
	delNeighbour: 29,
} as const;
const link = {
	address: 1,
	ifname: 3,
	mtu: 4,
	link: 5,
	master: 10,
	info: 18,
	netnsPid: 19,
	alias: 20,
	netnsFd: 28,
} as const;
const info = {kind: 1, data: 2} as const;

/** Address families. */
export const family = {unspec: 0, inet: 2, inet6: 10} as const;
export const interfaceUp = 1;

/** `macvlan` modes, bit values (linux/if_link.h). */
export const macvlanMode = {private: 1, vepa: 2, bridge: 4, passthru: 8} as const;
export const ipvlanMode = {l2: 0, l3: 1, l3s: 2} as const;

function ifinfo(index: number, flags = 0, change = 0): Buffer {
	const out = Buffer.alloc(16);
	out.writeInt32LE(index, 4);
	out.writeUInt32LE(flags, 8);
	out.writeUInt32LE(change, 12);
	return out;
}

export interface LinkOptions {
	mtu?: number;
	/** Six bytes. */
	mac?: Uint8Array;
	up?: boolean;
	/** Index of the bridge. */
	master?: number;
	/** A descriptor, of the process that sends, of the namespace to make it in. */
	namespaceFd?: number;
	/** ifalias: for people and for finding what is ours. */
	alias?: string;
	/** The index that a new interface shall have in its namespace. */
	index?: number;
}

function linkBody(index: number, name: string | undefined, options: LinkOptions): Buffer[] {
	const up = options.up ? interfaceUp : 0;
	const parts: Buffer[] = [
		ifinfo(index || (options.index ?? 0), up, options.up === undefined ? 0 : interfaceUp),
	];
	if (name !== undefined) parts.push(text(link.ifname, name));
	if (options.mtu) parts.push(u32(link.mtu, options.mtu));
	if (options.mac) parts.push(attribute(link.address, options.mac));
	if (options.master !== undefined) parts.push(u32(link.master, options.master));
	if (options.namespaceFd !== undefined) parts.push(u32(link.netnsFd, options.namespaceFd));
	if (options.alias) parts.push(text(link.alias, options.alias));
	return parts;
}

const create = flag.request | flag.ack | flag.create | flag.exclusive;

export function newBridge(name: string, options: LinkOptions = {}): Message {
	return message(
		type.newLink,
		create,
		...linkBody(0, name, options),
		nest(link.info, text(info.kind, 'bridge')),
	);
}

/**
 * Makes an interface, found by name, a port of a bridge. In hairpin mode a frame may leave by the port that it came
 * from; an isolated port reaches no other isolated one; of one that learns nothing the bridge takes no sender's address.
 */
export function joinBridge(
	name: string,
	bridge: number,
	options: {hairpin: boolean; isolated: boolean; learning: boolean},
): Message[] {
	const [slaveKind, slaveData, portMode, portLearning, portIsolated] = [4, 5, 4, 8, 33];
	const data = [
		u8(portMode, options.hairpin ? 1 : 0),
		u8(portLearning, options.learning ? 1 : 0),
		u8(portIsolated, options.isolated ? 1 : 0),
	];
	return [
		setLink({name}, {master: bridge, up: true}),
		message(
			type.newLink,
			flag.request | flag.ack,
			...linkBody(0, name, {}),
			nest(link.info, text(slaveKind, 'bridge'), nest(slaveData, ...data)),
		),
	];
}

/** No link-local address of IPv6 on an interface of a network without IPv6. Before it is up. */
export function withoutLinkLocal(target: {index?: number; name?: string}): Message {
	const [afSpec, addressGenerationMode, none] = [26, 8, 1];
	return message(
		type.newLink,
		flag.request | flag.ack,
		...linkBody(target.index ?? 0, target.index ? undefined : target.name, {}),
		nest(afSpec, nest(family.inet6, u8(addressGenerationMode, none))),
	);
}

/** A veth pair: `name` in the sender's namespace, the peer where `peer.namespaceFd` says. */
export function newVeth(name: string, options: LinkOptions, peerName: string, peer: LinkOptions): Message {
	const vethPeer = 1;
	const peerBody = attribute(vethPeer, Buffer.concat(linkBody(0, peerName, peer)));
	return message(
		type.newLink,
		create,
		...linkBody(0, name, options),
		nest(link.info, text(info.kind, 'veth'), nest(info.data, peerBody)),
	);
}

/** A macvlan or ipvlan on the interface with the index `parent`. */
export function newChildLink(
	kind: 'macvlan' | 'ipvlan',
	name: string,
	parent: number,
	mode: number,
	options: LinkOptions,
): Message {
	const modeAttribute = kind === 'macvlan' ? u32(1, mode) : u16(1, mode);
	return message(
		type.newLink,
		create,
		...linkBody(0, name, options),
		u32(link.link, parent),
		nest(link.info, text(info.kind, kind), nest(info.data, modeAttribute)),
	);
}

/** Changes an interface found by index, or by name when the index is 0. */
export function setLink(
	target: {index?: number; name?: string},
	options: LinkOptions & {rename?: string},
): Message {
	const name = options.rename ?? (target.index ? undefined : target.name);
	return message(type.newLink, flag.request | flag.ack, ...linkBody(target.index ?? 0, name, options));
}

export function deleteLink(target: {index?: number; name?: string}): Message {
	const parts = [ifinfo(target.index ?? 0)];
	if (!target.index) parts.push(text(link.ifname, target.name!));
	return message(type.delLink, flag.request | flag.ack, ...parts);
}

/** IFA_F_NODAD: an address that we chose needs no duplicate detection, and is usable at once. */
const noDuplicateDetection = 2;

/** `address` has 4 or 16 bytes. */
export function newAddress(
	index: number,
	address: Uint8Array,
	prefix: number,
	broadcast?: Uint8Array,
): Message {
	const inet6 = address.length === 16;
	const head = Buffer.alloc(8);
	head[0] = inet6 ? family.inet6 : family.inet;
	head[1] = prefix;
	head[2] = inet6 ? noDuplicateDetection : 0;
	head.writeUInt32LE(index, 4);
	const parts = [head, attribute(2, address), attribute(1, address)];
	if (broadcast) parts.push(attribute(4, broadcast));
	return message(type.newAddress, flag.request | flag.ack | flag.create | flag.replace, ...parts);
}

const routeTableMain = 254;
const routeProtocolBoot = 3;
const scope = {universe: 0, link: 253, nowhere: 255} as const;

/** A route by a gateway, or (without one) on the link; `destination` undefined is the default route. */
export function newRoute(
	index: number,
	to: {family: number; destination?: Uint8Array; prefix?: number; gateway?: Uint8Array; metric?: number},
): Message {
	const head = Buffer.alloc(12);
	head[0] = to.family;
	head[1] = to.destination ? (to.prefix ?? to.destination.length * 8) : 0;
	head[4] = routeTableMain;
	head[5] = routeProtocolBoot;
	head[6] = to.gateway ? scope.universe : scope.link;
	head[7] = 1;
	const parts: Buffer[] = [head];
	if (to.destination) parts.push(attribute(1, to.destination));
	if (to.gateway) parts.push(attribute(5, to.gateway));
	parts.push(u32(4, index));
	if (to.metric !== undefined) parts.push(u32(6, to.metric));
	return message(type.newRoute, flag.request | flag.ack | flag.create | flag.exclusive, ...parts);
}

/** The default route of the main table. */
export function deleteDefaultRoute(inFamily: number): Message {
	const head = Buffer.alloc(12);
	head[0] = inFamily;
	head[4] = routeTableMain;
	head[6] = scope.nowhere;
	return message(type.delRoute, flag.request | flag.ack, head);
}

const neighbourPermanent = 0x80;

function neighbour(index: number, address: Uint8Array, state: number): Buffer[] {
	const head = Buffer.alloc(12);
	head[0] = address.length === 16 ? family.inet6 : family.inet;
	head.writeUInt32LE(index, 4);
	head.writeUInt16LE(state, 8);
	return [head, attribute(1, address)];
}

/** The link-layer address of a neighbour (linux/neighbour.h): it isn't asked for, and what others say doesn't count. */
export const newNeighbour = (index: number, address: Uint8Array, mac: Uint8Array): Message =>
	message(
		type.newNeighbour,
		flag.request | flag.ack | flag.create | flag.replace,
		...neighbour(index, address, neighbourPermanent),
		attribute(2, mac),
	);

export const deleteNeighbour = (index: number, address: Uint8Array): Message =>
	message(type.delNeighbour, flag.request | flag.ack, ...neighbour(index, address, 0));

export const getLinks = (): Message => message(type.getLink, flag.request | flag.dump, ifinfo(0));
/** One interface by name; ENODEV when it isn't there. */
export const getLink = (name: string): Message =>
	message(type.getLink, flag.request | flag.ack, ifinfo(0), text(link.ifname, name));
/** One interface by index. */
export const getLinkByIndex = (index: number): Message =>
	message(type.getLink, flag.request | flag.ack, ifinfo(index));
export const getAddresses = (): Message =>
	message(type.getAddress, flag.request | flag.dump, Buffer.alloc(8));
export const getRoutes = (): Message => message(type.getRoute, flag.request | flag.dump, Buffer.alloc(12));

export interface LinkInfo {
	index: number;
	name: string;
	up: boolean;
	mtu: number;
	mac: Buffer | undefined;
	master: number | undefined;
	kind: string | undefined;
	alias: string | undefined;
}

const number32 = (payload: Buffer | undefined): number | undefined =>
	payload && payload.length >= 4 ? payload.readUInt32LE() : undefined;

export function parseLinks(replies: readonly Reply[]): LinkInfo[] {
	return replies
		.filter((reply) => reply.type === type.newLink && reply.body.length >= 16)
		.map((reply) => {
			const attributes: Attributes = parseAttributes(reply.body.subarray(16));
			const details = first(attributes, link.info);
			return {
				index: reply.body.readInt32LE(4),
				name: textOf(first(attributes, link.ifname)) ?? '',
				up: (reply.body.readUInt32LE(8) & interfaceUp) !== 0,
				mtu: number32(first(attributes, link.mtu)) ?? 0,
				mac: first(attributes, link.address),
				master: number32(first(attributes, link.master)),
				kind: details && textOf(first(parseAttributes(details), info.kind)),
				alias: textOf(first(attributes, link.alias)),
			};
		});
}

export interface AddressInfo {
	index: number;
	/** 4 or 16 bytes. */
	address: Buffer;
	prefix: number;
}

export function parseAddresses(replies: readonly Reply[]): AddressInfo[] {
	const found: AddressInfo[] = [];
	for (const reply of replies) {
		if (reply.type !== type.newAddress || reply.body.length < 8) continue;
		const attributes = parseAttributes(reply.body.subarray(8));
		const address = first(attributes, 2) ?? first(attributes, 1);
		if (address) found.push({index: reply.body.readUInt32LE(4), address, prefix: reply.body[1]!});
	}
	return found;
}

export interface RouteInfo {
	family: number;
	/** Undefined for a default route. */
	destination: Buffer | undefined;
	prefix: number;
	gateway: Buffer | undefined;
	index: number | undefined;
	table: number;
}

export function parseRoutes(replies: readonly Reply[]): RouteInfo[] {
	return replies
		.filter((reply) => reply.type === type.newRoute && reply.body.length >= 12)
		.map((reply) => {
			const attributes = parseAttributes(reply.body.subarray(12));
			return {
				family: reply.body[0]!,
				destination: first(attributes, 1),
				prefix: reply.body[1]!,
				gateway: first(attributes, 5),
				index: number32(first(attributes, 4)),
				table: number32(first(attributes, 15)) ?? reply.body[4]!,
			};
		});
}
