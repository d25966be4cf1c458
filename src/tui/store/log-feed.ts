/**
 * Follows the output of the selected container, or of several that are marked, in one. Lines go into a ring; the
 * store only learns that it changed. A container that writes faster than it can be read here is not caught up with
 * line by line: the reader jumps to the end and says so.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import type {Engine, LogEntry} from '../../engine/api.ts';
import {LogBuffer} from './log-buffer.ts';
import {setLogs} from './reducers.ts';
import type {LogState} from './state.ts';
import type {Store} from './store.ts';

/** Lines read at first, and after a jump. */
const TAIL = 1000;
/** Lines read at first where a time has been chosen: what the ring holds. */
const TAIL_SINCE = 10_000;
/** Milliseconds that the selection rests before its logs are opened: held-down keys pass over rows. */
const SETTLE = 60;
/** Lines taken in one turn, and the milliseconds that a turn has at least: no more is read in it, however much there is. */
const SLICE = 2000;
const TURN = 50;
/** Milliseconds behind the present from which the reader jumps. */
const BEHIND = 2000;

interface Reader {
	id: string;
	/** Its place among several. */
	source: number | undefined;
	abort: AbortController;
	phase: 'reading' | 'ended';
	/** It was started while its last run was still being read. */
	again: boolean;
	/** The time of its last line. */
	last: string | undefined;
}

export class LogFeed {
	readonly #engine: Engine;
	readonly #store: Store;
	readonly #onError: (error: unknown) => void;
	#readers: readonly Reader[] = [];
	#settle: NodeJS.Timeout | undefined;
	#sources: readonly string[] = [];

	constructor(engine: Engine, store: Store, onError: (error: unknown) => void) {
		this.#engine = engine;
		this.#store = store;
		this.#onError = onError;
	}

	/** Another container, several, or none are looked at. */
	select(sources: readonly string[]): void {
		if (sources.join(' ') === this.#sources.join(' ')) return;
		this.#stop();
		this.#sources = sources;
		const buffer = this.#fresh({sources, phase: 'idle'});
		if (sources.length === 0) return;
		this.#settle = setTimeout(() => void this.#begin(buffer), SETTLE);
	}

	/** Reads all again, from the time that is chosen by now. */
	reload(): void {
		this.#stop();
		if (this.#sources.length > 0) void this.#begin(this.#fresh({}));
	}

	/** The container was started again: what it writes now comes after what it wrote before. */
	restarted(container: string): void {
		const reader = this.#readers.find(({id}) => id === container);
		if (!reader) return;
		if (reader.phase === 'reading') {
			reader.again = true;
			return;
		}
		const next = this.#replace(reader);
		const {buffer} = this.#store.state.logs;
		void this.#follow(next, buffer, TAIL, next.last === undefined ? undefined : nanoseconds(next.last) + 1n);
	}

	/** Forgets the lines that are shown. */
	clear(): void {
		if (this.#sources.length === 0) return;
		const readers = this.#readers;
		this.#stop();
		const buffer = this.#fresh({});
		this.#readers = readers.map((reader) => ({...reader, abort: new AbortController()}));
		for (const reader of this.#readers) if (reader.phase === 'reading') void this.#follow(reader, buffer, 0);
	}

	/** Reads the last lines without following, for a single frame. */
	async readOnce(sources: readonly string[], lines: number): Promise<void> {
		const buffer = new LogBuffer();
		this.#sources = sources;
		await this.#past(this.#make(sources), buffer, lines);
		this.#store.update((state) => setLogs(state, {sources, buffer, version: state.logs.version + 1}));
	}

	close(): void {
		this.#stop();
	}

	#stop(): void {
		clearTimeout(this.#settle);
		for (const {abort} of this.#readers) abort.abort();
		this.#readers = [];
	}

	#fresh(change: Partial<LogState>): LogBuffer {
		const buffer = new LogBuffer();
		this.#store.update((state) =>
			setLogs(state, {
				buffer,
				version: state.logs.version + 1,
				follow: true,
				top: 0,
				left: 0,
				found: undefined,
				skips: 0,
				...change,
			}),
		);
		return buffer;
	}

	#make(sources: readonly string[]): Reader[] {
		return sources.map((id, at) => ({
			id,
			source: sources.length > 1 ? at : undefined,
			abort: new AbortController(),
			phase: 'reading',
			again: false,
			last: undefined,
		}));
	}

	/** The same reader for a new stream. */
	#replace(reader: Reader): Reader {
		reader.abort.abort();
		const next: Reader = {...reader, abort: new AbortController(), phase: 'reading', again: false};
		this.#readers = this.#readers.map((one) => (one === reader ? next : one));
		return next;
	}

	async #begin(buffer: LogBuffer): Promise<void> {
		const readers = this.#make(this.#sources);
		this.#readers = readers;
		const {since: seconds} = this.#store.state.logs;
		const since = seconds === undefined ? undefined : BigInt(Date.now() - seconds * 1000) * 1_000_000n;
		const tail = since === undefined ? TAIL : TAIL_SINCE;
		const [only] = readers;
		if (readers.length === 1) {
			await this.#follow(only!, buffer, tail, since);
			return;
		}
		this.#changed();
		const from = BigInt(Date.now()) * 1_000_000n;
		await this.#past(readers, buffer, tail, since);
		this.#changed();
		for (const reader of readers) {
			if (!this.#readers.includes(reader)) continue;
			// What was written while the others were still being read comes now.
			const next = reader.last === undefined ? (since ?? from) : nanoseconds(reader.last) + 1n;
			void this.#follow(reader, buffer, TAIL_SINCE, next);
		}
	}

	/** What there is of all of them, in the order of its time. */
	async #past(readers: readonly Reader[], buffer: LogBuffer, tail: number, since?: bigint): Promise<void> {
		const all: {entry: LogEntry; source: number | undefined}[] = [];
		await Promise.all(
			readers.map(async (reader) => {
				const options = {tail, signal: reader.abort.signal, ...(since === undefined ? {} : {since})};
				try {
					for await (const entries of this.#engine.containers.logs(reader.id, options)) {
						for (const entry of entries) all.push({entry, source: reader.source});
						reader.last = entries.at(-1)?.time ?? reader.last;
					}
				} catch (error) {
					if (readers.length === 1) throw error;
					// Of several one may be gone, or unreadable; its follower says so.
				}
			}),
		);
		if (readers.some(({abort}) => abort.signal.aborted)) return;
		// Lines of one container never change their order: the sort is stable, and their times only grow.
		if (readers.length > 1)
			all.sort((a, b) => (a.entry.time < b.entry.time ? -1 : Number(a.entry.time > b.entry.time)));
		for (const {entry, source} of all) buffer.push([entry], source);
	}

	async #follow(reader: Reader, buffer: LogBuffer, tail: number, since?: bigint): Promise<void> {
		const {abort, source} = reader;
		const current = (): boolean => this.#readers.includes(reader) && !abort.signal.aborted;
		this.#changed();
		try {
			const options = {follow: true, tail, signal: abort.signal, ...(since === undefined ? {} : {since})};
			let taken = 0;
			let turn = performance.now();
			for await (const entries of this.#engine.containers.logs(reader.id, options)) {
				if (!current()) return;
				buffer.push(entries, source);
				reader.last = entries.at(-1)?.time ?? reader.last;
				this.#changed();
				taken += entries.length;
				if (taken < SLICE) continue;
				taken = 0;
				// Keys and frames have their turn between two slices of a flood, and most of the time.
				await sleep(Math.max(1, turn + TURN - performance.now()));
				turn = performance.now();
				if (!current()) return;
				const behind = Date.now() - Date.parse(entries.at(-1)?.time ?? '');
				if (behind > BEHIND && buffer.total > TAIL && since === undefined) {
					buffer.mark(
						`… ${(behind / 1000).toFixed(1)} s of output skipped: it comes faster than it can be shown`,
					);
					this.#store.observe((state) => setLogs(state, {skips: state.logs.skips + 1}));
					void this.#follow(this.#replace(reader), buffer, TAIL);
					return;
				}
				// The past that was asked for has been read.
				if (behind <= BEHIND) since = undefined;
			}
		} catch (error) {
			if (!current()) return;
			// A container that is being removed takes its log with it.
			if ((error as {code?: string}).code !== 'not-found') this.#onError(error);
		}
		if (!current()) return;
		reader.phase = 'ended';
		this.#changed();
		if (reader.again) this.restarted(reader.id);
	}

	#changed(): void {
		const phase = this.#readers.some((reader) => reader.phase === 'reading') ? 'reading' : 'ended';
		this.#store.observe((state) => setLogs(state, {phase, version: state.logs.version + 1}));
	}
}

/** RFC 3339 with nanoseconds to nanoseconds since the epoch. */
function nanoseconds(time: string): bigint {
	const seconds = BigInt(Math.floor(Date.parse(time) / 1000));
	const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? '';
	return seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}
