/**
 * The options of ps(1), in all of its three styles (`-ef`, `aux`, `--format pid`), as procps has them. What selects
 * processes selects among the container's; what is about a screen has nothing to do.
 */
import {fail, type Modifier, Options, type Style, type ThreadFlag, Values} from './options.ts';
import type {PsHost} from './process.ts';

type Flag = (values: Values) => void;
/** What must follow, and what is done with it. */
type List = readonly [what: string, take: (values: Values, text: string) => void];

const ignored: Flag = () => {};
const style =
	(name: Style): Flag =>
	({options}) => {
		options.styles.add(name);
	};
const modifier =
	(name: Modifier): Flag =>
	({options}) => {
		options.modifiers.add(name);
	};
const threads =
	(name: ThreadFlag): Flag =>
	({options}) => {
		options.threads.add(name);
	};
const forest =
	(how: 'drawn' | 'ordered'): Flag =>
	({options}) => {
		options.forest = how;
	};
const every: Flag = ({options}) => {
	options.all = true;
};
const negate: Flag = ({options}) => {
	options.negate = true;
};

const exclusive =
	(option: string): Flag =>
	() =>
		fail(`the option is exclusive: ${option}`);

const pids: List = ['list of process IDs', (values, text) => values.pids(text)];

const unixFlags: Record<string, Flag> = {
	A: every,
	F: (values) => {
		modifier('F')(values);
		style('f')(values);
	},
	H: forest('ordered'),
	L: threads('L'),
	M: modifier('M'),
	N: negate,
	P: modifier('P'),
	T: threads('T'),
	V: exclusive('-V'),
	Z: modifier('M'),
	a: ignored,
	c: modifier('c'),
	d: ignored,
	e: every,
	f: style('f'),
	j: modifier('j'),
	l: style('l'),
	m: threads('-m'),
	w: ignored,
	x: () => fail('must set personality to get -x option'),
	y: modifier('y'),
	'-': () => fail("embedded '-' among SysV options makes no sense"),
};

const unixLists: Record<string, List> = {
	C: ['list of command names', (values, text) => values.names(text)],
	G: ['list of real groups', (values, text) => values.groups(text, 0)],
	O: ['format or sort specification', (values, text) => values.wrapped(text)],
	U: ['list of real users', (values, text) => values.users(text, 0)],
	g: ['list of session leaders OR effective group names', (values, text) => values.sessionsOrGroups(text)],
	o: ['format specification', (values, text) => values.format(text)],
	p: pids,
	q: pids,
	s: ['list of session IDs', (values, text) => values.sessions(text)],
	t: ['list of terminals (pty, tty...)', (values, text) => values.terminals(text)],
	u: ['list of users', (values, text) => values.users(text, 1)],
};

const bsdFlags: Record<string, Flag> = {
	H: threads('H'),
	L: exclusive('L'),
	M: threads('m'),
	S: ignored,
	T: (values) => values.withoutTerminal(),
	V: exclusive('V'),
	W: () => fail('obsolete W option not supported (you have a /dev/drum?)'),
	X: style('x_linux'),
	Z: modifier('M'),
	a: ignored,
	c: ({options}) => {
		options.nameOnly = true;
	},
	e: ({options}) => {
		options.environment = true;
	},
	f: forest('drawn'),
	g: ignored,
	h: (values) => values.heading(false),
	j: style('bsd_j'),
	l: style('bsd_l'),
	m: threads('m'),
	n: ({options}) => {
		options.numeric = true;
	},
	r: ({options}) => {
		options.running = true;
	},
	s: style('bsd_s'),
	u: style('bsd_u'),
	v: style('bsd_v'),
	w: ignored,
	x: ignored,
	'-': () => fail("embedded '-' among BSD options makes no sense"),
};

const bsdLists: Record<string, List> = {
	O: ['format or sort specification', (values, text) => values.sortOrWrapped(text)],
	U: ['list of users', (values, text) => values.users(text, 1)],
	k: ['long sort specification', (values, text) => values.sort(text)],
	o: ['format specification', (values, text) => values.format(text)],
	p: pids,
	q: pids,
	t: ['list of terminals', (values, text) => values.terminals(text)],
};

const columnsMessage = 'number of columns must follow --cols, --width, or --columns';
const rowsMessage = 'number of rows must follow --rows or --lines';
const columnCount: List = ['number of columns', (values, text) => values.size(text, columnsMessage)];
const rowCount: List = ['number of rows', (values, text) => values.size(text, rowsMessage)];

const longLists: Record<string, List> = {
	Group: ['list of real groups', (values, text) => values.groups(text, 0)],
	User: ['list of real users', (values, text) => values.users(text, 0)],
	cols: columnCount,
	columns: columnCount,
	format: ['format specification', (values, text) => values.format(text)],
	group: ['list of effective groups', (values, text) => values.groups(text, 1)],
	lines: rowCount,
	pid: pids,
	ppid: ['list of process IDs', (values, text) => values.pids(text, (process) => process.stat('ppid'))],
	'quick-pid': pids,
	rows: rowCount,
	sid: ['some sid thing(s)', (values, text) => values.sessions(text)],
	sort: ['long sort specification', (values, text) => values.sort(text)],
	tty: ['list of ttys', (values, text) => values.terminals(text)],
	user: ['list of effective users', (values, text) => values.users(text, 1)],
	width: columnCount,
};

const longFlags: Record<string, Flag> = {
	context: style('context'),
	cumulative: ignored,
	deselect: negate,
	forest: forest('drawn'),
	info: exclusive('--info'),
	version: exclusive('--version'),
};

export class Parser {
	readonly #values: Values;
	readonly #args: readonly string[];
	readonly #asBsd: boolean;
	#at = 0;

	constructor(args: readonly string[], host: PsHost, asBsd: boolean) {
		this.#args = args;
		this.#asBsd = asBsd;
		this.#values = new Values(new Options(), host);
	}

	parse(): Options {
		const {options} = this.#values;
		options.bsd = this.#asBsd;
		for (; this.#at < this.#args.length; this.#at++) {
			const word = this.#args[this.#at]!;
			if (/^--[a-z]/i.test(word)) this.#long(word);
			else if (/^-[a-z]/i.test(word)) this.#cluster(word.slice(1), this.#asBsd);
			else if (/^[a-z]/i.test(word)) {
				if (this.#asBsd) fail('way bad');
				options.bsd = true;
				this.#cluster(word, true);
			} else if (/^[+-]?\d/.test(word)) {
				this.#trailing();
				break;
			} else fail('garbage option');
		}
		return options;
	}

	#cluster(word: string, bsd: boolean): void {
		const [flags, lists] = bsd ? [bsdFlags, bsdLists] : [unixFlags, unixLists];
		for (let at = 0; at < word.length; at++) {
			const letter = word[at]!;
			if (Object.hasOwn(flags, letter)) {
				flags[letter]!(this.#values);
				continue;
			}
			const rest = word.slice(at + 1);
			// BSD's old `t` alone is the caller's own terminal, which here is none.
			if (bsd && letter === 't' && rest === '' && !this.#args[this.#at + 1]) {
				this.#values.withoutTerminal();
			} else if (Object.hasOwn(lists, letter)) {
				const [what, take] = lists[letter]!;
				const text = rest || this.#args[++this.#at];
				take(this.#values, text || fail(`${what} must follow ${bsd ? '' : '-'}${letter}`));
			} else if (bsd && /\d/.test(letter)) this.#values.pids(word.slice(at));
			else fail(bsd ? 'unsupported option (BSD syntax)' : 'unsupported SysV option');
			return;
		}
	}

	#long(word: string): void {
		const [, name = '', given] = /^--([^:=]*)(?:[:=](.*))?$/s.exec(word) ?? [];
		if (Object.hasOwn(longLists, name)) {
			const [what, take] = longLists[name]!;
			const text = given === undefined ? this.#args[++this.#at] : given;
			take(this.#values, text || fail(`${what} must follow --${name}`));
			return;
		}
		const heading = /^(no-?)?head(?:er|ing)s?$/.exec(name);
		if (!heading && !Object.hasOwn(longFlags, name)) fail('unknown gnu long option');
		if (given !== undefined) fail(`option --${name} does not take an argument`);
		if (heading) this.#values.heading(heading[1] === undefined);
		else longFlags[name]!(this.#values);
	}

	/** Process ids at the end; `-` before one is a group, `+` a session. */
	#trailing(): void {
		this.#values.options.bsd = true;
		for (const word of this.#args.slice(this.#at)) {
			if (word.startsWith('-')) this.#values.pids(word.slice(1), (process) => process.stat('pgrp'));
			else if (word.startsWith('+')) this.#values.sessions(word.slice(1));
			else this.#values.pids(word);
		}
	}
}
