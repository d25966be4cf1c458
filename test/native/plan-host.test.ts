import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmdirSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {monitorPath} from '../../src/kernel/locate.ts';
import type {Op} from '../../src/runtime/plan/ops.ts';
import {Bench, type Container, namespace, type Result} from './plan-runner.ts';

function bench(t: ExecutionContext): Bench {
	const box = new Bench();
	t.teardown(() => box.remove());
	return box;
}

/** Runs host operations, then a container that does nothing. */
const host = (box: Bench, setup: readonly Op[], rest: Partial<Container> = {}): Result =>
	box.run({argv: ['true'], setup, ...rest});

/** Makes a tree deeper than any path: each level is made from within the one above. */
function deepTree(folder: string, levels: number): void {
	const script = `import os, sys
os.chdir(sys.argv[1])
for i in range(int(sys.argv[2])):
    os.mkdir('d'); open('f', 'w').close(); os.chdir('d')`;
	const made = spawnSync('python3', ['-c', script, folder, String(levels)], {encoding: 'utf8'});
	if (made.status !== 0) throw new Error(made.stderr);
}

test('files are written, moved and removed on the host', (t) => {
	const box = bench(t);
	writeFileSync(box.path('file'), 'old and longer');
	const result = host(box, [
		{op: 'mkdirHost', path: box.path('a/b/c'), mode: 0o700},
		{op: 'mkdirHost', path: box.path('a/b/c'), mode: 0o700},
		{op: 'writeHost', path: box.path('file'), content: 'new', flags: 0},
		{op: 'rename', from: box.path('file'), to: box.path('a/b/c/moved')},
		{op: 'rename', from: box.path('file'), to: box.path('gone')},
		{op: 'removeFile', path: box.path('missing')},
		{op: 'writeHost', path: box.path('missing'), content: '', flags: 2},
		{op: 'writeHost', path: box.path('missing'), content: '', flags: 1},
	]);
	t.is(result.stderr, '');
	t.is(readFileSync(box.path('a/b/c/moved'), 'utf8'), 'new');
	const failed = host(box, [{op: 'writeHost', path: box.path('missing/x'), content: 'v', flags: 0}]);
	t.is(failed.code, 125);
	t.regex(failed.stderr, /write v to .*missing\/x: no such file or directory \(section 2, operation 0\)/);
});

test('a stop section runs to its end although an operation fails', (t) => {
	const box = bench(t);
	writeFileSync(box.path('file'), '');
	const result = host(box, [], {
		stop: [
			{op: 'writeHost', path: box.path('missing/x'), content: 'v', flags: 0},
			{op: 'removeFile', path: box.path('file')},
		],
	});
	t.is(result.code, 0);
	t.regex(result.stderr, /section 5, operation 0/);
	t.false(existsSync(box.path('file')));
});

test('a tree is removed whatever is in it, and nothing that its links lead to', (t) => {
	const box = bench(t);
	const tree = box.path('tree');
	mkdirSync(join(tree, 'a/b'), {recursive: true});
	for (const name of ['a/file', 'a/b/.hidden', '-rf', 'line\nbreak']) writeFileSync(join(tree, name), '');
	writeFileSync(box.path('outside/kept'), '');
	symlinkSync(box.path('outside'), join(tree, 'a/link'));
	mkdirSync(join(tree, 'locked'), {mode: 0});
	const result = host(box, [
		{op: 'removeTree', path: tree},
		{op: 'removeTree', path: tree},
	]);
	t.is(result.stderr, '');
	t.false(existsSync(tree));
	t.deepEqual(readdirSync(box.path('outside')), ['kept']);

	symlinkSync(box.path('outside'), tree);
	t.is(host(box, [{op: 'removeTree', path: tree}]).code, 0);
	t.deepEqual(readdirSync(box.path('outside')), ['kept']);
});

test('a tree of three thousand levels is removed', (t) => {
	const box = bench(t);
	mkdirSync(box.path('deep'));
	deepTree(box.path('deep'), 3000);
	const result = host(box, [{op: 'removeTree', path: box.path('deep')}]);
	t.is(result.stderr, '');
	t.false(existsSync(box.path('deep')));
});

test('a mount in a tree is not entered', (t) => {
	const box = bench(t);
	mkdirSync(box.path('tree/mounted'), {recursive: true});
	const plan = box.save(box.plan({argv: ['true'], setup: [{op: 'removeTree', path: box.path('tree')}]}));
	const script =
		'mount -t tmpfs tmpfs "$1/tree/mounted" && touch "$1/tree/mounted/kept"; "$2" run-plan "$3"; ls "$1/tree/mounted"';
	const result = spawnSync(
		'unshare',
		['-m', '--propagation', 'private', 'sh', '-c', script, 'sh', box.folder, monitorPath(), plan],
		{encoding: 'utf8'},
	);
	t.is(result.stdout, 'kept\n');
	t.regex(result.stderr, /remove .*tree: .*mounted: device or resource busy/);
});

test('a volume goes with its last reference', (t) => {
	const box = bench(t);
	const volume = box.path('volume');
	mkdirSync(join(volume, '_data'), {recursive: true});
	mkdirSync(join(volume, 'references'));
	writeFileSync(join(volume, 'references/one'), '');
	writeFileSync(join(volume, 'references/two'), '');
	const release = (name: string, remove: string): Op => ({
		op: 'releaseVolume',
		lock: join(volume, 'lock'),
		reference: join(volume, 'references', name),
		volume: remove,
		references: join(volume, 'references'),
	});
	t.is(host(box, [release('one', volume)]).stderr, '');
	t.true(existsSync(volume));
	t.is(host(box, [release('two', '')]).stderr, '');
	t.deepEqual(readdirSync(join(volume, 'references')), []);
	t.is(host(box, [release('two', volume)]).stderr, '');
	t.false(existsSync(volume));
	t.is(host(box, [release('two', volume)]).stderr, '');
});

const hierarchies = [
	'/sys/fs/cgroup/unified',
	'/sys/fs/cgroup/freezer',
	'/sys/fs/cgroup/pids',
	'/sys/fs/cgroup',
].filter((path) => existsSync(join(path, 'cgroup.procs')));

for (const hierarchy of hierarchies) {
	test(`a container joins a cgroup of ${hierarchy}, which is emptied and removed with all in it`, async (t) => {
		const box = bench(t);
		const cgroup = join(hierarchy, `wherry-test-${process.pid}`);
		const inner = join(cgroup, 'ctr/inner');
		const result = box.sh('cat /proc/self/cgroup', {
			setup: [{op: 'mkdirHost', path: inner, mode: 0o755}],
			root: [{op: 'joinCgroups', files: [join(inner, 'cgroup.procs')]}, box.overlay()],
		});
		t.teardown(() => {
			for (const path of [inner, join(cgroup, 'ctr'), cgroup]) if (existsSync(path)) rmdirSync(path);
		});
		t.regex(result.stdout, new RegExp(`:/wherry-test-${process.pid}/ctr/inner$`, 'm'));

		const left = spawn('sh', ['-c', 'trap "" TERM; sleep 100 & sleep 100'], {stdio: 'ignore'});
		const ended = once(left, 'exit');
		writeFileSync(join(inner, 'cgroup.procs'), String(left.pid));
		// A paused container must go as well.
		for (const [file, value] of [
			['freezer.state', 'FROZEN'],
			['cgroup.freeze', '1'],
		] as const) {
			if (existsSync(join(inner, file))) writeFileSync(join(inner, file), value);
		}
		const removed = host(box, [
			{op: 'removeCgroup', path: cgroup},
			{op: 'removeCgroup', path: cgroup},
		]);
		t.is(removed.stderr, '');
		t.false(existsSync(cgroup));
		t.is((await ended)[1], 'SIGKILL');
	});

	test(`whoever removes its own cgroup of ${hierarchy} survives`, (t) => {
		const box = bench(t);
		const cgroup = join(hierarchy, `wherry-self-${process.pid}`);
		mkdirSync(join(cgroup, 'monitor'), {recursive: true});
		const plan = box.save(box.plan({argv: ['true'], setup: [{op: 'removeCgroup', path: cgroup}]}));
		const result = spawnSync(
			'sh',
			[
				'-c',
				'echo 0 > "$1/monitor/cgroup.procs"; exec "$2" run-plan "$3"',
				'sh',
				cgroup,
				monitorPath(),
				plan,
			],
			{encoding: 'utf8'},
		);
		t.is(result.stderr, '');
		t.is(result.status, 0);
		t.false(existsSync(cgroup));
	});
}

test('a folder that is no cgroup is not removed as one', (t) => {
	const box = bench(t);
	const result = host(box, [{op: 'removeCgroup', path: box.path('outside')}]);
	t.regex(result.stderr, /is not a cgroup/);
	t.true(existsSync(box.path('outside')));
});

const unified = hierarchies.find((path) => existsSync(join(path, 'cgroup.controllers')));

(unified ? test : test.skip)(
	'an init is cloned into its v2 cgroup, or moved where that is not possible',
	(t) => {
		for (const without of [[], ['into-cgroup'], ['clone3']]) {
			const box = bench(t);
			const cgroup = join(unified!, `wherry-into-${process.pid}`);
			const result = box.sh(
				'cat /proc/self/cgroup',
				{
					setup: [{op: 'mkdirHost', path: cgroup, mode: 0o755}],
					settings: {'cgroup-dir': cgroup},
					stop: [{op: 'removeCgroup', path: cgroup}],
				},
				{without},
			);
			t.is(result.stderr, '');
			t.regex(result.stdout, new RegExp(`^0::/wherry-into-${process.pid}$`, 'm'));
			t.false(existsSync(cgroup));
		}
	},
);

/** struct bpf_insn: u8 code, u8 registers, i16 offset, i32 immediate. */
function bpf(...instructions: readonly [number, number, number, number][]): Buffer {
	const out = Buffer.alloc(8 * instructions.length);
	for (const [index, [code, registers, offset, immediate]] of instructions.entries()) {
		out.writeUInt8(code, 8 * index);
		out.writeUInt8(registers, 8 * index + 1);
		out.writeInt16LE(offset, 8 * index + 2);
		out.writeInt32LE(immediate, 8 * index + 4);
	}
	return out;
}

(unified ? test : test.skip)('a device program is attached to a v2 cgroup and decides about devices', (t) => {
	const box = bench(t);
	const cgroup = join(unified!, `wherry-device-${process.pid}`);
	// r6 = major; r0 = 1; if r6 != 1 goto exit; r6 = minor; if r6 != 5 goto exit; r0 = 0; exit
	const denyZero = bpf(
		[0x61, 0x16, 4, 0],
		[0xb7, 0x00, 0, 1],
		[0x55, 0x06, 3, 1],
		[0x61, 0x16, 8, 0],
		[0x55, 0x06, 1, 5],
		[0xb7, 0x00, 0, 0],
		[0x95, 0x00, 0, 0],
	);
	const result = box.sh('cat < /dev/null && echo null; cat < /dev/zero', {
		setup: [
			{op: 'mkdirHost', path: cgroup, mode: 0o755},
			{op: 'attachDeviceFilter', cgroup, program: denyZero},
		],
		settings: {'cgroup-dir': cgroup},
		mounts: [{op: 'bindFromHostDevice', source: '/dev/zero', target: '/dev/zero'}],
		stop: [{op: 'removeCgroup', path: cgroup}],
	});
	t.is(result.stdout, 'null\n');
	t.regex(result.stderr, /\/dev\/zero: Operation not permitted/);
	const broken = host(box, [{op: 'attachDeviceFilter', cgroup: unified!, program: bpf([0xb7, 0, 0, 1])}]);
	t.regex(broken.stderr, /load the device program/);
});

function attribute(type: number, payload: Uint8Array): Buffer {
	const out = Buffer.alloc((4 + payload.length + 3) & ~3);
	out.writeUInt16LE(4 + payload.length, 0);
	out.writeUInt16LE(type, 2);
	out.set(payload, 4);
	return out;
}
function number(value: number): Buffer {
	const out = Buffer.alloc(4);
	out.writeUInt32LE(value);
	return out;
}
/** RTM_NEWLINK with NLM_F_REQUEST | ACK | CREATE | EXCL. */
function newLink(sequence: number, ...attributes: Buffer[]): Buffer {
	const body = Buffer.concat([Buffer.alloc(16), ...attributes]);
	const head = Buffer.alloc(16);
	head.writeUInt32LE(16 + body.length, 0);
	head.writeUInt16LE(16, 4);
	head.writeUInt16LE(0x1 | 0x4 | 0x200 | 0x400, 6);
	head.writeUInt32LE(sequence, 8);
	return Buffer.concat([head, body]);
}
const [ifname, linkinfo, netnsFd] = [3, 18, 28];
const kind = (name: string, data: Buffer = Buffer.alloc(0)) =>
	attribute(linkinfo, Buffer.concat([attribute(1, Buffer.from(name)), data]));
const zero = (text: string) => Buffer.from(`${text}\0`);

test('netlink messages reach the namespace of the container, which they can name', (t) => {
	const box = bench(t);
	// Its own network namespace stands for the host here: the pair's one end goes to the container by number.
	const peer = attribute(
		1,
		Buffer.concat([Buffer.alloc(16), attribute(ifname, zero('inside')), attribute(netnsFd, number(101))]),
	);
	const veth = newLink(1, attribute(ifname, zero('outside')), kind('veth', attribute(2, peer)));
	const bridge = newLink(2, attribute(ifname, zero('more')), kind('bridge'));
	const plan = box.save(
		box.plan({
			argv: ['ls', '/sys/class/net'],
			network: [
				{op: 'netlink', where: 0, protocol: 0, messages: veth, flags: 0},
				{op: 'netlink', where: 1, protocol: 0, messages: bridge, flags: 0},
			],
		}),
	);
	const result = spawnSync(
		'unshare',
		['-n', 'sh', '-c', '"$1" run-plan "$2"; ls /proc/sys/net/ipv4/conf', 'sh', monitorPath(), plan],
		{encoding: 'utf8'},
	);
	t.is(result.stderr, '');
	// The other end goes with the container's namespace, which the kernel takes down when it has time.
	t.regex(result.stdout, /^inside\nlo\nmore\nall\ndefault\nlo\n(outside\n)?$/);
});

test('the errors of netlink are told, every one of them is read, and ignored ones are ignored', (t) => {
	const box = bench(t);
	const messages = Buffer.concat([
		newLink(1, attribute(ifname, zero('one')), kind('bridge')),
		newLink(2, attribute(ifname, zero('two')), kind('no-such-kind')),
	]);
	const op: Op = {op: 'netlink', where: 1, protocol: 0, messages, flags: 0};
	const failed = box.run({argv: ['true'], network: [op]});
	t.is(failed.code, 125);
	t.regex(
		failed.stderr,
		/netlink message 1 of type 16: Unknown device type: operation not supported \(section 3, operation 0\)/i,
	);
	t.is(box.run({argv: ['ls', '/sys/class/net'], network: [{...op, flags: 1}]}).stdout, 'lo\none\n');
	const torn = {...op, messages: messages.subarray(0, 30)};
	t.regex(box.run({argv: ['true'], network: [torn]}).stderr, /netlink batch: invalid argument/);
	const none = box.run({argv: ['true'], network: [op], settings: {'clone-flags': String(namespace.mount)}});
	t.regex(none.stderr, /there is no network namespace/);
});

test('the container ends with whoever started it', async (t) => {
	const box = bench(t);
	writeFileSync(box.path('started'), '');
	const plan = box.plan({
		argv: ['sh', '-c', 'touch /seen/started; exec sleep 100'],
		user: '7',
		mounts: [{op: 'bind', source: box.path('outside'), target: '/seen', flags: 0, propagation: 0}],
	});
	spawnSync('chmod', ['777', box.path('outside')]);
	const monitor = spawn(monitorPath(), ['run-plan', box.save(plan)], {stdio: 'ignore'});
	while (!existsSync(box.path('outside/started'))) await sleep(5);
	const children = readFileSync(`/proc/${monitor.pid}/task/${monitor.pid}/children`, 'utf8').trim();
	t.regex(children, /^\d+$/);
	monitor.kill('SIGKILL');
	await once(monitor, 'exit');
	const alive = () =>
		existsSync(`/proc/${children}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${children}/status`, 'utf8'));
	for (let tries = 0; alive() && tries < 1000; tries++) await sleep(5);
	t.false(alive());
});
