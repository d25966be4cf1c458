/**
 * What a container uses now: which files of its cgroups tell it, and what they say (the kernel's admin-guide
 * cgroup-v1 and cgroup-v2). Pure: the files are read in bulk elsewhere.
 */
import {type CgroupLayout, cgroupPath, controllerDir} from './layout.ts';

/** Nanoseconds since the cgroup was made. */
export interface CpuUsage {
	readonly total: number;
	readonly user: number;
	readonly kernel: number;
	readonly periods: number;
	readonly throttledPeriods: number;
	readonly throttledTime: number;
}

export interface MemoryUsage {
	/** Bytes, with the page cache. */
	readonly usage: number;
	/** undefined: without limit. */
	readonly limit: number | undefined;
	/** v1 alone has these two. */
	readonly most?: number;
	readonly failures?: number;
	/** memory.stat as it is. */
	readonly stat: ReadonlyMap<string, number>;
}

/** Bytes or operations on one device. */
export interface DeviceIo {
	readonly major: number;
	readonly minor: number;
	/** As the kernel's files of v1 have it, on v2 `read` and `write`. */
	readonly op: string;
	readonly value: number;
}

export interface CgroupUsage {
	/** Absent where the host lacks the controller, or the cgroup is gone. */
	readonly memory?: MemoryUsage;
	readonly pids?: {
		readonly current: number /** undefined: without limit. */;
		readonly limit: number | undefined;
	};
	readonly bytes: readonly DeviceIo[];
	readonly operations: readonly DeviceIo[];
}

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

/** v1's lines `8:0 Read 123`. */
export function parseIoV1(text: string): DeviceIo[] {
	return [...text.matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)].map(([, major, minor, op, value]) => ({
		major: Number(major),
		minor: Number(minor),
		op: op!,
		value: Number(value),
	}));
}

/** Two fields of v2's lines `8:0 rbytes=123 wbytes=0 rios=1 ...`. */
export function parseIoV2(text: string, read: string, write: string): DeviceIo[] {
	const out: DeviceIo[] = [];
	for (const [, major, minor, rest] of text.matchAll(/^(\d+):(\d+) (.*)$/gm)) {
		const fields = new Map(rest!.split(' ').map((field) => field.split('=', 2) as [string, string]));
		for (const [op, key] of [
			['read', read],
			['write', write],
		] as const) {
			const value = fields.get(key);
			if (value !== undefined) {
				out.push({major: Number(major), minor: Number(minor), op, value: Number(value)});
			}
		}
	}
	return out;
}

/** Files, and what they come to when they have been read; what can't be read is undefined. */
export interface UsageSource<T> {
	readonly files: readonly string[];
	readonly parse: (contents: readonly (string | undefined)[]) => T;
}

/** The cpu time of a cgroup; undefined when there is none. */
export function cpuSource(layout: CgroupLayout, cgroup: string): UsageSource<CpuUsage | undefined> {
	const accounting = controllerDir(layout, 'cpuacct', cgroup);
	if (accounting?.version === 1) {
		const cpu = controllerDir(layout, 'cpu', cgroup);
		return {
			files: [
				...['cpuacct.usage', 'cpuacct.usage_user', 'cpuacct.usage_sys'].map(
					(file) => `${accounting.dir}/${file}`,
				),
				...(cpu?.version === 1 ? [`${cpu.dir}/cpu.stat`] : []),
			],
			parse([total, user = '0', kernel = '0', stat = '']) {
				if (total === undefined) return undefined;
				const values = flatKeyed(stat);
				return {
					total: Number(total),
					user: Number(user),
					kernel: Number(kernel),
					periods: values.get('nr_periods') ?? 0,
					throttledPeriods: values.get('nr_throttled') ?? 0,
					throttledTime: values.get('throttled_time') ?? 0,
				};
			},
		};
	}
	if (!layout.unified) return {files: [], parse: () => undefined};
	return {
		// Every v2 cgroup has it, with the controller or without.
		files: [`${layout.unified.mount}${cgroupPath(cgroup)}/cpu.stat`],
		parse([text]) {
			if (text === undefined) return undefined;
			const values = flatKeyed(text);
			const time = (key: string): number => (values.get(key) ?? 0) * 1000;
			return {
				total: time('usage_usec'),
				user: time('user_usec'),
				kernel: time('system_usec'),
				periods: values.get('nr_periods') ?? 0,
				throttledPeriods: values.get('nr_throttled') ?? 0,
				throttledTime: time('throttled_usec'),
			};
		},
	};
}

const memoryFiles = {
	1: [
		'memory.usage_in_bytes',
		'memory.limit_in_bytes',
		'memory.stat',
		'memory.max_usage_in_bytes',
		'memory.failcnt',
	],
	2: ['memory.current', 'memory.max', 'memory.stat'],
} as const;

const ioFiles = {
	1: ['blkio.throttle.io_service_bytes_recursive', 'blkio.throttle.io_serviced_recursive'],
	2: ['io.stat'],
} as const;

/** Memory, processes and block devices of a cgroup. */
export function usageSource(layout: CgroupLayout, cgroup: string): UsageSource<CgroupUsage> {
	const files: string[] = [];
	const take = (
		dir: string | undefined,
		names: readonly string[],
	): ((all: readonly (string | undefined)[]) => (string | undefined)[]) => {
		const from = files.length;
		if (dir !== undefined) files.push(...names.map((name) => `${dir}/${name}`));
		const to = files.length;
		return (all) => all.slice(from, to);
	};
	const memoryDir = controllerDir(layout, 'memory', cgroup);
	const pidsDir = controllerDir(layout, 'pids', cgroup);
	const ioDir = controllerDir(layout, 'blkio', cgroup) ?? controllerDir(layout, 'io', cgroup);
	const memory = take(memoryDir?.dir, memoryFiles[memoryDir?.version ?? 2]);
	const pids = take(pidsDir?.dir, ['pids.current', 'pids.max']);
	const io = take(ioDir?.dir, ioFiles[ioDir?.version ?? 2]);
	return {
		files,
		parse(contents) {
			const [usage, limit = '', stat = '', most, failures] = memory(contents);
			const [current, pidsMax = ''] = pids(contents);
			const [first = '', second = ''] = io(contents);
			return {
				...(usage === undefined
					? {}
					: {
							memory: {
								usage: Number(usage),
								limit: parseLimit(limit),
								stat: flatKeyed(stat),
								...(most === undefined ? {} : {most: Number(most)}),
								...(failures === undefined ? {} : {failures: Number(failures)}),
							},
						}),
				...(current === undefined ? {} : {pids: {current: Number(current), limit: parseLimit(pidsMax)}}),
				...(ioDir?.version === 1
					? {bytes: parseIoV1(first), operations: parseIoV1(second)}
					: {
							bytes: parseIoV2(first, 'rbytes', 'wbytes'),
							operations: parseIoV2(first, 'rios', 'wios'),
						}),
			};
		},
	};
}
