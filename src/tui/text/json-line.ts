/** A line of a program that logs JSON, as a person reads it. Pure. */

const LEVELS = ['level', 'lvl', 'severity', 'loglevel'];
const MESSAGES = ['msg', 'message', 'event', 'text'];
const TIMES = ['time', 'ts', 'timestamp', '@timestamp', 't'];

/** pino's and bunyan's numbers. */
const NUMBERS: Record<number, string> = {
	10: 'TRACE',
	20: 'DEBUG',
	30: 'INFO',
	40: 'WARN',
	50: 'ERROR',
	60: 'FATAL',
};

function text(value: unknown): string {
	if (typeof value === 'string') return /[\s="]/.test(value) ? JSON.stringify(value) : value;
	return JSON.stringify(value) ?? '';
}

/** `ERROR cannot connect host=db port=5432`; what isn't an object stays as it is. */
export function readableJson(line: string): string {
	const start = line.trimStart();
	if (!start.startsWith('{')) return line;
	let fields: Record<string, unknown>;
	try {
		fields = JSON.parse(start) as Record<string, unknown>;
	} catch {
		return line;
	}
	const first = (names: readonly string[]): string | undefined => names.find((name) => name in fields);
	const level = first(LEVELS);
	const message = first(MESSAGES);
	const time = first(TIMES);
	const value = level === undefined ? undefined : fields[level];
	const rest = Object.entries(fields).filter(([name]) => name !== level && name !== message && name !== time);
	return [
		...(value === undefined ? [] : [(NUMBERS[Number(value)] ?? String(value)).toUpperCase().padEnd(5)]),
		...(message === undefined
			? []
			: [typeof fields[message] === 'string' ? fields[message] : text(fields[message])]),
		...rest.map(([name, one]) => `${name}=${text(one)}`),
	].join(' ');
}
