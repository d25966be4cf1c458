import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
	chmodSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {defaultCapabilities} from '../../../src/runtime/capabilities.ts';
import type {LinuxSeccomp} from '../../../src/runtime/oci.ts';
import {
	compileSeccompCached,
	defaultProfileDigest,
	defaultSeccompCached,
	forgetCompiledFilters,
} from '../../../src/runtime/seccomp/cache.ts';
import {compileSeccomp} from '../../../src/runtime/seccomp/compile.ts';
import {defaultSeccomp} from '../../../src/runtime/seccomp/default-profile.ts';
import {defaultRules} from '../../../src/runtime/seccomp/default-profile-data.ts';
import {seccompFlags} from '../../../src/runtime/seccomp/flags.ts';
import {ret} from '../../../src/runtime/seccomp/rules.ts';
import {abiFacts, type NativeArch, syscallNumber} from '../../../src/runtime/seccomp/syscalls.ts';
import {BpfProgram} from './bpf-simulator.ts';

const architecture = abiFacts.x64.audit;
const number = (name: string) => syscallNumber('x64', name)!;
const program = (profile: LinuxSeccomp) => new BpfProgram(compileSeccomp(profile, 'x64'));
const defaults = () => defaultSeccomp({capabilities: defaultCapabilities, arch: 'x64', kernel: [6, 18]});

function folder(t: ExecutionContext): string {
	const path = mkdtempSync(join(tmpdir(), 'wherry-seccomp-'));
	t.teardown(() => rmSync(path, {recursive: true, force: true}));
	return path;
}

test('a call newer than all that the profile names looks missing, an older one is denied', (t) => {
	const filter = program({
		defaultAction: 'SCMP_ACT_ERRNO',
		defaultErrnoRet: 1,
		syscalls: [{names: ['read', 'statx'], action: 'SCMP_ACT_ALLOW'}],
	});
	t.is(filter.run({number: number('statx'), architecture}), ret.allow);
	t.is(filter.run({number: number('statx') - 1, architecture}), ret.errno + 1);
	t.is(filter.run({number: number('statx') + 1, architecture}), ret.errno + 38);
	t.is(filter.run({number: 0xffffffff, architecture}), ret.errno + 38);
});

test('a call named only by a rule that denies it is not newer than the profile', (t) => {
	const filter = program({
		defaultAction: 'SCMP_ACT_ERRNO',
		syscalls: [
			{names: ['read'], action: 'SCMP_ACT_ALLOW'},
			{names: ['mseal'], action: 'SCMP_ACT_ERRNO'},
		],
	});
	t.is(filter.run({number: number('mseal') - 1, architecture}), ret.errno + 1);
	t.is(filter.run({number: number('mseal') + 1, architecture}), ret.errno + 38);
});

test('an architecture that the profile does not name kills the process', (t) => {
	const filter = program({defaultAction: 'SCMP_ACT_ALLOW'});
	for (const other of [abiFacts.i386.audit, abiFacts.arm64.audit, 0, 0xffffffff]) {
		t.is(filter.run({number: 0, architecture: other}), ret.killProcess);
	}
	t.is(filter.run({number: 0x40000000, architecture}), ret.killProcess);
	t.is(filter.run({number: 0, architecture}), ret.allow);
});

test('a rule without conditions beats those with, whatever their order', (t) => {
	const open = {names: ['personality'], action: 'SCMP_ACT_ALLOW'} as const;
	const some = {
		names: ['personality'],
		action: 'SCMP_ACT_KILL_PROCESS',
		args: [{index: 0, value: 8, op: 'SCMP_CMP_EQ'}],
	} as const;
	for (const order of [
		[open, some],
		[some, open],
	]) {
		const syscalls = order.map(({names, ...rule}) => ({
			...rule,
			names: [...names],
		})) as LinuxSeccomp['syscalls'] & {};
		const filter = program({defaultAction: 'SCMP_ACT_ERRNO', syscalls});
		t.is(filter.run({number: number('personality'), architecture, args: [8n]}), ret.allow);
	}
});

test('of rules whose conditions all hold the first decides', (t) => {
	const filter = program({
		defaultAction: 'SCMP_ACT_ALLOW',
		syscalls: [
			{names: ['ioctl'], action: 'SCMP_ACT_KILL_PROCESS', args: [{index: 1, value: 100, op: 'SCMP_CMP_GE'}]},
			{names: ['ioctl'], action: 'SCMP_ACT_ERRNO', args: [{index: 1, value: 50, op: 'SCMP_CMP_GE'}]},
		],
	});
	const run = (value: bigint) => filter.run({number: number('ioctl'), architecture, args: [0n, value]});
	t.deepEqual([run(49n), run(50n), run(100n)], [ret.allow, ret.errno + 1, ret.killProcess]);
});

test('targets farther than a conditional jump reaches are reached', (t) => {
	const values = Array.from({length: 900}, (_item, index) => index * 3);
	const filter = program({
		defaultAction: 'SCMP_ACT_ERRNO',
		syscalls: [
			...values.map((value) => ({
				names: ['ioctl'],
				action: 'SCMP_ACT_ALLOW' as const,
				args: [{index: 1, value, op: 'SCMP_CMP_EQ' as const}],
			})),
			{names: ['read', 'openat', 'mseal'], action: 'SCMP_ACT_ALLOW'},
		],
	});
	t.true(filter.length > 2700);
	for (const name of ['read', 'openat', 'mseal'])
		t.is(filter.run({number: number(name), architecture}), ret.allow);
	for (let value = 0; value < 2703; value++) {
		const expected = value % 3 === 0 && value < 2700 ? ret.allow : ret.errno + 1;
		if (filter.run({number: number('ioctl'), architecture, args: [0n, BigInt(value)]}) !== expected)
			t.fail(`${value}`);
	}
});

test('the flags are numbers of the kernel', (t) => {
	t.is(seccompFlags({defaultAction: 'SCMP_ACT_ALLOW'}), 4);
	t.is(seccompFlags({defaultAction: 'SCMP_ACT_ALLOW', flags: []}), 0);
	t.is(
		seccompFlags({
			defaultAction: 'SCMP_ACT_ALLOW',
			flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_TSYNC'],
		}),
		3,
	);
	t.throws(() =>
		seccompFlags({defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_NEW_LISTENER']}),
	);
});

test.serial('a filter comes back from the folder as it was compiled', (t) => {
	const cache = join(folder(t), 'filters');
	const profile = defaults();
	const compiled = compileSeccomp(profile, 'x64');
	forgetCompiledFilters();
	t.deepEqual(compileSeccompCached(profile, 'x64', cache), compiled);
	const [file] = readdirSync(cache);
	t.is(statSync(cache).mode & 0o777, 0o700);
	t.is(statSync(join(cache, file!)).mode & 0o777, 0o600);
	const {ino} = statSync(join(cache, file!));
	forgetCompiledFilters();
	t.deepEqual(compileSeccompCached(profile, 'x64', cache), compiled);
	t.is(statSync(join(cache, file!)).ino, ino, 'it was read and not written again');
	compileSeccompCached(profile, 'arm64', cache);
	compileSeccompCached({...profile, defaultErrnoRet: 2}, 'x64', cache);
	t.is(readdirSync(cache).length, 3);
});

test.serial('the default profile comes back with its filter, for the options that it was made for', (t) => {
	const cache = join(folder(t), 'filters');
	const options = {capabilities: ['CAP_CHOWN'], arch: 'x64', kernel: [6, 1]} as const;
	const made = defaultSeccompCached(options, cache);
	const names = readdirSync(cache).sort();
	forgetCompiledFilters();
	const kept = defaultSeccompCached(options, cache);
	t.not(kept, made);
	t.deepEqual(kept, defaultSeccomp(options));
	// Where nothing is kept: the filter came with the profile.
	t.deepEqual(compileSeccompCached(kept, 'x64'), compileSeccomp(defaultSeccomp(options), 'x64'));
	t.deepEqual(readdirSync(cache).sort(), names);
	const more = {...options, capabilities: ['CAP_CHOWN', 'CAP_SYS_ADMIN']};
	t.deepEqual(defaultSeccompCached(more, cache), defaultSeccomp(more));
	for (const name of readdirSync(cache)) truncateSync(join(cache, name), 100);
	forgetCompiledFilters();
	t.deepEqual(defaultSeccompCached(options, cache), kept);
	t.is(
		createHash('sha256').update(JSON.stringify(defaultRules)).digest('hex').slice(0, 16),
		defaultProfileDigest,
		'the rules have changed: what older versions have kept is not to be used',
	);
});

test.serial('a filter in the folder that is not what was written is not used', (t) => {
	const cache = folder(t);
	const profile = defaults();
	const compiled = compileSeccomp(profile, 'x64');
	forgetCompiledFilters();
	compileSeccompCached(profile, 'x64', cache);
	const path = join(cache, readdirSync(cache)[0]!);
	const good = readFileSync(path);
	const damage: Record<string, () => void> = {
		'a bit flipped': () => {
			const bad = Buffer.from(good);
			bad[200]! ^= 1;
			writeFileSync(path, bad);
		},
		'cut short': () => truncateSync(path, good.length - 8),
		empty: () => truncateSync(path, 0),
		'another filter under this name': () => {
			const other = join(folder(t), 'other');
			forgetCompiledFilters();
			compileSeccompCached({defaultAction: 'SCMP_ACT_ALLOW'}, 'x64', other);
			writeFileSync(path, readFileSync(join(other, readdirSync(other)[0]!)));
		},
		'very long': () => truncateSync(path, 1 << 30),
		'a folder': () => {
			rmSync(path);
			execFileSync('mkdir', [path]);
		},
	};
	for (const [what, make] of Object.entries(damage)) {
		make();
		forgetCompiledFilters();
		t.deepEqual(compileSeccompCached(profile, 'x64', cache), compiled, what);
	}
	t.deepEqual(readdirSync(cache).length, 1, 'no temporary file is left');
});

test.serial('a folder that others may write or that is a link holds no filters', (t) => {
	const open = folder(t);
	chmodSync(open, 0o777);
	forgetCompiledFilters();
	compileSeccompCached(defaults(), 'x64', open);
	t.deepEqual(readdirSync(open), []);
	const target = folder(t);
	const link = join(folder(t), 'link');
	symlinkSync(target, link);
	forgetCompiledFilters();
	compileSeccompCached(defaults(), 'x64', link);
	t.deepEqual(readdirSync(target), []);
});

test('the running kernel takes the default filter and does what it says', (t) => {
	if (process.arch !== 'x64' && process.arch !== 'arm64') return t.pass();
	const place = folder(t);
	const loader = join(place, 'load');
	const source = join(import.meta.dirname, 'load-filter.c');
	execFileSync('cc', ['-Wall', '-Wextra', '-Werror', '-o', loader, source]);
	const path = join(place, 'filter');
	const arch: NativeArch = process.arch;
	writeFileSync(path, compileSeccomp(defaultSeccomp({capabilities: [], arch, kernel: [6, 18]}), arch));
	// The numbers are errno values: 0 it ran, 1 EPERM, 9 EBADF (it reached the kernel), 38 ENOSYS.
	t.deepEqual(JSON.parse(execFileSync(loader, [path], {encoding: 'utf8'})), {
		getpid: 0,
		read: 9,
		mount: 1,
		unshare: 1,
		clone3: 38,
		newest: 38,
		socket_inet: 0,
		socket_vsock: 1,
		socket_alg: 1,
		personality_query: 0,
		personality_randomize: 1,
	});
});
