import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {
	busybox,
	connect,
	eventually,
	makeNamespace,
	type Namespace,
	type RemoteEngine,
	startEngine,
} from '../../setup/netns.ts';

const binds = ['/bin/busybox:/bin/busybox:ro'];
const sleep = ['sleep', '1000'];
const run = async (engine: RemoteEngine, id: string, ...argv: string[]) => {
	const {stdout, stderr, code} = await engine.exec(id, '/bin/busybox', ...argv);
	return {text: stdout + stderr, code};
};
const serves = (from: Namespace, address: string, port: number) =>
	eventually(async () => {
		const answer = await from.run('busybox', 'nc', '-w', '1', address, String(port));
		if (!answer.includes('served')) throw new Error(`no answer from ${address}:${port}`);
	});

test('a network without IPv4 gives IPv6 addresses and names, and its ports are published for both', async (t) => {
	const host = makeNamespace(t);
	const outside = makeNamespace(t);
	connect(host, '192.0.2.1/24', outside, '192.0.2.2/24');
	connect(host, '2001:db8::1/64', outside, '2001:db8::2/64');
	const engine = await startEngine(t, host);
	await engine.call('networks.create', {name: 'six', ipv4: false, ipv6: true});
	const {IPAM, EnableIPv4, EnableIPv6} = await engine.call<{
		IPAM: {Config: {Subnet: string}[]};
		EnableIPv4: boolean;
		EnableIPv6: boolean;
	}>('networks.inspect', 'six');
	t.deepEqual([EnableIPv4, EnableIPv6], [false, true]);
	t.is(IPAM.Config.length, 1);
	t.regex(IPAM.Config[0]!.Subnet, /^fd[0-9a-f:]+\/64$/);
	const on = (host = {}) => ({hostConfig: {NetworkMode: 'six', Binds: binds, ...host}});
	const web = await engine.startContainer(
		busybox(['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', 'echo served'], {
			name: 'web',
			...on({PortBindings: {'80/tcp': [{HostIp: '', HostPort: '8080'}]}}),
		}),
	);
	const other = await engine.startContainer(busybox(sleep, on()));
	t.notRegex((await run(engine, other, 'ip', '-4', '-o', 'addr', 'show', 'eth0')).text, /inet /);
	t.is((await run(engine, other, 'ping', '-6', '-c', '1', '-W', '2', 'web')).code, 0);
	const {NetworkSettings} = await engine.call<{
		NetworkSettings: {Networks: Record<string, {IPAddress: string; GlobalIPv6Address: string}>};
	}>('containers.inspect', web);
	t.like(NetworkSettings.Networks.six, {IPAddress: ''});
	t.regex(NetworkSettings.Networks.six!.GlobalIPv6Address, /^fd/);
	for (const [from, address] of [
		[outside, '192.0.2.1'],
		[outside, '2001:db8::1'],
		[host, '127.0.0.1'],
		[host, '::1'],
	] as const) {
		await t.notThrowsAsync(serves(from, address, 8080), address);
	}
});

test('link-local addresses are added to an interface, at the start, at run time and after a restart', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	await engine.call('networks.create', {name: 'n'});
	const withLocal = (...LinkLocalIPs: string[]) =>
		busybox(sleep, {
			hostConfig: {NetworkMode: 'n', Binds: binds},
			networks: {n: {IPAMConfig: {LinkLocalIPs}}},
		});
	const one = await engine.startContainer(withLocal('169.254.7.7', 'fe80::254:77'));
	const two = await engine.startContainer(withLocal('169.254.8.8', 'fe80::254:88'));
	const three = await engine.startContainer(busybox(sleep));
	await engine.call('networks.connect', 'n', three, {IPAMConfig: {LinkLocalIPs: ['169.254.9.9']}});
	const reach = async () => {
		t.is((await run(engine, one, 'ping', '-c', '1', '-W', '2', '169.254.8.8')).code, 0);
		t.is((await run(engine, two, 'ping', '-6', '-c', '1', '-W', '2', 'fe80::254:77%eth0')).code, 0);
		t.is((await run(engine, three, 'ping', '-c', '1', '-W', '2', '169.254.7.7')).code, 0);
	};
	await reach();
	for (const id of [one, three]) await engine.call('containers.restart', id, {timeout: 0});
	await reach();
	const {NetworkSettings} = await engine.call<{
		NetworkSettings: {Networks: Record<string, {IPAMConfig: object; IPAddress: string}>};
	}>('containers.inspect', one);
	t.deepEqual(NetworkSettings.Networks.n!.IPAMConfig, {LinkLocalIPs: ['169.254.7.7', 'fe80::254:77']});
	for (const [address, message] of [
		['169.253.5.5', 'invalid link-local IP address: 169.253.5.5'],
		['2001:db8::89', 'invalid link-local IP address: 2001:db8::89'],
		['x', 'invalid link-local IP address: x'],
	] as const) {
		const error = await t.throwsAsync(engine.call('containers.create', withLocal(address)));
		t.regex(error.message, new RegExp(`${message}$`));
	}
});

test('SCTP ports are published where the kernel has it, and refused with the reason where it has not', async (t) => {
	const host = makeNamespace(t);
	const engine = await startEngine(t, host);
	const {id} = await engine.call<{id: string}>(
		'containers.create',
		busybox(sleep, {hostConfig: {Binds: binds, PortBindings: {'80/sctp': [{HostIp: '', HostPort: '8080'}]}}}),
	);
	// Only once it is used is the file there.
	if (existsSync('/proc/net/sctp')) {
		await engine.call('containers.start', id);
		const elements = JSON.stringify(host.ruleset());
		t.true(elements.includes('"sctp"'), elements);
	} else {
		const error = await t.throwsAsync(engine.call('containers.start', id));
		t.is(
			error.message,
			'can\'t publish 8080/sctp: the kernel has no SCTP; where it has a module, "modprobe sctp" helps',
		);
		t.deepEqual(readdirSync(join(engine.run, 'containers')), []);
	}
});

test('networks have any name that docker takes, and an address outside of what the user named is refused', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	const names = ['test@#$', 'kiwl$%^', 'a b', '/x', '../x', '-x', '.hid', 'x:y', 'ü', '%2Fx'];
	const ids: string[] = [];
	for (const name of names) {
		ids.push((await engine.call<{id: string}>('networks.create', {name, labels: {own: 'yes'}})).id);
		const again = await t.throwsAsync(engine.call('networks.create', {name}));
		t.is(again.message, `network with name ${name} already exists`);
	}
	const listed = await engine.call<{Name: string}[]>('networks.list', {filters: {label: ['own']}});
	t.deepEqual(listed.map(({Name}) => Name).sort(), names.toSorted());
	t.deepEqual(readdirSync(join(engine.root, '..')).sort(), ['root', 'run']);
	const id = await engine.startContainer(
		busybox(sleep, {name: 'web', hostConfig: {NetworkMode: 'test@#$', Binds: binds}}),
	);
	t.is((await run(engine, id, 'ping', '-c', '1', '-W', '2', 'web')).code, 0);
	const outside = {networks: {'a b': {IPAMConfig: {IPv4Address: '172.28.99.88'}}}};
	const error = await t.throwsAsync(
		engine.call(
			'containers.create',
			busybox(sleep, {hostConfig: {NetworkMode: 'a b', Binds: binds}, ...outside}),
		),
	);
	t.regex(
		error.message,
		/user specified IP address is supported only when connecting to networks with user configured subnets/,
	);
	await engine.call('containers.remove', id, {force: true});
	for (const network of [names[0]!, ...ids.slice(1)]) await engine.call('networks.remove', network);
	const left = await engine.call<{Name: string}[]>('networks.list', {filters: {type: ['custom']}});
	t.deepEqual(left, []);
});

test('a configuration network lends its configuration, and stays while it is lent', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	await engine.call('networks.create', {
		name: 'plan',
		configOnly: true,
		subnets: ['10.99.7.0/24'],
		labels: {a: 'b'},
		options: {'com.docker.network.driver.mtu': '1400'},
	});
	t.like(await engine.call<object>('networks.inspect', 'plan'), {ConfigOnly: true, Driver: 'null'});
	const onPlan = busybox(sleep, {hostConfig: {NetworkMode: 'plan', Binds: binds}});
	const refused = await t.throwsAsync(engine.call('containers.create', onPlan));
	t.is(refused.message, 'cannot create endpoint on configuration-only network');
	const own = await t.throwsAsync(
		engine.call('networks.create', {name: 'x', configFrom: 'plan', subnets: ['10.99.8.0/24']}),
	);
	t.regex(own.message, /user specified configurations are not supported/);
	await engine.call('networks.create', {name: 'real', configFrom: 'plan'});
	t.like(await engine.call<object>('networks.inspect', 'real'), {
		ConfigOnly: false,
		ConfigFrom: {Network: 'plan'},
		Driver: 'bridge',
		Labels: {a: 'b'},
		IPAM: {Driver: 'default', Options: {}, Config: [{Subnet: '10.99.7.0/24', Gateway: '10.99.7.1'}]},
	});
	const id = await engine.startContainer(busybox(sleep, {hostConfig: {NetworkMode: 'real', Binds: binds}}));
	t.regex((await run(engine, id, 'ip', 'link', 'show', 'eth0')).text, /mtu 1400/);
	await engine.call('containers.remove', id, {force: true});
	const used = await t.throwsAsync(engine.call('networks.remove', 'plan'));
	t.is(used.message, 'configuration network "plan" is in use by network real');
	await engine.call('networks.remove', 'real');
	t.deepEqual((await engine.call<{NetworksDeleted: string[]}>('networks.prune', {})).NetworksDeleted, []);
	await engine.call('networks.remove', 'plan');
});
