/**
 * The nf_tables table of an engine: installed once, in one transaction, the same for any number of
 * containers. Published ports, bridges and subnets are elements of its sets and maps.
 */
import type {Message} from '../../kernel/netlink/message.ts';
import * as nft from '../../kernel/netlink/nftables.ts';
import {type Address, addressBytes, lastAddress, type Subnet} from './address.ts';

/** Names of sets and maps; see `baseRuleset` for their use. */
export const setName = {
	bridges: 'bridges',
	/** Bridges of --internal networks: nothing is forwarded from or to them. */
	internal: 'internal',
	/**
	 * Bridge . the same bridge: what stays within one network whose containers may talk to each other (icc). It is
	 * forwarded only with br_netfilter.
	 */
	within: 'within',
	/** Subnet . bridge, for what is sent to a container of the same network by way of the host's address. */
	local: 'local',
	/** All subnets: whether one in `local`, a dear look-up, is worth while. */
	subnets: 'subnets',
	/** Subnets whose packets leave with the host's address. */
	masqueraded: 'masqueraded',
	/**
	 * Protocol . port to container, for every address of the host; and protocol . address . port, for one address.
	 * Two plain maps in place of one with intervals: the kernel finds and deletes their elements at once, however
	 * many there are. The monitors fill them.
	 */
	published: 'published',
	publishedOn: 'published_on',
} as const;

/** From <linux/in.h>. */
export const protocolNumber = {tcp: 6, udp: 17, sctp: 132} as const;

const {register, metaKey, dataType} = nft;
interface FamilyFacts {
	family: nft.NfFamily;
	addressType: number;
	addressLength: number;
	/** Offsets in the IP header. */
	source: number;
	destination: number;
	/** Register after the address. */
	portRegister: number;
	/** The register after that. */
	portOnRegister: number;
}

const facts: Record<4 | 6, FamilyFacts> = {
	4: {
		family: nft.nfFamily.ipv4,
		addressType: dataType.ipv4,
		addressLength: 4,
		source: 12,
		destination: 16,
		portRegister: register.word1,
		portOnRegister: register.word2,
	},
	6: {
		family: nft.nfFamily.ipv6,
		addressType: dataType.ipv6,
		addressLength: 16,
		source: 8,
		destination: 24,
		portRegister: register.word4,
		portOnRegister: register.word5,
	},
};

export const familyOf = (version: 4 | 6): nft.NfFamily => facts[version].family;

const inputIn = (set: string): nft.Expression[] => [nft.loadMeta(metaKey.inputName), nft.lookup(set)];
const outputIn = (set: string): nft.Expression[] => [nft.loadMeta(metaKey.outputName), nft.lookup(set)];
const accept = nft.verdict(nft.verdictCode.accept);
const drop = nft.verdict(nft.verdictCode.drop);
const go = (chain: string): nft.Expression => nft.verdict(nft.verdictCode.goto, chain);
/** A packet is in one state, so that no bits have to be masked. */
const stateIs = (bit: number, options: {not?: boolean} = {}): nft.Expression[] => [
	nft.loadConntrack(nft.ctKey.state),
	nft.compare(nft.word(bit), options),
];
const destinationWasChanged: nft.Expression[] = [
	nft.loadConntrack(nft.ctKey.status),
	nft.mask(nft.word(nft.ctStatus.destinationNat)),
	nft.compare(nft.word(0), {not: true}),
];
const loopback6 = Buffer.from('00000000000000000000000000000001', 'hex');
/** One byte is all that 127.0.0.0/8 needs. */
const loopback4 = (offset: number): nft.Expression[] => [
	nft.loadPayload(nft.payloadBase.network, offset, 1),
	nft.compare(Buffer.of(127)),
];

/**
 * Table, sets and chains. Applied to a host without the table; one that is there is left alone by the caller. `led`: no
 * container has clients on the host's loopback that come by TCP and are not led.
 */
export function baseRuleset(version: 4 | 6, table: string, {led}: {led: boolean}): Message[] {
	const {family, addressType, addressLength, source, destination, portRegister, portOnRegister} =
		facts[version];
	const rule = (chain: string, expressions: readonly nft.Expression[], comment?: string): Message =>
		nft.newRule(family, table, chain, expressions, comment ? {comment} : {});
	const tcpToLoopback4 = [
		...loopback4(destination),
		nft.loadMeta(metaKey.l4protocol),
		nft.compare(Buffer.of(protocolNumber.tcp)),
	];
	const load = (offset: number, to: number = register.first): nft.Expression =>
		nft.loadPayload(nft.payloadBase.network, offset, addressLength, to);
	const published = (map: string, onAddress: boolean): nft.Expression[] => [
		nft.loadMeta(metaKey.l4protocol, register.word0),
		...(onAddress ? [load(destination, register.word1)] : []),
		nft.loadPayload(nft.payloadBase.transport, 2, 2, onAddress ? portOnRegister : register.word1),
		nft.lookup(map, {from: register.first, to: register.first}),
		nft.destinationNat(version === 4 ? 2 : 10, register.word0, portRegister),
	];
	const toThisHost = [nft.loadAddressType('destination'), nft.compare(nft.word(nft.addressLocal))];
	const names = [dataType.interfaceName];
	const endpoint = [addressType, dataType.service];
	const messages: Message[] = [
		nft.newTable(family, table),
		nft.newSet(family, table, setName.bridges, {key: names, id: 1}),
		nft.newSet(family, table, setName.internal, {key: names, id: 2}),
		nft.newSet(family, table, setName.local, {
			key: [addressType, dataType.interfaceName],
			interval: true,
			id: 3,
		}),
		nft.newSet(family, table, setName.within, {
			key: [dataType.interfaceName, dataType.interfaceName],
			id: 4,
		}),
		nft.newSet(family, table, setName.masqueraded, {key: [addressType], interval: true, id: 5}),
		nft.newSet(family, table, setName.subnets, {key: [addressType], interval: true, id: 8}),
		nft.newSet(family, table, setName.published, {
			key: [dataType.protocol, dataType.service],
			data: endpoint,
			id: 6,
		}),
		nft.newSet(family, table, setName.publishedOn, {
			key: [dataType.protocol, ...endpoint],
			data: endpoint,
			id: 7,
		}),

		nft.newChain(family, table, 'prerouting', {
			type: 'nat',
			hook: nft.hook.prerouting,
			priority: -100,
			policy: 'accept',
		}),
		nft.newChain(family, table, 'output', {
			type: 'nat',
			hook: nft.hook.output,
			priority: -100,
			policy: 'accept',
		}),
		nft.newChain(family, table, 'forward', {
			type: 'filter',
			hook: nft.hook.forward,
			priority: 0,
			policy: 'accept',
		}),
		nft.newChain(family, table, 'postrouting', {
			type: 'nat',
			hook: nft.hook.postrouting,
			priority: 100,
			policy: 'accept',
		}),
		nft.newChain(family, table, 'published'),
		nft.newChain(family, table, 'to_bridges'),
		nft.newChain(family, table, 'out_to_bridges'),
	];
	messages.push(
		rule('prerouting', [...toThisHost, go('published')]),
		// What is for ::1 stays with the socket that proxies it: Linux has no route_localnet for IPv6. So does TCP for
		// 127.0.0.0/8 that has not been led to the container at its connect(2).
		...(version === 6 ? [[load(destination), nft.compare(loopback6)]] : led ? [tcpToLoopback4] : []).map(
			(which) => rule('output', [...which, nft.verdict(nft.verdictCode.return)]),
		),
		rule('output', [...toThisHost, go('published')]),
		// No port is in both: who has it on every address has it on each. The first one holds the most.
		rule('published', published(setName.published, false)),
		rule('published', published(setName.publishedOn, true)),

		// First, so that it is all that most packets meet: what is not allowed is never established.
		rule('forward', [...stateIs(nft.ctState.established), accept]),
		rule('forward', [...stateIs(nft.ctState.related), accept]),
		rule('forward', [...outputIn(setName.bridges), go('to_bridges')]),
		rule('forward', [...inputIn(setName.internal), drop], 'an internal network sends nothing outside'),
		// Between containers of one bridge packets are forwarded only where br_netfilter is on.
		rule(
			'to_bridges',
			[
				nft.loadMeta(metaKey.inputName, register.first),
				nft.loadMeta(metaKey.outputName, register.second),
				nft.lookup(setName.within),
				accept,
			],
			'within one network',
		),
		rule('to_bridges', [...inputIn(setName.internal), drop], 'an internal network sends nothing outside'),
		rule(
			'to_bridges',
			[...outputIn(setName.internal), drop],
			'an internal network receives nothing from outside',
		),
		rule('to_bridges', [...destinationWasChanged, accept], 'published ports'),
		rule('to_bridges', [drop], 'nothing else reaches a container'),

		rule('postrouting', [...outputIn(setName.bridges), go('out_to_bridges')]),
		rule('postrouting', [load(source), nft.lookup(setName.masqueraded), nft.masquerade()]),
		...(version === 4
			? [rule('out_to_bridges', [...loopback4(source), nft.masquerade()], 'published ports on the loopback')]
			: []),
		rule(
			'out_to_bridges',
			[
				...destinationWasChanged,
				load(source, register.word0),
				nft.lookup(setName.subnets),
				nft.loadMeta(metaKey.outputName, version === 4 ? register.word1 : register.word4),
				nft.lookup(setName.local),
				nft.masquerade(),
			],
			'a container that reaches its own network by a published port',
		),
	);
	return messages;
}

/** Of `loopbackRuleset`, in an order in which they can be taken away. */
export const guardChains = ['guard', 'guard_first', 'to_loopback'] as const;

/**
 * With route_localnet on one of our bridges nothing but lo may bring packets for 127.0.0.0/8 (CVE-2020-8558), other
 * than a container's answers, nor from there. The first packet of a connection ends before it could be led to a port
 * that is published there, and so none is ever established; what is of no connection, not tracked, or an error of
 * somebody else's connection, ends before a socket of the host has it, as does what claims to be from the other end of
 * a connection within the host. What a rule of somebody else's has led there passes, as do errors of published ports.
 * What is forwarded meets neither chain but with its first packet, and the most of what is delivered four expressions.
 */
export function loopbackRuleset(table: string): Message[] {
	const {family, source, destination} = facts[4];
	const fromOutside = [
		nft.loadMeta(metaKey.inputType),
		nft.compare(nft.halfWord(nft.loopbackType), {not: true}),
	];
	const rule = (
		chain: string,
		expressions: readonly nft.Expression[],
		options: nft.RuleOptions = {},
	): Message => nft.newRule(family, table, chain, expressions, options);
	const why = {comment: 'loopback addresses from outside'};
	return [
		nft.newChain(family, table, 'guard_first', {
			type: 'nat',
			hook: nft.hook.prerouting,
			priority: -101,
			policy: 'accept',
		}),
		nft.newChain(family, table, 'guard', {
			type: 'filter',
			hook: nft.hook.input,
			priority: 0,
			policy: 'accept',
		}),
		nft.newChain(family, table, 'to_loopback'),
		...[destination, source].map((offset) =>
			rule('guard_first', [...loopback4(offset), ...fromOutside, drop], why),
		),
		rule('guard', [...loopback4(source), ...fromOutside, drop], why),
		rule('guard', [
			...loopback4(destination),
			...stateIs(nft.ctState.established, {not: true}),
			...fromOutside,
			go('to_loopback'),
		]),
		rule('to_loopback', [...destinationWasChanged, accept]),
		rule('to_loopback', [drop], why),
	];
}

/** What of a network the sets hold. */
export interface NetworkElements {
	bridge: string;
	/** Of the table's family. */
	subnets: readonly Subnet[];
	internal: boolean;
	/** Whether its containers may talk to each other. */
	icc: boolean;
	masquerade: boolean;
}

const next = ({version, value}: Address): Buffer => addressBytes({version, value: value + 1n});

/** Elements that make a bridge one of ours; the same ones are to be deleted. */
export function networkElements(network: NetworkElements): [set: string, elements: nft.Element[]][] {
	const {bridge, subnets, internal, icc, masquerade} = network;
	const name = nft.interfaceName(bridge);
	const sets: [string, nft.Element[]][] = [[setName.bridges, [{key: name}]]];
	if (icc) sets.push([setName.within, [{key: Buffer.concat([name, name])}]]);
	if (internal) sets.push([setName.internal, [{key: name}]]);
	if (subnets.length === 0) return sets;
	const ends = subnets.map((subnet) => ({
		from: subnet.address,
		to: {version: subnet.address.version, value: lastAddress(subnet)},
	}));
	sets.push([
		setName.local,
		ends.map(({from, to}) => ({
			key: Buffer.concat([addressBytes(from), name]),
			keyEnd: Buffer.concat([addressBytes(to), name]),
		})),
	]);
	const intervals = ends.flatMap(({from, to}) => [
		{key: addressBytes(from)},
		{key: next(to), intervalEnd: true},
	]);
	sets.push([setName.subnets, intervals]);
	if (masquerade && !internal) sets.push([setName.masqueraded, intervals]);
	return sets;
}
