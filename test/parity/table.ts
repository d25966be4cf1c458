/**
 * The format of the tables: lines of shell in which `docker` is the engine at hand. Each line is run once by docker
 * and once by wherry, one after the other within a table, and everything that they say is compared.
 */

/** A line for which wherry shall not say what docker 20.10 says, and why. */
export interface Difference {
	line: string;
	/** The reason: what newer docker does, or what can't be the same without a daemon. */
	because: string;
	/** What wherry says instead, masked; absent parts are compared with docker's. */
	code?: number;
	stdout?: string | RegExp;
	stderr?: string | RegExp;
	/** Standard error is not compared at all: it has wording of the kernel or of runc. */
	anyError?: true;
}

export type Pair = string | Difference;

export interface Table {
	name: string;
	/** Run once before the lines; has to succeed. */
	setup?: string;
	pairs: readonly Pair[];
	/**
	 * The tests hold wherry against docker's recorded answers: for tables that are quick, and whose answers don't
	 * depend on the host's processors, cgroups and capabilities.
	 */
	recorded?: true;
	/** wherry can't do this yet, and why: what differs is counted, but is no failure. */
	pending?: string;
}

export const lineOf = (pair: Pair): string => (typeof pair === 'string' ? pair : pair.line);

/** What a line came to. */
export interface Answer {
	code: number;
	stdout: string;
	stderr: string;
}

/** One pair for each line of a text; backslashes are the shell's. */
export function lines(text: TemplateStringsArray): string[] {
	return text.raw[0]!.split('\n')
		.map((line) => line.trim())
		.filter((line) => line !== '');
}

/** A pair for each word of a text. */
export const each = (words: string, line: (word: string) => string): string[] =>
	words.trim().split(/\s+/).map(line);

/** Where words are parted by spaces, those of one command are joined by dots. */
export const spaced = (name: string): string => name.replaceAll('.', ' ');
