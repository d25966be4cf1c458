import {execFileSync, spawn} from 'node:child_process';
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {startTime} from '../../../src/engine/processes.ts';
import type {MonitorState} from '../../../src/runtime/monitor-protocol.ts';
import {baseImage, pastEvents, runDetached, testEngine, until} from '../../setup/engine.ts';

const fixture = await testEngine();
const {engine, root, run} = fixture;
const {containers} = engine;
test.after.always('nothing is left', () => fixture.close());

const stateFile = (id: string) => join(root, 'containers', id, 'state.json');
const readState = (id: string) => JSON.parse(readFileSync(stateFile(id), 'utf8')) as MonitorState;

async function killMonitor(id: string): Promise<MonitorState> {
	const state = readState(id);
	process.kill(state.monitorPid, 'SIGKILL');
	await until('the monitor is gone', () => startTime(state.monitorPid) === undefined);
	return state;
}

const source = (body: string) => `
	import {openEngine} from ${JSON.stringify(new URL('../../../src/engine/engine.ts', import.meta.url).href)};
	const engine = openEngine(${JSON.stringify({root, run})});
	${body}
`;

/** Another process that runs until it says something, and is killed then. */
async function killedProcess(body: string): Promise<string> {
	const child = spawn(process.execPath, ['--input-type=module', '--eval', source(body)], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const said = await new Promise<string>((resolve) =>
		child.stdout.once('data', (data) => resolve(String(data).trim())),
	);
	child.kill('SIGKILL');
	await new Promise((resolve) => child.once('exit', resolve));
	return said;
}

test.serial('a container whose monitor was killed has ended, and nothing of it is left', async (t) => {
	const id = await runDetached(engine);
	const {pid} = await killMonitor(id);
	t.like((await containers.inspect(id)).State, {Status: 'exited', ExitCode: 137});
	await engine.repair();
	t.is(startTime(pid), undefined, 'its command is dead');
	t.false(existsSync(join(run, 'containers', id)));
	t.like(readState(id), {status: 'exited', exitCode: 137, monitorPid: 0, pid: 0});
	t.true((await pastEvents(engine)).some((event) => event.Actor.ID === id && event.Action === 'die'));
	await containers.start(id);
	t.is((await containers.inspect(id)).State.Status, 'running');
	await containers.remove(id, {force: true});
});

test.serial('commands find out by themselves that the monitor is dead', async (t) => {
	for (const command of [
		(id: string) => containers.exec(id, {argv: ['true']}),
		(id: string) => containers.pause(id),
	]) {
		const id = await runDetached(engine);
		await killMonitor(id);
		await t.throwsAsync(command(id), {message: `container ${id} is not running`});
		await containers.remove(id);
	}
	const id = await runDetached(engine);
	await killMonitor(id);
	await containers.stop(id);
	await containers.start(id);
	await containers.remove(id, {force: true});
});

test.serial('who waits for a container hears when its monitor is killed', async (t) => {
	const id = await runDetached(engine);
	const waiting = containers.wait(id);
	await killMonitor(id);
	t.is((await waiting).code, 137);
	await containers.remove(id);
});

test.serial('a --rm container whose monitor was killed is removed', async (t) => {
	const id = await runDetached(engine, undefined, {
		config: {Volumes: {'/v': {}}},
		hostConfig: {AutoRemove: true},
	});
	await killMonitor(id);
	await engine.repair();
	await t.throwsAsync(containers.inspect(id), {code: 'not-found'});
	t.deepEqual(await engine.volumes.list(), []);
	const last = (await pastEvents(engine)).filter((event) => event.Actor.ID === id).at(-1);
	t.is(last!.Action, 'destroy');
});

test.serial('a container that always restarts comes back, one that was stopped doesn’t', async (t) => {
	const id = await runDetached(engine, undefined, {
		hostConfig: {RestartPolicy: {Name: 'always', MaximumRetryCount: 0}},
	});
	await killMonitor(id);
	await engine.repair();
	const inspect = await containers.inspect(id);
	t.is(inspect.State.Status, 'running');
	t.is(inspect.RestartCount, 1);
	await containers.stop(id, {timeout: 0});
	await engine.repair();
	t.is((await containers.inspect(id)).State.Status, 'exited');
	await containers.remove(id);
});

test.serial('after a boot what ran has ended, and what always runs is started', async (t) => {
	const once = await runDetached(engine);
	const always = await runDetached(engine, undefined, {
		hostConfig: {RestartPolicy: {Name: 'unless-stopped', MaximumRetryCount: 0}},
	});
	const states = new Map([once, always].map((id) => [id, readState(id)]));
	await containers.stop(once, {timeout: 0});
	await containers.stop(always, {timeout: 0});
	// What a power cut leaves: states of another boot, and an empty WHERRY_RUN.
	for (const [id, state] of states) {
		writeFileSync(stateFile(id), JSON.stringify({...state, bootId: 'another-boot'}));
	}
	writeFileSync(join(run, 'boot'), 'another-boot');
	t.is((await containers.inspect(once)).State.Status, 'exited');
	await engine.repair();
	t.is((await containers.inspect(once)).State.ExitCode, 137);
	t.is((await containers.inspect(always)).State.Status, 'running');
	await containers.remove(once);
	await containers.remove(always, {force: true});
});

test.serial('a process that is killed while it makes or removes a container leaves nothing', async (t) => {
	const dead = Number(execFileSync('sh', ['-c', 'echo $$']).toString());
	const id = 'ab'.repeat(32);
	mkdirSync(join(root, 'containers', `.new-${id}-${dead}-1`, 'upper'), {recursive: true});
	const volume = await engine.volumes.create({name: 'half'});
	writeFileSync(join(root, 'volumes', 'half', 'references', id), '');
	mkdirSync(join(root, 'volumes', 'half', `.data-${id}`));
	mkdirSync(join(root, 'volumes', `.new-${dead}-x`));
	symlinkSync(`../containers/${id}`, join(root, 'names', 'half-made'));
	const other = await containers.create({image: baseImage, config: {Cmd: ['true']}, name: 'half-removed'});
	renameSync(join(root, 'containers', other.id), join(root, 'containers', `.rm-${other.id}`));
	await engine.repair();
	t.deepEqual(readdirSync(join(root, 'containers')), []);
	t.deepEqual(readdirSync(join(root, 'names')), []);
	t.deepEqual(readdirSync(join(root, 'volumes')), ['half']);
	t.deepEqual(readdirSync(join(root, 'volumes', 'half')).sort(), [
		'_data',
		'lock',
		'references',
		'volume.json',
	]);
	await engine.volumes.remove(volume.Name);
});

test.serial('anonymous volumes go with a container that broke off, where they would have gone', async (t) => {
	const dead = Number(execFileSync('sh', ['-c', 'echo $$']).toString());
	const folder = join(root, 'containers');
	const make = async (AutoRemove: boolean) => {
		const config = {Cmd: ['true'], Volumes: {'/data': {}}};
		const {id} = await containers.create({image: baseImage, config, hostConfig: {AutoRemove}});
		return {id, volume: (await containers.inspect(id)).Mounts[0]!.Name!};
	};
	const unmade = await make(false);
	const transient = await make(true);
	const kept = await make(false);
	renameSync(join(folder, unmade.id), join(folder, `.new-${unmade.id}-${dead}-1`));
	for (const {id} of [transient, kept]) renameSync(join(folder, id), join(folder, `.rm-${id}`));
	await engine.repair();
	t.deepEqual(readdirSync(folder), []);
	t.deepEqual(readdirSync(join(root, 'volumes')), [kept.volume]);
	await engine.volumes.remove(kept.volume);
});

test.serial('what a living process is making is left alone', async (t) => {
	const folder = join(root, 'containers', `.new-${'cd'.repeat(32)}-${process.pid}-${startTime(process.pid)}`);
	mkdirSync(folder);
	await engine.repair();
	t.true(existsSync(folder));
	renameSync(folder, join(root, 'containers', `.rm-${'cd'.repeat(32)}`));
	await engine.repair();
});

test.serial('a run --rm that is killed before its start leaves nothing, a create --rm stays', async (t) => {
	const made = (transient: boolean) =>
		killedProcess(`
			const {id} = await engine.containers.create({
				image: 'wherry/base', config: {Cmd: ['true']}, hostConfig: {AutoRemove: true}, transient: ${transient},
			});
			console.log(id);
			setInterval(() => {}, 1000);
		`);
	const transient = await made(true);
	const kept = await made(false);
	await engine.repair();
	await t.throwsAsync(containers.inspect(transient), {code: 'not-found'});
	t.is((await containers.inspect(kept)).State.Status, 'created');
	await containers.remove(kept);
});

test.serial('a container outlives the process that started it', async (t) => {
	const id = await killedProcess(`
		const {id} = await engine.containers.create({image: 'wherry/base', config: {Cmd: ['sleep', '1000'], StopSignal: 'SIGKILL'}});
		await engine.containers.start(id);
		console.log(id);
		setInterval(() => {}, 1000);
	`);
	await engine.repair();
	t.is((await containers.inspect(id)).State.Status, 'running');
	await containers.remove(id, {force: true});
});

test.serial('of two processes that remove one container one succeeds', async (t) => {
	for (let round = 0; round < 5; round++) {
		const id = await runDetached(engine);
		const other = fixture.again();
		const results = await Promise.allSettled([
			containers.remove(id, {force: true}),
			other.containers.remove(id, {force: true}),
		]);
		t.is(results.filter(({status}) => status === 'fulfilled').length, 1);
		const failed = results.find((result) => result.status === 'rejected')!;
		t.regex(failed.reason.message, /^No such container: /);
	}
});

test.serial('of many that want one name at the same time one gets it', async (t) => {
	const attempts = await Promise.allSettled(
		Array.from({length: 8}, () =>
			fixture.again().containers.create({image: baseImage, config: {Cmd: ['true']}, name: 'wanted'}),
		),
	);
	const won = attempts.filter((attempt) => attempt.status === 'fulfilled');
	t.is(won.length, 1);
	t.is((await containers.list({all: true})).length, 1);
	await containers.remove('wanted');
});

test.serial('a repair where nothing is touches nothing', async (t) => {
	const id = await runDetached(engine);
	const before = (await pastEvents(engine)).length;
	await engine.repair();
	await engine.repair();
	t.is((await containers.inspect(id)).State.Status, 'running');
	t.is((await pastEvents(engine)).length, before);
	await containers.remove(id, {force: true});
});
