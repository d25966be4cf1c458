import {execFileSync} from 'node:child_process';
import {once} from 'node:events';
import {
	closeSync,
	existsSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {execa} from 'execa';
import {monitorPath} from '../../src/kernel/locate.ts';
import {exitFlag, request, signalFlag, streams} from '../../src/runtime/monitor-protocol.ts';
import {encodePlan} from '../../src/runtime/plan/encode.ts';
import {allStreams, Container, int32, startOf, until} from './monitor-container.ts';

const sh = (script: string): string[] => ['/bin/sh', '-c', script];
const v1 = (controller: string): boolean => existsSync(`/sys/fs/cgroup/${controller}/tasks`);
const never = '0001-01-01T00:00:00Z';
const parentOf = (pid: string): number => {
	try {
		return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
	} catch {
		return 0;
	}
};
const childrenOf = (pid: number): string[] => readdirSync('/proc').filter((name) => parentOf(name) === pid);

test('the state file and the events tell the life of a container', async (t) => {
	const box = new Container(t, {argv: sh('read end; exit 9'), settings: {'open-stdin': '1'}});
	const starter = await box.start(allStreams);
	const running = box.state();
	t.is(running.status, 'running');
	t.is(running.pid, (await starter.ok).pid ?? 0);
	t.is(startOf(running.pid), running.pidStart);
	t.is(startOf(running.monitorPid), running.monitorStart);
	t.is(running.bootId, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
	t.is(running.finishedAt, never);
	t.true(Math.abs(Date.parse(running.startedAt) - Date.now()) < 20_000);
	t.is(statSync(join(box.run, 'attach.sock')).mode & 0o777, 0o600);
	starter.stdin('end\n');
	await starter.exit;
	const ended = box.state();
	t.like(ended, {
		status: 'exited',
		exitCode: 9,
		pid: 0,
		monitorPid: 0,
		oomKilled: false,
		error: '',
		restartCount: 0,
		manuallyStopped: false,
	});
	t.true(ended.finishedAt > ended.startedAt);
	t.false(existsSync(join(box.run, 'attach.sock')));
	await until('the end of the monitor', () => startOf(running.monitorPid) !== running.monitorStart);
	t.deepEqual(box.events(), ['start', 'die 9']);
	const event = JSON.parse(readFileSync(join(box.folder, 'events'), 'utf8').split('\n')[1]!);
	t.like(event, {
		status: 'die',
		id: box.id,
		from: 'busybox',
		Type: 'container',
		Action: 'die',
		scope: 'local',
	});
	t.deepEqual(event.Actor, {
		ID: box.id,
		Attributes: {
			image: 'busybox',
			name: 'box',
			exitCode: '9',
			execDuration: event.Actor.Attributes.execDuration,
		},
	});
	t.regex(event.Actor.Attributes.execDuration, /^\d+$/);
	t.is(event.time, Math.floor(event.timeNano / 1e9));
});

test('a command that is not there leaves the container created', async (t) => {
	const box = new Container(t, {argv: ['/bin/nothing']});
	const starter = box.spawnMonitor();
	starter.send(request.start, Buffer.alloc(6));
	await t.throwsAsync(starter.ok, {message: /nothing.*no such file/});
	const state = box.state();
	t.like(state, {status: 'created', exitCode: 127, startedAt: never, pid: 0, monitorPid: 0});
	t.regex(state.error, /nothing/);
	t.deepEqual(box.events(), []);
	t.false(existsSync(join(box.run, 'attach.sock')));
});

test('those who wait for the end do not wait until the root is unmounted, and the state says who does that', async (t) => {
	const box = new Container(t, {
		argv: ['/bin/cat'],
		settings: {'open-stdin': '1', 'restart-policy': 'always'},
	});
	await box.start(streams.detached);
	const {monitorPid, monitorStart, pid} = box.state();
	process.kill(pid, 'SIGKILL');
	await box.status('running', (state) => state.pid !== pid);
	t.is(box.state().unmountPid, undefined, 'a root that is mounted again has been unmounted before');
	const killing = await box.ask(
		request.signal,
		Buffer.concat([int32(9), Buffer.of(signalFlag.last | signalFlag.awaitEnd)]),
	);
	t.is((await killing.exit).code, 137);
	t.like(box.state(), {status: 'exited', monitorPid: 0, unmountPid: monitorPid, unmountStart: monitorStart});
	await until('the end of the monitor', () => startOf(monitorPid) !== monitorStart);
	await box.start(streams.detached);
	t.is(box.state().unmountPid, undefined);
	await box.stop(0);
});

test('a kill while the policy starts the next process ends that, and is no error', async (t) => {
	const box = new Container(t, {argv: ['/bin/sleep', '1000'], settings: {'restart-policy': 'always'}});
	// The init waits there until somebody reads.
	const gate = join(box.folder, 'gate');
	execFileSync('mkfifo', [gate]);
	box.options.init = [{op: 'joinCgroups', files: [gate]}];
	box.writePlan();
	let reader = openSync(gate, 'r+');
	await box.start(streams.detached);
	closeSync(reader);
	process.kill(box.state().pid, 'SIGKILL');
	await box.status('restarting');
	await until('the next process', () => childrenOf(box.state().monitorPid).length > 0);
	const other = await box.ask(request.signal, Buffer.concat([int32(10), Buffer.of(0)]));
	t.deepEqual(await other.ok, {});
	const killing = await box.ask(
		request.signal,
		Buffer.concat([int32(9), Buffer.of(signalFlag.last | signalFlag.awaitEnd)]),
	);
	await until('the request', () => box.state().manuallyStopped);
	reader = openSync(gate, 'r+');
	t.is((await killing.exit).code, 137);
	closeSync(reader);
	t.like(box.state(), {status: 'exited', restartCount: 1, monitorPid: 0});
	t.deepEqual(box.events(), ['start', 'die 137', 'start', 'kill 9', 'die 137']);
});

test('a start that fails undoes its setup', async (t) => {
	const box = new Container(t, {
		argv: ['/bin/true'],
		setup: [{op: 'writeHost', path: '/proc/nothing', content: '', flags: 0}],
	});
	const undone = join(box.folder, 'undone');
	writeFileSync(undone, '');
	box.options.stop = [{op: 'removeFile', path: undone}];
	box.writePlan();
	const starter = box.spawnMonitor();
	starter.send(request.start, Buffer.alloc(6));
	const error = await t.throwsAsync(starter.ok);
	t.like(error, {code: 125, section: 2, op: 0});
	t.false(existsSync(undone));
});

test('a monitor whose starter goes before the request leaves nothing', async (t) => {
	const box = new Container(t, {argv: ['/bin/true']});
	const silent = box.spawnMonitor();
	const ended = once(box.monitorProcess!, 'exit');
	silent.close();
	t.deepEqual(await ended, [0, null]);
	t.false(existsSync(join(box.run, 'attach.sock')));
	const broken = box.spawnMonitor();
	broken.socket.write(Buffer.of(request.start));
	await until('the socket', () => existsSync(join(box.run, 'attach.sock')));
	broken.close();
	await until('no socket', () => !existsSync(join(box.run, 'attach.sock')));
	t.false(existsSync(box.statePath));
});

test('a plan that is not one is refused', async (t) => {
	const box = new Container(t, {argv: ['/bin/true']});
	writeFileSync(box.planPath, 'WPLNnonsense');
	const starter = box.spawnMonitor();
	starter.send(request.start, Buffer.alloc(6));
	await t.throwsAsync(starter.ok);
});

test('a stray signal does not end the monitor', async (t) => {
	const box = new Container(t, {argv: ['/bin/cat'], settings: {'open-stdin': '1'}});
	await box.start(streams.detached);
	const {monitorPid} = box.state();
	for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE'] as const) process.kill(monitorPid, signal);
	const client = await box.attach();
	await client.ok;
	client.stdin('alive\n');
	await client.saw('alive\n');
	await box.stop(0);
	t.pass();
});

/** KiB of the program's own code that a process has mapped (proc(5), maps and smaps). */
function mappedCode(pid: number): number {
	const {ino} = statSync(`/proc/${pid}/exe`);
	const text = readFileSync(`/proc/${pid}/smaps`, 'utf8');
	const code = text.matchAll(/^\S+ r-xp \S+ \S+ (\d+) .*\n(?:[A-Z].*\n)*?Rss: +(\d+) kB/gm);
	return [...code].reduce((sum, [, inode, size]) => sum + (Number(inode) === ino ? Number(size) : 0), 0);
}

test('a monitor that has nothing to do gives its code back, and goes on when it is asked', async (t) => {
	const box = new Container(t, {argv: sh('trap "exit 12" TERM; while :; do sleep 0.05; done')});
	await box.start(streams.detached);
	const {monitorPid} = box.state();
	// It may be quiet before this process, which has other tests to run, gets to look: then it is asked again.
	let given = false;
	for (let round = 0; round < 20 && !given; round++) {
		await (await box.exec(['/bin/true'])).exit;
		let most = 0;
		for (let look = 0; look < 30 && !given; look++) {
			const now = mappedCode(monitorPid);
			given = now < most;
			most = Math.max(most, now);
			await sleep(50);
		}
	}
	t.true(given);
	t.is((await box.stop(10)).code, 12);
});

test('stop sends its signal and waits for the end', async (t) => {
	const box = new Container(t, {argv: sh('trap "exit 12" TERM; while :; do sleep 0.05; done')});
	const starter = await box.start();
	await sleep(50);
	const waiter = await box.ask(request.wait);
	t.deepEqual(await box.stop(10), {code: 12, flags: 0});
	t.is((await starter.exit).code, 12);
	t.is((await waiter.exit).code, 12);
	t.like(box.state(), {status: 'exited', exitCode: 12, manuallyStopped: true});
	t.deepEqual(box.events(), ['start', 'kill 15', 'die 12', 'stop']);
});

test('stop kills what ignores its signal when the time is up', async (t) => {
	const box = new Container(t, {argv: sh('trap "" TERM; while :; do sleep 0.05; done')});
	await box.start(streams.detached);
	await sleep(50);
	t.is((await box.stop(1)).code, 137);
	t.deepEqual(box.events(), ['start', 'kill 15', 'kill 9', 'die 137', 'stop']);
});

test('a signal is delivered, told, and does not count as a stop unless it says so', async (t) => {
	const box = new Container(t, {
		argv: sh('trap "echo usr1" USR1; trap "exit 3" USR2; echo ready; while :; do sleep 0.05; done'),
	});
	const starter = await box.start();
	await starter.saw('ready');
	await (await box.ask(request.signal, Buffer.concat([int32(10), Buffer.of(0)]))).ok;
	await starter.saw('usr1');
	t.false(box.state().manuallyStopped);
	await (await box.ask(request.signal, Buffer.concat([int32(12), Buffer.of(1)]))).ok;
	t.is((await starter.exit).code, 3);
	t.true(box.state().manuallyStopped);
	t.deepEqual(box.events(), ['start', 'kill 10', 'kill 12', 'die 3']);
	const bad = new Container(t, {argv: ['/bin/cat'], settings: {'open-stdin': '1'}});
	await bad.start(streams.detached);
	await t.throwsAsync((await bad.ask(request.signal, Buffer.concat([int32(500), Buffer.of(0)]))).ok, {
		message: /invalid/i,
	});
	await bad.stop(0);
});

test('on-failure restarts as often as it may, with a growing pause', async (t) => {
	const box = new Container(t, {
		argv: sh('echo again; exit 4'),
		settings: {'restart-policy': 'on-failure', 'restart-max': '3'},
	});
	const starter = await box.start();
	t.deepEqual(await starter.exit, {code: 4, flags: exitFlag.restarting});
	const state = await box.ended();
	t.like(state, {status: 'exited', exitCode: 4, restartCount: 3, manuallyStopped: false});
	t.deepEqual(box.events(), Array.from({length: 4}, () => ['start', 'die 4']).flat());
	const times = box.log().map(({time}) => Date.parse(time));
	t.is(times.length, 4);
	// 100, 200 and 400 ms, and never less.
	for (const [at, pause] of [100, 200, 400].entries()) t.true(times[at + 1]! - times[at]! >= pause - 1);
});

test('on-failure leaves a success alone', async (t) => {
	const box = new Container(t, {argv: ['/bin/true'], settings: {'restart-policy': 'on-failure'}});
	const starter = await box.start();
	t.deepEqual(await starter.exit, {code: 0, flags: 0});
	t.is((await box.ended()).restartCount, 0);
});

test('always restarts a success, in the same network namespace and with new mounts, until it is stopped', async (t) => {
	const box = new Container(t, {
		argv: sh('ls -l /proc/self/ns/net; ls /dev/mark 2>&1; echo > /dev/mark; sleep 0.2'),
		settings: {'restart-policy': 'always'},
	});
	const starter = await box.start();
	t.deepEqual(await starter.exit, {code: 0, flags: exitFlag.restarting});
	await until('the output of the second run', () => box.log().length >= 4);
	t.deepEqual((await box.stop(0)).flags, 0);
	const [net, mark, secondNet, secondMark] = box.log().map(({log}) => log.replace(/^.*-> /, ''));
	t.regex(net!, /^net:\[\d+\]\n$/);
	t.is(secondNet, net);
	t.regex(mark!, /No such file/);
	t.is(secondMark, mark);
	t.is(box.state().status, 'exited');
});

test('a stop during the pause before a restart ends it', async (t) => {
	const box = new Container(t, {argv: ['/bin/false'], settings: {'restart-policy': 'always'}});
	await box.start(streams.detached);
	// The fourth pause is 800 ms long.
	await box.status('restarting', ({restartCount}) => restartCount >= 4);
	const attached = await box.attach();
	await t.throwsAsync(attached.ok, {message: /restarting/});
	t.deepEqual(await box.stop(10), {code: 1, flags: 0});
	t.like(box.state(), {status: 'exited', manuallyStopped: true, monitorPid: 0});
	t.is(box.events().at(-1), 'stop');
});

test('reload takes a new restart policy', async (t) => {
	const box = new Container(t, {
		argv: sh('read end'),
		settings: {'restart-policy': 'always', 'open-stdin': '1'},
	});
	const starter = await box.start(allStreams);
	box.writePlan({'restart-policy': 'no'});
	await (await box.ask(request.reload)).ok;
	starter.stdin('end\n');
	t.deepEqual(await starter.exit, {code: 0, flags: 0});
	t.is((await box.ended()).restartCount, 0);
});

test('with --rm the stop plan removes the folder, and the events end with destroy', async (t) => {
	const box = new Container(t, {
		argv: sh('exit 2'),
		settings: {'auto-remove': '1', 'restart-policy': 'always'},
	});
	const data = join(box.folder, 'data');
	mkdirSync(data);
	box.options.stop = [
		{op: 'removeTree', path: data},
		{op: 'removeTree', path: box.run},
	];
	// The plan that the engine has put there meanwhile counts, not the one of the start.
	writeFileSync(join(box.run, 'stop.plan'), encodePlan({stop: box.options.stop}));
	const starter = await box.start();
	t.deepEqual(await starter.exit, {code: 2, flags: exitFlag.removed});
	t.false(existsSync(data));
	t.false(existsSync(box.run));
	t.deepEqual(box.events(), ['start', 'die 2', 'destroy']);
});

test('exec runs beside the command, with its own streams, code and event', async (t) => {
	const box = new Container(t, {argv: ['/bin/cat'], settings: {'open-stdin': '1'}});
	const starter = await box.start(allStreams);
	const exec = await box.exec(sh('cat; echo err >&2; exit 6'));
	t.true(((await exec.ok).pid ?? 0) > 0);
	exec.stdin('to the exec\n');
	exec.endStdin();
	t.deepEqual(await exec.exit, {code: 6, flags: 0});
	t.is(exec.text, 'to the exec\n');
	t.is(exec.stderr.toString(), 'err\n');
	t.is(starter.text, '');
	t.deepEqual(box.events(), ['start', `exec_die ${'e'.repeat(64)} 6`]);
	const missing = await box.exec(['/bin/nothing']);
	t.like(await t.throwsAsync(missing.ok), {code: 127});
	const killed = await box.exec(sh('kill -9 $$'));
	t.is((await killed.exit).code, 137);
	await box.stop(0);
});

test('an exec with a terminal echoes and is resized', async (t) => {
	const box = new Container(t, {argv: ['/bin/cat'], settings: {'open-stdin': '1'}});
	await box.start(streams.detached);
	const exec = await box.exec(['/bin/sh'], allStreams | streams.tty);
	await exec.ok;
	exec.resize(30, 90);
	exec.stdin('stty size\n');
	await exec.saw('30 90\r\n');
	exec.stdin('exit 8\n');
	t.is((await exec.exit).code, 8);
	await box.stop(0);
});

test('a detached exec is reaped, one whose client goes lives on, and all die with the container', async (t) => {
	const box = new Container(t, {argv: sh('echo up; cat'), settings: {'open-stdin': '1'}});
	const starter = await box.start(allStreams);
	const ids = ['a', 'b', 'c'].map((digit) => digit.repeat(64));
	const short = await box.exec(['/bin/true'], streams.detached, ids[0]);
	await short.ok;
	await until('its event', () => box.events().includes(`exec_die ${ids[0]} 0`));
	const left = await box.exec(sh('echo here; sleep 0.3; echo > /tmp/left'), streams.stdout, ids[1]);
	await left.saw('here');
	left.close();
	await until('what it writes', () => existsSync(join(box.root, 'tmp/left')));
	const long = await box.exec(['/bin/sleep', '1000'], streams.stdout, ids[2]);
	const {pid} = await long.ok;
	starter.close();
	await box.stop(0);
	t.is((await long.exit).code, 137);
	t.is(startOf(pid!), 0);
	t.deepEqual(box.events().slice(-4), ['kill 9', `exec_die ${ids[2]} 137`, 'die 137', 'stop']);
});

test('an exec ends with its process, though a child of it holds the output', async (t) => {
	const box = new Container(t, {argv: ['/bin/cat'], settings: {'open-stdin': '1'}});
	await box.start(streams.detached);
	const exec = await box.exec(sh('(sleep 0.5; echo late; echo done > /tmp/done) & echo first'));
	t.is((await exec.exit).code, 0);
	t.is(exec.text, 'first\n');
	// The child is not killed by a pipe that nobody reads.
	await until('its end', () => existsSync(join(box.root, 'tmp/done')));
	await box.stop(0);
});

test('many execs and restarts leave no descriptor and no process behind', async (t) => {
	const box = new Container(t, {
		argv: sh('read a; exit 1'),
		settings: {'open-stdin': '1', 'restart-policy': 'always'},
	});
	await box.start(streams.detached);
	const {monitorPid} = box.state();
	const descriptors = () => readdirSync(`/proc/${monitorPid}/fd`).length;
	const children = () =>
		readFileSync(`/proc/${monitorPid}/task/${monitorPid}/children`, 'utf8').trim().split(' ');
	const before = descriptors();
	for (let round = 0; round < 3; round++) {
		const execs = await Promise.all(
			Array.from({length: 10}, (_, index) =>
				index % 3 === 0
					? box.exec(['/bin/nothing'])
					: box.exec(['/bin/true'], index % 3 === 1 ? allStreams : allStreams | streams.tty),
			),
		);
		await Promise.all(execs.map((exec) => exec.closed));
		const client = await box.attach();
		await client.ok;
		client.stdin('end\n');
		t.is((await client.exit).flags, exitFlag.restarting);
		await box.status('running', ({restartCount}) => restartCount === round + 1);
	}
	await until('the descriptors of before', () => descriptors() === before);
	t.deepEqual(children(), [String(box.state().pid)]);
	await box.stop(0);
});

test('output written after every terminal was closed is read', async (t) => {
	const box = new Container(t, {
		argv: sh('echo one; exec <&- >&- 2>&-; sleep 0.3; echo two >/dev/pts/0; sleep 1000'),
		tty: true,
	});
	const starter = await box.start();
	await starter.saw('one\r\ntwo\r\n');
	await box.stop(0);
	t.pass();
});

(v1('freezer') ? test : test.skip)(
	'a paused container is frozen, refuses exec, and can be stopped',
	async (t) => {
		const box = new Container(t, {argv: ['/bin/cat'], freezer: true, settings: {'open-stdin': '1'}});
		const starter = await box.start(allStreams);
		await (await box.ask(request.pause)).ok;
		t.is(box.state().status, 'paused');
		await t.throwsAsync((await box.ask(request.pause)).ok, {message: /already paused/});
		await t.throwsAsync((await box.exec(['/bin/true'])).ok, {message: /is paused/});
		starter.stdin('later\n');
		await sleep(100);
		t.is(starter.text, '');
		await (await box.ask(request.unpause)).ok;
		await starter.saw('later\n');
		await t.throwsAsync((await box.ask(request.unpause)).ok, {message: /not paused/});
		await (await box.ask(request.pause)).ok;
		t.is((await box.stop(0)).code, 137);
		t.deepEqual(box.events(), [
			'start',
			'pause',
			'unpause',
			'pause',
			'kill 15',
			'unpause',
			'kill 9',
			'die 137',
			'stop',
		]);
		t.false(existsSync(box.cgroups[0]!));
	},
);

(v1('memory') ? test : test.skip)('a kill for lack of memory is told', async (t) => {
	const box = new Container(t, {argv: sh('dd if=/dev/zero of=/dev/null bs=100M count=1'), memory: 20 << 20});
	const starter = await box.start();
	const exit = await starter.exit;
	t.is(exit.code, 137);
	t.is(exit.flags, exitFlag.oomKilled);
	t.true(box.state().oomKilled);
	t.true(box.events().includes('oom'));
});

(v1('memory') && v1('freezer') ? test : test.skip)(
	'after a kill of the monitor cleanup leaves nothing',
	async (t) => {
		const box = new Container(t, {
			argv: sh('sleep 1000 & exec sleep 1000'),
			memory: 100 << 20,
			freezer: true,
		});
		await box.start(streams.detached);
		const state = box.state();
		await (await box.ask(request.pause)).ok;
		process.kill(state.monitorPid, 'SIGKILL');
		await until('the death of the monitor', () => startOf(state.monitorPid) !== state.monitorStart);
		const cleanup = await execa(monitorPath(), ['cleanup', box.run]);
		t.is(cleanup.stdout + cleanup.stderr, '');
		t.is(startOf(state.pid), 0);
		for (const path of box.cgroups) t.false(existsSync(path));
		t.false(existsSync(join(box.run, 'attach.sock')));
	},
);

test('cleanup without a plan says so', async (t) => {
	const box = new Container(t, {argv: ['/bin/true']});
	rmSync(box.planPath);
	const cleanup = await execa(monitorPath(), ['cleanup', box.run], {reject: false});
	t.is(cleanup.exitCode, 1);
	t.regex(cleanup.stderr, /monitor\.plan/);
});

test('a new monitor after the end starts the container again', async (t) => {
	const box = new Container(t, {argv: sh('echo run')});
	const first = await box.start();
	await first.exit;
	const before = box.state();
	const second = await box.start();
	await second.exit;
	t.true(box.state().startedAt > before.finishedAt);
	t.is(box.log().length, 2);
	// One that cannot start again stays exited.
	rmSync(join(box.root, 'bin/busybox'));
	const third = box.spawnMonitor();
	third.send(request.start, Buffer.alloc(6));
	await t.throwsAsync(third.ok);
	t.like(box.state(), {status: 'exited', exitCode: 127});
	t.not(box.state().startedAt, never);
	await once(third.socket, 'close').catch(() => {});
});
