import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {capabilityNames, defaultCapabilities} from '../../../src/runtime/capabilities.ts';
import {parseOciJson, printOciJson} from '../../../src/runtime/oci-json.ts';
import {defaultSeccomp} from '../../../src/runtime/seccomp/default-profile.ts';
import {parseSeccompProfile} from '../../../src/runtime/seccomp/profile.ts';
import type {ProfileOptions} from '../../../src/runtime/seccomp/profile-options.ts';

const x64: ProfileOptions = {capabilities: [], arch: 'x64', kernel: [6, 18]};
const allow = (name: string, more: object = {}) => ({names: [name], action: 'SCMP_ACT_ALLOW', ...more});
const profile = (more: object) => JSON.stringify({defaultAction: 'SCMP_ACT_ERRNO', ...more});
const names = (text: string, options: ProfileOptions = x64) =>
	(parseSeccompProfile(text, options)!.syscalls ?? []).flatMap((call) => call.names);

test('the default profile is the same for the same container', (t) => {
	t.snapshot(defaultSeccomp({...x64, capabilities: defaultCapabilities}));
});

const reference = join(import.meta.dirname, '../../../../shared/reference/moby-seccomp-default.json');
const optionSets: ProfileOptions[] = [
	x64,
	{...x64, capabilities: defaultCapabilities},
	{...x64, capabilities: capabilityNames},
	{...x64, capabilities: ['CAP_SYS_ADMIN']},
	{...x64, kernel: [4, 7]},
	{...x64, kernel: [4, 8]},
	{...x64, kernel: [5, 0]},
	{...x64, arch: 'arm64', capabilities: defaultCapabilities},
	...capabilityNames.map((name) => ({...x64, capabilities: [name]})),
];

// The file is not part of the repository; the snapshot above holds the facts where it is missing.
(existsSync(reference) ? test : test.skip)(
	"the default profile is docker's file for every capability",
	(t) => {
		const text = readFileSync(reference, 'utf8');
		for (const options of optionSets) {
			t.deepEqual(defaultSeccomp(options), parseSeccompProfile(text, options));
		}
	},
);

test('CAP_SYS_ADMIN opens mount and clone, and without it clone3 looks missing', (t) => {
	const without = defaultSeccomp(x64).syscalls!;
	t.false(without.some((call) => call.names.includes('mount')));
	t.deepEqual(
		without.filter((call) => call.names.includes('clone3')).map(({action, errnoRet}) => [action, errnoRet]),
		[['SCMP_ACT_ERRNO', 38]],
	);
	t.is(without.find((call) => call.names.includes('clone'))?.args?.length, 1);
	const admin = defaultSeccomp({...x64, capabilities: ['CAP_SYS_ADMIN']}).syscalls!;
	t.true(admin.some((call) => call.names.includes('mount')));
	t.deepEqual(
		admin.filter((call) => call.names.includes('clone')).map(({args}) => args),
		[undefined],
	);
});

test('a profile includes rules by capability, architecture and kernel', (t) => {
	const text = profile({
		syscalls: [
			allow('read', {includes: {caps: ['CAP_BPF', 'CAP_PERFMON']}}),
			allow('write', {excludes: {caps: ['CAP_BPF', 'CAP_SYSLOG']}}),
			allow('open', {includes: {arches: ['amd64']}}),
			allow('close', {excludes: {arches: ['arm64', 'arm']}}),
			allow('brk', {includes: {minKernel: '5.9'}}),
			allow('mmap', {includes: {}, excludes: {}, comment: 'always'}),
		],
	});
	t.deepEqual(names(text), ['write', 'open', 'close', 'brk', 'mmap']);
	t.deepEqual(names(text, {...x64, capabilities: ['CAP_BPF', 'CAP_PERFMON']}), [
		'read',
		'open',
		'close',
		'brk',
		'mmap',
	]);
	t.deepEqual(names(text, {...x64, capabilities: ['CAP_BPF'], arch: 'arm64'}), ['brk', 'mmap']);
	t.deepEqual(names(text, {...x64, kernel: [5, 8]}), ['write', 'open', 'close', 'mmap']);
	t.deepEqual(names(text, {...x64, kernel: [5, 10]}), ['write', 'open', 'close', 'brk', 'mmap']);
});

test("a profile's archMap gives the architectures of the host", (t) => {
	const archMap = [
		{architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86']},
		{architecture: 'SCMP_ARCH_AARCH64', subArchitectures: null},
	];
	t.deepEqual(parseSeccompProfile(profile({archMap}), x64)!.architectures, [
		'SCMP_ARCH_X86_64',
		'SCMP_ARCH_X86',
	]);
	t.deepEqual(parseSeccompProfile(profile({archMap}), {...x64, arch: 'arm64'})!.architectures, [
		'SCMP_ARCH_AARCH64',
	]);
	t.is(parseSeccompProfile(profile({}), x64)!.architectures, undefined);
});

test('64-bit values of a profile keep all their bits', (t) => {
	const text =
		'{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"name":"read","action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":18446744073709551615,"valueTwo":9007199254740993,"op":"SCMP_CMP_MASKED_EQ"}]}]}';
	const parsed = parseSeccompProfile(text, x64)!;
	t.deepEqual(parsed.syscalls![0]!.args![0], {
		index: 1,
		value: 18446744073709551615n,
		valueTwo: 9007199254740993n,
		op: 'SCMP_CMP_MASKED_EQ',
	});
	t.deepEqual(parseOciJson(printOciJson(parsed)), parsed);
	t.true(printOciJson(parsed).includes('18446744073709551615'));
});

const invalid: [reason: string, text: string, message: RegExp][] = [
	['no JSON', '{"defaultAction":', /JSON/],
	['a list', '[]', /cannot unmarshal array into Go value of type seccomp\.Seccomp$/],
	['null', 'null', /the profile is not an object/],
	[
		'an unknown default',
		'{"defaultAction":"SCMP_ACT_DENY"}',
		/string SCMP_ACT_DENY is not a valid action for seccomp/,
	],
	['a default that is no text', '{"defaultAction":1}', /the profile\.defaultAction is not a string/],
	[
		'an action that needs a listener',
		profile({syscalls: [{names: ['read'], action: 'SCMP_ACT_NOTIFY'}]}),
		/SCMP_ACT_NOTIFY is not supported/,
	],
	['a rule without action', profile({syscalls: [{names: ['read']}]}), /syscalls\[0\] has no action/],
	[
		'a rule without names',
		profile({syscalls: [{action: 'SCMP_ACT_ALLOW'}]}),
		/syscalls\[0\] names no system call/,
	],
	[
		'names that are none',
		profile({syscalls: [{names: [1], action: 'SCMP_ACT_ALLOW'}]}),
		/syscalls\[0\]\.names is not a list of strings/,
	],
	['syscalls that are no list', profile({syscalls: {}}), /syscalls is not a list/],
	[
		'an argument index out of range',
		profile({syscalls: [allow('read', {args: [{index: 6, value: 0, op: 'SCMP_CMP_EQ'}]})]}),
		/invalid seccomp argument index 6/,
	],
	[
		'an unknown operator',
		profile({syscalls: [allow('read', {args: [{index: 0, value: 0, op: 'EQ'}]})]}),
		/unknown seccomp operator "EQ"/,
	],
	[
		'a value that is a fraction',
		profile({syscalls: [allow('read', {args: [{index: 0, value: 0.5, op: 'SCMP_CMP_EQ'}]})]}),
		/args\[0\]\.value is not an integer/,
	],
	[
		'an errno out of range',
		profile({syscalls: [{names: ['read'], action: 'SCMP_ACT_ERRNO', errnoRet: 70000}]}),
		/invalid errnoRet 70000/,
	],
	[
		'an unknown architecture',
		profile({architectures: ['SCMP_ARCH_Z80']}),
		/unknown seccomp architecture "SCMP_ARCH_Z80"/,
	],
	[
		'an unknown flag',
		profile({flags: ['SECCOMP_FILTER_FLAG_MAGIC']}),
		/flag "SECCOMP_FILTER_FLAG_MAGIC" is not supported/,
	],
	['a listener', profile({listenerPath: '/run/x.sock'}), /listenerPath is not supported/],
	[
		'a kernel version that is none',
		profile({syscalls: [allow('read', {includes: {minKernel: 'new'}})]}),
		/invalid kernel version "new"/,
	],
	[
		'too many rules for the kernel',
		profile({
			syscalls: Array.from({length: 3000}, (_item, value) =>
				allow('read', {args: [{index: 0, value, op: 'SCMP_CMP_EQ'}]}),
			),
		}),
		/needs [0-9]+ instructions, the kernel takes 4096/,
	],
];
for (const [reason, text, message] of invalid) {
	test(`a profile is refused for ${reason}`, (t) => {
		const error = t.throws(() => parseSeccompProfile(text, x64));
		t.regex(error!.message, /^Decoding seccomp profile failed: /);
		t.regex(error!.message, message);
	});
}

test('a profile of nothing is no filter, and what contradicts itself is refused in the words of docker', (t) => {
	t.is(parseSeccompProfile('{}', x64), undefined);
	for (const [more, message] of [
		[{defaultAction: '', syscalls: [allow('read')]}, 'string  is not a valid action for seccomp'],
		[
			{syscalls: [allow('read', {name: 'write'})]},
			"'name' and 'names' were specified in the seccomp profile, use either 'name' or 'names'",
		],
		[
			{architectures: ['SCMP_ARCH_X86_64'], archMap: [{architecture: 'SCMP_ARCH_X86_64'}]},
			"'architectures' and 'archMap' were specified in the seccomp profile, use either 'architectures' or 'archMap'",
		],
	] as const)
		t.throws(() => parseSeccompProfile(profile(more), x64), {message});
});

test('names that no architecture has are passed over', (t) => {
	t.notThrows(() =>
		parseSeccompProfile(
			profile({syscalls: [allow('riscv_flush_icache'), allow('toString'), allow('__proto__')]}),
			x64,
		),
	);
});
