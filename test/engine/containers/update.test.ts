import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import type {ContainerInspect, ContainerUpdate, HostConfig} from '../../../src/engine/api.ts';
import {changedResources, mergeUpdate} from '../../../src/engine/containers/update.ts';
import {controllerDir, detectCgroups} from '../../../src/runtime/cgroups/layout.ts';
import {pastEvents, runDetached, type TestEngine, testEngine, until} from '../../setup/engine.ts';

let own: TestEngine;
const layout = detectCgroups();

test.before(async () => {
	own = await testEngine();
});

test.after.always(() => own.close());

const update = (container: string, change: ContainerUpdate): Promise<{warnings: string[]}> =>
	own.engine.containers.update(container, change);

const inspect = (container: string): Promise<ContainerInspect> => own.engine.containers.inspect(container);

/** What the kernel has, by the names of v1. */
function limits(id: string): Record<string, string> {
	const read = (controller: string, v1: string, v2: string): string => {
		const {dir, version} = controllerDir(layout, controller, id)!;
		return readFileSync(join(dir, version === 1 ? v1 : v2), 'utf8').trim();
	};
	return {
		memory: read('memory', 'memory.limit_in_bytes', 'memory.max'),
		pids: read('pids', 'pids.max', 'pids.max'),
		quota: read('cpu', 'cpu.cfs_quota_us', 'cpu.max'),
	};
}

const none = {
	...{NanoCpus: 0, CpuPeriod: 0, CpuQuota: 0, Memory: 0, MemorySwap: 0, MemoryReservation: 0},
	...{AutoRemove: false, CpuShares: 0, RestartPolicy: {Name: 'no', MaximumRetryCount: 0}},
} as HostConfig;

test('what a container has and what it shall have must not contradict each other', (t) => {
	const refused = (before: Partial<HostConfig>, change: ContainerUpdate, message: string): void => {
		t.throws(() => mergeUpdate('ID', {...none, ...before}, change), {
			message: `Cannot update container ID: ${message}`,
		});
	};
	const conflict = (rest: string): string => `Conflicting options: ${rest}`;
	refused(
		{CpuPeriod: 1000},
		{NanoCpus: 1},
		conflict('Nano CPUs cannot be updated as CPU Period has already been set'),
	);
	refused(
		{CpuQuota: 1000},
		{NanoCpus: 1},
		conflict('Nano CPUs cannot be updated as CPU Quota has already been set'),
	);
	refused(
		{NanoCpus: 1},
		{CpuPeriod: 1000},
		conflict('CPU Period cannot be updated as NanoCPUs has already been set'),
	);
	refused(
		{NanoCpus: 1},
		{CpuQuota: 1000},
		conflict('CPU Quota cannot be updated as NanoCPUs has already been set'),
	);
	const mega = 1 << 20;
	refused(
		{Memory: 20 * mega, MemorySwap: 40 * mega},
		{Memory: 50 * mega},
		'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
	);
	refused(
		{},
		{MemorySwap: 50 * mega},
		'You should always set the Memory limit when using Memoryswap limit, see usage',
	);
	refused(
		{Memory: 20 * mega, MemorySwap: 40 * mega},
		{MemorySwap: 10 * mega},
		'Minimum memoryswap limit should be larger than memory limit, see usage',
	);
	refused(
		{AutoRemove: true},
		{RestartPolicy: {Name: 'always', MaximumRetryCount: 0}},
		'Restart policy cannot be updated because AutoRemove is enabled for the container',
	);
	const after = mergeUpdate('ID', {...none, Memory: 20 * mega, MemorySwap: -1}, {Memory: 50 * mega});
	t.like(after, {Memory: 50 * mega, MemorySwap: -1});
	t.is(mergeUpdate('ID', none, {PidsLimit: -1}).PidsLimit, 0);
});

test('the kernel is told of what changes and what belongs to it, no more', (t) => {
	const after = {...none, Memory: 1 << 25, MemorySwap: 1 << 26, CpuShares: 512, PidsLimit: 9} as HostConfig;
	t.deepEqual(changedResources(after, {Memory: 1 << 25}), {
		memory: {limit: 1 << 25, swap: 1 << 26},
		cpu: {},
	});
	t.deepEqual(changedResources(after, {CpuShares: 512}), {memory: {}, cpu: {shares: 512}});
	t.deepEqual(changedResources(after, {PidsLimit: 9}), {memory: {}, cpu: {}, pids: {limit: 9}});
	t.deepEqual(changedResources(after, {RestartPolicy: {Name: 'no', MaximumRetryCount: 0}}), {
		memory: {},
		cpu: {},
	});
});

test('a running container gets its new limits, and has them after a restart', async (t) => {
	const id = await runDetached(own.engine, ['sleep', '1000'], {
		name: 'running',
		hostConfig: {Memory: 64 << 20, MemorySwap: 64 << 20},
	});
	const before = limits(id);
	t.deepEqual(
		await update('running', {Memory: 96 << 20, MemorySwap: -1, PidsLimit: 20, CpuShares: 300, NanoCpus: 5e8}),
		{warnings: []},
	);
	const after = limits(id);
	t.is(after.memory, String(96 << 20));
	t.is(after.pids, '20');
	t.not(after.quota, before.quota);
	t.like((await inspect(id)).HostConfig, {
		...{Memory: 96 << 20, MemorySwap: -1, PidsLimit: 20, CpuShares: 300, NanoCpus: 5e8},
	});
	// Settings that aren't named stay.
	await update(id, {PidsLimit: -1, RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 3}});
	const last = limits(id);
	t.deepEqual(last, {...after, pids: 'max'});
	await own.engine.containers.restart(id);
	t.deepEqual(limits(id), last);
	t.like((await inspect(id)).HostConfig.RestartPolicy, {Name: 'on-failure', MaximumRetryCount: 3});
	const seen = (await pastEvents(own.engine)).filter(
		(each) => each.Actor.ID === id && each.Action === 'update',
	);
	t.is(seen.length, 2);
	t.like(seen[0]!.Actor.Attributes, {name: 'running'});

	await own.engine.containers.pause(id);
	await update(id, {PidsLimit: 5});
	t.is(limits(id).pids, '5');
	await own.engine.containers.unpause(id);
});

test('nothing changes when any of it is refused', async (t) => {
	const id = await runDetached(own.engine, ['sleep', '1000'], {
		name: 'refusing',
		hostConfig: {Memory: 64 << 20, MemorySwap: 64 << 20, PidsLimit: 9},
	});
	const before = {limits: limits(id), config: (await inspect(id)).HostConfig};
	const refused = async (change: ContainerUpdate, message: string | RegExp): Promise<void> => {
		await t.throwsAsync(update('refusing', change), {message});
		t.deepEqual({limits: limits(id), config: (await inspect(id)).HostConfig}, before);
	};
	await refused({Memory: 1 << 20, PidsLimit: 3}, 'Minimum memory limit allowed is 6MB');
	await refused(
		{NanoCpus: 1e8, CpuPeriod: 1000},
		'Conflicting options: Nano CPUs and CPU Period cannot both be set',
	);
	await refused(
		{Memory: 30 << 20, MemorySwap: 20 << 20},
		'Minimum memoryswap limit should be larger than memory limit, see usage',
	);
	await refused({CpusetCpus: '4095'}, /Requested CPUs are not available - requested 4095, available: /);
	await refused({RestartPolicy: {Name: 'never' as 'no', MaximumRetryCount: 0}}, /restart policy/);
	await refused(
		{RestartPolicy: {Name: 'always', MaximumRetryCount: 3}, PidsLimit: 3},
		"invalid restart policy: maximum retry count can only be used with 'on-failure'",
	);
	// Only the kernel knows.
	await refused(
		{Memory: 70 << 20, MemorySwap: 80 << 20, CpuPeriod: 1000, CpuQuota: 2 ** 60},
		/Cannot update container/,
	);
	const events = await pastEvents(own.engine);
	t.false(events.some((event) => event.Actor.ID === id && event.Action === 'update'));
	await t.throwsAsync(update('nobody', {}), {message: 'No such container: nobody', code: 'not-found'});
});

test('memory that is in use cannot be taken away', async (t) => {
	const id = await runDetached(
		own.engine,
		['sh', '-c', 'dd if=/dev/zero of=/dev/shm/full bs=1M count=30 && touch /dev/shm/done; sleep 1000'],
		{hostConfig: {Memory: 64 << 20, MemorySwap: 64 << 20, ShmSize: 64 << 20}},
	);
	const {dir, version} = controllerDir(layout, 'memory', id)!;
	const usage = (): number =>
		Number(readFileSync(join(dir, version === 1 ? 'memory.usage_in_bytes' : 'memory.current'), 'utf8'));
	await until('it is used', () => usage() > 30 << 20);
	const before = limits(id);
	await t.throwsAsync(update(id, {Memory: 10 << 20, MemorySwap: 10 << 20, PidsLimit: 7}), {
		message:
			/^Cannot update container [0-9a-f]{64}: unable to set memory limit to 10485760 \(current usage: /,
	});
	t.deepEqual(limits(id), before);
	t.true((await inspect(id)).State.Running);
});

test('a container that is not up starts with its new settings', async (t) => {
	const {id} = await own.engine.containers.create({
		image: 'wherry/base',
		name: 'stopped',
		config: {Cmd: ['sleep', '1000'], StopSignal: 'SIGKILL'},
		hostConfig: {NetworkMode: 'none'},
	});
	await update('stopped', {Memory: 32 << 20, MemorySwap: 32 << 20, PidsLimit: 12});
	t.like((await inspect(id)).HostConfig, {Memory: 32 << 20, PidsLimit: 12});
	await own.engine.containers.start(id);
	t.like(limits(id), {memory: String(32 << 20), pids: '12'});
});

test('a policy that comes while it runs holds at its end', async (t) => {
	const id = await runDetached(own.engine, ['sleep', '1000'], {name: 'policy'});
	await update(id, {RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 1}});
	const first = (await inspect(id)).State.Pid;
	process.kill(first, 'SIGKILL');
	await until('it runs again', async () => {
		const {State, RestartCount} = await inspect(id);
		return State.Running && RestartCount === 1 && State.Pid !== first && State.Pid > 0;
	});
	await update(id, {RestartPolicy: {Name: 'no', MaximumRetryCount: 0}});
	process.kill((await inspect(id)).State.Pid, 'SIGKILL');
	await until('it has ended', async () => (await inspect(id)).State.Status === 'exited');
	t.is((await inspect(id)).RestartCount, 1);
});
