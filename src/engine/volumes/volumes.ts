/**
 * Named and anonymous volumes: `volumes/<name>/` with `_data/`, `volume.json`, `lock` and `references/`. A
 * volume appears with all of them at once, and goes at once, by rename.
 */
import {randomBytes} from 'node:crypto';
import {mkdirSync, readdirSync, renameSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import type {Filters, VolumeSummary, Volumes} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import {labelsMatch} from '../events/filter.ts';
import type {EventJournal} from '../events.ts';
import {readIfThere, replaceFile} from '../files.ts';
import {checkFilters, patternsOf, truthOf} from '../filters.ts';
import type {Paths} from '../paths.ts';
import {dropMount} from './mounting.ts';
import {checkVolumeName, volumeNamePattern} from './names.ts';
import {checkVolumeOptions} from './options.ts';
import {dataFolder, emptyName, listReferences, lockVolume, noSuchVolume} from './references.ts';

/** docker's mark of a volume that nobody named. */
export const anonymousLabel = 'com.docker.volume.anonymous';

interface VolumeRecord {
	Name: string;
	/** RFC 3339. */
	CreatedAt: string;
	Labels: Record<string, string> | null;
	Options: Record<string, string> | null;
	/** Of an anonymous one: the container that it was made for. */
	Owner?: string;
}

const recordPath = (paths: Paths, name: string): string => join(paths.volume(name), 'volume.json');

function readVolumeRecord(paths: Paths, name: string): VolumeRecord | undefined {
	const text = readIfThere(recordPath(paths, name));
	if (text === undefined) return undefined;
	try {
		return JSON.parse(text) as VolumeRecord;
	} catch {
		return {Name: name, CreatedAt: '', Labels: null, Options: null};
	}
}

export const volumeOwner = (paths: Paths, name: string): string | undefined =>
	readVolumeRecord(paths, name)?.Owner;

export function readVolume(paths: Paths, name: string): VolumeSummary | undefined {
	const record = readVolumeRecord(paths, name);
	if (!record) return undefined;
	return {
		CreatedAt: record.CreatedAt,
		Driver: 'local',
		Labels: record.Labels,
		Mountpoint: dataFolder(paths, name),
		Name: name,
		Options: record.Options,
		Scope: 'local',
	};
}

function listNames(paths: Paths): string[] {
	try {
		return readdirSync(paths.volumes).filter((name) => volumeNamePattern.test(name));
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return [];
		throw error;
	}
}

export interface VolumeOptions {
	name?: string;
	/** The container that an anonymous one is for. */
	owner?: string;
	labels?: Record<string, string>;
	driver?: string;
	options?: Record<string, string>;
	/** No event tells of one that is there. */
	quiet?: boolean;
}

export class LocalVolumes implements Volumes {
	readonly #paths: Paths;
	readonly #events: EventJournal;

	constructor(paths: Paths, events: EventJournal) {
		this.#paths = paths;
		this.#events = events;
	}

	async create(options: VolumeOptions = {}): Promise<VolumeSummary> {
		const name = options.name ? checkVolumeName(options.name) : randomBytes(32).toString('hex');
		if (options.driver && options.driver !== 'local') {
			throw new WherryError(
				'unsupported',
				`create ${name}: error looking up volume plugin ${options.driver}: plugin "${options.driver}" not found`,
				{object: name},
			);
		}
		for (let made = false; ; made = true) {
			const existing = readVolume(this.#paths, name);
			if (existing) {
				// docker tells of one that was there as well.
				if (!made && !options.quiet) this.#events.append('volume', 'create', name, {driver: 'local'});
				return existing;
			}
			checkVolumeOptions(name, options.options ?? {});
			const labels = {...(options.name ? {} : {[anonymousLabel]: ''}), ...options.labels};
			this.#make({
				Name: name,
				CreatedAt: `${new Date().toISOString().slice(0, 19)}Z`,
				Labels: Object.keys(labels).length > 0 ? labels : null,
				Options: Object.keys(options.options ?? {}).length > 0 ? options.options! : null,
				...(options.owner && !options.name ? {Owner: options.owner} : {}),
			});
		}
	}

	/** A volume that somebody else has made meanwhile is fine. */
	#make(record: VolumeRecord): void {
		const paths = this.#paths;
		const temporary = join(paths.volumes, `.new-${process.pid}-${randomBytes(6).toString('hex')}`);
		// Containers of any user reach the data through their mounts; on the host the folder above is root's.
		mkdirSync(paths.volumes, {recursive: true, mode: 0o711});
		mkdirSync(join(temporary, 'references'), {recursive: true, mode: 0o700});
		mkdirSync(join(temporary, '_data'), {mode: 0o755});
		replaceFile(join(temporary, 'volume.json'), JSON.stringify(record));
		try {
			native.renameNoReplace(temporary, paths.volume(record.Name));
			this.#events.append('volume', 'create', record.Name, {driver: 'local'});
		} catch (error) {
			void native.removeTree(temporary);
			if (!isErrno(error, 'EEXIST', 'ENOTEMPTY')) throw error;
			if (!readVolume(paths, record.Name)) {
				throw new WherryError('corrupt', `volume ${record.Name} has no record`, {object: record.Name});
			}
		}
	}

	async list(options: {filters?: Filters} = {}): Promise<VolumeSummary[]> {
		const filters = options.filters ?? {};
		checkFilters(filters, ['dangling', 'driver', 'label', 'name']);
		const dangling = truthOf(filters, 'dangling');
		const names = patternsOf(filters.name ?? []);
		const rows: VolumeSummary[] = [];
		for (const name of listNames(this.#paths).sort()) {
			if (filters.name?.length && !names.some((pattern) => pattern.test(name))) continue;
			const volume = readVolume(this.#paths, name);
			if (!volume) continue;
			if (filters.driver?.length && !filters.driver.includes('local')) continue;
			if (!labelsMatch(filters.label ?? [], volume.Labels ?? {})) continue;
			if (dangling !== undefined && dangling !== (listReferences(this.#paths, name).length === 0)) continue;
			rows.push(volume);
		}
		return rows;
	}

	async inspect(name: string): Promise<VolumeSummary> {
		if (name === '') throw emptyName();
		const volume = volumeNamePattern.test(name) ? readVolume(this.#paths, name) : undefined;
		if (!volume) throw noSuchVolume(name);
		return volume;
	}

	async remove(name: string, options: {force?: boolean} = {}): Promise<void> {
		if (name === '') throw emptyName();
		const lock = volumeNamePattern.test(name) ? await lockVolume(this.#paths, name) : undefined;
		if (!lock) {
			if (options.force) return;
			throw noSuchVolume(name);
		}
		try {
			const users = listReferences(this.#paths, name);
			if (users.length > 0) {
				throw new WherryError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`, {
					object: name,
				});
			}
			await this.removeUnused(name);
		} finally {
			lock.release();
		}
	}

	async prune(
		options: {filters?: Filters} = {},
	): Promise<{VolumesDeleted: string[]; SpaceReclaimed: number}> {
		const {pruneVolumes} = await import('./prune.ts');
		const pruned = await pruneVolumes(this.#paths, this, options.filters ?? {});
		this.#events.append('volume', 'prune', '', {reclaimed: String(pruned.SpaceReclaimed)});
		return pruned;
	}

	/** Under the volume's lock, when nobody refers to it; with `check` it stays when somebody does. */
	async removeUnused(name: string, check = false): Promise<void> {
		if (check && listReferences(this.#paths, name).length > 0) return;
		await dropMount(this.#paths, name);
		const going = join(this.#paths.volumes, `.rm-${randomBytes(6).toString('hex')}-${name.slice(0, 64)}`);
		renameSync(this.#paths.volume(name), going);
		this.#events.append('volume', 'destroy', name, {driver: 'local'});
		await native.removeTree(going);
	}
}
