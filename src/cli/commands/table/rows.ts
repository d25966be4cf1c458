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

const flagPattern = /^([+~]*)(?:(.)\/)?([a-z0-9-]+)(?::([A-Za-z0-9-]+))?(?:=(.*))?$/;

export function readFlags(rows: CommandRows, row: CommandRow): FlagSpec[] {
	let text = row.flags ?? '';
	if (text.startsWith('@')) text = rows[text.slice(1)]!.flags!;
	const flags: FlagSpec[] = [];
	for (const word of text.split(/\s+/)) {
		if (word === '') continue;
		const match = flagPattern.exec(word);
		if (!match) throw new Error(`bad flag in the command table: ${word}`);
		const [, marks, short, name, type, value] = match;
		flags.push({
			name: name!,
			short,
			type: type ?? 'bool',
			default: value,
			supported: marks!.includes('+'),
			hidden: marks!.includes('~'),
		});
	}
	return flags;
}

/** Flags that docker has given up but still takes, and what it says about them. */
export const deprecations: Record<string, string> = {
	'kernel-memory': 'and no longer supported by the kernel',
	'disable-content-trust': 'support for docker content trust was removed',
	time: 'use --timeout instead',
	pause: 'and enabled by default. Use --no-pause to disable pausing during commit.',
};
