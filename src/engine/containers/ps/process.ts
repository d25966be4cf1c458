/** A process as /proc shows it (proc(5)). Files are read when they are asked for; one that has gone is empty. */
import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {totalmem} from 'node:os';
import {readIfThere} from '../../files.ts';

/** Clock ticks in a second, as /proc counts: USER_HZ is 100 on every platform that we run on. */
export const ticksPerSecond = 100;

/** What times and shares are measured against, and whose names the ids are. */
export interface PsHost {
	/** Seconds since the epoch. */
	readonly now: number;
	readonly boot: number;
	readonly uptime: number;
	/** Bytes. */
	readonly memory: number;
	readonly users: ReadonlyMap<number, string>;
	readonly groups: ReadonlyMap<number, string>;
}

/** passwd(5) and group(5): names by id; of several the first counts. */
function namesOf(path: string): Map<number, string> {
	const names = new Map<number, string>();
	for (const line of (readIfThere(path) ?? '').split('\n')) {
		const [name, , id] = line.split(':', 3);
		if (name && id && /^\d+$/.test(id) && !names.has(Number(id))) names.set(Number(id), name);
	}
	return names;
}

export function psHost(): PsHost {
	const uptime = Number.parseFloat(readFileSync('/proc/uptime', 'latin1'));
	const boot = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? 0);
	return {
		now: Math.trunc(Date.now() / 1000),
		boot,
		uptime,
		memory: totalmem(),
		users: namesOf('/etc/passwd'),
		groups: namesOf('/etc/group'),
	};
}

/** Names of the fields of /proc/PID/stat from the third on. */
const statFields = [
	...['state', 'ppid', 'pgrp', 'session', 'tty', 'tpgid', 'flags', 'minflt', 'cminflt', 'majflt', 'cmajflt'],
	...['utime', 'stime', 'cutime', 'cstime', 'priority', 'nice', 'threads', 'itrealvalue', 'start', 'vsize'],
	...['rss', 'rsslim', 'startcode', 'endcode', 'startstack', 'esp', 'eip', 'signal', 'blocked', 'sigignore'],
	...['sigcatch', 'wchan', 'nswap', 'cnswap', 'exitsignal', 'processor', 'rtpriority', 'policy'],
] as const;
export type StatField = (typeof statFields)[number];

const controls = /[\x00-\x1f\x7f-\x9f]/g;

/** What a process calls itself doesn't get to command a terminal. */
export const shown = (text: string): string => text.replace(controls, '?');

export class Process {
	readonly pid: number;
	/** The thread; the process itself when it is its first. */
	readonly tid: number;
	/** In docker's `m`, the line of a process stands for all its threads. */
	readonly role: 'process' | 'task';
	/** How deep it is below others in a forest. */
	branch = '';
	readonly #folder: string;
	readonly #files = new Map<string, string>();
	#stat: readonly string[] | undefined;
	#status: ReadonlyMap<string, string> | undefined;

	constructor(pid: number, tid?: number) {
		this.pid = pid;
		this.tid = tid ?? pid;
		this.role = tid === undefined ? 'process' : 'task';
		this.#folder = tid === undefined ? `/proc/${pid}` : `/proc/${pid}/task/${tid}`;
	}

	/** One that is gone has no stat. */
	get exists(): boolean {
		return this.file('stat') !== '';
	}

	threads(): Process[] {
		let ids: string[] = [];
		try {
			ids = readdirSync(`/proc/${this.pid}/task`);
		} catch {
			// It has ended.
		}
		return ids
			.map((id) => new Process(this.pid, Number(id)))
			.filter((task) => task.exists)
			.sort((a, b) => a.tid - b.tid);
	}

	file(name: string): string {
		let text = this.#files.get(name);
		if (text === undefined) {
			try {
				text = readFileSync(`${this.#folder}/${name}`, 'utf8');
			} catch {
				text = '';
			}
			this.#files.set(name, text);
		}
		return text;
	}

	link(name: string): string {
		try {
			return readlinkSync(`${this.#folder}/${name}`);
		} catch {
			return '';
		}
	}

	stat(field: StatField): number {
		return Number(this.#statText(field));
	}

	#statText(field: StatField): string {
		const text = this.file('stat');
		this.#stat ??= text
			.slice(text.lastIndexOf(')') + 2)
			.trim()
			.split(' ');
		return this.#stat[statFields.indexOf(field)] ?? '0';
	}

	get state(): string {
		return this.#statText('state');
	}

	/** A field of 64 bits, which a number doesn't hold. */
	hex(field: StatField): string {
		return BigInt(this.#statText(field)).toString(16).padStart(16, '0');
	}

	get name(): string {
		const text = this.file('stat');
		return shown(text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')));
	}

	status(key: string): string {
		this.#status ??= new Map(
			this.file('status')
				.split('\n')
				.map((line) => line.split(':\t', 2) as [string, string]),
		);
		return this.#status.get(key) ?? '';
	}

	/** Real, effective, saved and file system id. */
	id(kind: 'Uid' | 'Gid', which: 0 | 1 | 2 | 3): number {
		return Number(this.status(kind).split('\t')[which] ?? 0);
	}

	/** The arguments in one line; the name in brackets where there are none. */
	get command(): string {
		const defunct = this.state === 'Z' ? ' <defunct>' : '';
		const text = this.file('cmdline').replace(/\0+$/, '').replaceAll('\0', ' ');
		return text === '' ? `[${this.name}]${defunct}` : shown(text);
	}

	get environment(): string {
		return shown(this.file('environ').replace(/\0+$/, '').replaceAll('\0', ' '));
	}

	/** Seconds. */
	cpuTime(): number {
		return Math.trunc((this.stat('utime') + this.stat('stime')) / ticksPerSecond);
	}

	elapsed({uptime}: PsHost): number {
		return Math.max(0, Math.trunc(uptime - this.stat('start') / ticksPerSecond));
	}

	/** Seconds since the epoch. */
	started({boot}: PsHost): number {
		return boot + Math.trunc(this.stat('start') / ticksPerSecond);
	}
}
