/**
 * Who uses a volume: `volumes/<name>/references/<container id>`, an empty file, made and removed under the
 * volume's lock, as the monitor's `releaseVolume` does.
 */
import {closeSync, openSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {isErrno, WherryError} from '../errors.ts';
import {unlinkIfThere} from '../files.ts';
import {type Lock, lockPath} from '../locks.ts';
import type {Paths} from '../paths.ts';

export const volumeLock = (paths: Paths, name: string): string => join(paths.volume(name), 'lock');
export const referencesFolder = (paths: Paths, name: string): string =>
	join(paths.volume(name), 'references');
export const referenceFile = (paths: Paths, name: string, id: string): string =>
	join(referencesFolder(paths, name), id);
export const dataFolder = (paths: Paths, name: string): string => join(paths.volume(name), '_data');

export function noSuchVolume(name: string): WherryError {
	return new WherryError('not-found', `get ${name}: no such volume`, {object: name});
}

export const emptyName = (): WherryError =>
	new WherryError('invalid', 'invalid volume name or ID: value is empty', {bare: true});

/** The volume's lock; undefined when there is no such volume. */
export async function lockVolume(paths: Paths, name: string): Promise<Lock | undefined> {
	try {
		return await lockPath(volumeLock(paths, name));
	} catch (error) {
		if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
		throw error;
	}
}

/** Under the lock. */
export function addReference(paths: Paths, name: string, id: string): void {
	closeSync(openSync(referenceFile(paths, name, id), 'a', 0o600));
}

/** Under the lock. */
export function dropReference(paths: Paths, name: string, id: string): void {
	unlinkIfThere(referenceFile(paths, name, id));
}

export function listReferences(paths: Paths, name: string): string[] {
	try {
		return readdirSync(referencesFolder(paths, name));
	} catch (error) {
		if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
		throw error;
	}
}
