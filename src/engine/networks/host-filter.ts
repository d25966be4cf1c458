/**
 * Hosts that filter what they forward. An accept in our table doesn't overrule a drop in another: where the
 * table `filter` of iptables-nft drops (docker and ufw set the policy of FORWARD so), each bridge gets a pair of
 * rules in DOCKER-USER or FORWARD, made of expressions that iptables itself writes, with a comment that says
 * whose they are.
 */
import {protocol} from '../../kernel/netlink/message.ts';
import * as nft from '../../kernel/netlink/nftables.ts';
import {exchange} from '../../kernel/netlink/socket.ts';
import {isErrno} from '../errors.ts';
import type {Paths} from '../paths.ts';
import {presentTables, tableName} from './firewall.ts';

const {ipv4} = nft.nfFamily;
const table = 'filter';

export {table as hostFilterTable};

/** Where rules of ours have to be, or undefined when nobody drops what is forwarded. */
async function chainOf(): Promise<string | undefined> {
	const chains = nft
		.parseChains(await exchange(protocol.netfilter, [nft.getChains(ipv4)]))
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

const hasHostFilter = async (): Promise<boolean> => (await presentTables(4, [table])).has(table);

/** Adds what is missing of the pair. One query on a host without such a table. */
export async function allowInHostFilter(paths: Paths, bridge: string): Promise<void> {
	if (!(await hasHostFilter())) return;
	const chain = await chainOf();
	if (!chain) return;
	const rules = nft.parseRules(await exchange(protocol.netfilter, [nft.getRules(ipv4, table, chain)]));
	const there = new Set(rules.map(({comment}) => comment));
	const missing = commentsOf(paths, bridge).filter(([comment]) => !there.has(comment));
	if (missing.length === 0) return;
	await exchange(
		protocol.netfilter,
		nft.transaction(
			missing.map(([comment, key]) =>
				nft.newRule(ipv4, table, chain, matchInterface(key, bridge), {comment, prepend: true}),
			),
		),
	);
}

/** Whatever chain they are in now: docker may have come or gone since. */
export async function disallowInHostFilter(paths: Paths, bridge: string): Promise<void> {
	if (!(await hasHostFilter())) return;
	const ours = new Set(commentsOf(paths, bridge).map(([comment]) => comment));
	for (const chain of ['DOCKER-USER', 'FORWARD']) {
		try {
			const rules = nft.parseRules(await exchange(protocol.netfilter, [nft.getRules(ipv4, table, chain)]));
			const messages = rules
				.filter(({comment, chain: of}) => of === chain && comment !== undefined && ours.has(comment))
				.map(({handle}) => nft.deleteRule(ipv4, table, chain, handle));
			if (messages.length > 0) await exchange(protocol.netfilter, nft.transaction(messages));
		} catch (error) {
			if (!isErrno(error, 'ENOENT')) throw error;
		}
	}
}
