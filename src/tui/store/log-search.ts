/** Where in a log what is searched for is found. Lines are looked at once, as they come. */
import {sanitizeLogLine} from '../text/sanitize.ts';
import type {LogBuffer} from './log-buffer.ts';
import type {LogState} from './state.ts';

export type Matcher = (text: string) => readonly (readonly [start: number, end: number])[];

const NONE: Matcher = () => [];
/** Matches of one line that are marked. */
const MOST = 100;

/**
 * Part of the text whatever the case, with an upper-case letter exactly; `re:` a regular expression, where the same
 * holds. Undefined for one that is none.
 */
export function logMatcher(search: string): Matcher | undefined {
	const regular = search.startsWith('re:');
	const pattern = regular ? search.slice(3) : search.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
	if (pattern === '') return NONE;
	try {
		const expression = new RegExp(pattern, /\p{Lu}/u.test(pattern) ? 'gu' : 'giu');
		return (text) =>
			[...text.matchAll(expression)]
				.slice(0, MOST)
				.filter(([found]) => found !== '')
				.map((match) => [match.index, match.index + match[0].length] as const);
	} catch {
		return undefined;
	}
}

class Matches {
	readonly buffer: LogBuffer;
	readonly search: string;
	readonly matcher: Matcher | undefined;
	#numbers: number[] = [];
	/** The next line to look at. */
	#next = 0;

	constructor(buffer: LogBuffer, search: string) {
		this.buffer = buffer;
		this.search = search;
		this.matcher = logMatcher(search);
	}

	/** Numbers of the lines that match and are still there. */
	get numbers(): readonly number[] {
		const {buffer, matcher} = this;
		if (!matcher) return [];
		// The last line may have grown since.
		const from = Math.max(buffer.first, this.#next - 1);
		while (this.#numbers.length > 0 && this.#numbers.at(-1)! >= from) this.#numbers.pop();
		for (let number = from; number < buffer.total; number++) {
			const line = buffer.at(number)!;
			if (!line.mark && matcher(sanitizeLogLine(line.text)).length > 0) this.#numbers.push(number);
		}
		this.#next = buffer.total;
		const gone = this.#numbers.findIndex((number) => number >= buffer.first);
		if (gone > 0) this.#numbers.splice(0, gone);
		else if (gone < 0) this.#numbers = [];
		return this.#numbers;
	}
}

let memo: Matches | undefined;

function matchesOf({buffer, search}: LogState): Matches {
	if (memo?.buffer !== buffer || memo.search !== search) memo = new Matches(buffer, search);
	return memo;
}

/** Undefined: what is searched for is no regular expression. */
export const currentMatcher = (logs: LogState): Matcher | undefined =>
	logs.search === '' ? NONE : matchesOf(logs).matcher;

/** Numbers of matching lines, oldest first. */
export const matchingLines = (logs: LogState): readonly number[] =>
	logs.search === '' ? [] : matchesOf(logs).numbers;

/** The matching line before or after this one. */
export function nextMatch(logs: LogState, from: number, step: 1 | -1): number | undefined {
	const numbers = matchingLines(logs);
	return step > 0 ? numbers.find((number) => number > from) : numbers.findLast((number) => number < from);
}
