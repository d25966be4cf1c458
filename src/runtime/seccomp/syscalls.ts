import {syscallTable} from './syscall-table.ts';

/** A way to call the kernel: x32 shares its architecture word with x64 and has bit 30 in its numbers. */
export type Abi = 'x64' | 'i386' | 'x32' | 'arm64' | 'arm';

/** The architecture that the container's processes natively are, by Node's names. */
export type NativeArch = 'x64' | 'arm64';

export interface AbiFacts {
	/** libseccomp's name, as profiles spell it. */
	readonly scmp: string;
	/** AUDIT_ARCH_* of linux/audit.h. */
	readonly audit: number;
	/** Added to each number of the table. */
	readonly base: number;
	/** Arguments have 32 bits. */
	readonly narrow: boolean;
}

export const x32Bit = 0x40000000;

/** From here on arm has its private calls (breakpoint, cacheflush, ...): they say nothing about how new a kernel is. */
export const armPrivate = 0xf0000;

export const abiFacts: Readonly<Record<Abi, AbiFacts>> = {
	x64: {scmp: 'SCMP_ARCH_X86_64', audit: 0xc000003e, base: 0, narrow: false},
	i386: {scmp: 'SCMP_ARCH_X86', audit: 0x40000003, base: 0, narrow: true},
	x32: {scmp: 'SCMP_ARCH_X32', audit: 0xc000003e, base: x32Bit, narrow: true},
	arm64: {scmp: 'SCMP_ARCH_AARCH64', audit: 0xc00000b7, base: 0, narrow: false},
	arm: {scmp: 'SCMP_ARCH_ARM', audit: 0x40000028, base: 0, narrow: true},
};

/** Which ABIs a process of each native architecture can use, the native one first. */
export const abisOf: Readonly<Record<NativeArch, readonly Abi[]>> = {
	x64: ['x64', 'i386', 'x32'],
	arm64: ['arm64', 'arm'],
};

/**
 * i386 calls that old programs make through socketcall(2) or ipc(2), with the first argument that chooses
 * them (linux/net.h, linux/ipc.h). Allowing the call allows it this way too.
 */
const multiplexed: Readonly<Record<'socketcall' | 'ipc', Readonly<Record<string, number>>>> = {
	socketcall: {
		socket: 1,
		bind: 2,
		connect: 3,
		listen: 4,
		accept: 5,
		getsockname: 6,
		getpeername: 7,
		socketpair: 8,
		send: 9,
		recv: 10,
		sendto: 11,
		recvfrom: 12,
		shutdown: 13,
		setsockopt: 14,
		getsockopt: 15,
		sendmsg: 16,
		recvmsg: 17,
		accept4: 18,
		recvmmsg: 19,
		sendmmsg: 20,
	},
	ipc: {
		semop: 1,
		semget: 2,
		semctl: 3,
		semtimedop: 4,
		msgsnd: 11,
		msgrcv: 12,
		msgget: 13,
		msgctl: 14,
		shmat: 21,
		shmdt: 22,
		shmget: 23,
		shmctl: 24,
	},
};

/** The call and first argument by which i386 reaches `name` indirectly, if it does. */
export function multiplexer(name: string): {via: 'socketcall' | 'ipc'; call: number} | undefined {
	const via = Object.hasOwn(multiplexed.socketcall, name)
		? 'socketcall'
		: Object.hasOwn(multiplexed.ipc, name)
			? 'ipc'
			: undefined;
	return via && {via, call: multiplexed[via][name]!};
}

/** A column of the table for each ABI. */
const columns: Readonly<Record<Abi, number>> = {x64: 0, i386: 1, x32: 2, arm64: 3, arm: 4};

/** The numbers of a name that any ABI has, for `numberIn`. */
export function syscallNumbers(name: string): readonly number[] | undefined {
	return Object.hasOwn(syscallTable, name) ? syscallTable[name] : undefined;
}

/** The number for one ABI with its base added, or undefined where the ABI lacks the call. */
export function numberIn(abi: Abi, numbers: readonly number[]): number | undefined {
	const number = numbers[columns[abi]]!;
	return number < 0 ? undefined : number + abiFacts[abi].base;
}

/** The number of a system call with the ABI's base added, or undefined where the ABI lacks it. */
export function syscallNumber(abi: Abi, name: string): number | undefined {
	const numbers = syscallNumbers(name);
	return numbers && numberIn(abi, numbers);
}
