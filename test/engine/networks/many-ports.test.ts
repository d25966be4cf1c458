import {readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {HostConfig} from '../../../src/engine/api.ts';
import {
	busybox,
	eventually,
	makeNamespace,
	type Namespace,
	type RemoteEngine,
	startEngine,
} from '../../setup/netns.ts';

const binds = ['/bin/busybox:/bin/busybox:ro'];
// One server: what is sent to any port of the container goes to it.
const served = async (host: Namespace, port: number): Promise<void> => {
	await eventually(async () => {
		if (!(await host.run('busybox', 'nc', '-w', '1', '127.0.0.1', String(port))).includes('served'))
			throw new Error(`no answer on ${port}`);
	});
};
const ports = [11, 500, 510];
const server = [
	'sh',
	'-c',
	`${ports.map((port) => `busybox nc -ll -p ${port} -e echo served &`).join(' ')} exec busybox sleep 1000`,
];

type Bindings = HostConfig['PortBindings'];

const range = (first: number, count: number): Bindings =>
	Object.fromEntries(
		Array.from({length: count}, (_, step) => [
			`${first + step}/tcp`,
			[{HostIp: '0.0.0.0', HostPort: String(10_000 + first + step)}],
		]),
	);

interface Inspected {
	Config: {ExposedPorts: object};
	HostConfig: {PortBindings: Bindings};
	NetworkSettings: {Ports: Bindings};
}

const inspect = (engine: RemoteEngine, id: string) => engine.call<Inspected>('containers.inspect', id);

async function setUp(t: ExecutionContext): Promise<{host: Namespace; engine: RemoteEngine; id: string}> {
	const host = makeNamespace(t);
	const engine = await startEngine(t, host);
	const id = await engine.startContainer(
		busybox(server, {
			config: {ExposedPorts: {...Object.fromEntries(Object.keys(range(11, 1000)).map((key) => [key, {}]))}},
			hostConfig: {Binds: binds, PortBindings: range(11, 1000)},
		}),
	);
	for (const port of ports) await served(host, 10_000 + port);
	return {host, engine, id};
}

const refused = async (t: ExecutionContext, host: Namespace, port: number): Promise<void> =>
	void (await t.throwsAsync(host.run('busybox', 'nc', '-w', '1', '127.0.0.1', String(port)), {
		message: /Connection refused/,
	}));

test('some of a thousand ports are taken back and come again, and the others stay', async (t) => {
	const {host, engine, id} = await setUp(t);
	const all = await inspect(engine, id);
	t.deepEqual(all.NetworkSettings.Ports, range(11, 1000));
	t.is(Object.keys(all.Config.ExposedPorts).length, 1000);

	await engine.call('containers.updatePublished', id, {
		remove: {'500/tcp': [{HostIp: '', HostPort: '10500'}]},
	});
	await refused(t, host, 10_500);
	await served(host, 10_011);
	await served(host, 10_510);
	const without = {...range(11, 1000)};
	delete without['500/tcp'];
	const less = await inspect(engine, id);
	t.deepEqual(less.HostConfig.PortBindings, without);
	t.deepEqual(less.NetworkSettings.Ports, {...without, '500/tcp': null} as unknown as Bindings);

	// The port is another's meanwhile, and then no longer.
	const other = busybox(['sleep', '1000'], {hostConfig: {Binds: binds, PortBindings: range(500, 1)}});
	const otherId = await engine.startContainer(other);
	await t.throwsAsync(engine.call('containers.updatePublished', id, {add: range(500, 1)}), {
		message: /port is already allocated/,
	});
	t.deepEqual((await inspect(engine, id)).HostConfig.PortBindings, without);
	await engine.call('containers.remove', otherId, {force: true});
	await t.throwsAsync(engine.call('containers.updatePublished', id, {add: range(510, 1)}), {
		message: /10510 failed: port is already allocated/,
	});
	await engine.call('containers.updatePublished', id, {add: range(500, 1)});
	for (const port of ports) await served(host, 10_000 + port);
	t.deepEqual((await inspect(engine, id)).HostConfig.PortBindings, range(11, 1000));

	// Across the pieces that there are now.
	await engine.call('containers.updatePublished', id, {remove: range(490, 30)});
	await refused(t, host, 10_500);
	await refused(t, host, 10_510);
	await served(host, 10_011);
	await engine.call('containers.restart', id, {timeout: 0});
	await served(host, 10_011);
	t.is(Object.keys((await inspect(engine, id)).HostConfig.PortBindings).length, 970);
});

test('what is on disk of ports that follow one another does not grow with them', async (t) => {
	const {engine, id} = await setUp(t);
	for (const name of ['container.json', 'network.json'])
		t.true(statSync(join(engine.root, 'containers', id, name)).size < 8192, name);
});

test('what an earlier version has written of ports is understood', async (t) => {
	const {host, engine, id} = await setUp(t);
	const path = (name: string): string => join(engine.root, 'containers', id, name);
	const edit = (name: string, change: (record: Record<string, Record<string, unknown>>) => void): void => {
		const record = JSON.parse(readFileSync(path(name), 'utf8'));
		change(record);
		writeFileSync(path(name), JSON.stringify(record));
	};
	edit('container.json', (record) => {
		record.HostConfig!.PortBindings = {...range(11, 1), '500': [{HostIp: '0.0.0.0', HostPort: '10500'}]};
		record.Config!.ExposedPorts = {'11/tcp': {}, '500/tcp': {}};
	});
	edit('network.json', (state) => {
		for (const ports of Object.values(state.ports!) as {count?: number}[]) delete ports.count;
	});
	t.deepEqual((await inspect(engine, id)).HostConfig.PortBindings, {...range(11, 1), ...range(500, 1)});
	t.deepEqual((await inspect(engine, id)).NetworkSettings.Ports['11/tcp'], range(11, 1)['11/tcp']);
	await engine.call('containers.updatePublished', id, {remove: range(11, 1)});
	await refused(t, host, 10_011);
	await engine.call('containers.restart', id, {timeout: 0});
	await served(host, 10_500);
	await refused(t, host, 10_011);
});
