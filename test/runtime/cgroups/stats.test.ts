import test from 'ava';
import {
	cpuSource,
	flatKeyed,
	parseIoV1,
	parseIoV2,
	parseLimit,
	type UsageSource,
	usageSource,
} from '../../../src/runtime/cgroups/stats.ts';
import {layouts} from './layouts.ts';

test('bytes and operations are told by device and direction', (t) => {
	t.deepEqual(parseIoV1('8:0 Read 100\n8:0 Total 105\nTotal 116\n'), [
		{major: 8, minor: 0, op: 'Read', value: 100},
		{major: 8, minor: 0, op: 'Total', value: 105},
	]);
	const v2 = '8:0 rbytes=100 wbytes=5 rios=1 wios=2 dbytes=0 dios=0\n253:16 rbytes=7\n254:0 \n';
	t.deepEqual(parseIoV2(v2, 'rbytes', 'wbytes'), [
		{major: 8, minor: 0, op: 'read', value: 100},
		{major: 8, minor: 0, op: 'write', value: 5},
		{major: 253, minor: 16, op: 'read', value: 7},
	]);
	t.deepEqual(
		parseIoV2(v2, 'rios', 'wios').map(({value}) => value),
		[1, 2],
	);
	t.deepEqual([...parseIoV1(''), ...parseIoV2('', 'a', 'b')], []);
});

/** Reads from a table of file names. */
const from = <T>({files, parse}: UsageSource<T>, table: Record<string, string>): T =>
	parse(files.map((path) => table[path.slice(path.lastIndexOf('/') + 1)]));

test('v1: what a cgroup uses, from the files of its hierarchies', (t) => {
	t.deepEqual(
		from(cpuSource(layouts.v1, 'x'), {
			'cpuacct.usage': '300\n',
			'cpuacct.usage_user': '200\n',
			'cpuacct.usage_sys': '100\n',
			'cpu.stat': 'nr_periods 5\nnr_throttled 2\nthrottled_time 77\n',
		}),
		{total: 300, user: 200, kernel: 100, periods: 5, throttledPeriods: 2, throttledTime: 77},
	);
	const usage = from(usageSource(layouts.v1, 'x'), {
		'memory.usage_in_bytes': '1000\n',
		'memory.limit_in_bytes': '9223372036854771712\n',
		'memory.stat': 'cache 5\ntotal_inactive_file 400\n',
		'memory.max_usage_in_bytes': '1200\n',
		'memory.failcnt': '3\n',
		'pids.current': '4\n',
		'pids.max': '10\n',
		'blkio.throttle.io_service_bytes_recursive': '8:0 Read 100\nTotal 100\n',
	});
	t.like(usage.memory, {usage: 1000, limit: undefined, most: 1200, failures: 3});
	t.is(usage.memory!.stat.get('total_inactive_file'), 400);
	t.deepEqual(usage.pids, {current: 4, limit: 10});
	t.deepEqual(usage.bytes, [{major: 8, minor: 0, op: 'Read', value: 100}]);
});

test('v2: what a cgroup uses, from the files of its one folder', (t) => {
	t.like(from(cpuSource(layouts.v2, 'x'), {'cpu.stat': 'usage_usec 3\nuser_usec 2\nsystem_usec 1\n'}), {
		total: 3000,
		user: 2000,
		kernel: 1000,
		periods: 0,
	});
	const usage = from(usageSource(layouts.v2, '/a.slice/x'), {
		'memory.current': '1000\n',
		'memory.max': 'max\n',
		'memory.stat': 'inactive_file 400\n',
		'pids.current': '4\n',
		'pids.max': 'max\n',
		'io.stat': '8:0 rbytes=1 wbytes=2 rios=3 wios=4\n',
	});
	t.is(usage.memory!.limit, undefined);
	t.deepEqual(usage.pids, {current: 4, limit: undefined});
	t.deepEqual(
		[...usage.bytes, ...usage.operations].map(({value}) => value),
		[1, 2, 3, 4],
	);
	t.true(usageSource(layouts.v2, '/a.slice/x').files.includes('/sys/fs/cgroup/a.slice/x/memory.stat'));
});

test('no limit is told from a limit', (t) => {
	t.deepEqual(['max\n', '9223372036854771712\n', '', '67108864\n'].map(parseLimit), [
		undefined,
		undefined,
		undefined,
		67108864,
	]);
});

test('keys and values of a flat file', (t) => {
	t.deepEqual(
		[...flatKeyed('a 1\nb 22\n\nbroken\n')],
		[
			['a', 1],
			['b', 22],
		],
	);
});
