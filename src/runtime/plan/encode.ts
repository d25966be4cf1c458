import {type Op, type OpSchema, opSchemas} from './ops.ts';
import {planVersion, type SectionKind, sectionKinds} from './sections.ts';

/** A plan: operations by section. A section that is absent is empty. */
export type Plan = {readonly [K in SectionKind]?: readonly Op[]};

type Value = number | bigint | string | Uint8Array | readonly (string | Uint8Array)[];

/** A buffer that grows: a plan with a thousand published ports is tens of thousands of small pieces. */
class Writer {
	#buffer = Buffer.allocUnsafe(16 << 10);
	#length = 0;

	get length(): number {
		return this.#length;
	}

	/** Room for so many bytes; where they begin. */
	#take(count: number): number {
		const at = this.#length;
		this.#length += count;
		if (this.#length > this.#buffer.length) {
			const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length));
			this.#buffer.copy(larger, 0, 0, at);
			this.#buffer = larger;
		}
		return at;
	}

	u16(value: number): void {
		const at = this.#take(2);
		this.#buffer.writeUInt16LE(value, at);
	}

	/** Gives its place, for `patch`. */
	u32(value: number): number {
		const at = this.#take(4);
		this.#buffer.writeUInt32LE(value, at);
		return at;
	}

	i64(value: bigint): void {
		const at = this.#take(8);
		this.#buffer.writeBigInt64LE(value, at);
	}

	/** Length, bytes, NUL. */
	string(value: string | Uint8Array): void {
		const length = typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength;
		this.u32(length);
		const at = this.#take(length + 1);
		if (typeof value === 'string') this.#buffer.write(value, at);
		else this.#buffer.set(value, at);
		this.#buffer[at + length] = 0;
	}

	bytes(value: string): void {
		const at = this.#take(value.length);
		this.#buffer.write(value, at, 'latin1');
	}

	/** Puts the count of the bytes that have come since at an earlier place. */
	patch(at: number): void {
		this.#buffer.writeUInt32LE(this.#length - at - 4, at);
	}

	finish(): Buffer {
		return Buffer.from(this.#buffer.subarray(0, this.#length));
	}
}

function encodeOp(op: Op, out: Writer): void {
	const schema: OpSchema = opSchemas[op.op];
	out.u16(schema.code);
	out.u16(schema.args.length);
	const size = out.u32(0);
	for (const [name, kind] of schema.args) {
		const value = (op as unknown as Record<string, Value>)[name];
		if (value === undefined) throw new TypeError(`plan operation ${op.op} lacks ${name}`);
		out.bytes(kind);
		if (kind === 'i') out.i64(BigInt.asIntN(64, BigInt(value as number | bigint)));
		else if (kind === 's') out.string(value as string);
		else {
			const list = value as readonly string[];
			out.u32(list.length);
			for (const item of list) out.string(item);
		}
	}
	out.patch(size);
}

/** Encodes a plan in the format that sections.ts describes. */
export function encodePlan(plan: Plan): Buffer {
	const out = new Writer();
	const kinds = (Object.keys(sectionKinds) as SectionKind[]).filter((kind) => plan[kind]?.length);
	out.bytes('WPLN');
	out.u32(planVersion);
	out.u32(kinds.length);
	for (const kind of kinds) {
		const ops = plan[kind]!;
		out.u32(sectionKinds[kind]);
		const size = out.u32(0);
		out.u32(ops.length);
		for (const op of ops) encodeOp(op, out);
		out.patch(size);
	}
	return out.finish();
}
