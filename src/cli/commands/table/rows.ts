/**
 * The command table and its reading. The table is docker's: every command and flag that docker has, with a mark for
 * what wherry does by now, so that a known flag is told from a wrong one. It is text, of which a command line reads
 * the one row that it needs:
 *
 *     NAME | LEAST MOST | USAGE
 *     	| MORE USAGE
 *     	MARKS SHORT/NAME:TYPE=DEFAULT ...
 *
 * LEAST and MOST are the accepted number of arguments, -1 for any; with `-` in their place a command is known but not
 * supported. Of a flag's marks `+` is supported, `~` hidden in help; no type is a bool. `@other command` stands for
 * that command's flags. The name of the flags before a command is empty.
 */
export interface CommandRow {
	usage: string;
	args?: readonly [number, number];
	/** As they are written. */
	flags: string;
}

export type CommandRows = Record<string, CommandRow>;

/** `start` is that of a row's first line, after its name. */
function readRow(table: string, start: number): CommandRow {
	const [head, ...more] = table.slice(start, rowEnd(table, start)).split('\n') as [string, ...string[]];
	// By hand, as all here: a pattern would have to be compiled by each command anew.
	const bar = head.indexOf(' |', 3);
	const args = head.slice(3, bar);
	const lines = more.map((line) => line.slice(1));
	const isUsage = (line: string): boolean => line.startsWith('| ');
	const [least, most] = args.split(' ').map(Number);
	return {
		usage: [head.slice(bar + 3), ...lines.filter(isUsage).map((line) => line.slice(2))].join('\n\t'),
		...(args === '-' ? {} : {args: [least!, most!]}),
		flags: lines.filter((line) => !isUsage(line)).join(' '),
	};
}

function rowEnd(table: string, start: number): number {
	let end = table.indexOf('\n', start);
	while (table[end + 1] === '\t') end = table.indexOf('\n', end + 1);
	return end;
}

/** The row of one command. */
export function findRow(table: string, name: string): CommandRow | undefined {
	const start = table.indexOf(`\n${name} | `);
	return start < 0 ? undefined : readRow(table, start + 1 + name.length);
}

/** Whether there are commands below `name`. */
export function hasBelow(table: string, name: string): boolean {
	const below = `\n${name} `;
	for (let at = table.indexOf(below); at >= 0; at = table.indexOf(below, at + 1))
		if (table[at + below.length] !== '|') return true;
	return false;
}

/** All rows, in their order. */
export function readTable(table: string): CommandRows {
	const rows: CommandRows = {};
	for (let start = 1; start < table.length; start = rowEnd(table, start) + 1) {
		const name = table.slice(start, table.indexOf(' | ', start));
		rows[name] = readRow(table, start + name.length);
	}
	return rows;
}

export interface FlagSpec {
	name: string;
	short: string | undefined;
	/** pflag's type name, as help shows it: `string`, `bool`, `list`, `bytes`, `duration`, ... */
	type: string;
	default: string | undefined;
	supported: boolean;
	hidden: boolean;
}

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

/** What the flags of a row are, `@` resolved. */
export const readFlags = ({flags}: CommandRow): FlagSpec[] => flags.split(' ').filter(Boolean).map(readFlag);

/** Flags that docker has given up but still takes, and what it says about them. */
export const deprecations: Record<string, string> = {
	'kernel-memory': 'and no longer supported by the kernel',
	'disable-content-trust': 'support for docker content trust was removed',
	time: 'use --timeout instead',
};
