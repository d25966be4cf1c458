import type {LogEntry} from '../../engine/api.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {parseTimestamp} from '../format/time.ts';
import {writeErr, writeOut} from '../output.ts';

/** Go's url.QueryEscape. */
const queryEscape = (text: string): string =>
	encodeURIComponent(text.toWellFormed())
		.replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
		.replaceAll('%20', '+');

/** `a=b,c=d`, sorted by name. */
function details({attrs}: LogEntry): string {
	if (!attrs) return '';
	return Object.keys(attrs)
		.sort()
		.map((key) => `${queryEscape(key)}=${queryEscape(attrs[key]!)}`)
		.join(',');
}

/** The text with the bytes that its lone surrogates stand for (see LogEntry). */
function withBytes(text: string): string | Buffer {
	if (text.isWellFormed()) return text;
	const parts: Buffer[] = [];
	for (const part of text.split(/([\udc80-\udcff]+)/u)) {
		parts.push(/^[\udc80-\udcff]/u.test(part) ? Buffer.from(part, 'latin1') : Buffer.from(part));
	}
	return Buffer.concat(parts);
}

export const logs: CommandAction = async ({flags, args}, open) => {
	const time = (name: string): bigint | undefined => {
		const text = flags.string(name);
		if (text === '') return undefined;
		try {
			return parseTimestamp(text);
		} catch {
			throw new CliError(
				`invalid value for "${name}": failed to parse value as time or duration: ${JSON.stringify(text)}`,
			);
		}
	};
	const since = time('since');
	const until = time('until') || undefined;
	const tail = flags.string('tail');
	// docker takes anything that isn't a number as `all`.
	const lines = /^\+?\d+$/.test(tail) ? Number(tail) : undefined;
	const timestamps = flags.bool('timestamps');
	const detailed = flags.bool('details');
	const engine = await open();
	for await (const batch of engine.containers.logs(args[0]!, {
		follow: flags.bool('follow'),
		stdout: true,
		stderr: true,
		...(lines === undefined ? {} : {tail: lines}),
		...(since === undefined ? {} : {since}),
		...(until === undefined ? {} : {until}),
	})) {
		// One write for each run of lines of the same stream.
		let stream = batch[0]?.stream;
		let text = '';
		for (const entry of batch) {
			if (entry.stream !== stream) {
				(stream === 'stderr' ? writeErr : writeOut)(withBytes(text));
				text = '';
				stream = entry.stream;
			}
			if (timestamps) text += `${entry.time} `;
			if (detailed) text += `${details(entry)} `;
			text += entry.line;
		}
		if (text !== '') (stream === 'stderr' ? writeErr : writeOut)(withBytes(text));
	}
	return 0;
};
