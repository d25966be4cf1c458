import {DockerfileError} from './parser.ts';

const units: Readonly<Record<string, number>> = {
	ns: 1,
	us: 1e3,
	µs: 1e3,
	μs: 1e3,
	ms: 1e6,
	s: 1e9,
	m: 60e9,
	h: 3600e9,
};

/** Go's duration in nanoseconds, as HEALTHCHECK takes it: 0, or a millisecond and more. */
export function durationOf(text: string, flag: string, line: number): number {
	const fail = (reason: string) => new DockerfileError(reason, line);
	if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text) && text !== '0') {
		throw fail(`time: invalid duration ${JSON.stringify(text)}`);
	}
	let total = 0;
	for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)/g))
		total += Number(number) * units[unit!]!;
	if (total !== 0 && total < 1e6) throw fail(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`);
	return Math.round(total);
}
