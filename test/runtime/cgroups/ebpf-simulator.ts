/**
 * Runs the instructions of eBPF that device filters use, and refuses what the kernel's verifier would:
 * unknown instructions, reads of registers that were not written, loads outside the context, jumps out of
 * the program or backwards, and a way to the end without exit.
 */
const contextLength = 12;
const bits32 = 0xffffffffn;

export interface DeviceAccess {
	/** BPF_DEVCG_DEV_*: 1 block, 2 character. */
	type: number;
	/** BPF_DEVCG_ACC_*: 1 mknod, 2 read, 4 write. */
	access: number;
	major: number;
	minor: number;
}

export function runDeviceFilter(program: Buffer, {type, access, major, minor}: DeviceAccess): number {
	const context = Buffer.alloc(contextLength);
	context.writeUInt32LE(((access << 16) | type) >>> 0, 0);
	context.writeUInt32LE(major, 4);
	context.writeUInt32LE(minor, 8);
	const count = program.length / 8;
	if (!Number.isInteger(count) || count === 0) throw new Error('not a list of instructions');
	const registers: (bigint | 'context' | undefined)[] = Array(11).fill(undefined);
	registers[1] = 'context';
	const number = (register: number): bigint => {
		const value = registers[register];
		if (typeof value !== 'bigint') throw new Error(`r${register} has no number`);
		return value;
	};
	for (let at = 0; at < count; at++) {
		const code = program[at * 8]!;
		const dst = program[at * 8 + 1]! & 15;
		const src = program[at * 8 + 1]! >> 4;
		const offset = program.readInt16LE(at * 8 + 2);
		const imm = program.readInt32LE(at * 8 + 4);
		const unsigned = BigInt.asUintN(32, BigInt(imm));
		switch (code) {
			case 0x61:
				if (registers[src] !== 'context') throw new Error('load from no pointer');
				if (offset < 0 || offset % 4 || offset + 4 > contextLength)
					throw new Error('load outside the context');
				registers[dst] = BigInt(context.readUInt32LE(offset));
				break;
			case 0xb7:
				registers[dst] = BigInt.asUintN(64, BigInt(imm));
				break;
			case 0xbf:
				registers[dst] = number(src);
				break;
			case 0x54:
				registers[dst] = number(dst) & unsigned;
				break;
			case 0x74:
				registers[dst] = (number(dst) & bits32) >> unsigned;
				break;
			case 0x16:
			case 0x56: {
				if (offset < 0 || at + 1 + offset >= count) throw new Error('jump out of the program');
				const equal = (number(dst) & bits32) === unsigned;
				if (equal === (code === 0x16)) at += offset;
				break;
			}
			case 0x95:
				return Number(number(0));
			default:
				throw new Error(`instruction 0x${code.toString(16)}`);
		}
	}
	throw new Error('the program ends without exit');
}
