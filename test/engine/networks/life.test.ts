import {existsSync, globSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {
	busybox,
	eventually,
	makeNamespace,
	type Namespace,
	nft,
	type RemoteEngine,
	startEngine,
} from '../../setup/netns.ts';

const binds = ['/bin/busybox:/bin/busybox:ro'];
const server = ['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', 'echo served'];
const binding = {'80/tcp': [{HostIp: '0.0.0.0', HostPort: '8080'}]};

async function setUp(t: ExecutionContext): Promise<{host: Namespace; engine: RemoteEngine}> {
	const host = makeNamespace(t);
	return {host, engine: await startEngine(t, host)};
}

const served = (host: Namespace, port = 8080) =>
	eventually(async () => {
		if (!(await host.run('busybox', 'nc', '-w', '1', '127.0.0.1', String(port))).includes('served')) {
			throw new Error('no answer');
		}
	});
const leases = (engine: RemoteEngine) => globSync('networks/*/leases/*', {cwd: engine.root});
const elements = (host: Namespace) =>
	host
		.ruleset()
		.nftables.flatMap(({map}) => (map && map.family === 'ip' ? ((map.elem as unknown[]) ?? []) : []));
const interfaces = (host: Namespace) => host.ipJson('link').map(({ifname}) => String(ifname));
/** What there is, once it is as expected, or after a while. */
async function settled<T>(look: () => T, expected: T): Promise<T> {
	for (let round = 0; ; round++) {
		const found = look();
		if (round === 100 || JSON.stringify(found) === JSON.stringify(expected)) return found;
		await new Promise((resolve) => setTimeout(resolve, 30));
	}
}
const monitorOf = (engine: RemoteEngine, id: string) =>
	JSON.parse(readFileSync(join(engine.root, 'containers', id, 'state.json'), 'utf8')) as {
		monitorPid: number;
		pid: number;
	};
const addressOf = async (engine: RemoteEngine, id: string) =>
	(await engine.call<{NetworkSettings: {IPAddress: string}}>('containers.inspect', id)).NetworkSettings
		.IPAddress;

test('a flushed ruleset comes back with its ports by itself', async (t) => {
	const {host, engine} = await setUp(t);
	await engine.startContainer(busybox(server, {hostConfig: {Binds: binds, PortBindings: binding}}));
	await served(host);
	await host.run(nft, 'flush', 'ruleset');
	// An assertion that fails counts, although it is tried again.
	const back = async () => {
		if (elements(host).length !== 1) throw new Error('the port is not back');
	};
	await t.notThrowsAsync(eventually(back, 3000));
	await t.notThrowsAsync(served(host));
});

test('after a container nothing is left but the bridge and its table', async (t) => {
	const {host, engine} = await setUp(t);
	await engine.runContainer(busybox(['true'], {hostConfig: {Binds: binds}}));
	const before = JSON.stringify(host.ruleset()).replaceAll(/"handle":\d+/g, '');
	await Promise.all(
		Array.from({length: 10}, (_, index) =>
			engine.runContainer(
				busybox(['true'], {
					hostConfig: {
						Binds: binds,
						AutoRemove: true,
						PortBindings: {'80/tcp': [{HostIp: '0.0.0.0', HostPort: String(9000 + index)}]},
					},
				}),
			),
		),
	);
	t.is(JSON.stringify(host.ruleset()).replaceAll(/"handle":\d+/g, ''), before);
	t.deepEqual(leases(engine), []);
	// The kernel takes a namespace down, and its interfaces with it, when it has time.
	const gone = async () => {
		if (host.ipJson('link').length > 2) throw new Error('interfaces are left');
	};
	await t.notThrowsAsync(eventually(gone));
	// The kernel takes a namespace apart a moment after its last process.
	t.deepEqual(await settled(() => interfaces(host), ['lo', 'wherry0']), ['lo', 'wherry0']);
});

test('when the monitor is killed, the next command gives back what the container had', async (t) => {
	const {host, engine} = await setUp(t);
	await engine.call('networks.create', {name: 'a'});
	const id = await engine.startContainer(
		busybox(server, {hostConfig: {NetworkMode: 'a', Binds: binds, PortBindings: binding}}),
	);
	await served(host);
	process.kill(monitorOf(engine, id).monitorPid, 'SIGKILL');
	await engine.restart();
	const givenBack = async () => {
		if (elements(host).length > 0) throw new Error('the port is still published');
	};
	await t.notThrowsAsync(eventually(givenBack));
	t.deepEqual(leases(engine), []);
	t.deepEqual(globSync('zones/*/*', {cwd: engine.run}), []);
	await engine.call('containers.start', id);
	await t.notThrowsAsync(served(host));
});

test('a policy brings a container back with its address and its port', async (t) => {
	const {host, engine} = await setUp(t);
	const id = await engine.startContainer(
		busybox(server, {
			hostConfig: {
				Binds: binds,
				PortBindings: binding,
				RestartPolicy: {Name: 'always', MaximumRetryCount: 0},
			},
		}),
	);
	await served(host);
	const before = await addressOf(engine, id);
	// Its process ends: the monitor starts it again in the same network.
	process.kill(monitorOf(engine, id).pid, 'SIGKILL');
	await t.notThrowsAsync(served(host));
	t.is(await addressOf(engine, id), before);
	// The host boots: nothing of the kernel and of WHERRY_RUN is left.
	// It serves a moment before its monitor has written its pid.
	const running = () => {
		const state = monitorOf(engine, id);
		if (!(state.pid > 0)) throw new Error('it is not running yet');
		return state;
	};
	const {monitorPid, pid} = await eventually(async () => running());
	process.kill(monitorPid, 'SIGKILL');
	process.kill(pid, 'SIGKILL');
	await host.run(nft, 'flush', 'ruleset');
	host.ip('link', 'del', 'wherry0');
	rmSync(engine.run, {recursive: true});
	await engine.restart();
	await t.notThrowsAsync(served(host));
	t.is(await addressOf(engine, id), before);
	t.deepEqual(
		leases(engine).map((path) => path.split('/').at(-1)),
		[before],
	);
});

test('an engine that is killed while it starts containers leaves nothing that stays', async (t) => {
	const {host, engine} = await setUp(t);
	await engine.runContainer(busybox(['true'], {hostConfig: {Binds: binds}}));
	for (const delay of [0, 5, 10, 20, 30, 45, 60, 80]) {
		const starts = Array.from({length: 2}, () =>
			engine
				.startContainer(
					busybox(['sleep', '1000'], {
						hostConfig: {Binds: binds, PortBindings: {'80/udp': [{HostIp: '', HostPort: ''}]}},
					}),
				)
				.catch(() => undefined),
		);
		await new Promise((resolve) => setTimeout(resolve, delay));
		await engine.restart();
		await Promise.all(starts);
		const all = await engine.call<{Id: string}[]>('containers.list', {all: true});
		for (const {Id} of all) await engine.call('containers.remove', Id, {force: true});
		await engine.call('repair');
		t.deepEqual(elements(host), [], `after ${delay} ms`);
		t.deepEqual(leases(engine), [], `after ${delay} ms`);
		t.deepEqual(globSync('containers/*', {cwd: engine.run}), [], `after ${delay} ms`);
	}
	// The kernel takes a namespace apart a moment after its last process.
	t.deepEqual(await settled(() => interfaces(host), ['lo', 'wherry0']), ['lo', 'wherry0']);
});

test('an engine that is killed while it changes a running container leaves nothing after the container', async (t) => {
	const {host, engine} = await setUp(t);
	await engine.call('networks.create', {name: 'other'});
	for (const delay of [1, 4, 8, 12, 18, 25, 35, 50]) {
		const id = await engine.startContainer(busybox(['sleep', '1000'], {hostConfig: {Binds: binds}}));
		const changes = [
			engine.call('networks.connect', 'other', id),
			engine.call('containers.updatePublished', id, {add: {'80/tcp': [{HostIp: '', HostPort: '8080'}]}}),
			engine.call('networks.disconnect', 'bridge', id),
		].map((change) => change.catch(() => undefined));
		await new Promise((resolve) => setTimeout(resolve, delay));
		await engine.restart();
		await Promise.all(changes);
		// What was half done doesn't keep the container from being changed on, or from its next start.
		await engine.call('containers.restart', id, {timeout: 0});
		await engine.call('containers.remove', id, {force: true});
		t.deepEqual(elements(host), [], `after ${delay} ms`);
		t.deepEqual(leases(engine), [], `after ${delay} ms`);
		t.deepEqual(globSync('zones/*/*', {cwd: engine.run}), [], `after ${delay} ms`);
	}
	await t.notThrowsAsync(engine.call('networks.remove', 'other'));
});

test('addresses are given once, also to many at the same time, and wanted ones are kept', async (t) => {
	const {engine} = await setUp(t);
	await engine.call('networks.create', {
		name: 'small',
		subnets: ['10.99.0.0/28'],
		auxAddresses: {printer: '10.99.0.5'},
	});
	const sleeper = (options = {}) =>
		busybox(['sleep', '1000'], {hostConfig: {NetworkMode: 'small', Binds: binds}, ...options});
	const wanted = await engine.startContainer(
		sleeper({networks: {small: {IPAMConfig: {IPv4Address: '10.99.0.9'}}}}),
	);
	const ids = await Promise.all(Array.from({length: 6}, () => engine.startContainer(sleeper())));
	const addresses = leases(engine)
		.map((path) => path.split('/').at(-1)!)
		.sort();
	t.deepEqual(
		addresses,
		['10.99.0.2', '10.99.0.3', '10.99.0.4', '10.99.0.6', '10.99.0.7', '10.99.0.8', '10.99.0.9'].sort(),
	);
	const twice = await t.throwsAsync(
		engine.startContainer(sleeper({networks: {small: {IPAMConfig: {IPv4Address: '10.99.0.9'}}}})),
	);
	t.is(twice.message, 'Address already in use');
	const rest = await Promise.allSettled(Array.from({length: 7}, () => engine.startContainer(sleeper())));
	const refused = rest.filter(({status}) => status === 'rejected') as PromiseRejectedResult[];
	t.is(refused.length, 2);
	t.regex(String(refused[0]!.reason), /no available IPv4 addresses/);
	t.true(existsSync(join(engine.root, 'containers', wanted)));
	t.is(ids.length, 6);
});
