/** Reads a container's log, and follows it over rotations until the container has ended. */
import {type FSWatcher, fstatSync, readSync, statSync, watch} from 'node:fs';
import {basename, dirname} from 'node:path';
import type {LogEntry, LogOptions, LogText} from '../api.ts';
import {parseTimestamp} from '../files.ts';
import {type LogFile, newerLogs, openLogs, sinceStart, tailStart} from './log-files.ts';
import {parseLines} from './log-lines.ts';
import {joinEntries, textDecoder} from './log-text.ts';

const chunkSize = 1 << 20;
/** The monitor cuts lines at 16 KiB, which JSON makes six times as long at most. */
const maxLine = 1 << 20;

/** One file, read on from an offset as it grows. */
class LogReader {
	readonly file: LogFile;
	#offset: number;
	#rest = Buffer.alloc(0);

	constructor(file: LogFile, offset: number) {
		this.file = file;
		this.#offset = offset;
	}

	/** The whole lines of the next chunk; undefined at the end. */
	read(): Buffer | undefined {
		// One that is followed has a line or two, for which a buffer of a whole chunk would be made and thrown away.
		const most = Math.min(chunkSize, fstatSync(this.file.fd).size - this.#offset);
		if (most <= 0) return undefined;
		// A new buffer each time: the rest of the last one is still in use.
		const chunk = Buffer.allocUnsafe(this.#rest.length + most);
		this.#rest.copy(chunk);
		const length = readSync(this.file.fd, chunk, this.#rest.length, most, this.#offset);
		if (length === 0) return undefined;
		this.#offset += length;
		const data = chunk.subarray(0, this.#rest.length + length);
		const end = data.lastIndexOf(10) + 1;
		this.#rest = data.length - end > maxLine ? Buffer.alloc(0) : data.subarray(end);
		return data.subarray(0, end);
	}

	close(): void {
		this.file.close();
	}
}

export interface LogSource {
	path: string;
	/** Resolves when no more will be written: the container has ended. Resolves at once when it isn't up. */
	ended(signal: AbortSignal): Promise<void>;
}

/** Turns whole lines into what is given; `over` ends it. */
type Decode<T> = (lines: Buffer) => {items: T[]; over: boolean};

/** Whether the options leave nothing out of the lines from the start on. */
function takesAll({stdout, stderr, since, until}: LogOptions): boolean {
	// docker shows both streams unless one is asked for.
	return since === undefined && until === undefined && Boolean(stdout) === Boolean(stderr);
}

/** Entries, without what the options don't ask for; over when a line comes after `until`. */
function entryDecoder(options: LogOptions): Decode<LogEntry> {
	const decode = (lines: Buffer): LogEntry[] => parseLines(lines.toString('utf8'));
	if (takesAll(options)) return (lines) => ({items: decode(lines), over: false});
	const {since, until} = options;
	const both = Boolean(options.stdout) === Boolean(options.stderr);
	return (lines) => {
		const items: LogEntry[] = [];
		for (const entry of decode(lines)) {
			if (!both && !options[entry.stream]) continue;
			if (since !== undefined || until !== undefined) {
				const time = parseTimestamp(entry.time) ?? 0n;
				if (since !== undefined && time < since) continue;
				if (until !== undefined && time > until) return {items, over: true};
			}
			items.push(entry);
		}
		return {items, over: false};
	};
}

async function begin(path: string, options: LogOptions): Promise<LogReader[]> {
	const files = openLogs(path);
	// docker's order: the last lines first, and of these the ones since a time.
	const starts =
		options.tail !== undefined
			? await tailStart(files, options.tail)
			: options.since !== undefined
				? await sinceStart(files, options.since)
				: undefined;
	const readers: LogReader[] = [];
	for (const file of files) {
		const offset = starts ? starts.get(file) : 0;
		if (offset !== undefined) readers.push(new LogReader(file, offset));
		else if (options.follow && file.path === path) {
			readers.push(new LogReader(file, statSync(path, {throwIfNoEntry: false})?.size ?? 0));
		} else file.close();
	}
	return readers;
}

/** Resolves when woken; one wake while nobody waits is kept. */
class Bell {
	#rung = false;
	#resolve: (() => void) | undefined;

	ring(): void {
		this.#rung = true;
		this.#resolve?.();
	}

	async wait(): Promise<void> {
		if (!this.#rung) {
			await new Promise<void>((resolve) => {
				this.#resolve = resolve;
			});
		}
		this.#rung = false;
	}
}

async function* follow<T>(source: LogSource, options: LogOptions, decode: Decode<T>): AsyncGenerator<T[]> {
	const {path} = source;
	const bell = new Bell();
	const leave = new AbortController();
	const name = basename(path);
	let watcher: FSWatcher | undefined;
	let over = !options.follow;
	let timer: NodeJS.Timeout | undefined;
	const readers: LogReader[] = [];
	const end = () => {
		over = true;
		bell.ring();
	};
	options.signal?.addEventListener('abort', end, {once: true});
	try {
		if (options.signal?.aborted) return;
		if (!over) {
			watcher = watch(dirname(path), (_, file) => {
				if (file === null || file.startsWith(name)) bell.ring();
			});
			watcher.on('error', end);
			source.ended(leave.signal).then(end, end);
			const left = options.until === undefined ? undefined : Number(options.until / 1_000_000n) - Date.now();
			if (left !== undefined && left < 2 ** 31 - 1) timer = setTimeout(end, Math.max(0, left));
		}
		readers.push(...(await begin(path, options)));
		for (;;) {
			const last = over;
			for (;;) {
				const reader = readers[0];
				if (!reader) break;
				await reader.file.unpack();
				for (let lines = reader.read(); lines; lines = reader.read()) {
					if (options.signal?.aborted) return;
					const {items, over: past} = decode(lines);
					if (items.length > 0) yield items;
					if (past) return;
				}
				if (readers.length === 1) break;
				readers.shift()!.close();
			}
			if (!options.follow) return;
			// Rotated: the monitor writes to the old file no more once the new one is there.
			const newer = newerLogs(path, readers.at(-1)?.file);
			readers.push(...newer.map((file) => new LogReader(file, 0)));
			if (newer.length > 0) continue;
			if (last) return;
			await bell.wait();
		}
	} finally {
		clearTimeout(timer);
		watcher?.close();
		leave.abort();
		options.signal?.removeEventListener('abort', end);
		for (const reader of readers) reader.close();
	}
}

export function readLogs(source: LogSource, options: LogOptions = {}): AsyncGenerator<LogEntry[]> {
	return follow(source, options, entryDecoder(options));
}

export function readLogText(
	source: LogSource,
	options: LogOptions & {timestamps?: boolean} = {},
): AsyncGenerator<LogText[]> {
	const timestamps = options.timestamps ?? false;
	if (takesAll(options)) {
		const decode = textDecoder(timestamps);
		return follow(source, options, (lines) => ({items: decode(lines), over: false}));
	}
	const decode = entryDecoder(options);
	const head = timestamps ? (entry: LogEntry) => `${entry.time} ` : () => '';
	return follow(source, options, (lines) => {
		const {items, over} = decode(lines);
		return {items: joinEntries(items, head), over};
	});
}
