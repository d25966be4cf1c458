/**
 * The row format of the command table, and its reading. The table is docker's: every command and flag that
 * docker has, with a mark for what wherry does by now, so that a known flag is told from a wrong one.
 *
 * A flag is written `MARKS SHORT/NAME:TYPE=DEFAULT`: `+` supported, `~` hidden in help; no type is a bool.
 * `@other command` stands for that command's flags. `args` is the accepted number of arguments, -1 for any;
 * a command without it is known but not supported.
 */
export interface CommandRow {
	usage: string;
	args?: readonly [number, number];
	flags?: string;
}

export type CommandRows = Record<string, CommandRow>;

export interface FlagSpec {
	name: string;
	short: string | undefined;
	/** pflag's type name, as help shows it: `string`, `bool`, `list`, `bytes`, `duration`, ... */
	type: string;
	default: string | undefined;
	supported: boolean;
	hidden: boolean;
}

/** Read by hand: a pattern would have to be compiled by each command anew, for more than a hundred words. */
function readFlag(word: string): FlagSpec {
	let start = 0;
	while (word[start] === '+' || word[start] === '~') start++;
	const marks = word.slice(0, start);
	const short = word[start + 1] === '/' ? word[start] : undefined;
	if (short !== undefined) start += 2;
	const equals = word.indexOf('=', start);
	const end = equals < 0 ? word.length : equals;
	const colon = word.slice(start, end).indexOf(':');
	return {
		name: word.slice(start, colon < 0 ? end : start + colon),
		short,
		type: colon < 0 ? 'bool' : word.slice(start + colon + 1, end),
		default: equals < 0 ? undefined : word.slice(equals + 1),
		supported: marks.includes('+'),
		hidden: marks.includes('~'),
	};
}

export function readFlags(rows: CommandRows, row: CommandRow): FlagSpec[] {
	let text = row.flags ?? '';
	if (text.startsWith('@')) text = rows[text.slice(1)]!.flags!;
	return text.replaceAll('\n', ' ').replaceAll('\t', ' ').split(' ').filter(Boolean).map(readFlag);
}

/** Flags that docker has given up but still takes, and what it says about them. */
export const deprecations: Record<string, string> = {
	'kernel-memory': 'and no longer supported by the kernel',
	'disable-content-trust': 'support for docker content trust was removed',
	time: 'use --timeout instead',
};
