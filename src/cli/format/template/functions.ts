/** The functions of templates: Go's own and docker's. */
import {equal, less} from './compare.ts';
import {
	dataOf,
	elements,
	indirect,
	isTrue,
	lengthOf,
	mapElement,
	settled,
	Typed,
	typed,
	typeName,
	typeOf,
} from './go-value.ts';
import {goJson} from './json.ts';
import {goPrint, goQuote, sprint} from './print.ts';
import {sprintf} from './printf.ts';
import {canBeNil, type GoType, stringType, typeOfText} from './types.ts';

/** What a parameter takes: a type of Go, or anything. */
export type Parameter = 'any' | 'string' | 'int' | '[]string' | 'bool';

export interface TemplateFunction {
	params: readonly Parameter[];
	/** The parameter that any further arguments have. */
	variadic?: Parameter;
	call: (...args: never[]) => unknown;
}

/** Go's run-time catches what goes beyond a list or text. */
const outOfRange = (kind: string): Error => new Error(`reflect: ${kind} index out of range`);

function indexArgument(given: unknown, limit: number): number {
	const index = settled(given);
	const type = typeOf(index);
	if (!type) throw new Error('cannot index slice/array with nil');
	if (type.kind !== 'int' && type.kind !== 'uint')
		throw new Error(`cannot index slice/array with type ${type.name}`);
	const at = Number(dataOf(index));
	if (at < 0 || at > limit) throw new Error(`index out of range: ${at}`);
	return at;
}

function mapKey(given: unknown, wanted: GoType): string {
	const key = settled(given);
	const type = typeOf(key);
	if (!type && !canBeNil(wanted)) throw new Error(`value is nil; should be of type ${wanted.name}`);
	if (type?.name !== wanted.name)
		throw new Error(`value has type ${typeName(key)}; should be ${wanted.name}`);
	return String(dataOf(key));
}

function index(item: unknown, ...keys: unknown[]): unknown {
	let value = settled(item);
	if (typeOf(value) === undefined) throw new Error('index of untyped nil');
	for (const key of keys) {
		const target = indirect(value);
		if (target.nil) throw new Error('index of nil pointer');
		value = target.value;
		const type = typeOf(value)!;
		switch (type.kind) {
			case 'array':
			case 'slice': {
				const at = indexArgument(key, lengthOf(value));
				if (at === lengthOf(value)) throw outOfRange(type.kind);
				value = elements(value)[at];
				break;
			}
			case 'string': {
				const bytes = Buffer.from(String(dataOf(value)));
				const at = indexArgument(key, bytes.length);
				if (at === bytes.length) throw outOfRange('string');
				value = new Typed(typeOfText('uint8'), bytes[at]);
				break;
			}
			case 'map': {
				const name = mapKey(key, type.key!);
				value = mapElement(value, name) ?? typed(type.elem!, undefined);
				break;
			}
			default:
				throw new Error(`can't index item of type ${type.name}`);
		}
	}
	return settled(value);
}

function slice(given: unknown, ...indexes: unknown[]): unknown {
	const item = settled(given);
	const type = typeOf(item);
	if (!type) throw new Error('slice of untyped nil');
	if (indexes.length > 3) throw new Error(`too many slice indexes: ${indexes.length}`);
	if (type.kind === 'string' && indexes.length === 3) throw new Error('cannot 3-index slice a string');
	if (!['string', 'slice', 'array'].includes(type.kind))
		throw new Error(`can't slice item of type ${type.name}`);
	const length = lengthOf(item);
	const bounds = [0, length, length];
	for (const [at, each] of indexes.entries()) bounds[at] = indexArgument(each, length);
	const [low, high, most] = bounds as [number, number, number];
	if (low > high) throw new Error(`invalid slice index: ${low} > ${high}`);
	if (indexes.length === 3 && high > most) throw new Error(`invalid slice index: ${high} > ${most}`);
	const data = dataOf(item);
	if (typeof data !== 'string') return typed(type, ((data ?? []) as unknown[]).slice(low, high));
	const part = Buffer.from(data).subarray(low, high).toString();
	return type === stringType ? part : typed(type, part);
}

function length(item: unknown): number {
	const {value, nil} = indirect(item);
	if (nil) throw new Error('len of nil pointer');
	const type = typeOf(value);
	if (!type) throw new Error('reflect: call of reflect.Value.Type on zero Value');
	if (!['string', 'array', 'slice', 'map'].includes(type.kind)) throw new Error(`len of type ${type.name}`);
	return lengthOf(value);
}

const htmlEscapes: Record<string, string> = {
	'"': '&#34;',
	"'": '&#39;',
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'\0': '\uFFFD',
};

const hex = (char: string): string => char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');

function escapeScript(text: string): string {
	return text.replace(/[\\'"<>&=]|[\x00-\x1f]|[^\x00-\x7f]/gu, (char) => {
		if ('\\\'"'.includes(char)) return `\\${char}`;
		if (char < '\x7f') return `\\u${hex(char)}`;
		return goQuote(char).length === char.length + 2 ? char : `\\u${hex(char)}`;
	});
}

const escapeQuery = (text: string): string =>
	encodeURIComponent(text.toWellFormed())
		.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
		.replaceAll('%20', '+');

/** Values that a function prints: pointers are followed, as where a template prints them. */
const printable = (values: readonly unknown[]): unknown[] =>
	values.map((value) => (typeOf(settled(value)) ? indirect(value).value : '<no value>'));

const text = (values: readonly unknown[]): string =>
	values.length === 1 && typeof values[0] === 'string' ? values[0] : sprint(printable(values));

/** Go's own functions. `and` and `or` are evaluated by the executor, which stops early. */
const builtins: Record<string, TemplateFunction> = {
	and: {params: ['any'], variadic: 'any', call: (...args: unknown[]) => args.at(-1)},
	or: {params: ['any'], variadic: 'any', call: (...args: unknown[]) => args.at(-1)},
	not: {params: ['any'], call: (value: unknown) => !isTrue(value)},
	len: {params: ['any'], call: length},
	index: {params: ['any'], variadic: 'any', call: index},
	slice: {params: ['any'], variadic: 'any', call: slice},
	print: {params: [], variadic: 'any', call: (...values: unknown[]) => sprint(values)},
	println: {
		params: [],
		variadic: 'any',
		call: (...values: unknown[]) => `${values.map(goPrint).join(' ')}\n`,
	},
	printf: {
		params: ['string'],
		variadic: 'any',
		call: (format: string, ...values: unknown[]) => sprintf(format, values),
	},
	eq: {params: ['any'], variadic: 'any', call: equal},
	ne: {params: ['any', 'any'], call: (a: unknown, b: unknown) => !equal(a, b)},
	lt: {params: ['any', 'any'], call: less},
	le: {params: ['any', 'any'], call: (a: unknown, b: unknown) => less(a, b) || equal(a, b)},
	gt: {params: ['any', 'any'], call: (a: unknown, b: unknown) => !less(a, b) && !equal(a, b)},
	ge: {params: ['any', 'any'], call: (a: unknown, b: unknown) => !less(a, b)},
	// No value of ours is a function, so all that it can do is to say so; the executor names what was called.
	call: {params: ['any'], variadic: 'any', call: (value: unknown) => value},
	html: {
		params: [],
		variadic: 'any',
		call: (...values: unknown[]) => text(values).replace(/["'&<>\0]/g, (char) => htmlEscapes[char]!),
	},
	urlquery: {params: [], variadic: 'any', call: (...values: unknown[]) => escapeQuery(text(values))},
	js: {params: [], variadic: 'any', call: (...values: unknown[]) => escapeScript(text(values))},
};

const list = (items: readonly string[]): unknown => typed(typeOfText('[]string'), items);

/** docker's additions. */
const dockerFunctions: Record<string, TemplateFunction> = {
	json: {params: ['any'], call: (value: unknown) => goJson(value)},
	split: {
		params: ['string', 'string'],
		call: (value: string, separator: string) => list(separator === '' ? [...value] : value.split(separator)),
	},
	join: {
		params: ['[]string', 'string'],
		call: (items: unknown, separator: string) => ((dataOf(items) ?? []) as string[]).join(separator),
	},
	title: {
		params: ['string'],
		call: (value: string) =>
			// What is no letter, digit or underscore separates words in ASCII, and only spaces do beyond it.
			value.replace(
				/(^|[\x00-/:-@[-^`{-\x7f]|[^\S\x00-\x7f])(\p{L})/gu,
				(_, before: string, letter: string) => before + letter.toUpperCase(),
			),
	},
	lower: {params: ['string'], call: (value: string) => value.toLowerCase()},
	upper: {params: ['string'], call: (value: string) => value.toUpperCase()},
	pad: {
		params: ['string', 'int', 'int'],
		call: (value: string, before: number, after: number) => {
			if (before < 0 || after < 0) throw new Error('strings: negative Repeat count');
			return value === '' ? '' : ' '.repeat(before) + value + ' '.repeat(after);
		},
	},
	truncate: {
		params: ['string', 'int'],
		call: (value: string, count: number) => {
			const bytes = Buffer.from(value);
			return bytes.length < count ? value : bytes.subarray(0, count).toString();
		},
	},
};

export const functions: Readonly<Record<string, TemplateFunction>> = {...builtins, ...dockerFunctions};

const same = (value: unknown): unknown => value;

/** For the heading row of a table, these leave the heading as it is. */
export const headerFunctions: Readonly<Record<string, TemplateFunction>> = {
	...functions,
	json: {params: ['string'], call: same},
	title: {params: ['string'], call: same},
	lower: {params: ['string'], call: same},
	upper: {params: ['string'], call: same},
	truncate: {params: ['string', 'int'], call: same},
	split: {params: ['string', 'string'], call: same},
	join: {params: ['string', 'string'], call: same},
};
