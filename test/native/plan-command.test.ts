import {
	existsSync,
	mkdirSync,
	openSync,
	readFileSync,
	readlinkSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {MonitorState} from '../../src/runtime/monitor-protocol.ts';
import type {Op} from '../../src/runtime/plan/ops.ts';
import {Container} from './monitor-container.ts';
import {Bench, defaultCapabilities, namespace} from './plan-runner.ts';

/** `ls -d` of these opens nothing itself. */
const descriptors = Array.from({length: 64}, (_, fd) => `/proc/self/fd/${fd}`);

function bench(t: ExecutionContext): Bench {
	const box = new Bench();
	t.teardown(() => box.remove());
	return box;
}

test("what can not be run is told in docker's words and with its codes", (t) => {
	const box = bench(t);
	box.write('bin/plain', 'not executable');
	box.write('bin/garbage', Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]), 0o755);
	box.write('bin/lost', '#!/no/such/interpreter\n', 0o755);
	for (const [command, code, message] of [
		['foo', 127, 'exec: "foo": executable file not found in $PATH'],
		['', 127, 'exec: "": executable file not found in $PATH'],
		['/foo', 127, 'exec: "/foo": stat /foo: no such file or directory'],
		['./foo', 127, 'exec: "./foo": stat ./foo: no such file or directory'],
		['/bin/plain', 126, 'exec: "/bin/plain": permission denied'],
		['plain', 127, 'exec: "plain": executable file not found in $PATH'],
		['/etc', 126, 'exec: "/etc": is a directory'],
		['/etc/passwd/x', 127, 'exec: "/etc/passwd/x": stat /etc/passwd/x: not a directory'],
		['garbage', 126, 'exec /bin/garbage: exec format error'],
		['lost', 127, 'exec /bin/lost: no such file or directory'],
	] as const) {
		const result = box.run({argv: [command]});
		t.is(result.code, code, command);
		t.true(result.stderr.startsWith(`wherry-monitor: ${message} (section 4`), result.stderr);
	}
});

test('PATH of the environment is searched, the folders without permission skipped', (t) => {
	const box = bench(t);
	mkdirSync(join(box.lower, 'opt'));
	box.write('opt/hello', '#!/bin/sh\necho hello $0\n', 0o755);
	mkdirSync(join(box.lower, 'first'));
	box.write('first/hello', 'no', 0o644);
	t.is(box.run({argv: ['hello'], env: ['PATH=/nowhere:/first:/opt:/bin']}).stdout, 'hello /opt/hello\n');
	t.is(box.run({argv: ['sh', '-c', 'echo "$PATH"'], env: []}).stdout.length > 0, true);
});

test('a folder to work in is made when it is missing, inside the root', (t) => {
	const box = bench(t);
	symlinkSync(box.path('outside'), join(box.lower, 'out'));
	t.is(box.sh('pwd', {workdir: '/srv/app/deep'}).stdout, '/srv/app/deep\n');
	t.is(box.sh('pwd -P', {workdir: '/out/x'}).stdout, `${box.path('outside')}/x\n`);
	t.false(existsSync(join(box.path('outside'), 'x')));
	const file = box.sh('pwd', {workdir: '/etc/passwd'});
	t.is(file.code, 125);
	t.regex(file.stderr, /Cannot mkdir: \/etc\/passwd is not a directory/);
});

test('a folder to work in never leads through a leaked descriptor', (t) => {
	const box = bench(t);
	for (let fd = 0; fd < 16; fd++) {
		const result = box.sh('cat /proc/self/cwd/etc/hostname; pwd', {workdir: `/proc/self/fd/${fd}`});
		t.is(result.stdout, '', String(fd));
		t.not(result.code, 0);
	}
	for (let fd = 0; fd < 16; fd++) t.not(box.sh('pwd', {workdir: `/proc/self/fd/${fd}/../../..`}).code, 0);
});

test('only 0, 1 and 2 are open in the container, and no signal is ignored or blocked', (t) => {
	for (const without of [[], ['close_range']]) {
		const box = bench(t);
		const open = box.run({argv: ['ls', '-d', ...descriptors]}, {without});
		t.is(open.stdout, '/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n');
		const status = box.run({argv: ['cat', '/proc/self/status']}, {without}).stdout;
		t.regex(status, /SigBlk:\t0{16}\nSigIgn:\t0{16}\n/);
	}
});

const join_ = (
	flags: number = namespace.mount | namespace.uts | namespace.ipc | namespace.network | namespace.pid,
): Op => ({
	op: 'joinContainer',
	flags,
});
const execOps = (argv: readonly string[], extra: readonly Op[] = [], user = ''): Op[] => [
	join_(),
	{op: 'stdio'},
	{op: 'workdir', path: '/', create: 0},
	{op: 'user', spec: user, groups: []},
	{op: 'boundingSet', mask: defaultCapabilities},
	{op: 'ids'},
	{
		op: 'capabilities',
		effective: defaultCapabilities,
		permitted: defaultCapabilities,
		inheritable: 0,
		ambient: 0,
	},
	...extra,
	{op: 'exec', argv, env: ['PATH=/bin']},
];

test('an exec runs in the namespaces of the container, as the user asked for', (t) => {
	const box = bench(t);
	box.write('etc/passwd', 'root:x:0:0::/root:\napp:x:5:6::/home/app:\n');
	const script = `cat; id -u; id -g; cat /proc/sys/kernel/hostname /proc/1/comm; ls -d ${descriptors.join(' ')} 2>/dev/null; ls /; echo err >&2; exit 9`;
	const result = box.run(
		{argv: ['sleep', '100'], after: [{op: 'hostname', name: 'boat'}]},
		{exec: execOps(['sh', '-c', script], [], 'app'), input: 'from stdin\n'},
	);
	t.is(
		result.stdout,
		'from stdin\n5\n6\nboat\nsleep\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\nbin\ndev\netc\nproc\nsys\n',
	);
	t.is(result.stderr, 'err\n');
	t.is(result.code, 9);
});

test('an exec works without clone3 as well, and leaves nothing of the host open', (t) => {
	const box = bench(t);
	const result = box.run(
		{argv: ['sleep', '100']},
		{
			exec: execOps([
				'sh',
				'-c',
				'ls -l /proc/self/exe; readlink /proc/$$/cwd; cat /proc/$$/status | while read n v; do [ $n = PPid: ] && echo $n $v; done',
			]),
			without: ['clone3', 'close_range'],
		},
	);
	t.regex(result.stdout, /\/bin\/busybox\n\/\nPPid: 0\n$/);
});

test('a failing exec says why, and the container goes on', (t) => {
	const box = bench(t);
	for (const [argv, code, message] of [
		[['nope'], 127, /exec: "nope": executable file not found in \$PATH \(section 8/],
		[['/etc/passwd'], 126, /exec: "\/etc\/passwd": permission denied/],
	] as const) {
		const result = box.run({argv: ['sleep', '100']}, {exec: execOps(argv)});
		t.is(result.code, code);
		t.regex(result.stderr, message);
	}
	const cwd = box.run(
		{argv: ['sleep', '100']},
		{
			exec: [
				join_(),
				{op: 'stdio'},
				{op: 'workdir', path: '/proc/self/fd/3', create: 0},
				{op: 'exec', argv: ['sh'], env: []},
			],
		},
	);
	t.not(cwd.code, 0);
});

test("a terminal is the controlling terminal, /dev/console and the container's own", (t) => {
	const box = bench(t);
	const result = box.sh(
		'tty; stty size; stat -c %a:%g /dev/pts/0; echo to-console > /dev/console; echo to-tty > /dev/tty; ls /dev/pts',
		{tty: true},
	);
	t.is(result.stdout, '/dev/pts/0\r\n24 80\r\n620:5\r\nto-console\r\nto-tty\r\n0     ptmx\r\n');
	t.is(result.code, 0);
});

test('a terminal belongs to the user, and an exec has one of its own', (t) => {
	const box = bench(t);
	t.is(
		box.sh('stat -c %u /dev/pts/0; echo mine > /dev/pts/0', {tty: true, user: '77'}).stdout,
		'77\r\nmine\r\n',
	);
	const exec = execOps(['sh', '-c', 'tty; stty size; echo x > /dev/tty']).map(
		(op): Op => (op.op === 'stdio' ? {op: 'console', rows: 10, columns: 20} : op),
	);
	t.is(box.run({argv: ['sleep', '100']}, {exec}).stdout, '/dev/pts/0\r\n10 20\r\nx\r\n');
});

test('a console that is a link of the image is not followed', (t) => {
	const box = bench(t);
	mkdirSync(box.path('volume'));
	symlinkSync('/etc/passwd', join(box.path('volume'), 'console'));
	mkdirSync(join(box.path('volume'), 'pts'));
	writeFileSync(join(box.path('volume'), 'null'), '');
	const plan = box.plan({argv: ['sh', '-c', 'cat /etc/passwd'], tty: true});
	const init = plan.init!.flatMap((op): Op[] => {
		if (op.op === 'mount' && op.target === '/dev') {
			return [{op: 'bind', source: box.path('volume'), target: '/dev', flags: 0, propagation: 0}];
		}
		return op.op === 'mknod' ? [] : [op];
	});
	const result = box.runPlan({...plan, init});
	t.is(result.code, 125);
	t.regex(result.stderr, /\/dev\/console/);
});

test('a container joins the pid namespace of another', (t) => {
	const box = bench(t);
	const result = box.sh(
		'echo $$; cat /proc/self/ns/pid 2>/dev/null; readlink /proc/self/ns/pid; cat /proc/sys/kernel/hostname',
		{
			settings: {
				'join-pid': '/proc/self/ns/pid',
				'clone-flags': String(namespace.mount | namespace.uts | namespace.ipc),
			},
			after: [{op: 'hostname', name: 'joined'}],
		},
	);
	t.is(result.stderr, '');
	t.regex(result.stdout, /^\d+\npid:\[\d+\]\njoined\n$/);
	const refused = box.run({
		argv: ['nope'],
		settings: {'join-pid': '/proc/self/ns/pid', 'clone-flags': String(namespace.mount)},
	});
	t.is(refused.code, 127);
});

test('an init that is killed while it is set up is no success', (t) => {
	const box = bench(t);
	const plan = box.plan({argv: ['true']});
	// A filter that kills at the next system call: unlike a failed operation, nothing is told.
	const kill = Buffer.from([0x06, 0, 0, 0, 0, 0, 0, 0x80]);
	const index = plan.init!.findIndex((op) => op.op === 'pivot');
	const init = [...plan.init!];
	init.splice(index, 0, {op: 'seccomp', program: kill, flags: 0});
	const result = box.runPlan({...plan, init});
	t.not(result.code, 0);
});

test('nothing can write to the program that a container is made by', async (t) => {
	const box = new Container(t, {argv: ['/bin/sleep', '100']});
	const starter = await box.start();
	await starter.ok;
	const {monitorPid} = JSON.parse(readFileSync(box.statePath, 'utf8')) as MonitorState;
	const program = `/proc/${monitorPid}/exe`;
	t.throws(() => openSync(program, 'r+'), {message: /EROFS|EPERM|ETXTBSY/});
	t.throws(() => truncateSync(program), {message: /EROFS|EPERM|ETXTBSY/});
	// Started by hand, so not from a read-only mount: then it runs from a sealed copy.
	t.regex(readlinkSync(program), /^\/memfd:wherry-monitor/);
	starter.close();
});
