import {mkdirSync, readdirSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import type {Filters} from '../../../src/engine/api.ts';
import {findContainer} from '../../../src/engine/containers/record.ts';
import {joinRows, loadRows, readAhead, readRows} from '../../../src/engine/containers/rows.ts';
import {baseImage, runDetached, runToEnd, type TestEngine, testEngine} from '../../setup/engine.ts';

let instance: TestEngine;

/** One of each kind, oldest first. */
test.before(async () => {
	instance = await testEngine();
	const {engine} = instance;
	await engine.containers.create({
		name: 'oldest',
		image: baseImage,
		config: {Cmd: ['true'], Labels: {kind: 'a', n: '1'}, ExposedPorts: {'53/udp': {}}},
		hostConfig: {NetworkMode: 'none', PortBindings: {'80/tcp': [{HostIp: '', HostPort: '8080'}]}},
	});
	await runToEnd(engine, ['sh', '-c', 'exit 3'], {name: 'ended', config: {Labels: {kind: 'b'}}});
	await engine.volumes.create({name: 'data'});
	await runDetached(engine, ['sleep', '1000'], {
		name: 'runs',
		config: {Labels: {kind: 'a'}},
		hostConfig: {Binds: ['data:/data', '/usr:/host:ro'], NetworkMode: 'none', Tmpfs: {'/t': ''}},
	});
	const paused = await runDetached(engine, ['sleep', '1000'], {name: 'paused'});
	await engine.containers.pause(paused);
});

test.after.always(() => instance.close());

const names = async (filters: Filters, options: {all?: boolean; limit?: number} = {all: true}) =>
	(await instance.engine.containers.list({...options, filters})).map(({Names}) => Names[0]!.slice(1));

const chosen: [Filters, string[]][] = [
	[{}, ['paused', 'runs', 'ended', 'oldest']],
	[{status: ['running']}, ['runs']],
	[{status: ['exited', 'created']}, ['ended', 'oldest']],
	[{status: ['removing', 'dead', 'restarting']}, []],
	[{exited: ['3']}, ['ended']],
	[{exited: ['0']}, []],
	[{label: ['kind=a']}, ['runs', 'oldest']],
	[{label: ['kind', 'n=1']}, ['oldest']],
	[{label: ['kind=zzz']}, []],
	[{name: ['^/?(runs|ended)$']}, ['runs', 'ended']],
	[{name: ['e']}, ['paused', 'ended', 'oldest']],
	[{name: ['[']}, []],
	[{ancestor: [baseImage]}, ['paused', 'runs', 'ended', 'oldest']],
	[{ancestor: ['nothing']}, []],
	[{before: ['runs']}, ['ended', 'oldest']],
	[{since: ['ended']}, ['paused', 'runs']],
	[{volume: ['data']}, ['runs']],
	[{volume: ['/data']}, ['runs']],
	[{volume: ['/usr']}, ['runs']],
	[{network: ['none']}, ['paused', 'runs', 'ended', 'oldest']],
	[{network: ['nowhere']}, []],
	// Only what runs has ports.
	[{publish: ['8080']}, []],
	[{publish: ['8000-9000/tcp']}, []],
	[{publish: ['8080/udp']}, []],
	[{expose: ['80']}, []],
	[{expose: ['1-100/udp']}, []],
	[{health: ['none']}, ['paused', 'runs', 'ended', 'oldest']],
	[{health: ['healthy', 'unhealthy']}, []],
	[{'is-task': ['false']}, ['paused', 'runs', 'ended', 'oldest']],
	[{'is-task': ['1']}, []],
	[{isolation: ['anything']}, ['paused', 'runs', 'ended', 'oldest']],
];

test('filters choose containers, newest first', async (t) => {
	for (const [filters, expected] of chosen)
		t.deepEqual(await names(filters), expected, JSON.stringify(filters));
	const [, runs] = await instance.engine.containers.list({all: true});
	t.deepEqual(await names({id: [runs!.Id.slice(0, 12)]}), ['runs']);
});

test('without --all what is up is shown, unless a status or a number is asked for', async (t) => {
	t.deepEqual(await names({}, {}), ['paused', 'runs']);
	t.deepEqual(await names({status: ['created']}, {}), ['oldest']);
	t.deepEqual(await names({exited: ['3']}, {}), []);
	t.deepEqual(await names({}, {limit: 3}), ['paused', 'runs', 'ended']);
	t.deepEqual(await names({label: ['kind']}, {limit: 1}), ['runs']);
});

const refused: [Filters, string][] = [
	[{nonsense: ['1']}, "invalid filter 'nonsense'"],
	[{status: ['running', 'nonsense']}, "invalid filter 'status=nonsense'"],
	[{health: ['nonsense']}, 'Unrecognised filter value for health: nonsense'],
	[{exited: ['x']}, 'strconv.Atoi: parsing "x": invalid syntax'],
	[{'is-task': ['maybe']}, "invalid filter 'is-task=[maybe]'"],
	[{'is-task': ['true', '0']}, "invalid filter 'is-task=[true 0]'"],
	[{publish: ['x']}, 'error while looking up for publish x: strconv.ParseUint: parsing "x": invalid syntax'],
	[
		{expose: ['99999']},
		'error while looking up for expose 99999: strconv.ParseUint: parsing "99999": value out of range',
	],
	[{publish: ['90-80']}, 'error while looking up for publish 90-80: invalid range specified for port: 90-80'],
	[{expose: ['80:80']}, "filter for 'expose' should not contain ':': 80:80"],
	[{before: ['nowhere']}, 'no such container nowhere'],
	[{since: ['nowhere']}, 'no such container nowhere'],
];

test('filters that make no sense are refused in docker’s words', async (t) => {
	for (const [filters, message] of refused)
		await t.throwsAsync(names(filters), {message}, JSON.stringify(filters));
});

test('a row has docker’s parts', async (t) => {
	const [row] = await instance.engine.containers.list({filters: {name: ['^/runs$']}, size: true});
	t.like(row, {
		Names: ['/runs'],
		Image: baseImage,
		Command: 'sleep 1000',
		State: 'running',
		Labels: {kind: 'a'},
		Ports: [],
		SizeRw: 0,
		HostConfig: {NetworkMode: 'none'},
	});
	t.regex(row!.Status, /^Up /);
	t.deepEqual(Object.keys(row!.NetworkSettings.Networks), ['none']);
	// A tmpfs of --tmpfs is no mount point.
	t.deepEqual(row!.Mounts.map(({Destination}) => Destination).sort(), ['/data', '/host']);
	t.true(Object.keys(row!).includes('NetworkSettings'));
});

test('an image whose name another one has by now is shown by its id', async (t) => {
	const store = await testEngine();
	t.teardown(() => store.close());
	const {engine, root} = store;
	await engine.images.tag(baseImage, 'moving:1');
	const {id} = await engine.containers.create({
		name: 'before',
		image: 'moving:1',
		config: {Cmd: ['true']},
		hostConfig: {NetworkMode: 'none'},
	});
	const imageOf = async () => (await engine.containers.list({all: true}))[0]!.Image;
	t.is(await imageOf(), 'moving:1');
	await engine.images.remove('moving:1', {force: true});
	// The clock may be too coarse for a change right after the container.
	const index = join(root, 'images/index.json');
	utimesSync(index, new Date(), new Date(Date.now() + 10_000));
	t.is(await imageOf(), (await engine.containers.inspect(id)).Image);
	await engine.images.tag(baseImage, 'moving:1');
	t.is(await imageOf(), 'moving:1');
});

test('hundreds of containers are read in one go, damaged ones are left out', async (t) => {
	const paths = instance.engine.paths;
	const [sample] = readRows(paths);
	const ids = Array.from({length: 20}, (_, at) => at.toString(16).padStart(2, '0').padEnd(64, 'e'));
	const root = join(instance.root, 'many');
	const {Paths} = await import('../../../src/engine/paths.ts');
	const many = new Paths(`${root}/`, join(root, 'run'));
	t.is(many.container('x'), join(root, 'containers/x'));
	for (const [at, id] of ids.entries()) {
		mkdirSync(many.container(id), {recursive: true});
		const Labels = {text: `ä${at}`};
		const record = {
			...sample!.record,
			Id: id,
			Created: `2024-01-02T03:04:05.0000000${String(at).padStart(2, '0')}Z`,
			Config: {...sample!.record.Config, Labels},
		};
		writeFileSync(join(many.container(id), 'container.json'), at === 7 ? '{"Id":' : JSON.stringify(record));
	}
	writeFileSync(join(many.container(ids[3]!), 'state.json'), '{"status":"exited","exitCode":4}');
	mkdirSync(join(many.containers, `.new-${ids[0]}-1-1`));
	t.is(readdirSync(many.containers).length, 21);
	const rows = await loadRows(many);
	t.is(rows.length, 19);
	t.deepEqual(
		rows.map(({record}) => record.Config.Labels.text),
		ids.flatMap((_, at) => (at === 7 ? [] : [`ä${at}`])).reverse(),
	);
	t.is(rows.find(({record}) => record.Id === ids[3])!.state.exitCode, 4);
	t.deepEqual(readRows(many), rows);

	// What is read ahead is for the next list of the same root, once.
	const state = join(many.container(ids[3]!), 'state.json');
	readAhead(many);
	t.is((await loadRows(paths)).length, readRows(paths).length);
	const [reading, joined] = [loadRows(many), joinRows(many)];
	t.is(joined, reading);
	t.deepEqual(await reading, rows);
	// In the same turn of the event loop it still is the newest that could be had; later it is not.
	t.is(joinRows(many), reading);
	writeFileSync(state, '{"status":"exited","exitCode":5}');
	await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
	const later = await joinRows(many);
	t.is(later.find(({record}) => record.Id === ids[3])!.state.exitCode, 5);
	t.is(findContainer(many, '10').Id, ids[16]!);
	t.throws(() => findContainer(many, '1'), {message: 'Multiple IDs found with provided prefix: 1'});
	t.throws(() => findContainer(many, 'f'), {message: 'No such container: f'});
	t.true(statSync(many.containers).isDirectory());
});
