import test from 'ava';
import {deviceRules} from '../../../src/runtime/cgroups/device-filter.ts';
import {cgroupLayout, parseCgroupMounts} from '../../../src/runtime/cgroups/layout.ts';
import {cgroupOps, cgroupUpdateOps} from '../../../src/runtime/cgroups/ops.ts';
import {blkioToIoWeight, resourceWrites, sharesToWeight} from '../../../src/runtime/cgroups/resources.ts';
import type {LinuxResources} from '../../../src/runtime/oci.ts';
import {encodePlan} from '../../../src/runtime/plan/encode.ts';
import {printPlan} from '../../../src/runtime/plan/print.ts';
import {layouts, mountinfo} from './layouts.ts';

const id = 'c0ffee';
const everything: LinuxResources = {
	devices: deviceRules({}),
	memory: {limit: 64 << 20, swap: 128 << 20, reservation: 32 << 20, swappiness: 10, disableOOMKiller: true},
	cpu: {shares: 512, quota: 50_000, period: 100_000, cpus: '0-1', mems: '0'},
	pids: {limit: 100},
	blockIO: {
		weight: 300,
		weightDevice: [{major: 8, minor: 0, weight: 500}],
		throttleReadBpsDevice: [{major: 8, minor: 0, rate: 1 << 20}],
		throttleWriteIOPSDevice: [{major: 8, minor: 0, rate: 100}],
	},
	hugepageLimits: [{pageSize: '2MB', limit: 4 << 20}],
	unified: {'memory.high': '50000000'},
};

for (const name of ['v1', 'v1Fresh', 'hybrid', 'hybridInSession', 'v2', 'v2Fresh'] as const) {
	test(`the operations of a container with every limit on ${name}`, (t) => {
		const {setup, monitorSetup, stop, pause, unpause, ...rest} = cgroupOps(layouts[name], id, everything);
		t.snapshot(printPlan({setup: [...monitorSetup, ...setup], stop, pause, unpause}));
		t.snapshot(rest);
		t.true(encodePlan({setup, stop}).length > 100);
	});
	test(`a container without limits has few operations on ${name}`, (t) => {
		t.snapshot(
			printPlan({setup: cgroupOps(layouts[name], id, {devices: deviceRules({privileged: true})}).setup}),
		);
	});
}

test('a host without cgroups cannot filter devices', (t) => {
	t.is(layouts.none.version, 'none');
	t.throws(() => cgroupOps(layouts.none, id, everything), {message: /no device filter is possible/});
});

test('no start is without a device filter', (t) => {
	for (const layout of [layouts.v1, layouts.hybrid, layouts.v2]) {
		for (const resources of [{}, {devices: []}, {devices: deviceRules({})}]) {
			const filters = cgroupOps(layout, id, resources).setup.filter(
				(op) =>
					op.op === 'attachDeviceFilter' ||
					(op.op === 'writeHost' &&
						String(op.path).endsWith('/devices.deny') &&
						op.content === 'a' &&
						op.flags === 0),
			);
			t.is(filters.length, 1);
		}
	}
});

test('a v1 hierarchy without the devices controller leaves the filter to v2', (t) => {
	const text = `${mountinfo.v1}${mountinfo.unified('/sys/fs/cgroup/unified')}`.replace(
		/^.*\/devices .*\n/m,
		'',
	);
	const ops = cgroupOps(
		cgroupLayout(text, () => ''),
		id,
		everything,
	);
	t.is(ops.setup.filter(({op}) => op === 'attachDeviceFilter').length, 1);
	t.true(
		ops.execJoin.includes(`/sys/fs/cgroup/unified/wherry/${id}/cgroup.procs`),
		'an exec must be filtered too',
	);
});

test('names that could leave the folder are refused', (t) => {
	for (const bad of ['', '.', '..', 'a/b', '../x', 'monitors', '-x', 'a\n']) {
		t.throws(() => cgroupOps(layouts.v1, bad, {}), {message: /^invalid cgroup name/});
		t.throws(() => cgroupUpdateOps(layouts.v1, bad, {}), {message: /^invalid cgroup name/});
	}
	t.throws(() => cgroupOps(layouts.v2, id, {unified: {'../cgroup.procs': '0'}}), {
		message: /^invalid cgroup file name/,
	});
	t.throws(() => cgroupOps(layouts.v2, id, {hugepageLimits: [{pageSize: '../x', limit: 1}]}));
});

test('an update writes limits in an order that works up and down', (t) => {
	t.snapshot(printPlan({setup: cgroupUpdateOps(layouts.v1, id, {...everything, pids: {limit: -1}})}));
	t.snapshot(printPlan({setup: cgroupUpdateOps(layouts.v2, id, {...everything, pids: {limit: -1}})}));
});

test('mounts are found by their controllers', (t) => {
	t.deepEqual(
		parseCgroupMounts(mountinfo.v1).v1.map(({controllers}) => controllers.join()),
		['name=systemd', 'cpu,cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids'],
	);
	t.deepEqual(parseCgroupMounts(mountinfo.unified('/mnt/a\\040b\\011c')), {v1: [], unified: '/mnt/a b\tc'});
	t.deepEqual(parseCgroupMounts(''), {v1: []});
	t.deepEqual(
		['v1', 'hybrid', 'v2', 'none'].map((name) => layouts[name as keyof typeof layouts].version),
		['v1', 'hybrid', 'v2', 'none'],
	);
	const named = '40 31 0:40 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n';
	t.is(cgroupLayout(named + mountinfo.unified('/sys/fs/cgroup/unified'), () => '').version, 'v2');
});

test("shares become docker's weights", (t) => {
	t.deepEqual(
		[0, 1, 2, 512, 1024, 2048, 262144, 1e9].map(sharesToWeight),
		[1, 1, 1, 59, 100, 174, 10000, 10000],
	);
	t.deepEqual([10, 500, 1000].map(blkioToIoWeight), [1, 4950, 10000]);
});

const v2 = {versionOf: () => 2 as const};
const files = (resources: LinuxResources) =>
	Object.fromEntries(resourceWrites(resources, v2).map(({file, content}) => [file, content]));

test('v2 limits', (t) => {
	t.deepEqual(files({memory: {limit: 100, swap: 300}}), {'memory.swap.max': '200', 'memory.max': '100'});
	t.deepEqual(files({memory: {limit: 100, swap: 100}}), {'memory.swap.max': '0', 'memory.max': '100'});
	t.deepEqual(files({memory: {limit: 100, swap: -1}}), {'memory.swap.max': 'max', 'memory.max': '100'});
	t.deepEqual(files({memory: {limit: -1, swap: -1}}), {'memory.swap.max': 'max', 'memory.max': 'max'});
	t.deepEqual(files({cpu: {quota: 50000}}), {'cpu.max': '50000 100000'});
	t.deepEqual(files({cpu: {period: 20000}}), {'cpu.max': 'max 20000'});
	t.deepEqual(files({cpu: {quota: -1, period: 20000}}), {'cpu.max': 'max 20000'});
	t.deepEqual(files({pids: {limit: 0}}), {});
	t.deepEqual(files({pids: {limit: 5}}), {'pids.max': '5'});
	t.deepEqual(
		files({
			blockIO: {
				throttleReadBpsDevice: [{major: 8, minor: 0, rate: 5}],
				throttleWriteBpsDevice: [{major: 8, minor: 0, rate: 0}],
			},
		}),
		{'io.max': '8:0 rbps=5 wbps=max'},
	);
	t.deepEqual(files({}), {});
});
