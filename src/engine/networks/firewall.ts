/**
 * The kernel side that networks share: the nf_tables table with their elements, and the batches with which
 * monitors bring it back after somebody has flushed the rules (`WHERRY_RUN/nft/base`, `base6`).
 */
import {mkdirSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import {encodeBatch, type Message, protocol} from '../../kernel/netlink/message.ts';
import * as nft from '../../kernel/netlink/nftables.ts';
import {exchange} from '../../kernel/netlink/socket.ts';
import {isErrno} from '../errors.ts';
import {readIfThere, replaceFile, unlinkIfThere} from '../files.ts';
import type {Paths} from '../paths.ts';
import {parseSubnet, type Subnet} from './address.ts';
import {hostLeads} from './leading.ts';
import {
	baseRuleset,
	familyOf,
	guardChains,
	loopbackRuleset,
	type NetworkElements,
	networkElements,
} from './ruleset.ts';

const defaultRoot = '/var/lib/wherry';

/** One for each engine: another WHERRY_ROOT must not heal, or remove, what is not its own. */
export function tableName(paths: Paths): string {
	if (paths.root === defaultRoot) return 'wherry';
	return `wherry-${native.sha256(Buffer.from(paths.root)).slice(7, 15)}`;
}

/** The lock under which the table, the base files and the stamps change. */
export const firewallLock = 'nft';
const versions = [4, 6] as const;

export const baseFile = (paths: Paths, version: 4 | 6): string =>
	join(paths.run, 'nft', version === 4 ? 'base' : 'base6');

/** What the kernel has of a bridge network: `WHERRY_RUN/networks/<network id>`. */
export interface Stamp {
	bridge: string;
	/** The interface's index: another one under the same name is not ours. */
	index: number;
	/** Its link-layer address, where that stays the same. */
	mac?: string;
	subnets: string[];
	internal: boolean;
	icc: boolean;
	masquerade: boolean;
	/**
	 * Whether the bridge has route_localnet, and whether from us. Earlier versions left it out: all had it, and no client
	 * was led.
	 */
	loopback?: 'closed' | 'open' | 'found-open';
}

const stampFile = (paths: Paths, network: string): string => join(paths.networkStamps, network);

export function readStamp(paths: Paths, network: string): Stamp | undefined {
	const text = readIfThere(stampFile(paths, network));
	if (text === undefined) return undefined;
	try {
		return JSON.parse(text) as Stamp;
	} catch {
		return undefined;
	}
}

export function writeStamp(paths: Paths, network: string, stamp: Stamp): void {
	mkdirSync(paths.networkStamps, {recursive: true, mode: 0o700});
	replaceFile(stampFile(paths, network), JSON.stringify(stamp));
}

export const removeStamp = (paths: Paths, network: string): void => unlinkIfThere(stampFile(paths, network));

export function listStamps(paths: Paths): Stamp[] {
	let names: string[];
	try {
		names = readdirSync(paths.networkStamps);
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return [];
		throw error;
	}
	return names
		.filter((name) => !name.startsWith('.'))
		.map((name) => readStamp(paths, name))
		.filter((stamp) => stamp !== undefined);
}

const subnetsOf = (stamp: Stamp, version: 4 | 6): Subnet[] =>
	stamp.subnets
		.map((text) => parseSubnet(text))
		.filter((subnet) => subnet?.address.version === version) as Subnet[];

const elementsOf = (stamp: Stamp, version: 4 | 6): NetworkElements => ({
	...stamp,
	subnets: subnetsOf(stamp, version),
});

/** The families whose table is needed: IPv6 only where a network has it. */
export const familiesOf = (stamp: Pick<Stamp, 'subnets'>): (4 | 6)[] =>
	versions.filter((version) => version === 4 || stamp.subnets.some((text) => text.includes(':')));

function elementMessages(
	make: typeof nft.newElements,
	table: string,
	version: 4 | 6,
	stamp: Stamp,
): Message[] {
	return networkElements(elementsOf(stamp, version)).map(([set, elements]) =>
		make(familyOf(version), table, set, elements),
	);
}

const isOpen = ({loopback}: Stamp): boolean => loopback !== 'closed';

/** The whole table with all networks; what there was of it is replaced. */
export function baseMessages(
	table: string,
	version: 4 | 6,
	stamps: readonly Stamp[],
	{guarded = stamps.some(isOpen)}: {guarded?: boolean} = {},
): Message[] {
	const family = familyOf(version);
	return nft.transaction([
		nft.newTable(family, table),
		nft.deleteTable(family, table),
		...baseRuleset(version, table, {
			led: hostLeads() && stamps.every(({loopback}) => loopback !== undefined),
		}),
		...(version === 4 && guarded ? loopbackRuleset(table) : []),
		...stamps.flatMap((stamp) => elementMessages(nft.newElements, table, version, stamp)),
	]);
}

/** Which of these tables there are; one query. */
export async function presentTables(family: nft.NfFamily, names: readonly string[]): Promise<Set<string>> {
	const queries = names.map((name) => nft.getTable(family, name));
	return new Set(nft.parseTables(await exchange(protocol.netfilter, queries, {tolerate: ['ENOENT']})));
}

async function hasGuard(table: string): Promise<boolean> {
	const chains = nft.parseChains(await exchange(protocol.netfilter, [nft.getChains(nft.nfFamily.ipv4)]));
	return chains.some((chain) => chain.table === table && chain.name === guardChains[0]);
}

/** Adds what route_localnet needs to the table, unless it has it. Under the firewall's lock. */
export async function addGuard(paths: Paths): Promise<void> {
	const table = tableName(paths);
	if (await hasGuard(table)) return;
	try {
		await exchange(protocol.netfilter, nft.transaction(loopbackRuleset(table)));
	} catch (error) {
		if (!isErrno(error, 'ENOENT')) throw error;
		// Somebody has just flushed the table.
		await exchange(protocol.netfilter, baseMessages(table, 4, listStamps(paths), {guarded: true}));
	}
}

/** Takes it away when no bridge needs it any more. Under the firewall's lock, after the stamps have changed. */
export async function removeGuard(paths: Paths): Promise<void> {
	const table = tableName(paths);
	if (listStamps(paths).some(isOpen) || !(await hasGuard(table))) return;
	const {ipv4} = nft.nfFamily;
	await exchange(
		protocol.netfilter,
		nft.transaction([
			...guardChains.map((chain) => nft.deleteRules(ipv4, table, chain)),
			...guardChains.map((chain) => nft.deleteChain(ipv4, table, chain)),
		]),
		{tolerate: ['ENOENT']},
	);
}

/** Under the firewall's lock, after the stamps have changed. */
export function writeBase(paths: Paths): void {
	const stamps = listStamps(paths);
	const table = tableName(paths);
	mkdirSync(join(paths.run, 'nft'), {recursive: true, mode: 0o700});
	for (const version of versions) {
		if (version === 6 && !stamps.some((stamp) => familiesOf(stamp).includes(6))) continue;
		replaceFile(baseFile(paths, version), encodeBatch(baseMessages(table, version, stamps)));
	}
}

/**
 * Makes the table with a network's elements, or adds them. A table that lacks a set, as that of another version, is made
 * anew; the monitors hear of it and add what they have published. Under the firewall's lock.
 */
export async function addNetwork(paths: Paths, stamp: Stamp): Promise<void> {
	const table = tableName(paths);
	for (const version of familiesOf(stamp)) {
		const others = listStamps(paths).filter(({bridge}) => bridge !== stamp.bridge);
		if ((await presentTables(familyOf(version), [table])).has(table)) {
			const elements = elementMessages(nft.newElements, table, version, stamp);
			try {
				await exchange(protocol.netfilter, nft.transaction(elements));
				if (version === 4 && isOpen(stamp)) await addGuard(paths);
				continue;
			} catch (error) {
				if (!isErrno(error, 'ENOENT')) throw error;
			}
		}
		await exchange(protocol.netfilter, baseMessages(table, version, [...others, stamp]));
	}
}

/** Under the firewall's lock. */
export async function removeNetworkElements(paths: Paths, stamp: Stamp): Promise<void> {
	const table = tableName(paths);
	for (const version of familiesOf(stamp)) {
		// One at a time: an element that somebody has deleted must not keep the others.
		for (const message of elementMessages(nft.deleteElements, table, version, stamp)) {
			await exchange(protocol.netfilter, nft.transaction([message]), {tolerate: ['ENOENT']});
		}
	}
}
