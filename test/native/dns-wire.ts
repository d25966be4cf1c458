/** DNS messages of the tests: written and read by hand, so that wrong ones can be made, too. */
import type {NetworkNamespace} from './network-namespace.ts';

export const dnsType = {a: 1, ns: 2, ptr: 12, mx: 15, txt: 16, aaaa: 28, opt: 41, any: 255} as const;
export const code = {ok: 0, format: 1, failure: 2, noName: 3, notImplemented: 4, refused: 5} as const;

export function encodeName(name: string): Buffer {
	const labels = name === '' ? [] : name.split('.');
	const parts = labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label, 'latin1')]);
	return Buffer.concat([...parts, Buffer.of(0)]);
}

function words(...values: number[]): Buffer {
	const out = Buffer.alloc(values.length * 2);
	for (const [index, value] of values.entries()) out.writeUInt16BE(value, index * 2);
	return out;
}

export interface QueryOptions {
	id?: number;
	flags?: number;
	klass?: number;
	/** The size that EDNS tells. */
	edns?: number;
}

export function query(name: string, type: number = dnsType.a, options: QueryOptions = {}): Buffer {
	const {id = 0x1234, flags = 0x0100, klass = 1, edns} = options;
	const head = words(id, flags, 1, 0, 0, edns === undefined ? 0 : 1);
	const opt = edns === undefined ? [] : [Buffer.of(0), words(dnsType.opt, edns, 0, 0, 0)];
	return Buffer.concat([head, encodeName(name), words(type, klass), ...opt]);
}

export interface Answer {
	id: number;
	code: number;
	truncated: boolean;
	recursion: boolean;
	name: string;
	/** Addresses, or the rest as it is, with the time to live. */
	records: {name: string; type: number; ttl: number; data: string}[];
	edns: boolean;
	length: number;
}

function readName(message: Buffer, start: number): {name: string; end: number} {
	const labels: string[] = [];
	let at = start;
	let end = 0;
	for (;;) {
		const length = message[at]!;
		if (length >= 0xc0) {
			end ||= at + 2;
			at = message.readUInt16BE(at) & 0x3fff;
			continue;
		}
		at++;
		if (length === 0) break;
		labels.push(message.toString('latin1', at, at + length));
		at += length;
	}
	return {name: labels.join('.'), end: end || at};
}

export function readAnswer(message: Buffer): Answer {
	const flags = message.readUInt16BE(2);
	const [questions, answers, authority, additional] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at));
	const found: Answer = {
		id: message.readUInt16BE(0),
		code: flags & 15,
		truncated: (flags & 0x200) !== 0,
		recursion: (flags & 0x80) !== 0,
		name: '',
		records: [],
		edns: false,
		length: message.length,
	};
	let at = 12;
	if (questions) {
		const question = readName(message, at);
		found.name = question.name;
		at = question.end + 4;
	}
	for (let index = 0; index < answers! + authority! + additional!; index++) {
		const {name, end} = readName(message, at);
		const type = message.readUInt16BE(end);
		const length = message.readUInt16BE(end + 8);
		const data = message.subarray(end + 10, end + 10 + length);
		if (data.length !== length) throw new Error('the message is cut short');
		at = end + 10 + length;
		if (type === dnsType.opt) {
			found.edns = true;
			continue;
		}
		let text = data.toString('hex');
		if (type === dnsType.a) text = [...data].join('.');
		if (type === dnsType.aaaa) text = data.toString('hex').replaceAll(/(....)(?=.)/g, '$1:');
		if (type === dnsType.ptr) text = readName(message, end + 10).name;
		found.records.push({name, type, ttl: message.readUInt32BE(end + 4), data: text});
	}
	if (at !== message.length) throw new Error('the message has more than its records');
	return found;
}

/** Sends messages to 127.0.0.11:53, all at once, and gives what came back for each, undefined after `wait` ms. */
export async function exchange(
	from: NetworkNamespace,
	messages: readonly Buffer[],
	options: {tcp?: boolean; wait?: number; server?: string} = {},
): Promise<(Buffer | undefined)[]> {
	const {tcp = false, wait = 15_000, server = '127.0.0.11'} = options;
	const script = `
import {createSocket} from 'node:dgram';
import {connect} from 'node:net';
const {messages, tcp, wait, server} = JSON.parse(await new Promise((resolve) => {
	let text = '';
	process.stdin.on('data', (chunk) => { text += chunk; }).on('end', () => resolve(text));
}));
const ask = (hex) => new Promise((resolve) => {
	const message = Buffer.from(hex, 'hex');
	const timer = setTimeout(() => { done(''); }, wait);
	let socket;
	const done = (answer) => { clearTimeout(timer); tcp ? socket.destroy() : socket.close(); resolve(answer); };
	if (tcp) {
		let got = Buffer.alloc(0);
		const head = Buffer.alloc(2);
		head.writeUInt16BE(message.length);
		socket = connect(53, server, () => socket.write(Buffer.concat([head, message])));
		socket.on('data', (data) => {
			got = Buffer.concat([got, data]);
			if (got.length >= 2 && got.length >= 2 + got.readUInt16BE()) done(got.subarray(2).toString('hex'));
		}).on('error', () => done('')).on('end', () => done(''));
	} else {
		socket = createSocket('udp4');
		socket.on('message', (data, from) => {
			if (from.address === server && from.port === 53) done(data.toString('hex'));
		});
		socket.send(message, 53, server);
	}
});
console.log(JSON.stringify(await Promise.all(messages.map(ask))));`;
	const input = {messages: messages.map((message) => message.toString('hex')), tcp, wait, server};
	const answers = JSON.parse(await from.node(script, {input: JSON.stringify(input)})) as string[];
	return answers.map((hex) => (hex === '' ? undefined : Buffer.from(hex, 'hex')));
}

export async function ask(
	from: NetworkNamespace,
	messages: readonly Buffer[],
	options?: Parameters<typeof exchange>[2],
): Promise<(Answer | undefined)[]> {
	return (await exchange(from, messages, options)).map((message) => message && readAnswer(message));
}
