/** Log lines as the text that `logs` prints: natively where the monitor has written them, which is nearly always. */
import {native} from '../../kernel/native.ts';
import type {LogEntry, LogText} from '../api.ts';
import {parseLines} from './log-lines.ts';

/** Text with the bytes that its lone surrogates stand for (see LogEntry). */
export function withBytes(text: string): Uint8Array {
	if (text.isWellFormed()) return Buffer.from(text);
	return Buffer.concat(
		text
			.split(/([\udc80-\udcff]+)/u)
			.map((part) => Buffer.from(part, /^[\udc80-\udcff]/u.test(part) ? 'latin1' : 'utf8')),
	);
}

/** Runs of entries of the same stream, `head` before each of them. */
export function joinEntries(entries: readonly LogEntry[], head: (entry: LogEntry) => string): LogText[] {
	const texts: LogText[] = [];
	for (let at = 0; at < entries.length; ) {
		const {stream} = entries[at]!;
		let text = '';
		for (; entries[at]?.stream === stream; at++) text += head(entries[at]!) + entries[at]!.line;
		texts.push({stream, data: withBytes(text)});
	}
	return texts;
}

/** The result is valid until the next call. */
export function textDecoder(timestamps: boolean): (lines: Buffer) => LogText[] {
	let out = Buffer.alloc(0);
	const head = timestamps ? (entry: LogEntry) => `${entry.time} ` : () => '';
	return (lines) => {
		if (out.length < lines.length) out = Buffer.allocUnsafe(lines.length);
		const texts: LogText[] = [];
		const [read = 0, ...ends] = native.formatLog(lines, out, timestamps);
		let from = 0;
		for (const [run, end] of ends.entries()) {
			if (end > from)
				texts.push({stream: run % 2 === 0 ? 'stdout' : 'stderr', data: out.subarray(from, end)});
			from = end;
		}
		if (read < lines.length) texts.push(...joinEntries(parseLines(lines.toString('utf8', read)), head));
		return texts;
	};
}
