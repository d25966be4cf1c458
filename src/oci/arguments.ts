/** The command line of OCI runtimes: options before the arguments, `--name value`, `--name=value`, `-n value`. */

/** Options by name: whether they take a value, any number of values, or none. `p|pid-file` has a short form. */
export type OptionTable = Readonly<Record<string, 'flag' | 'value' | 'list'>>;

export class UsageError extends Error {}

export class Arguments {
	readonly words: string[] = [];
	readonly #values = new Map<string, string[]>();

	flag(name: string): boolean {
		const value = this.#values.get(name)?.at(-1);
		return value !== undefined && value !== 'false';
	}

	value(name: string): string | undefined {
		return this.#values.get(name)?.at(-1);
	}

	list(name: string): readonly string[] {
		return this.#values.get(name) ?? [];
	}

	add(name: string, value: string): void {
		const values = this.#values.get(name);
		if (values) values.push(value);
		else this.#values.set(name, [value]);
	}
}

/**
 * Reads options until `leading` words have been seen (undefined: everywhere); what follows are words as they
 * are. Throws UsageError.
 */
export function parseArguments(
	argv: readonly string[],
	table: OptionTable,
	leading?: number,
): {parsed: Arguments; used: number} {
	const names = new Map<string, string>();
	for (const key of Object.keys(table)) {
		const parts = key.split('|');
		for (const part of parts) names.set(part, key);
	}
	const parsed = new Arguments();
	let at = 0;
	for (; at < argv.length; at++) {
		if (leading !== undefined && parsed.words.length >= leading) break;
		const word = argv[at]!;
		if (word === '--') {
			parsed.words.push(...argv.slice(at + 1));
			return {parsed, used: argv.length};
		}
		if (!word.startsWith('-') || word === '-') {
			parsed.words.push(word);
			continue;
		}
		const equals = word.indexOf('=');
		const name = word.slice(word.startsWith('--') ? 2 : 1, equals < 0 ? undefined : equals);
		const key = names.get(name);
		if (key === undefined) throw new UsageError(`flag provided but not defined: ${word}`);
		const long = key.split('|').at(-1)!;
		if (equals >= 0) parsed.add(long, word.slice(equals + 1));
		else if (table[key] === 'flag') parsed.add(long, 'true');
		else if (at + 1 < argv.length) parsed.add(long, argv[++at]!);
		else throw new UsageError(`flag needs an argument: ${word}`);
	}
	return {parsed, used: at};
}
