/** What a command line of ps(1) asks for. */
import {Parser} from './arguments.ts';
import {findFormat, formatGroups} from './formats.ts';
import {
	fail,
	type Options,
	type PsColumn,
	PsError,
	parseFormat,
	type SortKey,
	type ThreadFlag,
} from './options.ts';
import type {Process, PsHost} from './process.ts';

export interface PsRequest {
	readonly columns: readonly PsColumn[];
	readonly header: boolean;
	readonly selects: (process: Process) => boolean;
	readonly sort: readonly SortKey[];
	/** Children below their parents, with branches or without. */
	readonly forest: 'none' | 'drawn' | 'ordered';
	/** A line for each thread, or for each process and its threads. */
	readonly threads: 'none' | 'each' | 'both';
	readonly environment: boolean;
	/** The true name instead of the arguments. */
	readonly nameOnly: boolean;
}

/** The columns of `-f`, `-l` and what changes them, from the first to the last. */
function unixColumns({styles, modifiers, threads: flags, bsd}: Options): string[] {
	const [full, long] = [styles.has('f'), styles.has('l')];
	if (modifiers.has('y') && !long) fail('modifier -y without format -l makes no sense');
	const names: string[] = [];
	const add = (condition: boolean, ...more: string[]): void => {
		if (condition) names.push(...more);
	};
	add(modifiers.has('M'), 'label');
	add(long && !modifiers.has('y'), 'f');
	add(long, 's');
	add(full, 'uid_hack');
	add(long && !full, 'uid');
	add(true, 'pid');
	add(flags.has('T'), 'spid');
	add(full || long, 'ppid');
	add(modifiers.has('j'), 'pgid', 'sid');
	add(flags.has('L'), 'lwp');
	add(modifiers.has('P'), 'psr');
	add((full || long) && !modifiers.has('c'), 'c');
	add(flags.has('L') && full, 'nlwp');
	if (modifiers.has('c')) add(true, 'class', 'pri');
	else add(long, 'opri', 'ni');
	add(long, modifiers.has('y') ? 'rss' : 'addr');
	add(modifiers.has('F') || long, 'sz');
	add(long, 'wchan');
	add(modifiers.has('F') && !(long && modifiers.has('y')), 'rss');
	add(modifiers.has('F') && !modifiers.has('P'), 'psr');
	add(full, 'stime');
	add(true, 'tname');
	if (bsd) add(true, ...(long ? [] : ['stat']), 'bsdtime', full || long ? 'cmd' : 'args');
	else add(true, 'time', full ? 'cmd' : 'ucmd');
	return names;
}

function chooseColumns(options: Options): PsColumn[] {
	const {styles, modifiers, threads: flags} = options;
	if (options.formatGiven) {
		if (styles.size > 0) fail('conflicting format options');
		if (modifiers.size > 0) fail('can not use output modifiers with user-defined output');
		return options.columns;
	}
	const bsdStyles = [...styles].filter((style) => style !== 'f' && style !== 'l');
	if (bsdStyles.length > 1 || (bsdStyles.length > 0 && styles.size > 1)) fail('conflicting format options');
	const [chosen] = bsdStyles;
	if (!chosen) return parseFormat(unixColumns(options).join(','));
	const group = chosen.startsWith('bsd_') ? `${chosen.slice(4)}_bsd` : chosen;
	const columns = parseFormat(formatGroups[group]!);
	const insert = (after: string, name: string): void => {
		const index = columns.findIndex(({heading}) => heading === after);
		if (index >= 0) columns.splice(index + 1, 0, ...parseFormat(name));
	};
	if (flags.has('T')) insert('PID', 'spid');
	if (flags.has('L')) {
		insert('PID', 'lwp');
		insert('%CPU', 'nlwp');
	}
	if (modifiers.has('M')) columns.unshift(...parseFormat('label'));
	return columns;
}

function finish(options: Options): PsRequest {
	const {threads: flags} = options;
	const some = (...names: ThreadFlag[]): boolean => names.some((name) => flags.has(name));
	if (flags.size > 0 && options.forest !== 'none') fail('thread display conflicts with forest display');
	if (some('H') && some('m', '-m')) fail("thread flags conflict; can't use H with m or -m");
	if (some('m') && some('-m')) fail("thread flags conflict; can't use both m and -m");
	if (some('L') && some('T')) fail("thread flags conflict; can't use both -L and -T");
	let columns = chooseColumns(options);
	if (options.numeric) {
		const numbers: Record<string, string> = {USER: 'uid', UID: 'uid', EUSER: 'euid', RUSER: 'ruid'};
		columns = columns.map((each) =>
			each.format.text && numbers[each.format.heading]
				? {...each, format: findFormat(numbers[each.format.heading]!)!}
				: each,
		);
	}
	const {tests, all, negate: negated, running} = options;
	return {
		columns,
		header: options.header ?? true,
		selects: (process) => {
			if (running && process.state !== 'R' && process.state !== 'D') return false;
			const chosen = all || tests.length === 0 || tests.some((test) => test(process));
			// Without anything that selects there is nothing to be negated.
			return negated && (all || tests.length > 0) ? !chosen : chosen;
		},
		sort: options.sort,
		forest: options.forest,
		threads: some('m', '-m') ? 'both' : flags.size > 0 ? 'each' : 'none',
		environment: options.environment,
		nameOnly: options.nameOnly,
	};
}

/** With these alone ps tells of itself, not of any process. */
const withoutProcesses = new Set(['-V', 'V', 'L', '--help', '--info', '--version']);

/**
 * Options with a dash are read as Unix has them; when that makes no sense, once more as BSD has them. Throws
 * PsError with what ps would say.
 */
export function parsePsArguments(args: readonly string[], host: PsHost): PsRequest {
	if (args.length === 1 && withoutProcesses.has(args[0]!)) {
		return {...finish(new Parser([], host, false).parse()), columns: []};
	}
	try {
		return finish(new Parser(args, host, false).parse());
	} catch (error) {
		if (!(error instanceof PsError)) throw error;
		try {
			return finish(new Parser(args, host, true).parse());
		} catch {
			// The first reading is the one that is explained.
			throw error;
		}
	}
}
