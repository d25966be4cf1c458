/** What the options of ps(1) come to while they are read, and how the lists and formats in them are read. */
import {findFormat, type PsFormat} from './formats.ts';
import type {Process, PsHost} from './process.ts';

export interface PsColumn {
	readonly format: PsFormat;
	/** Empty: none of its own. */
	heading: string;
	width: number;
}

export interface SortKey {
	readonly format: PsFormat;
	readonly descending: boolean;
}

/** In ps's words. */
export class PsError extends Error {}

export const fail = (message: string): never => {
	throw new PsError(message);
};

type Test = (process: Process) => boolean;

/** Flags that choose the columns; at most one of them, but for `-f` and `-l`. */
export type Style = 'f' | 'l' | 'bsd_j' | 'bsd_l' | 'bsd_s' | 'bsd_u' | 'bsd_v' | 'x_linux' | 'context';

export type Modifier = 'F' | 'M' | 'P' | 'c' | 'j' | 'y';
export type ThreadFlag = 'L' | 'T' | 'H' | 'm' | '-m';

export class Options {
	all = false;
	readonly tests: Test[] = [];
	negate = false;
	running = false;
	readonly styles = new Set<Style>();
	readonly modifiers = new Set<Modifier>();
	readonly threads = new Set<ThreadFlag>();
	header: boolean | undefined;
	forest: 'none' | 'drawn' | 'ordered' = 'none';
	environment = false;
	nameOnly = false;
	numeric = false;
	bsd = false;
	columns: PsColumn[] = [];
	formatGiven = false;
	readonly sort: SortKey[] = [];
	sortGiven = false;
}

function items(text: string, message: string): string[] {
	const list = text.split(/[ ,\t]/);
	if (list.some((item) => item === '')) fail(message);
	return list;
}

function pidList(text: string): number[] {
	return items(text, 'improper list').map((item) => {
		if (!/^(0x[0-9a-f]+|\d+)$/i.test(item)) fail('process ID list syntax error');
		const id = Number(item);
		return id < 1 || id > 0x7fffffff ? fail('process ID out of range') : id;
	});
}

function idList(text: string, names: ReadonlyMap<number, string>, kind: 'user' | 'group'): Set<number> {
	return new Set(
		items(text, 'improper list').map((item) => {
			if (/^\d+$/.test(item)) return Number(item);
			const found = [...names].find(([, name]) => name === item);
			return found ? found[0] : fail(`${kind} name does not exist`);
		}),
	);
}

/** Terminals of the host mean nothing in a container; `-` and `?` are none. */
function terminalTest(text: string): Test {
	const names = items(text, 'improper list').map((item) => item.replace(/^\/dev\//, ''));
	const format = findFormat('tname')!;
	return (process) => {
		const name = format.value(process, {} as PsHost);
		return names.some((wanted) => (wanted === '-' ? '?' : wanted) === name || `pts/${wanted}` === name);
	};
}

function column(format: PsFormat, heading?: string): PsColumn {
	return {format, heading: heading ?? format.heading, width: format.width};
}

/** `pid,user=NAME,args:40`. */
export function parseFormat(text: string): PsColumn[] {
	const list = text.split(/[ ,\t\n]/);
	if (list.length > 1 && list.at(-1) === '') list.pop();
	if (list.some((item) => item === '')) fail(text === '' ? 'empty format list' : 'improper format list');
	return list.flatMap((item) => {
		const equals = item.indexOf('=');
		const heading = equals < 0 ? undefined : item.slice(equals + 1);
		const [name, width] = (equals < 0 ? item : item.slice(0, equals)).split(/:(.*)/s, 2) as [string, string?];
		if (width !== undefined && !/^[1-9]\d*$/.test(width)) {
			fail('column widths must be unsigned decimal numbers');
		}
		const format = findFormat(name) ?? fail(`unknown user-defined format specifier ${JSON.stringify(name)}`);
		const result = column(format, heading);
		if (width !== undefined) result.width = Number(width);
		return [result];
	});
}

function parseSort(text: string): SortKey[] {
	const list = text.split(/[ ,\t\n]/);
	if (list.length > 1 && list.at(-1) === '') list.pop();
	if (list.some((item) => item === '')) fail(text === '' ? 'empty sort list' : 'improper sort list');
	return list.map((item) => {
		const format = findFormat(item.replace(/^[+-]/, '')) ?? fail('unknown sort specifier');
		return {format, descending: item.startsWith('-')};
	});
}

/** The letters of BSD's O. */
const shortSort: Record<string, string> = {
	C: 'pcpu',
	G: 'tpgid',
	M: 'maj_flt',
	P: 'ppid',
	R: 'rss',
	T: 'start_time',
	U: 'uid',
	c: 'cmd',
	f: 'flags',
	g: 'pgrp',
	m: 'min_flt',
	o: 'session',
	p: 'pid',
	r: 'rss',
	s: 'size',
	t: 'tty',
	u: 'user',
	v: 'vsize',
	y: 'priority',
};

function parseShortSort(text: string): SortKey[] | undefined {
	const keys = [...text.matchAll(/([+-]?)([a-zA-Z])/g)];
	if (keys.map(([all]) => all).join('') !== text) return undefined;
	if (keys.some(([, , letter]) => shortSort[letter!] === undefined)) return undefined;
	if (new Set(keys.map(([, , letter]) => letter)).size < keys.length) return undefined;
	return keys.map(([, sign, letter]) => ({
		format: findFormat(shortSort[letter!]!)!,
		descending: sign === '-',
	}));
}

/** What the values of options say. */
export class Values {
	readonly options: Options;
	readonly #host: PsHost;

	constructor(options: Options, host: PsHost) {
		this.options = options;
		this.#host = host;
	}

	pids(text: string, of: (process: Process) => number = (process) => process.pid): void {
		const wanted = new Set(pidList(text));
		this.options.tests.push((process) => wanted.has(of(process)));
	}

	sessions(text: string): void {
		this.pids(text, (process) => process.stat('session'));
	}

	users(text: string, which: 0 | 1): void {
		const wanted = idList(text, this.#host.users, 'user');
		this.options.tests.push((process) => wanted.has(process.id('Uid', which)));
	}

	groups(text: string, which: 0 | 1): void {
		const wanted = idList(text, this.#host.groups, 'group');
		this.options.tests.push((process) => wanted.has(process.id('Gid', which)));
	}

	sessionsOrGroups(text: string): void {
		if (/^[\d,]+$/.test(text)) this.sessions(text);
		else this.groups(text, 1);
	}

	names(text: string): void {
		const wanted = items(text, 'improper list');
		this.options.tests.push((process) => wanted.includes(process.name));
	}

	terminals(text: string): void {
		this.options.tests.push(terminalTest(text));
	}

	withoutTerminal(): void {
		this.options.tests.push((process) => process.stat('tty') === 0);
	}

	format(text: string): void {
		this.options.columns.push(...parseFormat(text));
		this.options.formatGiven = true;
	}

	sort(text: string): void {
		if (this.options.sortGiven) fail('multiple sort options');
		this.options.sort.push(...parseSort(text));
		this.options.sortGiven = true;
	}

	/** More columns after the process id. */
	wrapped(text: string): void {
		if (this.options.formatGiven) fail('option -O can not follow other format options');
		this.options.columns.push(
			...parseFormat('pid'),
			...parseFormat(text),
			...parseFormat('s,tname,time,args'),
		);
		this.options.formatGiven = true;
	}

	sortOrWrapped(text: string): void {
		const sort = this.options.sortGiven ? undefined : parseShortSort(text);
		if (sort) {
			this.options.sort.push(...sort);
			this.options.sortGiven = true;
		} else this.wrapped(text);
	}

	/** Of the screen, which there isn't. */
	size(text: string, message: string): void {
		if (!/^[1-9]\d*$/.test(text)) fail(message);
	}

	heading(wanted: boolean): void {
		if (this.options.header !== undefined) fail('only one heading option may be specified');
		this.options.header = wanted;
	}
}
