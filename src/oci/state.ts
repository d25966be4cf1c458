/**
 * Containers of `wherry oci` on disk: one folder each below the runtime's root.
 *
 *   state.json    what `state` shows, and what finds its process again
 *   config.json   the bundle's, as it was at `create`
 *   plan          the plan that made it
 *   stop.plan     what undoes it
 *   start         a FIFO, there until it is started
 */
import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {isAlive} from '../engine/processes.ts';
import {type CgroupLayout, cgroupPath, controllerDir} from '../runtime/cgroups/layout.ts';
import type {Spec} from '../runtime/oci.ts';
import {parseOciJson} from '../runtime/oci-json.ts';

export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

export interface ContainerState {
	ociVersion: string;
	id: string;
	bundle: string;
	annotations: Record<string, string>;
	/** Absolute path of its cgroup below each hierarchy. */
	cgroup: string;
	rootfs: string;
	/** RFC 3339. */
	created: string;
	/** 0 until there is a process. */
	pid: number;
	/** Start time of the process; see startTime. */
	start: number;
	/** Who is making it. */
	creator: {pid: number; start: number};
}

export const containerFolder = (root: string, id: string): string => join(root, id);
export const fifoPath = (root: string, id: string): string => join(root, id, 'start');

/** What other runtimes take for an id too; it is the name of a folder. */
export function checkId(id: string | undefined): string {
	if (id === undefined || id === '') throw new Error('container id cannot be empty');
	if (!/^[\w+.-]{1,1024}$/.test(id) || id === '.' || id === '..')
		throw new Error(`invalid container id format: ${id}`);
	return id;
}

export function writeState(root: string, state: ContainerState): void {
	const file = join(containerFolder(root, state.id), 'state.json');
	writeFileSync(`${file}.tmp`, JSON.stringify(state), {mode: 0o600});
	renameSync(`${file}.tmp`, file);
}

export function readState(root: string, id: string): ContainerState {
	try {
		return JSON.parse(readFileSync(join(containerFolder(root, checkId(id)), 'state.json'), 'utf8'));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			throw new Error(`container ${JSON.stringify(id)} does not exist`);
		}
		throw error;
	}
}

export const readSpec = (root: string, id: string): Spec =>
	parseOciJson(readFileSync(join(containerFolder(root, id), 'config.json'), 'utf8')) as Spec;

export function listIds(root: string): string[] {
	try {
		return readdirSync(root, {withFileTypes: true})
			.filter((entry) => entry.isDirectory())
			.map(({name}) => name)
			.filter((name) => existsSync(join(root, name, 'state.json')))
			.sort();
	} catch {
		return [];
	}
}

/** Makes the folder of a new container. Throws when the id is taken. */
export function reserve(root: string, id: string): string {
	mkdirSync(root, {recursive: true, mode: 0o700});
	const folder = containerFolder(root, id);
	try {
		mkdirSync(folder, {mode: 0o711});
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
			throw new Error(`container with id exists: ${id}`);
		}
		throw error;
	}
	return folder;
}

function isFrozen(layout: CgroupLayout, cgroup: string): boolean {
	const v1 = controllerDir(layout, 'freezer', cgroup);
	try {
		if (v1?.version === 1) return readFileSync(join(v1.dir, 'freezer.state'), 'latin1').trim() !== 'THAWED';
		if (!layout.unified) return false;
		return (
			readFileSync(join(layout.unified.mount, cgroupPath(cgroup), 'cgroup.freeze'), 'latin1').trim() === '1'
		);
	} catch {
		return false;
	}
}

export function statusOf(root: string, state: ContainerState, layout: CgroupLayout): Status {
	if (state.pid === 0) return isAlive(state.creator.pid, state.creator.start) ? 'creating' : 'stopped';
	if (!isAlive(state.pid, state.start)) return 'stopped';
	if (existsSync(fifoPath(root, state.id))) return 'created';
	return isFrozen(layout, state.cgroup) ? 'paused' : 'running';
}
