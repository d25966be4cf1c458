/**
 * Netlink attributes (linux/netlink.h, struct nlattr): u16 length, u16 type, payload, padded to 4 bytes.
 * rtnetlink numbers are in host order (little-endian on what we run on), nf_tables numbers in network order.
 */
export const nested = 0x8000;
const align = (length: number): number => (length + 3) & ~3;

export function attribute(type: number, payload: Uint8Array): Buffer {
	const out = Buffer.alloc(align(4 + payload.length));
	out.writeUInt16LE(4 + payload.length, 0);
	out.writeUInt16LE(type, 2);
	out.set(payload, 4);
	return out;
}

export const nest = (type: number, ...children: readonly Uint8Array[]): Buffer =>
	attribute(type | nested, Buffer.concat(children));
export const empty = (type: number): Buffer => attribute(type, Buffer.alloc(0));
/** With the trailing NUL that the kernel wants of names. */
export const text = (type: number, value: string): Buffer => attribute(type, Buffer.from(`${value}\0`));
export const u8 = (type: number, value: number): Buffer => attribute(type, Buffer.of(value));

export function u16(type: number, value: number): Buffer {
	const out = Buffer.alloc(2);
	out.writeUInt16LE(value);
	return attribute(type, out);
}

export function u32(type: number, value: number): Buffer {
	const out = Buffer.alloc(4);
	out.writeUInt32LE(value >>> 0);
	return attribute(type, out);
}

export function be32(type: number, value: number): Buffer {
	const out = Buffer.alloc(4);
	out.writeUInt32BE(value >>> 0);
	return attribute(type, out);
}

export function be64(type: number, value: bigint): Buffer {
	const out = Buffer.alloc(8);
	out.writeBigUInt64BE(value);
	return attribute(type, out);
}

/** Attributes by type, without their flags. A type that repeats keeps all of its payloads. */
export type Attributes = ReadonlyMap<number, readonly Buffer[]>;

/** Reads attributes; stops at the first that doesn't fit, as nothing after it can be trusted. */
export function parseAttributes(data: Buffer): Attributes {
	const found = new Map<number, Buffer[]>();
	let at = 0;
	while (at + 4 <= data.length) {
		const length = data.readUInt16LE(at);
		const type = data.readUInt16LE(at + 2) & 0x3fff;
		if (length < 4 || at + length > data.length) break;
		const payload = data.subarray(at + 4, at + length);
		const list = found.get(type);
		if (list) list.push(payload);
		else found.set(type, [payload]);
		at += align(length);
	}
	return found;
}

export const first = (attributes: Attributes, type: number): Buffer | undefined => attributes.get(type)?.[0];

/** A string attribute up to its NUL. */
export function textOf(payload: Buffer | undefined): string | undefined {
	if (!payload) return undefined;
	const end = payload.indexOf(0);
	return payload.toString('utf8', 0, end < 0 ? payload.length : end);
}
