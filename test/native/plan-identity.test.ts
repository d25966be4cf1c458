import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {allCapabilities, Bench, defaultCapabilities, type Result} from './plan-runner.ts';

const passwd = `root:x:0:0:root:/root:/bin/sh
# a comment:x:9:9::/:
app:x:1000:1001:App:/home/app:/bin/sh
5555:x:42:43:a name of digits:/digits:/bin/sh
broken line
homeless:x:1002:1002:::
`;
const group = `root:x:0:
staff:x:50:app,other
wheel:x:10:other,app
5555:x:77:
`;

function bench(t: ExecutionContext): Bench {
	const box = new Bench();
	t.teardown(() => box.remove());
	box.write('etc/passwd', passwd);
	box.write('etc/group', group);
	return box;
}

const who = 'echo $(id -u) $(id -g) $(id -G) $HOME';
const seen = (result: Result) => result.stdout.trim() || result.stderr.trim();

test('users and groups are what docker makes of them', (t) => {
	const box = bench(t);
	for (const [user, expected] of [
		['', '0 0 0 /root'],
		['root', '0 0 0 /root'],
		['app', '1000 1001 1001 10 50 /home/app'],
		['1000', '1000 1001 1001 10 50 /home/app'],
		['app:staff', '1000 50 50 /home/app'],
		['app:5', '1000 5 5 /home/app'],
		['app:', '1000 1001 1001 10 50 /home/app'],
		[':staff', '0 50 50 /root'],
		['4242', '4242 0 0 /'],
		['4242:4343', '4242 4343 4343 /'],
		['homeless', '1002 1002 1002 /'],
		// A number is a number, whatever the names in the image are.
		['5555', '5555 0 0 /'],
		['1:5555', '1 5555 5555 /'],
		['1', '1 0 0 /'],
		['2147483647', '2147483647 0 0 /'],
	] as const) {
		t.is(seen(box.sh(who, {user})), expected, user);
	}
});

test("unknown users and groups, and numbers out of range, are told in docker's words", (t) => {
	const box = bench(t);
	for (const [user, expected] of [
		['nobody', /unable to find user nobody: no matching entries in passwd file/],
		['app:nogroup', /unable to find group nogroup: no matching entries in group file/],
		['2147483648', /uids and gids must be in range 0-2147483647/],
		['-1', /uids and gids must be in range 0-2147483647/],
		['4294967296', /uids and gids must be in range 0-2147483647/],
		['0:99999999999999999999', /uids and gids must be in range 0-2147483647/],
		['#', /unable to find user #/],
	] as const) {
		const result = box.sh(who, {user});
		t.is(result.code, 125, user);
		t.regex(result.stderr, expected, user);
	}
});

test('additional groups are added by name and number, the primary group is always among them', (t) => {
	const box = bench(t);
	t.is(seen(box.sh('id -G', {user: 'app:staff', groups: ['wheel', '1234', '1234']})), '50 10 1234');
	t.regex(box.sh('id', {groups: ['none']}).stderr, /unable to find group none/);
	const groups = box.sh('cat /proc/self/status', {user: '7:8'}).stdout;
	t.regex(groups, /^Groups:\t8 $/m);
});

test('HOME of the environment is kept, an empty one is filled', (t) => {
	const box = bench(t);
	t.is(seen(box.sh('echo $HOME', {user: 'app', env: ['PATH=/bin', 'HOME=/elsewhere']})), '/elsewhere');
	t.is(seen(box.sh('echo $HOME', {user: 'app', env: ['PATH=/bin', 'HOME=']})), '/home/app');
});

test('a huge or strange passwd file neither fills the memory nor blocks', (t) => {
	const huge = bench(t);
	huge.write('etc/passwd', Buffer.alloc(9 << 20, 'x'));
	t.regex(huge.sh(who, {user: 'app'}).stderr, /\/etc\/passwd is larger than 8 MiB/);

	const fifo = new Bench();
	t.teardown(() => fifo.remove());
	const result = fifo.sh(who, {
		user: 'app',
		mounts: [
			{op: 'mount', fstype: 'tmpfs', source: 'tmpfs', target: '/etc', flags: 0, data: ''},
			{op: 'mknod', path: '/etc/passwd', mode: 0o10666, major: 0, minor: 0, uid: 0, gid: 0},
		],
	});
	t.regex(result.stderr, /\/etc\/passwd is not a regular file/);

	const none = new Bench();
	t.teardown(() => none.remove());
	t.is(
		seen(
			none.sh(who, {
				user: '12:13',
				mounts: [{op: 'mount', fstype: 'tmpfs', source: 'tmpfs', target: '/etc', flags: 0, data: ''}],
			}),
		),
		'12 13 13 /',
	);
});

test('a passwd file that is a link is read inside the root', (t) => {
	const box = bench(t);
	mkdirSync(box.path('host'));
	writeFileSync(join(box.path('host'), 'passwd'), 'evil:x:0:0::/:/bin/sh\n');
	mkdirSync(join(box.lower, 'linked'));
	symlinkSync(join(box.path('host'), 'passwd'), join(box.lower, 'linked/passwd'));
	const result = box.sh(who, {
		user: 'evil',
		mounts: [{op: 'bind', source: join(box.lower, 'linked'), target: '/etc', flags: 0, propagation: 0}],
	});
	t.regex(result.stderr, /unable to find user evil/);
});

const sets =
	'while read name value; do case $name in Cap*|NoNewPrivs:|Seccomp:) echo $name $value;; esac; done < /proc/self/status';
const hex = (mask: bigint) => mask.toString(16).padStart(16, '0');

test('root gets the capabilities asked for and no others, none inheritable', (t) => {
	const box = bench(t);
	t.is(
		box.sh(sets).stdout,
		`CapInh: ${hex(0n)}\nCapPrm: ${hex(defaultCapabilities)}\nCapEff: ${hex(defaultCapabilities)}\nCapBnd: ${hex(defaultCapabilities)}\nCapAmb: ${hex(0n)}\nNoNewPrivs: 0\nSeccomp: 0\n`,
	);
});

test('every capability means every one that there is', (t) => {
	const box = bench(t);
	const result = box.sh(sets, {capabilities: -1n});
	t.is(result.code, 0, result.stderr);
	const own = box.sh(sets, {capabilities: allCapabilities});
	t.is(result.stdout, own.stdout);
	t.not(result.stdout, box.sh(sets).stdout);
});

test('another user has no capabilities, unless they are ambient', (t) => {
	const box = bench(t);
	t.regex(
		box.sh(sets, {user: 'app'}).stdout,
		/CapPrm: 0{16}\nCapEff: 0{16}\nCapBnd: 00000000a80425fb\nCapAmb: 0{16}\n/,
	);
	const bind = 1n << 10n;
	t.regex(
		box.sh(sets, {user: 'app', ambient: bind}).stdout,
		new RegExp(
			`CapInh: ${hex(bind)}\nCapPrm: ${hex(bind)}\nCapEff: ${hex(bind)}\nCapBnd: ${hex(defaultCapabilities)}\nCapAmb: ${hex(bind)}\n`,
		),
	);
});

/** Answers EPERM (1) for mkdir and mkdirat, allows the rest. */
function denyMkdir(): Buffer {
	const numbers = process.arch === 'arm64' ? [34] : [83, 258];
	const code: [number, number, number, number][] = [[0x20, 0, 0, 0]];
	for (const [index, number] of numbers.entries()) code.push([0x15, numbers.length - index, 0, number]);
	code.push([0x06, 0, 0, 0x7fff0000], [0x06, 0, 0, 0x00050001]);
	const out = Buffer.alloc(8 * code.length);
	for (const [index, [op, yes, no, k]] of code.entries()) {
		out.writeUInt16LE(op, 8 * index);
		out.writeUInt8(yes, 8 * index + 2);
		out.writeUInt8(no, 8 * index + 3);
		out.writeUInt32LE(k >>> 0, 8 * index + 4);
	}
	return out;
}

test('a seccomp program is loaded, with and without no-new-privileges', (t) => {
	const box = bench(t);
	const plan = box.plan({argv: ['sh', '-c', `mkdir /tmp; ${sets}`]});
	const before = plan.init!.findIndex((op) => op.op === 'ids');
	const init = [...plan.init!];
	init.splice(before, 0, {op: 'seccomp', program: denyMkdir(), flags: 0});
	const privileged = box.runPlan({...plan, init});
	t.regex(privileged.stderr, /can't create directory '\/tmp': Operation not permitted/);
	t.regex(privileged.stdout, /NoNewPrivs: 0\nSeccomp: 2\n/);

	const result = box.sh(`mkdir /tmp; ${sets}`, {
		user: 'app',
		last: [{op: 'noNewPrivileges'}, {op: 'seccomp', program: denyMkdir(), flags: 0}],
	});
	t.regex(result.stderr, /Operation not permitted/);
	t.regex(result.stdout, /NoNewPrivs: 1\nSeccomp: 2\n/);
});

test('a seccomp program that is none is refused', (t) => {
	const box = bench(t);
	for (const program of [Buffer.alloc(0), Buffer.alloc(7), Buffer.alloc(8 * 5000), Buffer.alloc(16)]) {
		const result = box.sh('true', {last: [{op: 'seccomp', program, flags: 0}]});
		t.is(result.code, 125);
	}
});

test('limits, umask and the out-of-memory score are set', (t) => {
	const box = bench(t);
	const result = box.sh('ulimit -n; ulimit -Hn; ulimit -c; umask; cat /proc/self/oom_score_adj', {
		last: [
			{op: 'rlimit', resource: 7, soft: 99, hard: 100},
			{op: 'rlimit', resource: 4, soft: 0, hard: 0},
			{op: 'oomScoreAdj', value: 321},
			{op: 'umask', mask: 0o27},
		],
	});
	t.is(result.stdout, '99\n100\n0\n0027\n321\n');
	t.is(box.sh('umask').stdout, '0022\n');
});

test('a limit that may not be raised says which and why', (t) => {
	const box = bench(t);
	const result = box.sh('ulimit -Hn', {
		capabilities: 0n,
		last: [
			{op: 'rlimit', resource: 7, soft: 10, hard: 64},
			{op: 'rlimit', resource: 7, soft: 10, hard: 65},
		],
	});
	t.is(result.code, 125);
	t.regex(
		result.stderr,
		/error setting rlimit type 7: the hard limit can't be raised above 64 without CAP_SYS_RESOURCE/,
	);
});
