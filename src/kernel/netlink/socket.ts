/** Sends messages to the kernel and turns its errors into readable ones. */
import {getSystemErrorMessage, getSystemErrorName} from 'node:util';
import {native} from '../native.ts';
import {first, parseAttributes, textOf} from './attributes.ts';
import {encodeBatch, flag, type Message, messageType, parseReplies, type Reply} from './message.ts';

/** The kernel refuses a message: `code` and `errno` as Node's system errors have them, `index` in the batch. */
export class NetlinkError extends Error {
	override readonly name = 'NetlinkError';
	readonly code: string;
	/** Positive. */
	readonly errno: number;
	readonly index: number;
	/** The kernel's own words (NLMSGERR_ATTR_MSG), or empty. */
	readonly detail: string;

	constructor(errno: number, index: number, detail: string) {
		const code = getSystemErrorName(-errno);
		super(`${code}: ${detail || getSystemErrorMessage(-errno)}, netlink message ${index}`);
		this.code = code;
		this.errno = errno;
		this.index = index;
		this.detail = detail;
	}
}

/** NLM_F_CAPPED: the request is not repeated after the error; NLM_F_ACK_TLVS: attributes follow. */
const capped = 0x100;
const withAttributes = 0x200;
const attributeMessage = 1;

function errorOf(reply: Reply): NetlinkError | undefined {
	if (reply.type !== messageType.error || reply.body.length < 20) return undefined;
	const errno = -reply.body.readInt32LE(0);
	if (errno === 0) return undefined;
	let detail = '';
	if (reply.flags & withAttributes) {
		const request = reply.flags & capped ? 16 : (reply.body.readUInt32LE(4) + 3) & ~3;
		detail = textOf(first(parseAttributes(reply.body.subarray(4 + request)), attributeMessage)) ?? '';
	}
	return new NetlinkError(errno, reply.sequence, detail);
}

export interface ExchangeOptions {
	/** A descriptor of the network namespace to do it in. */
	namespaceFd?: number;
	/** Errors that are fine, for each message or for all: `['EEXIST']`. */
	tolerate?: readonly string[];
}

/** Throws NetlinkError for the first message that the kernel refuses; the answers are without acks. */
export async function exchange(
	protocol: number,
	messages: readonly Message[],
	options: ExchangeOptions = {},
): Promise<Reply[]> {
	if (messages.length === 0) return [];
	const replies = parseReplies(await native.netlink(protocol, encodeBatch(messages), options.namespaceFd));
	const answers: Reply[] = [];
	for (const reply of replies) {
		const error = errorOf(reply);
		if (error && !options.tolerate?.includes(error.code)) throw error;
		if (reply.type > messageType.done) answers.push(reply);
	}
	const acked = new Set(replies.map((reply) => reply.sequence));
	const silent = messages.findIndex((message, index) => message.flags & flag.ack && !acked.has(index));
	// No acks at all, not even a refusal, means that the kernel has not seen the batch.
	if (silent >= 0 && replies.length === 0) throw new NetlinkError(5, silent, 'the kernel did not answer');
	return answers;
}
