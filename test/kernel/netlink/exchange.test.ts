import {closeSync, openSync} from 'node:fs';
import test, {type ExecutionContext} from 'ava';
import {baseMessages} from '../../../src/engine/networks/firewall.ts';
import {protocol} from '../../../src/kernel/netlink/message.ts';
import * as nft from '../../../src/kernel/netlink/nftables.ts';
import * as rt from '../../../src/kernel/netlink/rtnetlink.ts';
import {exchange, NetlinkError} from '../../../src/kernel/netlink/socket.ts';
import {makeNamespace, type Namespace} from '../../setup/netns.ts';

/** What these tests read of `ip -j -d`. */
interface Details {
	ifname: string;
	ifindex: number;
	inet6_addr_gen_mode: string;
	master: string;
	linkinfo: {info_slave_data: {isolated: boolean; hairpin: boolean}};
	addr_info: Record<string, unknown>[];
}

function opened(t: ExecutionContext): {ns: Namespace; namespaceFd: number} {
	const ns = makeNamespace(t);
	const namespaceFd = openSync(ns.path, 'r');
	t.teardown(() => closeSync(namespaceFd));
	return {ns, namespaceFd};
}

test('a bridge with a veth, addresses and a route is what ip shows', async (t) => {
	const {ns, namespaceFd} = opened(t);
	const mac = Buffer.from('0242ac100002', 'hex');
	const replies = await exchange(
		protocol.route,
		[rt.newBridge('br0', {mtu: 1400, mac}), rt.setLink({name: 'br0'}, {alias: 'ours'}), rt.getLink('br0')],
		{namespaceFd},
	);
	const [bridge] = rt.parseLinks(replies);
	t.like(bridge!, {name: 'br0', kind: 'bridge', mtu: 1400, alias: 'ours', up: false});
	await exchange(
		protocol.route,
		[
			rt.newVeth('eth0', {index: 100}, 'peer0', {}),
			rt.newAddress(100, Buffer.of(10, 9, 0, 2), 24, Buffer.of(10, 9, 0, 255)),
			rt.withoutLinkLocal({index: 100}),
			rt.setLink({index: 100}, {up: true}),
			rt.newRoute(100, {family: rt.family.inet, gateway: Buffer.of(10, 9, 0, 1)}),
			...rt.joinBridge('peer0', bridge!.index, {hairpin: true, isolated: true, learning: false}),
		],
		{namespaceFd},
	);
	const links = ns.ipJson<Details[]>('-d', 'link');
	const eth0 = links.find(({ifname}) => ifname === 'eth0')!;
	t.is(eth0.ifindex, 100);
	t.is(eth0.inet6_addr_gen_mode, 'none');
	const peer = links.find(({ifname}) => ifname === 'peer0')!;
	t.is(peer.master, 'br0');
	t.like(peer.linkinfo.info_slave_data, {isolated: true, hairpin: true});
	const [address] = ns.ipJson<Details[]>('addr', 'show', 'dev', 'eth0');
	t.like(address!.addr_info[0], {local: '10.9.0.2', prefixlen: 24, broadcast: '10.9.0.255'});
	t.like(ns.ipJson('route', 'show', 'default')[0]!, {gateway: '10.9.0.1', dev: 'eth0'});
	const dumped = await exchange(protocol.route, [rt.getLinks(), rt.getAddresses(), rt.getRoutes()], {
		namespaceFd,
	});
	t.true(rt.parseLinks(dumped).some(({name}) => name === 'peer0'));
	t.true(
		rt
			.parseAddresses(dumped)
			.some((each) => each.address.equals(Buffer.of(10, 9, 0, 2)) && each.prefix === 24),
	);
	t.true(
		rt
			.parseRoutes(dumped)
			.some((route) => !route.destination && route.gateway?.equals(Buffer.of(10, 9, 0, 1))),
	);
	await exchange(protocol.route, [rt.deleteDefaultRoute(rt.family.inet)], {namespaceFd});
	t.deepEqual(ns.ipJson('route', 'show', 'default'), []);
});

test('a refusal names the message, the error and the reason of the kernel', async (t) => {
	const {namespaceFd} = opened(t);
	const error = await t.throwsAsync(
		exchange(protocol.route, [rt.newBridge('one'), rt.newBridge('two'), rt.newBridge('one')], {namespaceFd}),
		{instanceOf: NetlinkError},
	);
	t.like(error, {code: 'EEXIST', index: 2});
	const absent = await t.throwsAsync(exchange(protocol.route, [rt.getLink('nobody')], {namespaceFd}));
	t.like(absent, {code: 'ENODEV'});
	const gateway = rt.newRoute(1, {family: rt.family.inet, gateway: Buffer.of(10, 0, 0, 1)});
	const unreachable = await t.throwsAsync<NetlinkError>(exchange(protocol.route, [gateway], {namespaceFd}));
	t.is(unreachable.detail, 'Nexthop has invalid gateway');
	t.regex(unreachable.message, /Nexthop has invalid gateway/);
	await t.notThrowsAsync(
		exchange(protocol.route, [rt.newBridge('one')], {namespaceFd, tolerate: ['EEXIST']}),
	);
});

test('the table is installed in one step, also over itself, and nft reads it', async (t) => {
	const {ns, namespaceFd} = opened(t);
	const stamp = {
		bridge: 'wherry0',
		index: 3,
		subnets: ['172.16.0.0/20', '172.16.16.0/20', 'fd00:1::/64'],
		internal: true,
		icc: false,
		masquerade: true,
	};
	for (const version of [4, 6] as const) {
		const base = baseMessages('wherry', version, [
			stamp,
			{...stamp, bridge: 'wy1', subnets: ['10.1.0.0/24'], internal: false},
		]);
		await exchange(protocol.netfilter, base, {namespaceFd});
		await exchange(protocol.netfilter, base, {namespaceFd});
	}
	const {nftables} = ns.ruleset();
	const withoutHandles = JSON.parse(
		JSON.stringify(nftables.slice(1), (key, value) => (key === 'handle' ? undefined : value)),
	);
	t.snapshot(withoutHandles);
});

test('a transaction is all or nothing', async (t) => {
	const {ns, namespaceFd} = opened(t);
	const {ipv4} = nft.nfFamily;
	const error = await t.throwsAsync(
		exchange(
			protocol.netfilter,
			nft.transaction([nft.newTable(ipv4, 'one'), nft.newRule(ipv4, 'one', 'absent', [nft.counter()])]),
			{namespaceFd},
		),
	);
	t.like(error, {code: 'ENOENT', index: 2});
	t.deepEqual(
		ns.ruleset().nftables.filter(({table}) => table),
		[],
	);
});
