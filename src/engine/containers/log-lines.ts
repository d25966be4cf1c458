/** Lines of a json-file log to entries. Pure, and fast for lines as the monitor writes them. */
import type {LogEntry} from '../api.ts';

const head = '{"log":"';
const streamKey = '","stream":"';
const timeKey = '","time":"';
const filler = ' '.repeat(11);

function parseSlowly(line: string): LogEntry | undefined {
	try {
		const value = JSON.parse(line) as {log?: unknown; stream?: unknown; time?: unknown; attrs?: unknown};
		if (typeof value.log !== 'string' || typeof value.time !== 'string') return undefined;
		const stream = value.stream === 'stderr' ? 'stderr' : 'stdout';
		const attrs = typeof value.attrs === 'object' && value.attrs !== null ? Object.entries(value.attrs) : [];
		return {
			stream,
			time: value.time,
			line: value.log,
			...(attrs.length > 0
				? {attrs: Object.fromEntries(attrs.map(([key, text]) => [key, String(text)]))}
				: {}),
		};
	} catch {
		return undefined;
	}
}

/** The entry of text[from, to), a line without its newline; undefined when it is none. */
function parseLine(text: string, from: number, to: number): LogEntry | undefined {
	// {"log":"text\n","stream":"stdout","time":"..."}: the last two values have no quotes in them.
	const time = text.lastIndexOf(timeKey, to);
	const stream = text.lastIndexOf(streamKey, time);
	const start = from + head.length;
	if (!text.startsWith(head, from) || stream < start || !text.startsWith('"}', to - 2)) {
		return parseSlowly(text.slice(from, to));
	}
	const name = text.slice(stream + streamKey.length, time);
	if (name !== 'stdout' && name !== 'stderr') return parseSlowly(text.slice(from, to));
	const stamp = text.slice(time + timeKey.length, to - 2);
	const backslash = text.indexOf('\\', start);
	// Most lines have one escape, the newline at the end.
	if (backslash === stream - 2 && text.charCodeAt(stream - 1) === 110) {
		return {stream: name, time: stamp, line: `${text.slice(start, backslash)}\n`};
	}
	if (backslash < 0 || backslash >= stream)
		return {stream: name, time: stamp, line: text.slice(start, stream)};
	try {
		// V8 keeps strings of up to ten characters from JSON in a table, where a container could make them collide.
		const line = JSON.parse(`"${filler}${text.slice(start, stream + 1)}`) as string;
		return {stream: name, time: stamp, line: line.slice(filler.length)};
	} catch {
		return parseSlowly(text.slice(from, to));
	}
}

/** Entries of whole lines; what can't be read is left out. */
export function parseLines(text: string): LogEntry[] {
	const entries: LogEntry[] = [];
	let from = 0;
	for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
		const entry = to > from ? parseLine(text, from, to) : undefined;
		if (entry) entries.push(entry);
		from = to + 1;
	}
	return entries;
}
