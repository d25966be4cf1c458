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
	for (const via of ['socketcall', 'ipc'] as const) {
		const call = Object.hasOwn(multiplexed[via], name) ? multiplexed[via][name] : undefined;
		if (call !== undefined) return {via, call};
	}
	return undefined;
}

const columns: readonly Abi[] = ['x64', 'i386', 'x32', 'arm64', 'arm'];

let parsed: Readonly<Record<Abi, ReadonlyMap<string, number>>> | undefined;

/** Numbers by name for one ABI, with the ABI's base added. */
export function syscallNumbers(abi: Abi): ReadonlyMap<string, number> {
	parsed ??= parseTable();
	return parsed[abi];
}

function parseTable(): Readonly<Record<Abi, ReadonlyMap<string, number>>> {
	const maps = columns.map(() => new Map<string, number>());
	for (const line of syscallTable.trim().split('\n')) {
		const [name, ...numbers] = line.split(' ');
		for (let column = 0; column < columns.length; column++) {
			const text = numbers[column];
			if (text !== undefined && text !== '-') {
				maps[column]!.set(name!, Number(text) + abiFacts[columns[column]!].base);
			}
		}
	}
	return Object.fromEntries(columns.map((abi, column) => [abi, maps[column]!])) as unknown as Readonly<
		Record<Abi, ReadonlyMap<string, number>>
	>;
}
