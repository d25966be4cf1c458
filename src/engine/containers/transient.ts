/**
 * Containers of `run --rm` that have not started yet: `WHERRY_RUN/transient/<id>` is a symbolic link to
 * `PID-START` of the process that is about to start them. When that process is gone, so is their purpose.
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

export function markTransient(paths: Paths, id: string): void {
	const mark = () => symlinkSync(`${process.pid}-${startTime(process.pid) ?? 0}`, join(folder(paths), id));
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

/** The ids whose maker is dead. */
export function abandonedTransients(paths: Paths): string[] {
	let ids: string[];
	try {
		ids = readdirSync(folder(paths)).filter(isId);
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return [];
		throw error;
	}
	return ids.filter((id) => {
		try {
			const [pid, start] = readlinkSync(join(folder(paths), id))
				.split('-')
				.map(Number);
			return !isAlive(pid!, start!);
		} catch {
			return false;
		}
	});
}
