import {type Answer, type Difference, lineOf, type Pair} from './table.ts';

const matches = (wanted: string | RegExp, text: string): boolean =>
	typeof wanted === 'string' ? wanted === text : wanted.test(text);

/** What of wherry's answer is not as it shall be; empty when all is well. Both answers are masked. */
export function faults(pair: Pair, docker: Answer, wherry: Answer): string[] {
	const known: Partial<Difference> = typeof pair === 'string' ? {} : pair;
	const wanted = {
		code: known.code ?? docker.code,
		stdout: known.stdout ?? docker.stdout,
		stderr: known.anyError ? /(?:)/ : (known.stderr ?? docker.stderr),
	};
	const found: string[] = [];
	if (wherry.code !== wanted.code) found.push(`exit code: wanted ${wanted.code}, is ${wherry.code}`);
	for (const part of ['stdout', 'stderr'] as const) {
		if (!matches(wanted[part], wherry[part]))
			found.push(`${part}:\n${difference(wanted[part], wherry[part])}`);
	}
	return found;
}

/** A difference in the table that isn't there any more has to go. */
export function outdated(pair: Pair, docker: Answer, wherry: Answer): boolean {
	return typeof pair !== 'string' && faults(lineOf(pair), docker, wherry).length === 0;
}

function difference(wanted: string | RegExp, is: string): string {
	if (typeof wanted !== 'string') return `  wanted ${wanted}\n${mark('+', is)}`;
	const [a, b] = [wanted.split('\n'), is.split('\n')];
	let start = 0;
	while (start < a.length && start < b.length && a[start] === b[start]) start++;
	let end = 0;
	while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
	const part = (lines: string[]): string => lines.slice(start, lines.length - end).join('\n');
	return `${start > 0 ? `  ... ${start} equal lines\n` : ''}${mark('-', part(a))}\n${mark('+', part(b))}`;
}

const mark = (sign: string, text: string): string => text.replace(/^/gm, `  ${sign} `);
