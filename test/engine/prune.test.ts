import test from 'ava';
import {openEngine} from '../../src/engine/engine.ts';
import {untilTime} from '../../src/engine/prune-filter.ts';
import {
	baseImage,
	pastEvents,
	runDetached,
	runToEnd,
	type TestEngine,
	testEngine,
	until,
} from '../setup/engine.ts';

async function started(t: {teardown(action: () => Promise<void>): void}): Promise<TestEngine> {
	const instance = await testEngine();
	t.teardown(() => instance.close());
	return instance;
}

const none = {NetworkMode: 'none'};

test('container prune takes what does not run, by label and age, and tells how much there was', async (t) => {
	const {engine} = await started(t);
	const create = (name: string, Labels: Record<string, string>) =>
		engine.containers.create({name, image: baseImage, config: {Cmd: ['true'], Labels}, hostConfig: none});
	const kept = await create('kept', {keep: '1', stage: 'x'});
	const other = await create('other', {stage: 'x'});
	const written = await runToEnd(engine, ['sh', '-c', 'echo 12345 > /file'], {name: 'written'});
	const up = await runDetached(engine, ['sleep', '1000'], {name: 'up'});
	const prune = (filters: Record<string, string[]>) => engine.containers.prune({filters});
	t.deepEqual(await prune({until: ['1h']}), {ContainersDeleted: [], SpaceReclaimed: 0});
	t.deepEqual(await prune({label: ['stage=y']}), {ContainersDeleted: [], SpaceReclaimed: 0});
	t.deepEqual((await prune({label: ['stage'], 'label!': ['keep']})).ContainersDeleted, [other.id]);
	await t.throwsAsync(prune({nonsense: ['1']}), {message: "invalid filter 'nonsense'"});
	await t.throwsAsync(prune({until: ['x']}), {message: 'failed to parse value as time or duration: "x"'});
	await t.throwsAsync(prune({until: ['1h', '2h']}), {message: 'more than one until filter specified'});
	t.deepEqual(await prune({}), {ContainersDeleted: [written.id, kept.id], SpaceReclaimed: 6});
	t.deepEqual(
		(await engine.containers.list({all: true})).map(({Id}) => Id),
		[up],
	);
	const told = (await pastEvents(engine)).filter(({Action}) => Action === 'prune');
	t.deepEqual(
		told.map(({Type, Actor}) => [Type, Actor.ID, Actor.Attributes.reclaimed]),
		[
			['container', '', '0'],
			['container', '', '0'],
			['container', '', '0'],
			['container', '', '6'],
		],
	);
});

test('image prune takes what has no tag, with dangling=false what no container uses', async (t) => {
	const {engine} = await started(t);
	const images = async () => (await engine.images.list()).flatMap(({RepoTags}) => RepoTags);
	t.deepEqual((await engine.images.prune()).ImagesDeleted, []);
	await engine.images.tag(baseImage, 'second:1');
	const {id} = await engine.containers.create({image: baseImage, config: {Cmd: ['true']}, hostConfig: none});
	// It is used, and keeps all of its names.
	t.deepEqual((await engine.images.prune({filters: {dangling: ['false']}})).ImagesDeleted, []);
	t.deepEqual(await images(), ['second:1', 'wherry/base:latest']);
	await engine.containers.remove(id);
	const labelled = {dangling: ['false'], label: ['a=b']};
	t.deepEqual((await engine.images.prune({filters: labelled})).ImagesDeleted, []);
	await t.throwsAsync(engine.images.prune({filters: {dangling: ['maybe']}}), {
		message: "invalid filter 'dangling=[maybe]'",
	});
	const {ImagesDeleted, SpaceReclaimed} = await engine.images.prune({filters: {dangling: ['false']}});
	t.deepEqual(ImagesDeleted.slice(0, 2), [{Untagged: 'second:1'}, {Untagged: 'wherry/base:latest'}]);
	t.true(ImagesDeleted.slice(2).every((item) => 'Deleted' in item && item.Deleted.startsWith('sha256:')));
	t.true(SpaceReclaimed > 1_000_000);
	t.deepEqual(await images(), []);
});

test('volume prune takes anonymous ones that nobody uses, with all named ones too', async (t) => {
	const {engine} = await started(t);
	await engine.volumes.create({name: 'named', labels: {a: 'b'}});
	const anonymous = await engine.volumes.create();
	const {id} = await engine.containers.create({
		image: baseImage,
		config: {Cmd: ['true'], Volumes: {'/used': {}}},
		hostConfig: {...none, Binds: ['mine:/mine']},
	});
	const prune = async (filters: Record<string, string[]>) =>
		(await engine.volumes.prune({filters})).VolumesDeleted;
	t.deepEqual(await prune({}), [anonymous.Name]);
	t.deepEqual(await prune({all: ['true'], label: ['a=c']}), []);
	t.deepEqual(await prune({all: ['1']}), ['named']);
	await t.throwsAsync(prune({until: ['1h']}), {message: "invalid filter 'until'"});
	await engine.containers.remove(id);
	t.is((await prune({})).length, 1);
	t.deepEqual(await prune({all: ['true']}), ['mine']);
});

test('what is used of the disk is told of each thing', async (t) => {
	const {engine} = await started(t);
	await engine.volumes.create({name: 'unused'});
	const {id} = await runToEnd(engine, ['sh', '-c', 'echo 12345 > /file; echo 123 > /data/file'], {
		hostConfig: {...none, Binds: ['data:/data']},
	});
	const usage = await engine.diskUsage();
	t.is(usage.Images.length, 1);
	t.is(usage.Images[0]!.SharedSize, 0);
	t.is(usage.Images[0]!.Containers, 1);
	t.is(usage.LayersSize, usage.Images[0]!.Size);
	t.like(usage.Containers, [{Id: id, SizeRw: 6}]);
	t.deepEqual(Object.keys(usage.ContainerLogs), [id]);
	t.true(usage.ContainerLogs[id]! % 512 === 0);
	t.deepEqual(
		usage.Volumes.map(({Name, UsageData}) => [Name, UsageData]),
		[
			['data', {Size: 4, RefCount: 1}],
			['unused', {Size: 0, RefCount: 0}],
		],
	);
});

test('no prune takes a container that a run has made and is about to start', async (t) => {
	const instance = await started(t);
	const {engine} = instance;
	const other = openEngine({root: instance.root, run: instance.run});
	t.teardown(() => other.close());
	for (const AutoRemove of [true, false]) {
		const {id} = await engine.containers.create({
			image: baseImage,
			config: {Cmd: ['true']},
			hostConfig: {...none, AutoRemove},
			transient: true,
		});
		await other.repair();
		t.deepEqual((await other.containers.prune()).ContainersDeleted, []);
		await engine.containers.start(id);
		if (AutoRemove)
			await until('it is gone', async () => (await engine.containers.list({all: true})).length === 0);
		else {
			await engine.containers.wait(id);
			t.deepEqual((await other.containers.prune()).ContainersDeleted, [id]);
		}
	}
});

test('prunes beside runs break none of them', async (t) => {
	const instance = await started(t);
	const {engine} = instance;
	const other = openEngine({root: instance.root, run: instance.run});
	t.teardown(() => other.close());
	let done = false;
	t.teardown(() => {
		done = true;
	});
	const pruning = (async () => {
		while (!done) {
			await other.containers.prune();
			await other.images.prune();
			await other.volumes.prune();
			await other.networks.prune();
			// Both are in one process, and small files are read at once.
			await new Promise((resolve) => setImmediate(resolve));
		}
	})();
	for (let round = 0; round < 6; round++) {
		const {stdout, code} = await runToEnd(engine, ['sh', '-c', `echo ${round} > /data/x; cat /data/x`], {
			config: {Volumes: {'/data': {}}},
			transient: true,
		});
		t.is(code, 0);
		t.is(stdout, `${round}\n`);
	}
	done = true;
	await pruning;
});

test('a time of a filter is an age, seconds since the epoch, or a date that may end early', (t) => {
	const now = Date.UTC(2024, 0, 2);
	t.is(untilTime('1h30m', now), now - 5_400_000);
	t.is(untilTime('0.5s', now), now - 500);
	t.is(untilTime('1700000000.5', now), 1_700_000_000_500);
	t.is(untilTime('2024-01-01T00:00:00Z', now), now - 86_400_000);
	t.is(untilTime('2024-01-01T01:00:00+01:00', now), now - 86_400_000);
	t.is(untilTime('2024-01-01T12Z', now), now - 43_200_000);
	t.is(untilTime('2024-01-01T12:30Z', now), now - 41_400_000);
	t.is(untilTime('2024-01-01Z', now), now - 86_400_000);
	for (const text of ['', 'x', '1', '1x', '2024', '2024-13-01', '-1h'])
		if (text !== '1' && text !== '2024') t.throws(() => untilTime(text, now), {code: 'invalid'}, text);
});
