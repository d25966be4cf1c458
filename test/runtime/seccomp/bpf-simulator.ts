/**
 * Runs classic BPF as the kernel does for seccomp, and refuses what its checker refuses: only forward jumps
 * inside the program, aligned loads inside struct seccomp_data, and no way to fall off the end.
 */
export interface SeccompData {
	number: number;
	architecture: number;
	instructionPointer?: bigint;
	/** Six of 64 bits. */
	args?: readonly bigint[];
}

const dataLength = 64;

function layOut({number, architecture, instructionPointer = 0n, args = []}: SeccompData): DataView {
	const view = new DataView(new ArrayBuffer(dataLength));
	view.setUint32(0, number, true);
	view.setUint32(4, architecture, true);
	view.setBigUint64(8, instructionPointer, true);
	for (let index = 0; index < 6; index++) view.setBigUint64(16 + 8 * index, args[index] ?? 0n, true);
	return view;
}

export class BpfProgram {
	readonly #code: Uint16Array;
	readonly #jumps: Uint8Array;
	readonly #k: Uint32Array;
	/** Instructions that the longest run so far took. */
	longest = 0;

	constructor(program: Buffer) {
		if (program.length === 0 || program.length % 8 !== 0) throw new Error('not a list of instructions');
		const count = program.length / 8;
		if (count > 4096) throw new Error('too long');
		this.#code = new Uint16Array(count);
		this.#jumps = new Uint8Array(count * 2);
		this.#k = new Uint32Array(count);
		for (let index = 0; index < count; index++) {
			this.#code[index] = program.readUInt16LE(index * 8);
			this.#jumps[index * 2] = program[index * 8 + 2]!;
			this.#jumps[index * 2 + 1] = program[index * 8 + 3]!;
			this.#k[index] = program.readUInt32LE(index * 8 + 4);
			this.#check(index, count);
		}
		const last = this.#code[count - 1]!;
		if (last !== 0x06 && last !== 0x16) throw new Error('the program does not end with a return');
	}

	get length(): number {
		return this.#code.length;
	}

	#check(index: number, count: number): void {
		const code = this.#code[index]!;
		const k = this.#k[index]!;
		if (code === 0x20 && (k % 4 !== 0 || k >= dataLength)) throw new Error(`load of offset ${k}`);
		if (code === 0x05 && index + 1 + k >= count) throw new Error(`jump out of the program at ${index}`);
		if ((code & 7) === 5 && code !== 0x05) {
			const farther = Math.max(this.#jumps[index * 2]!, this.#jumps[index * 2 + 1]!);
			if (index + 1 + farther >= count) throw new Error(`jump out of the program at ${index}`);
		}
	}

	run(data: SeccompData): number {
		const view = layOut(data);
		let a = 0;
		let x = 0;
		const memory = new Uint32Array(16);
		let at = 0;
		for (let steps = 1; ; steps++) {
			const code = this.#code[at]!;
			const k = this.#k[at]!;
			const operand = code & 0x08 ? x : k;
			let taken: boolean;
			switch (code) {
				case 0x06:
				case 0x16:
					if (steps > this.longest) this.longest = steps;
					return code === 0x06 ? k : a;
				case 0x20:
					a = view.getUint32(k, true);
					at++;
					continue;
				case 0x00:
					a = k;
					at++;
					continue;
				case 0x01:
					x = k;
					at++;
					continue;
				case 0x60:
					a = memory[k]!;
					at++;
					continue;
				case 0x02:
					memory[k] = a;
					at++;
					continue;
				case 0x07:
					x = a;
					at++;
					continue;
				case 0x87:
					a = x;
					at++;
					continue;
				case 0x54:
				case 0x5c:
					a = (a & operand) >>> 0;
					at++;
					continue;
				case 0x05:
					at += 1 + k;
					continue;
				case 0x15:
				case 0x1d:
					taken = a === operand;
					break;
				case 0x25:
				case 0x2d:
					taken = a > operand;
					break;
				case 0x35:
				case 0x3d:
					taken = a >= operand;
					break;
				case 0x45:
				case 0x4d:
					taken = (a & operand) !== 0;
					break;
				default:
					throw new Error(`instruction 0x${code.toString(16)} is none that seccomp takes`);
			}
			at += 1 + this.#jumps[at * 2 + (taken ? 0 : 1)]!;
		}
	}
}
