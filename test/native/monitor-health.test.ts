import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {request, streams} from '../../src/runtime/monitor-protocol.ts';
import type {MonitorSettings} from '../../src/runtime/plan/sections.ts';
import {Container, type Options, startOf, until} from './monitor-container.ts';

const sh = (script: string): string[] => ['/bin/sh', '-c', script];
const ms = (milliseconds: number): string => String(milliseconds * 1_000_000);
const forever = ms(3_600_000);

interface Result {
	Start: string;
	End: string;
	ExitCode: number;
	Output: string;
}

class Checked extends Container {
	constructor(
		t: ExecutionContext,
		probe: string[],
		settings: Partial<MonitorSettings> = {},
		more: Partial<Options> = {},
	) {
		super(t, {argv: ['/bin/cat'], probe, ...more});
		this.options.settings = {
			'open-stdin': '1',
			'health-interval': ms(20),
			'health-timeout': forever,
			'health-start-period': '0',
			'health-start-interval': ms(20),
			'health-retries': '3',
			'health-timeout-words': '1h0m0s',
			'health-log': this.healthLog,
			'health-on-failure': 'none',
			...settings,
		};
		this.writePlan();
	}

	get healthLog(): string {
		return join(this.folder, 'health.log');
	}

	results(): Result[] {
		if (!existsSync(this.healthLog)) return [];
		const lines = readFileSync(this.healthLog, 'utf8').split('\n');
		if (lines.pop() !== '') throw new Error('the log of health checks ends within a line');
		return lines.map((line) => JSON.parse(line) as Result);
	}

	/** Waits for so many results, or for a last one that is as wanted. */
	result(wanted: (result: Result) => boolean): Promise<Result> {
		return until('the result of a check', () => this.results().findLast(wanted));
	}

	health(wanted: string): Promise<unknown> {
		return until(`health ${wanted}, but ${this.state().health}`, () => this.state().health === wanted);
	}

	touch(name: string): void {
		writeFileSync(join(this.root, 'tmp', name), '');
	}

	/** Events but those of the checks themselves. */
	told(): string[] {
		return this.events().filter((event) => !event.startsWith('exec_'));
	}
}

test('a container is starting, unhealthy after so many failures, and healthy after one success', async (t) => {
	const box = new Checked(t, sh('echo out; echo err >&2; test -e /tmp/ok'));
	await box.start(streams.detached);
	await until('a state', () => box.state().health !== undefined);
	await box.health('unhealthy');
	const bad = box.state();
	t.true(bad.failingStreak! >= 3);
	t.is(bad.status, 'running');
	box.touch('ok');
	await box.health('healthy');
	t.is(box.state().failingStreak, 0);
	// A single failure doesn't make it unhealthy again.
	rmSync(join(box.root, 'tmp/ok'));
	await until('a failure', () => box.state().failingStreak! > 0);
	box.touch('ok');
	await box.result(({ExitCode}) => ExitCode === 0);
	await until('many results', () => box.results().length === 5);
	const [last] = box.results();
	t.deepEqual(last!.Output.split('\n').sort(), ['', 'err', 'out']);
	t.true(last!.End >= last!.Start);
	await box.stop(0);
	const events = box.events();
	t.regex(events[1]!, /^exec_create: \/bin\/sh -c echo out; .* [0-9a-f]{64}$/);
	t.regex(events[2]!, /^exec_start: \/bin\/sh -c echo out; .* [0-9a-f]{64}$/);
	t.regex(events[3]!, /^exec_die [0-9a-f]{64} 1$/);
	t.deepEqual(box.told().slice(0, 3), ['start', 'health_status: unhealthy', 'health_status: healthy']);
	const first = events.indexOf('health_status: unhealthy');
	t.is(events.slice(0, first).filter((event) => event.startsWith('exec_die')).length, 3);
});

test('the health of a container that has ended is unhealthy, and a new run begins anew with the old log', async (t) => {
	const box = new Checked(t, sh('echo well'));
	await box.start(streams.detached);
	await box.health('healthy');
	await box.stop(0);
	const ended = await box.ended();
	t.is(ended.health, 'unhealthy');
	const kept = box.results();
	box.options.settings!['health-interval'] = forever;
	box.writePlan();
	await box.start(streams.detached);
	t.like(box.state(), {status: 'running', health: 'starting', failingStreak: 0});
	t.deepEqual(box.results(), kept);
	await box.stop(0);
});

test('failures within the start period do not count, and its interval is its own', async (t) => {
	const box = new Checked(t, sh('test -e /tmp/ok'), {
		'health-interval': forever,
		'health-start-period': forever,
		'health-retries': '1',
	});
	await box.start(streams.detached);
	await until('five failures', () => box.results().length === 5);
	t.like(box.state(), {health: 'starting', failingStreak: 0});
	box.touch('ok');
	await box.health('healthy');
	const told = () => box.events().filter((event) => event.startsWith('exec_')).length;
	// A probe has three: exec_create, exec_start and exec_die, the last one after its result.
	await until('the last probe has been told', () => told() % 3 === 0);
	const count = told();
	// Once it is well the ordinary interval holds.
	await box.stop(0);
	t.is(told(), count);
});

test('a check that takes too long is killed with what it has started', async (t) => {
	const box = new Checked(t, sh('echo $$ >/tmp/pid; sleep 3000 & echo begun; sleep 3000; true'), {
		'health-timeout': ms(300),
		'health-timeout-words': '300ms',
		'health-retries': '1',
	});
	await box.start(streams.detached);
	await box.health('unhealthy');
	const {ExitCode, Output} = box.results()[0]!;
	t.is(ExitCode, -1);
	// The time may be over before it has written anything.
	t.regex(Output, /^Health check exceeded timeout \(300ms\)(: begun\n)?$/);
	const {pid} = box.state();
	// `cat` doesn't reap what it inherits.
	const orphans = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number);
	await until('the end of what the first check has started', () =>
		orphans.every((each) => startOf(each) === 0),
	);
	await box.stop(0);
	t.true(box.events().some((event) => /^exec_die .* 137$/.test(event)));
});

test('the output of a check is cut, and any bytes can be in it', async (t) => {
	const box = new Checked(t, sh(String.raw`printf 'a"\377\n'; yes | head -c 10000`));
	await box.start(streams.detached);
	const {Output} = await box.result(() => true);
	t.true(Output.startsWith('a"\ufffd\n'));
	t.is(Buffer.byteLength(Output, 'utf8'), 4096 + 3 + 2);
	t.true(Output.endsWith('...'));
	await box.stop(0);
});

test('a check that can’t be run fails and says why', async (t) => {
	const box = new Checked(t, ['nothing-of-that-name']);
	await box.start(streams.detached);
	const {ExitCode, Output} = await box.result(() => true);
	t.is(ExitCode, -1);
	t.is(
		Output,
		'OCI runtime exec failed: exec failed: exec: "nothing-of-that-name": executable file not found in $PATH',
	);
	await box.health('unhealthy');
	await box.stop(0);
});

test('a paused container is not checked', async (t) => {
	if (!existsSync('/sys/fs/cgroup/freezer/tasks')) return t.pass('no v1 freezer here');
	const box = new Checked(t, sh('true'), {}, {freezer: true});
	await box.start(streams.detached);
	await box.health('healthy');
	await (await box.ask(request.pause)).ok;
	t.like(box.state(), {status: 'paused', health: 'unhealthy'});
	await (await box.ask(request.unpause)).ok;
	await box.health('healthy');
	await box.stop(0);
	const events = box.events();
	const between = events.slice(events.indexOf('pause') + 1, events.indexOf('unpause'));
	t.deepEqual(
		between.filter((event) => event.startsWith('exec_create')),
		[],
	);
	// It had its pid all the time.
	t.true(events.indexOf('unpause') > 0);
});

const failing = {'health-retries': '1'};

test('an unhealthy container is killed, and its restart policy starts it again', async (t) => {
	const box = new Checked(t, sh('test -e /tmp/ok'), {
		...failing,
		'health-on-failure': 'kill',
		'restart-policy': 'on-failure',
	});
	const {pid} = await (await box.start(streams.detached)).ok;
	await box.status('running', (state) => state.pid !== pid);
	box.touch('ok');
	await box.health('healthy');
	t.true(box.state().restartCount > 0);
	t.deepEqual(box.told().slice(0, 5), ['start', 'health_status: unhealthy', 'kill 9', 'die 137', 'start']);
	await box.stop(0);
});

test('an unhealthy container is stopped for good', async (t) => {
	const box = new Checked(t, ['false'], {
		...failing,
		'health-on-failure': 'stop',
		'restart-policy': 'always',
		'stop-signal': '9',
		'stop-timeout': '600',
	});
	await box.start(streams.detached);
	t.like(await box.ended(), {status: 'exited', manuallyStopped: true, restartCount: 0});
	t.deepEqual(box.told(), ['start', 'health_status: unhealthy', 'kill 9', 'die 137', 'stop']);
});

test('an unhealthy container is restarted without any restart policy', async (t) => {
	const box = new Checked(
		t,
		sh('test -e /tmp/ok'),
		{...failing, 'health-on-failure': 'restart', 'stop-signal': '15', 'stop-timeout': '600'},
		{argv: sh('trap "exit 3" TERM; while :; do sleep 1 & wait $!; done')},
	);
	const {pid} = await (await box.start(streams.detached)).ok;
	await box.status('running', (state) => state.pid !== pid);
	box.touch('ok');
	await box.health('healthy');
	t.is(box.state().manuallyStopped, false);
	t.deepEqual(box.told().slice(0, 6), [
		'start',
		'health_status: unhealthy',
		'kill 15',
		'die 3',
		'start',
		'restart',
	]);
	await box.stop(0);
	t.is((await box.ended()).status, 'exited');
});
