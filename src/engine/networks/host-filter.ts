/**
 * Hosts that filter what they forward. An accept in our table doesn't overrule a drop in another: where the
 * table `filter` of iptables-nft may drop (docker and ufw set the policy of FORWARD so, others end it with a
 * rule), or firewalld's does, each bridge gets a pair of rules there, made of expressions that the other program
 * itself writes, with a comment that says whose they are. The monitors of its containers see to them; here are the
 * rules, and their end.
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
}

/** iptables compares as many bytes as the name has, with its NUL. */
const iptables = (family: nft.NfFamily): Place => ({
	family,
	table: 'filter',
	chains: ['DOCKER-USER', 'FORWARD'],
	nameOf: (bridge) => Buffer.from(`${bridge}\0`),
});

const firewalld: Place = {
	family: nft.nfFamily.inet,
	table: 'firewalld',
	chains: ['filter_FORWARD'],
	nameOf: nft.interfaceName,
};

const commentsOf = (paths: Paths, bridge: string): [comment: string, key: number][] => [
	[`${tableName(paths)} ${bridge} from`, nft.metaKey.inputName],
	[`${tableName(paths)} ${bridge} to`, nft.metaKey.outputName],
];

/** Before all other rules. */
function allowForwardingOp(paths: Paths, {family, table, chains, nameOf}: Place, bridge: string): Op {
	const comments = commentsOf(paths, bridge);
	const name = nameOf(bridge);
	const rule = (chain: string, comment: string, key: number) =>
		nft.newRule(
			family,
			table,
			chain,
			[nft.loadMeta(key), nft.compare(name), nft.counter(), nft.verdict(nft.verdictCode.accept)],
			{comment, prepend: true},
		);
	return {
		op: 'allowForwarding',
		family,
		lock: paths.lock(firewallLock),
		table,
		chains: [...chains],
		comments: comments.map(([comment]) => comment),
		rules: chains.flatMap((chain) =>
			comments.map(([comment, key]) => encodeBatch(nft.transaction([rule(chain, comment, key)]))),
		),
	};
}

const placesOf = (versions: readonly (4 | 6)[]): Place[] => [
	...versions.map((version) => iptables(familyOf(version))),
	firewalld,
];

export const allowForwardingOps = (paths: Paths, versions: readonly (4 | 6)[], bridge: string): Op[] =>
	placesOf(versions).map((place) => allowForwardingOp(paths, place, bridge));

/** Whatever chain they are in now: docker may have come or gone since. Under the firewall's lock. */
export async function disallowInHostFilter(paths: Paths, stamp: Stamp): Promise<void> {
	const ours = new Set(commentsOf(paths, stamp.bridge).map(([comment]) => comment));
	for (const {family, table, chains} of placesOf(familiesOf(stamp))) {
		if (!(await presentTables(family, [table])).has(table)) continue;
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
