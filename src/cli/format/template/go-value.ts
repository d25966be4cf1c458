/**
 * Values of templates and how Go prints them. Plain objects are maps; a `Struct` is a Go struct or a
 * formatter's context, whose fields are fixed and may be computed.
 */
export class Struct {
	/** Go's name of the type, for errors: `*formatter.ContainerContext`. */
	readonly type: string;
	readonly fields: Readonly<Record<string, unknown>>;

	/** A field that is a function is called with the template's arguments. */
	constructor(type: string, fields: Readonly<Record<string, unknown>>) {
		this.type = type;
		this.fields = fields;
	}

	get(name: string): unknown {
		const field = this.fields[name];
		return typeof field === 'function' && field.length === 0 ? (field as () => unknown)() : field;
	}

	/** What JSON shows: everything but methods with arguments. */
	entries(): [string, unknown][] {
		return Object.keys(this.fields)
			.filter((name) => !(typeof this.fields[name] === 'function' && this.fields[name].length > 0))
			.map((name) => [name, this.get(name)]);
	}
}

/** A nil of a known Go type: `[]`, `map[]` or `<nil>` when it is printed, false, empty, `null` in JSON. */
export class TypedNil {
	readonly text: string;
	constructor(text: string) {
		this.text = text;
	}
}

export const isMap = (value: unknown): value is Record<string, unknown> =>
	typeof value === 'object' &&
	value !== null &&
	!Array.isArray(value) &&
	!(value instanceof Struct) &&
	!(value instanceof TypedNil);

export function typeName(value: unknown): string {
	if (value === null || value === undefined) return '<nil>';
	if (value instanceof Struct) return value.type;
	if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
	if (typeof value === 'bigint') return 'int';
	if (typeof value === 'boolean') return 'bool';
	if (Array.isArray(value))
		return value.length > 0 && value.every((v) => typeof v === 'string') ? '[]string' : '[]interface {}';
	if (typeof value === 'object') return 'map[string]interface {}';
	return typeof value;
}

/** Go's order of map keys: by bytes. */
export const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Go's %v. */
export function goPrint(value: unknown): string {
	if (value === null || value === undefined) return '<nil>';
	if (value instanceof TypedNil) return value.text;
	if (typeof value === 'number') return goNumber(value);
	if (Array.isArray(value)) return `[${value.map(goPrint).join(' ')}]`;
	if (value instanceof Struct)
		return `{${value
			.entries()
			.map(([, v]) => goPrint(v))
			.join(' ')}}`;
	if (isMap(value)) {
		const keys = Object.keys(value).sort(byBytes);
		return `map[${keys.map((key) => `${key}:${goPrint(value[key])}`).join(' ')}]`;
	}
	return String(value);
}

/** Go's shortest form of a number, which differs from JavaScript's for small ones. */
export function goNumber(value: number): string {
	if (value === Number.POSITIVE_INFINITY) return '+Inf';
	if (value === Number.NEGATIVE_INFINITY) return '-Inf';
	const magnitude = Math.abs(value);
	if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e21)) {
		const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
		return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
	}
	return String(value);
}

/**
 * Go's JSON: a context's fields are sorted, as its own marshaller does, which also escapes what HTML would
 * read; nothing else is escaped. With `indent` it is laid out as docker's inspect is.
 */
export function goJson(value: unknown, indent = 0): string {
	return write(value, indent, '');
}

function write(value: unknown, indent: number, before: string): string {
	if (value === undefined || value === null || value instanceof TypedNil) return 'null';
	if (typeof value === 'bigint') return String(value);
	if (value instanceof Struct) {
		const fields = value.entries().sort(([a], [b]) => byBytes(a, b));
		return escapeHtml(members(fields, '{}', indent, before));
	}
	if (Array.isArray(value)) {
		return members(
			value.map((item) => [undefined, item]),
			'[]',
			indent,
			before,
		);
	}
	if (isMap(value)) {
		const fields = Object.entries(value).filter(([, field]) => field !== undefined);
		return members(fields, '{}', indent, before);
	}
	return text(value);
}

const text = (value: unknown): string =>
	(JSON.stringify(value) ?? 'null').replace(/[\u2028\u2029]/g, (char) =>
		char === '\u2028' ? '\\u2028' : '\\u2029',
	);

function members(
	items: readonly (readonly [string | undefined, unknown])[],
	brackets: string,
	indent: number,
	before: string,
): string {
	if (items.length === 0) return brackets;
	const inner = before + ' '.repeat(indent);
	const parts = items.map(
		([key, item]) =>
			(key === undefined ? '' : `${text(key)}:${indent > 0 ? ' ' : ''}`) + write(item, indent, inner),
	);
	if (indent === 0) return `${brackets[0]}${parts.join(',')}${brackets[1]}`;
	return `${brackets[0]}\n${inner}${parts.join(`,\n${inner}`)}\n${before}${brackets[1]}`;
}

const escapeHtml = (json: string): string =>
	json.replace(/[<>&]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Go's template truth. */
export function isTrue(value: unknown): boolean {
	if (value === null || value === undefined || value instanceof TypedNil) return false;
	if (value instanceof Struct) return true;
	if (Array.isArray(value)) return value.length > 0;
	if (typeof value === 'object') return Object.keys(value).length > 0;
	return Boolean(value);
}
