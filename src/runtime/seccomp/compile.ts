import type {LinuxSeccomp} from '../oci.ts';
import {Assembler, bpf, type Label, seccompData} from './bpf.ts';
import {type Condition, type Interval, intervals, type Rule, ret} from './rules.ts';
import {type Abi, abiFacts, abisOf, type NativeArch, x32Bit} from './syscalls.ts';

/** Architectures that profiles may name though no process here can have them. */
const foreign: ReadonlySet<string> = new Set(
	[
		...[
			'MIPS',
			'MIPS64',
			'MIPS64N32',
			'MIPSEL',
			'MIPSEL64',
			'MIPSEL64N32',
			'PPC',
			'PPC64',
			'PPC64LE',
			'S390',
			'S390X',
		],
		...['RISCV64', 'LOONGARCH64', 'M68K', 'SH', 'SHEB', 'PARISC', 'PARISC64'],
	].map((name) => `SCMP_ARCH_${name}`),
);

/**
 * Compiles a profile to an array of struct sock_filter. The architecture word is looked at first: one that
 * the profile doesn't name kills the process, since its numbers mean other calls. Then a balanced tree over
 * intervals of numbers finds the answer, or the comparisons of arguments, in about seven steps.
 *
 * Throws Error for what the profile can't mean or the kernel can't take.
 */
export function compileSeccomp(seccomp: LinuxSeccomp, arch: NativeArch): Buffer {
	const abis = abisFor(seccomp, arch);
	const byAbi = intervals(seccomp, abis);
	const assembler = new Assembler();
	const kill = assembler.return(ret.killProcess);
	let entry = kill;
	// Made from the end: the native architecture comes last and so is tested first.
	for (const audit of new Set(abis.map((abi) => abiFacts[abi].audit).reverse())) {
		const sharing = abis.flatMap((abi, index) =>
			abiFacts[abi].audit === audit ? [{abi, own: byAbi[index]!}] : [],
		);
		const tree = numberTree(assembler, numbersOf(sharing));
		const load = assembler.load(seccompData.number, tree);
		entry = assembler.branch(bpf.equal, audit, load, entry);
	}
	return assembler.finish(assembler.load(seccompData.architecture, entry));
}

function abisFor(seccomp: LinuxSeccomp, arch: NativeArch): readonly Abi[] {
	const possible = abisOf[arch];
	const named = new Set(seccomp.architectures ?? []);
	for (const name of named) {
		const known = Object.values(abiFacts).some(({scmp}) => scmp === name) || foreign.has(name);
		if (!known) throw new Error(`unknown seccomp architecture "${name}"`);
	}
	return possible.filter((abi, index) => index === 0 || named.has(abiFacts[abi].scmp));
}

interface Span extends Interval {
	readonly narrow: boolean;
}

/** What a tracer sets to have a call skipped. It has x32's bit, but is no call of x32's. */
const skipped = 0xffffffff;

/** All numbers under one architecture word. x64 ends where x32's bit begins, and without x32 that bit kills. */
function numbersOf(sharing: readonly {abi: Abi; own: readonly Interval[]}[]): readonly Span[] {
	const spans: Span[] = [];
	for (const {abi, own} of sharing) {
		const {narrow} = abiFacts[abi];
		for (const {first, rules, value} of own) {
			if (abi !== 'x64' || first < x32Bit) spans.push({first, rules, value, narrow});
		}
		if (abi === 'x64' && sharing.length === 1) {
			spans.push({first: x32Bit, rules: [], value: ret.killProcess, narrow});
			spans.push({first: skipped, rules: [], value: own.at(-1)!.value, narrow});
		}
	}
	return spans;
}

/** The tree over spans[from..to). */
function numberTree(assembler: Assembler, spans: readonly Span[], from = 0, to = spans.length): Label {
	if (to - from === 1) return leaf(assembler, spans[from]!);
	const middle = (from + to) >> 1;
	const upper = numberTree(assembler, spans, middle, to);
	const lower = numberTree(assembler, spans, from, middle);
	return assembler.branch(bpf.greaterOrEqual, spans[middle]!.first, upper, lower);
}

function leaf(assembler: Assembler, {rules, value, narrow}: Span): Label {
	let next = assembler.return(value);
	for (const rule of rules.toReversed()) next = ruleCode(assembler, rule, narrow, next);
	return next;
}

function ruleCode(assembler: Assembler, rule: Rule, narrow: boolean, otherwise: Label): Label {
	let next = assembler.return(rule.value);
	for (const condition of rule.conditions.toReversed()) {
		next = narrow
			? narrowCondition(assembler, condition, next, otherwise)
			: wideCondition(assembler, condition, next, otherwise);
	}
	return next;
}

const low = (value: bigint) => Number(BigInt.asUintN(32, value));
const high = (value: bigint) => Number(value >> 32n);

/** A comparison of all 64 bits: the high halves decide unless they are equal. */
function wideCondition(assembler: Assembler, condition: Condition, yes: Label, no: Label): Label {
	const {index, op, value, masked} = condition;
	const onLow = (next: Label) => assembler.load(seccompData.argumentLow(index), next);
	const onHigh = (next: Label) => assembler.load(seccompData.argumentHigh(index), next);
	const equal = (then: Label, otherwise: Label) => {
		const lowEqual = onLow(assembler.branch(bpf.equal, low(value), then, otherwise));
		return onHigh(assembler.branch(bpf.equal, high(value), lowEqual, otherwise));
	};
	const above = (code: typeof bpf.greater | typeof bpf.greaterOrEqual, then: Label, otherwise: Label) => {
		const lowAbove = onLow(assembler.branch(code, low(value), then, otherwise));
		const sameHigh = assembler.branch(bpf.equal, high(value), lowAbove, otherwise);
		return onHigh(assembler.branch(bpf.greater, high(value), then, sameHigh));
	};
	switch (op) {
		case 'SCMP_CMP_EQ':
			return equal(yes, no);
		case 'SCMP_CMP_NE':
			return equal(no, yes);
		case 'SCMP_CMP_GT':
			return above(bpf.greater, yes, no);
		case 'SCMP_CMP_GE':
			return above(bpf.greaterOrEqual, yes, no);
		case 'SCMP_CMP_LT':
			return above(bpf.greaterOrEqual, no, yes);
		case 'SCMP_CMP_LE':
			return above(bpf.greater, no, yes);
		case 'SCMP_CMP_MASKED_EQ': {
			const half = (mask: number, wanted: number, then: Label, load: (next: Label) => Label) =>
				mask === 0 ? then : load(assembler.and(mask, assembler.branch(bpf.equal, wanted, then, no)));
			return half(high(value), high(masked), half(low(value), low(masked), yes, onLow), onHigh);
		}
	}
}

/** Arguments of a 32-bit ABI: the kernel leaves their high half zero, and a profile's -1 means 32 ones. */
function narrowCondition(assembler: Assembler, condition: Condition, yes: Label, no: Label): Label {
	const {index, op, value, masked} = condition;
	const onLow = (next: Label) => assembler.load(seccompData.argumentLow(index), next);
	const compare = (
		code: typeof bpf.equal | typeof bpf.greater | typeof bpf.greaterOrEqual,
		then: Label,
		otherwise: Label,
	) => onLow(assembler.branch(code, low(value), then, otherwise));
	const beyond = high(value) !== 0;
	switch (op) {
		case 'SCMP_CMP_EQ':
			return compare(bpf.equal, yes, no);
		case 'SCMP_CMP_NE':
			return compare(bpf.equal, no, yes);
		case 'SCMP_CMP_GT':
			return beyond ? no : compare(bpf.greater, yes, no);
		case 'SCMP_CMP_GE':
			return beyond ? no : compare(bpf.greaterOrEqual, yes, no);
		case 'SCMP_CMP_LT':
			return beyond ? yes : compare(bpf.greaterOrEqual, no, yes);
		case 'SCMP_CMP_LE':
			return beyond ? yes : compare(bpf.greater, no, yes);
		case 'SCMP_CMP_MASKED_EQ':
			if (low(value) === 0) return low(masked) === 0 ? yes : no;
			return onLow(assembler.and(low(value), assembler.branch(bpf.equal, low(masked), yes, no)));
	}
}
