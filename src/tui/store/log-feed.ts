/**
 * Follows the selected container's output. Lines go into a ring; the store only learns that it changed. A
 * container that writes faster than it can be read here is not caught up with line by line: the reader jumps
 * to the end and says so.
 */
import type {Engine} from '../../engine/api.ts';
import {LogBuffer} from './log-buffer.ts';
import {setLogs} from './reducers.ts';
import type {Store} from './store.ts';

/** Lines read at first, and after a jump. */
const TAIL = 1000;
/** Milliseconds that the selection rests before its logs are opened: held-down keys pass over rows. */
const SETTLE = 60;
/** Lines taken without letting the rest of the program have its turn. */
const SLICE = 2000;
/** Milliseconds behind the present from which the reader jumps. */
const BEHIND = 2000;

export class LogFeed {
	readonly #engine: Engine;
	readonly #store: Store;
	readonly #onError: (error: unknown) => void;
	#abort: AbortController | undefined;
	#settle: NodeJS.Timeout | undefined;
	#container: string | undefined;
	/** It was started while its last run was still being read. */
	#again = false;

	constructor(engine: Engine, store: Store, onError: (error: unknown) => void) {
		this.#engine = engine;
		this.#store = store;
		this.#onError = onError;
	}

	/** Another container, or none, is looked at. */
	select(container: string | undefined): void {
		if (container === this.#container) return;
		this.#stop();
		this.#container = container;
		const buffer = new LogBuffer();
		this.#store.update((state) =>
			setLogs(state, {
				container,
				buffer,
				version: state.logs.version + 1,
				follow: true,
				top: 0,
				left: 0,
				found: undefined,
				phase: 'idle',
				skips: 0,
			}),
		);
		if (container === undefined) return;
		this.#settle = setTimeout(() => void this.#follow(container, buffer, TAIL), SETTLE);
	}

	/** The container was started again: what it writes now comes after what it wrote before. */
	restarted(container: string): void {
		const {logs} = this.#store.state;
		if (container !== this.#container) return;
		if (logs.phase === 'reading') this.#again = true;
		if (logs.phase !== 'ended') return;
		const last = logs.buffer.at(logs.buffer.total - 1);
		this.#stop();
		void this.#follow(
			container,
			logs.buffer,
			TAIL,
			last && !last.mark ? nanoseconds(last.time) + 1n : undefined,
		);
	}

	/** Forgets the lines that are shown. */
	clear(): void {
		const {logs} = this.#store.state;
		const container = this.#container;
		if (container === undefined) return;
		this.#stop();
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
			}),
		);
		if (logs.phase === 'reading') void this.#follow(container, buffer, 0);
	}

	/** Reads the last lines without following, for a single frame. */
	async readOnce(container: string, lines: number): Promise<void> {
		const buffer = new LogBuffer();
		this.#container = container;
		for await (const entries of this.#engine.containers.logs(container, {tail: lines})) buffer.push(entries);
		this.#store.update((state) => setLogs(state, {container, buffer, version: state.logs.version + 1}));
	}

	close(): void {
		this.#stop();
	}

	#stop(): void {
		clearTimeout(this.#settle);
		this.#abort?.abort();
		this.#abort = undefined;
	}

	async #follow(container: string, buffer: LogBuffer, tail: number, since?: bigint): Promise<void> {
		const abort = new AbortController();
		this.#abort = abort;
		this.#again = false;
		const current = (): boolean => this.#abort === abort;
		this.#changed({phase: 'reading'});
		try {
			const options = {follow: true, tail, signal: abort.signal, ...(since === undefined ? {} : {since})};
			let taken = 0;
			for await (const entries of this.#engine.containers.logs(container, options)) {
				if (!current()) return;
				buffer.push(entries);
				this.#changed({});
				taken += entries.length;
				if (taken < SLICE) continue;
				taken = 0;
				// Keys and frames have their turn between two slices of a flood.
				await new Promise((resolve) => setImmediate(resolve));
				if (!current()) return;
				const behind = Date.now() - Date.parse(entries.at(-1)?.time ?? '');
				if (behind > BEHIND && buffer.total > TAIL) {
					abort.abort();
					buffer.mark(
						`… ${(behind / 1000).toFixed(1)} s of output skipped: it comes faster than it can be shown`,
					);
					this.#store.observe((state) => setLogs(state, {skips: state.logs.skips + 1}));
					void this.#follow(container, buffer, TAIL);
					return;
				}
			}
			if (!current()) return;
			this.#changed({phase: 'ended'});
			if (this.#again) this.restarted(container);
		} catch (error) {
			if (!current() || abort.signal.aborted) return;
			this.#changed({phase: 'ended'});
			// A container that is being removed takes its log with it.
			if ((error as {code?: string}).code !== 'not-found') this.#onError(error);
		}
	}

	#changed(change: {phase?: 'reading' | 'ended'}): void {
		this.#store.observe((state) => setLogs(state, {...change, version: state.logs.version + 1}));
	}
}

/** RFC 3339 with nanoseconds to nanoseconds since the epoch. */
function nanoseconds(time: string): bigint {
	const seconds = BigInt(Math.floor(Date.parse(time) / 1000));
	const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? '';
	return seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}
