/**
 * nf_tables messages (linux/netfilter/nf_tables.h): tables, chains, sets and maps with their elements, and
 * rules made of expressions. All numbers in network order.
 */
import {attribute, be32, be64, first, nest, nested, parseAttributes, text, textOf} from './attributes.ts';
import {flag, type Message, message, type Reply} from './message.ts';

const subsystem = 10;
const kind = {
	newTable: 0,
	getTable: 1,
	deleteTable: 2,
	newChain: 3,
	getChain: 4,
	deleteChain: 5,
	newRule: 6,
	getRule: 7,
	deleteRule: 8,
	newSet: 9,
	getSet: 10,
	deleteSet: 11,
	newElements: 12,
	getElements: 13,
	deleteElements: 14,
} as const;

export const nfFamily = {inet: 1, ipv4: 2, bridge: 7, ipv6: 10} as const;
export type NfFamily = (typeof nfFamily)[keyof typeof nfFamily];

function head(family: number, resource = 0): Buffer {
	const out = Buffer.alloc(4);
	out[0] = family;
	out.writeUInt16BE(resource, 2);
	return out;
}

function nft(type: number, flags: number, family: number, ...body: readonly Uint8Array[]): Message {
	return message((subsystem << 8) | type, flag.request | flags, head(family), ...body);
}

/** Frames messages as one transaction: the kernel takes all or none. */
export function transaction(messages: readonly Message[]): Message[] {
	return [
		message(16, flag.request, head(0, subsystem)),
		...messages,
		message(17, flag.request, head(0, subsystem)),
	];
}

export const newTable = (family: NfFamily, name: string): Message =>
	nft(kind.newTable, flag.create | flag.ack, family, text(1, name));
export const deleteTable = (family: NfFamily, name: string): Message =>
	nft(kind.deleteTable, flag.ack, family, text(1, name));
/** ENOENT when it isn't there. */
export const getTable = (family: NfFamily, name: string): Message =>
	nft(kind.getTable, flag.ack, family, text(1, name));

/** Netfilter's hooks of the IP families. */
export const hook = {prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4} as const;
export const verdictCode = {drop: 0, accept: 1, jump: -3, goto: -4, return: -5} as const;

export interface BaseChain {
	type: 'filter' | 'nat' | 'route';
	hook: number;
	priority: number;
	policy?: 'accept' | 'drop';
}

export function newChain(family: NfFamily, table: string, name: string, base?: BaseChain): Message {
	const parts = [text(1, table), text(3, name)];
	if (base) {
		parts.push(nest(4, be32(1, base.hook), be32(2, base.priority)), text(7, base.type));
		if (base.policy) parts.push(be32(5, base.policy === 'accept' ? verdictCode.accept : verdictCode.drop));
	}
	return nft(kind.newChain, flag.create | flag.ack, family, ...parts);
}

/** One that has rules, or to which a rule leads, is busy. */
export const deleteChain = (family: NfFamily, table: string, name: string): Message =>
	nft(kind.deleteChain, flag.ack, family, text(1, table), text(3, name));

const tableOwner = 2;

/** Names of tables. */
export const parseTables = (replies: readonly Reply[]): string[] =>
	replies
		.filter(({type, body}) => type === ((subsystem << 8) | kind.newTable) && body.length >= 4)
		.map(({body}) => textOf(first(parseAttributes(body.subarray(4)), 1)) ?? '');

/** Names of tables that belong to one process (NFT_TABLE_F_OWNER): nobody else can change them. */
export const ownedTables = (replies: readonly Reply[]): string[] =>
	replies.flatMap(({type, body}) => {
		if (type !== ((subsystem << 8) | kind.newTable) || body.length < 4) return [];
		const attributes = parseAttributes(body.subarray(4));
		const flags = first(attributes, 2);
		return flags && flags.length >= 4 && flags.readUInt32BE() & tableOwner
			? [textOf(first(attributes, 1)) ?? '']
			: [];
	});

export const getChains = (family: NfFamily): Message => nft(kind.getChain, flag.dump, family);

export interface ChainInfo {
	table: string;
	name: string;
	/** Of a base chain only. */
	hook: number | undefined;
	/** 0 drop, 1 accept. */
	policy: number | undefined;
}

export function parseChains(replies: readonly Reply[]): ChainInfo[] {
	const found: ChainInfo[] = [];
	for (const reply of replies) {
		if (reply.type !== ((subsystem << 8) | kind.newChain) || reply.body.length < 4) continue;
		const attributes = parseAttributes(reply.body.subarray(4));
		const base = first(attributes, 4);
		const number = base && first(parseAttributes(base), 1);
		const policy = first(attributes, 5);
		found.push({
			table: textOf(first(attributes, 1)) ?? '',
			name: textOf(first(attributes, 3)) ?? '',
			hook: number && number.length >= 4 ? number.readUInt32BE() : undefined,
			policy: policy && policy.length >= 4 ? policy.readUInt32BE() : undefined,
		});
	}
	return found;
}

/** One expression of a rule. */
export type Expression = Buffer;

const expression = (name: string, ...data: readonly Uint8Array[]): Expression =>
	nest(1, text(1, name), nest(2, ...data));
const value = (type: number, data: Uint8Array): Buffer => nest(type, attribute(1, data));

/** The first register of 16 bytes, and the 4-byte ones that share its place. */
export const register = {
	verdict: 0,
	first: 1,
	second: 2,
	word0: 8,
	word1: 9,
	word2: 10,
	word3: 11,
	word4: 12,
	word5: 13,
} as const;

export const metaKey = {
	protocol: 1,
	mark: 3,
	inputName: 6,
	outputName: 7,
	inputType: 8,
	family: 15,
	l4protocol: 16,
} as const;
export const loadMeta = (key: number, to: number = register.first): Expression =>
	expression('meta', be32(2, key), be32(1, to));
export const payloadBase = {link: 0, network: 1, transport: 2} as const;
export const loadPayload = (
	base: number,
	offset: number,
	length: number,
	to: number = register.first,
): Expression => expression('payload', be32(1, to), be32(2, base), be32(3, offset), be32(4, length));
export const compare = (data: Uint8Array, options: {not?: boolean; from?: number} = {}): Expression =>
	expression('cmp', be32(1, options.from ?? register.first), be32(2, options.not ? 1 : 0), value(3, data));
export function mask(bits: Uint8Array, from: number = register.first): Expression {
	const zero = Buffer.alloc(bits.length);
	return expression(
		'bitwise',
		be32(1, from),
		be32(2, from),
		be32(3, bits.length),
		value(4, bits),
		value(5, zero),
	);
}
export const lookup = (
	set: string,
	options: {not?: boolean; from?: number; to?: number} = {},
): Expression => {
	const parts = [text(1, set), be32(2, options.from ?? register.first)];
	if (options.to !== undefined) parts.push(be32(3, options.to));
	if (options.not) parts.push(be32(5, 1));
	return expression('lookup', ...parts);
};
export const ctKey = {state: 0, direction: 1, status: 2} as const;
export const loadConntrack = (key: number, to: number = register.first): Expression =>
	expression('ct', be32(2, key), be32(1, to));
/** Bits of ct state and ct status as nf_tables gives them, host order. */
export const ctState = {invalid: 1, established: 2, related: 4, new: 8} as const;
export const ctStatus = {sourceNat: 16, destinationNat: 32} as const;
/** RTN_LOCAL of an address's type. */
export const addressLocal = 2;
const fibResultAddressType = 3;
const fibFlag = {source: 1, destination: 2} as const;
export const loadAddressType = (of: 'source' | 'destination', to: number = register.first): Expression =>
	expression('fib', be32(1, to), be32(2, fibResultAddressType), be32(3, fibFlag[of]));
/** Destination NAT to the address and port in the registers. */
export const destinationNat = (family: number, address: number, port: number): Expression =>
	expression('nat', be32(1, 1), be32(2, family), be32(3, address), be32(5, port));
/** A constant in a register. */
export const loadConstant = (data: Uint8Array, to: number): Expression =>
	expression('immediate', be32(1, to), value(2, data));
export const masquerade = (): Expression => expression('masq');
export const counter = (): Expression => expression('counter');
export function verdict(code: number, chain?: string): Expression {
	const parts = [be32(1, code)];
	if (chain) parts.push(text(2, chain));
	return expression('immediate', be32(1, register.verdict), nest(2, nest(2, ...parts)));
}

/** A 32-bit number in host order, as marks, states and interface types are compared. */
export function word(number: number): Buffer {
	const out = Buffer.alloc(4);
	out.writeUInt32LE(number >>> 0);
	return out;
}

/** A 16-bit number in host order, as kinds of interfaces are compared. */
export function halfWord(number: number): Buffer {
	const out = Buffer.alloc(2);
	out.writeUInt16LE(number);
	return out;
}

/** ARPHRD_LOOPBACK. */
export const loopbackType = 772;

/** An interface's name as the `ifname` type has it: 16 bytes. */
export function interfaceName(name: string): Buffer {
	const out = Buffer.alloc(16);
	out.write(name, 0, 15);
	return out;
}

export interface RuleOptions {
	/** Told by `nft list` as the comment. */
	comment?: string;
	/** Before all others instead of after them. */
	prepend?: boolean;
}

/** libnftnl's user data: type, length, value; type 0 of a rule is its comment. */
function commentData(comment: string): Buffer {
	const data = Buffer.from(`${comment}\0`);
	return Buffer.concat([Buffer.of(0, data.length), data]);
}

export function newRule(
	family: NfFamily,
	table: string,
	chain: string,
	expressions: readonly Expression[],
	options: RuleOptions = {},
): Message {
	const parts = [text(1, table), text(2, chain), nest(4, ...expressions)];
	if (options.comment) parts.push(attribute(7, commentData(options.comment)));
	return nft(kind.newRule, flag.create | flag.ack | (options.prepend ? 0 : flag.append), family, ...parts);
}

export const deleteRule = (family: NfFamily, table: string, chain: string, handle: bigint): Message =>
	nft(kind.deleteRule, flag.ack, family, text(1, table), text(2, chain), be64(3, handle));
/** All of a chain. */
export const deleteRules = (family: NfFamily, table: string, chain: string): Message =>
	nft(kind.deleteRule, flag.ack, family, text(1, table), text(2, chain));
export const getRules = (family: NfFamily, table: string, chain: string): Message =>
	nft(kind.getRule, flag.dump, family, text(1, table), text(2, chain));

export interface RuleInfo {
	table: string;
	chain: string;
	handle: bigint;
	comment: string | undefined;
}

export function parseRules(replies: readonly Reply[]): RuleInfo[] {
	const found: RuleInfo[] = [];
	for (const reply of replies) {
		if (reply.type !== ((subsystem << 8) | kind.newRule) || reply.body.length < 4) continue;
		const attributes = parseAttributes(reply.body.subarray(4));
		const handle = first(attributes, 3);
		const data = first(attributes, 7);
		const comment =
			data && data.length > 2 && data[0] === 0 ? textOf(data.subarray(2, 2 + data[1]!)) : undefined;
		found.push({
			table: textOf(first(attributes, 1)) ?? '',
			chain: textOf(first(attributes, 2)) ?? '',
			handle: handle && handle.length >= 8 ? handle.readBigUInt64BE() : 0n,
			comment,
		});
	}
	return found;
}

/** nft's numbers of types, so that `nft list` shows elements as people write them. */
export const dataType = {
	ipv4: 7,
	ipv6: 8,
	protocol: 12,
	service: 13,
	mark: 19,
	interfaceName: 41,
	verdict: 1,
} as const;
const typeLength: Record<number, number> = {7: 4, 8: 16, 12: 4, 13: 4, 19: 4, 41: 16};

/** Concatenated types, each padded to words. */
export type KeyType = readonly number[];
const typeNumber = (type: KeyType): number => type.reduce((all, part) => (all << 6) | part, 0);
const typeSize = (type: KeyType): number => type.reduce((sum, part) => sum + typeLength[part]!, 0);
/** Unpadded lengths of the fields, as NFTA_SET_DESC_CONCAT wants them. */
const fieldLength: Record<number, number> = {7: 4, 8: 16, 12: 1, 13: 2, 19: 4, 41: 16};

export interface SetOptions {
	key: KeyType;
	/** Makes it a map. */
	data?: KeyType;
	interval?: boolean;
	/** Unique in a transaction. */
	id: number;
}

const setFlag = {interval: 4, map: 8, concat: 0x80} as const;

export function newSet(family: NfFamily, table: string, name: string, options: SetOptions): Message {
	const concatenated = options.key.length > 1;
	const flags =
		(options.interval ? setFlag.interval : 0) |
		(options.data ? setFlag.map : 0) |
		(options.interval && concatenated ? setFlag.concat : 0);
	// A single key is as long as its type; only concatenated ones are padded.
	const keyLength = concatenated ? typeSize(options.key) : fieldLength[options.key[0]!]!;
	const parts = [
		text(1, table),
		text(2, name),
		be32(3, flags),
		be32(4, typeNumber(options.key)),
		be32(5, keyLength),
	];
	if (options.data) parts.push(be32(6, typeNumber(options.data)), be32(7, typeSize(options.data)));
	if (concatenated && options.interval) {
		const fields = options.key.map((part) => nest(1, be32(1, fieldLength[part]!)));
		parts.push(nest(9, nest(2, ...fields)));
	}
	parts.push(be32(10, options.id));
	// Names of interfaces are in host order; without libnftnl's note of it nft would show them backwards.
	if (options.key.length === 1 && options.key[0] === dataType.interfaceName) {
		parts.push(attribute(13, Buffer.of(0, 4, 1, 0, 0, 0)));
	}
	return nft(kind.newSet, flag.create | flag.ack, family, ...parts);
}

export interface Element {
	key: Uint8Array;
	/** The last key of an interval, inclusive, of a concatenated key. */
	keyEnd?: Uint8Array;
	data?: Uint8Array;
	/** For an interval set of a single key: marks the first key after an interval. */
	intervalEnd?: boolean;
}

/** Bytes of an attribute that holds the attribute NFTA_DATA_VALUE. */
const valueSize = (data: Uint8Array | undefined): number => (data ? 8 + ((data.length + 3) & ~3) : 0);

/** Written in one piece: a set may get hundreds of elements at once. */
function elementList(elements: readonly Element[]): Buffer {
	const [key, data, flags, keyEnd] = [1, 2, 3, 10];
	const sizes = elements.map(
		(element) =>
			4 +
			valueSize(element.key) +
			valueSize(element.keyEnd) +
			valueSize(element.data) +
			(element.intervalEnd ? 8 : 0),
	);
	const out = Buffer.alloc(sizes.reduce((sum, size) => sum + size, 4));
	let at = 0;
	const head = (type: number, length: number) => {
		out.writeUInt16LE(length, at);
		out.writeUInt16LE(type, at + 2);
		at += 4;
	};
	const put = (type: number, bytes: Uint8Array | undefined) => {
		if (!bytes) return;
		head(type | nested, 8 + bytes.length);
		head(1, 4 + bytes.length);
		out.set(bytes, at);
		at += (bytes.length + 3) & ~3;
	};
	head(3 | nested, out.length);
	for (const [index, element] of elements.entries()) {
		head(1 | nested, sizes[index]!);
		put(key, element.key);
		put(keyEnd, element.keyEnd);
		put(data, element.data);
		if (!element.intervalEnd) continue;
		head(flags, 8);
		out.writeUInt32BE(1, at);
		at += 4;
	}
	return out;
}

export const newElements = (
	family: NfFamily,
	table: string,
	set: string,
	elements: readonly Element[],
): Message =>
	nft(kind.newElements, flag.create | flag.ack, family, text(1, table), text(2, set), elementList(elements));
export const deleteElements = (
	family: NfFamily,
	table: string,
	set: string,
	elements: readonly Element[],
): Message => nft(kind.deleteElements, flag.ack, family, text(1, table), text(2, set), elementList(elements));

/** An IPv4 address or a port in network order, padded to words, one after the other. */
export function concatenate(...fields: readonly (Uint8Array | number)[]): Buffer {
	const sizes = fields.map((field) => (typeof field === 'number' ? 4 : (field.length + 3) & ~3));
	const out = Buffer.alloc(sizes.reduce((sum, size) => sum + size, 0));
	let at = 0;
	for (const [index, field] of fields.entries()) {
		if (typeof field === 'number') out.writeUInt16BE(field, at);
		else out.set(field, at);
		at += sizes[index]!;
	}
	return out;
}
