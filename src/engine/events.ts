/**
 * The events journal: `WHERRY_ROOT/events`, one JSON record a line, appended by every process of the engine
 * and by the monitors. Past 1 MiB it is renamed to `events.1`; so at most two files are kept. Whoever appends
 * opens the path anew each time.
 */
import {closeSync, constants, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync} from 'node:fs';
import {dirname} from 'node:path';
import {native} from '../kernel/native.ts';
import type {EngineEvent, EventOptions, Events} from './api.ts';
import {isErrno} from './errors.ts';
import {encodeRecord, wallClock} from './events/record.ts';
import type {Paths} from './paths.ts';

/** Bytes after which the journal is rotated. */
const rotateAt = 1 << 20;

export class EventJournal implements Events {
	readonly #paths: Paths;
	readonly #rotateAt: number;

	constructor(paths: Paths, options: {rotateAt?: number} = {}) {
		this.#paths = paths;
		this.#rotateAt = options.rotateAt ?? rotateAt;
	}

	/** Never fails: what has happened has happened, whether or not it can be told (a full disk). */
	append(
		type: EngineEvent['Type'],
		action: string,
		id: string,
		attributes: Record<string, string> = {},
	): void {
		const timeNano = wallClock();
		const record = encodeRecord({
			Type: type,
			Action: action,
			Actor: {ID: id, Attributes: attributes},
			scope: 'local',
			time: Number(timeNano / 1_000_000_000n),
			timeNano,
		});
		try {
			const fd = this.#open();
			try {
				writeSync(fd, record);
				if (fstatSync(fd).size >= this.#rotateAt) this.#rotate();
			} finally {
				closeSync(fd);
			}
		} catch {}
	}

	async *stream(options: EventOptions = {}): AsyncGenerator<EngineEvent[] | {gap: true}> {
		const {streamJournal} = await import('./events/stream.ts');
		yield* streamJournal(this.#paths, options);
	}

	#open(): number {
		const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
		try {
			return openSync(this.#paths.events, flags, 0o600);
		} catch (error) {
			if (!isErrno(error, 'ENOENT')) throw error;
			mkdirSync(dirname(this.#paths.events), {recursive: true, mode: 0o700});
			return openSync(this.#paths.events, flags, 0o600);
		}
	}

	/** Under a lock: two processes that rotate at the same time would drop a file that is hardly read yet. */
	#rotate(): void {
		mkdirSync(this.#paths.locks, {recursive: true, mode: 0o700});
		const fd = openSync(this.#paths.lock('events'), constants.O_RDWR | constants.O_CREAT, 0o600);
		try {
			if (!native.flockNow(fd, true)) return;
			if (statSync(this.#paths.events).size >= this.#rotateAt) {
				renameSync(this.#paths.events, `${this.#paths.events}.1`);
			}
		} finally {
			closeSync(fd);
		}
	}
}
