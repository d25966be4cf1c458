import {spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();
const image = 'wherry/base';
const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;

/** Runs with a text on stdin. */
async function withInput(input: string, ...args: string[]): Promise<{stdout: string; code: number | null}> {
	const child = spawn(launcher, args, {env: wherry.env, stdio: ['pipe', 'pipe', 'inherit']});
	let stdout = '';
	child.stdout.setEncoding('utf8').on('data', (text) => {
		stdout += text;
	});
	child.stdin.end(input);
	const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
	return {stdout, code};
}

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

test('a command runs, its streams stay apart, its status is ours, and --rm leaves nothing', async (t) => {
	const result = await wherry.result(['run', '--rm', image, 'sh', '-c', 'echo hi; echo no >&2; exit 7']);
	t.like(result, {code: 7, stdout: 'hi\n', stderr: 'no\n'});
});

test("a container's death by a signal is 128 and the signal", async (t) => {
	t.is((await wherry.result(['run', '--rm', '--init', image, 'sh', '-c', 'kill -KILL $$'])).code, 137);
});

test('a command that is not there is 127, one that cannot run is 126, and neither leaves a container with --rm', async (t) => {
	const missing = await wherry.result(['run', '--rm', '--name', 'missing', image, 'no-such-command']);
	t.is(missing.code, 127);
	t.regex(missing.stderr, /^wherry: Error: .*exec: "no-such-command": executable file not found in \$PATH/);
	t.regex(missing.stderr, /\n\nRun 'wherry run --help' for more information\n$/);
	const folder = await wherry.result(['run', '--rm', '--name', 'missing', image, '/etc']);
	t.is(folder.code, 126);
	t.notRegex(await wherry.output('ps', '-a', '--format', '{{.Names}}'), /missing/);
});

test("what the engine refuses is 125 in docker's shape", async (t) => {
	const memory = await wherry.result(['run', '--rm', '-m', '1m', image, 'true']);
	t.like(memory, {
		code: 125,
		stderr:
			"wherry: Error: Minimum memory limit allowed is 6MB\n\nRun 'wherry run --help' for more information\n",
	});
	const unknown = await wherry.result(['run', '--rm', '--pull', 'never', 'no-such-image', 'true']);
	t.like(unknown, {
		code: 125,
		stderr:
			"wherry: Error: No such image: no-such-image:latest\n\nRun 'wherry run --help' for more information\n",
	});
	// The same from create has status 1.
	t.is((await wherry.result(['create', '--pull', 'never', 'no-such-image'])).code, 1);
	t.is((await wherry.result(['run', 'UPPER'])).code, 125);
});

test('an unknown registry is said after the image was looked for', async (t) => {
	const {code, stderr} = await wherry.result(['run', '--rm', '127.0.0.1:1/x/y', 'true']);
	t.is(code, 125);
	t.regex(stderr, /^Unable to find image '127\.0\.0\.1:1\/x\/y:latest' locally\n/);
	t.regex(stderr, /wherry: Error: /);
});

test('stdin reaches the command with -i and ends there', async (t) => {
	const big = `${'x'.repeat(99)}\n`.repeat(20_000);
	t.like(await withInput('one\ntwo\n', 'run', '-i', '--rm', image, 'cat'), {stdout: 'one\ntwo\n', code: 0});
	t.like(await withInput(big, 'run', '-i', '--rm', image, 'wc', '-c'), {stdout: `${big.length}\n`, code: 0});
	t.like(await withInput('ignored', 'run', '--rm', image, 'cat'), {stdout: '', code: 0});
});

test('a terminal is refused to who has none', async (t) => {
	const {code, stderr} = await wherry.result(['run', '--rm', '-it', image, 'sh']);
	t.like({code, stderr}, {code: 1, stderr: 'the input device is not a TTY\n'});
});

test('variables, files of variables, names, users, folders arrive', async (t) => {
	const file = join(wherry.folder, 'variables');
	writeFileSync(file, '# none\nA=from file\nB=1\n');
	const {stdout} = await wherry.result([
		...[
			'run',
			'--rm',
			'--env-file',
			file,
			'-e',
			'B=2',
			'-e',
			'WHERRY_ROOT',
			'-h',
			'box',
			'-u',
			'5:7',
			'-w',
			'/made/here',
		],
		...[image, 'sh', '-c', 'echo "$A|$B|$WHERRY_ROOT|$(hostname)|$(id -u):$(id -g)|$(pwd)"'],
	]);
	t.is(stdout, `from file|2|${wherry.root}|box|5:7|/made/here\n`);
});

test("a user's NODE_OPTIONS are handed on, not obeyed", async (t) => {
	const child = spawn(
		launcher,
		['run', '--rm', '-e', 'NODE_OPTIONS', image, 'sh', '-c', 'echo "$NODE_OPTIONS"'],
		{
			env: {...wherry.env, NODE_OPTIONS: '--require /no/such/file.js'},
			stdio: ['ignore', 'pipe', 'inherit'],
		},
	);
	let stdout = '';
	child.stdout.setEncoding('utf8').on('data', (text) => {
		stdout += text;
	});
	t.is(await new Promise((resolve) => child.on('close', resolve)), 0);
	t.is(stdout, '--require /no/such/file.js\n');
});

test('binds, volumes, tmpfs and --mount are there with their options', async (t) => {
	const folder = join(wherry.folder, 'bind');
	mkdirSync(folder);
	writeFileSync(join(folder, 'file'), 'here\n');
	const {stdout, stderr} = await wherry.result([
		...['run', '--rm', '-v', `${folder}:/bind:ro`, '-v', 'kept:/kept', '--tmpfs', '/scratch:size=1m'],
		...['--mount', `type=bind,src=${folder},dst=/other`, '-v', `${wherry.folder}/made:/made`],
		...[
			image,
			'sh',
			'-c',
			'cat /bind/file; touch /bind/x || echo read-only; echo data >/kept/d; touch /other/y; grep -c " /scratch tmpfs" /proc/mounts',
		],
	]);
	t.is(stdout, 'here\nread-only\n1\n', stderr);
	t.true(existsSync(join(folder, 'y')));
	t.true(statSync(join(wherry.folder, 'made')).isDirectory());
	t.is(await wherry.output('run', '--rm', '-v', 'kept:/k', image, 'cat', '/k/d'), 'data');
	t.is(await wherry.output('volume', 'ls', '-q'), 'kept');
	t.is(await wherry.output('volume', 'rm', 'kept'), 'kept');
});

test('--cidfile has the id, and an old one stops the run', async (t) => {
	const file = join(wherry.folder, 'cid');
	const id = await wherry.output('run', '-d', '--rm', '--cidfile', file, image, 'sleep', '100');
	t.is(readFileSync(file, 'utf8'), id);
	t.like(await wherry.result(['run', '--cidfile', file, image, 'true']), {
		code: 125,
		stderr: `wherry: container ID file found, make sure the other container isn't running or delete ${file}\n\nRun 'wherry run --help' for more information\n`,
	});
	await wherry.output('rm', '-f', id);
});

test('a signal to a foreground run goes to the container', async (t) => {
	const child = wherry.spawn(
		'run',
		'--rm',
		'--name',
		'signalled',
		image,
		'sh',
		'-c',
		'trap "echo got; exit 9" TERM; echo ready; while :; do sleep 0.05; done',
	);
	let stdout = '';
	child.stdout!.setEncoding('utf8').on('data', (text: string) => {
		stdout += text;
		if (text.includes('ready')) child.kill('SIGTERM');
	});
	t.is(await new Promise((resolve) => child.on('close', resolve)), 9);
	t.is(stdout, 'ready\ngot\n');
});

test('a container can be told from a host, and the mark is not a change', async (t) => {
	await wherry.output('run', '--name', 'marked', image, 'test', '-f', '/.dockerenv');
	t.regex(await wherry.output('ps', '-asf', 'name=marked', '--format', '{{.Size}}'), /^0B /);
});

test('every container has /etc/mtab, which is none of its changes and in no image', async (t) => {
	const read = ['readlink', '/etc/mtab'];
	t.is(await wherry.output('run', '--name', 'mtab', image, ...read), '/proc/mounts');
	t.is(await wherry.output('diff', 'mtab'), '');
	await wherry.output('commit', 'mtab', 'of-mtab');
	const root = await wherry.output('inspect', '-f', '{{.GraphDriver.Data.LowerDir}}', 'of-mtab');
	for (const layer of root.split(':')) t.false(existsSync(join(layer, 'etc/mtab')), layer);
	t.is(
		await wherry.output('create', '--name', 'mtab-made', '--read-only', 'of-mtab', ...read),
		await wherry.output('inspect', '-f', '{{.Id}}', 'mtab-made'),
	);
	await wherry.output('cp', 'mtab-made:/etc/mtab', join(wherry.folder, 'mtab'));
	t.is(readlinkSync(join(wherry.folder, 'mtab')), '/proc/mounts');
	t.is(await wherry.output('start', '-a', 'mtab-made'), '/proc/mounts');
});

test('a container with a terminal is followed by who has none, to its end', (t) => {
	const docker = (...args: string[]) =>
		spawnSync(launcher, args, {env: wherry.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});
	docker('create', '-it', '--name', 'job', image, 'sh', '-c', 'sleep 0.5; echo out; exit 4');
	const {status, stdout} = docker('start', '-ai', 'job');
	t.deepEqual([status, stdout], [4, 'out\r\n']);
});

test('a tmpfs has the propagation that is asked for', async (t) => {
	const fields = (word: string) =>
		wherry.output('run', '--rm', '--tmpfs', `/tmp:${word}`, image, 'grep', ' /tmp ', '/proc/self/mountinfo');
	t.regex(await fields('shared,size=1m'), / shared:\d+ /);
	t.notRegex(await fields('private'), / (?:shared|master):\d+ /);
});

test("a mount at /dev/shm is instead of the usual one, and a domain name is not given to the host's", async (t) => {
	const grep = [image, 'grep', '/dev/shm', '/proc/mounts'];
	const mounts = await wherry.output('run', '--rm', '--tmpfs', '/dev/shm:rw,exec,size=1m', ...grep);
	t.is(mounts, 'tmpfs /dev/shm tmpfs rw,nosuid,nodev,relatime,size=1024k 0 0');
	const host = ['--uts', 'host', '--domainname', 'example.com'];
	const {code, stderr} = await wherry.result(['run', '--rm', ...host, image, 'true']);
	t.is(code, 125);
	t.regex(stderr, /sysctl "kernel\.domainname" is not in a separate kernel namespace/);
});

test('an output that takes no more is said in one line', (t) => {
	for (const args of [['--version'], ['version'], ['images']]) {
		const {status, stderr} = spawnSync('sh', ['-c', '"$0" "$@" > /dev/full', launcher, ...args], {
			env: wherry.env,
			encoding: 'utf8',
		});
		t.deepEqual([status, stderr], [1, 'write /dev/stdout: no space left on device\n'], args[0]);
	}
});

test("a container in another's pid namespace sees its processes, and none of the host's", async (t) => {
	await wherry.output('run', '-d', '--name', 'peer', image, 'sleep', '1000');
	const {stdout} = await wherry.result([
		...['run', '--rm', '--pid', 'container:peer', image, 'sh', '-c'],
		'tr "\\0" " " </proc/1/cmdline; echo; ls -d /proc/[0-9]* | wc -l; [ -d /proc/$$ ] && echo here',
	]);
	const [first, count, here] = stdout.split('\n');
	t.is(first, 'sleep 1000 ');
	t.true(Number(count) <= 5, count);
	t.is(here, 'here');
});

test('the cgroups are shown and nothing there can be written', async (t) => {
	const {stdout} = await wherry.result([
		...['run', '--rm', image, 'sh', '-c'],
		'ls /sys/fs/cgroup | head -n 1 | grep -c .; mkdir /sys/fs/cgroup/x 2>&1; true',
	]);
	t.regex(stdout, /^1\n.*Read-only file system\n$/);
});

test('an exec as a user that is not there cannot be invoked', async (t) => {
	await wherry.output('run', '-d', '--name', 'users', image, 'sleep', '1000');
	t.like(await wherry.result(['exec', '-u', 'nobody-here', 'users', 'true']), {
		code: 126,
		stderr: 'Error: unable to find user nobody-here: no matching entries in passwd file\n',
	});
});
