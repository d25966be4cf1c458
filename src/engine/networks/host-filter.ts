/**
 * Hosts that filter what they forward. An accept in our table doesn't overrule a drop in another: where the
 * table `filter` of iptables-nft may drop (docker and ufw set the policy of FORWARD so, others end it with a
 * rule), each bridge gets a pair of rules in DOCKER-USER or FORWARD, made of expressions that iptables itself
 * writes, with a comment that says whose they are. The monitors of its containers see to them; here are the rules,
 * and their end.
 */
import {encodeBatch, protocol} from '../../kernel/netlink/message.ts';
import * as nft from '../../kernel/netlink/nftables.ts';
import {exchange} from '../../kernel/netlink/socket.ts';
import type {Op} from '../../runtime/plan/ops.ts';
import type {Paths} from '../paths.ts';
import {familiesOf, firewallLock, presentTables, type Stamp, tableName} from './firewall.ts';
import {familyOf} from './ruleset.ts';

const table = 'filter';
/** Where rules of ours may be: the first only where packets pass it. */
const chains = ['DOCKER-USER', 'FORWARD'] as const;

/** iptables compares as many bytes as the name has, with its NUL. */
const matchInterface = (key: number, bridge: string): nft.Expression[] => [
	nft.loadMeta(key),
	nft.compare(Buffer.from(`${bridge}\0`)),
	nft.counter(),
	nft.verdict(nft.verdictCode.accept),
];

const commentsOf = (paths: Paths, bridge: string): [comment: string, key: number][] => [
	[`${tableName(paths)} ${bridge} from`, nft.metaKey.inputName],
	[`${tableName(paths)} ${bridge} to`, nft.metaKey.outputName],
];

/** Before all other rules. */
export function allowForwardingOp(paths: Paths, family: nft.NfFamily, bridge: string): Op {
	const comments = commentsOf(paths, bridge);
	return {
		op: 'allowForwarding',
		family,
		lock: paths.lock(firewallLock),
		table,
		chains: [...chains],
		comments: comments.map(([comment]) => comment),
		rules: chains.flatMap((chain) =>
			comments.map(([comment, key]) =>
				encodeBatch(
					nft.transaction([
						nft.newRule(family, table, chain, matchInterface(key, bridge), {comment, prepend: true}),
					]),
				),
			),
		),
	};
}

/** Whatever chain they are in now: docker may have come or gone since. Under the firewall's lock. */
export async function disallowInHostFilter(paths: Paths, stamp: Stamp): Promise<void> {
	const ours = new Set(commentsOf(paths, stamp.bridge).map(([comment]) => comment));
	for (const version of familiesOf(stamp)) {
		if (!(await presentTables(version, [table])).has(table)) continue;
		const family = familyOf(version);
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
