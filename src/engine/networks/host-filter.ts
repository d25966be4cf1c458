/**
 * Hosts that filter what they forward or send. An accept in our table doesn't overrule a drop in another: where the
 * table `filter` of iptables-nft may drop (docker and ufw set the policy of FORWARD so, others end it with a rule; ufw
 * that of OUTPUT where it denies what is outgoing), or firewalld's does, each bridge gets rules there, made of
 * expressions that the other program itself writes, with a comment that says whose they are. The monitors of its
 * containers see to them; here are the rules, and their end.
 */
import {encodeBatch, protocol} from '../../kernel/netlink/message.ts';
import * as nft from '../../kernel/netlink/nftables.ts';
import {exchange} from '../../kernel/netlink/socket.ts';
import type {Op} from '../../runtime/plan/ops.ts';
import type {Paths} from '../paths.ts';
import {familiesOf, firewallLock, presentTables, type Stamp, tableName} from './firewall.ts';
import {familyOf} from './ruleset.ts';

interface Place {
	family: nft.NfFamily;
	table: string;
	/** Where rules of ours may be: in the first only where packets pass it from the last. */
	chains: readonly string[];
	/** Bytes by which an interface is compared. */
	nameOf(bridge: string): Buffer;
	/** What to and from a bridge is let through. */
	ways: readonly Way[];
}

/** Its word in a comment, and the interface's key. */
type Way = readonly [word: string, key: number];

const forwarded: readonly Way[] = [
	['from', nft.metaKey.inputName],
	['to', nft.metaKey.outputName],
];
/** Of clients that are led: with translation they would leave by the loopback. */
const sent: readonly Way[] = [['of the host to', nft.metaKey.outputName]];

/** iptables compares as many bytes as the name has, with its NUL. */
const iptables = (family: nft.NfFamily, chains: readonly string[], ways: readonly Way[]): Place => ({
	family,
	table: 'filter',
	chains,
	nameOf: (bridge) => Buffer.from(`${bridge}\0`),
	ways,
});

const firewalld: Place = {
	family: nft.nfFamily.inet,
	table: 'firewalld',
	chains: ['filter_FORWARD'],
	nameOf: nft.interfaceName,
	ways: forwarded,
};

const commentOf = (paths: Paths, bridge: string, [word]: Way): string =>
	`${tableName(paths)} ${bridge} ${word}`;

/** Before all other rules. */
function allowInHostFilterOp(paths: Paths, {family, table, chains, nameOf, ways}: Place, bridge: string): Op {
	const name = nameOf(bridge);
	const rule = (chain: string, way: Way) =>
		nft.newRule(
			family,
			table,
			chain,
			[nft.loadMeta(way[1]), nft.compare(name), nft.counter(), nft.verdict(nft.verdictCode.accept)],
			{comment: commentOf(paths, bridge, way), prepend: true},
		);
	return {
		op: 'allowInHostFilter',
		family,
		lock: paths.lock(firewallLock),
		table,
		chains: [...chains],
		comments: ways.map((way) => commentOf(paths, bridge, way)),
		rules: chains.flatMap((chain) => ways.map((way) => encodeBatch(nft.transaction([rule(chain, way)])))),
	};
}

const forwarding = (versions: readonly (4 | 6)[]): Place[] => [
	...versions.map((version) => iptables(familyOf(version), ['DOCKER-USER', 'FORWARD'], forwarded)),
	firewalld,
];
/** Clients are led to IPv4 addresses alone. */
const sending = iptables(nft.nfFamily.ipv4, ['OUTPUT'], sent);

export const allowForwardingOps = (paths: Paths, versions: readonly (4 | 6)[], bridge: string): Op[] =>
	forwarding(versions).map((place) => allowInHostFilterOp(paths, place, bridge));

/** For clients that are led. */
export const allowSendingOp = (paths: Paths, bridge: string): Op =>
	allowInHostFilterOp(paths, sending, bridge);

/** Whatever chain they are in now: docker may have come or gone since. Under the firewall's lock. */
export async function disallowInHostFilter(paths: Paths, stamp: Stamp): Promise<void> {
	for (const {family, table, chains, ways} of [...forwarding(familiesOf(stamp)), sending]) {
		if (!(await presentTables(family, [table])).has(table)) continue;
		const ours = new Set(ways.map((way) => commentOf(paths, stamp.bridge, way)));
		for (const chain of chains) {
			const dump = exchange(protocol.netfilter, [nft.getRules(family, table, chain)], {tolerate: ['ENOENT']});
			const messages = nft
				.parseRules(await dump)
				.filter(({comment, chain: of}) => of === chain && comment !== undefined && ours.has(comment))
				.map(({handle}) => nft.deleteRule(family, table, chain, handle));
			if (messages.length > 0) await exchange(protocol.netfilter, nft.transaction(messages));
		}
	}
}

/** Whether firewalld keeps others out of its table (NftablesTableOwner, its default since 2.1). */
export async function firewalldIsClosed(): Promise<boolean> {
	const query = [nft.getTable(firewalld.family, firewalld.table)];
	return nft.ownedTables(await exchange(protocol.netfilter, query, {tolerate: ['ENOENT']})).length > 0;
}
