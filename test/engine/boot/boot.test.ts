import {mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import type {HostConfig} from '../../../src/engine/api.ts';
import {startsAtBoot} from '../../../src/engine/boot.ts';
import {bootUnit, installBootUnit, removeBootUnit} from '../../../src/engine/boot-unit.ts';
import {type ContainerRecord, initialState} from '../../../src/engine/containers/record.ts';
import type {MonitorState} from '../../../src/runtime/monitor-protocol.ts';
import {pastEvents, runDetached, testEngine, until} from '../../setup/engine.ts';

const fixture = await testEngine();
const {engine, root, run} = fixture;
const {containers} = engine;
test.after.always('nothing is left', () => fixture.close());

const stateFile = (id: string) => join(root, 'containers', id, 'state.json');
const readState = (id: string) => JSON.parse(readFileSync(stateFile(id), 'utf8')) as MonitorState;
const policy = (Name: HostConfig['RestartPolicy']['Name'], MaximumRetryCount = 0): Partial<HostConfig> => ({
	RestartPolicy: {Name, MaximumRetryCount},
});
const statusOf = async (id: string) => (await containers.inspect(id)).State.Status;

/** What a power cut leaves of containers that run: states of another boot, and an empty WHERRY_RUN. */
async function cutPower(): Promise<void> {
	const running = (await containers.list()).map(({Id}) => [Id, readState(Id)] as const);
	for (const [id] of running) await containers.stop(id, {timeout: 0});
	for (const [id, state] of running)
		writeFileSync(stateFile(id), JSON.stringify({...state, bootId: 'another-boot'}));
	for (const name of ['boot', 'containers', 'locks']) rmSync(join(run, name), {recursive: true, force: true});
}

async function removeAll(): Promise<void> {
	for (const {Id} of await containers.list({all: true})) await containers.remove(Id, {force: true});
}

test('what runs again after a boot is what docker starts', (t) => {
	const ended = {...initialState, status: 'exited', startedAt: '2026-01-01T00:00:00.000000000Z'} as const;
	const starts = (host: Partial<HostConfig>, state: Partial<MonitorState> = {}, byItself = false) =>
		startsAtBoot({HostConfig: host} as unknown as ContainerRecord, {...ended, ...state}, {byItself});
	t.true(starts(policy('always')));
	t.true(starts(policy('always'), {manuallyStopped: true}));
	t.false(starts(policy('always'), {manuallyStopped: true}, true));
	t.false(starts(policy('always'), {startedAt: initialState.startedAt}));
	t.true(starts(policy('unless-stopped')));
	t.false(starts(policy('unless-stopped'), {manuallyStopped: true}));
	t.true(starts(policy('on-failure'), {exitCode: 3}));
	t.false(starts(policy('on-failure'), {exitCode: 0}));
	t.true(starts(policy('on-failure', 2), {exitCode: 3, restartCount: 1}));
	t.false(starts(policy('on-failure', 2), {exitCode: 3, restartCount: 2}));
	t.false(starts(policy('no'), {exitCode: 3}));
});

test.serial('after a power cut a boot starts what is to run, what others need first', async (t) => {
	const [once, joined, always, unless, stopped, failed] = await Promise.all([
		runDetached(engine, undefined, {name: 'once'}),
		runDetached(engine, undefined, {name: 'needed', hostConfig: policy('always')}).then((needed) =>
			runDetached(engine, undefined, {
				name: 'a-joined',
				hostConfig: {...policy('always'), PidMode: `container:${needed}`, NetworkMode: `container:${needed}`},
			}),
		),
		runDetached(engine, undefined, {hostConfig: policy('always')}),
		runDetached(engine, undefined, {hostConfig: policy('unless-stopped')}),
		runDetached(engine, undefined, {hostConfig: policy('unless-stopped')}),
		runDetached(engine, undefined, {hostConfig: policy('on-failure', 5)}),
	]);
	const source = join(root, 'source');
	mkdirSync(source);
	const broken = await runDetached(engine, undefined, {
		name: 'broken',
		hostConfig: {...policy('always'), Mounts: [{Type: 'bind', Source: source, Target: '/mnt'}]},
	});
	await containers.stop(stopped, {timeout: 0});
	await containers.stop(always, {timeout: 0});
	await cutPower();
	rmSync(source, {recursive: true});

	await engine.repair({boots: true});
	t.is((await containers.list()).length, 0, 'nothing is started before the boot');
	const outcomes = await engine.boot();
	t.deepEqual(
		outcomes.filter(({error}) => error).map(({id}) => id),
		[broken],
	);
	t.regex(String(outcomes.find(({id}) => id === broken)!.error), /bind source path does not exist/);
	for (const id of [joined, always, unless, failed]) t.is(await statusOf(id), 'running', id);
	for (const id of [once, stopped, broken]) t.is(await statusOf(id), 'exited', id);
	t.is((await containers.inspect(failed)).RestartCount, 0);
	const started = (await pastEvents(engine))
		.filter(({Action}) => Action === 'start')
		.map(({Actor}) => Actor.Attributes.name);
	t.true(started.lastIndexOf('needed') < started.lastIndexOf('a-joined'));
	t.deepEqual(
		(await engine.boot()).map(({id}) => id),
		[broken],
		'a second boot starts what is still down',
	);
	await removeAll();
});

test.serial('what is stopped because the host goes down comes back with it', async (t) => {
	const unless = await runDetached(engine, undefined, {hostConfig: policy('unless-stopped')});
	const once = await runDetached(engine);
	const restarting = await runDetached(engine, ['false'], {hostConfig: policy('always')});
	await until('it waits for a restart', async () => (await statusOf(restarting)) === 'restarting');
	t.deepEqual(
		(await engine.shutdown()).map(({id, error}) => [id, error]).sort(),
		[unless, once, restarting].map((id) => [id, undefined]).sort(),
	);
	for (const id of [unless, once, restarting]) {
		t.is(await statusOf(id), 'exited');
		t.false(readState(id).manuallyStopped);
	}
	rmSync(join(run, 'boot'), {force: true});
	// Without a unit the first command brings it back.
	await engine.repair();
	t.is(await statusOf(unless), 'running');
	t.is(await statusOf(once), 'exited');
	await removeAll();
});

test.serial('the first command after a boot leaves alone what was stopped by hand', async (t) => {
	const always = await runDetached(engine, undefined, {hostConfig: policy('always')});
	const up = await runDetached(engine, undefined, {hostConfig: policy('always')});
	await containers.stop(always, {timeout: 0});
	await cutPower();
	await engine.repair();
	t.is(await statusOf(always), 'exited');
	t.is(await statusOf(up), 'running');
	await removeAll();
});

test('the unit names what it runs, wherever that is', (t) => {
	const usual = bootUnit('/usr/bin/wherry', {root: '/var/lib/wherry', run: '/run/wherry'});
	t.false(usual.includes('Environment='));
	t.snapshot(usual);
	const odd = bootUnit('/opt/a "b" 50%$x/wherry', {root: '/srv/my root', run: '/run/w%'});
	t.regex(odd, /^ExecStart="\/opt\/a \\"b\\" 50%%\$\$x\/wherry" system boot$/m);
	t.regex(odd, /^Environment="WHERRY_ROOT=\/srv\/my root"$/m);
	t.regex(odd, /^Environment="WHERRY_RUN=\/run\/w%%"$/m);
});

test('the unit is written once, enabled, and taken away again', (t) => {
	const folder = join(root, 'units');
	const install = (launcher: string) => installBootUnit(engine.paths, {launcher, folder}).change;
	const link = join(folder, 'multi-user.target.wants/wherry-boot.service');
	t.is(removeBootUnit({folder}).change, 'absent');
	t.is(install('/usr/bin/wherry'), 'installed');
	t.is(readlinkSync(link), '../wherry-boot.service');
	t.is(install('/usr/bin/wherry'), 'unchanged');
	t.is(install('/usr/local/bin/wherry'), 'updated');
	rmSync(link);
	t.is(install('/usr/local/bin/wherry'), 'updated', 'a link that was lost is made again');
	t.is(removeBootUnit({folder}).change, 'removed');
	t.throws(() => readlinkSync(link));
	t.is(removeBootUnit({folder}).change, 'absent');
	rmSync(folder, {recursive: true});
});
