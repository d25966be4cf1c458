import {existsSync} from 'node:fs';
import test from 'ava';
import {tableName} from '../../../src/engine/networks/firewall.ts';
import {Paths} from '../../../src/engine/paths.ts';
import {busybox, eventually, makeNamespace, startEngine} from '../../setup/netns.ts';
import {asks, binds, linksOf, port, publishing, setUp} from './clients.ts';

// Where controllers are on v1 containers run without cgroup v2.
if (existsSync('/sys/fs/cgroup/unified')) {
	test('without cgroup v2 loopback addresses are let onto the bridge, behind the guard', async (t) => {
		const host = makeNamespace(t);
		const engine = await startEngine(t, host, {}, {unmounted: '/sys/fs/cgroup/unified'});
		const table = tableName(new Paths(engine.root, engine.run));
		const id = await engine.startContainer(publishing(port('', 8080)));
		const specific = await engine.startContainer(publishing(port('127.0.0.2', 8081)));
		t.deepEqual(linksOf(engine, id), []);
		t.like(await eventually(() => asks(host, '127.0.0.1', 8080)), {from: '127.0.0.1', answer: 'served'});
		t.like(await eventually(() => asks(host, '127.0.0.2', 8081)), {answer: 'served'});
		t.like(await asks(host, '127.0.0.1', 8080, {bound: '127.0.0.1'}), {answer: 'served'});
		host.ip('addr', 'add', '192.0.2.1/32', 'dev', 'lo');
		t.like(await asks(host, '192.0.2.1', 8080), {from: '192.0.2.1', answer: 'served'});
		// By the kernel: nobody proxies.
		t.is(await host.run('ss', '-tlnH4'), '');
		t.true(host.ruleset().nftables.some(({chain}) => chain?.table === table && chain.name === 'guard'));
		for (const each of [id, specific]) await engine.call('containers.remove', each, {force: true});
		await t.throwsAsync(asks(host, '127.0.0.1', 8080), {message: /ConnectionRefusedError/});
	});
}

test('the guard goes with the last network that needs it', async (t) => {
	const {host, engine} = await setUp(t);
	const guards = () => host.ruleset().nftables.filter(({chain}) => chain?.name === 'guard').length;
	const udp = {'53/udp': [{HostIp: '127.0.0.1', HostPort: '5300'}]};
	// A bridge of the user's, which stays.
	host.ip('link', 'add', 'brown', 'type', 'bridge');
	for (const [name, options] of [
		['a', {'com.docker.network.bridge.name': 'brown'}],
		['b', {}],
	] as const) {
		await engine.call('networks.create', {name, options});
		const id = await engine.startContainer(
			busybox(['sleep', '1000'], {hostConfig: {Binds: binds, NetworkMode: name, PortBindings: udp}}),
		);
		t.is(guards(), 1);
		await engine.call('containers.remove', id, {force: true});
	}
	const localnet = async () => (await host.run('cat', '/proc/sys/net/ipv4/conf/brown/route_localnet')).trim();
	t.is(await localnet(), '1');
	await engine.call('networks.remove', 'a');
	t.is(await localnet(), '0');
	t.is(guards(), 1);
	await engine.call('networks.remove', 'b');
	t.is(guards(), 0);
});

test('packets with loopback addresses are let onto a bridge for UDP alone, and then behind a guard', async (t) => {
	const {host, engine} = await setUp(t);
	const table = tableName(new Paths(engine.root, engine.run));
	const localnet = async (bridge: string) =>
		(await host.run('cat', `/proc/sys/net/ipv4/conf/${bridge}/route_localnet`)).trim();
	const chains = () =>
		host
			.ruleset()
			.nftables.flatMap(({chain}) => (chain?.table === table && chain.family === 'ip' ? [chain.name] : []))
			.sort();
	await engine.call('networks.create', {
		name: 'a',
		driver: 'bridge',
		options: {'com.docker.network.bridge.name': 'brlo'},
	});
	const tcp = await engine.startContainer(publishing(port('', 8080)));
	await engine.startContainer(busybox(['sleep', '1000'], {hostConfig: {Binds: binds, NetworkMode: 'a'}}));
	const before = chains();
	t.false(before.includes('guard'));
	t.is(await localnet('wherry0'), '0');
	await engine.call('containers.updatePublished', tcp, {
		add: {'53/udp': [{HostIp: '127.0.0.1', HostPort: '5300'}]},
	});
	t.is(await localnet('wherry0'), '1');
	t.is(await localnet('brlo'), '0');
	const after = chains();
	t.deepEqual(after, [...before, 'guard', 'guard_first', 'to_loopback'].sort());
	// It is there once, and comes back when somebody flushes it.
	await engine.startContainer(
		busybox(['sleep', '1000'], {
			hostConfig: {
				Binds: binds,
				NetworkMode: 'a',
				PortBindings: {'53/udp': [{HostIp: '', HostPort: '5301'}]},
			},
		}),
	);
	t.is(await localnet('brlo'), '1');
	const rules = () =>
		host.ruleset().nftables.filter(({rule}) => rule?.table === table && rule.family === 'ip').length;
	const count = rules();
	await host.run('/usr/sbin/nft', 'flush', 'ruleset');
	const back = async () => {
		if (rules() !== count || !chains().includes('guard')) throw new Error('not back');
	};
	await t.notThrowsAsync(eventually(back));
	t.like(await asks(host, '127.0.0.1', 8080), {answer: 'served'});
});
