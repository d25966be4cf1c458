import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {busybox, eventually, makeNamespace, type RemoteEngine, startEngine} from '../../setup/netns.ts';

const sleep = ['sleep', '1000'];
const binds = ['/bin/busybox:/bin/busybox:ro'];

interface Line {
	Type: string;
	Action: string;
	Actor: {ID: string; Attributes: Record<string, string>};
}

const journal = (engine: RemoteEngine): Line[] =>
	['events.1', 'events']
		.map((name) => join(engine.root, name))
		.filter((path) => existsSync(path))
		.flatMap((path) => readFileSync(path, 'utf8').split('\n').filter(Boolean))
		.map((line) => JSON.parse(line) as Line);

/** What is told of a container: `start`, `connect bridge`. */
const told = (engine: RemoteEngine, id: string): string[] =>
	journal(engine).flatMap(({Type, Action, Actor}) => {
		if (Type === 'container' && Actor.ID === id) return [Action];
		if (Type !== 'network' || Actor.Attributes.container !== id) return [];
		return [`${Action} ${Actor.Attributes.name} ${Actor.Attributes.type}`];
	});

test("a container's networks are told of at every start and end of its process", async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	await engine.call('networks.create', {name: 'n'});
	const on = (mode: string, host = {}) => ({hostConfig: {NetworkMode: mode, Binds: binds, ...host}});

	const id = await engine.startContainer(busybox(sleep, on('n')));
	await engine.call('networks.connect', 'bridge', id);
	await engine.call('containers.stop', id, {timeout: 0});
	await engine.call('containers.start', id);
	await engine.call('networks.disconnect', 'n', id);
	await engine.call('containers.kill', id);
	const ending = ['kill', 'kill', 'die', 'disconnect n bridge', 'disconnect bridge bridge', 'stop'];
	t.deepEqual(told(engine, id), [
		'create',
		...['connect n bridge', 'start', 'connect bridge bridge'],
		...ending,
		...['connect n bridge', 'connect bridge bridge', 'start'],
		...['disconnect n bridge', 'kill', 'die', 'disconnect bridge bridge'],
	]);
	const event = journal(engine).find(({Type, Action}) => Type === 'network' && Action === 'connect')!;
	const {Id} = await engine.call<{Id: string}>('networks.inspect', 'n');
	t.is(event.Actor.ID, Id);
	t.deepEqual(event.Actor.Attributes, {container: id, name: 'n', type: 'bridge'});
	t.like(event, {scope: 'local', Type: 'network'});

	for (const [mode, type] of [
		['host', 'host'],
		['none', 'null'],
	] as const) {
		const {id: other} = await engine.runContainer(busybox(['true'], on(mode, {AutoRemove: true})));
		await eventually(async () => t.truthy(told(engine, other).includes('destroy')));
		t.deepEqual(told(engine, other), [
			...['create', 'attach', `connect ${mode} ${type}`, 'start', 'die', `disconnect ${mode} ${type}`],
			'destroy',
		]);
	}

	// One whose command isn't there, and one that joins another's network.
	const failing = busybox([], {config: {Cmd: ['/nothing']}, ...on('bridge', {AutoRemove: true})});
	await t.throwsAsync(engine.runContainer(failing));
	const failed = journal(engine).findLast(({Action}) => Action === 'create')!.Actor.ID;
	t.deepEqual(told(engine, failed), [
		...['create', 'attach', 'connect bridge bridge', 'disconnect bridge bridge', 'destroy'],
	]);
	const donor = await engine.startContainer(busybox(sleep));
	const {id: joined} = await engine.runContainer(busybox(['true'], on(`container:${donor}`)));
	t.deepEqual(told(engine, joined), ['create', 'attach', 'start', 'die']);
});

test('networks are told of when a policy starts a container again, and when its monitor is killed', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	const id = await engine.startContainer(
		busybox(['false'], {
			hostConfig: {Binds: binds, RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 1}},
		}),
	);
	const turn = ['connect bridge bridge', 'start', 'die', 'disconnect bridge bridge'];
	await eventually(async () => {
		if (told(engine, id).length < 9) throw new Error('it has not ended');
	}, 20_000);
	t.deepEqual(told(engine, id), ['create', ...turn, ...turn]);

	const killed = await engine.startContainer(busybox(sleep));
	const {monitorPid} = JSON.parse(
		readFileSync(join(engine.root, 'containers', killed, 'state.json'), 'utf8'),
	);
	process.kill(monitorPid, 'SIGKILL');
	await engine.restart();
	await eventually(async () => {
		if (told(engine, killed).length < 5) throw new Error('nobody has told of its end');
	}, 20_000);
	t.deepEqual(told(engine, killed), ['create', ...turn]);
});
