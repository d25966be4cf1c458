/** Builds of all processes: those that run and the last ones that have ended, as their records say. */
import {type FSWatcher, mkdirSync, statSync, watch} from 'node:fs';
import {constants} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';
import {native} from '../../kernel/native.ts';
import type {BuildRecord, Builds} from '../api.ts';
import {WherryError} from '../errors.ts';
import {unlinkIfThere} from '../files.ts';
import type {Paths} from '../paths.ts';
import {bootId, isIdentityAlive} from '../processes.ts';
import {brokenOff, idOfFile, type StoredRecord} from './record.ts';
import {ownBuilds, readRecord, recordNames} from './recorder.ts';

/** Milliseconds in which changes come together, and between two looks whether those that run still do. */
const GATHER = 100;
const LOOK = 1000;

/** Records that were read, by path, with what tells whether the file is another one by now. */
type Known = Map<string, {stamp: string; record: StoredRecord}>;

function readAll(folder: string, known: Known, into: Map<string, StoredRecord>): void {
	for (const name of recordNames(folder)) {
		const path = `${folder}/${name}`;
		const status = statSync(path, {throwIfNoEntry: false, bigint: true});
		if (!status) continue;
		const stamp = `${status.ino} ${status.mtimeNs} ${status.size}`;
		let entry = known.get(path);
		if (entry?.stamp !== stamp) {
			const found = readRecord(folder, name);
			if (!found) continue;
			entry = {stamp, record: found.record};
			known.set(path, entry);
		}
		const {record} = entry;
		const runs = record.state !== 'running' || isIdentityAlive(record.process);
		into.set(record.id, runs ? record : brokenOff(record, Number(status.mtimeNs / 1_000_000n)));
	}
}

/** Those that run first by their folder: a build that ends between the two looks is in the second one. */
function readRecords({runBuilds, builds}: Paths, known: Known = new Map()): StoredRecord[] {
	const all = new Map<string, StoredRecord>();
	readAll(runBuilds, known, all);
	readAll(builds, known, all);
	const paths = new Set([...all.values()].map(({id}) => id));
	for (const path of known.keys())
		if (!paths.has(idOfFile(path.slice(path.lastIndexOf('/') + 1))!)) known.delete(path);
	return [...all.values()].sort((a, b) => b.started - a.started);
}

const published = new WeakMap<StoredRecord, BuildRecord>();

/** Without what is nobody's business; the same for the same record, so that others see whether it is another one. */
function shown(stored: StoredRecord): BuildRecord {
	const {process: _, ...record} = stored;
	const before = published.get(stored);
	if (before) return before;
	published.set(stored, record);
	return record;
}

export class LocalBuilds implements Builds {
	readonly #paths: Paths;

	constructor(paths: Paths) {
		this.#paths = paths;
	}

	async list(): Promise<BuildRecord[]> {
		return readRecords(this.#paths).map(shown);
	}

	async *follow({signal}: {signal?: AbortSignal} = {}): AsyncGenerator<BuildRecord[]> {
		const folders = [this.#paths.runBuilds, this.#paths.builds];
		const known: Known = new Map();
		const watchers: FSWatcher[] = [];
		let wake = (): void => {};
		let changed = true;
		const onChange = (_: unknown, name: string | null): void => {
			// Not what is written beside and renamed then.
			if (name !== null && idOfFile(name) === undefined) return;
			changed = true;
			wake();
		};
		const onEnd = (): void => wake();
		signal?.addEventListener('abort', onEnd, {once: true});
		try {
			for (const folder of folders) {
				mkdirSync(folder, {recursive: true, mode: 0o700});
				const watcher = watch(folder, onChange);
				// A folder that goes away takes its watch along: nothing changes in it any more.
				watcher.on('error', () => {});
				watchers.push(watcher);
			}
			let before: readonly StoredRecord[] | undefined;
			while (!signal?.aborted) {
				changed = false;
				const records = readRecords(this.#paths, known);
				const same =
					before?.length === records.length &&
					records.every((record, at) => record === before![at] || isSameBroken(record, before![at]!));
				if (!same) yield records.map(shown);
				before = records;
				const runs = records.some(({state}) => state === 'running');
				if (!changed && !signal?.aborted) {
					const {promise, resolve} = Promise.withResolvers<void>();
					wake = resolve;
					// A process that is killed says nothing.
					const timer = runs ? setTimeout(resolve, LOOK) : undefined;
					await promise;
					clearTimeout(timer);
				}
				if (changed) await sleep(GATHER);
			}
		} finally {
			signal?.removeEventListener('abort', onEnd);
			for (const watcher of watchers) watcher.close();
		}
	}

	async cancel(id: string): Promise<void> {
		const own = ownBuilds.get(id);
		if (own) return own.abort();
		const record = readRecords(this.#paths).find((one) => one.id === id);
		if (!record) throw noSuchBuild(id);
		if (record.state !== 'running')
			throw new WherryError('conflict', `build ${id} is not running`, {object: id});
		if (!record.interruptible) {
			throw new WherryError(
				'unsupported',
				`build ${id} is part of another program (process ${record.pid}), which has to give it up`,
				{object: id},
			);
		}
		const {pid, start, bootId: boot} = record.process;
		if (boot !== bootId() || !native.signalProcess(pid, start, constants.signals.SIGINT))
			throw new WherryError('conflict', `build ${id} is not running`, {object: id});
	}

	async remove(id: string): Promise<void> {
		const record = readRecords(this.#paths).find((one) => one.id === id);
		if (!record) throw noSuchBuild(id);
		if (record.state === 'running')
			throw new WherryError('conflict', `build ${id} is running: give it up first`, {object: id});
		for (const folder of [this.#paths.builds, this.#paths.runBuilds]) {
			for (const name of recordNames(folder)) if (idOfFile(name) === id) unlinkIfThere(`${folder}/${name}`);
		}
	}
}

/** One that has broken off is made anew at each look. */
const isSameBroken = (a: StoredRecord, b: StoredRecord): boolean =>
	a.id === b.id && a.state === 'broken' && b.state === 'broken';

const noSuchBuild = (id: string): WherryError =>
	new WherryError('not-found', `no record found for ref ${JSON.stringify(id)}`, {object: id});
