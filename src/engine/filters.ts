/** What the filters of all lists have in common: docker's words for keys and values that are none. */
import type {Filters} from './api.ts';
import {WherryError} from './errors.ts';

/** Throws `invalid` for a key that is not among `known`. */
export function checkFilters(filters: Filters, known: readonly string[]): void {
	for (const key of Object.keys(filters)) {
		if (!known.includes(key)) throw new WherryError('invalid', `invalid filter '${key}'`);
	}
}

/** `true` or `1`, `false` or `0`; undefined when the filter isn't there. Throws `invalid` for anything else. */
export function truthOf(filters: Filters, key: string): boolean | undefined {
	const values = filters[key];
	if (!values?.length) return undefined;
	const isTrue = values.includes('true') || values.includes('1');
	const isFalse = values.includes('false') || values.includes('0');
	// Both at once are no answer.
	if (isTrue === isFalse) throw new WherryError('invalid', `invalid filter '${key}=[${values.join(' ')}]'`);
	return isTrue;
}

/** For filters by name: expressions that are found anywhere in it. One that makes no sense matches nothing, as docker has it. */
export function patternsOf(patterns: readonly string[]): RegExp[] {
	return patterns.flatMap((pattern) => {
		try {
			return [new RegExp(pattern)];
		} catch {
			return [];
		}
	});
}

/** Go's words for a text that is no decimal number up to `most`; undefined for one that is. */
export function goNumberError(parser: 'Atoi' | 'ParseUint', text: string, most: number): string | undefined {
	const pattern = parser === 'Atoi' ? /^[+-]?\d+$/ : /^\d+$/;
	const says = pattern.test(text)
		? Math.abs(Number(text)) <= most
			? undefined
			: 'value out of range'
		: 'invalid syntax';
	return says && `strconv.${parser}: parsing ${JSON.stringify(text)}: ${says}`;
}
