/** Go's fmt.Sprintf. */
import {
	dataOf,
	elements,
	entriesOf,
	fieldValue,
	isNil,
	settled,
	typed,
	typeName,
	typeOf,
} from './go-value.ts';
import {described, goNumber, goQuote, printed} from './print.ts';
import type {GoType} from './types.ts';

export {goQuote} from './print.ts';

interface Spec {
	verb: string;
	minus: boolean;
	plus: boolean;
	/** Structs show the names of their fields. */
	names?: boolean;
	sharp: boolean;
	space: boolean;
	zero: boolean;
	width: number | undefined;
	precision: number | undefined;
}

/** Widths beyond this are taken for a mistake. */
const tooLarge = 1_000_000;

export function sprintf(format: string, args: readonly unknown[]): string {
	let out = '';
	let next = 0;
	let at = 0;
	let reordered = false;
	let goodIndex = true;

	/** `[n]`: the next argument by its number. */
	const argumentNumber = (): void => {
		if (format[at] !== '[') return;
		reordered = true;
		const end = format.indexOf(']', at);
		const digits = end < 0 ? '' : format.slice(at + 1, end);
		const index = /^\d+$/.test(digits) ? Number(digits) - 1 : -1;
		at = end < 0 ? at + 1 : end + 1;
		if (index >= 0 && index < args.length) next = index;
		else goodIndex = false;
	};
	const star = (bad: string): number | undefined => {
		const value = dataOf(args[next]);
		const kind = typeOf(args[next])?.kind;
		const fits = (kind === 'int' || kind === 'uint') && Math.abs(Number(value)) <= tooLarge;
		if (next < args.length) next++;
		if (!fits) out += bad;
		return fits ? Number(value) : undefined;
	};
	const digits = (): number | undefined => {
		const match = /^\d+/.exec(format.slice(at, at + 12));
		if (!match) return undefined;
		at += match[0].length;
		return Math.min(Number(match[0]), tooLarge);
	};

	while (at < format.length) {
		const percent = format.indexOf('%', at);
		if (percent < 0) {
			out += format.slice(at);
			break;
		}
		out += format.slice(at, percent);
		at = percent + 1;
		goodIndex = true;
		const spec: Spec = {
			verb: '',
			minus: false,
			plus: false,
			sharp: false,
			space: false,
			zero: false,
			width: undefined,
			precision: undefined,
		};
		for (; at < format.length; at++) {
			const flag = format[at]!;
			if (flag === '-') spec.minus = true;
			else if (flag === '+') spec.plus = true;
			else if (flag === '#') spec.sharp = true;
			else if (flag === ' ') spec.space = true;
			else if (flag === '0') spec.zero = true;
			else break;
		}
		argumentNumber();
		if (format[at] === '*') {
			at++;
			spec.width = star('%!(BADWIDTH)');
			if (spec.width !== undefined && spec.width < 0) {
				spec.minus = true;
				spec.width = -spec.width;
			}
		} else spec.width = digits();
		if (format[at] === '.') {
			at++;
			argumentNumber();
			if (format[at] === '*') {
				at++;
				spec.precision = star('%!(BADPREC)');
				if (spec.precision !== undefined && spec.precision < 0) {
					spec.precision = undefined;
					out += '%!(BADPREC)';
				}
			} else spec.precision = digits() ?? 0;
		}
		argumentNumber();
		if (at >= format.length) {
			out += '%!(NOVERB)';
			break;
		}
		spec.verb = String.fromCodePoint(format.codePointAt(at)!);
		at += spec.verb.length;
		if (spec.verb === '%') out += '%';
		else if (!goodIndex) out += `%!${spec.verb}(BADINDEX)`;
		else if (next >= args.length) out += `%!${spec.verb}(MISSING)`;
		else out += formatOne(spec, args[next++]);
	}
	if (!reordered && next < args.length) out += `%!(EXTRA ${args.slice(next).map(described).join(', ')})`;
	return out;
}

function pad(spec: Spec, text: string, zeros = false): string {
	const missing = (spec.width ?? 0) - [...text].length;
	if (missing <= 0) return text;
	if (spec.minus) return text + ' '.repeat(missing);
	if (!zeros || !spec.zero) return ' '.repeat(missing) + text;
	const sign = /^[+-]/.test(text) ? text[0]! : '';
	return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function formatOne(spec: Spec, given: unknown): string {
	const value = settled(given);
	const type = typeOf(value);
	if (spec.verb === 'T') return pad(spec, type ? type.name : '<nil>');
	if (!type) return spec.verb === 'v' ? pad(spec, '<nil>') : `%!${spec.verb}(<nil>)`;
	// With %v the plus names fields, and is no sign.
	const named = spec.verb === 'v' && spec.plus ? {...spec, plus: false, names: true} : spec;
	return formatValue(named, value, type, 0);
}

function formatValue(spec: Spec, value: unknown, type: GoType, depth: number): string {
	const {verb} = spec;
	const data = dataOf(value);
	const text = ownText(type, value, spec);
	if (text !== undefined) return formatText(spec, text, value);
	switch (type.kind) {
		case 'bool':
			return verb === 't' || verb === 'v' ? pad(spec, String(data)) : bad(verb, value);
		case 'string':
			return formatText(spec, String(data), value);
		case 'int':
		case 'uint':
			return formatInteger(spec, BigInt(data as number), value, type.kind);
		case 'float':
			return formatFloat(spec, Number(data), value);
		case 'pointer':
			if (isNil(value))
				return verb === 'v' ? pad(spec, spec.sharp ? `(${type.name})(nil)` : '<nil>') : bad(verb, value);
			if (depth === 0 && ['struct', 'map', 'slice', 'array'].includes(type.elem!.kind)) {
				return `&${formatValue(spec, typed(type.elem!, data), type.elem!, depth + 1)}`;
			}
			return pad(spec, printed(value, style(spec), depth));
		case 'func':
			return pad(spec, printed(value, style(spec), depth));
		default:
			return verb === 'v' && spec.sharp
				? pad(spec, printed(value, '#', depth))
				: formatParts(spec, value, type, depth);
	}
}

const style = (spec: Spec) => (spec.sharp ? '#' : spec.names ? '+' : '');

/** A String method, for the verbs that print text. */
function ownText(type: GoType, value: unknown, spec: Spec): string | undefined {
	if (!'vsxXq'.includes(spec.verb) || (spec.verb === 'v' && spec.sharp)) return undefined;
	if (type.text) return type.text(dataOf(value));
	if (type.kind === 'pointer' && !isNil(value)) return type.elem!.text?.(dataOf(value));
	return undefined;
}

/** The verb goes into lists, maps and structs. */
function formatParts(spec: Spec, value: unknown, type: GoType, depth: number): string {
	const part = (inner: unknown): string => {
		const settledInner = settled(inner);
		const innerType = typeOf(settledInner);
		if (!innerType) return spec.verb === 'v' ? '<nil>' : `%!${spec.verb}(<nil>)`;
		return formatValue(spec, settledInner, innerType, depth + 1);
	};
	if (type.kind === 'map') {
		return `map[${entriesOf(value)
			.map(([key, element]) => `${part(key)}:${part(element)}`)
			.join(' ')}]`;
	}
	if (type.kind === 'struct') {
		const parts = type.fields!.map((field) => {
			const text = part(fieldValue(value, [field]));
			return spec.names ? `${field.name}:${text}` : text;
		});
		return `{${parts.join(' ')}}`;
	}
	return `[${elements(value).map(part).join(' ')}]`;
}

const bad = (verb: string, value: unknown): string => `%!${verb}(${described(value)})`;

function formatText(spec: Spec, text: string, value: unknown): string {
	const {verb, precision} = spec;
	const cut = precision === undefined ? text : [...text].slice(0, precision).join('');
	switch (verb) {
		case 'v':
			return pad(spec, spec.sharp ? goQuote(cut) : cut);
		case 's':
			return pad(spec, cut, true);
		case 'q':
			return pad(spec, spec.sharp && !/[`\n]/.test(cut) ? `\`${cut}\`` : goQuote(cut));
		case 'x':
		case 'X': {
			const bytes = Buffer.from(text).subarray(0, precision);
			const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
			const prefix = spec.sharp ? '0x' : '';
			const hex = spec.space ? pairs.map((pair) => prefix + pair).join(' ') : prefix + pairs.join('');
			return pad(spec, verb === 'X' ? hex.toUpperCase() : hex);
		}
		default:
			return bad(verb, value);
	}
}

function signed(spec: Spec, negative: boolean, digits: string): string {
	return (negative ? '-' : spec.plus ? '+' : spec.space ? ' ' : '') + digits;
}

function formatInteger(spec: Spec, integer: bigint, value: unknown, kind: 'int' | 'uint'): string {
	const negative = integer < 0n;
	const magnitude = negative ? -integer : integer;
	const radix = (base: number, prefix: string): string => {
		const digits = magnitude.toString(base).padStart(spec.precision ?? 0, '0');
		const zeros = spec.precision === undefined;
		return pad(spec, signed(spec, negative, (spec.sharp ? prefix : '') + digits), zeros);
	};
	switch (spec.verb) {
		case 'v':
			return spec.sharp && kind === 'uint' ? radix(16, '0x') : radix(10, '');
		case 'd':
			return radix(10, '');
		case 'b':
			return radix(2, '0b');
		case 'o':
			return radix(8, '0');
		case 'O':
			return pad(spec, signed(spec, negative, `0o${magnitude.toString(8)}`), true);
		case 'x':
			return radix(16, '0x');
		case 'X':
			return radix(16, '0x').toUpperCase();
		case 'c':
			return pad(spec, character(integer));
		case 'q':
			return pad(spec, `'${character(integer) === "'" ? "\\'" : goQuote(character(integer)).slice(1, -1)}'`);
		case 'U': {
			const code = `U+${magnitude.toString(16).toUpperCase().padStart(4, '0')}`;
			return pad(spec, spec.sharp ? `${code} '${character(integer)}'` : code);
		}
		default:
			return bad(spec.verb, value);
	}
}

const character = (code: bigint): string =>
	code >= 0n && code <= 0x10ffffn && (code < 0xd800n || code > 0xdfffn)
		? String.fromCodePoint(Number(code))
		: '\uFFFD';

function formatFloat(spec: Spec, float: number, value: unknown): string {
	const digits = (count: number) => Math.min(count, 100);
	const finish = (text: string): string => {
		const negative = text.startsWith('-');
		return pad(spec, signed(spec, negative, negative ? text.slice(1) : text), true);
	};
	if (!Number.isFinite(float))
		return pad({...spec, zero: false}, goNumber(float).replace(/^\+/, spec.plus ? '+' : '+'));
	switch (spec.verb) {
		case 'f':
		case 'F':
			return finish(fixed(float, digits(spec.precision ?? 6)));
		case 'e':
		case 'E': {
			const text = exponent(float.toExponential(digits(spec.precision ?? 6)));
			return finish(spec.verb === 'E' ? text.toUpperCase() : text);
		}
		case 'v':
		case 'g':
		case 'G': {
			const text = spec.precision === undefined ? goNumber(float) : general(float, spec.precision || 1);
			return finish(spec.verb === 'G' ? text.toUpperCase() : text);
		}
		default:
			return bad(spec.verb, value);
	}
}

/** JavaScript rounds what is exactly half up, Go to the even digit. */
function fixed(float: number, precision: number): string {
	const text = float.toFixed(precision);
	const exact = float.toFixed(100);
	const rest = exact.slice(exact.indexOf('.') + 1 + precision);
	if (Math.abs(float) >= 1e21 || !/^50*$/.test(rest)) return text;
	const cut = exact.slice(0, exact.indexOf('.') + (precision === 0 ? 0 : 1 + precision));
	return Number(cut.at(-1)) % 2 === 0 ? cut : text;
}

const exponent = (text: string): string => text.replace(/e([+-])(\d)$/, 'e$10$2');

function general(float: number, precision: number): string {
	const count = Math.min(100, precision);
	const power = float === 0 ? 0 : Number(float.toExponential(count - 1).split('e')[1]);
	const plain =
		power < -4 || power >= count
			? float.toExponential(count - 1)
			: float.toFixed(Math.max(0, count - 1 - power));
	const [mantissa, rest] = plain.split('e') as [string, string | undefined];
	const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
	return rest === undefined ? short : exponent(`${short}e${rest}`);
}

export {typeName};
