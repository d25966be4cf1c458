/**
 * Which devices a container may make and open. cgroup v1 takes a list of exceptions (the kernel's
 * cgroup-v1/devices); v2 has no list, a program decides there (BPF_PROG_TYPE_CGROUP_DEVICE, linux/bpf.h).
 */
import type {LinuxDeviceCgroup} from '../oci.ts';

const rule = (type: 'b' | 'c', major: number, minor: number, access = 'rwm'): LinuxDeviceCgroup => ({
	allow: true,
	type,
	major,
	minor,
	access,
});

/** Every container's rules: docker's and those that runc adds. Making any node is allowed, opening few. */
export const defaultDeviceRules: readonly LinuxDeviceCgroup[] = [
	{allow: false, access: 'rwm'},
	rule('c', -1, -1, 'm'),
	rule('b', -1, -1, 'm'),
	rule('c', 1, 3), // null
	rule('c', 1, 5), // zero
	rule('c', 1, 7), // full
	rule('c', 1, 8), // random
	rule('c', 1, 9), // urandom
	rule('c', 5, 0), // tty
	rule('c', 5, 1), // console
	rule('c', 5, 2), // ptmx
	rule('c', 136, -1), // pts/*
];

/** All devices: --privileged. */
export const privilegedDeviceRules: readonly LinuxDeviceCgroup[] = [{allow: true, access: 'rwm'}];

/** A rule as --device-cgroup-rule has it, such as `c 1:3 mr`. Throws Error in docker's words. */
export function parseDeviceCgroupRule(text: string): LinuxDeviceCgroup {
	const match = /^([acb]) ([0-9]{1,10}|\*):([0-9]{1,10}|\*) ([rwm]{1,3})$/.exec(text);
	const number = (digits: string) => (digits === '*' ? -1 : Number(digits));
	const [, type, major, minor, access] = match ?? [];
	if (!match || number(major!) > 0xffffffff || number(minor!) > 0xffffffff) {
		throw new Error(`invalid device cgroup rule format: '${text}'`);
	}
	return {
		allow: true,
		type: type as 'a' | 'b' | 'c',
		major: number(major!),
		minor: number(minor!),
		access: access!,
	};
}

/** A device that --device gives, after its node has been looked at. */
export interface GrantedDevice {
	readonly type: 'b' | 'c';
	readonly major: number;
	readonly minor: number;
	/** Some of `rwm`. */
	readonly permissions: string;
}

/** The rules of a container: the default's, then its devices', then its own; all devices when privileged. */
export function deviceRules(request: {
	readonly privileged?: boolean;
	readonly devices?: readonly GrantedDevice[];
	/** As --device-cgroup-rule has them. */
	readonly cgroupRules?: readonly string[] | null;
}): LinuxDeviceCgroup[] {
	if (request.privileged) return [...privilegedDeviceRules];
	return [
		...defaultDeviceRules,
		...(request.devices ?? []).map(({type, major, minor, permissions}) =>
			rule(type, major, minor, permissions),
		),
		...(request.cgroupRules ?? []).map(parseDeviceCgroupRule),
	];
}

/** Bits of an access, as BPF_DEVCG_ACC_* and as a set of letters. */
const accessBits = {m: 1, r: 2, w: 4} as const;
const everyAccess = 7;

export interface DeviceException {
	readonly type: 'b' | 'c';
	/** -1 is every number. */
	readonly major: number;
	readonly minor: number;
	/** Bits of BPF_DEVCG_ACC_*. */
	readonly access: number;
}

/** What rules come down to: a default, and exceptions from it. Both versions of cgroups are fed from this. */
export interface DevicePolicy {
	readonly allowByDefault: boolean;
	readonly exceptions: readonly DeviceException[];
}

function bitsOf(access: string | undefined): number {
	let bits = 0;
	for (const letter of access ?? 'rwm') {
		const bit = accessBits[letter as keyof typeof accessBits];
		if (bit === undefined) throw new Error(`invalid device access "${access}"`);
		bits |= bit;
	}
	return bits;
}

function deviceNumber(value: number | undefined): number {
	const number = value ?? -1;
	if (!Number.isInteger(number) || number < -1 || number > 0xffffffff)
		throw new Error(`invalid device number ${number}`);
	return number;
}

/**
 * Applies rules in their order as v1's files do: `a` sets the default and forgets the exceptions; a rule
 * against the default adds an exception; one for the default takes its bits from the exception with the
 * same numbers. Nothing at all is denied without a rule.
 */
export function devicePolicy(rules: readonly LinuxDeviceCgroup[]): DevicePolicy {
	let allowByDefault = false;
	const exceptions = new Map<string, DeviceException>();
	for (const {allow, type = 'a', major, minor, access} of rules) {
		const wanted = {major: deviceNumber(major), minor: deviceNumber(minor), access: bitsOf(access)};
		if (type === 'a' && wanted.major < 0 && wanted.minor < 0 && wanted.access === everyAccess) {
			allowByDefault = allow;
			exceptions.clear();
			continue;
		}
		for (const kind of type === 'a' ? (['b', 'c'] as const) : [type]) {
			const key = `${kind} ${wanted.major}:${wanted.minor}`;
			const before = exceptions.get(key)?.access ?? 0;
			const after = allow === allowByDefault ? before & ~wanted.access : before | wanted.access;
			if (after === 0) exceptions.delete(key);
			else exceptions.set(key, {type: kind, major: wanted.major, minor: wanted.minor, access: after});
		}
	}
	return {allowByDefault, exceptions: [...exceptions.values()]};
}

/** One write to a file of the devices controller. */
export interface DeviceWrite {
	readonly file: 'devices.allow' | 'devices.deny';
	readonly line: string;
}

/**
 * The writes that give a new v1 cgroup these rules. A cgroup inherits its parent's list: where all is allowed
 * there is nothing to write, and a parent that allows less stays the limit.
 */
export function deviceRulesV1(rules: readonly LinuxDeviceCgroup[]): DeviceWrite[] {
	const {allowByDefault, exceptions} = devicePolicy(rules);
	const number = (value: number) => (value < 0 ? '*' : String(value));
	const letters = (access: number) =>
		(['r', 'w', 'm'] as const).filter((letter) => access & accessBits[letter]).join('');
	const lines = exceptions.map(
		({type, major, minor, access}) => `${type} ${number(major)}:${number(minor)} ${letters(access)}`,
	);
	return allowByDefault
		? lines.map((line) => ({file: 'devices.deny', line}))
		: [{file: 'devices.deny', line: 'a'}, ...lines.map((line) => ({file: 'devices.allow', line}) as const)];
}

/** The opcodes of eBPF that the filter uses (linux/bpf.h and the kernel's bpf/standardization). */
export const ebpf = {
	/** dst = *(u32 *)(src + offset) */
	loadWord: 0x61,
	/** dst = imm */
	move: 0xb7,
	/** dst = src */
	moveRegister: 0xbf,
	/** 32-bit dst &= imm */
	and32: 0x54,
	/** 32-bit dst >>= imm */
	shiftRight32: 0x74,
	/** 32-bit: if dst != imm, skip offset instructions */
	jumpNotEqual32: 0x56,
	/** 32-bit: if dst == imm */
	jumpEqual32: 0x16,
	exit: 0x95,
} as const;

/** Registers: r1 is the context on entry, r0 the verdict on exit. */
const registers = {verdict: 0, context: 1, type: 2, access: 3, major: 4, minor: 5, scratch: 6} as const;

/** BPF_DEVCG_DEV_*. */
const deviceTypes = {b: 1, c: 2} as const;

interface EbpfInstruction {
	readonly code: number;
	readonly dst?: number;
	readonly src?: number;
	readonly offset?: number;
	readonly imm?: number;
}

function encode(instructions: readonly EbpfInstruction[]): Buffer {
	const out = Buffer.alloc(instructions.length * 8);
	for (const [index, {code, dst = 0, src = 0, offset = 0, imm = 0}] of instructions.entries()) {
		out[index * 8] = code;
		out[index * 8 + 1] = dst | (src << 4);
		out.writeInt16LE(offset, index * 8 + 2);
		out.writeInt32LE(imm | 0, index * 8 + 4);
	}
	return out;
}

const verdict = (value: 0 | 1): EbpfInstruction[] => [
	{code: ebpf.move, dst: registers.verdict, imm: value},
	{code: ebpf.exit},
];

/** The block for one exception: a chain of tests, each of which leaves the block when it fails. */
function exceptionBlock(exception: DeviceException, allowByDefault: boolean): EbpfInstruction[] {
	const {type, major, minor, access} = exception;
	const tests: EbpfInstruction[][] = [
		[{code: ebpf.jumpNotEqual32, dst: registers.type, imm: deviceTypes[type]}],
	];
	if (access !== everyAccess) {
		// To be allowed, all that is asked for must be in the exception; to be denied, one bit is enough.
		tests.push([
			{code: ebpf.moveRegister, dst: registers.scratch, src: registers.access},
			{code: ebpf.and32, dst: registers.scratch, imm: allowByDefault ? access : everyAccess & ~access},
			{code: allowByDefault ? ebpf.jumpEqual32 : ebpf.jumpNotEqual32, dst: registers.scratch, imm: 0},
		]);
	}
	if (major >= 0) tests.push([{code: ebpf.jumpNotEqual32, dst: registers.major, imm: major}]);
	if (minor >= 0) tests.push([{code: ebpf.jumpNotEqual32, dst: registers.minor, imm: minor}]);
	const body = [...tests.flat(), ...verdict(allowByDefault ? 0 : 1)];
	return body.map((instruction, index) =>
		instruction.code === ebpf.jumpNotEqual32 || instruction.code === ebpf.jumpEqual32
			? {...instruction, offset: body.length - index - 1}
			: instruction,
	);
}

/**
 * The program for a v2 cgroup, an array of struct bpf_insn. Its context is struct bpf_cgroup_dev_ctx: u32
 * access << 16 | type, u32 major, u32 minor; it gives 1 to allow and 0 to deny. Numbers are compared as 32
 * bits: the immediate of a 64-bit comparison would be sign-extended.
 */
export function assembleDeviceFilter(rules: readonly LinuxDeviceCgroup[]): Buffer {
	const {allowByDefault, exceptions} = devicePolicy(rules);
	const {context, type, access, major, minor} = registers;
	return encode([
		{code: ebpf.loadWord, dst: type, src: context, offset: 0},
		{code: ebpf.moveRegister, dst: access, src: type},
		{code: ebpf.and32, dst: type, imm: 0xffff},
		{code: ebpf.shiftRight32, dst: access, imm: 16},
		{code: ebpf.loadWord, dst: major, src: context, offset: 4},
		{code: ebpf.loadWord, dst: minor, src: context, offset: 8},
		...exceptions.flatMap((exception) => exceptionBlock(exception, allowByDefault)),
		...verdict(allowByDefault ? 1 : 0),
	]);
}
