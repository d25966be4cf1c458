/**
 * What is being brought into the store and has no name in index.json yet: a file per operation in
 * WHERRY_ROOT/ingest that lists the hex of blobs and layers, locked by the process as long as it works on
 * them. The lock ends with the process, so nothing is kept for one that was killed.
 */

import {closeSync, mkdirSync, openSync, readdirSync, readFileSync, unlinkSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import {randomHex} from '../../kernel/random.ts';
import {isErrno} from '../errors.ts';
import type {Locks} from '../locks.ts';
import type {Paths} from '../paths.ts';

/** Its holder may delete what nothing refers to; so a lease is made and a container's layers are noted under it. */
export const collectLock = 'collect';

const suffix = '.lease';
const stagingSuffix = '.unpack';

export interface Lease {
	/** The folder for a layer that is being unpacked; without its lease it is rubbish. */
	staging(hex: string): string;
	release(): void;
}

/** Protects blobs and layers, present or to come, from being collected. */
export function acquireLease(paths: Paths, locks: Locks, keys: readonly string[]): Promise<Lease> {
	return locks.with(collectLock, () => {
		mkdirSync(paths.ingest, {recursive: true, mode: 0o700});
		// Layers are unpacked side by side, thousands of files each, where others have just been removed: in one
		// part of the disk they would wait for each other, and ext4 without a journal looks at all that were.
		native.spreadFolders(paths.ingest);
		const id = randomHex(8);
		const path = join(paths.ingest, `${id}${suffix}`);
		const fd = openSync(path, 'wx', 0o600);
		try {
			native.flockNow(fd, true);
			writeSync(fd, keys.join('\n'));
		} catch (error) {
			unlinkSync(path);
			closeSync(fd);
			throw error;
		}
		let held = true;
		return {
			staging: (hex) => join(paths.ingest, `${id}.${hex}${stagingSuffix}`),
			release() {
				if (!held) return;
				held = false;
				unlinkSync(path);
				closeSync(fd);
			},
		};
	});
}

/** A lease with this in place of keys says that a name is taken away: who dies then leaves things to collect. */
export const removalMark = 'removal';

export interface Leased {
	/** What the leases of living processes protect. */
	readonly keys: Set<string>;
	/** Somebody died between taking a name away and collecting what it held. */
	readonly brokenRemoval: boolean;
}

/** Reads all leases, and removes those of dead processes. Call it under the collect lock. */
export function readLeases(paths: Paths): Leased {
	const keys = new Set<string>();
	let brokenRemoval = false;
	for (const name of listFolder(paths.ingest)) {
		if (!name.endsWith(suffix)) continue;
		const path = join(paths.ingest, name);
		try {
			const fd = openSync(path, 'r');
			try {
				const content = readFileSync(fd, 'utf8').split('\n');
				if (!native.flockNow(fd, true)) for (const key of content) keys.add(key);
				else {
					if (content.includes(removalMark)) brokenRemoval = true;
					unlinkSync(path);
				}
			} finally {
				closeSync(fd);
			}
		} catch (error) {
			if (!isErrno(error, 'ENOENT')) throw error;
		}
	}
	return {keys, brokenRemoval};
}

/** Staging folders whose lease is gone. Call it after `readLeases`, under the collect lock. */
export function abandonedStaging(paths: Paths): string[] {
	const names = listFolder(paths.ingest);
	const alive = new Set(
		names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length)),
	);
	return names
		.filter((name) => name.endsWith(stagingSuffix) && !alive.has(name.split('.')[0]!))
		.map((name) => join(paths.ingest, name));
}

/** Whether there is anything in the folder that may have to be cleaned up. */
export const isUntidy = (names: readonly string[]): boolean =>
	names.some((name) => name.endsWith(suffix) || name.endsWith(stagingSuffix));

/** The names in a folder; none when it is not there. */
export function listFolder(path: string): string[] {
	try {
		return readdirSync(path);
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return [];
		throw error;
	}
}
