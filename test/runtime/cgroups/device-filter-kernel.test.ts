import {execFileSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {assembleDeviceFilter, deviceRules} from '../../../src/runtime/cgroups/device-filter.ts';
import {detectCgroups} from '../../../src/runtime/cgroups/layout.ts';
import type {LinuxDeviceCgroup} from '../../../src/runtime/oci.ts';

const {unified} = detectCgroups();
const folder = mkdtempSync(join(tmpdir(), 'wherry-devices-'));
const loader = join(folder, 'load');

test.before(() => {
	const source = join(import.meta.dirname, 'load-device-filter.c');
	execFileSync('cc', ['-Wall', '-Wextra', '-Werror', '-o', loader, source]);
});
test.after.always(() => rmSync(folder, {recursive: true, force: true}));

/** What a process under the filter gets for each device: [errno of mknod, errno of open]. */
function underFilter(
	t: ExecutionContext,
	rules: readonly LinuxDeviceCgroup[],
): Record<string, [number, number]> {
	const name = `wherry-test-${randomBytes(6).toString('hex')}`;
	const cgroup = join(unified!.mount, name);
	const program = join(folder, name);
	writeFileSync(program, assembleDeviceFilter(rules));
	mkdirSync(cgroup);
	t.teardown(async () => {
		for (let tries = 0; ; tries++) {
			try {
				return rmdirSync(cgroup);
			} catch (error) {
				if (tries > 100) throw error;
				await sleep(10);
			}
		}
	});
	return JSON.parse(execFileSync(loader, [program, cgroup, folder], {encoding: 'utf8'}));
}

const eperm = 1;

// A pure v1 host has nothing to attach a program to; there the devices controller is tested instead.
if (unified) {
	test.serial('the kernel takes the default filter: a disk can be made but not opened', (t) => {
		const result = underFilter(t, deviceRules({}));
		t.deepEqual(result.null, [0, 0]);
		t.deepEqual(result.memory, [0, eperm]);
		t.deepEqual(result.disk, [0, eperm]);
		t.deepEqual(result.loop, [0, eperm]);
	});

	test.serial('a device that was given passes the filter', (t) => {
		const result = underFilter(t, deviceRules({cgroupRules: ['b 7:* rwm', 'c 4294967295:2147483648 r']}));
		t.deepEqual(result.null, [0, 0]);
		t.is(result.loop![0], 0);
		// Without a loop device of this number the kernel has passed the filter and finds nothing.
		t.not(result.loop![1], eperm);
		t.deepEqual(result.disk, [0, eperm]);
	});

	test.serial('without any rule no device can be made', (t) => {
		const result = underFilter(t, []);
		t.deepEqual(result.null, [eperm, eperm]);
	});

	test.serial('a privileged filter is no filter', (t) => {
		const result = underFilter(t, deviceRules({privileged: true}));
		t.deepEqual(result.null, [0, 0]);
		t.not(result.disk![1], eperm);
	});
} else {
	test('a host without cgroup v2 filters devices with v1', (t) => {
		t.true(detectCgroups().v1.some(({controllers}) => controllers.includes('devices')));
	});
}
