/**
 * Hosts that filter what they forward. An accept in our table doesn't overrule a drop in another: where the
 * table `filter` of iptables-nft drops (docker and ufw set the policy of FORWARD so), each bridge gets a pair of
 * rules in DOCKER-USER or FORWARD, made of expressions that iptables itself writes, with a comment that says
 * whose they are.
 */
import {type Message, protocol} from '../../kernel/netlink/message.ts';
import * as nft from '../../kernel/netlink/nftables.ts';
import {exchange} from '../../kernel/netlink/socket.ts';
import type {Paths} from '../paths.ts';
import {familiesOf, presentTables, type Stamp, tableName} from './firewall.ts';
import {familyOf} from './ruleset.ts';

const table = 'filter';

export {table as hostFilterTable};

/** Where rules of ours have to be, or undefined when nobody drops what is forwarded. */
async function chainOf(family: nft.NfFamily): Promise<string | undefined> {
	const chains = nft
		.parseChains(await exchange(protocol.netfilter, [nft.getChains(family)]))
		.filter((chain) => chain.table === table);
	if (chains.some(({name}) => name === 'DOCKER-USER')) return 'DOCKER-USER';
	const forward = chains.find(({name, hook}) => name === 'FORWARD' && hook === nft.hook.forward);
	return forward?.policy === nft.verdictCode.drop ? 'FORWARD' : undefined;
}

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

/** What is missing of the pair, as messages. One query on a host without such a table. */
async function missingRules(paths: Paths, {bridge}: Stamp, version: 4 | 6): Promise<Message[]> {
	const family = familyOf(version);
	const chain = (await presentTables(version, [table])).has(table) && (await chainOf(family));
	if (!chain) return [];
	const rules = nft.parseRules(await exchange(protocol.netfilter, [nft.getRules(family, table, chain)]));
	const there = new Set(rules.map(({comment}) => comment));
	return commentsOf(paths, bridge)
		.filter(([comment]) => !there.has(comment))
		.map(([comment, key]) =>
			nft.newRule(family, table, chain, matchInterface(key, bridge), {comment, prepend: true}),
		);
}

export async function lacksHostRules(paths: Paths, stamp: Stamp): Promise<boolean> {
	for (const version of familiesOf(stamp)) {
		if ((await missingRules(paths, stamp, version)).length > 0) return true;
	}
	return false;
}

/** Under the firewall's lock. */
export async function allowInHostFilter(paths: Paths, stamp: Stamp): Promise<void> {
	for (const version of familiesOf(stamp)) {
		const messages = await missingRules(paths, stamp, version);
		if (messages.length > 0) await exchange(protocol.netfilter, nft.transaction(messages));
	}
}

/** Whatever chain they are in now: docker may have come or gone since. Under the firewall's lock. */
export async function disallowInHostFilter(paths: Paths, stamp: Stamp): Promise<void> {
	const ours = new Set(commentsOf(paths, stamp.bridge).map(([comment]) => comment));
	for (const version of familiesOf(stamp)) {
		if (!(await presentTables(version, [table])).has(table)) continue;
		const family = familyOf(version);
		for (const chain of ['DOCKER-USER', 'FORWARD']) {
			const dump = exchange(protocol.netfilter, [nft.getRules(family, table, chain)], {tolerate: ['ENOENT']});
			const messages = nft
				.parseRules(await dump)
				.filter(({comment, chain: of}) => of === chain && comment !== undefined && ours.has(comment))
				.map(({handle}) => nft.deleteRule(family, table, chain, handle));
			if (messages.length > 0) await exchange(protocol.netfilter, nft.transaction(messages));
		}
	}
}
