import {readFileSync} from 'node:fs';
import test from 'ava';
import {busybox, eventually, makeNamespace, startEngine} from '../../setup/netns.ts';
import {asks, binds, gatewayOf, linksOf, port, publishing, server, setUp} from './clients.ts';

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

test('clients of the host’s own addresses are led from there, without translation', async (t) => {
	const {host, engine} = await setUp(t);
	const [address, other] = ['192.0.2.1', '192.0.2.7'];
	for (const each of [address, other]) host.ip('addr', 'add', `${each}/32`, 'dev', 'lo');
	const id = await engine.startContainer(
		publishing({
			'80/tcp': [
				{HostIp: '', HostPort: '8080'},
				{HostIp: address, HostPort: '8081'},
			],
		}),
	);
	const gateway = await gatewayOf(engine, id);
	await eventually(() => asks(host, address, 8080));
	// Before translation could do anything.
	const nobody = `type filter hook output priority -150; ip daddr { ${address}, ${other}, ${gateway} } tcp dport { 8080, 8081 } drop;`;
	await host.run('/usr/sbin/nft', `table ip own { chain nobody { ${nobody} }; }`);
	for (const [at, number] of [
		[address, 8080],
		[other, 8080],
		[gateway, 8080],
		[address, 8081],
	] as const) {
		t.deepEqual(await asks(host, at, number), {from: at, to: [at, number], answer: 'served'});
	}
	const mapped = `::ffff:${other}`;
	t.deepEqual(await asks(host, mapped, 8080, {family: 6}), {
		from: mapped,
		to: [mapped, 8080],
		answer: 'served',
	});
	// The server has closed first.
	const {stdout} = await engine.exec(id, '/bin/busybox', 'netstat', '-tn');
	for (const at of [address, other, gateway]) t.true(stdout.includes(`::ffff:${at}:`), stdout);
	await t.throwsAsync(asks(host, address, 8080, {bound: address}), {message: /timed out/});
	await host.run('/usr/sbin/nft', 'delete', 'table', 'ip', 'own');
	t.like(await asks(host, address, 8080, {bound: address}), {from: address, answer: 'served'});
	t.like(await asks(host, address, 8080, {bound: other}), {from: other, answer: 'served'});
	await t.throwsAsync(asks(host, other, 8081), {message: /ConnectionRefusedError/});
	await t.throwsAsync(asks(host, '127.0.0.1', 8081), {message: /ConnectionRefusedError/});
	await engine.call('containers.updatePublished', id, {remove: port('', 8080)});
	await t.throwsAsync(asks(host, address, 8080), {message: /ConnectionRefusedError/});
	await engine.call('containers.remove', id, {force: true});
	await t.throwsAsync(asks(host, address, 8081), {message: /ConnectionRefusedError/});
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

test('a socket that was refused is as free as before, wherever it goes next', async (t) => {
	const {host, engine} = await setUp(t);
	for (const each of ['192.0.2.1', '198.51.100.1']) host.ip('addr', 'add', `${each}/32`, 'dev', 'lo');
	await engine.startContainer(publishing(port('', 8080), ['sleep', '1000']));
	const again = (family: string, first: string, second: string) => [
		'import socket',
		`s = socket.socket(socket.${family})`,
		"other = socket.create_server(('0.0.0.0', 7000))",
		`try: s.connect(('${first}', 8080)); print('connected')`,
		'except ConnectionRefusedError: pass',
		`s.connect(('${second}', 7000)); print(s.getsockname()[0])`,
	];
	for (const [family, first, second] of [
		['AF_INET', '192.0.2.1', '198.51.100.1'],
		['AF_INET', '192.0.2.1', '127.0.0.1'],
		['AF_INET6', '::ffff:192.0.2.1', '::ffff:198.51.100.1'],
	] as const) {
		const script = again(family, first, second).join('\n');
		t.is((await host.run('python3', '-c', script)).trim(), second);
	}
});

test('two engines of a host lead each to its own containers', async (t) => {
	const {host, engine} = await setUp(t);
	host.ip('addr', 'add', '192.0.2.1/32', 'dev', 'lo');
	const other = await startEngine(t, host, {WHERRY_SUBNET_POOL: '10.214.0.0/16'});
	const answering = (word: string) => ['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', `echo ${word}`];
	await engine.startContainer(publishing(port('', 8080), answering('one')));
	await other.startContainer(publishing(port('', 80), answering('two')));
	for (const address of ['127.0.0.1', '192.0.2.1']) {
		await eventually(() => asks(host, address, 8080));
		await eventually(() => asks(host, address, 80));
		t.like(await asks(host, address, 8080), {to: [address, 8080], answer: 'one'});
		t.like(await asks(host, address, 80), {to: [address, 80], answer: 'two'});
	}
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
