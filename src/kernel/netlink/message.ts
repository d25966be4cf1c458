/** Netlink messages (linux/netlink.h, struct nlmsghdr): u32 length, u16 type, u16 flags, u32 sequence, u32 port. */
export const protocol = {route: 0, netfilter: 12} as const;

export const flag = {
	request: 1,
	multi: 2,
	ack: 4,
	dump: 0x300,
	replace: 0x100,
	exclusive: 0x200,
	create: 0x400,
	append: 0x800,
} as const;

export const messageType = {noop: 1, error: 2, done: 3} as const;

export interface Message {
	readonly type: number;
	readonly flags: number;
	readonly body: Buffer;
}

const align = (length: number): number => (length + 3) & ~3;

export function message(type: number, flags: number, ...body: readonly Uint8Array[]): Message {
	return {type, flags, body: Buffer.concat(body)};
}

/** Messages one after the other; the sequence number is the index, so that an ack names its message. */
export function encodeBatch(messages: readonly Message[]): Buffer {
	const parts = messages.map((item, index) => {
		const out = Buffer.alloc(align(16 + item.body.length));
		out.writeUInt32LE(16 + item.body.length, 0);
		out.writeUInt16LE(item.type, 4);
		out.writeUInt16LE(item.flags, 6);
		out.writeUInt32LE(index, 8);
		item.body.copy(out, 16);
		return out;
	});
	return Buffer.concat(parts);
}

export interface Reply extends Message {
	readonly sequence: number;
}

export function parseReplies(data: Buffer): Reply[] {
	const replies: Reply[] = [];
	let at = 0;
	while (at + 16 <= data.length) {
		const length = data.readUInt32LE(at);
		if (length < 16 || at + length > data.length) break;
		replies.push({
			type: data.readUInt16LE(at + 4),
			flags: data.readUInt16LE(at + 6),
			sequence: data.readUInt32LE(at + 8),
			body: data.subarray(at + 16, at + length),
		});
		at += align(length);
	}
	return replies;
}
