import test from 'ava';
import {detectCgroups} from '../../../src/runtime/cgroups/layout.ts';
import {
	checkResources,
	type LimitHost,
	type LimitRequest,
	limitHost,
	linuxResources,
	parseNumberList,
} from '../../../src/runtime/cgroups/limits.ts';

const host: LimitHost = {
	cpus: 4,
	onlineCpus: '0-3',
	onlineMems: '0',
	memory: true,
	swap: true,
	reservation: true,
	swappiness: true,
	oomKillDisable: true,
	cpuShares: true,
	cpuCfs: true,
	cpuset: true,
	pids: true,
	blkioWeight: true,
	blkioWeightDevice: true,
	blkioThrottle: true,
	realtime: true,
	sharesAsGiven: true,
};
const mb = 1 << 20;

const refused: [request: LimitRequest, message: string][] = [
	[{Memory: 6 * mb - 1}, 'Minimum memory limit allowed is 6MB'],
	[{Memory: -5}, 'Minimum memory limit allowed is 6MB'],
	[
		{Memory: 64 * mb, MemorySwap: 63 * mb},
		'Minimum memoryswap limit should be larger than memory limit, see usage',
	],
	[{MemorySwap: 64 * mb}, 'You should always set the Memory limit when using Memoryswap limit, see usage'],
	[{MemorySwappiness: 101}, 'Invalid value: 101, valid memory swappiness range is 0-100'],
	[{MemorySwappiness: -2}, 'Invalid value: -2, valid memory swappiness range is 0-100'],
	[{MemoryReservation: mb}, 'Minimum memory reservation allowed is 6MB'],
	[
		{Memory: 8 * mb, MemoryReservation: 9 * mb},
		'Minimum memory limit can not be less than memory reservation limit, see usage',
	],
	[{NanoCpus: 1e9, CpuPeriod: 50000}, 'Conflicting options: Nano CPUs and CPU Period cannot both be set'],
	[{NanoCpus: 1e9, CpuQuota: 50000}, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
	[{NanoCpus: 4.1e9}, 'range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
	[{NanoCpus: -1}, 'range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
	[{NanoCpus: 1e6}, 'range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
	[{CpuPeriod: 999}, 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)'],
	[
		{CpuPeriod: 1e6 + 1},
		'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
	],
	[{CpuShares: -1}, 'shares: invalid argument'],
	[{CpuShares: 1}, 'the minimum allowed cpu-shares is 2'],
	[{CpuShares: 262145}, 'the maximum allowed cpu-shares is 262144'],
	[
		{CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 2000},
		'cpu real-time runtime cannot be higher than cpu real-time period',
	],
	[{CpuQuota: 999}, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
	[{CpusetCpus: '4'}, 'Requested CPUs are not available - requested 4, available: 0-3'],
	[{CpusetCpus: '0-4'}, 'Requested CPUs are not available - requested 0-4, available: 0-3'],
	[{CpusetMems: '0,1'}, 'Requested memory nodes are not available - requested 0,1, available: 0'],
	[{CpusetCpus: 'a'}, 'Invalid value a for cpuset cpus: invalid format: a'],
	[{CpusetCpus: '3-1'}, 'Invalid value 3-1 for cpuset cpus: invalid format: 3-1'],
	[{CpusetCpus: '1,,2'}, 'Invalid value 1,,2 for cpuset cpus: invalid format: 1,,2'],
	[{CpusetCpus: '0-3\n'}, 'Invalid value 0-3\n for cpuset cpus: invalid format: 0-3\n'],
	[{CpusetMems: '0-'}, 'Invalid value 0- for cpuset mems: invalid format: 0-'],
	[
		{CpusetCpus: '0-999999999'},
		'Invalid value 0-999999999 for cpuset cpus: value of out range, maximum is 8192',
	],
	[{BlkioWeight: 9}, 'Range of blkio weight is from 10 to 1000'],
	[{BlkioWeight: 1001}, 'Range of blkio weight is from 10 to 1000'],
	[{OomScoreAdj: 1001}, 'Invalid value 1001, range for oom score adj is [-1000, 1000]'],
	[{ShmSize: -1}, 'SHM size can not be less than 0'],
];
for (const [request, message] of refused) {
	test(`${JSON.stringify(request)} is refused`, (t) => {
		const before = {...request};
		t.throws(() => checkResources(request, host), {message});
		t.deepEqual(request, before, 'what was asked is not changed');
	});
}

test('limits at their edges are taken', (t) => {
	const requests: LimitRequest[] = [
		{},
		{Memory: 6 * mb, MemorySwap: 6 * mb, MemoryReservation: 6 * mb, MemorySwappiness: 0},
		{Memory: 6 * mb, MemorySwap: -1, MemorySwappiness: 100},
		{NanoCpus: 4e9},
		{NanoCpus: 1e7},
		{CpuPeriod: 1000, CpuQuota: 1000},
		{CpuQuota: -1},
		{CpusetCpus: '0-1,3', CpusetMems: '0'},
		{BlkioWeight: 10, PidsLimit: -1, OomScoreAdj: -1000},
		{MemorySwap: -1},
	];
	for (const request of requests) t.deepEqual(checkResources(request, host).warnings, []);
});

test("what is stored has docker's defaults", (t) => {
	t.is(checkResources({Memory: 64 * mb}, host).limits.MemorySwap, 128 * mb);
	t.is(checkResources({CpuShares: 1}, {...host, sharesAsGiven: false}).limits.CpuShares, 1, 'v2 maps it');
	t.is(checkResources<LimitRequest>({MemorySwappiness: -1}, host).limits.MemorySwappiness, null);
});

test('what the host cannot limit is discarded with a warning', (t) => {
	const none: LimitHost = {
		...host,
		memory: false,
		swap: false,
		reservation: false,
		swappiness: false,
		oomKillDisable: false,
		cpuShares: false,
		cpuCfs: false,
		cpuset: false,
		pids: false,
		blkioWeight: false,
		blkioWeightDevice: false,
		blkioThrottle: false,
	};
	const request: LimitRequest = {
		Memory: 64 * mb,
		MemoryReservation: 32 * mb,
		MemorySwappiness: 10,
		OomKillDisable: true,
		CpuShares: 512,
		CpuPeriod: 100000,
		CpuQuota: 50000,
		CpusetCpus: '9',
		PidsLimit: 10,
		BlkioWeight: 500,
		BlkioWeightDevice: [{Path: '/dev/x', Weight: 10}],
		BlkioDeviceReadBps: [{Path: '/dev/x', Rate: 10}],
		BlkioDeviceWriteBps: [{Path: '/dev/x', Rate: 10}],
		BlkioDeviceReadIOps: [{Path: '/dev/x', Rate: 10}],
		BlkioDeviceWriteIOps: [{Path: '/dev/x', Rate: 10}],
	};
	const {warnings, limits} = checkResources(request, none);
	t.snapshot(warnings);
	t.deepEqual(linuxResources(limits, []), {devices: []});
	t.throws(() => checkResources({NanoCpus: 1e9}, none), {
		message: /^NanoCPUs can not be set, as your kernel/,
	});
	t.throws(() => checkResources({CpuRealtimePeriod: 1000}, {...none, realtime: false}), {
		message: 'Your kernel does not support CPU real-time scheduler',
	});
	const noSwap = checkResources({Memory: 64 * mb}, {...host, swap: false});
	t.is(noSwap.limits.MemorySwap, -1);
	t.deepEqual(noSwap.warnings.length, 1);
});

test('an OOM killer that is disabled without a limit is worth a warning', (t) => {
	t.is(checkResources({OomKillDisable: true}, host).warnings.length, 1);
	t.is(checkResources({OomKillDisable: true, Memory: 64 * mb}, host).warnings.length, 0);
	t.is(checkResources({OomKillDisable: false}, {...host, oomKillDisable: false}).warnings.length, 0);
});

test('a list of many numbers costs no more than its text', (t) => {
	t.deepEqual(parseNumberList('0-8192', 8192), [[0, 8192]]);
	t.deepEqual(parseNumberList(' 1 - 3 ,5', 8), [
		[1, 3],
		[5, 5],
	]);
	t.throws(() => parseNumberList('0-18446744073709551615', 8192));
	t.throws(() => checkResources({CpusetCpus: '0-8192'}, host), {
		message: /^Requested CPUs are not available/,
	});
});

test('limits in the OCI form', (t) => {
	const {limits} = checkResources(
		{
			Memory: 64 * mb,
			NanoCpus: 1.5e9,
			CpuShares: 512,
			CpusetCpus: '0',
			PidsLimit: 0,
			BlkioWeight: 500,
			OomKillDisable: true,
		},
		host,
	);
	t.deepEqual(linuxResources(limits, [{allow: false}], {readBps: [{major: 8, minor: 0, rate: mb}]}), {
		devices: [{allow: false}],
		memory: {limit: 64 * mb, swap: 128 * mb, disableOOMKiller: true},
		cpu: {shares: 512, period: 100000, quota: 150000, cpus: '0'},
		pids: {limit: -1},
		blockIO: {weight: 500, throttleReadBpsDevice: [{major: 8, minor: 0, rate: mb}]},
	});
});

test('this host can limit memory, processes and CPUs', (t) => {
	const here = limitHost(detectCgroups());
	t.true(here.memory && here.pids && here.cpuCfs && here.cpuset);
	t.regex(here.onlineCpus, /^0/);
	t.true(here.cpus >= 1);
});

test('an update may change a part of what goes together', (t) => {
	const update = {update: true};
	t.deepEqual(checkResources({MemorySwap: 64 * mb}, host, update).limits, {MemorySwap: 64 * mb});
	t.deepEqual(checkResources<LimitRequest>({Memory: 64 * mb}, host, update).limits, {Memory: 64 * mb});
	t.throws(() => checkResources({Memory: 2 * mb}, host, update), {message: /6MB/});
});
