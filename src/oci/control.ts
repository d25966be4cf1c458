/** What is done to containers that exist: kill, pause, resume, update, ps, list. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {signalNumbers} from '../kernel/signals.ts';
import {detectCgroups} from '../runtime/cgroups/layout.ts';
import {cgroupOps, cgroupUpdateOps} from '../runtime/cgroups/ops.ts';
import type {LinuxResources} from '../runtime/oci.ts';
import {parseOciJson} from '../runtime/oci-json.ts';
import type {Op} from '../runtime/plan/ops.ts';
import {type ContainerState, listIds, readState, type Status, statusOf} from './state.ts';

/** Writes what a section of files to write says; those that are gone are passed over. */
export function writeAll(ops: readonly Op[]): void {
	for (const op of ops) {
		if (op.op !== 'writeHost' || !existsSync(op.path as string)) continue;
		writeFileSync(op.path as string, op.content as string);
	}
}

/** Processes in the container's cgroup. */
export function processesOf(state: ContainerState): number[] {
	const {dirs} = cgroupOps(detectCgroups(), state.cgroup, {});
	for (const folder of dirs) {
		const file = join(folder, 'cgroup.procs');
		if (!existsSync(file)) continue;
		const pids = readFileSync(file, 'latin1').split('\n').filter(Boolean).map(Number);
		if (pids.length > 0) return pids;
	}
	return [];
}

/** `9`, `KILL`, `SIGKILL`; 0 isn't one. */
export function signalNumber(text: string): number {
	const byName = signalNumbers[`SIG${text.toUpperCase().replace(/^SIG/, '')}`];
	const number = /^\d+$/.test(text) ? Number(text) : byName;
	if (number === undefined || number < 1 || number > 64)
		throw new Error(`unknown signal ${JSON.stringify(text)}`);
	return number;
}

export function kill(root: string, id: string, signal: string, all: boolean): void {
	const state = readState(root, id);
	const number = signalNumber(signal);
	const status = statusOf(root, state, detectCgroups());
	if (all) {
		for (const pid of processesOf(state)) {
			try {
				process.kill(pid, number);
			} catch {
				// It has ended by itself.
			}
		}
		return;
	}
	if (status === 'stopped' || status === 'creating') throw new Error('container not running');
	process.kill(state.pid, number);
}

export function freeze(root: string, id: string, frozen: boolean): void {
	const state = readState(root, id);
	const layout = detectCgroups();
	const status = statusOf(root, state, layout);
	if (frozen && status !== 'running' && status !== 'created')
		throw new Error('container not running or created');
	if (!frozen && status !== 'paused') throw new Error('container not paused');
	const ops = cgroupOps(layout, state.cgroup, {});
	writeAll(frozen ? ops.pause : ops.unpause);
}

export function update(root: string, id: string, resources: LinuxResources): void {
	const state = readState(root, id);
	const status = statusOf(root, state, detectCgroups());
	if (status === 'stopped' || status === 'creating') throw new Error('container not running');
	writeAll(cgroupUpdateOps(detectCgroups(), state.cgroup, resources));
}

/** `-r FILE`: a `resources` object of config.json; `-` is stdin. */
export const readResources = (file: string): LinuxResources =>
	parseOciJson(readFileSync(file === '-' ? 0 : file, 'utf8')) as LinuxResources;

export interface StateView {
	ociVersion: string;
	id: string;
	pid: number;
	status: Status;
	bundle: string;
	rootfs: string;
	created: string;
	owner: string;
	annotations?: Record<string, string>;
}

/** runtime.md, "State". */
export function view(root: string, state: ContainerState): StateView {
	const status = statusOf(root, state, detectCgroups());
	return {
		ociVersion: state.ociVersion,
		id: state.id,
		pid: status === 'stopped' || status === 'creating' ? 0 : state.pid,
		status,
		bundle: state.bundle,
		rootfs: state.rootfs,
		created: state.created,
		owner: 'root',
		...(Object.keys(state.annotations).length > 0 ? {annotations: state.annotations} : {}),
	};
}

export function list(root: string): StateView[] {
	const views: StateView[] = [];
	for (const id of listIds(root)) {
		try {
			views.push(view(root, readState(root, id)));
		} catch {
			// Removed meanwhile.
		}
	}
	return views;
}
