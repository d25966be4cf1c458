import {existsSync, readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {WherryError} from '../../../src/engine/errors.ts';
import {baseImage, pastEvents, runDetached, runToEnd, testEngine, textOf, until} from '../../setup/engine.ts';

const fixture = await testEngine();
const {engine} = fixture;
const {containers} = engine;
test.after.always('nothing is left', () => fixture.close());

test('output comes on both streams, and the exit code is the command’s', async (t) => {
	const result = await runToEnd(engine, ['sh', '-c', 'echo out; echo err >&2; exit 3']);
	t.is(result.stdout, 'out\n');
	t.is(result.stderr, 'err\n');
	t.is(result.code, 3);
	const {State, RestartCount} = await containers.inspect(result.id);
	t.like(State, {Status: 'exited', Running: false, ExitCode: 3, Pid: 0, Error: ''});
	t.is(RestartCount, 0);
	t.true(State.FinishedAt > State.StartedAt);
	await containers.remove(result.id);
});

test('stdin reaches the command, and its end ends it', async (t) => {
	const result = await runToEnd(engine, ['cat'], {input: `one\n${'x'.repeat(300_000)}\n`});
	t.is(result.stdout, `one\n${'x'.repeat(300_000)}\n`);
	t.is(result.code, 0);
});

test('a container that a signal ends has 128 and its number as its code', async (t) => {
	const result = await runToEnd(engine, ['sh', '-c', 'kill -9 $$']);
	// As process 1 of its namespace it is safe from its own signals.
	t.is(result.code, 0);
	const id = await runDetached(engine);
	const exit = containers.wait(id);
	await containers.kill(id);
	t.is((await exit).code, 137);
});

test('a command that is not there is 127, one that can’t run is 126, and both leave the container created', async (t) => {
	const start = async (Cmd: string[]) => {
		const {id} = await containers.create({image: baseImage, config: {Cmd}});
		const error = await t.throwsAsync<WherryError>(containers.start(id), {instanceOf: WherryError});
		t.like((await containers.inspect(id)).State, {Status: 'created', ExitCode: error!.exitCode!});
		t.deepEqual(existsSync(join(fixture.run, 'containers', id)), false);
		await containers.remove(id);
		return error!;
	};
	const missing = await start(['no-such-command']);
	t.is(missing.code, 'command');
	t.is(missing.exitCode, 127);
	t.regex(missing.message, /"no-such-command": executable file not found in \$PATH/);
	t.is((await start(['/etc'])).exitCode, 126);
});

test('a --rm container is gone with all that was its own when its command ends', async (t) => {
	const result = await runToEnd(engine, ['sh', '-c', 'echo x > /data/file; echo done'], {
		name: 'short-lived',
		config: {Volumes: {'/data': {}}},
		hostConfig: {AutoRemove: true},
	});
	t.is(result.stdout, 'done\n');
	await t.throwsAsync(containers.inspect(result.id), {message: `No such container: ${result.id}`});
	t.deepEqual(await engine.volumes.list(), []);
	t.false(readdirSync(join(fixture.root, 'containers')).some((name) => name.includes(result.id)));
	t.false(existsSync(join(fixture.root, 'names', 'short-lived')));
	const actions = (await pastEvents(engine))
		.filter((event) => event.Actor.ID === result.id)
		.map((event) => event.Action);
	t.deepEqual(actions, ['create', 'attach', 'start', 'die', 'destroy']);
});

test('a --rm container whose start fails is gone', async (t) => {
	const {id} = await containers.create({
		image: baseImage,
		config: {Cmd: ['no-such-command']},
		hostConfig: {AutoRemove: true},
	});
	await t.throwsAsync(containers.start(id), {code: 'command'});
	await t.throwsAsync(containers.inspect(id), {code: 'not-found'});
});

test('a container has a terminal when it asks for one', async (t) => {
	const {id} = await containers.create({
		image: baseImage,
		config: {Cmd: ['sh', '-c', 'stty size; test -t 0 && echo tty'], Tty: true, OpenStdin: true},
	});
	const session = await containers.start(id, {
		attach: {stdin: true, stdout: true, stderr: true, rows: 33, columns: 77},
	});
	const text = await textOf(session!.stdout);
	t.is(text, '33 77\r\ntty\r\n');
	t.is(await textOf(session!.stderr), '');
	await containers.remove(id);
});

test('two clients attached to one container both see its output, and one may leave', async (t) => {
	const id = await runDetached(engine, ['sh', '-c', 'read line; echo "got $line"; sleep 100'], {
		config: {OpenStdin: true},
	});
	const first = await containers.attach(id, {stdin: true, stdout: true, stderr: true});
	const second = await containers.attach(id, {stdout: true, stderr: true});
	const third = await containers.attach(id, {stdout: true});
	third.detach();
	await t.throwsAsync(third.exit, {code: 'cancelled'});
	first.stdin.write('hello\n');
	const seen = async (session: typeof first) => {
		for await (const chunk of session.stdout) return String(chunk);
		return '';
	};
	t.is(await seen(first), 'got hello\n');
	t.is(await seen(second), 'got hello\n');
	t.is((await containers.inspect(id)).State.Status, 'running');
	await containers.remove(id, {force: true});
});

test('exec runs in the container, with its own user, folder, environment and code', async (t) => {
	const id = await runDetached(engine, ['sleep', '1000'], {config: {Env: ['A=1']}});
	const session = await containers.exec(id, {
		argv: ['sh', '-c', 'cat; echo "$A $B $PWD $(id -u):$(id -g)"; hostname; exit 7'],
		env: ['B=2'],
		workingDir: '/tmp',
		user: '12:34',
		stdin: true,
		stdout: true,
		stderr: true,
	});
	session.stdin.end('from stdin\n');
	t.is(await textOf(session.stdout), `from stdin\n1 2 /tmp 12:34\n${id.slice(0, 12)}\n`);
	t.is((await session.exit).code, 7);
	await t.throwsAsync(containers.exec(id, {argv: ['no-such']}), {code: 'command'});
	const actions = (await pastEvents(engine))
		.filter((event) => event.Actor.ID === id && event.Action.startsWith('exec'))
		.map((event) => event.Action.replace(/: .*/s, ''));
	t.deepEqual(actions.slice(0, 3), ['exec_create', 'exec_start', 'exec_die']);
	await containers.remove(id, {force: true});
	await t.throwsAsync(containers.exec(id, {argv: ['true']}), {message: `No such container: ${id}`});
});

test('stop sends the stop signal, waits, and then kills', async (t) => {
	const polite = await runDetached(engine, ['sh', '-c', 'trap "exit 5" USR1; while :; do sleep 0.05; done'], {
		config: {StopSignal: 'SIGUSR1'},
	});
	await new Promise((resolve) => setTimeout(resolve, 200));
	await containers.stop(polite);
	t.is((await containers.inspect(polite)).State.ExitCode, 5);
	await containers.stop(polite);
	const deaf = await runDetached(engine, ['sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done'], {
		config: {StopSignal: 'SIGTERM'},
	});
	await containers.stop(deaf, {timeout: 0});
	t.is((await containers.inspect(deaf)).State.ExitCode, 137);
	await containers.remove(polite);
	await containers.remove(deaf);
});

test('a paused container is still until it is unpaused, and refuses what it can’t do', async (t) => {
	const id = await runDetached(engine);
	await containers.pause(id);
	t.is((await containers.inspect(id)).State.Status, 'paused');
	t.regex((await containers.list({filters: {id: [id]}}))[0]!.Status, /^Up .* \(Paused\)$/);
	await t.throwsAsync(containers.exec(id, {argv: ['true']}), {
		message: `container ${id} is paused, unpause the container before exec`,
	});
	await t.throwsAsync(containers.pause(id), {message: `container ${id} is already paused`});
	await t.throwsAsync(containers.remove(id), {code: 'conflict'});
	await containers.unpause(id);
	await t.throwsAsync(containers.unpause(id), {message: `container ${id} is not paused`});
	await containers.pause(id);
	await containers.remove(id, {force: true});
	await t.throwsAsync(containers.inspect(id), {code: 'not-found'});
});

test('restart gives a new process to the same container', async (t) => {
	const id = await runDetached(engine, ['sh', '-c', 'echo run >> /runs; sleep 1000']);
	const before = (await containers.inspect(id)).State.Pid;
	await containers.restart(id, {timeout: 0});
	const {State} = await containers.inspect(id);
	t.not(State.Pid, before);
	t.is(State.Status, 'running');
	const exec = await containers.exec(id, {argv: ['cat', '/runs'], stdout: true});
	t.is(await textOf(exec.stdout), 'run\nrun\n');
	await containers.remove(id, {force: true});
});

test('restart keeps a --rm container', async (t) => {
	const id = await runDetached(engine, ['sleep', '1000'], {hostConfig: {AutoRemove: true}});
	await containers.restart(id, {timeout: 0});
	t.is((await containers.inspect(id)).State.Status, 'running');
	await containers.stop(id, {timeout: 0});
	await t.throwsAsync(containers.inspect(id), {code: 'not-found'});
});

test('on-failure restarts as often as it says, and then it is over', async (t) => {
	const {id} = await containers.create({
		image: baseImage,
		config: {Cmd: ['sh', '-c', 'echo again; exit 4']},
		hostConfig: {RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 2}},
	});
	await containers.start(id);
	await until('it has given up', async () => (await containers.inspect(id)).State.Status === 'exited');
	const inspect = await containers.inspect(id);
	t.is(inspect.RestartCount, 2);
	t.is(inspect.State.ExitCode, 4);
	const lines: string[] = [];
	for await (const batch of containers.logs(id)) lines.push(...batch.map((entry) => entry.line));
	t.deepEqual(lines, ['again\n', 'again\n', 'again\n']);
	await containers.remove(id);
});

test('a container that always restarts ends when it is stopped', async (t) => {
	const {id} = await containers.create({
		image: baseImage,
		config: {Cmd: ['sh', '-c', 'exit 1']},
		hostConfig: {RestartPolicy: {Name: 'always', MaximumRetryCount: 0}},
	});
	await containers.start(id);
	await until('it has been restarted', async () => Number((await containers.inspect(id)).RestartCount) > 1);
	await containers.stop(id);
	t.is((await containers.inspect(id)).State.Status, 'exited');
	await containers.remove(id);
});

test('what is asked of a container that is not up is refused in docker’s words', async (t) => {
	const {id} = await containers.create({image: baseImage, config: {Cmd: ['true']}, name: 'idle'});
	await t.throwsAsync(containers.exec('idle', {argv: ['true']}), {message: `container ${id} is not running`});
	await t.throwsAsync(containers.pause('idle'), {message: `container ${id} is not running`});
	await t.throwsAsync(containers.kill('idle'), {
		message: `cannot kill container: idle: container ${id} is not running`,
	});
	await t.throwsAsync(containers.attach('idle', {stdout: true}), {
		message: 'You cannot attach to a stopped container, start it first',
	});
	await containers.stop('idle');
	t.is((await containers.wait('idle')).code, 0);
	await containers.remove('idle');
	await t.throwsAsync(containers.start('idle'), {message: 'No such container: idle', code: 'not-found'});
});

test('a running container is removed by force only', async (t) => {
	const id = await runDetached(engine, undefined, {name: 'busy'});
	await t.throwsAsync(containers.remove('busy'), {
		message:
			'cannot remove container "/busy": container is running: stop the container before removing or force remove',
	});
	await containers.remove('busy', {force: true});
	await t.throwsAsync(containers.resolve(id), {code: 'not-found'});
});

test('a name is one container’s, until it is renamed or removed', async (t) => {
	const {id} = await containers.create({image: baseImage, config: {Cmd: ['true']}, name: 'first'});
	await t.throwsAsync(containers.create({image: baseImage, config: {Cmd: ['true']}, name: 'first'}), {
		message: `Conflict. The container name "/first" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
	});
	await containers.rename('first', 'second');
	t.is(await containers.resolve('second'), id);
	t.is(await containers.resolve('/second'), id);
	t.is(await containers.resolve(id.slice(0, 10)), id);
	await t.throwsAsync(containers.resolve('first'), {message: 'No such container: first'});
	const other = await containers.create({image: baseImage, config: {Cmd: ['true']}, name: 'first'});
	await t.throwsAsync(containers.rename('first', 'second'), {code: 'conflict'});
	await t.throwsAsync(containers.rename('first', '-x'), {
		message:
			'Error when allocating new name: Invalid container name (/-x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
	});
	await containers.remove('second');
	await containers.remove(other.id);
});

test('a renamed --rm container takes only its own name along', async (t) => {
	const id = await runDetached(engine, undefined, {name: 'old-name', hostConfig: {AutoRemove: true}});
	await containers.rename(id, 'new-name');
	const other = await containers.create({image: baseImage, config: {Cmd: ['true']}, name: 'old-name'});
	await containers.stop('new-name', {timeout: 0});
	t.is(await containers.resolve('old-name'), other.id);
	t.deepEqual(readdirSync(join(fixture.root, 'names')).includes('new-name'), false);
	await containers.remove(other.id);
});

test('the host files are what the options say', async (t) => {
	const result = await runToEnd(engine, ['cat', '/etc/hostname', '/etc/hosts', '/etc/resolv.conf'], {
		config: {Hostname: 'somebody'},
		hostConfig: {Dns: ['10.1.2.3'], DnsSearch: ['example.org'], ExtraHosts: ['db:10.9.8.7']},
	});
	t.is(
		result.stdout,
		'somebody\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n10.9.8.7\tdb\nnameserver 10.1.2.3\nsearch example.org\n',
	);
	await containers.remove(result.id);
});

test('a container joins the network and the processes of another', async (t) => {
	const first = await runDetached(engine);
	const namespace = async (argv: string[], hostConfig: object) =>
		(await runToEnd(engine, argv, {hostConfig})).stdout;
	const exec = await containers.exec(first, {argv: ['readlink', '/proc/self/ns/net'], stdout: true});
	const own = await textOf(exec.stdout);
	const joined = await namespace(['readlink', '/proc/self/ns/net'], {NetworkMode: `container:${first}`});
	t.is(joined, own);
	const host = await namespace(['readlink', '/proc/self/ns/net'], {NetworkMode: 'host'});
	t.not(host, own);
	t.regex(await namespace(['ps'], {PidMode: `container:${first}`}), /sleep/);
	const {id} = await containers.create({
		image: baseImage,
		config: {Cmd: ['true']},
		hostConfig: {NetworkMode: `container:${first}`},
	});
	await containers.remove(first, {force: true});
	await t.throwsAsync(containers.start(id), {code: 'not-found'});
});

test('inspect has the state, the mounts and the configuration as docker names them', async (t) => {
	const id = await runDetached(engine, ['sleep', '50'], {
		name: 'seen',
		config: {Labels: {a: 'b'}},
		hostConfig: {Binds: ['/tmp:/host:ro'], Memory: 64 << 20},
	});
	const inspect = await containers.inspect('seen', {size: true});
	t.like(inspect, {
		Id: id,
		Name: '/seen',
		Path: 'sleep',
		Args: ['50'],
		Driver: 'overlay2',
		Platform: 'linux',
		Config: {Image: baseImage, Hostname: id.slice(0, 12), Labels: {a: 'b'}},
		HostConfig: {NetworkMode: 'none', Memory: 64 << 20, MemorySwap: 128 << 20},
		LogPath: join(fixture.root, 'containers', id, `${id}-json.log`),
	});
	t.deepEqual(inspect.Mounts, [
		{Type: 'bind', Source: '/tmp', Destination: '/host', Mode: 'ro', RW: false, Propagation: 'rprivate'},
	]);
	t.true(inspect.State.Pid > 0);
	t.is(typeof inspect.SizeRw, 'number');
	const config = JSON.parse(readFileSync(join(fixture.root, 'containers', id, 'config.json'), 'utf8'));
	t.deepEqual(config.process.args, ['sleep', '50']);
	await containers.remove(id, {force: true});
});

test('ps lists what is up, and with filters what they ask for', async (t) => {
	const up = await runDetached(engine, ['sleep', '60'], {name: 'list-up', config: {Labels: {group: 'list'}}});
	const {id: made} = await containers.create({
		image: baseImage,
		config: {Cmd: ['true'], Labels: {group: 'list', extra: ''}},
		name: 'list-made',
	});
	const names = async (options: Parameters<typeof containers.list>[0]) =>
		(await containers.list(options))
			.filter((row) => row.Labels.group === 'list')
			.map((row) => row.Names[0])
			.sort();
	t.deepEqual(await names({}), ['/list-up']);
	t.deepEqual(await names({all: true}), ['/list-made', '/list-up']);
	t.deepEqual(await names({filters: {status: ['created']}}), ['/list-made']);
	t.deepEqual(await names({all: true, filters: {label: ['extra']}}), ['/list-made']);
	t.deepEqual(await names({all: true, filters: {name: ['^list-u']}}), ['/list-up']);
	t.deepEqual(await names({all: true, filters: {id: [made.slice(0, 12)]}}), ['/list-made']);
	t.deepEqual(await names({all: true, filters: {ancestor: [baseImage]}}), ['/list-made', '/list-up']);
	t.deepEqual(await names({all: true, filters: {since: [up]}}), ['/list-made']);
	await t.throwsAsync(containers.list({filters: {nonsense: ['1']}}), {message: "invalid filter 'nonsense'"});
	const row = (await containers.list({all: true})).find(({Id}) => Id === up)!;
	t.like(row, {Image: baseImage, Command: 'sleep 60', State: 'running'});
	t.regex(row.Status, /^Up /);
	await containers.remove(up, {force: true});
	await containers.remove(made);
});

test('the plan of a container is text that names its operations', async (t) => {
	const text = await containers.plan({image: baseImage, config: {Cmd: ['echo', 'hi']}});
	t.regex(text, /^init:$/m);
	t.regex(text, /exec argv=\[echo hi\]/);
	t.regex(text, /removeCgroup path=\S+/);
});

test('a log is followed while the container runs, over its restarts, until it has ended', async (t) => {
	const {id} = await containers.create({
		image: baseImage,
		config: {Cmd: ['sh', '-c', 'echo one; sleep 0.1; echo two; exit 1']},
		hostConfig: {RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 1}},
	});
	await containers.start(id);
	const lines: string[] = [];
	for await (const batch of containers.logs(id, {follow: true}))
		lines.push(...batch.map((entry) => entry.line));
	t.deepEqual(lines, ['one\n', 'two\n', 'one\n', 'two\n']);
	await containers.remove(id, {force: true});
});

test('a log is bounded as the options say, and none is none', async (t) => {
	const bounded = await runToEnd(
		engine,
		['sh', '-c', 'i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done'],
		{
			hostConfig: {LogConfig: {Type: 'json-file', Config: {'max-size': '20k', 'max-file': '3'}}},
		},
	);
	const files = readdirSync(join(fixture.root, 'containers', bounded.id)).filter((name) =>
		/-json\.log(\.\d+)?$/.test(name),
	);
	t.deepEqual(
		files.sort(),
		['', '.1', '.2'].map((end) => `${bounded.id}-json.log${end}`),
	);
	const lines: string[] = [];
	for await (const batch of containers.logs(bounded.id, {tail: 3}))
		lines.push(...batch.map((entry) => entry.line));
	t.deepEqual(lines, ['line 1997\n', 'line 1998\n', 'line 1999\n']);
	const none = await runToEnd(engine, ['echo', 'unseen'], {
		hostConfig: {LogConfig: {Type: 'none', Config: {}}},
	});
	t.is(none.stdout, 'unseen\n');
	await t.throwsAsync(containers.logs(none.id)[Symbol.asyncIterator]().next(), {
		message: 'configured logging driver does not support reading',
	});
	await containers.remove(bounded.id);
	await containers.remove(none.id);
});

test('limits that make no sense are refused, and nothing is made', async (t) => {
	const count = (await containers.list({all: true, filters: {name: ['^refused']}})).length;
	const refused = (hostConfig: object, message: string | RegExp) =>
		t.throwsAsync(
			containers.create({image: baseImage, name: 'refused', config: {Cmd: ['true']}, hostConfig}),
			{
				message,
				code: 'invalid',
			},
		);
	await refused({Memory: 1 << 20}, 'Minimum memory limit allowed is 6MB');
	await refused({NanoCpus: 1e15}, /^range of CPUs is from 0\.01 to/);
	await refused({OomScoreAdj: 2000}, /oom score/i);
	t.is((await containers.list({all: true, filters: {name: ['^refused']}})).length, count);
	await t.throwsAsync(containers.create({image: 'no-such-image', config: {Cmd: ['true']}}), {
		code: 'not-found',
		message: 'No such image: no-such-image:latest',
	});
});

test('a container makes the node of the host’s disk and can’t open it', async (t) => {
	// The disk under /: its number as the kernel encodes it for user space (glibc's makedev).
	const device = statSync('/').dev;
	const disk = `${(device >> 8) & 0xfff} ${(device & 0xff) | ((device >> 12) & 0xfff00)}`;
	// Some hosts keep even their own root from their disk; the first loop device shows that it is the container's filter.
	const open = (numbers: string) => `mknod /disk b ${numbers} && echo made; head -c 0 /disk && echo opened`;
	for (const numbers of [disk, '7 0']) {
		const result = await runToEnd(engine, ['sh', '-c', open(numbers)]);
		t.is(result.stdout, 'made\n');
		t.regex(result.stderr, /Operation not permitted/);
	}
	const privileged = await runToEnd(engine, ['sh', '-c', open('7 0')], {hostConfig: {Privileged: true}});
	t.is(privileged.stdout, 'made\nopened\n', privileged.stderr);
});

test('a memory limit kills, and says so', async (t) => {
	const {id} = await containers.create({
		image: baseImage,
		config: {Cmd: ['sh', '-c', 'tail /dev/zero']},
		hostConfig: {Memory: 16 << 20},
	});
	await containers.start(id);
	const exit = await containers.wait(id);
	t.true(exit.oomKilled);
	t.true((await containers.inspect(id)).State.OOMKilled);
	await containers.remove(id);
});
