/**
 * What builds keep for the next one: a file per step in WHERRY_ROOT/build-cache/steps, named by the step's key, that
 * names the layer which the step made. As long as the file is there the layer stays.
 */
import {mkdirSync, readFileSync, rmSync, statSync, utimesSync} from 'node:fs';
import {join} from 'node:path';
import {isErrno} from '../errors.ts';
import type {Paths} from '../paths.ts';
import {isDigest} from './digest.ts';
import {replaceFile} from './files.ts';
import {listFolder} from './leases.ts';

export interface CachedStep {
	/** The step as it is shown: `RUN make`. */
	readonly description: string;
	/** Absent: the step changed no files. */
	readonly layer?: {
		readonly diffId: string;
		readonly digest: string;
		readonly size: number;
		/** Where it is compressed. */
		readonly mediaType?: string;
	};
	/** RFC 3339. */
	readonly created: string;
}

export interface CacheRecord extends CachedStep {
	readonly key: string;
	/** Milliseconds since the epoch. */
	readonly lastUsed: number;
}

const suffix = '.json';
const hex = /^[a-f0-9]{64}$/;

const stepsFolder = (paths: Paths): string => join(paths.root, 'build-cache', 'steps');
const stepFile = (paths: Paths, key: string): string => join(stepsFolder(paths), `${key}${suffix}`);

/** Where the folders of `RUN --mount=type=cache` are. */
export const cacheMounts = (paths: Paths): string => join(paths.root, 'build-cache', 'mounts');

function parse(text: string): CachedStep | undefined {
	try {
		const {description, layer, created} = JSON.parse(text);
		if (typeof description !== 'string' || typeof created !== 'string') return undefined;
		if (layer === undefined) return {description, created};
		const {diffId, digest, size, mediaType} = layer;
		if (!isDigest(diffId) || !isDigest(digest) || !Number.isSafeInteger(size)) return undefined;
		const kind = typeof mediaType === 'string' ? {mediaType} : {};
		return {description, created, layer: {diffId, digest, size, ...kind}};
	} catch {
		return undefined;
	}
}

export function readStep(paths: Paths, key: string): CachedStep | undefined {
	try {
		return parse(readFileSync(stepFile(paths, key), 'utf8'));
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return undefined;
		throw error;
	}
}

export async function writeStep(paths: Paths, key: string, step: CachedStep): Promise<void> {
	mkdirSync(stepsFolder(paths), {recursive: true, mode: 0o700});
	await replaceFile(stepFile(paths, key), JSON.stringify(step), {sync: false});
}

/** Notes that a step was of use again. */
export function touchStep(paths: Paths, key: string): void {
	try {
		utimesSync(stepFile(paths, key), new Date(), new Date());
	} catch {
		// Somebody has just pruned it.
	}
}

export function listSteps(paths: Paths): CacheRecord[] {
	const records: CacheRecord[] = [];
	for (const name of listFolder(stepsFolder(paths))) {
		const key = name.slice(0, -suffix.length);
		if (!name.endsWith(suffix) || !hex.test(key)) continue;
		const step = readStep(paths, key);
		const stat = statSync(join(stepsFolder(paths), name), {throwIfNoEntry: false});
		if (step && stat) records.push({...step, key, lastUsed: stat.mtimeMs});
	}
	return records;
}

export function removeStep(paths: Paths, key: string): void {
	rmSync(stepFile(paths, key), {force: true});
}
