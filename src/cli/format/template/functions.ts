import {goJson, goPrint, isMap, isTrue, TypedNil, typeName} from './go-value.ts';
import {goQuote, sprintf} from './printf.ts';

export interface TemplateFunction {
	/** Numbers of arguments: [least, most]; -1 is any. */
	args: readonly [number, number];
	call: (...args: never[]) => unknown;
}

/** A value that Go's templates treat as text for string parameters. */
function text(value: unknown): string {
	if (typeof value !== 'string') {
		throw new ArgumentError('string', value);
	}
	return value;
}

/** A wrong argument, which Go reports without `error calling`. */
export class ArgumentError extends Error {
	readonly #expected: string;
	constructor(expected: string, value: unknown) {
		super(`wrong type for value; expected ${expected}; got ${typeName(value)}`);
		this.#expected = expected;
	}

	/** The words for a constant in the template. */
	constant(source: string): string {
		return this.#expected === 'string'
			? `expected string; found ${source}`
			: `can't handle ${source} for arg of type ${this.#expected}`;
	}
}

function index(item: unknown, ...keys: unknown[]): unknown {
	let value = item;
	for (const key of keys) {
		if (value === null || value === undefined) throw new Error('index of untyped nil');
		if (value instanceof TypedNil) {
			if (value.text === '[]') throw new Error('reflect: slice index out of range');
			return '';
		}
		if (typeof value === 'string' || Array.isArray(value)) {
			if (typeof key !== 'number') {
				throw new Error(
					`cannot index slice/array with ${key === null || key === undefined ? 'nil' : `type ${typeName(key)}`}`,
				);
			}
			const list: unknown[] | Buffer = typeof value === 'string' ? Buffer.from(value) : value;
			if (key < 0 || key >= list.length) throw new Error(`index out of range: ${key}`);
			value = list[key];
		} else if (isMap(value)) {
			if (typeof key !== 'string') throw new Error(`value has type ${typeName(key)}; should be string`);
			if (Object.hasOwn(value, key)) value = value[key];
			// The zero value of a map of strings is a string; of a map of anything it is nothing.
			else value = Object.values(value).every((v) => typeof v === 'string') ? '' : undefined;
		} else throw new Error(`can't index item of type ${typeName(value)}`);
	}
	return value;
}

function slice(item: unknown, ...bounds: number[]): unknown {
	if (item === null || item === undefined) throw new Error('slice of untyped nil');
	if (typeof item !== 'string' && !Array.isArray(item))
		throw new Error(`can't slice item of type ${typeName(item)}`);
	if (bounds.length > 3) throw new Error(`too many slice indexes: ${bounds.length}`);
	const list: unknown[] | Buffer = typeof item === 'string' ? Buffer.from(item) : item;
	const [low = 0, high = list.length] = bounds;
	for (const bound of [low, high]) {
		if (bound < 0 || bound > list.length) throw new Error(`index out of range: ${bound}`);
	}
	if (low > high) throw new Error(`invalid slice index: ${low} > ${high}`);
	const part = list.slice(low, high);
	return typeof item === 'string' ? part.toString() : part;
}

function length(item: unknown): number {
	if (item instanceof TypedNil) return 0;
	if (item === null || item === undefined) throw new Error('len of nil pointer');
	if (typeof item === 'string') return Buffer.byteLength(item);
	if (Array.isArray(item)) return item.length;
	if (isMap(item)) return Object.keys(item).length;
	throw new Error(`len of type ${typeName(item)}`);
}

const kind = (value: unknown): string =>
	value === null || value === undefined ? 'nil' : typeof value === 'bigint' ? 'number' : typeof value;

function equal(first: unknown, ...others: unknown[]): boolean {
	if (others.length === 0) throw new Error('missing argument for comparison');
	for (const other of others) {
		if (kind(first) !== kind(other)) {
			if (kind(first) === 'nil' || kind(other) === 'nil') continue;
			throw new Error('incompatible types for comparison');
		}
		if (typeof first === 'object' && first !== null)
			throw new Error(`non-comparable type ${goPrint(first)}: ${typeName(first)}`);
		// biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number may be the same number.
		if (first == other) return true;
	}
	return false;
}

function less(a: unknown, b: unknown): boolean {
	if (kind(a) !== kind(b)) throw new Error('incompatible types for comparison');
	if (!['number', 'string'].includes(kind(a))) throw new Error('invalid type for comparison');
	if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string)) < 0;
	return (a as number) < (b as number);
}

/** fmt.Sprint: a space between operands when neither is a string. */
function sprint(...values: unknown[]): string {
	let out = '';
	for (const [at, value] of values.entries()) {
		if (at > 0 && typeof value !== 'string' && typeof values[at - 1] !== 'string') out += ' ';
		out += goPrint(value);
	}
	return out;
}

const htmlEscapes: Record<string, string> = {
	'"': '&#34;',
	"'": '&#39;',
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'\0': '\uFFFD',
};

const escapeScript = (char: string): string =>
	char === "'" ? "\\'" : `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;

/** Go's own functions. `and` and `or` are evaluated by the executor, which stops early. */
const builtins: Record<string, TemplateFunction> = {
	and: {args: [1, -1], call: (...args: unknown[]) => args.find((a) => !isTrue(a)) ?? args.at(-1)},
	or: {args: [1, -1], call: (...args: unknown[]) => args.find((a) => isTrue(a)) ?? args.at(-1)},
	not: {args: [1, 1], call: (value: unknown) => !isTrue(value)},
	len: {args: [1, 1], call: length},
	index: {args: [1, -1], call: index},
	slice: {args: [1, -1], call: slice},
	print: {args: [0, -1], call: sprint},
	println: {args: [0, -1], call: (...values: unknown[]) => `${values.map(goPrint).join(' ')}\n`},
	printf: {args: [1, -1], call: (format: unknown, ...values: unknown[]) => sprintf(text(format), values)},
	eq: {args: [1, -1], call: equal},
	ne: {args: [2, 2], call: (a: unknown, b: unknown) => !equal(a, b)},
	lt: {args: [2, 2], call: less},
	le: {args: [2, 2], call: (a: unknown, b: unknown) => less(a, b) || equal(a, b)},
	gt: {args: [2, 2], call: (a: unknown, b: unknown) => !less(a, b) && !equal(a, b)},
	ge: {args: [2, 2], call: (a: unknown, b: unknown) => !less(a, b)},
	call: {
		args: [1, -1],
		call: (fn: unknown) => {
			throw new Error(
				fn === null || fn === undefined ? 'call of nil' : `non-function of type ${typeName(fn)}`,
			);
		},
	},
	html: {
		args: [0, -1],
		call: (...values: unknown[]) => sprint(...values).replace(/["'&<>\0]/g, (c) => htmlEscapes[c]!),
	},
	urlquery: {
		args: [0, -1],
		call: (...values: unknown[]) =>
			encodeURIComponent(sprint(...values))
				.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
				.replaceAll('%20', '+'),
	},
	js: {
		args: [0, -1],
		call: (...values: unknown[]) =>
			goQuote(sprint(...values))
				.slice(1, -1)
				.replace(/['<>&=]/g, escapeScript),
	},
};

/** docker's additions. */
const dockerFunctions: Record<string, TemplateFunction> = {
	json: {args: [1, 1], call: (value: unknown) => goJson(value)},
	split: {args: [2, 2], call: (value: unknown, separator: unknown) => text(value).split(text(separator))},
	join: {
		args: [2, 2],
		call: (list: unknown, separator: unknown) => {
			if (list instanceof TypedNil) return '';
			if (!Array.isArray(list)) throw new ArgumentError('[]string', list);
			return list.map((item) => (typeof item === 'string' ? item : goPrint(item))).join(text(separator));
		},
	},
	title: {
		args: [1, 1],
		call: (value: unknown) =>
			text(value).replace(
				/(^|[^\p{L}\p{N}_'])(\p{L})/gu,
				(_, before: string, letter: string) => before + letter.toUpperCase(),
			),
	},
	lower: {args: [1, 1], call: (value: unknown) => text(value).toLowerCase()},
	upper: {args: [1, 1], call: (value: unknown) => text(value).toUpperCase()},
	pad: {
		args: [3, 3],
		call: (value: unknown, before: number, after: number) =>
			text(value) === '' ? '' : ' '.repeat(before) + text(value) + ' '.repeat(after),
	},
	truncate: {
		args: [2, 2],
		call: (value: unknown, count: number) => [...text(value)].slice(0, count).join(''),
	},
};

export const functions: Readonly<Record<string, TemplateFunction>> = {...builtins, ...dockerFunctions};

const same = (value: unknown): unknown => value;

/** For the heading row of a table, these leave the heading as it is. */
export const headerFunctions: Readonly<Record<string, TemplateFunction>> = {
	...functions,
	json: {args: [1, 1], call: same},
	title: {args: [1, 1], call: same},
	lower: {args: [1, 1], call: same},
	upper: {args: [1, 1], call: same},
	truncate: {args: [2, 2], call: same},
};
