import {existsSync, readdirSync, readFileSync} from 'node:fs';
import test, {type ExecutionContext} from 'ava';
import {tableName} from '../../../src/engine/networks/firewall.ts';
import {Paths} from '../../../src/engine/paths.ts';
import {busybox, eventually, makeNamespace, type RemoteEngine, startEngine} from '../../setup/netns.ts';

const server = ['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', 'echo served'];
const binds = ['/bin/busybox:/bin/busybox:ro'];
type Bindings = Record<string, {HostIp: string; HostPort: string}[]>;
const publishing = (bindings: Bindings, argv = server) =>
	busybox(argv, {hostConfig: {Binds: binds, PortBindings: bindings}});
const port = (hostIp: string, hostPort: number): Bindings => ({
	'80/tcp': [{HostIp: hostIp, HostPort: String(hostPort)}],
});

async function setUp(t: ExecutionContext) {
	const host = makeNamespace(t);
	return {host, engine: await startEngine(t, host)};
}

/** A client: family, address, port, and the address that it is bound to, if it is. What it has at its ends. */
const client = `
import json, socket, sys
family, address, port, bound = sys.argv[1:]
s = socket.socket(socket.AF_INET6 if family == '6' else socket.AF_INET)
s.settimeout(5)
if bound: s.bind((bound, 0))
s.connect((address, int(port)))
print(json.dumps({'from': s.getsockname()[0], 'to': list(s.getpeername()[:2]), 'answer': s.recv(100).decode().strip()}))
`;
interface Seen {
	from: string;
	to: [string, number];
	answer: string;
}
const asks = async (
	host: Pick<ReturnType<typeof makeNamespace>, 'run'>,
	address: string,
	at: number,
	options: {family?: 4 | 6; bound?: string} = {},
): Promise<Seen> => {
	const {family = 4, bound = ''} = options;
	return JSON.parse(
		await host.run('python3', '-c', client, String(family), address, String(at), bound),
	) as Seen;
};
const gatewayOf = async (engine: RemoteEngine, id: string): Promise<string> =>
	(await engine.call<{NetworkSettings: {Gateway: string}}>('containers.inspect', id)).NetworkSettings.Gateway;

/** The links by which a monitor holds the programs at the top of cgroup v2. */
function linksOf(engine: RemoteEngine, id: string): string[] {
	const {monitorPid} = JSON.parse(readFileSync(`${engine.root}/containers/${id}/state.json`, 'utf8'));
	return readdirSync(`/proc/${monitorPid}/fdinfo`)
		.map((fd) => readFileSync(`/proc/${monitorPid}/fdinfo/${fd}`, 'utf8'))
		.filter((text) => text.includes('link_type:\tcgroup'))
		.map((text) => /link_id:\t(\d+)/.exec(text)![1]!)
		.sort();
}

test('clients on the host are led to the container at their connect, and see what they asked for', async (t) => {
	const {host, engine} = await setUp(t);
	const id = await engine.startContainer(publishing(port('', 8080)));
	const gateway = await gatewayOf(engine, id);
	await eventually(() => asks(host, '127.0.0.1', 8080));
	for (const [address, to] of [
		['127.0.0.1', '127.0.0.1'],
		['127.1.2.3', '127.1.2.3'],
		['0.0.0.0', '127.0.0.1'],
	] as const) {
		const seen = await asks(host, address, 8080);
		t.deepEqual(seen, {from: gateway, to: [to, 8080], answer: 'served'}, address);
	}
	t.deepEqual(await asks(host, '::ffff:127.0.0.1', 8080, {family: 6}), {
		from: `::ffff:${gateway}`,
		to: ['::ffff:127.0.0.1', 8080],
		answer: 'served',
	});
	// Who has said that it comes from the loopback is proxied.
	for (const bound of ['127.0.0.1', '127.0.0.9']) {
		const seen = await asks(host, '127.0.0.1', 8080, {bound});
		t.deepEqual(seen, {from: bound, to: ['127.0.0.1', 8080], answer: 'served'});
	}
	t.like(await asks(host, '::ffff:127.0.0.1', 8080, {family: 6, bound: '::ffff:127.0.0.1'}), {
		from: '::ffff:127.0.0.1',
		answer: 'served',
	});
	t.like(await asks(host, '::1', 8080, {family: 6}), {from: '::1', answer: 'served'});
	// A port that nobody has published, and one of another kind.
	await t.throwsAsync(asks(host, '127.0.0.1', 8081), {message: /ConnectionRefusedError/});
	await engine.call('containers.remove', id, {force: true});
	await t.throwsAsync(asks(host, '127.0.0.1', 8080), {message: /ConnectionRefusedError/});
});

test('a container that does not listen refuses a client that is led', async (t) => {
	const {host, engine} = await setUp(t);
	await engine.startContainer(publishing(port('127.0.0.1', 8080), ['sleep', '1000']));
	await t.throwsAsync(asks(host, '127.0.0.1', 8080), {message: /ConnectionRefusedError/});
});

test('a socket that connects again tells the end that it has then', async (t) => {
	const {host, engine} = await setUp(t);
	await engine.startContainer(publishing(port('127.0.0.1', 8080)));
	await eventually(() => asks(host, '127.0.0.1', 8080));
	const again = [
		'import ctypes, socket',
		"other = socket.create_server(('127.0.0.1', 7000))",
		's = socket.socket(); s.settimeout(5)',
		"s.connect(('127.0.0.1', 8080)); print(s.getpeername())",
		// AF_UNSPEC takes the connection away.
		'ctypes.CDLL(None).connect(s.fileno(), bytes(16), 16)',
		"s.connect(('127.0.0.1', 7000)); print(s.getpeername())",
		'ctypes.CDLL(None).connect(s.fileno(), bytes(16), 16)',
		"s.connect(('127.0.0.1', 8080)); print(s.getpeername())",
	].join('\n');
	t.deepEqual((await host.run('python3', '-c', again)).trim().split('\n'), [
		"('127.0.0.1', 8080)",
		"('127.0.0.1', 7000)",
		"('127.0.0.1', 8080)",
	]);
});

test('a port of one loopback address is led there alone, and two addresses to two containers', async (t) => {
	const {host, engine} = await setUp(t);
	const answering = (word: string) => ['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', `echo ${word}`];
	await engine.startContainer(publishing(port('127.0.0.1', 8080), answering('one')));
	await engine.startContainer(publishing(port('127.0.0.2', 8080), answering('two')));
	await eventually(() => asks(host, '127.0.0.1', 8080));
	await eventually(() => asks(host, '127.0.0.2', 8080));
	t.is((await asks(host, '127.0.0.1', 8080)).answer, 'one');
	t.is((await asks(host, '127.0.0.2', 8080)).answer, 'two');
	await t.throwsAsync(asks(host, '127.0.0.3', 8080), {message: /ConnectionRefusedError/});
});

test('clients in other network namespaces are led nowhere', async (t) => {
	const {host, engine} = await setUp(t);
	const other = makeNamespace(t);
	const id = await engine.startContainer(publishing(port('', 8080)));
	await eventually(() => asks(host, '127.0.0.1', 8080));
	await t.throwsAsync(asks(other, '127.0.0.1', 8080), {message: /ConnectionRefusedError/});
	const inside = await engine.exec(id, '/bin/busybox', 'nc', '-w', '1', '127.0.0.1', '8080');
	t.not(inside.code, 0);
	// Nor does an engine of the other namespace, which has the same port, lead to the first one's container.
	const second = await startEngine(t, other);
	await second.startContainer(
		publishing(port('', 8080), ['nc', '-ll', '-p', '80', '-e', '/bin/echo', 'second']),
	);
	await eventually(() => asks(other, '127.0.0.1', 8080));
	t.is((await asks(other, '127.0.0.1', 8080)).answer, 'second');
	t.is((await asks(host, '127.0.0.1', 8080)).answer, 'served');
});

test('containers share the programs, which go with the last of their monitors', async (t) => {
	const {host, engine} = await setUp(t);
	const first = await engine.startContainer(publishing(port('', 8080)));
	const second = await engine.startContainer(publishing(port('', 8081)));
	const without = await engine.startContainer(busybox(['sleep', '1000'], {hostConfig: {Binds: binds}}));
	const links = linksOf(engine, first);
	t.is(links.length, 4);
	t.deepEqual(linksOf(engine, second), links);
	t.deepEqual(linksOf(engine, without), []);
	// The one that has made them.
	await engine.call('containers.remove', first, {force: true});
	const gateway = await gatewayOf(engine, second);
	t.like(await eventually(() => asks(host, '127.0.0.1', 8081)), {from: gateway, answer: 'served'});
	await t.throwsAsync(asks(host, '127.0.0.1', 8080), {message: /ConnectionRefusedError/});
	const third = await engine.startContainer(publishing(port('', 8080)));
	t.deepEqual(linksOf(engine, third), links);
	t.like(await eventually(() => asks(host, '127.0.0.1', 8080)), {from: gateway, answer: 'served'});
	for (const id of [second, third]) await engine.call('containers.remove', id, {force: true});
	// Nobody holds them now.
	const fourth = await engine.startContainer(publishing(port('', 8080)));
	t.is(linksOf(engine, fourth).length, 4);
	t.false(linksOf(engine, fourth).some((link) => links.includes(link)));
});

test('twenty containers that start at the same time make one set of programs', async (t) => {
	const {host, engine} = await setUp(t);
	const ids = await Promise.all(
		Array.from({length: 20}, (_, index) =>
			engine.startContainer(publishing(port('127.0.0.1', 9000 + index))),
		),
	);
	const sets = new Set(ids.map((id) => linksOf(engine, id).join()));
	t.is(sets.size, 1);
	const gateway = await gatewayOf(engine, ids[0]!);
	for (const index of ids.keys()) {
		t.is((await eventually(() => asks(host, '127.0.0.1', 9000 + index))).from, gateway);
	}
});

test('what a killed monitor has led is given back by the next command', async (t) => {
	const {host, engine} = await setUp(t);
	const killed = await engine.startContainer(publishing(port('', 8080)));
	const other = await engine.startContainer(publishing(port('', 8081)));
	const gateway = await gatewayOf(engine, other);
	await eventually(() => asks(host, '127.0.0.1', 8080));
	const {monitorPid} = JSON.parse(readFileSync(`${engine.root}/containers/${killed}/state.json`, 'utf8'));
	process.kill(monitorPid, 'SIGKILL');
	await engine.restart();
	// Somebody else may have the port now: it is his.
	host.start('busybox', ['nc', '-ll', '-p', '8080', '-e', '/bin/busybox', 'echo', 'own']);
	const own = async () => {
		const seen = await asks(host, '127.0.0.1', 8080);
		if (seen.answer !== 'own') throw new Error(JSON.stringify(seen));
		return seen;
	};
	t.like(await eventually(own), {from: '127.0.0.1'});
	t.like(await eventually(() => asks(host, '127.0.0.1', 8081)), {from: gateway, answer: 'served'});
});

test('ports are led and taken back while the container runs', async (t) => {
	const {host, engine} = await setUp(t);
	const id = await engine.startContainer(busybox(server, {hostConfig: {Binds: binds}}));
	await engine.call('containers.updatePublished', id, {add: port('', 8080)});
	t.like(await eventually(() => asks(host, '127.0.0.1', 8080)), {from: await gatewayOf(engine, id)});
	await engine.call('containers.updatePublished', id, {remove: port('', 8080)});
	await t.throwsAsync(asks(host, '127.0.0.1', 8080), {message: /ConnectionRefusedError/});
	await engine.call('containers.updatePublished', id, {add: port('', 8080)});
	t.like(await eventually(() => asks(host, '127.0.0.1', 8080)), {from: await gatewayOf(engine, id)});
});

test('ports go on being led when a container moves to another network, and over its restarts', async (t) => {
	const {host, engine} = await setUp(t);
	await engine.call('networks.create', {name: 'a'});
	const id = await engine.startContainer(
		busybox(server, {
			hostConfig: {
				Binds: binds,
				PortBindings: port('', 8080),
				RestartPolicy: {Name: 'always', MaximumRetryCount: 0},
			},
		}),
	);
	const from = async (gateway: string) => {
		const seen = await asks(host, '127.0.0.1', 8080);
		if (seen.from !== gateway) throw new Error(JSON.stringify(seen));
		return seen;
	};
	const gateways = async () => {
		const {NetworkSettings} = await engine.call<{
			NetworkSettings: {Networks: Record<string, {Gateway: string}>};
		}>('containers.inspect', id);
		return Object.values(NetworkSettings.Networks).map(({Gateway}) => Gateway);
	};
	await engine.call('networks.connect', 'a', id, {});
	await engine.call('networks.disconnect', 'bridge', id);
	const [gateway] = await gateways();
	t.regex(gateway!, /^10\.213\./);
	t.is((await gateways()).length, 1);
	t.like(await eventually(() => from(gateway!)), {answer: 'served'});
	const {pid} = JSON.parse(readFileSync(`${engine.root}/containers/${id}/state.json`, 'utf8'));
	process.kill(pid, 'SIGKILL');
	const restarted = async () => {
		const state = JSON.parse(readFileSync(`${engine.root}/containers/${id}/state.json`, 'utf8'));
		if (state.status !== 'running' || state.pid === pid) throw new Error(state.status);
	};
	await eventually(restarted);
	t.like(await eventually(() => from(gateway!)), {answer: 'served'});
	await engine.call('containers.restart', id, {timeout: 0});
	t.like(await eventually(() => from(gateway!)), {answer: 'served'});
	await engine.call('containers.stop', id, {timeout: 0});
	await t.throwsAsync(asks(host, '127.0.0.1', 8080), {message: /ConnectionRefusedError/});
});

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
