/** From where subnets are taken when the user names none. */
import {type Address, overlaps, parseSubnet, type Subnet} from './address.ts';

interface Pool {
	readonly base: Subnet;
	/** Prefix of each subnet. */
	readonly size: number;
}

const pool = (base: string, size: number): Pool => ({base: parseSubnet(base)!, size});

/** More than 2,500 networks; /20 has 4,093 addresses. */
const pools: readonly Pool[] = [
	pool('172.16.0.0/12', 20),
	pool('192.168.0.0/16', 24),
	pool('10.128.0.0/9', 20),
];
/** RFC 4193 unique local addresses; the middle is chosen once per host. */
const poolSize6 = 64;

/**
 * The first subnet of the pools that overlaps none of `taken` (routes and addresses of the host, networks of
 * ours and of other engines), from another pool when `only` is given. Undefined when all are taken.
 */
export function chooseSubnet(taken: readonly Subnet[], only?: Subnet): Subnet | undefined {
	const from = only ? [{base: only, size: Math.min(28, Math.max(only.prefix + 4, 24))}] : pools;
	for (const {base, size} of from) {
		const step = 1n << BigInt(32 - size);
		const count = 1 << (size - base.prefix);
		const relevant = taken.filter((subnet) => overlaps(subnet, base));
		for (let index = 0; index < count; index++) {
			const address: Address = {version: 4, value: base.address.value + BigInt(index) * step};
			const candidate: Subnet = {address, prefix: size};
			if (!relevant.some((subnet) => overlaps(subnet, candidate))) return candidate;
		}
	}
	return undefined;
}

/** A /64 below the host's own unique local prefix: fd00::/8, 40 bits from `seed` (32 hex digits: the machine's id), a counter. */
export function chooseSubnet6(seed: string, taken: readonly Subnet[]): Subnet | undefined {
	const global = BigInt(`0x${seed.slice(0, 10)}`);
	const prefix = (0xfdn << 120n) | (global << 80n);
	for (let index = 0n; index < 65_536n; index++) {
		const candidate: Subnet = {address: {version: 6, value: prefix | (index << 64n)}, prefix: poolSize6};
		if (!taken.some((subnet) => overlaps(subnet, candidate))) return candidate;
	}
	return undefined;
}
