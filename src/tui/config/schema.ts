/** Checks a value against a JSON schema (draft 7), as far as schema.json uses it. Pure. */

export interface Schema {
	$ref?: string;
	type?: string | readonly string[];
	enum?: readonly unknown[];
	pattern?: string;
	minLength?: number;
	minItems?: number;
	minimum?: number;
	maximum?: number;
	items?: Schema;
	properties?: Readonly<Record<string, Schema>>;
	required?: readonly string[];
	additionalProperties?: boolean | Schema;
	definitions?: Readonly<Record<string, Schema>>;
	description?: string;
}

export interface Problem {
	/** `/keys/container.stop` */
	path: string;
	message: string;
}

const WORDS: Readonly<Record<string, string>> = {
	object: 'an object',
	array: 'a list',
	string: 'a text',
	integer: 'a whole number',
	number: 'a number',
	boolean: 'true or false',
	null: 'null',
};

function typeOf(value: unknown): string {
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'array';
	if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
	return typeof value;
}

export function check(value: unknown, schema: Schema, root: Schema = schema, path = ''): Problem[] {
	if (schema.$ref !== undefined) {
		const target = root.definitions![schema.$ref.replace('#/definitions/', '')]!;
		return check(value, target, root, path);
	}
	const say = (message: string): Problem[] => [{path, message}];
	const type = typeOf(value);
	const types = schema.type === undefined ? undefined : [schema.type].flat();
	if (types && !types.some((one) => one === type || (one === 'number' && type === 'integer')))
		return say(`must be ${types.map((one) => WORDS[one]).join(' or ')}`);
	if (schema.enum && !schema.enum.includes(value))
		return say(`must be one of ${schema.enum.map((one) => JSON.stringify(one)).join(', ')}`);
	if (typeof value === 'string') return checkText(value, schema).flatMap(say);
	if (typeof value === 'number') {
		const {minimum = value, maximum = value} = schema;
		return value < minimum || value > maximum ? say(`must be from ${minimum} to ${maximum}`) : [];
	}
	if (Array.isArray(value)) {
		if (value.length < (schema.minItems ?? 0)) return say('must not be empty');
		const {items} = schema;
		return items ? value.flatMap((one, at) => check(one, items, root, `${path}/${at}`)) : [];
	}
	return type === 'object' ? checkObject(value as Record<string, unknown>, schema, root, path) : [];
}

function checkText(value: string, {pattern, minLength = 0, description = ''}: Schema): string[] {
	if (value.length < minLength) return ['must not be empty'];
	if (pattern === undefined || new RegExp(pattern, 'u').test(value)) return [];
	return [`${JSON.stringify(value)} is not right${description === '' ? '' : `: ${description}`}`];
}

function checkObject(value: Record<string, unknown>, schema: Schema, root: Schema, path: string): Problem[] {
	const {properties = {}, required = [], additionalProperties = true} = schema;
	const missing = required
		.filter((name) => !Object.hasOwn(value, name))
		.map((name) => ({path, message: `${name} is missing`}));
	const wrong = Object.entries(value).flatMap(([name, one]): Problem[] => {
		const below = `${path}/${name}`;
		const known = Object.hasOwn(properties, name) ? properties[name]! : additionalProperties;
		if (known === true) return [];
		if (known !== false) return check(one, known, root, below);
		const close = Object.keys(properties).find((other) => similar(other, name));
		const hint = close === undefined ? '' : `; did you mean ${close}?`;
		return [{path: below, message: `there is no such setting${hint}`}];
	});
	return [...missing, ...wrong];
}

/** One letter more, less, other, or in another case. */
function similar(a: string, b: string): boolean {
	const [short, long] = [a.toLowerCase(), b.toLowerCase()].sort((x, y) => x.length - y.length) as [
		string,
		string,
	];
	if (short === long) return true;
	if (long.length - short.length > 1 || short.length < 3) return false;
	let at = 0;
	while (at < short.length && short[at] === long[at]) at++;
	return short.slice(long.length === short.length ? at + 1 : at) === long.slice(at + 1);
}
