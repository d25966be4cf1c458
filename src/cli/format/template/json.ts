/** Go's JSON of a value, as the template function `json` and docker's `--format json` write it. */
import {
	byBytes,
	dataOf,
	elements,
	entriesOf,
	fieldValue,
	Struct,
	settled,
	Typed,
	typeOf,
} from './go-value.ts';
import type {Field, GoType} from './types.ts';

/**
 * Maps are sorted by key, structs are in the order of their fields. A context is a map of what its methods say,
 * whose texts also escape what HTML would read; elsewhere nothing does.
 */
export function goJson(given: unknown): string {
	const value = settled(given);
	if (value === null || value === undefined) return 'null';
	if (value instanceof Struct) {
		const fields = value.entries();
		if (!value.ordered) fields.sort(([a], [b]) => byBytes(a, b));
		return escapeHtml(object(fields.map(([name, field]) => [name, goJson(field)])));
	}
	const type = typeOf(value)!;
	const data = dataOf(value);
	switch (type.kind) {
		case 'string':
			return type.name === 'json.Number' ? String(data) : jsonText(String(data));
		case 'bool':
		case 'int':
		case 'uint':
		case 'float':
			return String(data);
		case 'pointer':
			return data === undefined || data === null ? 'null' : goJson(new Typed(type.elem!, data));
		case 'array':
		case 'slice':
			if (data === undefined || data === null) return 'null';
			// A list of bytes is text in base64, and so it has come.
			if (typeof data === 'string') return jsonText(data);
			return `[${elements(value).map(goJson).join(',')}]`;
		case 'map':
			if (data === undefined || data === null) return 'null';
			return object(entriesOf(value).map(([key, element]) => [String(dataOf(key)), goJson(element)]));
		case 'struct':
			if (type.name === 'time.Time') return jsonText(timeText(data));
			return object(structMembers(value, type));
		default:
			return 'null';
	}
}

/** A time has no zeros at its end; one that never was is Go's zero time. */
const timeText = (data: unknown): string =>
	typeof data === 'string'
		? data.replace(/(\.\d*?)0+(?=[Z+-])/, '$1').replace(/\.(?=[Z+-])/, '')
		: '0001-01-01T00:00:00Z';

function structMembers(value: unknown, type: GoType): [string, string][] {
	return type.fields!.flatMap((field): [string, string][] => {
		const inner = fieldValue(value, [field]);
		if (field.embedded) {
			const elem = field.type.kind === 'pointer' ? field.type.elem! : field.type;
			return structMembers(new Typed(elem, dataOf(inner) ?? {}), elem);
		}
		return field.omitEmpty && isEmpty(inner, field) ? [] : [[field.json, goJson(inner)]];
	});
}

/** What `omitempty` leaves out. */
function isEmpty(value: unknown, {type}: Field): boolean {
	const data = dataOf(value);
	if (data === undefined || data === null) return true;
	if (type.kind === 'struct' || type.kind === 'pointer') return false;
	if (typeof data === 'object') return Object.keys(data).length === 0;
	return data === '' || data === 0 || data === false || data === 0n;
}

const object = (members: readonly [string, string][]): string =>
	`{${members.map(([key, text]) => `${jsonText(key)}:${text}`).join(',')}}`;

/** JavaScript leaves two characters as they are that Go escapes. */
const jsonText = (text: string): string =>
	JSON.stringify(text).replace(/[\u2028\u2029]/g, (char) => (char === '\u2028' ? '\\u2028' : '\\u2029'));

const escapeHtml = (json: string): string =>
	json.replace(/[<>&]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
