/** Health checks, restart policies, boot and signals, as scripts see them. */
import {existsSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {startTime} from '../../../src/engine/processes.ts';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();
/** For what concerns all containers of a host. */
const host = new Command();
const image = 'wherry/base';
const quiet = ['--network', 'none'];

test.before(async () => {
	await wherry.output('create', '--name', 'first-of-all', image, 'true');
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
	t.deepEqual(await host.end(), []);
});

/** Asks again until the answer is as wanted. */
async function until(wanted: RegExp, ...args: string[]): Promise<string> {
	let text = '';
	for (const end = Date.now() + 60_000; Date.now() < end; await sleep(20)) {
		({stdout: text} = await wherry.result(args));
		if (wanted.test(text)) return text.trim();
	}
	throw new Error(`wherry ${args.join(' ')} never printed ${wanted}, last ${text}`);
}

const inspect = (name: string, format: string) => wherry.output('inspect', '-f', format, name);

test('a health check shows in ps, inspect, events and filters, and is not run in a paused container', async (t) => {
	const run = ['run', '-d', '--name', 'checked', ...quiet];
	await wherry.output(
		...run,
		...['--health-cmd', 'echo seen; test -e /tmp/ok', '--health-interval', '100ms', '--health-retries', '2'],
		...[image, 'sleep', '1000'],
	);
	t.is(
		await inspect('checked', '{{json .Config.Healthcheck}}'),
		'{"Test":["CMD-SHELL","echo seen; test -e /tmp/ok"],"Interval":100000000,"Retries":2}',
	);
	await until(/^Up .* \(unhealthy\)$/m, 'ps', '-f', 'name=checked', '--format', '{{.Status}}');
	const health = JSON.parse(await inspect('checked', '{{json .State.Health}}')) as {
		Status: string;
		FailingStreak: number;
		Log: {Start: string; End: string; ExitCode: number; Output: string}[];
	};
	t.is(health.Status, 'unhealthy');
	t.true(health.FailingStreak >= 2);
	t.true(health.Log.length >= 2 && health.Log.length <= 5);
	t.like(health.Log.at(-1), {ExitCode: 1, Output: 'seen\n'});
	const unhealthy = ['-f', 'name=checked', '-f', 'health=unhealthy'];
	t.is(await wherry.output('ps', ...unhealthy, '--format', '{{.Names}}'), 'checked');
	await wherry.output('exec', 'checked', 'touch', '/tmp/ok');
	await until(/\(healthy\)/, 'ps', '-f', 'name=checked', '-f', 'health=healthy', '--format', '{{.Status}}');
	await wherry.output('pause', 'checked');
	t.regex(await wherry.output('ps', '-f', 'name=checked', '--format', '{{.Status}}'), /\(Paused\)$/);
	const events = (...more: string[]) =>
		wherry.output('events', '--since', '1h', '--until', '0s', '-f', 'container=checked', ...more);
	const count = (await events('-f', 'event=exec_create')).split('\n').length;
	await sleep(200);
	t.is((await events('-f', 'event=exec_create')).split('\n').length, count);
	t.deepEqual((await events('-f', 'event=health_status', '--format', '{{.Action}}')).split('\n'), [
		'health_status: unhealthy',
		'health_status: healthy',
	]);
	t.regex(await events('-f', 'event=exec_create'), /exec_create: \/bin\/sh -c echo seen; test -e \/tmp\/ok /);
	await wherry.output('unpause', 'checked');
	await until(/\(healthy\)/, 'ps', '-f', 'name=checked', '--format', '{{.Status}}');
	await wherry.output('stop', '-t', '0', 'checked');
	t.is(await inspect('checked', '{{.State.Health.Status}}'), 'unhealthy');
	t.notRegex(await wherry.output('ps', '-a', '-f', 'name=checked', '--format', '{{.Status}}'), /health/);
	t.regex(await wherry.output('ps', '-a', '-f', 'health=none', '--format', '{{.Names}}'), /^first-of-all$/m);
	await wherry.output('rm', 'checked');
});

test('a monitor that is killed while it checks leaves a container that comes back with its log', async (t) => {
	await wherry.output(
		...['run', '-d', '--name', 'killed', '--restart', 'always', ...quiet],
		...['--health-cmd', 'true', '--health-interval', '20ms', image, 'sleep', '1000'],
	);
	await until(
		/^healthy 5$/m,
		'inspect',
		'-f',
		'{{.State.Health.Status}} {{len .State.Health.Log}}',
		'killed',
	);
	const id = await inspect('killed', '{{.Id}}');
	const file = join(wherry.root, 'containers', id, 'state.json');
	const {monitorPid} = JSON.parse(readFileSync(file, 'utf8')) as {monitorPid: number};
	process.kill(monitorPid, 'SIGKILL');
	while (startTime(monitorPid) !== undefined) await sleep(5);
	await until(
		/^running healthy 5 1$/m,
		...[
			'inspect',
			'-f',
			'{{.State.Status}} {{.State.Health.Status}} {{len .State.Health.Log}} {{.RestartCount}}',
			'killed',
		],
	);
	t.is(
		readFileSync(join(wherry.root, 'containers', id, 'health.log'), 'utf8')
			.trim()
			.split('\n').length,
		5,
	);
	await wherry.output('rm', '-f', 'killed');
});

test('health flags that contradict each other or can’t be are refused in docker’s words', async (t) => {
	for (const [args, message, code] of [
		[['--no-healthcheck', '--health-cmd', 'true'], '--no-healthcheck conflicts with --health-* options', 125],
		[['--health-interval', '-1s'], '--health-interval cannot be negative', 125],
		[['--health-timeout', '-1ms'], '--health-timeout cannot be negative', 125],
		[['--health-retries', '-1'], '--health-retries cannot be negative', 125],
		[['--health-start-period', '-1h'], '--health-start-period cannot be negative', 125],
		[['--health-start-interval', '-1h'], '--health-start-interval cannot be negative', 125],
		[['--health-interval', '10us'], 'Interval in Healthcheck cannot be less than 1ms', 125],
		[['--health-start-interval', '10us'], 'StartInterval in Healthcheck cannot be less than 1ms', 125],
		[
			['--health-cmd', 'true', '--health-on-failure', 'explode'],
			'invalid on-failure action "explode" for health check: supported actions are none,kill,restart,stop',
			125,
		],
		[['--health-on-failure', 'stop'], 'cannot set on-failure action to stop without a health check', 125],
		[['--health-retries', 'x'], 'invalid argument "x" for "--health-retries" flag', 125],
	] as [string[], string, number][]) {
		const result = await wherry.result(['run', '--rm', ...quiet, ...args, image, 'true']);
		t.is(result.code, code, args.join(' '));
		t.true(result.stderr.includes(message), result.stderr);
	}
	const filtered = await wherry.result(['ps', '-f', 'health=fine']);
	t.is(filtered.code, 1);
	t.regex(filtered.stderr, /^Error: Unrecognised filter value for health: fine$/m);
	t.is((await wherry.output('ps', '-aq')).split('\n').includes(''), false);
});

test('an unhealthy container is stopped or restarted when that is asked for', async (t) => {
	const run = (action: string, ...command: string[]) =>
		wherry.output(
			...['run', '-d', '--name', action, ...quiet, '--stop-timeout', '0', '--health-on-failure', action],
			...['--health-cmd', 'test -e /tmp/ok', '--health-interval', '50ms', '--health-retries', '1'],
			...[image, ...command],
		);
	await run('stop', 'sleep', '1000');
	await until(/^exited 137$/m, 'inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'stop');
	t.is(await inspect('stop', '{{.RestartCount}} {{.Config.HealthcheckOnFailureAction}}'), '0 stop');
	await run('restart', 'sh', '-c', 'test -e /seen && touch /tmp/ok; touch /seen; exec sleep 1000');
	await until(/^running healthy$/m, 'inspect', '-f', '{{.State.Status}} {{.State.Health.Status}}', 'restart');
	t.true(Number(await inspect('restart', '{{.RestartCount}}')) >= 1);
	await wherry.output('rm', '-f', 'stop', 'restart');
});

test('restart policies count, give up, and end with a stop or a kill', async (t) => {
	await wherry.output('run', '-d', '--name', 'fails', ...quiet, '--restart', 'on-failure:2', image, 'false');
	await until(
		/^2 exited 1$/m,
		'inspect',
		'-f',
		'{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}',
		'fails',
	);
	t.is(await wherry.output('start', 'fails'), 'fails');
	await until(/^2 exited$/m, 'inspect', '-f', '{{.RestartCount}} {{.State.Status}}', 'fails');

	await wherry.output('run', '-d', '--name', 'again', ...quiet, '--restart', 'always', image, 'false');
	// The pauses between its runs grow; in a long one there is time for all of this.
	await until(/^true$/m, 'inspect', '-f', '{{and .State.Restarting (ge .RestartCount 4)}}', 'again');
	for (const [args, message] of [
		[
			['exec', 'again', 'true'],
			/^Error: Container [0-9a-f]{64} is restarting, wait until the container is running$/m,
		],
		[['attach', 'again'], /^cannot attach to a restarting container, wait until it is running$/m],
		[
			['pause', 'again'],
			/^Error: Container [0-9a-f]{64} is restarting, wait until the container is running$/m,
		],
		[['unpause', 'again'], /^Error: container [0-9a-f]{64} is not paused$/m],
		[['rm', 'again'], /container is restarting: stop the container before removing or force remove$/m],
		[
			['run', '--rm', '--pid', 'container:again', image, 'true'],
			/Container [0-9a-f]{64} is restarting, wait until/,
		],
	] as [string[], RegExp][]) {
		const result = await wherry.result(args);
		t.not(result.code, 0, args.join(' '));
		t.regex(result.stderr, message);
		await until(/^true$/m, 'inspect', '-f', '{{.State.Restarting}}', 'again');
	}
	t.is(await wherry.output('start', 'again'), 'again');
	t.is(await wherry.output('stop', 'again'), 'again');
	t.is(await inspect('again', '{{.State.Status}} {{.State.Restarting}}'), 'exited false');
	await wherry.output('start', 'again');
	await until(/^true$/m, 'inspect', '-f', '{{.State.Restarting}}', 'again');
	t.is(await wherry.output('kill', 'again'), 'again');
	await until(/^exited$/m, 'inspect', '-f', '{{.State.Status}}', 'again');
	await wherry.output('start', 'again');
	await until(/^true$/m, 'inspect', '-f', '{{.State.Restarting}}', 'again');
	await wherry.output('rm', '-f', 'again', 'fails');
	for (const [policy, message] of [
		[
			'often',
			"invalid restart policy: unknown policy 'often'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
		],
		['always:3', "invalid restart policy: maximum retry count can only be used with 'on-failure'"],
		['on-failure:-1', 'invalid restart policy: maximum retry count cannot be negative'],
		['on-failure:x', 'invalid restart policy format: maximum retry count must be an integer'],
		[':3', 'invalid restart policy format: no policy provided before colon'],
	] as const) {
		const result = await wherry.result(['create', '--restart', policy, image, 'true']);
		t.not(result.code, 0);
		t.true(result.stderr.includes(message), result.stderr);
	}
	const both = await wherry.result(['run', '--rm', '--restart', 'always', image, 'true']);
	t.is(both.code, 125);
	t.regex(both.stderr, /conflicting options: cannot specify both --restart and --rm/);
});

test('signals are taken as docker takes them, and what can’t be reached is said', async (t) => {
	const script = 'trap "exit 11" 37; trap "exit 12" USR1; while :; do sleep 0.05; done';
	await wherry.output(
		...['run', '-d', '--name', 'signals', ...quiet, '--stop-signal', 'USR1'],
		...[image, 'sh', '-c', script],
	);
	for (const [signal, code] of [
		['rtmin+3', '11'],
		['SIGRTMIN+3', '11'],
		['37', '11'],
		['usr1', '12'],
	] as const) {
		// Both traps have to be set before.
		await until(
			/^SigCgt:\s*0*1[0-9a-f]{6}2[0-9a-f]{2}$/m,
			'exec',
			'signals',
			'grep',
			'SigCgt',
			'/proc/1/status',
		);
		await wherry.output('kill', '-s', signal, 'signals');
		t.is(await wherry.output('wait', 'signals'), code, signal);
		await wherry.output('start', 'signals');
	}
	await wherry.output('stop', 'signals');
	for (const [args, message] of [
		[['kill', '-s', 'NOPE', 'signals'], 'Error: cannot kill container: signals: invalid signal: NOPE'],
		[['kill', '-s', '0', 'signals'], 'Error: cannot kill container: signals: invalid signal: 0'],
		[
			['kill', '-s', '99', 'signals'],
			'Error: cannot kill container: signals: the linux daemon does not support signal 99',
		],
		[['kill', 'signals'], /^Error: cannot kill container: signals: container [0-9a-f]{64} is not running$/],
		[['pause', 'signals'], /^Error: container [0-9a-f]{64} is not running$/],
		[['unpause', 'signals'], /^Error: container [0-9a-f]{64} is not paused$/],
		[['wait', 'nobody'], 'Error: No such container: nobody'],
	] as [string[], string | RegExp][]) {
		const {code, stderr} = await wherry.result(args);
		t.is(code, 1, args.join(' '));
		if (typeof message === 'string') t.is(stderr.trim(), message);
		else t.regex(stderr.trim(), message);
	}
	await wherry.output('rm', '-f', 'signals');
});

test('system boot starts what is to run and says what it could not; its unit comes and goes', async (t) => {
	// The others would be stopped, too.
	const wherry = host;
	const start = (name: string, ...args: string[]) =>
		wherry.output(
			'run',
			'-d',
			'--name',
			name,
			...quiet,
			'--stop-timeout',
			'0',
			...args,
			image,
			'sleep',
			'1000',
		);
	const source = join(wherry.folder, 'source');
	await start('comes', '--restart', 'always');
	await start('stays', '--restart', 'unless-stopped');
	await start('broken', '--restart', 'always', '-v', `${source}:/mnt`);
	await start('once');
	await wherry.output('stop', 'stays');
	t.deepEqual((await wherry.output('system', 'boot', '--stop')).split('\n').sort(), [
		'broken',
		'comes',
		'once',
	]);
	t.is(await wherry.output('ps', '-q'), '');
	// What the engine has recorded of a source that -v made is of the past.
	const record = join(
		wherry.root,
		'containers',
		await wherry.output('inspect', '-f', '{{.Id}}', 'broken'),
		'container.json',
	);
	t.true(existsSync(record));
	rmSync(source, {recursive: true});
	await wherry.output('rm', 'broken');
	t.is(await wherry.output('system', 'boot'), 'comes');
	t.is(await wherry.output('system', 'boot'), '');
	t.is(await wherry.output('ps', '--format', '{{.Names}}'), 'comes');

	const units = join(wherry.folder, 'units');
	const install = (...args: string[]) =>
		wherry.output('system', 'install-boot', '--unit-dir', units, ...args);
	t.regex(await install(), /^Installed .*units\/wherry-boot\.service: /);
	const unit = readFileSync(join(units, 'wherry-boot.service'), 'utf8');
	t.regex(unit, /^ExecStart="\/.*\/src\/wherry\.sh" system boot$/m);
	t.true(unit.includes(`"WHERRY_ROOT=${wherry.root}"`));
	t.regex(await install(), /is installed already\.$/);
	t.regex(await install('--remove'), /^Removed /);
	t.regex(await install('--remove'), /^There is no /);
	if (!existsSync('/run/systemd/system')) {
		const without = await wherry.result(['system', 'install-boot']);
		t.is(without.code, 1);
		t.regex(without.stderr, /^Error: systemd does not run on this host: /);
	}
	await wherry.output('rm', '-f', 'comes', 'stays', 'once');
});
