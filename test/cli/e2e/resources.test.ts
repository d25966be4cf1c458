/** top, stats, update, and the limits and devices of run, as a user has them. */
import {existsSync, readdirSync, readFileSync, rmdirSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {controllerDir, detectCgroups} from '../../../src/runtime/cgroups/layout.ts';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();
const image = 'wherry/base';
const layout = detectCgroups();
const v1 = controllerDir(layout, 'memory', 'x')?.version === 1;

const run = (...args: string[]): string[] => ['run', '--rm', '--network', 'none', ...args];

/** A file of a container's cgroup on the host, by its names in v1 and v2. */
function limit(id: string, controller: string, old: string, now: string): string {
	const {dir, version} = controllerDir(layout, controller, id)!;
	return readFileSync(join(dir, version === 1 ? old : now), 'utf8').trim();
}

let busy: string;

test.before(async () => {
	const script = 'sleep 1000 & while :; do read -r line; done';
	busy = await wherry.output(
		...['run', '-di', '--name', 'busy', '--network', 'none', '-m', '64m', '--pids-limit', '50'],
		...['--stop-signal', 'KILL', image, 'sh', '-c', script],
	);
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

test('top shows the processes with the columns of ps', async (t) => {
	const lines = (await wherry.output('top', 'busy')).split('\n');
	t.regex(lines[0]!, /^UID +PID +PPID +C +STIME +TTY +TIME +CMD$/);
	t.is(lines.length, 3);
	t.regex(lines.at(-1)!, /^root +\d+ +\d+ +\d+ +\S+ +\? +00:00:0\d +sleep 1000$/);
	t.regex(
		await wherry.output('container', 'top', busy, 'aux'),
		/^USER +PID +%CPU +%MEM +VSZ +RSS +TTY +STAT +START/,
	);
	t.regex(
		await wherry.output('top', 'busy', '-eo', 'pid,comm,args'),
		/^PID +COMMAND +COMMAND\n\d+ +sh +sh -c [^\n]*\n\d+ +sleep +sleep 1000$/,
	);
	t.like(await wherry.result(['top', 'busy', '-o', 'comm']), {
		code: 1,
		stderr: "Error: Couldn't find PID field in ps output\n",
	});
	t.like(await wherry.result(['top', 'busy', '-o', 'pid,nothing']), {
		code: 1,
		stderr: 'Error: ps: error: unknown user-defined format specifier "nothing"\n',
	});
	t.like(await wherry.result(['top', 'nobody']), {code: 1, stderr: 'Error: No such container: nobody\n'});
	const id = await wherry.output('create', '--name', 'made', image, 'true');
	t.like(await wherry.result(['top', 'made']), {code: 1, stderr: `Error: container ${id} is not running\n`});
});

test('stats shows tables, templates and JSON once', async (t) => {
	const table = (await wherry.output('stats', '--no-stream')).split('\n');
	t.regex(table[0]!, /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS *$/);
	const row = table.find((line) => line.startsWith(busy.slice(0, 12)))!;
	t.regex(
		row,
		/^[0-9a-f]{12} +busy +\d+\.\d\d% +[\d.]+[KM]iB \/ 64MiB +\d+\.\d\d% +0B \/ 0B +[\d.]+[kM]?B \/ [\d.]+[kM]?B +2 *$/,
	);
	t.is(
		await wherry.output(
			'stats',
			'--no-stream',
			'--no-trunc',
			'--format',
			'{{.ID}} {{.Name}} {{.Container}} {{.PIDs}}',
			'busy',
		),
		`${busy} busy busy 2`,
	);
	const json = JSON.parse(await wherry.output('stats', '--no-stream', '--format', 'json', 'busy'));
	t.deepEqual(Object.keys(json), [
		...['BlockIO', 'CPUPerc', 'Container', 'ID', 'MemPerc', 'MemUsage', 'Name', 'NetIO', 'PIDs'],
	]);
	const all = await wherry.output('stats', '-a', '--no-stream', '--format', '{{.Name}}');
	t.true(all.split('\n').includes('busy'));
	t.like(await wherry.result(['stats', '--no-stream', 'busy', 'nobody']), {
		code: 1,
		stderr: 'Error: No such container: nobody\n',
	});
});

test('stats goes on until it is ended', async (t) => {
	const child = wherry.spawn('stats', '--format', '{{.Name}}', 'busy');
	let output = '';
	const enough = new Promise<void>((resolve) => {
		child.stdout!.setEncoding('utf8').on('data', (text) => {
			output += text;
			if (output.split('\n').filter((line) => line.includes('busy')).length >= 2) resolve();
		});
	});
	await enough;
	const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
	child.kill('SIGINT');
	t.is(await closed, null, 'it had not ended by itself');
	t.notRegex(output, /\x1b/, 'without a terminal there are no escapes');
});

test('update changes what it can, says what it cannot, and the rest is done', async (t) => {
	const id = await wherry.output(
		'run',
		'-d',
		'--name',
		'updated',
		'--network',
		'none',
		'-m',
		'64m',
		'--stop-signal',
		'KILL',
		image,
		'sleep',
		'1000',
	);
	t.is(
		await wherry.output(
			'update',
			'-m',
			'80m',
			'--memory-swap',
			'-1',
			'--pids-limit',
			'9',
			'--cpus',
			'0.5',
			'updated',
			id,
		),
		`updated\n${id}`,
	);
	t.is(limit(id, 'memory', 'memory.limit_in_bytes', 'memory.max'), String(80 << 20));
	t.is(limit(id, 'pids', 'pids.max', 'pids.max'), '9');
	t.is(limit(id, 'cpu', 'cpu.cfs_quota_us', 'cpu.max').split(' ')[0], '50000');
	t.like(await wherry.result(['update', '--pids-limit', '7', 'nobody', 'updated']), {
		code: 1,
		stdout: 'updated\n',
		stderr: 'Error: No such container: nobody\n',
	});
	t.is(limit(id, 'pids', 'pids.max', 'pids.max'), '7');
	t.like(await wherry.result(['update', '--cpu-period', '10000', 'updated']), {
		code: 1,
		stdout: '',
		stderr: `Error: Cannot update container ${id}: Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set\n`,
	});
	t.like(await wherry.result(['update', '-m', '1m', 'updated']), {
		code: 1,
		stderr: 'Error: Minimum memory limit allowed is 6MB\n',
	});
	t.is((await wherry.result(['update', 'updated'])).code, 1, 'nothing to change');
	await wherry.output('update', '--restart', 'on-failure:4', 'updated');
	const shown =
		'{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}} {{.HostConfig.PidsLimit}}';
	t.is(await wherry.output('inspect', '-f', shown, 'updated'), 'on-failure 4 7');
	await wherry.output('restart', 'updated');
	t.is(limit(id, 'memory', 'memory.limit_in_bytes', 'memory.max'), String(80 << 20));
});

test('limits are those that the container sees', async (t) => {
	const see = (old: string, now: string): string => `cat /sys/fs/cgroup/${v1 ? old : now}`;
	const {stdout, stderr, code} = await wherry.result(
		run(
			...['-m', '64m', '--memory-reservation', '32m', '--memory-swap', '96m', '--cpus', '.5', '-c', '512'],
			...['--pids-limit', '20', '--shm-size', '8m', '--ulimit', 'nofile=100:200', '--ulimit', 'core=0'],
			...['--sysctl', 'kernel.msgmax=4096', '--sysctl', 'net.ipv4.ip_forward=1'],
			...['--group-add', '1234', '--group-add', 'tty', '--oom-score-adj', '100', '--cpuset-cpus', '0'],
			...[
				'--annotation',
				'a=b',
				'--security-opt',
				'no-new-privileges',
				'--runtime',
				'wherry',
				'--isolation',
				'default',
			],
			...[image, 'sh', '-c'],
			[
				see('memory/memory.limit_in_bytes', 'memory.max'),
				see('memory/memory.soft_limit_in_bytes', 'memory.low'),
				see('pids/pids.max', 'pids.max'),
				`${see('cpu/cpu.cfs_quota_us', 'cpu.max')} | cut -d' ' -f1`,
				see('cpuset/cpuset.cpus', 'cpuset.cpus'),
				'ulimit -n; ulimit -Hn; ulimit -c',
				'cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj',
				'id -G; grep NoNewPrivs /proc/self/status',
				"df -k /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2",
			].join('\n'),
		),
	);
	t.is(code, 0, stderr);
	t.deepEqual(stdout.trim().split('\n'), [
		...[String(64 << 20), String(32 << 20), '20', '50000', '0', '100', '200', '0', '4096', '1', '100'],
		...['0 5 1234', 'NoNewPrivs:\t1', '8192'],
	]);
});

test('devices have their node, their name and the access that was given', async (t) => {
	const device = ['/dev/loop-control', '/dev/fuse', '/dev/userfaultfd'].find((path) => existsSync(path))!;
	const script = `[ -c /dev/one ] && [ -c /dev/two ] && (exec 3</dev/one) && (exec 3<>/dev/two) && echo both
(exec 3>/dev/one) 2>/dev/null || echo read only`;
	t.is(
		await wherry.output(
			...run('--device', `${device}:/dev/one:r`, '--device', `${device}:/dev/two`),
			...[image, 'sh', '-c', script],
		),
		'both',
		'what one of two names allows, the device allows',
	);
	t.is(
		await wherry.output(...run('--device', `${device}:/dev/one:r`, image, 'sh', '-c', script)),
		'read only',
	);
	const node = 'mknod /dev/x c 10 99 && (exec 3</dev/x) 2>&1 | tail -c 31';
	t.regex(await wherry.output(...run(image, 'sh', '-c', node)), /not permitted$/);
	t.notRegex(
		await wherry.output(...run('--device-cgroup-rule', 'c 10:99 rwm', image, 'sh', '-c', node)),
		/not permitted$/,
	);
});

test('what docker refuses is refused in its words, and leaves no container', async (t) => {
	const wrong: string[] = [];
	for (const [flags, code, message] of [
		[['-m', '5m'], 125, 'Minimum memory limit allowed is 6MB'],
		[
			['-m', '20m', '--memory-swap', '10m'],
			125,
			'Minimum memoryswap limit should be larger than memory limit, see usage',
		],
		[
			['--cpus', '1', '--cpu-quota', '5000'],
			125,
			'Conflicting options: Nano CPUs and CPU Quota cannot both be set',
		],
		[['--cpuset-cpus', '4095'], 125, 'Requested CPUs are not available'],
		[['--blkio-weight', '5'], 125, 'Range of blkio weight is from 10 to 1000'],
		[['--memory-swappiness', '101'], 125, 'invalid value: 101. Valid memory swappiness range is 0-100'],
		[['--shm-size', '-1'], 125, "invalid size: '-1'"],
		[['--ulimit', 'nofile=5:1'], 125, 'ulimit soft limit must be less than or equal to hard limit: 5 > 1'],
		[['--ulimit', 'nothing=1'], 125, 'invalid ulimit type: nothing'],
		[['--sysctl', 'kernel.core_pattern=x'], 125, 'kernel.core_pattern'],
		[['--sysctl', 'vm.swappiness=1'], 125, 'vm.swappiness'],
		[
			['--network', 'host', '--sysctl', 'net.ipv4.ip_forward=1'],
			125,
			'sysctl "net.ipv4.ip_forward" not allowed in host network namespace',
		],
		[
			['--device', '/dev/no-such-thing'],
			127,
			'error gathering device information while adding custom device "/dev/no-such-thing": no such file or directory',
		],
		[['--device', '/dev/null:/dev/x:rwx'], 125, 'bad mode specified: rwx'],
		[['--device-cgroup-rule', 'x'], 125, "invalid device cgroup format 'x'"],
		[['--device', 'vendor.example/none=1'], 125, 'unresolvable CDI devices vendor.example/none=1'],
		[['--gpus', 'all'], 125, 'could not select device driver "" with capabilities: [[gpu]]'],
		[['--security-opt', 'nothing'], 125, 'Invalid --security-opt: "nothing"'],
		[['--security-opt', 'seccomp=/no/such/file'], 125, 'opening seccomp profile (/no/such/file) failed'],
		[['--runtime', 'none'], 125, 'unknown or invalid runtime name: none'],
		[['--isolation', 'hyperv'], 125, 'invalid isolation'],
		[['--storage-opt', 'size=x'], 125, "invalid size: 'x'"],
		[['--storage-opt', 'kind=x'], 125, 'Unknown option kind'],
		[['--group-add', 'no-such-group'], 125, 'unable to find group no-such-group'],
		[['--oom-score-adj', '1001'], 125, 'Invalid value 1001, range for oom score adj is [-1000, 1000]'],
		[['--device-read-bps', '/dev/null:-1'], 125, 'invalid rate for device: /dev/null:-1'],
		[['--cpu-count', '1'], 1, '"--cpu-count" is only supported on windows'],
		[['--cgroup-parent', '-x.slice'], 125, 'invalid slice name'],
	] as [string[], number, string][]) {
		const network = flags.includes('--network') ? [] : ['--network', 'none'];
		const result = await wherry.result(['run', '--rm', '-l', 'refused', ...network, ...flags, image, 'true']);
		if (result.code !== code || !result.stderr.includes(message)) {
			wrong.push(`${flags.join(' ')}: ${result.code} ${result.stderr}`);
		}
	}
	t.deepEqual(wrong, []);
	t.is(await wherry.output('ps', '-aq', '--filter', 'label=refused'), '');
});

test('a cgroup parent is where the user says, below every hierarchy', async (t) => {
	const name = `wherry-test-${process.pid}`;
	const cgroup = async (parent: string): Promise<string> =>
		(await wherry.output(...run('--cgroup-parent', parent, image, 'cat', '/proc/self/cgroup'))).split(
			'\n',
		)[0]!;
	const at = (parent: string): RegExp => new RegExp(`${v1 ? parent : ''}/[0-9a-f]{64}$|:/$`);
	t.regex(await cgroup(`/${name}/a`), at(`:/${name}/a`));
	t.regex(await cgroup(`../../${name}`), at(`:/${name}`));
	t.regex(await cgroup(`wherrytest${process.pid}-b.slice`), at(`/wherrytest${process.pid}-b.slice`));
	for (const {dir} of ['', ...readdirSync('/sys/fs/cgroup')].map((each) => ({
		dir: `/sys/fs/cgroup/${each}`,
	}))) {
		const slice = `wherrytest${process.pid}`;
		for (const path of [`${name}/a`, name, `${slice}.slice/${slice}-b.slice`, `${slice}.slice`]) {
			const full = join(dir, path);
			if (existsSync(full)) rmdirSync(full);
		}
	}
	t.pass();
});
