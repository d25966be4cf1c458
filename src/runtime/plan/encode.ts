import {type Op, type OpSchema, opSchemas} from './ops.ts';
import {planVersion, type SectionKind, sectionKinds} from './sections.ts';

/** A plan: operations by section. A section that is absent is empty. */
export type Plan = {readonly [K in SectionKind]?: readonly Op[]};

type Value = number | bigint | string | Uint8Array | readonly (string | Uint8Array)[];

function bytes(value: string | Uint8Array): Buffer {
	return typeof value === 'string'
		? Buffer.from(value)
		: Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function u32(value: number): Buffer {
	const out = Buffer.allocUnsafe(4);
	out.writeUInt32LE(value);
	return out;
}

function encodeString(value: string | Uint8Array, out: Buffer[]): void {
	const data = bytes(value);
	out.push(u32(data.length), data, Buffer.of(0));
}

function encodeOp(op: Op, out: Buffer[]): void {
	const schema: OpSchema = opSchemas[op.op];
	const args: Buffer[] = [];
	for (const [name, kind] of schema.args) {
		const value = (op as unknown as Record<string, Value>)[name];
		if (value === undefined) throw new TypeError(`plan operation ${op.op} lacks ${name}`);
		args.push(Buffer.from(kind));
		if (kind === 'i') {
			const number = Buffer.allocUnsafe(8);
			number.writeBigInt64LE(BigInt.asIntN(64, BigInt(value as number | bigint)));
			args.push(number);
		} else if (kind === 's') {
			encodeString(value as string, args);
		} else {
			const list = value as readonly string[];
			args.push(u32(list.length));
			for (const item of list) encodeString(item, args);
		}
	}
	const head = Buffer.allocUnsafe(8);
	head.writeUInt16LE(schema.code, 0);
	head.writeUInt16LE(schema.args.length, 2);
	head.writeUInt32LE(
		args.reduce((sum, part) => sum + part.length, 0),
		4,
	);
	out.push(head, ...args);
}

/** Encodes a plan in the format that sections.ts describes. */
export function encodePlan(plan: Plan): Buffer {
	const parts: Buffer[] = [];
	const kinds = (Object.keys(sectionKinds) as SectionKind[]).filter((kind) => plan[kind]?.length);
	const head = Buffer.alloc(12);
	head.write('WPLN');
	head.writeUInt32LE(planVersion, 4);
	head.writeUInt32LE(kinds.length, 8);
	parts.push(head);
	for (const kind of kinds) {
		const ops = plan[kind]!;
		const body: Buffer[] = [u32(ops.length)];
		for (const op of ops) encodeOp(op, body);
		parts.push(u32(sectionKinds[kind]), u32(body.reduce((sum, part) => sum + part.length, 0)), ...body);
	}
	return Buffer.concat(parts);
}
