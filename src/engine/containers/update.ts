/**
 * `update`: limits and the restart policy of a container, also while it runs. Everything is checked before
 * anything is changed; what the kernel then refuses is put back as it was.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {controllerDir, detectCgroups} from '../../runtime/cgroups/layout.ts';
import {checkResources, limitHost, linuxResources} from '../../runtime/cgroups/limits.ts';
import {cgroupUpdateOps} from '../../runtime/cgroups/ops.ts';
import {flatKeyed} from '../../runtime/cgroups/stats.ts';
import type {LinuxResources} from '../../runtime/oci.ts';
import type {ContainerUpdate, HostConfig} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import {readIfThere} from '../files.ts';
import {containerCgroup} from './cgroup.ts';
import {type EngineContext, emit} from './context.ts';
import {checkRestartPolicy} from './host-config.ts';
import {
	type ContainerRecord,
	currentState,
	findContainer,
	type HostSettings,
	isUp,
	noSuchContainer,
	readRecord,
	writeRecord,
} from './record.ts';
import {reloadMonitor, rewritePlans} from './rewrite-plans.ts';

function cannotUpdate(
	id: string,
	reason: string,
	code: 'conflict' | 'invalid',
	cause?: unknown,
): WherryError {
	return new WherryError(code, `Cannot update container ${id}: ${reason}`, {object: id, cause});
}

/** Once a container has CPUs by number it can't have a period or a quota, and so the other way. */
function cpuConflict(change: ContainerUpdate, before: HostSettings): string | undefined {
	const {NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0} = change;
	const late = (what: string, is: string, has: string): string =>
		`Conflicting options: ${what} cannot be updated as ${is} ${has} already been set`;
	if (NanoCpus > 0 && before.CpuPeriod > 0) return late('Nano CPUs', 'CPU Period', 'has');
	if (NanoCpus > 0 && before.CpuQuota > 0) return late('Nano CPUs', 'CPU Quota', 'has');
	if (CpuPeriod > 0 && before.NanoCpus > 0) return late('CPU Period', 'NanoCPUs', 'has');
	if (CpuQuota > 0 && before.NanoCpus > 0) return late('CPU Quota', 'NanoCPUs', 'has');
	return undefined;
}

function memoryConflict(
	{Memory = 0, MemorySwap = 0}: ContainerUpdate,
	before: HostSettings,
): string | undefined {
	if (Memory > 0 && MemorySwap === 0 && before.MemorySwap >= 0 && Memory > before.MemorySwap) {
		return 'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time';
	}
	const memory = Memory || before.Memory;
	const swap = MemorySwap || before.MemorySwap;
	if (MemorySwap > 0 && memory === 0) {
		return 'You should always set the Memory limit when using Memoryswap limit, see usage';
	}
	if (swap > 0 && swap < memory) {
		return 'Minimum memoryswap limit should be larger than memory limit, see usage';
	}
	return undefined;
}

const numbers = [
	'BlkioWeight',
	'CpuShares',
	'NanoCpus',
	'CpuPeriod',
	'CpuQuota',
	'CpuRealtimePeriod',
	'CpuRealtimeRuntime',
	'CpusetCpus',
	'CpusetMems',
	'Memory',
	'MemoryReservation',
	'MemorySwap',
] as const satisfies (keyof ContainerUpdate & keyof HostConfig)[];

/** What the container's settings become. Throws when they would contradict each other. */
export function mergeUpdate<H extends HostSettings>(id: string, before: H, change: ContainerUpdate): H {
	const {RestartPolicy: policy, PidsLimit} = change;
	const conflict = cpuConflict(change, before) ?? memoryConflict(change, before);
	if (conflict) throw cannotUpdate(id, conflict, 'conflict');
	if (policy && policy.Name !== 'no' && before.AutoRemove) {
		throw cannotUpdate(
			id,
			'Restart policy cannot be updated because AutoRemove is enabled for the container',
			'conflict',
		);
	}
	const after: H = {...before};
	for (const key of numbers) if (change[key]) Object.assign(after, {[key]: change[key]});
	// No limit is stored as 0 here and as none in create, as docker has it.
	if (PidsLimit !== undefined) after.PidsLimit = Math.max(PidsLimit, 0);
	if (policy) after.RestartPolicy = {...policy};
	return after;
}

/** The limits that the kernel has to be told of: those that go together with what has changed. */
export function changedResources(after: HostSettings, change: ContainerUpdate): LinuxResources {
	const {memory = {}, cpu = {}, pids, blockIO} = linuxResources(after, []);
	const {limit, swap, reservation} = memory;
	const hasMemory = change.Memory || change.MemorySwap;
	const hasQuota = change.NanoCpus || change.CpuPeriod || change.CpuQuota;
	const given = <T extends object>(fields: T): Partial<T> =>
		Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
	const hasPids = change.PidsLimit !== undefined;
	return {
		memory: given({
			...(hasMemory ? {limit, swap} : {}),
			...(change.MemoryReservation ? {reservation} : {}),
		}) as NonNullable<LinuxResources['memory']>,
		cpu: given({
			...(change.CpuShares ? {shares: cpu.shares} : {}),
			...(hasQuota ? {period: cpu.period, quota: cpu.quota} : {}),
			...(change.CpuRealtimePeriod ? {realtimePeriod: cpu.realtimePeriod} : {}),
			...(change.CpuRealtimeRuntime ? {realtimeRuntime: cpu.realtimeRuntime} : {}),
			...(change.CpusetCpus ? {cpus: cpu.cpus} : {}),
			...(change.CpusetMems ? {mems: cpu.mems} : {}),
		}) as NonNullable<LinuxResources['cpu']>,
		...(hasPids && pids ? {pids} : {}),
		...(change.BlkioWeight && blockIO?.weight ? {blockIO: {weight: blockIO.weight}} : {}),
	};
}

/** v1 refuses a limit below what is used and can't be freed; v2 kills for it, so it isn't tried there. */
function checkUsage({Id}: ContainerRecord, cgroup: string, limit: number | undefined): void {
	const place = controllerDir(detectCgroups(), 'memory', cgroup);
	if (place?.version !== 2 || limit === undefined || limit <= 0) return;
	const current = Number(readIfThere(join(place.dir, 'memory.current')) ?? 0);
	const stat = flatKeyed(readIfThere(join(place.dir, 'memory.stat')) ?? '');
	const freed = ['inactive_file', 'active_file', 'slab_reclaimable'].reduce(
		(sum, key) => sum + (stat.get(key) ?? 0),
		0,
	);
	if (current - freed <= limit) return;
	throw cannotUpdate(Id, `unable to set memory limit to ${limit} (current usage: ${current})`, 'invalid');
}

/** Only the first line: others are of devices, which no update changes. */
function previousContent(path: string): string {
	const [line = ''] = readFileSync(path, 'utf8').split('\n');
	// An empty write would be none.
	return line === '' ? '\n' : line;
}

const reasons: Record<string, string> = {
	EINVAL: 'invalid argument',
	EBUSY: 'device or resource busy',
	ENOSPC: 'no space left on device',
	ENOENT: 'no such file or directory',
	EACCES: 'permission denied',
	ERANGE: 'numerical result out of range',
};

/** Throws what the kernel refuses. Gives what undoes it all. */
function applyLimits(record: ContainerRecord, resources: LinuxResources): () => void {
	const cgroup = containerCgroup(record);
	checkUsage(record, cgroup, resources.memory?.limit);
	const undone: [path: string, content: string][] = [];
	const undo = (): void => {
		for (const [path, content] of undone.reverse()) {
			try {
				writeFileSync(path, content, {flag: 'r+'});
			} catch {
				// The cgroup has gone, and its limits with it.
			}
		}
	};
	for (const op of cgroupUpdateOps(detectCgroups(), cgroup, resources)) {
		if (op.op !== 'writeHost') continue;
		const path = String(op.path);
		const content = String(op.content);
		try {
			undone.push([path, previousContent(path)]);
			writeFileSync(path, content, {flag: 'r+'});
		} catch (error) {
			const ignored = op.flags === 1 || (op.flags === 2 && isErrno(error, 'ENOENT'));
			if (ignored) continue;
			undo();
			const {code = ''} = error as NodeJS.ErrnoException;
			const reason =
				code === 'EBUSY' && path.endsWith('memory.limit_in_bytes')
					? usageReason(path, content)
					: `failed to write "${content}": write ${path}: ${reasons[code] ?? code}`;
			throw cannotUpdate(record.Id, reason, 'invalid', error);
		}
	}
	return undo;
}

function usageReason(path: string, limit: string): string {
	const of = (file: string): string => readIfThere(join(path, '..', file))?.trim() ?? '';
	return `unable to set memory limit to ${limit} (current usage: ${of('memory.usage_in_bytes')}, peak usage: ${of('memory.max_usage_in_bytes')})`;
}

/** Puts the new settings on disk and before the monitor. On a failure all is as before. */
async function commit(
	context: EngineContext,
	before: ContainerRecord,
	after: ContainerRecord,
	up: boolean,
): Promise<void> {
	try {
		writeRecord(context.paths, after);
		if (!up) return;
		await rewritePlans(context, after);
		await reloadMonitor(context, after);
	} catch (error) {
		writeRecord(context.paths, before);
		if (up) await rewritePlans(context, before).catch(() => {});
		throw error;
	}
}

export async function updateContainer(
	context: EngineContext,
	container: string,
	wanted: ContainerUpdate,
): Promise<{warnings: string[]}> {
	const {paths, locks} = context;
	const {Id} = findContainer(paths, container);
	if (wanted.RestartPolicy) checkRestartPolicy(wanted.RestartPolicy);
	let warnings: string[];
	let change: ContainerUpdate;
	try {
		const checked = checkResources(wanted, limitHost(detectCgroups()), {update: true});
		({warnings, limits: change} = checked);
	} catch (error) {
		throw new WherryError('invalid', (error as Error).message, {object: Id, cause: error});
	}
	await locks.with(Id, async () => {
		const record = readRecord(paths, Id);
		if (!record) throw noSuchContainer(container);
		const updated = {...record, HostConfig: mergeUpdate(Id, record.HostConfig, change)};
		const up = isUp(currentState(paths, Id));
		const undo = up ? applyLimits(updated, changedResources(updated.HostConfig, change)) : () => {};
		try {
			await commit(context, record, updated, up);
		} catch (error) {
			undo();
			throw error;
		}
		emit(context, updated, 'update');
	});
	return {warnings};
}
