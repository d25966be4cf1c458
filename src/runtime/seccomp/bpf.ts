/**
 * Classic BPF as seccomp uses it (linux/bpf_common.h, linux/seccomp.h). An instruction is struct
 * sock_filter: u16 code, u8 jump if true, u8 jump if false, u32 k, little-endian.
 */
export const bpf = {
	/** A = the 32-bit word of struct seccomp_data at offset k. */
	load: 0x20,
	/** A &= k. */
	and: 0x54,
	/** Skips k instructions. */
	jump: 0x05,
	equal: 0x15,
	greater: 0x25,
	greaterOrEqual: 0x35,
	return: 0x06,
} as const;

/** Offsets in struct seccomp_data; arguments are 64-bit, low half first on these little-endian machines. */
export const seccompData = {
	number: 0,
	architecture: 4,
	argumentLow: (index: number) => 16 + 8 * index,
	argumentHigh: (index: number) => 20 + 8 * index,
} as const;

/** BPF_MAXINSNS: the kernel takes no longer program. */
export const maxInstructions = 4096;

/** A place in the program, counted from its end. */
export type Label = number;

interface Instruction {
	code: number;
	whenTrue: number;
	whenFalse: number;
	k: number;
}

/**
 * Assembles from the last instruction to the first: jumps only go forward, so every target exists when a
 * jump to it is made and its distance is known. Conditional jumps reach 255 instructions; farther targets
 * get a relay right behind the jump, which is a copy where the target is a return.
 */
export class Assembler {
	readonly #code: Instruction[] = [];
	readonly #returns = new Map<number, Label>();

	/** The nearest `return value`, made when there is none yet. */
	return(value: number): Label {
		return this.#returns.get(value) ?? this.#newReturn(value);
	}

	/** Loads a word and goes on at `next`. */
	load(offset: number, next: Label): Label {
		this.#fallInto(next);
		return this.#push({code: bpf.load, whenTrue: 0, whenFalse: 0, k: offset});
	}

	/** Masks the loaded word and goes on at `next`. */
	and(mask: number, next: Label): Label {
		this.#fallInto(next);
		return this.#push({code: bpf.and, whenTrue: 0, whenFalse: 0, k: mask});
	}

	branch(
		code: typeof bpf.equal | typeof bpf.greater | typeof bpf.greaterOrEqual,
		k: number,
		yes: Label,
		no: Label,
	): Label {
		if (yes === no) return yes;
		let whenTrue = yes;
		let whenFalse = no;
		// A relay for one side moves the other one away by an instruction, so both are looked at again.
		for (;;) {
			if (this.#distance(whenTrue) > 255) whenTrue = this.#relay(whenTrue);
			else if (this.#distance(whenFalse) > 255) whenFalse = this.#relay(whenFalse);
			else break;
		}
		return this.#push({code, k, whenTrue: this.#distance(whenTrue), whenFalse: this.#distance(whenFalse)});
	}

	/** The program, entered at its first instruction, which must be the last one made. */
	finish(entry: Label): Buffer {
		this.#fallInto(entry);
		const count = this.#code.length;
		if (count > maxInstructions) {
			throw new RangeError(
				`the seccomp filter needs ${count} instructions, the kernel takes ${maxInstructions}`,
			);
		}
		// Both architectures are little-endian, as this array then is.
		const words = new Uint32Array(count * 2);
		for (let index = 0; index < count; index++) {
			const {code, whenTrue, whenFalse, k} = this.#code[count - 1 - index]!;
			words[index * 2] = code | (whenTrue << 16) | (whenFalse << 24);
			words[index * 2 + 1] = k;
		}
		return Buffer.from(words.buffer);
	}

	#push(instruction: Instruction): Label {
		this.#code.push(instruction);
		return this.#code.length - 1;
	}

	/** How many instructions a jump made now skips to reach the target. */
	#distance(target: Label): number {
		return this.#code.length - target - 1;
	}

	#fallInto(next: Label): void {
		if (this.#distance(next) > 0) this.#relay(next);
	}

	#relay(target: Label): Label {
		const {code, k} = this.#code[target]!;
		if (code === bpf.return) return this.#newReturn(k);
		return this.#push({code: bpf.jump, whenTrue: 0, whenFalse: 0, k: this.#distance(target)});
	}

	#newReturn(value: number): Label {
		const label = this.#push({code: bpf.return, whenTrue: 0, whenFalse: 0, k: value});
		this.#returns.set(value, label);
		return label;
	}
}
