/** docker's filters of an image list: dangling, label, before, since, until, reference. */

import type {Filters} from '../api.ts';
import {WherryError} from '../errors.ts';
import {checkFilters, truthOf} from '../filters.ts';
import {untilTime} from '../prune-filter.ts';
import type {Image} from '../store/catalog.ts';
import {familiar, familiarName, type Reference} from './reference.ts';

const known: readonly string[] = ['dangling', 'label', 'label!', 'before', 'since', 'until', 'reference'];

const invalid = (message: string) => new WherryError('invalid', message);

/** Seconds since the epoch; 0 for an image that doesn't say. */
export function createdSeconds(created: string): number {
	const time = Date.parse(created);
	return Number.isFinite(time) ? Math.floor(time / 1000) : 0;
}

/** Milliseconds, exact enough to order by. */
export const createdTime = (image: {created: string}): number => Date.parse(image.created) || 0;

/**
 * The images that all filters accept, with the references that are left of each. `find` looks an image up
 * for `before` and `since`.
 */
export function applyFilters(
	images: readonly Image[],
	filters: Filters,
	find: (name: string) => Image,
	now: number = Date.now(),
): {image: Image; references: readonly Reference[]}[] {
	checkFilters(filters, known);
	const values = (key: string): string[] => filters[key] ?? [];
	const before = values('before').map((name) => createdTime(find(name)));
	const since = values('since').map((name) => createdTime(find(name)));
	const until = values('until').map((value) => untilTime(value, now));
	const dangling = truthOf(filters, 'dangling');
	const patterns = values('reference').map(referencePattern);
	return images.flatMap((image) => {
		const time = createdTime(image);
		if (before.some((limit) => time >= limit) || since.some((limit) => time <= limit)) return [];
		if (until.some((limit) => time > limit)) return [];
		if (!values('label').every((label) => hasLabel(image.labels, label))) return [];
		if (values('label!').some((label) => hasLabel(image.labels, label))) return [];
		// One that was pulled by its digest only is among both.
		if (dangling === true && image.references.some(({digest}) => digest === undefined)) return [];
		if (dangling === false && image.references.length === 0) return [];
		if (patterns.length === 0) return [{image, references: image.references}];
		const references = image.references.filter((reference) => patterns.some((pattern) => pattern(reference)));
		return references.length > 0 ? [{image, references}] : [];
	});
}

function hasLabel(labels: Record<string, string> | null, wanted: string): boolean {
	const equals = wanted.indexOf('=');
	const key = equals < 0 ? wanted : wanted.slice(0, equals);
	if (labels === null || !Object.hasOwn(labels, key)) return false;
	return equals < 0 || labels[key] === wanted.slice(equals + 1);
}

/** Go's path.Match against the familiar forms with and without tag (reference.FamiliarMatch). */
function referencePattern(pattern: string): (reference: Reference) => boolean {
	const expression = globExpression(pattern);
	return (reference) => expression.test(familiar(reference)) || expression.test(familiarName(reference));
}

/** A shell pattern whose `*` and `?` don't match a slash. Throws as Go does for a pattern that is none. */
function globExpression(pattern: string): RegExp {
	const bad = () => invalid(`invalid filter 'reference=${pattern}': syntax error in pattern`);
	let source = '';
	for (let at = 0; at < pattern.length; at++) {
		const character = pattern[at]!;
		if (character === '*') source += source.endsWith('[^/]*') ? '' : '[^/]*';
		else if (character === '?') source += '[^/]';
		else if (character === '\\') {
			if (++at === pattern.length) throw bad();
			source += literal(pattern[at]!);
		} else if (character === '[') {
			const match = /^\[(\^?)((?:\\.|[^\]\\])+)\]/.exec(pattern.slice(at));
			if (!match) throw bad();
			const members = match[2]!.replace(/\\(.)/g, '$1').replace(/[\\\]^]/g, '\\$&');
			source += `(?!/)[${match[1]}${members}]`;
			at += match[0].length - 1;
		} else source += literal(character);
	}
	try {
		return new RegExp(`^${source}$`, 's');
	} catch {
		throw bad();
	}
}

const literal = (character: string): string => character.replace(/[$()*+.?[\\\]^{|}/-]/g, '\\$&');
