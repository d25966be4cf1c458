/** Profiles that use every operator, action and shape of rule. */
import type {LinuxSeccomp, LinuxSyscall, SeccompOperator} from '../../../src/runtime/oci.ts';
import {syscallTable} from '../../../src/runtime/seccomp/syscall-table.ts';
import type {NativeArch} from '../../../src/runtime/seccomp/syscalls.ts';

export {capabilityNames as allCapabilities, defaultCapabilities} from '../../../src/runtime/capabilities.ts';

const x86 = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'];
const wide = 0x123456789abcdef0n;

/** A name for each rule, so that rules on one call can't overlap with different actions. */
const someNames = [
	'read',
	'write',
	'open',
	'close',
	'fstat',
	'lseek',
	'mmap',
	'mprotect',
	'munmap',
	'brk',
	'ioctl',
];

function operatorRules(value: bigint, valueTwo?: bigint): LinuxSyscall[] {
	const list: SeccompOperator[] = [
		'SCMP_CMP_NE',
		'SCMP_CMP_LT',
		'SCMP_CMP_LE',
		'SCMP_CMP_EQ',
		'SCMP_CMP_GE',
		'SCMP_CMP_GT',
		'SCMP_CMP_MASKED_EQ',
	];
	return list.map((op, index) => ({
		names: [someNames[index]!],
		action: 'SCMP_ACT_ALLOW',
		args: [{index: index % 6, value, op, ...(valueTwo === undefined ? {} : {valueTwo})}],
	}));
}

const operators = (value: bigint, valueTwo?: bigint, architectures = x86): LinuxSeccomp => ({
	defaultAction: 'SCMP_ACT_ERRNO',
	architectures,
	syscalls: operatorRules(value, valueTwo),
});

/** Half of all names, so that a wrong number in the table shows as a call that has changed sides. */
function halfOfAllNames(which: 0 | 1, architectures: string[]): LinuxSeccomp {
	// What i386 reaches through socketcall and ipc would make a rule for those two.
	const half = Object.keys(syscallTable).filter(
		(name, index) => index % 2 === which || /^(socketcall|ipc)$/.test(name),
	);
	return {
		defaultAction: 'SCMP_ACT_ERRNO',
		architectures,
		syscalls: [{names: half, action: 'SCMP_ACT_ALLOW'}],
	};
}

const arm = ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'];

export const handmade: Record<string, [NativeArch, LinuxSeccomp]> = {
	'every operator on a 32-bit value': ['x64', operators(0x12345678n, 0x10005000n)],
	'every operator on a 64-bit value': ['x64', operators(wide, 0x1034000080000000n, ['SCMP_ARCH_X86_64'])],
	'every operator on a value with an empty low half': [
		'x64',
		operators(5n << 32n, 1n << 32n, ['SCMP_ARCH_X86_64']),
	],
	'every operator on zero': ['x64', operators(0n, 0n)],
	'every operator on 2^64-1': ['x64', operators((1n << 64n) - 1n, 0xffffffff00000000n, ['SCMP_ARCH_X86_64'])],
	'conditions on several arguments': [
		'x64',
		{
			defaultAction: 'SCMP_ACT_ERRNO',
			defaultErrnoRet: 13,
			architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
			syscalls: [
				{
					names: ['prctl'],
					action: 'SCMP_ACT_ALLOW',
					args: [
						{index: 0, value: 15, op: 'SCMP_CMP_EQ'},
						{index: 1, value: 7, op: 'SCMP_CMP_GT'},
						{index: 4, value: 0xf0, valueTwo: 0x30, op: 'SCMP_CMP_MASKED_EQ'},
					],
				},
				{names: ['prctl'], action: 'SCMP_ACT_ALLOW', args: [{index: 0, value: 38, op: 'SCMP_CMP_EQ'}]},
				{
					names: ['fcntl'],
					action: 'SCMP_ACT_ALLOW',
					args: [
						{index: 1, value: 1, op: 'SCMP_CMP_EQ'},
						{index: 1, value: 3, op: 'SCMP_CMP_EQ'},
					],
				},
				{names: ['read', 'write', 'exit_group'], action: 'SCMP_ACT_ALLOW'},
			],
		},
	],
	'a list of what is forbidden, with every action': [
		'x64',
		{
			defaultAction: 'SCMP_ACT_ALLOW',
			architectures: x86,
			syscalls: [
				{names: ['mount', 'umount2'], action: 'SCMP_ACT_ERRNO', errnoRet: 38},
				{names: ['reboot'], action: 'SCMP_ACT_KILL_PROCESS'},
				{names: ['swapon'], action: 'SCMP_ACT_KILL_THREAD'},
				{names: ['swapoff'], action: 'SCMP_ACT_KILL'},
				{names: ['ptrace'], action: 'SCMP_ACT_TRAP'},
				{names: ['bpf'], action: 'SCMP_ACT_LOG'},
				{names: ['keyctl'], action: 'SCMP_ACT_TRACE', errnoRet: 77},
				{
					names: ['clone'],
					action: 'SCMP_ACT_ERRNO',
					args: [{index: 0, value: 0x10000000, valueTwo: 0x10000000, op: 'SCMP_CMP_MASKED_EQ'}],
				},
			],
		},
	],
	'a default that kills': [
		'x64',
		{
			defaultAction: 'SCMP_ACT_KILL_PROCESS',
			architectures: ['SCMP_ARCH_X86_64'],
			syscalls: [{names: ['read', 'write', 'rt_sigreturn', 'exit', 'exit_group'], action: 'SCMP_ACT_ALLOW'}],
		},
	],
	'socket and ipc calls that i386 makes indirectly': [
		'x64',
		{
			defaultAction: 'SCMP_ACT_ERRNO',
			architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
			syscalls: [
				{
					names: ['socket', 'connect', 'recv', 'accept4', 'semop', 'shmget', 'msgctl'],
					action: 'SCMP_ACT_ALLOW',
				},
			],
		},
	],
	'calls that only arm has': [
		'arm64',
		{
			defaultAction: 'SCMP_ACT_ERRNO',
			architectures: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
			syscalls: [
				{names: ['set_tls', 'cacheflush', 'read', 'arm_fadvise64_64', 'open'], action: 'SCMP_ACT_ALLOW'},
			],
		},
	],
	'one half of all names on x86': ['x64', halfOfAllNames(0, x86)],
	'the other half of all names on x86': ['x64', halfOfAllNames(1, x86)],
	'one half of all names on ARM': ['arm64', halfOfAllNames(0, arm)],
	'the other half of all names on ARM': ['arm64', halfOfAllNames(1, arm)],
	'an empty profile': ['x64', {defaultAction: 'SCMP_ACT_ERRNO', architectures: x86, syscalls: []}],
};
