import test from 'ava';
import type {LinuxSeccomp, LinuxSeccompArg} from '../../../src/runtime/oci.ts';
import {compileSeccomp} from '../../../src/runtime/seccomp/compile.ts';
import {defaultSeccomp} from '../../../src/runtime/seccomp/default-profile.ts';
import {ret, returnValue} from '../../../src/runtime/seccomp/rules.ts';
import {syscallTable} from '../../../src/runtime/seccomp/syscall-table.ts';
import {
	type Abi,
	abiFacts,
	abisOf,
	armPrivate,
	type NativeArch,
	syscallNumber,
	x32Bit,
} from '../../../src/runtime/seccomp/syscalls.ts';
import {BpfProgram} from './bpf-simulator.ts';
import {buildLibseccomp, libseccompFilter} from './libseccomp.ts';
import {allCapabilities, defaultCapabilities, handmade} from './profiles.ts';

const libseccomp = buildLibseccomp();
test.after.always(() => libseccomp.remove());

const enosys = ret.errno + 38;
const unknownArchitecture = 0xdeadbeef;
const words = [
	abiFacts.x64.audit,
	abiFacts.i386.audit,
	abiFacts.arm64.audit,
	abiFacts.arm.audit,
	unknownArchitecture,
];

function numbers(): number[] {
	const out: number[] = [];
	for (let number = 0; number <= 600; number++) out.push(number, x32Bit + number);
	for (let number = armPrivate - 1; number <= armPrivate + 8; number++) out.push(number);
	out.push(
		x32Bit - 1,
		0x7fffffff,
		0x80000000,
		0xc0000000,
		0xfffffffe,
		0xffffffff,
		x32Bit + armPrivate,
		0x10000,
	);
	return out;
}

const all64 = (1n << 64n) - 1n;

/** Values around each constant that a condition compares with: its neighbours, each bit of it, both halves. */
function edges({value, valueTwo}: LinuxSeccompArg): bigint[] {
	const out = new Set<bigint>([0n, 1n, 0xffffffffn, 0x100000000n, 0x7fffffffffffffffn, 1n << 63n, all64]);
	for (const constant of [BigInt(value), BigInt(valueTwo ?? 0)]) {
		for (const near of [constant - 1n, constant, constant + 1n, constant ^ all64]) out.add(near & all64);
		for (let bit = 0n; bit < 64n; bit++) out.add(constant ^ (1n << bit));
	}
	return [...out];
}

/** The arguments to try for one call: edges of each condition alone, and matching values of all together. */
function argumentSets(profile: LinuxSeccomp, names: ReadonlySet<string>): bigint[][] {
	const conditions = (profile.syscalls ?? []).flatMap(({names: own, args}) =>
		own.some((name) => names.has(name)) ? (args ?? []) : [],
	);
	const byIndex = new Map<number, Set<bigint>>();
	for (const condition of conditions) {
		const set = byIndex.get(condition.index) ?? new Set();
		for (const edge of edges(condition)) set.add(edge);
		byIndex.set(condition.index, set);
	}
	const constants = (index: number) =>
		new Set(
			conditions
				.filter((condition) => condition.index === index)
				.flatMap(({value, valueTwo}) => [BigInt(value), BigInt(valueTwo ?? 0)])
				.flatMap((value) => [value, (value + 1n) & all64]),
		);
	let sets: bigint[][] = [[]];
	for (const index of byIndex.keys()) {
		const product: bigint[][] = [];
		for (const set of sets) {
			for (const value of constants(index)) {
				const next = [...set];
				next[index] = value;
				product.push(next);
			}
		}
		// Every edge of this argument with whatever the others already are, the first of each.
		for (const edge of byIndex.get(index)!) {
			const next = [...(sets.at(-1) ?? [])];
			next[index] = edge;
			product.push(next);
		}
		sets = product;
	}
	return [[], ...sets];
}

/** What is newest among the named numbers, worked out from the table alone. */
function newest(profile: LinuxSeccomp, abi: Abi): number {
	const named = (profile.syscalls ?? [])
		.flatMap(({names}) => names.map((name) => syscallNumber(abi, name)))
		.filter((number) => number !== undefined && number - abiFacts[abi].base < armPrivate);
	return Math.max(...(named as number[]), abiFacts[abi].base - 1);
}

function abiOf(arch: NativeArch, profile: LinuxSeccomp, word: number, number: number): Abi | undefined {
	const named = (abi: Abi) => profile.architectures?.includes(abiFacts[abi].scmp) ?? false;
	const candidates = abisOf[arch].filter((abi) => abiFacts[abi].audit === word && named(abi));
	if (word !== abiFacts.x64.audit) return candidates[0];
	if (arch === 'x64' && number === 0xffffffff && !named('x32')) return 'x64';
	return candidates.find((abi) => (abi === 'x32') === number >= x32Bit);
}

/**
 * Compares for every number, architecture and edge. The one difference that is wanted: above the newest call
 * that the profile names (the arm-private ones don't count), ours says ENOSYS where libseccomp by itself
 * gives the default. That is what runc puts in front of libseccomp's filter.
 */
function differences(profile: LinuxSeccomp, arch: NativeArch, theirs: BpfProgram, ours: BpfProgram) {
	const byDefault = returnValue(profile.defaultAction, profile.defaultErrnoRet);
	const permissive = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(profile.defaultAction);
	const wrong: string[] = [];
	let compared = 0;
	const namesByNumber = new Map<Abi, Map<number, Set<string>>>();
	for (const abi of abisOf[arch]) {
		const map = new Map<number, Set<string>>();
		for (const name of Object.keys(syscallTable)) {
			const number = syscallNumber(abi, name);
			if (number !== undefined) map.set(number, (map.get(number) ?? new Set()).add(name));
		}
		namesByNumber.set(abi, map);
	}
	const cache = new Map<string, bigint[][]>();
	for (const word of words) {
		for (const number of numbers()) {
			const abi = abiOf(arch, profile, word, number);
			const names = abi ? (namesByNumber.get(abi)!.get(number) ?? new Set<string>()) : new Set<string>();
			const key = [...names].join(' ');
			const sets = cache.get(key) ?? argumentSets(profile, names);
			cache.set(key, sets);
			// The indirect calls of i386 choose by their first argument.
			const extra = abi === 'i386' && (names.has('socketcall') || names.has('ipc')) ? 30 : 0;
			const tried = [...sets, ...Array.from({length: extra}, (_value, call) => [BigInt(call)])];
			for (const args of tried) {
				const data = {number, architecture: word, args: args.map((value) => value ?? 0n)};
				const expected = theirs.run(data);
				const actual = ours.run(data);
				compared++;
				const isNewer =
					abi !== undefined && !permissive && number > newest(profile, abi) && expected === byDefault;
				if (actual !== (isNewer ? enosys : expected)) {
					wrong.push(
						`${word.toString(16)} ${number} (${key}) [${args}]: ${actual.toString(16)}, libseccomp ${expected.toString(16)}`,
					);
				}
			}
		}
	}
	return {wrong, compared};
}

const kernel: [number, number] = [6, 18];
const defaults = (arch: NativeArch, capabilities: readonly string[], version = kernel) =>
	defaultSeccomp({capabilities, arch, kernel: version});

const cases: Record<string, [NativeArch, LinuxSeccomp]> = {
	"docker's default": ['x64', defaults('x64', defaultCapabilities)],
	"docker's default on arm64": ['arm64', defaults('arm64', defaultCapabilities)],
	"docker's default with every capability": ['x64', defaults('x64', allCapabilities)],
	"docker's default without a capability, on an old kernel": ['x64', defaults('x64', [], [4, 4])],
	...handmade,
};

for (const [name, [arch, profile]] of Object.entries(cases)) {
	test(`${name} filters as libseccomp's does`, (t) => {
		const {unknown} = libseccompFilter(libseccomp.program, profile);
		// Names that this libseccomp is too old for are compared with our own table, below.
		const shared: LinuxSeccomp = {
			...profile,
			syscalls: (profile.syscalls ?? []).map((call) => ({
				...call,
				names: call.names.filter((known) => !unknown.has(known)),
			})),
		};
		const {filter} = libseccompFilter(libseccomp.program, shared);
		const theirs = new BpfProgram(filter);
		const ours = new BpfProgram(compileSeccomp(shared, arch));
		const {wrong, compared} = differences(shared, arch, theirs, ours);
		t.deepEqual(wrong.slice(0, 20), []);
		t.true(compared > 5000);
		const whole = new BpfProgram(compileSeccomp(profile, arch));
		for (const call of profile.syscalls ?? []) {
			if (call.args?.length) continue;
			for (const newer of call.names.filter((known) => unknown.has(known))) {
				for (const abi of abisOf[arch].filter((one) => profile.architectures?.includes(abiFacts[one].scmp))) {
					const number = syscallNumber(abi, newer);
					if (number === undefined) continue;
					const result = whole.run({number, architecture: abiFacts[abi].audit});
					t.is(result, returnValue(call.action, call.errnoRet), `${newer} on ${abi}`);
				}
			}
		}
	});
}

test("the default filter takes fewer steps for its longest way than libseccomp's", (t) => {
	const profile = defaults('x64', defaultCapabilities);
	const ours = new BpfProgram(compileSeccomp(profile, 'x64'));
	const theirs = new BpfProgram(libseccompFilter(libseccomp.program, profile).filter);
	for (const number of numbers()) {
		ours.run({number, architecture: abiFacts.x64.audit});
		theirs.run({number, architecture: abiFacts.x64.audit});
	}
	t.true(ours.longest < 30);
	t.true(theirs.longest > ours.longest);
});
