/**
 * From a profile in the OCI form to what each ABI's numbers do. Semantics are runc's over libseccomp's:
 * names that an ABI lacks are passed over; a rule with the default's action says nothing; a rule without
 * conditions beats all with conditions; else the first whose conditions all hold decides.
 */
import type {LinuxSeccomp, LinuxSeccompArg, LinuxSyscall, SeccompAction, SeccompOperator} from '../oci.ts';
import {
	type Abi,
	abiFacts,
	armPrivate,
	multiplexer,
	numberIn,
	syscallNumber,
	syscallNumbers,
} from './syscalls.ts';

/** SECCOMP_RET_* of linux/seccomp.h. */
export const ret = {
	killProcess: 0x80000000,
	killThread: 0,
	trap: 0x00030000,
	errno: 0x00050000,
	notify: 0x7fc00000,
	trace: 0x7ff00000,
	log: 0x7ffc0000,
	allow: 0x7fff0000,
} as const;

const eperm = 1;
const enosys = 38;

export interface Condition {
	readonly index: number;
	readonly op: SeccompOperator;
	readonly value: bigint;
	/** Only for MASKED_EQ, where `value` is the mask; already masked. */
	readonly masked: bigint;
}

export interface Rule {
	/** All must hold; empty: always. */
	readonly conditions: readonly Condition[];
	/** What the filter returns. */
	readonly value: number;
}

/** The numbers from `first` up to the next interval's: either one answer or rules before the default. */
export interface Interval {
	readonly first: number;
	readonly rules: readonly Rule[];
	readonly value: number;
}

/** The filter's return value for an action; throws for what is unknown. */
export function returnValue(action: SeccompAction, errno: number | undefined): number {
	const data = errno ?? eperm;
	if (!Number.isInteger(data) || data < 0 || data > 0xffff) throw new Error(`invalid errnoRet ${data}`);
	switch (action) {
		case 'SCMP_ACT_KILL':
		case 'SCMP_ACT_KILL_THREAD':
			return ret.killThread;
		case 'SCMP_ACT_KILL_PROCESS':
			return ret.killProcess;
		case 'SCMP_ACT_TRAP':
			return ret.trap;
		case 'SCMP_ACT_ERRNO':
			return ret.errno + data;
		case 'SCMP_ACT_TRACE':
			return ret.trace + data;
		case 'SCMP_ACT_ALLOW':
			return ret.allow;
		case 'SCMP_ACT_LOG':
			return ret.log;
		case 'SCMP_ACT_NOTIFY':
			return ret.notify;
		default:
			throw new Error(`string ${action} is not a valid action for seccomp`);
	}
}

function unsigned64(value: number | bigint | undefined): bigint {
	const given = value ?? 0;
	if (typeof given === 'number' && !Number.isInteger(given))
		throw new Error(`invalid seccomp value ${given}`);
	// 2^64-1, which profiles use for -1, arrives as 2^64 when it has passed through a double.
	const wide = BigInt(given);
	return wide === 1n << 64n ? (1n << 64n) - 1n : BigInt.asUintN(64, wide);
}

function condition({index, op, value, valueTwo}: LinuxSeccompArg): Condition {
	if (!Number.isInteger(index) || index < 0 || index > 5)
		throw new Error(`invalid seccomp argument index ${index}`);
	if (!operators.has(op)) throw new Error(`unknown seccomp operator "${op}"`);
	const wide = unsigned64(value);
	return {index, op, value: wide, masked: op === 'SCMP_CMP_MASKED_EQ' ? unsigned64(valueTwo) & wide : 0n};
}

const operators: ReadonlySet<string> = new Set<SeccompOperator>([
	'SCMP_CMP_NE',
	'SCMP_CMP_LT',
	'SCMP_CMP_LE',
	'SCMP_CMP_EQ',
	'SCMP_CMP_GE',
	'SCMP_CMP_GT',
	'SCMP_CMP_MASKED_EQ',
]);

/** Two conditions on one argument are alternatives: what profiles written for old libseccomp mean. */
function alternatives(call: LinuxSyscall): readonly (readonly Condition[])[] {
	const conditions = (call.args ?? []).map(condition);
	const indexes = new Set(conditions.map(({index}) => index));
	return indexes.size < conditions.length ? conditions.map((one) => [one]) : [conditions];
}

/** What a profile says about the numbers of one ABI. */
interface Collected {
	/** The rules of each number that has any; one without conditions stands alone. */
	readonly rules: Map<number, readonly Rule[]>;
	/** The newest number that the profile names, below the ABI's base when there is none. */
	newest: number;
}

/** Rules of a call come together: the first without conditions beats all others. */
function add(rules: Map<number, readonly Rule[]>, number: number, more: readonly Rule[]): void {
	const before = rules.get(number);
	if (!before) rules.set(number, more);
	else if (before[0]!.conditions.length === 0) return;
	else if (more[0]!.conditions.length === 0) rules.set(number, more);
	else rules.set(number, [...before, ...more]);
}

function collect(profile: LinuxSeccomp, abis: readonly Abi[], byDefault: number): Collected[] {
	const collected = abis.map((abi): Collected => ({rules: new Map(), newest: abiFacts[abi].base - 1}));
	const i386 = collected[abis.indexOf('i386')];
	for (const call of profile.syscalls ?? []) {
		const value = returnValue(call.action, call.errnoRet);
		const more = alternatives(call).map((conditions): Rule => ({conditions, value}));
		for (const name of call.names) {
			const numbers = syscallNumbers(name);
			if (!numbers) continue;
			for (let index = 0; index < abis.length; index++) {
				const abi = abis[index]!;
				const number = numberIn(abi, numbers);
				if (number === undefined) continue;
				const one = collected[index]!;
				if (number > one.newest && number - abiFacts[abi].base < armPrivate) one.newest = number;
				if (value !== byDefault) add(one.rules, number, more);
			}
			const indirect = i386 && value !== byDefault && !call.args?.length ? multiplexer(name) : undefined;
			if (indirect) {
				const selected: Condition = {index: 0, op: 'SCMP_CMP_EQ', value: BigInt(indirect.call), masked: 0n};
				add(i386!.rules, syscallNumber('i386', indirect.via)!, [{conditions: [selected], value}]);
			}
		}
	}
	return collected;
}

/** Ascending intervals from `base` to 2^32 without two equal neighbours. */
function cut({rules, newest}: Collected, base: number, byDefault: number, beyond: number): Interval[] {
	const out: Interval[] = [];
	let last: Interval | undefined;
	const push = (first: number, rules: readonly Rule[], value: number) => {
		if (last && last.rules.length === 0 && rules.length === 0 && last.value === value) return;
		last = {first, rules, value};
		out.push(last);
	};
	/** The unnamed numbers from `from` up to `to`. */
	const gap = (from: number, to: number) => {
		if (from < to && from <= newest) push(from, none, byDefault);
		if (to > newest + 1) push(Math.max(from, newest + 1), none, beyond);
	};
	let next = base;
	for (const number of Uint32Array.from(rules.keys()).sort()) {
		if (number > next) gap(next, number);
		const own = rules.get(number)!;
		if (own[0]!.conditions.length === 0) push(number, none, own[0]!.value);
		else push(number, own, byDefault);
		next = number + 1;
	}
	gap(next, 2 ** 32);
	return out;
}

const none: readonly Rule[] = [];

/**
 * What every number of each ABI does, from its base to 2^32, as intervals in ascending order without two
 * equal neighbours. A call that is newer than all that the profile names gives ENOSYS instead of the default
 * (as with runc): a libc that tries it falls back, which it wouldn't on EPERM. Not where the default lets
 * calls through to the kernel or to a tracer.
 */
export function intervals(profile: LinuxSeccomp, abis: readonly Abi[]): readonly (readonly Interval[])[] {
	const byDefault = returnValue(profile.defaultAction, profile.defaultErrnoRet);
	const permissive = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(profile.defaultAction);
	const beyond = permissive ? byDefault : ret.errno + enosys;
	return collect(profile, abis, byDefault).map((one, index) =>
		cut(one, abiFacts[abis[index]!].base, byDefault, beyond),
	);
}
