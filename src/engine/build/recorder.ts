/**
 * Writes the record of a build while it goes on: the whole small file anew, beside and then renamed, at most a few times
 * a second and only when something has happened. So nobody reads half of one, it has a bound, and a build that writes
 * a million lines pays no more for it than one that writes ten. A record that can't be written is no reason to fail.
 */
import {
	closeSync,
	constants,
	fstatSync,
	mkdirSync,
	openSync,
	readdirSync,
	readSync,
	utimesSync,
} from 'node:fs';
import {resolve} from 'node:path';
import type {BuildEvent, BuildOptions, BuildRecord} from '../api.ts';
import {replaceFile, unlinkIfThere} from '../files.ts';
import type {Paths} from '../paths.ts';
import {isIdentityAlive, ownIdentity} from '../processes.ts';
import {newBuildId} from './build-id.ts';
import {
	BuildSteps,
	brokenOff,
	fileName,
	idOfFile,
	LARGEST,
	parseRecord,
	recordText,
	type StoredRecord,
} from './record.ts';

/** Records of builds that have ended. */
const KEPT = 50;
/** Milliseconds between two writes, and between two signs of life of a build that says nothing. */
const PACE = 250;
const PULSE = 10_000;

/** Those of this process that run: what gives them up. */
export const ownBuilds = new Map<string, AbortController>();

/** A record's file and when it was written last, in milliseconds since the epoch; undefined for what is none. */
export function readRecord(
	folder: string,
	name: string,
): {record: StoredRecord; written: number} | undefined {
	const id = idOfFile(name);
	if (id === undefined) return undefined;
	let fd: number;
	try {
		fd = openSync(`${folder}/${name}`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
	} catch {
		return undefined;
	}
	try {
		const status = fstatSync(fd);
		if (!status.isFile() || status.size > LARGEST) return undefined;
		const bytes = Buffer.allocUnsafe(status.size);
		const length = readSync(fd, bytes, 0, status.size, 0);
		const record = parseRecord(bytes.toString('utf8', 0, length), id);
		return record && {record, written: Math.round(status.mtimeMs)};
	} catch {
		return undefined;
	} finally {
		closeSync(fd);
	}
}

/** The names of a folder's records, the oldest first; none when it isn't there. */
export function recordNames(folder: string): string[] {
	try {
		return readdirSync(folder)
			.filter((name) => idOfFile(name) !== undefined)
			.sort();
	} catch {
		return [];
	}
}

/** Puts the record among those of builds that have ended, of which the oldest go. */
function keep({builds, runBuilds}: Paths, record: StoredRecord): void {
	const name = fileName(record);
	mkdirSync(builds, {recursive: true, mode: 0o700});
	replaceFile(`${builds}/${name}`, recordText(record));
	// It is in one of the two at any time.
	unlinkIfThere(`${runBuilds}/${name}`);
	for (const old of recordNames(builds).slice(0, -KEPT)) unlinkIfThere(`${builds}/${old}`);
}

/** Those whose process has ended without a word are among those that have ended, too. */
export function sweepRecords(paths: Paths): void {
	for (const name of recordNames(paths.runBuilds)) {
		const found = readRecord(paths.runBuilds, name);
		try {
			if (found && isIdentityAlive(found.record.process)) continue;
			// It may have said how it ended since it was read, or been killed just after.
			if (!found || readRecord(paths.builds, name)) unlinkIfThere(`${paths.runBuilds}/${name}`);
			else keep(paths, brokenOff(found.record, found.written));
		} catch {
			// What can't be swept away is no reason to record nothing.
		}
	}
}

/** What is built from, as people name it. Passwords in an address aren't for a record. */
function contextOf({context}: BuildOptions): string {
	if ('folder' in context) return resolve(context.folder);
	if ('remote' in context) return context.remote.replace(/^([a-z+]+:\/\/)[^/@]*@/i, '$1');
	return '-';
}

class Recorder {
	readonly #paths: Paths;
	readonly #steps = new BuildSteps();
	#record: StoredRecord;
	#timer: NodeJS.Timeout | undefined;
	readonly #pulse: NodeJS.Timeout;
	#works = true;

	constructor(paths: Paths, id: string, options: BuildOptions) {
		const {tags = [], dockerfile, target, interruptible = false} = options;
		this.#paths = paths;
		const process = ownIdentity();
		this.#record = {
			...{id, tags, context: contextOf(options), state: 'running', started: Date.now(), interruptible},
			...(dockerfile ? {dockerfile} : {}),
			...(target ? {target} : {}),
			...{steps: [], pid: process.pid, process},
		};
		this.#try(() => {
			mkdirSync(paths.runBuilds, {recursive: true, mode: 0o700});
			sweepRecords(paths);
			this.#write();
		});
		// So that of one that is killed it is known how long it went on.
		this.#pulse = setInterval(() => {
			const now = Date.now() / 1000;
			this.#try(() => utimesSync(this.#path, now, now));
		}, PULSE).unref();
	}

	get #path(): string {
		return `${this.#paths.runBuilds}/${fileName(this.#record)}`;
	}

	#try(work: () => void): void {
		if (!this.#works) return;
		try {
			work();
		} catch {
			this.#works = false;
		}
	}

	#write(): void {
		const record = {...this.#record, steps: this.#steps.list()};
		replaceFile(this.#path, recordText(record));
	}

	show(event: BuildEvent): void {
		this.#steps.show(event, Date.now());
		this.#timer ??= setTimeout(() => {
			this.#timer = undefined;
			this.#try(() => this.#write());
		}, PACE).unref();
	}

	end(change: Pick<BuildRecord, 'state' | 'image' | 'error'>): void {
		clearTimeout(this.#timer);
		clearInterval(this.#pulse);
		const ended = Date.now();
		this.#record = {...this.#record, ...change, ended, steps: this.#steps.list()};
		this.#try(() => keep(this.#paths, this.#record));
		// Also when it can't be kept: it does not run any more.
		this.#works = true;
		this.#try(() => unlinkIfThere(this.#path));
	}
}

/** Does the work of a build with a record of it; it can be given up by its id (`Builds.cancel`). */
export async function recorded<T extends {id: string}>(
	paths: Paths,
	options: BuildOptions,
	work: (options: BuildOptions) => Promise<T>,
): Promise<T> {
	const id = options.id ?? newBuildId();
	const recorder = new Recorder(paths, id, options);
	const abort = new AbortController();
	ownBuilds.set(id, abort);
	const {signal, onProgress} = options;
	try {
		const built = await work({
			...options,
			signal: signal ? AbortSignal.any([signal, abort.signal]) : abort.signal,
			onProgress(event) {
				recorder.show(event);
				onProgress?.(event);
			},
		});
		recorder.end({state: 'done', ...(built.id === '' ? {} : {image: built.id})});
		return built;
	} catch (error) {
		const cancelled = signal?.aborted || abort.signal.aborted;
		const text = (error instanceof Error ? error.message : String(error)).slice(0, 4096);
		recorder.end(cancelled ? {state: 'cancelled'} : {state: 'failed', error: text});
		throw error;
	} finally {
		ownBuilds.delete(id);
	}
}
