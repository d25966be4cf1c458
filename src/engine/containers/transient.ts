/**
 * Containers of `run` that have not started yet: `WHERRY_RUN/transient/<id>` is a symbolic link to `PID-START` of
 * the process that is about to start them, or `PID-START-keep` for one without --rm. As long as that process lives
 * no prune takes them; when it is gone, so is the purpose of those with --rm.
 */
import {readdirSync, readlinkSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {isErrno} from '../errors.ts';
import {unlinkIfThere} from '../files.ts';
import type {Paths} from '../paths.ts';
import {isAlive, startTime} from '../processes.ts';
import {isId} from './names.ts';
import {makeFolder} from './record.ts';

const folder = (paths: Paths): string => join(paths.run, 'transient');

export function markTransient(paths: Paths, id: string, options: {keep: boolean}): void {
	const maker = `${process.pid}-${startTime(process.pid) ?? 0}${options.keep ? '-keep' : ''}`;
	const mark = () => symlinkSync(maker, join(folder(paths), id));
	try {
		mark();
	} catch (error) {
		if (!isErrno(error, 'ENOENT')) throw error;
		makeFolder(folder(paths));
		mark();
	}
}

export function unmarkTransient(paths: Paths, id: string): void {
	unlinkIfThere(join(folder(paths), id));
}

interface Transient {
	id: string;
	alive: boolean;
	keep: boolean;
}

function transients(paths: Paths): Transient[] {
	let ids: string[];
	try {
		ids = readdirSync(folder(paths)).filter(isId);
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return [];
		throw error;
	}
	return ids.flatMap((id) => {
		try {
			const [pid, start, keep] = readlinkSync(join(folder(paths), id)).split('-');
			return [{id, alive: isAlive(Number(pid), Number(start)), keep: keep === 'keep'}];
		} catch {
			// It has just been started.
			return [];
		}
	});
}

/** The ids of --rm containers whose maker is dead. The marks of the others are taken away. */
export function abandonedTransients(paths: Paths): string[] {
	const dead = transients(paths).filter(({alive}) => !alive);
	for (const {id, keep} of dead) if (keep) unmarkTransient(paths, id);
	return dead.flatMap(({id, keep}) => (keep ? [] : [id]));
}

/** The ids that somebody is about to start. */
export const pendingTransients = (paths: Paths): Set<string> =>
	new Set(transients(paths).flatMap(({id, alive}) => (alive ? [id] : [])));
