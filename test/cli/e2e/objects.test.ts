import test from 'ava';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();
const image = 'wherry/base';

test.before(async () => {
	await wherry.output('create', '--name', 'first-of-all', image, 'true');
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

test('ps shows what runs, -a what has ended, with filters, formats and limits', async (t) => {
	const id = await wherry.output('run', '-d', '--name', 'listed', '-l', 'group=list', image, 'sleep', '100');
	await wherry.result(['run', '--name', 'ended', '-l', 'group=list', image, 'sh', '-c', 'exit 3']);
	const of = ['-f', 'label=group=list'];
	t.regex(
		await wherry.output('ps', ...of),
		/^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n.* "sleep 100" .* Up .* listed$/,
	);
	t.is(await wherry.output('ps', ...of, '-q', '--no-trunc'), id);
	t.is(
		await wherry.output('ps', '-a', ...of, '--format', '{{.Names}} {{.State}}'),
		'ended exited\nlisted running',
	);
	t.regex(
		await wherry.output('ps', '-a', ...of, '-f', 'status=exited', '--format', '{{.Status}}'),
		/^Exited \(3\) .* ago$/,
	);
	t.is(await wherry.output('ps', '-a', ...of, '--format', 'table {{.Names}}'), 'NAMES\nended\nlisted');
	t.is((JSON.parse(await wherry.output('ps', ...of, '--format', 'json')) as {Names: string}).Names, 'listed');
	t.is((await wherry.output('ps', '-n', '1', '-q')).length, 12);
	const wrong = await wherry.result(['ps', '--format', '{{.Nope}}']);
	t.is(wrong.code, 1);
	t.regex(wrong.stderr, /can't evaluate field Nope in type \*formatter\.ContainerContext/);
	await wherry.output('rm', '-f', 'listed', 'ended');
});

test('with several objects the good ones are done and the bad ones said', async (t) => {
	await wherry.output('create', '--name', 'one', image, 'true');
	await wherry.output('create', '--name', 'two', image, 'true');
	t.like(await wherry.result(['rm', 'one', 'nothing', 'two', 'nowhere']), {
		code: 1,
		stdout: 'one\ntwo\n',
		stderr: 'Error: No such container: nothing\nError: No such container: nowhere\n',
	});
	t.like(await wherry.result(['rm', '-f', 'nothing']), {
		code: 0,
		stdout: '',
		stderr: 'Error: No such container: nothing\n',
	});
	t.like(await wherry.result(['kill', 'nothing']), {
		code: 1,
		stderr: 'Error: cannot kill container: nothing: No such container: nothing\n',
	});
	t.like(await wherry.result(['start', 'nothing', 'nowhere']), {
		code: 1,
		stderr:
			'Error: No such container: nothing\nError: No such container: nowhere\nError: failed to start containers: nothing, nowhere\n',
	});
	for (const verb of ['stop', 'restart', 'wait', 'pause', 'unpause', 'logs']) {
		t.like(
			await wherry.result([verb, 'nothing']),
			{code: 1, stdout: '', stderr: 'Error: No such container: nothing\n'},
			verb,
		);
	}
});

test('a name can be taken only once, and a running container is not removed without force', async (t) => {
	await wherry.output('run', '-d', '--name', 'taken', image, 'sleep', '100');
	const again = await wherry.result(['create', '--name', 'taken', image]);
	t.is(again.code, 1);
	t.regex(
		again.stderr,
		/^Error: Conflict\. The container name "\/taken" is already in use by container "[0-9a-f]{64}"/,
	);
	t.regex((await wherry.result(['run', '--name', 'taken', image])).stderr, /^wherry: Error: Conflict\./);
	const kept = await wherry.result(['rm', 'taken']);
	t.is(kept.code, 1);
	t.regex(kept.stderr, /^Error: cannot remove container "\/?taken": container is running/);
	await wherry.output('rename', 'taken', 'renamed');
	t.is(await wherry.output('rm', '-f', 'renamed'), 'renamed');
});

test('a container goes through its life', async (t) => {
	await wherry.output(
		'create',
		'--name',
		'life',
		image,
		'sh',
		'-c',
		'trap "exit 5" TERM; while :; do sleep 0.05; done',
	);
	const state = () => wherry.output('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'life');
	t.is(await state(), 'created 0');
	t.is(await wherry.output('start', 'life'), 'life');
	t.is(await wherry.output('pause', 'life'), 'life');
	t.is(await state(), 'paused 0');
	t.is(await wherry.output('unpause', 'life'), 'life');
	const waiting = wherry.output('wait', 'life');
	t.is(await wherry.output('stop', 'life'), 'life');
	t.is(await waiting, '5');
	t.is(await state(), 'exited 5');
	t.is(await wherry.output('restart', 'life'), 'life');
	t.is(await wherry.output('kill', '-s', 'KILL', 'life'), 'life');
	t.is(await wherry.output('wait', 'life'), '137');
	await wherry.output('rm', 'life');
});

test('exec has its own status, streams, user, folder and variables', async (t) => {
	await wherry.output('run', '-d', '--name', 'host', image, 'sleep', '100');
	t.like(
		await wherry.result([
			'exec',
			'-u',
			'3',
			'-w',
			'/tmp',
			'-e',
			'A=b',
			'host',
			'sh',
			'-c',
			'echo "$(id -u) $(pwd) $A"; echo no >&2; exit 4',
		]),
		{
			code: 4,
			stdout: '3 /tmp b\n',
			stderr: 'no\n',
		},
	);
	t.is((await wherry.result(['exec', 'host', 'no-such-command'])).code, 127);
	t.is((await wherry.result(['exec', 'host', '/etc'])).code, 126);
	t.is(await wherry.output('exec', '-d', 'host', 'touch', '/tmp/touched'), '');
	await wherry.output('rm', '-f', 'host');
	t.like(await wherry.result(['exec', 'first-of-all', 'true']), {code: 1, stdout: ''});
});

test('logs are the streams that were written, from where one asks', async (t) => {
	await wherry.result([
		'run',
		'--name',
		'talk',
		image,
		'sh',
		'-c',
		'for i in 1 2 3 4; do echo line $i; done; sleep 0.3; echo bad >&2',
	]);
	t.like(await wherry.result(['logs', 'talk']), {
		stdout: 'line 1\nline 2\nline 3\nline 4\n',
		stderr: 'bad\n',
		code: 0,
	});
	t.is((await wherry.result(['logs', '-n', '2', 'talk'])).stdout, 'line 4\n');
	t.regex(
		(await wherry.result(['logs', '-t', '--tail', '2', 'talk'])).stdout,
		/^\d{4}-\d\d-\d\dT[\d:]+\.\d{9}Z line 4\n$/,
	);
	t.is((await wherry.result(['logs', '--since', '1h', '--until', '30m', 'talk'])).stdout, '');
	t.is((await wherry.result(['logs', '-f', 'talk'])).stdout, 'line 1\nline 2\nline 3\nline 4\n');
	t.regex((await wherry.result(['logs', '--since', 'soon', 'talk'])).stderr, /^invalid value for "since": /);
	await wherry.output('rm', 'talk');
});

test('inspect shows what is there and then says what is not', async (t) => {
	const both = await wherry.result(['inspect', 'first-of-all', 'nothing', image]);
	t.is(both.code, 1);
	t.is(both.stderr, 'Error: No such object: nothing\n');
	const shown = JSON.parse(both.stdout) as {Name?: string; RepoTags?: string[]}[];
	t.is(shown.length, 2);
	t.is(shown[0]!.Name, '/first-of-all');
	// Another test tags it meanwhile.
	t.true((shown[1]!.RepoTags as string[]).includes('wherry/base:latest'));
	t.true(both.stdout.startsWith('[\n    {\n        "Id": "'));
	t.like(await wherry.result(['inspect', 'nothing']), {code: 1, stdout: '[]\n'});
	t.like(await wherry.result(['container', 'inspect', 'nothing']), {
		code: 1,
		stderr: 'Error: No such container: nothing\n',
	});
	t.like(await wherry.result(['inspect', '-f', '{{.Nope}}', 'first-of-all']), {
		code: 1,
		stdout: '\n',
		stderr:
			'template parsing error: template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"\n',
	});
	t.is((await wherry.result(['inspect', '-f', '{{', 'first-of-all'])).code, 64);
	t.is((await wherry.result(['inspect', '--type', 'nonsense', 'first-of-all'])).code, 1);
});

test('images can be listed, tagged and removed', async (t) => {
	await wherry.output('tag', image, 'localhost:5000/other/name:v1');
	t.regex(
		await wherry.output('images', 'localhost:5000/other/name'),
		/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\nlocalhost:5000\/other\/name +v1 /,
	);
	t.is(await wherry.output('images', '--format', '{{.Repository}}:{{.Tag}}', image), 'wherry/base:latest');
	t.is(await wherry.output('rmi', 'localhost:5000/other/name:v1'), 'Untagged: localhost:5000/other/name:v1');
	t.like(await wherry.result(['rmi', 'nothing']), {
		code: 1,
		stderr: 'Error: No such image: nothing:latest\n',
	});
	t.like(await wherry.result(['pull', 'UPPER']), {code: 1, stdout: ''});
	t.regex((await wherry.result(['pull', '127.0.0.1:1/x'])).stderr, /^Error: /);
});

test('events are told as they were, in docker lines and JSON', async (t) => {
	await wherry.result(['run', '--rm', '--name', 'eventful', image, 'true']);
	const of = ['events', '--since', '5m', '--until', '0s', '-f', 'container=eventful'];
	const actions = await wherry.output(...of, '--format', '{{.Action}}');
	t.deepEqual(actions.split('\n'), ['create', 'attach', 'start', 'die', 'destroy']);
	t.regex(
		await wherry.output(...of, '-f', 'event=die'),
		/^\d{4}-\S+ container die [0-9a-f]{64} \(execDuration=\d+, exitCode=0, image=wherry\/base, name=eventful\)$/,
	);
	const [first] = (await wherry.output(...of, '--format', 'json')).split('\n');
	t.like(JSON.parse(first!), {status: 'create', Type: 'container', Action: 'create', scope: 'local'});
});

test('volumes are made, listed, shown and removed', async (t) => {
	t.is(await wherry.output('volume', 'create', '--label', 'a=b', 'named'), 'named');
	t.regex(await wherry.output('volume', 'ls'), /^DRIVER +VOLUME NAME\nlocal +named$/);
	t.is(await wherry.output('volume', 'inspect', '-f', '{{.Labels}}', 'named'), 'map[a:b]');
	t.like(await wherry.result(['volume', 'rm', 'named', 'nothing']), {
		code: 1,
		stdout: 'named\n',
		stderr: 'Error: get nothing: no such volume\n',
	});
});

test('help, versions and plans', async (t) => {
	// Help that nobody asked for is no output.
	const bare = await wherry.result([]);
	t.like(bare, {code: 0, stdout: ''});
	t.regex(bare.stderr, /^Usage: {2}wherry \[OPTIONS\] COMMAND[\s\S]*Common Commands:[\s\S]*\n {2}run /);
	t.is(`${await wherry.output('--help')}\n`, bare.stderr);
	t.like(await wherry.result(['help', 'nonsense']), {code: 1, stderr: 'unknown help topic: nonsense\n'});
	t.regex(await wherry.output('ps', '--help'), /^Usage: {2}wherry ps \[OPTIONS\][\s\S]*-a, --all/);
	t.is(await wherry.output('help', 'ps'), await wherry.output('ps', '--help'));
	t.regex(await wherry.output('--version'), /^wherry version \d/);
	t.is(await wherry.output('version', '--format', '{{.Client.Os}}'), 'linux');
	t.regex(await wherry.output('info'), /\n Storage Driver: (overlay2|copy)\n/);
	t.regex(await wherry.output('debug', 'plan', image, 'echo'), /\bexec/);
	t.regex(await wherry.output('completion', 'bash'), /complete .* wherry/);
	const refused = 'is not supported: it is a part of Swarm, and wherry runs containers on this host only';
	for (const line of [['swarm'], ['swarm', 'init']]) {
		t.like(await wherry.result(line), {
			code: 1,
			stdout: '',
			stderr: `wherry: 'wherry ${line.join(' ')}' ${refused}\n`,
		});
	}
});
