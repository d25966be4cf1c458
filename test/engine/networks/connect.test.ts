import {globSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {
	busybox,
	eventually,
	makeNamespace,
	type Namespace,
	type RemoteEngine,
	startEngine,
} from '../../setup/netns.ts';

interface Inspect {
	Id: string;
	NetworkSettings: {
		Ports: Record<string, {HostIp: string; HostPort: string}[] | null>;
		Networks: Record<
			string,
			{IPAddress: string; Gateway: string; MacAddress: string; Aliases: string[] | null}
		>;
	};
}

const binds = ['/bin/busybox:/bin/busybox:ro'];
const sleep = ['sleep', '1000'];

async function setUp(t: ExecutionContext): Promise<{host: Namespace; engine: RemoteEngine}> {
	const host = makeNamespace(t);
	return {host, engine: await startEngine(t, host)};
}

const inspect = (engine: RemoteEngine, id: string) => engine.call<Inspect>('containers.inspect', id);
const shell = async (engine: RemoteEngine, id: string, script: string) => {
	const {stdout, stderr, code} = await engine.exec(id, '/bin/busybox', 'sh', '-c', script);
	return {text: stdout + stderr, code};
};

test('a running container is connected to a network and taken off again', async (t) => {
	const {host, engine} = await setUp(t);
	await engine.call('networks.create', {name: 'front', subnets: ['10.99.1.0/24']});
	await engine.call('networks.create', {name: 'back', subnets: ['10.99.2.0/24']});
	const id = await engine.startContainer(
		busybox(sleep, {name: 'web', hostConfig: {NetworkMode: 'front', Binds: binds}}),
	);
	const db = await engine.startContainer(
		busybox(sleep, {name: 'db', hostConfig: {NetworkMode: 'back', Binds: binds}}),
	);
	t.not((await shell(engine, id, 'ping -c 1 -W 1 db')).code, 0);

	await engine.call('networks.connect', 'back', 'web', {
		Aliases: ['shop'],
		IPAMConfig: {IPv4Address: '10.99.2.77'},
	});
	t.is((await shell(engine, id, 'ping -c 1 -W 2 db')).code, 0);
	t.is((await shell(engine, db, 'ping -c 1 -W 2 shop')).code, 0);
	const {NetworkSettings} = await inspect(engine, id);
	t.is(NetworkSettings.Networks.back!.IPAddress, '10.99.2.77');
	t.deepEqual(NetworkSettings.Networks.back!.Aliases, ['shop']);
	t.regex((await shell(engine, id, 'cat /etc/hosts')).text, /^10\.99\.2\.77\t/m);
	// The default route goes through the network that is first by name.
	t.regex((await shell(engine, id, 'ip route')).text, /default via 10\.99\.2\.1/);
	const again = await t.throwsAsync(engine.call('networks.connect', 'back', 'web'));
	t.is(again.message, 'endpoint with name web already exists in network back');
	const busy = await t.throwsAsync(engine.call('networks.remove', 'back'));
	t.regex(busy.message, /network back has active endpoints/);

	await engine.call('networks.disconnect', 'back', 'web');
	t.not((await shell(engine, id, 'ping -c 1 -W 1 db')).code, 0);
	const {text} = await shell(engine, id, 'ip -o addr; ip route; cat /etc/hosts');
	t.notRegex(text, /10\.99\.2\./);
	t.regex(text, /default via 10\.99\.1\.1/);
	const not = await t.throwsAsync(engine.call('networks.disconnect', 'back', 'web'));
	t.is(not.message, `container ${id} is not connected to network back`);

	await engine.call('containers.stop', id, {timeout: 0});
	await engine.call('containers.stop', db, {timeout: 0});
	await engine.call('networks.remove', 'back');
	const links = host.ipJson('link').map(({ifname}) => String(ifname));
	t.is(links.filter((name) => name.startsWith('wy')).length, 1, links.join(' '));
});

test('a stopped container keeps what it was connected to for its next start', async (t) => {
	const {engine} = await setUp(t);
	await engine.call('networks.create', {name: 'back'});
	const {id} = await engine.call<{id: string}>('containers.create', busybox(sleep));
	await engine.call('networks.connect', 'back', id);
	await engine.call('containers.start', id);
	t.deepEqual(Object.keys((await inspect(engine, id)).NetworkSettings.Networks).sort(), ['back', 'bridge']);
	const before = (await inspect(engine, id)).NetworkSettings.Networks;
	await engine.call('containers.restart', id, {timeout: 0});
	const after = (await inspect(engine, id)).NetworkSettings.Networks;
	t.is(after.back!.IPAddress, before.back!.IPAddress);
	t.is(after.bridge!.MacAddress, before.bridge!.MacAddress);
});

test('ports are published and taken back while the container runs', async (t) => {
	const {host, engine} = await setUp(t);
	const served = (port: number) =>
		eventually(async () => {
			const text = await host.run('busybox', 'nc', '-w', '1', '127.0.0.1', String(port));
			if (!text.includes('served')) throw new Error('no answer');
		}, 2000);
	const server = ['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', 'echo served'];
	const one = await engine.startContainer(busybox(server, {hostConfig: {Binds: binds}}));
	await engine.call('containers.updatePublished', one, {add: {'80/tcp': [{HostIp: '', HostPort: '8080'}]}});
	await t.notThrowsAsync(served(8080));
	const other = await engine.startContainer(busybox(server, {hostConfig: {Binds: binds}}));
	const taken = await t.throwsAsync(
		engine.call('containers.updatePublished', other, {add: {'80/tcp': [{HostIp: '', HostPort: '8080'}]}}),
	);
	t.regex(taken.message, /: Bind for 0\.0\.0\.0:8080 failed: port is already allocated$/);
	// The one that was refused takes nothing away with it.
	await engine.call('containers.remove', other, {force: true});
	await t.notThrowsAsync(served(8080));

	await engine.call('containers.updatePublished', one, {
		remove: {'80/tcp': [{HostIp: '', HostPort: '8080'}]},
	});
	await t.throwsAsync(host.run('busybox', 'nc', '-w', '1', '127.0.0.1', '8080'));
	t.deepEqual((await inspect(engine, one)).NetworkSettings.Ports, {'80/tcp': null});
	const missing = await t.throwsAsync(
		engine.call('containers.updatePublished', one, {remove: {'80/tcp': [{HostIp: '', HostPort: '8080'}]}}),
	);
	t.regex(missing.message, /port 8080:80\/tcp is not published/);
	// It is free for others.
	await t.notThrowsAsync(
		engine.startContainer(
			busybox(server, {
				hostConfig: {Binds: binds, PortBindings: {'80/tcp': [{HostIp: '0.0.0.0', HostPort: '8080'}]}},
			}),
		),
	);
});

test('a change of networks or ports that broke off is ended by the next one', async (t) => {
	const {engine} = await setUp(t);
	const networks = ['front', 'back', 'side'] as const;
	for (const [index, name] of networks.entries()) {
		await engine.call('networks.create', {name, subnets: [`10.99.${index}.0/24`]});
	}
	const id = await engine.startContainer(
		busybox(sleep, {name: 'web', hostConfig: {NetworkMode: 'front', Binds: binds}}),
	);
	const file = (name: string) => join(engine.root, 'containers', id, name);
	// biome-ignore lint/suspicious/noExplicitAny: any part of a file may be changed
	const edit = (name: string, change: (content: any) => void): void => {
		const content = JSON.parse(readFileSync(file(name), 'utf8'));
		change(content);
		writeFileSync(file(name), JSON.stringify(content));
	};
	const addresses = async () =>
		[
			...(await shell(engine, id, 'ip -o -4 addr; ip route')).text.matchAll(
				/10\.99\.\d\.\d+(?=\/24 brd)|default via \S+/g,
			),
		].map(([text]) => text);
	const unfinished = (network: string) =>
		edit('network.json', (state) => {
			const {networkId} = state.endpoints.find((each: {network: string}) => each.network === network);
			state.unfinished = {network: networkId};
		});

	// As it is when the command is killed before it is done: connected anew.
	await engine.call('networks.connect', 'back', 'web');
	unfinished('back');
	await engine.call('networks.connect', 'back', 'web', {IPAMConfig: {IPv4Address: '10.99.1.9'}});
	t.deepEqual(await addresses(), ['10.99.0.2', '10.99.1.9', 'default via 10.99.1.1']);
	// Taken off by whatever comes next.
	unfinished('back');
	await engine.call('networks.connect', 'side', 'web');
	t.deepEqual(await addresses(), ['10.99.0.2', '10.99.2.2', 'default via 10.99.0.1']);
	t.deepEqual(Object.keys((await inspect(engine, id)).NetworkSettings.Networks), ['front', 'side']);
	unfinished('side');
	const add = {'80/tcp': [{HostIp: '', HostPort: '8080'}]};
	await engine.call('containers.updatePublished', id, {add});
	t.deepEqual(Object.keys((await inspect(engine, id)).NetworkSettings.Networks), ['front']);
	t.deepEqual(
		globSync('networks/*/leases/*', {cwd: engine.root}).map((path) => path.split('/').at(-1)),
		['10.99.0.2'],
	);

	// Published, and killed before the record has it: the port is taken back, and published once.
	edit('container.json', (record) => {
		record.HostConfig.PortBindings = {};
	});
	await engine.call('containers.updatePublished', id, {add});
	const published = async () =>
		(await inspect(engine, id)).NetworkSettings.Ports['80/tcp']!.map(({HostPort}) => HostPort);
	t.deepEqual([...new Set(await published())], ['8080']);
	t.true((await published()).length <= 2);
	// Only reserved by then.
	edit('container.json', (record) => {
		record.HostConfig.PortBindings = {};
	});
	edit('network.json', (state) => {
		state.unfinished = {ports: state.ports};
		state.ports = [];
	});
	await engine.call('containers.updatePublished', id, {add});
	t.deepEqual([...new Set(await published())], ['8080']);
});
