import {totalmem} from 'node:os';
import test from 'ava';
import type {ContainerStats} from '../../../src/engine/api.ts';
import {parseNetworkDevices} from '../../../src/engine/containers/stats.ts';
import {
	blockTotals,
	cpuPercent,
	memoryPercent,
	memoryUsed,
	networkTotals,
} from '../../../src/engine/containers/usage.ts';
import {runDetached, type TestEngine, testEngine} from '../../setup/engine.ts';

const cpu = (total: number, system: number): ContainerStats['cpu_stats'] => ({
	cpu_usage: {total_usage: total, usage_in_kernelmode: 0, usage_in_usermode: 0},
	system_cpu_usage: system,
	online_cpus: 4,
	throttling_data: {periods: 0, throttled_periods: 0, throttled_time: 0},
});

const sample: ContainerStats = {
	id: 'x',
	name: '/x',
	read: '',
	preread: '',
	num_procs: 0,
	pids_stats: {},
	cpu_stats: cpu(3000, 8000),
	precpu_stats: cpu(1000, 4000),
	memory_stats: {usage: 1000, limit: 2000, stats: {total_inactive_file: 400, inactive_file: 1}},
	blkio_stats: {
		io_service_bytes_recursive: [
			{major: 8, minor: 0, op: 'Read', value: 5},
			{major: 8, minor: 16, op: 'read', value: 7},
			{major: 8, minor: 0, op: 'Write', value: 11},
			{major: 8, minor: 0, op: 'Total', value: 16},
		],
		io_serviced_recursive: null,
	},
};

test("docker's formulas", (t) => {
	t.is(cpuPercent(sample), 200, 'half of what four CPUs can do');
	t.is(cpuPercent({...sample, cpu_stats: cpu(500, 8000)}), 0, 'a cgroup that is new again');
	t.is(cpuPercent({...sample, precpu_stats: cpu(1000, 8000)}), 0);
	t.is(memoryUsed(sample), 600);
	t.is(memoryPercent(sample), 30);
	t.is(memoryUsed({...sample, memory_stats: {usage: 1000, stats: {inactive_file: 300}}}), 700, 'v2');
	t.is(memoryUsed({...sample, memory_stats: {usage: 10, stats: {inactive_file: 300}}}), 10);
	t.is(memoryPercent({...sample, memory_stats: {}}), 0);
	t.deepEqual(blockTotals(sample), {read: 12, written: 11});
	t.deepEqual(networkTotals(sample), {received: 0, sent: 0});
});

test('interfaces are counted, the loopback is not', (t) => {
	const networks = parseNetworkDevices(
		[
			'Inter-|   Receive                                                |  Transmit',
			' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop',
			'    lo:     500       5    0    0    0     0          0         0      500       5    0    0 0 0 0 0',
			'  eth0:10 2 3 4 0 0 0 0 50 6 7 8 0 0 0 0',
			'',
		].join('\n'),
	);
	t.deepEqual(networks, {
		eth0: {
			...{rx_bytes: 10, rx_packets: 2, rx_errors: 3, rx_dropped: 4},
			...{tx_bytes: 50, tx_packets: 6, tx_errors: 7, tx_dropped: 8},
		},
	});
	t.deepEqual(parseNetworkDevices(''), {});
});

let own: TestEngine;
let busy: string;
let limited: string;

test.before(async () => {
	own = await testEngine();
	busy = await runDetached(own.engine, ['sh', '-c', 'while :; do :; done'], {
		name: 'busy',
		hostConfig: {NanoCpus: 2e8},
	});
	limited = await runDetached(own.engine, ['sleep', '1000'], {
		name: 'limited',
		hostConfig: {Memory: 64 << 20, PidsLimit: 7},
	});
});

test.after.always(() => own.close());

async function once(names?: string[], all = false): Promise<ContainerStats[]> {
	for await (const batch of own.engine.containers.stats(names, {stream: false, all})) return batch;
	return [];
}

test('one batch has two samples, in the order of the names', async (t) => {
	const [first, second, ...rest] = await once(['limited', busy.slice(0, 20), 'limited']);
	t.deepEqual(rest, []);
	t.like(first, {id: limited, name: '/limited'});
	t.is(second?.id, busy);
	t.true(cpuPercent(second!) > 0);
	t.true(cpuPercent(first!) < cpuPercent(second!));
	t.is(first!.memory_stats.limit, 64 << 20);
	t.is(second!.memory_stats.limit, totalmem());
	t.true(memoryUsed(first!) > 0);
	t.deepEqual(first!.pids_stats, {current: 1, limit: 7});
	t.deepEqual(networkTotals(first!), {received: 0, sent: 0});
	t.true(first!.read > first!.preread && first!.preread > '2000');
});

test('a container that is not there is an error, one that does not run has no numbers', async (t) => {
	await t.throwsAsync(once(['nothing']), {code: 'not-found', message: 'No such container: nothing'});
	const {id} = await own.engine.containers.create({
		image: 'wherry/base',
		name: 'made',
		config: {Cmd: ['true']},
	});
	const [found] = await once(['made']);
	t.like(found, {id, name: '/made', pids_stats: {}, memory_stats: {}});
	t.deepEqual([cpuPercent(found!), memoryUsed(found!), blockTotals(found!)], [0, 0, {read: 0, written: 0}]);
	t.false((await once()).some((each) => each.id === id));
	t.true((await once(undefined, true)).some((each) => each.id === id));
});

test('containers that come and go are followed', async (t) => {
	const ids = (batch: ContainerStats[]): string[] => batch.map((each) => each.id);
	const ending = new AbortController();
	let added: string | undefined;
	let step = 0;
	for await (const batch of own.engine.containers.stats(undefined, {interval: 20, signal: ending.signal})) {
		if (step === 0) {
			added = await runDetached(own.engine, ['sleep', '1000']);
			step = 1;
		} else if (step === 1 && ids(batch).includes(added!)) {
			await own.engine.containers.remove(added!, {force: true});
			step = 2;
		} else if (step === 2 && !ids(batch).includes(added!)) ending.abort();
	}
	t.is(step, 2);
});

test('a named container that has been removed is left out from then on', async (t) => {
	const id = await runDetached(own.engine, ['sleep', '1000']);
	let seen = false;
	for await (const batch of own.engine.containers.stats([id], {interval: 20})) {
		if (batch.length === 0) break;
		if (!seen) await own.engine.containers.remove(id, {force: true});
		seen = true;
	}
	t.true(seen);
});
