import {existsSync, globSync, realpathSync} from 'node:fs';
import {dirname} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {
	busybox,
	connect,
	eventually,
	makeNamespace,
	type Namespace,
	type RemoteEngine,
	startEngine,
} from '../../setup/netns.ts';

const hostAddress = '192.0.2.1';

/** A host with a cable to an outside host. */
async function setUp(
	t: ExecutionContext,
): Promise<{host: Namespace; outside: Namespace; engine: RemoteEngine}> {
	const host = makeNamespace(t);
	const outside = makeNamespace(t);
	connect(host, `${hostAddress}/24`, outside, '192.0.2.2/24');
	return {host, outside, engine: await startEngine(t, host)};
}

const binds = ['/bin/busybox:/bin/busybox:ro'];
/** Addresses that are given out. */
const leases = (engine: RemoteEngine): string[] =>
	globSync('networks/*/leases/*', {cwd: engine.root}).map((path) => path.split('/').at(-1)!);

/** A server that answers. */
const server = ['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', 'echo served'];
const ask = (from: Namespace, address: string, port: number) =>
	eventually(async () => {
		const answer = await from.run('busybox', 'nc', '-w', '2', address, String(port));
		if (!answer.includes('served')) throw new Error(`no answer from ${address}:${port}`);
		return answer;
	});

test('a published TCP port answers from outside, on the addresses of the host, and on localhost', async (t) => {
	const {host, outside, engine} = await setUp(t);
	const id = await engine.startContainer(
		busybox(server, {
			hostConfig: {
				Binds: binds,
				PortBindings: {'80/tcp': [{HostIp: '', HostPort: '8080'}]},
			},
		}),
	);
	t.regex(await ask(outside, hostAddress, 8080), /served/);
	t.regex(await ask(host, hostAddress, 8080), /served/);
	t.regex(await ask(host, '127.0.0.1', 8080), /served/);
	const inspect = await engine.call<{NetworkSettings: {IPAddress: string; Gateway: string; Ports: object}}>(
		'containers.inspect',
		id,
	);
	t.deepEqual(inspect.NetworkSettings.Ports, {
		'80/tcp': [
			{HostIp: '0.0.0.0', HostPort: '8080'},
			{HostIp: '::', HostPort: '8080'},
		],
	});
	t.regex(await ask(host, inspect.NetworkSettings.Gateway, 8080), /served/);
	await engine.call('containers.remove', id, {force: true});
	await t.throwsAsync(outside.run('busybox', 'nc', '-w', '1', hostAddress, '8080'));
});

/** Says whose connections it has. */
const whoAsks = [
	'nc',
	'-ll',
	'-p',
	'80',
	'-e',
	'/bin/sh',
	'-c',
	'echo from; cat /proc/net/tcp /proc/net/tcp6',
];

test('the container sees the address of the client', async (t) => {
	const {outside, engine} = await setUp(t);
	await engine.startContainer(
		busybox(whoAsks, {
			hostConfig: {Binds: binds, PortBindings: {'80/tcp': [{HostIp: '0.0.0.0', HostPort: '8080'}]}},
		}),
	);
	const text = await eventually(async () => {
		const answer = await outside.run('busybox', 'nc', '-w', '2', hostAddress, '8080');
		if (!answer.includes('from')) throw new Error('no answer');
		return answer;
	});
	// 192.0.2.2 in /proc/net/tcp's order.
	t.regex(text, /020200C0:/);
});

test('chosen ports, ranges and -P get free ports of the host, and keep them over a restart', async (t) => {
	const {host, engine} = await setUp(t);
	host.start('busybox', ['nc', '-ll', '-p', '9000', '-e', '/bin/true']);
	const id = await engine.startContainer(
		busybox(server, {
			config: {ExposedPorts: {'81/tcp': {}, '53/udp': {}}},
			hostConfig: {
				Binds: binds,
				PublishAllPorts: true,
				PortBindings: {'80/tcp': [{HostIp: '0.0.0.0', HostPort: '9000-9002'}]},
			},
		}),
	);
	const ports = async () =>
		(
			await engine.call<{NetworkSettings: {Ports: Record<string, {HostIp: string; HostPort: string}[]>}}>(
				'containers.inspect',
				id,
			)
		).NetworkSettings.Ports;
	const before = await ports();
	t.deepEqual(before['80/tcp'], [{HostIp: '0.0.0.0', HostPort: '9001'}]);
	for (const key of ['81/tcp', '53/udp']) {
		const [four, six] = before[key]!;
		t.is(four!.HostPort, six!.HostPort);
		t.true(Number(four!.HostPort) > 1024);
	}
	await engine.call('containers.restart', id, {timeout: 0});
	t.deepEqual(await ports(), before);
	const [row] = await engine.call<{Ports: object[]}[]>('containers.list', {});
	t.is(row!.Ports.length, 5);
});

test('a taken port is refused before anything is started, and nothing is left', async (t) => {
	const {host, engine} = await setUp(t);
	host.start('busybox', ['nc', '-ll', '-p', '8080', '-e', '/bin/true']);
	await eventually(() => host.run('busybox', 'nc', '-w', '1', '127.0.0.1', '8080'));
	const options = busybox(['sh', '-c', 'echo ran'], {
		hostConfig: {Binds: binds, PortBindings: {'80/tcp': [{HostIp: '0.0.0.0', HostPort: '8080'}]}},
	});
	const error = await t.throwsAsync<Error & {exitCode: number}>(engine.runContainer(options));
	t.regex(error.message, /failed to bind host port 0\.0\.0\.0:8080\/tcp: address already in use/);
	t.is(error.exitCode, 125);
	const [row] = await engine.call<{State: string}[]>('containers.list', {all: true});
	t.is(row!.State, 'created');
	const elsewhere = busybox(['true'], {
		hostConfig: {Binds: binds, PortBindings: {'80/tcp': [{HostIp: '203.0.113.9', HostPort: '8081'}]}},
	});
	const foreign = await t.throwsAsync(engine.runContainer(elsewhere));
	t.regex(foreign.message, /203\.0\.113\.9:8081\/tcp: cannot assign requested address/);
	t.deepEqual(leases(engine), []);
});

test('a UDP client that never stops sending reaches the container that comes', async (t) => {
	const {outside, engine} = await setUp(t);
	const knock = `const s = require('dgram').createSocket('udp4'); s.bind(4444, () => setInterval(() => s.send('knock', 5353, '${hostAddress}'), 20))`;
	outside.start(process.execPath, ['-e', knock]);
	await new Promise((resolve) => setTimeout(resolve, 500));
	const listen =
		"const s = require('dgram').createSocket('udp4'); s.bind(53); s.on('message', (m, from) => { console.log(String(m), from.address, from.port); s.send('yes', from.port, from.address, () => process.exit()) }); setTimeout(() => process.exit(1), 3000)";
	const folders = ['/lib', '/lib64', '/usr/lib'].filter((path) => existsSync(path));
	for (const round of [1, 2, 3]) {
		const {stdout, stderr} = await engine.runContainer({
			image: 'wherry/base',
			config: {Cmd: ['/node/node', '-e', listen]},
			hostConfig: {
				Binds: [
					`${dirname(realpathSync(process.execPath))}:/node:ro`,
					...folders.map((path) => `${path}:${path}:ro`),
				],
				PortBindings: {'53/udp': [{HostIp: '', HostPort: '5353'}]},
			},
		});
		t.is(stdout, 'knock 192.0.2.2 4444\n', `round ${round}: ${stderr}`);
	}
});

test('a published port answers over IPv6, where the container has none', async (t) => {
	const {host, outside, engine} = await setUp(t);
	connect(host, '2001:db8::1/64', outside, '2001:db8::2/64');
	await engine.startContainer(
		busybox(server, {hostConfig: {Binds: binds, PortBindings: {'80/tcp': [{HostIp: '', HostPort: '8080'}]}}}),
	);
	t.regex(await ask(outside, '2001:db8::1', 8080), /served/);
	t.regex(await ask(host, '::1', 8080), /served/);
});
