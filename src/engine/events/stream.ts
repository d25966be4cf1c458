/** Reads the journal and follows it with inotify, over rotations. */
import {closeSync, type FSWatcher, fstatSync, mkdirSync, openSync, readSync, statSync, watch} from 'node:fs';
import {basename, dirname} from 'node:path';
import type {EngineEvent, EventOptions} from '../api.ts';
import {isErrno} from '../errors.ts';
import type {Paths} from '../paths.ts';
import {eventFilter} from './filter.ts';
import {decodeRecord, wallClock} from './record.ts';

const chunkSize = 64 << 10;
/** A longer line is no record. */
const maxLine = 64 << 10;

function openIfThere(path: string): number | undefined {
	try {
		return openSync(path, 'r');
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return undefined;
		throw error;
	}
}

/** One file of the journal, read from an offset on. */
class JournalFile {
	readonly fd: number;
	readonly inode: number;
	#offset = 0;
	#rest = Buffer.alloc(0);

	constructor(fd: number) {
		this.fd = fd;
		this.inode = fstatSync(fd).ino;
	}

	skipToEnd(): void {
		this.#offset = fstatSync(this.fd).size;
	}

	/** Whether the file has become shorter than what has been read of it. */
	get truncated(): boolean {
		return fstatSync(this.fd).size < this.#offset;
	}

	read(into: EngineEvent[]): void {
		const chunk = Buffer.allocUnsafe(chunkSize);
		for (;;) {
			const length = readSync(this.fd, chunk, 0, chunkSize, this.#offset);
			if (length === 0) return;
			this.#offset += length;
			const data = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
			const end = data.lastIndexOf(10) + 1;
			this.#rest = data.length - end > maxLine ? Buffer.alloc(0) : data.subarray(end);
			for (const line of data.toString('utf8', 0, end).split('\n')) {
				const event = line && decodeRecord(line);
				if (event) into.push(event);
			}
		}
	}

	close(): void {
		closeSync(this.fd);
	}
}

/** The rotated file and the current one. */
class JournalReader {
	readonly #path: string;
	/** Still read after the rotation: a writer may have opened it before. */
	#previous: JournalFile | undefined;
	#current: JournalFile | undefined;

	constructor(path: string) {
		this.#path = path;
	}

	/** Opens both files as they are at one moment. */
	open(fromStart: boolean): void {
		for (;;) {
			const current = openIfThere(this.#path);
			const previous = openIfThere(`${this.#path}.1`);
			const inode = current === undefined ? undefined : fstatSync(current).ino;
			if (statSync(this.#path, {throwIfNoEntry: false})?.ino === inode) {
				this.#current = current === undefined ? undefined : new JournalFile(current);
				this.#previous = previous === undefined ? undefined : new JournalFile(previous);
				if (!fromStart) {
					this.#current?.skipToEnd();
					this.#previous?.skipToEnd();
				}
				return;
			}
			if (current !== undefined) closeSync(current);
			if (previous !== undefined) closeSync(previous);
		}
	}

	/** What has come since the last call, and whether something in between is lost. */
	read(): {events: EngineEvent[]; gap: boolean} {
		const events: EngineEvent[] = [];
		let gap = false;
		for (;;) {
			this.#previous?.read(events);
			if (this.#current?.truncated) {
				gap = true;
				this.close();
				this.open(true);
			}
			this.#current?.read(events);
			const inode = statSync(this.#path, {throwIfNoEntry: false})?.ino;
			if (inode === undefined || inode === this.#current?.inode) return {events, gap};
			const rotated = statSync(`${this.#path}.1`, {throwIfNoEntry: false})?.ino;
			const next = openIfThere(this.#path);
			if (next === undefined) continue;
			if (this.#current === undefined || rotated === this.#current.inode) {
				this.#current?.read(events);
				this.#previous?.close();
				this.#previous = this.#current;
				this.#current = new JournalFile(next);
			} else {
				closeSync(next);
				gap = true;
				this.close();
				this.open(true);
			}
		}
	}

	close(): void {
		this.#previous?.close();
		this.#current?.close();
		this.#previous = undefined;
		this.#current = undefined;
	}
}

/** Resolves when something may have changed; a change while nobody waits is kept. */
class Wakeup {
	#pending = false;
	#resolve: (() => void) | undefined;

	wake(): void {
		this.#pending = true;
		this.#resolve?.();
	}

	async wait(): Promise<void> {
		if (!this.#pending) {
			await new Promise<void>((resolve) => {
				this.#resolve = resolve;
			});
			this.#resolve = undefined;
		}
		this.#pending = false;
	}
}

/** So many events docker's daemon has. */
const remembered = 256;

export async function* streamJournal(
	paths: Paths,
	options: EventOptions,
): AsyncGenerator<EngineEvent[] | {gap: true}> {
	const {since, until, signal} = options;
	const matches = eventFilter(options.filters);
	const wanted = (event: EngineEvent) =>
		(since === undefined || event.timeNano >= since) &&
		(until === undefined || event.timeNano <= until) &&
		matches(event);

	const folder = dirname(paths.events);
	const name = basename(paths.events);
	mkdirSync(folder, {recursive: true, mode: 0o700});
	const wakeup = new Wakeup();
	const reader = new JournalReader(paths.events);
	let timer: NodeJS.Timeout | undefined;
	let watcher: FSWatcher | undefined;
	let failure: unknown;
	let ended = false;
	const end = () => {
		ended = true;
		wakeup.wake();
	};
	try {
		if (signal?.aborted) return;
		// Watching comes before reading, so that nothing falls between.
		watcher = watch(folder, (_, file) => {
			if (file === null || file.startsWith(name)) wakeup.wake();
		});
		watcher.on('error', (error) => {
			failure = error;
			end();
		});
		signal?.addEventListener('abort', end, {once: true});
		reader.open(since !== undefined || until !== undefined);
		// docker: who only says until when is told what it still knows.
		let most = since === undefined && until !== undefined ? remembered : Number.POSITIVE_INFINITY;
		const left = until === undefined ? undefined : Number(until - wallClock()) / 1e6;
		// setTimeout takes 2^31-1 ms at most; a stream that ends in a month doesn't end by itself.
		if (left !== undefined && left < 2 ** 31 - 1) timer = setTimeout(end, Math.max(0, Math.ceil(left)));
		for (;;) {
			const last = ended || (left !== undefined && left <= 0);
			const {events, gap} = reader.read();
			if (gap) yield {gap: true};
			const batch = (events.length > most ? events.slice(-most) : events).filter(wanted);
			most = Number.POSITIVE_INFINITY;
			if (batch.length > 0) yield batch;
			if (last) break;
			await wakeup.wait();
		}
		if (failure) throw failure;
	} finally {
		clearTimeout(timer);
		watcher?.close();
		signal?.removeEventListener('abort', end);
		reader.close();
	}
}
