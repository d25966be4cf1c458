/** IP addresses and subnets as numbers, so that ranges, overlaps and successors are arithmetic. */

export interface Address {
	readonly version: 4 | 6;
	readonly value: bigint;
}

export interface Subnet {
	/** With the host bits cleared. */
	readonly address: Address;
	readonly prefix: number;
}

const width = (version: 4 | 6): number => (version === 4 ? 32 : 128);

/** RFC 4291, section 2.2. */
function parseV6(text: string): bigint | undefined {
	const halves = text.split('::', 3);
	if (halves.length > 2) return undefined;
	const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':'))) as [string[], string[]?];
	const last = tail ?? head;
	// The last two groups may be an IPv4 address.
	const dotted = last.at(-1);
	if (dotted?.includes('.')) {
		if (!isIPv4(dotted)) return undefined;
		const four = parseV4(dotted);
		last.splice(-1, 1, (four >> 16n).toString(16), (four & 0xffffn).toString(16));
	}
	const missing = 8 - head.length - (tail?.length ?? 0);
	if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
	let value = 0n;
	const take = (groups: readonly string[]): boolean =>
		groups.every((group) => {
			if (!/^[0-9a-f]{1,4}$/i.test(group)) return false;
			value = (value << 16n) | BigInt(`0x${group}`);
			return true;
		});
	if (!take(head)) return undefined;
	if (tail === undefined) return value;
	value <<= BigInt(16 * missing);
	return take(tail) ? value : undefined;
}

const parseV4 = (text: string): bigint =>
	text.split('.').reduce((value, part) => (value << 8n) | BigInt(Number(part)), 0n);

function isIPv4(text: string): boolean {
	const parts = text.split('.', 5);
	return parts.length === 4 && parts.every((part) => part.length < 4 && String(Number(part) & 0xff) === part);
}

/**
 * Undefined when it is no address. A zone (`%eth0`) is none of ours. What is one is what isIP of node:net says, whose
 * loading takes longer than all that is done here.
 */
export function parseAddress(text: string): Address | undefined {
	if (isIPv4(text)) return {version: 4, value: parseV4(text)};
	if (!text.includes(':')) return undefined;
	const value = parseV6(text);
	return value === undefined ? undefined : {version: 6, value};
}

/** 4, 6, or 0 for what is no address. One of version 6 may have a zone. */
export function ipVersion(text: string): 0 | 4 | 6 {
	const zone = text.indexOf('%');
	if (zone < 0) return parseAddress(text)?.version ?? 0;
	return /^[0-9a-zA-Z\-.:]+$/.test(text.slice(zone + 1)) && parseAddress(text.slice(0, zone))?.version === 6
		? 6
		: 0;
}

/** `10.0.0.0/8`; the host bits may be set in what is given, `address` keeps them in `given`. */
export function parseSubnet(text: string): (Subnet & {given: Address}) | undefined {
	const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
	if (!match) return undefined;
	const given = parseAddress(match[1]!);
	const prefix = Number(match[2]);
	if (!given || prefix > width(given.version)) return undefined;
	return {address: {version: given.version, value: given.value & mask(given.version, prefix)}, prefix, given};
}

function mask(version: 4 | 6, prefix: number): bigint {
	const bits = width(version);
	return ((1n << BigInt(prefix)) - 1n) << BigInt(bits - prefix);
}

/** RFC 5952 for version 6. */
export function formatAddress({version, value}: Address): string {
	if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.');
	const groups = Array.from({length: 8}, (_, index) => Number((value >> BigInt(112 - index * 16)) & 0xffffn));
	let best = {start: -1, length: 1};
	for (let start = 0; start < 8; start++) {
		let length = 0;
		while (start + length < 8 && groups[start + length] === 0) length++;
		if (length > best.length) best = {start, length};
	}
	const hex = groups.map((group) => group.toString(16));
	if (best.start < 0) return hex.join(':');
	return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}

export const formatSubnet = ({address, prefix}: Subnet): string => `${formatAddress(address)}/${prefix}`;

/** 4 or 16 bytes in network order. */
export function addressBytes({version, value}: Address): Buffer {
	const length = version === 4 ? 4 : 16;
	return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
}

export function addressFromBytes(bytes: Uint8Array): Address | undefined {
	if (bytes.length !== 4 && bytes.length !== 16) return undefined;
	return {version: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${Buffer.from(bytes).toString('hex')}`)};
}

export const firstAddress = (subnet: Subnet): bigint => subnet.address.value;
export const lastAddress = ({address, prefix}: Subnet): bigint =>
	address.value | ((1n << BigInt(width(address.version) - prefix)) - 1n);

export const contains = (subnet: Subnet, address: Address): boolean =>
	address.version === subnet.address.version &&
	address.value >= firstAddress(subnet) &&
	address.value <= lastAddress(subnet);

export const overlaps = (a: Subnet, b: Subnet): boolean =>
	a.address.version === b.address.version &&
	firstAddress(a) <= lastAddress(b) &&
	firstAddress(b) <= lastAddress(a);

export const sameAddress = (a: Address, b: Address): boolean =>
	a.version === b.version && a.value === b.value;

/** The addresses that hosts may have: without network and broadcast address of version 4, without the subnet-router anycast of version 6. */
export function usableRange(subnet: Subnet): {from: bigint; to: bigint} {
	const [from, to] = [firstAddress(subnet), lastAddress(subnet)];
	if (to - from < 2n) return {from, to};
	return {from: from + 1n, to: subnet.address.version === 4 ? to - 1n : to};
}

/** A locally administered address that follows from the IP address, so that a neighbour's cache stays right. */
export function macOf(address: Address): Buffer {
	return Buffer.concat([Buffer.of(0x02, 0x42), addressBytes(address).subarray(-4)]);
}

export const formatMac = (mac: Uint8Array): string =>
	[...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':');

export function parseMac(text: string): Buffer | undefined {
	const match = /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.exec(text);
	return match ? Buffer.from(text.replace(/[:-]/g, ''), 'hex') : undefined;
}
