/**
 * From a profile in the OCI form to what each ABI's numbers do. Semantics are runc's over libseccomp's:
 * names that an ABI lacks are passed over; a rule with the default's action says nothing; a rule without
 * conditions beats all with conditions; else the first whose conditions all hold decides.
 */
import type {LinuxSeccomp, LinuxSeccompArg, LinuxSyscall, SeccompAction, SeccompOperator} from '../oci.ts';
import {type Abi, abiFacts, armPrivate, multiplexer, syscallNumbers} from './syscalls.ts';

/** SECCOMP_RET_* of linux/seccomp.h. */
export const ret = {
	killProcess: 0x80000000,
	killThread: 0,
	trap: 0x00030000,
	errno: 0x00050000,
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

/** The filter's return value for an action; throws for what needs a listener or is unknown. */
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
			throw new Error('seccomp action SCMP_ACT_NOTIFY is not supported');
		default:
			throw new Error(`unknown seccomp action "${action}"`);
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

function collect(profile: LinuxSeccomp, abi: Abi, byDefault: number): Map<number, Rule[]> {
	const numbers = syscallNumbers(abi);
	const out = new Map<number, Rule[]>();
	const add = (number: number, rule: Rule) => {
		const rules = out.get(number);
		if (!rules) out.set(number, [rule]);
		else if (rules[0]!.conditions.length === 0) return;
		else if (rule.conditions.length === 0) out.set(number, [rule]);
		else rules.push(rule);
	};
	for (const call of profile.syscalls ?? []) {
		const value = returnValue(call.action, call.errnoRet);
		const choices = alternatives(call);
		if (value === byDefault) continue;
		for (const name of call.names) {
			const number = numbers.get(name);
			if (number !== undefined) for (const conditions of choices) add(number, {conditions, value});
			const indirect = abi === 'i386' && !call.args?.length ? multiplexer(name) : undefined;
			if (indirect) {
				const selected: Condition = {index: 0, op: 'SCMP_CMP_EQ', value: BigInt(indirect.call), masked: 0n};
				add(numbers.get(indirect.via)!, {conditions: [selected], value});
			}
		}
	}
	return out;
}

/** The newest number that the profile names, so that a newer call looks like one that the kernel lacks. */
function newestNamed(profile: LinuxSeccomp, abi: Abi): number {
	const numbers = syscallNumbers(abi);
	const {base} = abiFacts[abi];
	let newest = base - 1;
	for (const {names} of profile.syscalls ?? []) {
		for (const name of names) {
			const number = numbers.get(name);
			if (number !== undefined && number - base < armPrivate && number > newest) newest = number;
		}
	}
	return newest;
}

/**
 * What every number of an ABI does, from its base to 2^32, as intervals in ascending order without two equal
 * neighbours. A call that is newer than all that the profile names gives ENOSYS instead of the default (as
 * with runc): a libc that tries it falls back, which it wouldn't on EPERM. Not where the default lets calls
 * through to the kernel or to a tracer.
 */
export function intervals(profile: LinuxSeccomp, abi: Abi): readonly Interval[] {
	const byDefault = returnValue(profile.defaultAction, profile.defaultErrnoRet);
	const permissive = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(profile.defaultAction);
	const newest = newestNamed(profile, abi);
	const unnamed = (number: number) => (!permissive && number > newest ? ret.errno + enosys : byDefault);
	const named = collect(profile, abi, byDefault);
	const out: Interval[] = [];
	const push = (next: Interval) => {
		const last = out.at(-1);
		if (last && last.rules.length === 0 && next.rules.length === 0 && last.value === next.value) return;
		out.push(next);
	};
	let next = abiFacts[abi].base;
	for (const number of [...named.keys()].sort((a, b) => a - b)) {
		if (number > next) {
			push({first: next, rules: [], value: unnamed(next)});
			if (next <= newest && number > newest + 1)
				push({first: newest + 1, rules: [], value: unnamed(newest + 1)});
		}
		const rules = named.get(number)!;
		if (rules[0]!.conditions.length === 0) push({first: number, rules: [], value: rules[0]!.value});
		else push({first: number, rules, value: byDefault});
		next = number + 1;
	}
	if (next <= newest) {
		push({first: next, rules: [], value: unnamed(next)});
		next = newest + 1;
	}
	push({first: next, rules: [], value: unnamed(next)});
	return out;
}
