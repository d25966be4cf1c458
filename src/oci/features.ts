/** `features` (runtime-spec, features.md) and the spec that `spec` writes. */
import {existsSync} from 'node:fs';
import {version} from '../engine/version.ts';
import {capabilityNames} from '../runtime/capabilities.ts';
import {ociVersion} from '../runtime/hooks.ts';
import {knownMountOptions} from '../runtime/mounts.ts';
import {cloneFlags} from '../runtime/namespaces.ts';
import type {Spec} from '../runtime/oci.ts';
import {seccompFlagNames} from '../runtime/seccomp/flags.ts';

const seccompActions = [
	...['SCMP_ACT_KILL', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_TRAP', 'SCMP_ACT_ERRNO'],
	...['SCMP_ACT_TRACE', 'SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_NOTIFY'],
];
const seccompOperators = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'].map((name) => `SCMP_CMP_${name}`);
const seccompArchitectures = ['X86_64', 'X86', 'X32', 'AARCH64', 'ARM'].map((name) => `SCMP_ARCH_${name}`);

export function features(): object {
	return {
		ociVersionMin: '1.0.0',
		ociVersionMax: ociVersion,
		hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
		mountOptions: knownMountOptions(),
		linux: {
			namespaces: Object.keys(cloneFlags).sort(),
			capabilities: capabilityNames,
			cgroup: {
				v1: true,
				v2: true,
				systemd: true,
				systemdUser: false,
				rdma: false,
			},
			seccomp: {
				enabled: true,
				actions: seccompActions,
				operators: seccompOperators,
				archs: seccompArchitectures,
				knownFlags: seccompFlagNames,
				supportedFlags: seccompFlagNames,
			},
			apparmor: {enabled: existsSync('/sys/kernel/security/apparmor')},
			selinux: {enabled: existsSync('/sys/fs/selinux/enforce')},
			intelRdt: {enabled: false},
			mountExtensions: {idmap: {enabled: true}},
		},
		annotations: {'wherry.version': version()},
	};
}

const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

export function defaultSpec(): Spec {
	return {
		ociVersion,
		process: {
			terminal: true,
			user: {uid: 0, gid: 0},
			args: ['sh'],
			env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
			cwd: '/',
			capabilities: {bounding: capabilities, effective: capabilities, permitted: capabilities},
			rlimits: [{type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024}],
			noNewPrivileges: true,
		},
		root: {path: 'rootfs', readonly: true},
		hostname: 'wherry',
		mounts: [
			{destination: '/proc', type: 'proc', source: 'proc'},
			{
				destination: '/dev',
				type: 'tmpfs',
				source: 'tmpfs',
				options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
			},
			{
				destination: '/dev/pts',
				type: 'devpts',
				source: 'devpts',
				options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
			},
			{
				destination: '/dev/shm',
				type: 'tmpfs',
				source: 'shm',
				options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
			},
			{destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev']},
			{destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro']},
			{
				destination: '/sys/fs/cgroup',
				type: 'cgroup',
				source: 'cgroup',
				options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
			},
		],
		linux: {
			resources: {devices: [{allow: false, access: 'rwm'}]},
			namespaces: [
				{type: 'pid'},
				{type: 'network'},
				{type: 'ipc'},
				{type: 'uts'},
				{type: 'mount'},
				{type: 'cgroup'},
			],
			maskedPaths: [
				...[
					'/proc/acpi',
					'/proc/asound',
					'/proc/kcore',
					'/proc/keys',
					'/proc/latency_stats',
					'/proc/timer_list',
				],
				...['/proc/timer_stats', '/proc/sched_debug', '/sys/firmware', '/proc/scsi'],
			],
			readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
		},
	};
}
