/**
 * JSON with 64-bit integers. Seccomp values and resource limits of the OCI formats are 64 bits wide, more
 * than a double holds exactly: such a number is a bigint here and digits in the text.
 */
interface SourceContext {
	readonly source?: string;
}

type SourceReviver = (this: unknown, key: string, value: unknown, context: SourceContext) => unknown;

const rawJson = (JSON as unknown as {rawJSON(text: string): unknown}).rawJSON;

/** Parses; integers beyond 2^53 become bigint. */
export function parseOciJson(text: string): unknown {
	// Without a long run of digits nothing can be too wide, and a reviver costs several times the parsing.
	if (!/\d{16}/.test(text)) return JSON.parse(text);
	const reviver: SourceReviver = (_key, value, {source}) =>
		typeof value === 'number' &&
		!Number.isSafeInteger(value) &&
		source !== undefined &&
		/^-?\d+$/.test(source)
			? BigInt(source)
			: value;
	return JSON.parse(text, reviver as (this: unknown, key: string, value: unknown) => unknown);
}

/** Prints with the given indentation; a bigint becomes an integer. */
export function printOciJson(value: unknown, indent?: string): string {
	try {
		// A replacer costs several times the printing, and nearly nothing has such an integer.
		return JSON.stringify(value, null, indent);
	} catch (error) {
		if (!(error instanceof TypeError)) throw error;
	}
	return JSON.stringify(
		value,
		(_key, field: unknown) => (typeof field === 'bigint' ? rawJson(field.toString()) : field),
		indent,
	);
}
