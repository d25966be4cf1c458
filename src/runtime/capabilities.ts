import {readFileSync} from 'node:fs';

/** By number, from linux/capability.h. */
export const capabilityNames = [
	'CAP_CHOWN',
	'CAP_DAC_OVERRIDE',
	'CAP_DAC_READ_SEARCH',
	'CAP_FOWNER',
	'CAP_FSETID',
	'CAP_KILL',
	'CAP_SETGID',
	'CAP_SETUID',
	'CAP_SETPCAP',
	'CAP_LINUX_IMMUTABLE',
	'CAP_NET_BIND_SERVICE',
	'CAP_NET_BROADCAST',
	'CAP_NET_ADMIN',
	'CAP_NET_RAW',
	'CAP_IPC_LOCK',
	'CAP_IPC_OWNER',
	'CAP_SYS_MODULE',
	'CAP_SYS_RAWIO',
	'CAP_SYS_CHROOT',
	'CAP_SYS_PTRACE',
	'CAP_SYS_PACCT',
	'CAP_SYS_ADMIN',
	'CAP_SYS_BOOT',
	'CAP_SYS_NICE',
	'CAP_SYS_RESOURCE',
	'CAP_SYS_TIME',
	'CAP_SYS_TTY_CONFIG',
	'CAP_MKNOD',
	'CAP_LEASE',
	'CAP_AUDIT_WRITE',
	'CAP_AUDIT_CONTROL',
	'CAP_SETFCAP',
	'CAP_MAC_OVERRIDE',
	'CAP_MAC_ADMIN',
	'CAP_SYSLOG',
	'CAP_WAKE_ALARM',
	'CAP_BLOCK_SUSPEND',
	'CAP_AUDIT_READ',
	'CAP_PERFMON',
	'CAP_BPF',
	'CAP_CHECKPOINT_RESTORE',
] as const;

/** What a container has without --cap-add, --cap-drop and --privileged: docker's list. */
export const defaultCapabilities: readonly string[] = [
	'CAP_CHOWN',
	'CAP_DAC_OVERRIDE',
	'CAP_FSETID',
	'CAP_FOWNER',
	'CAP_MKNOD',
	'CAP_NET_RAW',
	'CAP_SETGID',
	'CAP_SETUID',
	'CAP_SETFCAP',
	'CAP_SETPCAP',
	'CAP_NET_BIND_SERVICE',
	'CAP_SYS_CHROOT',
	'CAP_KILL',
	'CAP_AUDIT_WRITE',
];

const all = 'ALL';
const numbers: ReadonlyMap<string, number> = new Map(capabilityNames.map((name, number) => [name, number]));

/** Throws Error in docker's words for a name that is none. */
function normalize(names: readonly string[] | null | undefined, option: 'CapAdd' | 'CapDrop'): string[] {
	return (names ?? []).map((given) => {
		const upper = given.toUpperCase();
		if (upper === all) return all;
		const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
		if (!numbers.has(name)) throw new Error(`invalid ${option}: unknown capability: "${name}"`);
		return name;
	});
}

export interface CapabilityRequest {
	/** Names with or without `CAP_`, in any case; `ALL`. */
	readonly add?: readonly string[] | null;
	readonly drop?: readonly string[] | null;
	readonly privileged?: boolean;
}

/**
 * The capabilities that a container has: docker's rules. With ALL added it is everything but what is
 * dropped; with ALL dropped nothing but what is added; else the default without what is dropped and with
 * what is added. In the order of their numbers. Throws Error for an unknown name, also when privileged.
 */
export function capabilitySet({add, drop, privileged = false}: CapabilityRequest): string[] {
	const adds = normalize(add, 'CapAdd');
	const drops = normalize(drop, 'CapDrop');
	if (privileged) return [...capabilityNames];
	const base = adds.includes(all) ? capabilityNames : drops.includes(all) ? [] : defaultCapabilities;
	const kept = adds.includes(all) ? base.filter((name) => !drops.includes(name)) : base;
	const dropped = new Set(drops);
	const result = new Set(adds.includes(all) ? kept : [...kept.filter((name) => !dropped.has(name)), ...adds]);
	return capabilityNames.filter((name) => result.has(name));
}

/** Bit N is set for capability number N. Throws Error for an unknown name. */
export function capabilityMask(names: readonly string[]): bigint {
	let mask = 0n;
	for (const name of names) {
		const number = numbers.get(name);
		if (number === undefined) throw new Error(`unknown capability: "${name}"`);
		mask |= 1n << BigInt(number);
	}
	return mask;
}

export function maskNames(mask: bigint): string[] {
	return capabilityNames.filter((_name, number) => (mask >> BigInt(number)) & 1n);
}

/** The capabilities that a kernel with this highest number has: older kernels refuse a mask with others. */
export function knownMask(lastCapability: number): bigint {
	return (1n << BigInt(lastCapability + 1)) - 1n;
}

let kernelMask: bigint | undefined;

/** The mask of what the running kernel knows, from /proc/sys/kernel/cap_last_cap. */
export function kernelCapabilityMask(): bigint {
	kernelMask ??= knownMask(Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')));
	return kernelMask;
}
