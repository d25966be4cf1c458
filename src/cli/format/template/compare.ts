/** Go's comparisons in templates. */
import {dataOf, isNil, settled, typeOf} from './go-value.ts';
import {goPrint} from './print.ts';

type Basic = 'bool' | 'int' | 'uint' | 'float' | 'string';

function basicKind(value: unknown): Basic | undefined {
	const kind = typeOf(value)?.kind;
	return kind === 'bool' || kind === 'int' || kind === 'uint' || kind === 'float' || kind === 'string'
		? kind
		: undefined;
}

const whole = (kind: Basic | undefined): boolean => kind === 'int' || kind === 'uint';

/** Whether the first is equal to one of the others. */
export function equal(given: unknown, ...others: unknown[]): boolean {
	const first = settled(given);
	if (others.length === 0) throw new Error('missing argument for comparison');
	const kind = basicKind(first);
	for (const each of others) {
		const other = settled(each);
		const otherKind = basicKind(other);
		if (kind !== otherKind && !(whole(kind) && whole(otherKind))) {
			if (typeOf(first) && typeOf(other)) throw new Error('incompatible types for comparison');
			continue;
		}
		if (kind === undefined ? sameObject(first, other) : sameValue(dataOf(first), dataOf(other))) return true;
	}
	return false;
}

// A bigint and a number may be the same number.
const sameValue = (a: unknown, b: unknown): boolean =>
	typeof a === typeof b ? a === b : Number(a) === Number(b);

function sameObject(first: unknown, other: unknown): boolean {
	const [type, otherType] = [typeOf(first), typeOf(other)];
	if (!type || !otherType) return type === otherType;
	for (const [value, {kind, name}] of [
		[first, type],
		[other, otherType],
	] as const) {
		if ((kind === 'slice' || kind === 'map' || kind === 'func') && !isNil(value))
			throw new Error(`non-comparable type ${goPrint(value)}: ${name}`);
	}
	if (isNil(first) || isNil(other)) return isNil(first) === isNil(other);
	return type.name === otherType.name && dataOf(first) === dataOf(other);
}

export function less(given: unknown, than: unknown): boolean {
	const [a, b] = [settled(given), settled(than)];
	const [kind, otherKind] = [basicKind(a), basicKind(b)];
	if (!kind || !otherKind) throw new Error('invalid type for comparison');
	if (kind !== otherKind && !(whole(kind) && whole(otherKind)))
		throw new Error('incompatible types for comparison');
	const [x, y] = [dataOf(a), dataOf(b)];
	switch (kind) {
		case 'bool':
			throw new Error('invalid type for comparison');
		case 'string':
			return Buffer.compare(Buffer.from(x as string), Buffer.from(y as string)) < 0;
		default:
			return (x as number) < (y as number);
	}
}
