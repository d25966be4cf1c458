/** Real cgroups of this host, under a name of the test's own, removed at the end. */
import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {native} from '../../../src/kernel/native.ts';
import {deviceRules} from '../../../src/runtime/cgroups/device-filter.ts';
import {controllerDir, detectCgroups} from '../../../src/runtime/cgroups/layout.ts';
import {type CgroupOps, cgroupOps, cgroupUpdateOps} from '../../../src/runtime/cgroups/ops.ts';
import {cpuSource, type UsageSource, usageSource} from '../../../src/runtime/cgroups/stats.ts';
import type {LinuxResources} from '../../../src/runtime/oci.ts';
import type {Op} from '../../../src/runtime/plan/ops.ts';

const layout = detectCgroups();

/** Runs what the monitor would; attaching an eBPF program needs native code and is tested with the monitor. */
function run(ops: readonly Op[]): void {
	for (const op of ops) {
		if (op.op === 'mkdirHost') mkdirSync(op.path as string, {recursive: true});
		else if (op.op === 'writeHost') {
			try {
				writeFileSync(op.path as string, op.content as string, {flag: 'r+'});
			} catch (error) {
				const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
				if (op.flags === 1 || (op.flags === 2 && missing)) continue;
				throw new Error(`${op.path} ${op.content}`, {cause: error});
			}
		} else if (op.op === 'removeCgroup') rmdirSync(op.path as string);
		else if (op.op !== 'attachDeviceFilter') throw new Error(op.op);
	}
}

const read = async <T>({files, parse}: UsageSource<T>): Promise<T> =>
	parse(await native.readFiles(files, 1 << 16));

const frozen = (id: string): boolean => {
	const freezer = controllerDir(layout, 'freezer', id);
	return freezer
		? readFileSync(join(freezer.dir, 'freezer.state'), 'utf8') === 'FROZEN\n'
		: /^frozen 1$/m.test(readFileSync(join(layout.unified!.mount, 'wherry', id, 'cgroup.events'), 'utf8'));
};

function make(t: ExecutionContext, resources: LinuxResources): {id: string; ops: CgroupOps} {
	const id = `test-${randomBytes(6).toString('hex')}`;
	const ops = cgroupOps(layout, id, resources);
	t.teardown(async () => {
		for (let tries = 0; ; tries++) {
			try {
				for (const dir of ops.dirs) if (existsSync(dir)) rmdirSync(dir);
				return;
			} catch (error) {
				// A process that has just been killed leaves its cgroup a little later.
				if (tries > 100) throw error;
				await sleep(20);
			}
		}
	});
	run([...ops.monitorSetup, ...ops.setup]);
	return {id, ops};
}

function value(id: string, controller: string, v1File: string, v2File: string): string {
	const place = controllerDir(layout, controller, id)!;
	return readFileSync(join(place.dir, place.version === 1 ? v1File : v2File), 'utf8').trim();
}

test.serial('the kernel takes every limit and shows it', (t) => {
	const {id, ops} = make(t, {
		devices: deviceRules({devices: [{type: 'c', major: 10, minor: 200, permissions: 'rw'}]}),
		memory: {limit: 64 << 20, swap: 96 << 20, reservation: 32 << 20},
		cpu: {shares: 512, quota: 50_000, period: 100_000, cpus: '0'},
		pids: {limit: 20},
	});
	t.is(value(id, 'memory', 'memory.limit_in_bytes', 'memory.max'), String(64 << 20));
	t.is(value(id, 'memory', 'memory.soft_limit_in_bytes', 'memory.low'), String(32 << 20));
	t.is(value(id, 'pids', 'pids.max', 'pids.max'), '20');
	t.is(value(id, 'cpuset', 'cpuset.cpus', 'cpuset.cpus'), '0');
	const cpu = controllerDir(layout, 'cpu', id)!;
	if (cpu.version === 1) {
		t.is(value(id, 'cpu', 'cpu.shares', ''), '512');
		t.is(value(id, 'cpu', 'cpu.cfs_quota_us', ''), '50000');
		t.is(value(id, 'cpuset', 'cpuset.mems', '') !== '', true, 'memory nodes are copied down');
	} else t.is(value(id, 'cpu', '', 'cpu.max'), '50000 100000');
	const devices = controllerDir(layout, 'devices', id);
	if (devices) {
		const list = readFileSync(join(devices.dir, 'devices.list'), 'utf8').trim().split('\n');
		t.deepEqual(list, [
			'c *:* m',
			'b *:* m',
			'c 1:3 rwm',
			'c 1:5 rwm',
			'c 1:7 rwm',
			'c 1:8 rwm',
			'c 1:9 rwm',
			'c 5:0 rwm',
			'c 5:1 rwm',
			'c 5:2 rwm',
			'c 136:* rwm',
			'c 10:200 rw',
		]);
	}
	// A restart runs the same operations again.
	t.notThrows(() => run([...ops.monitorSetup, ...ops.setup]));
	run(ops.stop);
	t.deepEqual(
		ops.dirs.filter((dir) => existsSync(dir)),
		[],
	);
});

test.serial('limits can be raised and lowered while the container runs', (t) => {
	const start = {memory: {limit: 64 << 20, swap: 128 << 20}, cpu: {quota: 20_000, period: 20_000}};
	const {id} = make(t, {devices: deviceRules({}), ...start});
	const memory = () => value(id, 'memory', 'memory.limit_in_bytes', 'memory.max');
	for (const [limit, period, quota] of [
		[512 << 20, 100_000, 150_000],
		[16 << 20, 10_000, 5000],
		[64 << 20, 1_000_000, 20_000],
	] as const) {
		run(
			cgroupUpdateOps(layout, id, {memory: {limit, swap: limit * 2}, cpu: {quota, period}, pids: {limit: 7}}),
		);
		t.is(memory(), String(limit));
		t.is(value(id, 'pids', 'pids.max', 'pids.max'), '7');
	}
	run(cgroupUpdateOps(layout, id, {pids: {limit: -1}}));
	t.is(value(id, 'pids', 'pids.max', 'pids.max'), 'max');
});

test.serial('a process that joins is limited, counted, paused and unpaused', async (t) => {
	const {id, ops} = make(t, {devices: deviceRules({}), pids: {limit: 5}, memory: {limit: 64 << 20}});
	// A pure v2 host places the process with CLONE_INTO_CGROUP; here it joins as an exec child does.
	const files = ops.execJoin;
	const script = `for file in "$@"; do echo 0 > "$file"; done; dd if=/dev/zero of=/dev/null bs=1M count=20 2>/dev/null
(exec 3</dev/null) && echo null; (exec 3</dev/mem) 2>/dev/null || echo no mem
echo ready; read line; i=0; while [ $i -lt 8 ]; do sleep 60 & i=$((i+1)); done 2>/dev/null; echo not limited`;
	const child = spawn('/bin/sh', ['-c', script, 'sh', ...files], {
		stdio: ['pipe', 'pipe', 'ignore'],
		detached: true,
	});
	t.teardown(() => {
		try {
			process.kill(-child.pid!, 'SIGKILL');
		} catch {}
	});
	let output = '';
	child.stdout.on('data', (data: Buffer) => {
		output += data;
	});
	while (!output.includes('ready')) {
		if (child.exitCode !== null) return t.fail(`the shell ended: ${output}`);
		await sleep(10);
	}
	if (controllerDir(layout, 'devices', id)) t.regex(output, /null\nno mem\n/);
	const stats = await read(usageSource(layout, id));
	t.deepEqual(stats.pids, {current: 1, limit: 5});
	t.is(stats.memory?.limit, 64 << 20);
	t.true(stats.memory!.usage > 0 && stats.memory!.stat.has('inactive_file'));
	const cpu = (await read(cpuSource(layout, id)))!;
	t.true(cpu.total > 0);
	// Counted in ticks, of which a short process may not see one.
	t.true(cpu.user >= 0 && cpu.kernel >= 0);
	run(ops.pause);
	while (!frozen(id)) await sleep(10);
	run(ops.unpause);
	t.false(frozen(id));
	child.stdin.write('go\n');
	const ended = new Promise((resolve) => child.on('exit', resolve));
	await ended;
	t.false(output.includes('not limited'), 'the fifth process could not be made');
	process.kill(-child.pid!, 'SIGKILL');
});

test('what is gone has no statistics', async (t) => {
	t.deepEqual(await read(usageSource(layout, 'nothing-of-this-name')), {bytes: [], operations: []});
	t.is(await read(cpuSource(layout, 'nothing-of-this-name')), undefined);
});
