/** What a container uses now, from the files of its cgroups (the kernel's cgroup-v1 and cgroup-v2). */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {type CgroupLayout, cgroupParent, controllerDir} from './layout.ts';

export interface CgroupStats {
	/** undefined where the host lacks the controller or the cgroup is gone. */
	readonly pids?: {readonly current: number /** undefined: without limit. */; readonly limit?: number};
	/** Bytes. `usage` is docker's: without page cache that is not in active use. */
	readonly memory?: {readonly usage: number; readonly total: number; readonly limit?: number};
	/** Nanoseconds since the cgroup was made. */
	readonly cpu?: {readonly usage: number; readonly throttled?: number};
	/** Bytes. */
	readonly blkio?: {readonly read: number; readonly write: number};
	readonly frozen: boolean;
}

type Read = (file: string) => Promise<string>;

/** The values of a file of `key value` lines. */
export function flatKeyed(text: string): Map<string, number> {
	const out = new Map<string, number>();
	for (const line of text.split('\n')) {
		const space = line.indexOf(' ');
		if (space > 0) out.set(line.slice(0, space), Number(line.slice(space + 1)));
	}
	return out;
}

/** A limit; `max`, and v1's number near 2^63, mean none. */
export function parseLimit(text: string): number | undefined {
	const value = Number(text.trim());
	return text.trim() === '' || !Number.isFinite(value) || value >= 2 ** 60 ? undefined : value;
}

/** Bytes read and written: v1's lines are `8:0 Read 123`, v2's `8:0 rbytes=123 wbytes=0 ...`. */
export function parseIo(text: string, version: 1 | 2): {read: number; write: number} {
	const sum = (pattern: RegExp) =>
		[...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
	return version === 1
		? {read: sum(/^[0-9]+:[0-9]+ Read ([0-9]+)$/gm), write: sum(/^[0-9]+:[0-9]+ Write ([0-9]+)$/gm)}
		: {read: sum(/ rbytes=([0-9]+)/g), write: sum(/ wbytes=([0-9]+)/g)};
}

const limitField = (limit: number | undefined) => (limit === undefined ? {} : {limit});

async function pidsStats(read: Read): Promise<CgroupStats['pids']> {
	const [current, limit] = await Promise.all([read('pids.current'), read('pids.max')]);
	return current === '' ? undefined : {current: Number(current), ...limitField(parseLimit(limit))};
}

async function memoryStats(read: Read, version: 1 | 2): Promise<CgroupStats['memory']> {
	const [totalText, limit, stat] = await Promise.all(
		version === 1
			? [read('memory.usage_in_bytes'), read('memory.limit_in_bytes'), read('memory.stat')]
			: [read('memory.current'), read('memory.max'), read('memory.stat')],
	);
	if (!totalText) return undefined;
	const total = Number(totalText);
	const inactive = flatKeyed(stat ?? '').get(version === 1 ? 'total_inactive_file' : 'inactive_file') ?? 0;
	return {usage: inactive < total ? total - inactive : total, total, ...limitField(parseLimit(limit ?? ''))};
}

async function cpuStats(layout: CgroupLayout, id: string): Promise<CgroupStats['cpu']> {
	const accounting = controllerDir(layout, 'cpuacct', id);
	const cpu = controllerDir(layout, 'cpu', id);
	if (accounting?.version === 1) {
		const usage = await reader(accounting.dir)('cpuacct.usage');
		if (usage === '') return undefined;
		const stat = cpu?.version === 1 ? flatKeyed(await reader(cpu.dir)('cpu.stat')) : undefined;
		const throttled = stat?.get('throttled_time');
		return {usage: Number(usage), ...(throttled === undefined ? {} : {throttled})};
	}
	if (!layout.unified) return undefined;
	// Every v2 cgroup has cpu.stat, with the controller or without.
	const stat = flatKeyed(await reader(join(layout.unified.mount, cgroupParent, id))('cpu.stat'));
	const usage = stat.get('usage_usec');
	if (usage === undefined) return undefined;
	const throttled = stat.get('throttled_usec');
	return {usage: usage * 1000, ...(throttled === undefined ? {} : {throttled: throttled * 1000})};
}

async function isFrozen(layout: CgroupLayout, id: string): Promise<boolean> {
	const freezer = controllerDir(layout, 'freezer', id);
	if (freezer?.version === 1) return (await reader(freezer.dir)('freezer.state')).trim() === 'FROZEN';
	if (!layout.unified) return false;
	const events = await reader(join(layout.unified.mount, cgroupParent, id))('cgroup.events');
	return flatKeyed(events).get('frozen') === 1;
}

function reader(dir: string): Read {
	return (file) => readFile(join(dir, file), 'utf8').catch(() => '');
}

/** Reads the numbers of the container's cgroups. What can't be read is absent; it never rejects. */
export async function readCgroupStats(layout: CgroupLayout, id: string): Promise<CgroupStats> {
	const pidsDir = controllerDir(layout, 'pids', id);
	const memoryDir = controllerDir(layout, 'memory', id);
	const ioDir = controllerDir(layout, 'blkio', id) ?? controllerDir(layout, 'io', id);
	const [pids, memory, cpu, ioText, frozen] = await Promise.all([
		pidsDir ? pidsStats(reader(pidsDir.dir)) : undefined,
		memoryDir ? memoryStats(reader(memoryDir.dir), memoryDir.version) : undefined,
		cpuStats(layout, id),
		ioDir
			? reader(ioDir.dir)(ioDir.version === 1 ? 'blkio.throttle.io_service_bytes_recursive' : 'io.stat')
			: undefined,
		isFrozen(layout, id),
	]);
	return {
		...(pids ? {pids} : {}),
		...(memory ? {memory} : {}),
		...(cpu ? {cpu} : {}),
		...(ioDir && ioText !== undefined ? {blkio: parseIo(ioText, ioDir.version)} : {}),
		frozen,
	};
}
