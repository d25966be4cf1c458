/**
 * Values of templates. Texts, whole numbers and booleans are JavaScript's own; arrays and plain objects are lists
 * and maps of anything; a `Typed` is JSON that has one of Go's types, read through it field by field; a `Struct`
 * is a formatter's context, whose fields are computed.
 */
import {
	anyType,
	boolType,
	type Field,
	floatType,
	type GoType,
	intType,
	jsonNumber,
	stringType,
	typeOfText,
} from './types.ts';

export class Struct {
	/** Go's name of the type, for errors: `*formatter.ContainerContext`. */
	readonly type: string;
	readonly fields: Readonly<Record<string, unknown>>;
	/** JSON has the fields in their own order, not sorted. */
	readonly ordered: boolean;

	/** A field that is a function is called with the template's arguments. */
	constructor(type: string, fields: Readonly<Record<string, unknown>>, options: {ordered?: boolean} = {}) {
		this.type = type;
		this.fields = fields;
		this.ordered = options.ordered ?? false;
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

export class Typed {
	readonly type: GoType;
	/** As JSON has it; what isn't there is Go's zero value. */
	readonly data: unknown;
	/** Whether Go could take its address: parts of what a pointer points to. */
	readonly addressable: boolean;

	constructor(type: GoType, data: unknown, addressable = false) {
		this.type = type;
		this.data = data;
		this.addressable = addressable;
	}
}

/** Map and list of anything whose numbers keep their text, as docker reads what its types don't know. */
export const rawAny: GoType = {kind: 'interface', name: anyType.name};
const rawMap: GoType = {kind: 'map', name: 'map[string]interface {}', key: stringType, elem: rawAny};
const rawList: GoType = {kind: 'slice', name: '[]interface {}', elem: rawAny};
const plainMap: GoType = {kind: 'map', name: rawMap.name, key: stringType, elem: anyType};
const plainList: GoType = {kind: 'slice', name: rawList.name, elem: anyType};

/** JSON as docker decodes it without a type. */
export function raw(data: unknown): unknown {
	if (data === null || data === undefined) return undefined;
	if (typeof data === 'number' || typeof data === 'bigint') return new Typed(jsonNumber, String(data));
	if (Array.isArray(data)) return new Typed(rawList, data);
	return typeof data === 'object' ? new Typed(rawMap, data) : data;
}

/** A value of a type. */
export function typed(type: GoType, data: unknown, addressable = false): unknown {
	if (type === stringType) return data ?? '';
	if (type === boolType) return data ?? false;
	if (type === intType) return data ?? 0;
	return new Typed(type, data ?? zeroOf(type), addressable);
}

/** What is in an element of a list or map of anything; undefined when that is nothing. */
export function settled(value: unknown): unknown {
	if (!(value instanceof Typed) || value.type.kind !== 'interface') return value;
	return value.type === rawAny ? raw(value.data) : (value.data ?? undefined);
}

export const typedAs = (type: string, data: unknown): unknown => typed(typeOfText(type), data);

function zeroOf({kind}: GoType): unknown {
	switch (kind) {
		case 'string':
			return '';
		case 'bool':
			return false;
		case 'int':
		case 'uint':
		case 'float':
			return 0;
		case 'struct':
			return {};
		case 'array':
			return [];
		default:
			return undefined;
	}
}

/** Undefined for nothing at all: Go's invalid value. */
export function typeOf(value: unknown): GoType | undefined {
	switch (typeof value) {
		case 'string':
			return stringType;
		case 'boolean':
			return boolType;
		case 'bigint':
			return intType;
		case 'number':
			return Number.isInteger(value) ? intType : floatType;
		case 'function':
			return typeOfText('func()');
	}
	if (value === null || value === undefined) return undefined;
	if (value instanceof Typed) return value.type;
	if (value instanceof Struct) return {kind: 'pointer', name: value.type};
	return Array.isArray(value) ? plainList : plainMap;
}

/** What is inside of the wrapping. */
export const dataOf = (value: unknown): unknown => (value instanceof Typed ? value.data : value);

export const typeName = (value: unknown): string => typeOf(value)?.name ?? '<nil>';

/** Follows pointers and what elements hold; `nil` when there is one that leads nowhere. */
export function indirect(value: unknown): {value: unknown; nil: boolean} {
	let current = value;
	while (current instanceof Typed && (current.type.kind === 'pointer' || current.type.kind === 'interface')) {
		if (current.data === undefined || current.data === null) return {value: current, nil: true};
		current =
			current.type.kind === 'pointer' ? typed(current.type.elem!, current.data, true) : settled(current);
	}
	return {value: current, nil: false};
}

export const isNil = (value: unknown): boolean =>
	value === undefined ||
	value === null ||
	(value instanceof Typed && (value.data === undefined || value.data === null));

/** The elements of a list. */
export function elements(value: unknown): unknown[] {
	const type = typeOf(value)!;
	const data = (dataOf(value) ?? []) as unknown[];
	if (!(value instanceof Typed)) return data;
	const list = data.map((item) => typed(type.elem!, item, true));
	while (type.kind === 'array' && list.length < type.length!) list.push(typed(type.elem!, undefined));
	return list;
}

/** Go's order of texts: by bytes. */
export const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The pairs of a map, in the order of the keys. */
export function entriesOf(value: unknown): [key: unknown, element: unknown][] {
	const data = (dataOf(value) ?? {}) as Record<string, unknown>;
	const type = typeOf(value)!;
	return Object.keys(data)
		.sort(byBytes)
		.map((key) => [typed(type.key!, key), typed(type.elem!, data[key])]);
}

export function lengthOf(value: unknown): number {
	const data = dataOf(value);
	if (typeof data === 'string') return Buffer.byteLength(data);
	if (value instanceof Typed && value.type.kind === 'array') return value.type.length!;
	if (Array.isArray(data)) return data.length;
	return data === undefined || data === null ? 0 : Object.keys(data).length;
}

export function mapElement(value: unknown, key: string): unknown {
	const data = dataOf(value) as Record<string, unknown> | undefined;
	if (!data || !Object.hasOwn(data, key)) return undefined;
	// What is there, but null, is a nil of its type.
	return typed(typeOf(value)!.elem!, data[key]);
}

export const hasKey = (value: unknown, key: string): boolean => {
	const data = (dataOf(value) ?? {}) as Record<string, unknown>;
	return Object.hasOwn(data, key) && data[key] !== undefined;
};

export function fieldValue(value: unknown, path: readonly Field[]): unknown {
	let data = dataOf(value) as Record<string, unknown>;
	const last = path.at(-1)!;
	for (const field of path) {
		if (field === last) break;
		// The fields of an embedded struct are among the others in JSON.
		if (!field.embedded) data = (data[field.json] ?? {}) as Record<string, unknown>;
	}
	const addressable = value instanceof Typed && value.addressable;
	return typed(last.type, last.embedded ? data : data[last.json], addressable);
}

/** Go's template truth. */
export function isTrue(given: unknown): boolean {
	const value = settled(given);
	const type = typeOf(value);
	if (!type) return false;
	switch (type.kind) {
		case 'bool':
			return Boolean(dataOf(value));
		case 'int':
		case 'uint':
		case 'float':
			return Number(dataOf(value)) !== 0;
		case 'string':
		case 'array':
		case 'slice':
		case 'map':
			return lengthOf(value) > 0;
		case 'struct':
			return true;
		default:
			return value instanceof Struct || !isNil(value);
	}
}
