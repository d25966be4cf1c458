/** How Go's fmt prints a value with %v, %+v and %#v. */
import {
	byBytes,
	dataOf,
	elements,
	entriesOf,
	fieldValue,
	isNil,
	Struct,
	settled,
	typed,
	typeName,
	typeOf,
} from './go-value.ts';
import type {GoType} from './types.ts';

export type Style = '' | '+' | '#';

/** Go prints an address; any will do. */
const address = '0xc000012345';

/** Go's %v of a value. */
export const goPrint = (value: unknown): string => printed(value, '', 0);

export function printed(value: unknown, style: Style, depth: number): string {
	const given = settled(value);
	const type = typeOf(given);
	if (!type) return style === '#' && depth > 0 ? 'interface {}(nil)' : '<nil>';
	if (given instanceof Struct) return printContext(given, style);
	const data = dataOf(given);
	if (style !== '#') {
		const text = ownText(given, type);
		if (text !== undefined) return text;
	}
	switch (type.kind) {
		case 'string':
			return style === '#' ? goQuote(String(data)) : String(data);
		case 'bool':
			return String(data);
		case 'int':
			return String(data);
		case 'uint':
			return style === '#' ? `0x${BigInt(data as number).toString(16)}` : String(data);
		case 'float':
			return goNumber(Number(data));
		case 'func':
			return address;
		case 'pointer':
			return printPointer(given, type, style, depth);
		case 'array':
		case 'slice':
			if (style !== '#')
				return `[${elements(given)
					.map((item) => printed(item, style, depth + 1))
					.join(' ')}]`;
			if (isNil(given)) return `${type.name}(nil)`;
			return `${type.name}{${elements(given)
				.map((item) => printed(item, style, depth + 1))
				.join(', ')}}`;
		case 'map': {
			const inner = entriesOf(given).map(
				([key, element]) => `${printed(key, style, depth + 1)}:${printed(element, style, depth + 1)}`,
			);
			if (style !== '#') return `map[${inner.join(' ')}]`;
			return isNil(given) ? `${type.name}(nil)` : `${type.name}{${inner.join(', ')}}`;
		}
		case 'struct': {
			const inner = type.fields!.map((field) => {
				const text = printed(fieldValue(given, [field]), style, depth + 1);
				return style === '' ? text : `${field.name}:${text}`;
			});
			return style === '#' ? `${type.name}{${inner.join(', ')}}` : `{${inner.join(' ')}}`;
		}
		default:
			return '<nil>';
	}
}

/** What the type's own String method says, which a pointer to it has, too. */
function ownText(value: unknown, type: GoType): string | undefined {
	if (type.text) return type.text(dataOf(value));
	if (type.kind === 'pointer' && !isNil(value) && type.elem!.text) return type.elem!.text(dataOf(value));
	return undefined;
}

function printPointer(value: unknown, type: GoType, style: Style, depth: number): string {
	if (isNil(value)) return style === '#' ? `(${type.name})(nil)` : '<nil>';
	const {kind} = type.elem!;
	if (depth === 0 && ['struct', 'map', 'slice', 'array'].includes(kind)) {
		return `&${printed(typed(type.elem!, dataOf(value)), style, depth + 1)}`;
	}
	return style === '#' ? `(${type.name})(${address})` : address;
}

function printContext(context: Struct, style: Style): string {
	const fields = context.entries().sort(([a], [b]) => byBytes(a, b));
	return `{${fields.map(([name, field]) => (style === '' ? '' : `${name}:`) + printed(field, style, 1)).join(' ')}}`;
}

/** Go's shortest form of a number: with an exponent below 1e-4 and from 1e6 on. */
export function goNumber(value: number): string {
	if (Number.isNaN(value)) return 'NaN';
	if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
	const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
	if (Number(exponent) >= -4 && Number(exponent) < 6) return String(value);
	return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

/** fmt.Sprint: a space between operands when neither is a string. */
export function sprint(values: readonly unknown[]): string {
	const isText = (value: unknown): boolean => typeof value === 'string';
	let out = '';
	for (const [at, value] of values.entries()) {
		if (at > 0 && !isText(value) && !isText(values[at - 1])) out += ' ';
		out += goPrint(value);
	}
	return out;
}

const escapes: Record<string, string> = {
	'\x07': '\\a',
	'\b': '\\b',
	'\f': '\\f',
	'\n': '\\n',
	'\r': '\\r',
	'\t': '\\t',
	'\v': '\\v',
	'\\': '\\\\',
	'"': '\\"',
};

/** strconv.Quote. */
export function goQuote(text: string): string {
	// A pattern of Unicode properties takes a millisecond to compile, and most texts need none.
	if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
	const body = text.replace(/[\\"]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (char) => {
		const short = escapes[char];
		if (short) return short;
		const code = char.codePointAt(0)!;
		if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
		return code > 0xffff
			? `\\U${code.toString(16).padStart(8, '0')}`
			: `\\u${code.toString(16).padStart(4, '0')}`;
	});
	return `"${body}"`;
}

/** `int=3`, as fmt writes what a verb can't print. */
export const described = (value: unknown): string =>
	typeOf(settled(value)) ? `${typeName(value)}=${goPrint(value)}` : '<nil>';
