/** `logs`, and what of it `run` and `create` are asked for, as scripts see them. */
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();
const image = 'wherry/base';
const quiet = ['--network', 'none'];

test.before(async () => {
	await wherry.output('create', '--name', 'first-of-all', image, 'true');
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

const run = (name: string, script: string, ...options: string[]) =>
	wherry.output('run', '-d', '--name', name, ...quiet, ...options, image, 'sh', '-c', script);
const logs = (...args: string[]) => wherry.result(['logs', ...args]);

interface Follower {
	text: string;
	done: Promise<number | null>;
	kill: () => void;
}

function follow(...args: string[]): Follower {
	const child = wherry.spawn('logs', '-f', ...args);
	const follower: Follower = {
		text: '',
		done: new Promise((resolve) => child.on('close', resolve)),
		kill: () => child.kill(),
	};
	for (const stream of [child.stdout!, child.stderr!]) {
		stream.setEncoding('utf8').on('data', (text) => {
			follower.text += text;
		});
	}
	return follower;
}

async function until(follower: Follower, wanted: RegExp): Promise<void> {
	for (const end = Date.now() + 60_000; !wanted.test(follower.text); await sleep(10))
		if (Date.now() > end) throw new Error(`never printed ${wanted}, but ${follower.text}`);
}

test('following goes on with what is written, over a restart by policy, and ends with the container', async (t) => {
	const script = 'if test -e /second; then echo two; exit 0; fi; touch /second; echo one; sleep 0.3; exit 3';
	await run('back', script, '--restart', 'on-failure');
	const all = follow('back');
	t.is(await all.done, 0);
	t.is(all.text, 'one\ntwo\n');
	await run('stays', 'echo up; sleep 1000');
	const follower = follow('stays');
	await until(follower, /up\n/);
	await wherry.output('rm', '-f', 'stays');
	t.is(await follower.done, 0);
	t.is(follower.text, 'up\n');
});

test('following reads several thousand lines whole while they are written and rotated', async (t) => {
	const options = ['--log-opt', 'max-size=20k', '--log-opt', 'max-file=1000'];
	await run(
		'many',
		'echo 0; while ! test -e /go; do sleep 0.01; done; seq 1 4000; seq 4001 8000 >&2',
		...options,
	);
	const follower = follow('many');
	await until(follower, /^0$/m);
	await wherry.output('exec', 'many', 'touch', '/go');
	t.is(await follower.done, 0);
	const numbers = follower.text.trim().split('\n').map(Number);
	t.is(numbers.length, 8001);
	t.is(new Set(numbers).size, 8001);
	const read = await logs('many');
	t.is(read.stdout, Array.from({length: 4001}, (_, index) => `${index}\n`).join(''));
	t.regex(read.stderr, /^4001\n[\s\S]*\n8000\n$/);
	t.is((await logs('-n', '3', 'many')).stderr, '7998\n7999\n8000\n');
});

test('long lines, bytes that are no text, and an end without a newline come back as they were', async (t) => {
	const script = [
		'head -c 1000000 /dev/zero | tr "\\0" x; echo',
		'echo error only >&2',
		'printf "caf\\303\\251 \\n"',
		'printf end',
	].join('; ');
	await run('odd', script);
	t.is(await wherry.output('wait', 'odd'), '0');
	t.like(await logs('odd'), {stdout: `${'x'.repeat(1e6)}\ncafé \nend`, stderr: 'error only\n'});
	t.is((await logs('--tail', '1', 'odd')).stdout, 'end');
	const file = await wherry.output('inspect', '-f', '{{.LogPath}}', 'odd');
	const lines = readFileSync(file, 'utf8').trim().split('\n');
	t.true(lines.every((line) => Object.keys(JSON.parse(line) as object).join() === 'log,stream,time'));
	await run('raw', 'printf "a\\377b\\n"', '--log-driver', 'local');
	await wherry.output('wait', 'raw');
	const folder = execFileSync(new URL('../../../src/wherry.sh', import.meta.url).pathname, ['logs', 'raw'], {
		env: wherry.env,
	});
	t.deepEqual([...folder], [0x61, 0xff, 0x62, 0x0a]);
	await run('tty', 'echo line; echo error >&2', '-t');
	await wherry.output('wait', 'tty');
	t.like(await logs('tty'), {stdout: 'line\r\nerror\r\n', stderr: ''});
});

test('times and attributes are shown and asked for in every form', async (t) => {
	const asked = ['--log-opt', 'labels=side', '--log-opt', 'env-regex=^SH', '--log-opt', 'tag={{.Name}}'];
	await run('timed', 'echo one; sleep 0.2; echo two', ...asked, '-l', 'side=port', '-e', 'SHIP=a b');
	await wherry.output('wait', 'timed');
	t.is((await logs('--details', '-n', '1', 'timed')).stdout, 'SHIP=a+b,side=port,tag=timed two\n');
	const [first, second] = (await logs('-t', 'timed')).stdout.trim().split('\n');
	t.regex(first!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z one$/);
	const time = second!.split(' ')[0]!;
	const unix = `${Math.floor(Date.parse(time) / 1000)}.${/\.(\d+)Z/.exec(time)![1]}`;
	for (const since of [time, unix, time.replace('Z', '+00:00')]) {
		t.is((await logs('--since', since, 'timed')).stdout, 'two\n', since);
	}
	t.is((await logs('--until', first!.split(' ')[0]!, 'timed')).stdout, 'one\n');
	t.is((await logs('--since', '1h', '--until', '0s', 'timed')).stdout, 'one\ntwo\n');
	t.is((await logs('--since', '2100-01-01', 'timed')).stdout, '');
	t.like(await logs('--since', 'soon', 'timed'), {
		code: 1,
		stderr: 'invalid value for "since": failed to parse value as time or duration: "soon"\n',
	});
});

test('drivers and their options are checked before anything is made', async (t) => {
	const refused: [options: string[], message: RegExp][] = [
		[['--log-driver', 'syslog'], /error looking up logging plugin syslog: plugin "syslog" not found/],
		[['--log-opt', 'max-sizes=1'], /unknown log opt 'max-sizes' for json-file log driver/],
		[['--log-opt', 'max-file=0'], /max-file cannot be less than 1/],
		[['--log-opt', 'max-size=big'], /invalid size: 'big'/],
		[['--log-opt', 'mode=half'], /logger: logging mode not supported: half/],
		[['--log-driver', 'none', '--log-opt', 'max-size=1m'], /invalid logging opts for driver none/],
	];
	for (const [options, message] of refused) {
		const {code, stderr, stdout} = await wherry.result(['create', ...options, image, 'true']);
		// What needs no engine to be seen is a wrong command line.
		t.is(code, options.includes('none') ? 125 : 1, options.join(' '));
		t.is(stdout, '');
		t.regex(stderr, message);
	}
	await run('silent', 'echo lost', '--log-driver', 'none');
	await wherry.output('wait', 'silent');
	t.like(await logs('silent'), {
		code: 1,
		stderr: 'Error: configured logging driver does not support reading\n',
	});
	t.is(
		await wherry.output('inspect', '-f', '{{.LogPath}}|{{.HostConfig.LogConfig.Type}}', 'silent'),
		'|none',
	);
	t.like(await logs('nobody'), {code: 1, stderr: 'Error: No such container: nobody\n'});
});
