import {type Op, type OpSchema, opSchemas} from './ops.ts';
import {planVersion, type SectionKind, sectionKinds} from './sections.ts';

/** A plan: operations by section. A section that is absent is empty. */
export type Plan = {readonly [K in SectionKind]?: readonly Op[]};

type Value = number | bigint | string | Uint8Array | readonly (string | Uint8Array)[];

/** One buffer that grows: a plan has a thousand small parts. */
class Writer {
	#buffer = Buffer.allocUnsafe(16 << 10);
	length = 0;

	/** Makes room and returns where it begins. */
	#take(size: number): number {
		const at = this.length;
		this.length += size;
		if (this.length > this.#buffer.length) {
			const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.length));
			this.#buffer.copy(larger, 0, 0, at);
			this.#buffer = larger;
		}
		return at;
	}

	u16(value: number): void {
		const at = this.#take(2);
		this.#buffer.writeUInt16LE(value, at);
	}

	/** Returns its place, for `setU32`. */
	u32(value: number): number {
		const at = this.#take(4);
		this.#buffer.writeUInt32LE(value, at);
		return at;
	}

	setU32(at: number, value: number): void {
		this.#buffer.writeUInt32LE(value, at);
	}

	i64(value: number | bigint): void {
		const at = this.#take(8);
		this.#buffer.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)), at);
	}

	ascii(text: string): void {
		const at = this.#take(text.length);
		for (let index = 0; index < text.length; index++) this.#buffer[at + index] = text.charCodeAt(index);
	}

	/** Length, bytes and a NUL. */
	string(value: string | Uint8Array): void {
		const size = typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength;
		this.u32(size);
		const at = this.#take(size + 1);
		if (typeof value === 'string') this.#buffer.write(value, at);
		else this.#buffer.set(value, at);
		this.#buffer[at + size] = 0;
	}

	get bytes(): Buffer {
		return this.#buffer.subarray(0, this.length);
	}
}

function encodeOp(op: Op, out: Writer): void {
	const schema: OpSchema = opSchemas[op.op];
	out.u16(schema.code);
	out.u16(schema.args.length);
	const size = out.u32(0);
	const begin = out.length;
	for (const [name, kind] of schema.args) {
		const value = (op as unknown as Record<string, Value>)[name];
		if (value === undefined) throw new TypeError(`plan operation ${op.op} lacks ${name}`);
		out.ascii(kind);
		if (kind === 'i') out.i64(value as number | bigint);
		else if (kind === 's') out.string(value as string | Uint8Array);
		else {
			const list = value as readonly (string | Uint8Array)[];
			out.u32(list.length);
			for (const item of list) out.string(item);
		}
	}
	out.setU32(size, out.length - begin);
}

/** Encodes a plan in the format that sections.ts describes. */
export function encodePlan(plan: Plan): Buffer {
	const kinds = (Object.keys(sectionKinds) as SectionKind[]).filter((kind) => plan[kind]?.length);
	const out = new Writer();
	out.ascii('WPLN');
	out.u32(planVersion);
	out.u32(kinds.length);
	for (const kind of kinds) {
		const ops = plan[kind]!;
		out.u32(sectionKinds[kind]);
		const size = out.u32(0);
		const begin = out.length;
		out.u32(ops.length);
		for (const op of ops) encodeOp(op, out);
		out.setU32(size, out.length - begin);
	}
	return out.bytes;
}
