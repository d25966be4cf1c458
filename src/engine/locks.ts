/**
 * Locks between processes: flock(2) on a file per object. Within this process the waiters queue in memory
 * first, so that at most one of them per lock sits on a native thread.
 *
 * A lock's file may be removed by its holder together with the object; so after locking, the file's inode
 * is compared with what the path says, and a lock on a file that is no longer there is taken anew.
 */
import {closeSync, constants, fstatSync, mkdirSync, openSync, statSync, unlinkSync} from 'node:fs';
import {dirname} from 'node:path';
import {native} from '../kernel/native.ts';
import {isErrno} from './errors.ts';
import type {Paths} from './paths.ts';

export interface Lock {
	/** Idempotent. `remove` takes the lock's file away with it: the object is gone. */
	release(options?: {remove?: boolean}): void;
}

/** The last holder or waiter of each lock file in this process. */
const queues = new Map<string, Promise<void>>();

function openLockFile(path: string, makeFolder: boolean): number {
	const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
	try {
		return openSync(path, flags, 0o600);
	} catch (error) {
		if (!makeFolder || !isErrno(error, 'ENOENT')) throw error;
		mkdirSync(dirname(path), {recursive: true, mode: 0o700});
		return openSync(path, flags, 0o600);
	}
}

function isCurrent(fd: number, path: string): boolean {
	const held = fstatSync(fd);
	const named = statSync(path, {throwIfNoEntry: false});
	return named !== undefined && named.ino === held.ino && named.dev === held.dev;
}

async function lockFile(path: string, wait: boolean, makeFolder: boolean): Promise<number | undefined> {
	for (;;) {
		const fd = openLockFile(path, makeFolder);
		try {
			const locked = native.flockNow(fd, true) || (wait && (await native.flock(fd, true, true)));
			if (locked && isCurrent(fd, path)) return fd;
			closeSync(fd);
			if (!locked) return undefined;
		} catch (error) {
			closeSync(fd);
			throw error;
		}
	}
}

/**
 * Takes the lock at a path. Throws ENOENT when its folder is not there, unless `makeFolder`. With
 * `wait: false` undefined when somebody else has it.
 */
export async function lockPath(
	path: string,
	options: {wait?: boolean; makeFolder?: boolean} = {},
): Promise<Lock | undefined> {
	const wait = options.wait ?? true;
	const before = queues.get(path);
	if (before && !wait) return undefined;
	let leave = () => {};
	const turn = new Promise<void>((resolve) => {
		leave = resolve;
	});
	const tail = before ? before.then(() => turn) : turn;
	queues.set(path, tail);
	const next = () => {
		if (queues.get(path) === tail) queues.delete(path);
		leave();
	};
	let fd: number | undefined;
	try {
		if (before) await before;
		fd = await lockFile(path, wait, options.makeFolder ?? false);
	} catch (error) {
		next();
		throw error;
	}
	if (fd === undefined) {
		next();
		return undefined;
	}
	const held = fd;
	let released = false;
	return {
		release({remove = false} = {}) {
			if (released) return;
			released = true;
			try {
				if (remove && isCurrent(held, path)) unlinkSync(path);
			} catch (error) {
				if (!isErrno(error, 'ENOENT')) throw error;
			} finally {
				closeSync(held);
				next();
			}
		},
	};
}

/** The locks of WHERRY_RUN/locks, by name: a container's id, `create`, `events`. */
export class Locks {
	readonly #paths: Paths;

	constructor(paths: Paths) {
		this.#paths = paths;
	}

	async acquire(name: string): Promise<Lock> {
		return (await lockPath(this.#paths.lock(name), {makeFolder: true}))!;
	}

	/** Undefined when somebody holds it. */
	tryAcquire(name: string): Promise<Lock | undefined> {
		return lockPath(this.#paths.lock(name), {makeFolder: true, wait: false});
	}

	async with<T>(name: string, work: () => T | Promise<T>): Promise<T> {
		const lock = await this.acquire(name);
		try {
			return await work();
		} finally {
			lock.release();
		}
	}
}
