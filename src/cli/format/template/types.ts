/**
 * Go's types, as far as templates show them: in what they print, in what a field or an argument may be, and in
 * errors. A value's type is known when docker decodes its API into a struct; everything else has the type that a
 * value of JavaScript stands for.
 */
export type Kind =
	| 'bool'
	| 'string'
	| 'int'
	| 'uint'
	| 'float'
	| 'array'
	| 'slice'
	| 'map'
	| 'struct'
	| 'pointer'
	| 'interface'
	| 'func';

export interface Field {
	/** Go's name. */
	readonly name: string;
	/** The key in JSON. */
	readonly json: string;
	readonly type: GoType;
	readonly omitEmpty: boolean;
	/** Its fields are those of the struct, too. */
	readonly embedded: boolean;
}

export interface Method {
	/** Types of its arguments. */
	readonly params: readonly string[];
	readonly call: (data: unknown, ...args: never[]) => unknown;
}

export interface GoType {
	readonly kind: Kind;
	/** As %T prints it. */
	readonly name: string;
	/** Of a slice, an array, a map, a pointer. */
	readonly elem?: GoType;
	/** Of a map. */
	readonly key?: GoType;
	readonly length?: number;
	readonly fields?: readonly Field[];
	readonly methods?: Readonly<Record<string, Method>>;
	/** Its String method. */
	readonly text?: (data: unknown) => string;
}

export interface NamedOptions {
	methods?: Readonly<Record<string, Method>>;
	text?: (data: never) => string;
}

const basic: Record<string, GoType> = {};
for (const [kind, names] of [
	['bool', ['bool']],
	['string', ['string']],
	['int', ['int', 'int8', 'int16', 'int32', 'int64']],
	['uint', ['uint', 'uint8', 'uint16', 'uint32', 'uint64']],
	['float', ['float64', 'float32']],
	['func', ['func()']],
] as const) {
	for (const name of names) basic[name] = {kind, name};
}

export const anyType: GoType = {kind: 'interface', name: 'interface {}'};
export const stringType = basic.string!;
export const boolType = basic.bool!;
export const intType = basic.int!;
export const floatType = basic.float64!;
/** Numbers of JSON that was decoded without a type keep their text. */
export const jsonNumber: GoType = {kind: 'string', name: 'json.Number'};

const emptyStruct: GoType = {kind: 'struct', name: 'struct {}', fields: []};

interface Definition extends NamedOptions {
	source: string;
}

const definitions = new Map<string, Definition>();

/**
 * Makes named types known. A struct is a list of `Name:type`, `Name=json:type` where the key in JSON differs,
 * `Name?:type` for one that JSON leaves out when it is empty, and `^:type` for an embedded one. Any other type
 * is `=type`.
 */
export function define(types: Readonly<Record<string, string>>): void {
	for (const [name, text] of Object.entries(types))
		definitions.set(name, {...definitions.get(name), source: text});
}

/** What a named type can do; before or after its definition, but before its first use. */
export function extend(name: string, options: NamedOptions): void {
	definitions.set(name, {source: '', ...definitions.get(name), ...options});
}

const made = new Map<string, GoType>();

/** The type of an expression: `*int`, `[]string`, `map[string]container.State`, `[2]uint`. */
export function typeOfText(text: string): GoType {
	const known = basic[text] ?? made.get(text);
	if (known) return known;
	const type = build(text);
	made.set(text, type);
	return type;
}

function build(text: string): GoType {
	if (text === 'any') return anyType;
	if (text === 'struct{}') return emptyStruct;
	if (text.startsWith('*')) return lazy('pointer', '*', text.slice(1));
	if (text.startsWith('[]')) return lazy('slice', '[]', text.slice(2));
	const array = /^\[(\d+)\](.*)$/.exec(text);
	if (array) {
		const elem = typeOfText(array[2]!);
		return {kind: 'array', name: `[${array[1]}]${elem.name}`, elem, length: Number(array[1])};
	}
	const map = /^map\[([^\]]*)\](.*)$/.exec(text);
	if (map) {
		const [key, elem] = [typeOfText(map[1]!), typeOfText(map[2]!)];
		return {kind: 'map', name: `map[${key.name}]${elem.name}`, key, elem};
	}
	const definition = definitions.get(text);
	if (!definition) throw new Error(`no such type: ${text}`);
	return named(text, definition);
}

const nameOf = (text: string): string =>
	definitions.has(text) ? text : text === 'any' ? anyType.name : typeOfText(text).name;

/** Types may refer to themselves, so elements are looked up at their first use. */
function lazy(kind: Kind, prefix: string, text: string): GoType {
	return {
		kind,
		name: prefix + nameOf(text),
		get elem() {
			return typeOfText(text);
		},
	};
}

function named(name: string, {source, methods, text}: Definition): GoType {
	const more = {
		...(methods ? {methods} : {}),
		...(text ? {text: text as (data: unknown) => string} : {}),
	};
	if (source.startsWith('=')) return {...typeOfText(source.slice(1)), name, ...more};
	return {kind: 'struct', name, fields: source.split(/\s+/).filter(Boolean).map(readField), ...more};
}

function readField(text: string): Field {
	const match = /^(\^|\w+)(?:=([\w.]+))?(\?)?:(.+)$/.exec(text);
	if (!match) throw new Error(`not a field: ${text}`);
	const [, name = '', json, optional, source = ''] = match;
	const embedded = name === '^';
	const own = embedded ? source.replace(/^\*/, '').split('.').at(-1)! : name;
	const type = typeOfText(source);
	return {name: own, json: json ?? own, type, omitEmpty: optional !== undefined, embedded};
}

/** A field with its path through embedded structs. */
export function findField(type: GoType, name: string): Field[] | undefined {
	for (const field of type.fields ?? []) if (field.name === name) return [field];
	for (const field of type.fields ?? []) {
		if (!field.embedded) continue;
		const inner = findField(field.type.kind === 'pointer' ? field.type.elem! : field.type, name);
		if (inner) return [field, ...inner];
	}
	return undefined;
}

export const canBeNil = ({kind}: GoType): boolean =>
	['slice', 'map', 'pointer', 'interface', 'func'].includes(kind);
