/**
 * What containers use, sampled again and again: files of their cgroups and of /proc, read in bulk on one
 * thread. Which containers there are is asked anew only after an event said that this has changed.
 */
import {readFileSync} from 'node:fs';
import {totalmem} from 'node:os';
import {native} from '../../kernel/native.ts';
import {type CgroupLayout, detectCgroups} from '../../runtime/cgroups/layout.ts';
import {parseNumberList} from '../../runtime/cgroups/limits.ts';
import {
	type CgroupUsage,
	type CpuUsage,
	cpuSource,
	type UsageSource,
	usageSource,
} from '../../runtime/cgroups/stats.ts';
import type {ContainerStats, CpuStats, NetworkStats, StatsOptions} from '../api.ts';
import {wallClock} from '../events/record.ts';
import {timestamp} from '../files.ts';
import {containerCgroup} from './cgroup.ts';
import type {EngineContext} from './context.ts';
import {type ContainerRecord, currentState, findContainer, isUp, readRecord, zeroTime} from './record.ts';
import {loadRows, type Row} from './rows.ts';

/** The most of one file that is read: memory.stat has some thousand bytes. */
const mostBytes = 64 << 10;
/** Milliseconds between samples. */
const interval = 1000;
/** Milliseconds from the first sample to the second: times are in nanoseconds, so that it needn't be long. */
const firstInterval = 100;

interface Subject {
	readonly record: ContainerRecord;
	/** 0 when it is not up. */
	readonly pid: number;
}

interface CpuSample {
	readonly cpu: CpuUsage;
	/** Nanoseconds of all CPUs together since the boot. */
	readonly system: number;
	readonly time: string;
}

const isUpNow = ({pid}: Subject): boolean => pid > 0;

/** On the host's network all of the host's traffic would be this container's. */
const networkSource = ({record, pid}: Subject): UsageSource<string | undefined> => ({
	files: record.HostConfig.NetworkMode === 'host' ? [] : [`/proc/${pid}/net/dev`],
	parse: ([text]) => text,
});

function onlineCpus(): number {
	try {
		const list = readFileSync('/sys/devices/system/cpu/online', 'latin1').trim();
		return parseNumberList(list, Number.MAX_SAFE_INTEGER).reduce((sum, [from, to]) => sum + to - from + 1, 0);
	} catch {
		return 1;
	}
}

/** proc_pid_net(5), dev: two lines of headings, then `name: ` and 16 numbers. The loopback isn't counted. */
export function parseNetworkDevices(text: string): Record<string, NetworkStats> {
	const networks: Record<string, NetworkStats> = {};
	for (const line of text.split('\n').slice(2)) {
		const colon = line.lastIndexOf(':');
		const name = line.slice(0, colon).trim();
		if (colon < 0 || name === 'lo') continue;
		const values = line
			.slice(colon + 1)
			.trim()
			.split(/\s+/)
			.map(Number);
		const [rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0] = values;
		const [tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0] = values.slice(8);
		networks[name] = {
			...{rx_bytes, rx_packets, rx_errors, rx_dropped},
			...{tx_bytes, tx_packets, tx_errors, tx_dropped},
		};
	}
	return networks;
}

const noCpu: CpuStats = {
	cpu_usage: {total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0},
	throttling_data: {periods: 0, throttled_periods: 0, throttled_time: 0},
};

function cpuStats({cpu, system}: CpuSample, cpus: number): CpuStats {
	return {
		cpu_usage: {
			total_usage: cpu.total,
			usage_in_kernelmode: cpu.kernel,
			usage_in_usermode: cpu.user,
		},
		system_cpu_usage: system,
		online_cpus: cpus,
		throttling_data: {
			periods: cpu.periods,
			throttled_periods: cpu.throttledPeriods,
			throttled_time: cpu.throttledTime,
		},
	};
}

/** What is said of a container that is not up. */
function emptyStats({Id, Name}: ContainerRecord): ContainerStats {
	return {
		id: Id,
		name: `/${Name}`,
		read: zeroTime,
		preread: zeroTime,
		num_procs: 0,
		pids_stats: {},
		cpu_stats: noCpu,
		precpu_stats: noCpu,
		memory_stats: {},
		blkio_stats: {io_service_bytes_recursive: null, io_serviced_recursive: null},
	};
}

function memoryStats({memory}: CgroupUsage, hostMemory: number): ContainerStats['memory_stats'] {
	if (!memory) return {};
	return {
		usage: memory.usage,
		limit: Math.min(memory.limit ?? hostMemory, hostMemory),
		stats: Object.fromEntries(memory.stat),
		...(memory.most === undefined ? {} : {max_usage: memory.most}),
		...(memory.failures === undefined ? {} : {failcnt: memory.failures}),
	};
}

/** Reads the files of many sources in their order, in one go. */
async function readAll<T extends readonly UsageSource<unknown>[]>(
	...groups: {[I in keyof T]: T[I][]}
): Promise<{[I in keyof T]: ReturnType<T[I]['parse']>[]}> {
	const sources = groups.flat() as UsageSource<unknown>[];
	const contents = await native.readFiles(
		sources.flatMap(({files}) => files),
		mostBytes,
	);
	let at = 0;
	const results = groups.map((group) =>
		(group as UsageSource<unknown>[]).map(({files, parse}) => {
			at += files.length;
			return parse(contents.slice(at - files.length, at));
		}),
	);
	return results as {[I in keyof T]: ReturnType<T[I]['parse']>[]};
}

class Sampler {
	readonly #layout: CgroupLayout = detectCgroups();
	readonly #cpus = onlineCpus();
	readonly #hostMemory = totalmem();
	#last = new Map<string, CpuSample>();

	/** Takes the CPU times alone, for the next sample to be compared with. */
	async begin(subjects: readonly Subject[]): Promise<void> {
		const up = subjects.filter(isUpNow);
		const moment = this.#moment();
		const [times] = await readAll<[UsageSource<CpuUsage | undefined>]>(
			up.map((subject) => this.#cpu(subject)),
		);
		this.#keep(up, times, moment);
	}

	/** `ready` is when the CPU times may be read again; all else is read meanwhile. */
	async sample(subjects: readonly Subject[], ready?: Promise<void>): Promise<ContainerStats[]> {
		const before = this.#last;
		const up = subjects.filter(isUpNow);
		const [usages, devices] = await readAll<[UsageSource<CgroupUsage>, UsageSource<string | undefined>]>(
			up.map(({record}) => usageSource(this.#layout, containerCgroup(record))),
			up.map(networkSource),
		);
		await ready;
		const moment = this.#moment();
		const [times] = await readAll<[UsageSource<CpuUsage | undefined>]>(
			up.map((subject) => this.#cpu(subject)),
		);
		this.#keep(up, times, moment);
		const places = new Map(up.map(({record}, index) => [record.Id, index]));
		return subjects.map(({record}) => {
			const index = places.get(record.Id);
			const now = this.#last.get(record.Id);
			if (index === undefined || !now) return emptyStats(record);
			return this.#stats(record, now, before.get(record.Id), usages[index]!, devices[index]);
		});
	}

	#cpu({record}: Subject): UsageSource<CpuUsage | undefined> {
		return cpuSource(this.#layout, containerCgroup(record));
	}

	#moment(): Pick<CpuSample, 'system' | 'time'> {
		return {system: Number(process.hrtime.bigint()) * this.#cpus, time: timestamp(wallClock())};
	}

	/** A container whose cgroup has gone meanwhile has no sample. */
	#keep(
		up: readonly Subject[],
		times: readonly (CpuUsage | undefined)[],
		moment: Pick<CpuSample, 'system' | 'time'>,
	): void {
		this.#last = new Map();
		for (const [index, cpu] of times.entries()) {
			if (cpu) this.#last.set(up[index]!.record.Id, {cpu, ...moment});
		}
	}

	#stats(
		{Id, Name}: ContainerRecord,
		now: CpuSample,
		previous: CpuSample | undefined,
		usage: CgroupUsage,
		devices: string | undefined,
	): ContainerStats {
		const {pids} = usage;
		return {
			id: Id,
			name: `/${Name}`,
			read: now.time,
			preread: previous?.time ?? zeroTime,
			num_procs: 0,
			pids_stats: pids
				? {current: pids.current, ...(pids.limit === undefined ? {} : {limit: pids.limit})}
				: {},
			cpu_stats: cpuStats(now, this.#cpus),
			precpu_stats: previous ? cpuStats(previous, this.#cpus) : noCpu,
			memory_stats: memoryStats(usage, this.#hostMemory),
			blkio_stats: {
				io_service_bytes_recursive: [...usage.bytes],
				io_serviced_recursive: [...usage.operations],
			},
			...(devices === undefined ? {} : {networks: parseNetworkDevices(devices)}),
		};
	}
}

function subjectOf(record: ContainerRecord, {status, pid}: Row['state']): Subject {
	return {record, pid: status === 'running' || status === 'paused' ? pid : 0};
}

/** Named ones in the order of the names, without those that have been removed. */
async function findSubjects(
	context: EngineContext,
	ids: readonly string[] | undefined,
	all: boolean,
): Promise<Subject[]> {
	if (ids) {
		return ids.flatMap((id) => {
			const record = readRecord(context.paths, id);
			return record ? [subjectOf(record, currentState(context.paths, id))] : [];
		});
	}
	return (await loadRows(context.paths))
		.filter(({state}) => all || isUp(state))
		.map(({record, state}) => subjectOf(record, state));
}

const changes = new Set(['create', 'start', 'die', 'destroy', 'rename', 'update']);

/** Throws `not-found` for a name that isn't there. */
export async function* containerStats(
	context: EngineContext,
	names: readonly string[] | undefined,
	options: StatsOptions,
): AsyncGenerator<ContainerStats[]> {
	const {stream = true, all = false, signal} = options;
	const ids = names && [...new Set(names.map((name) => findContainer(context.paths, name).Id))];
	const ending = new AbortController();
	const end = () => ending.abort();
	signal?.addEventListener('abort', end);
	let stale = false;
	const follow = async (): Promise<void> => {
		for await (const batch of context.events.stream({
			filters: {type: ['container']},
			signal: ending.signal,
		})) {
			if (!Array.isArray(batch) || batch.some(({Action}) => changes.has(Action))) stale = true;
		}
	};
	const followed = stream ? follow().catch(end) : undefined;
	try {
		const sampler = new Sampler();
		let current = await findSubjects(context, ids, all);
		let ready: Promise<void> | undefined;
		if (current.some(({pid}) => pid > 0)) {
			await sampler.begin(current);
			ready = sleep(Math.min(options.interval ?? firstInterval, firstInterval), ending.signal);
		}
		while (!ending.signal.aborted) {
			if (stale) {
				stale = false;
				current = await findSubjects(context, ids, all);
			}
			const batch = await sampler.sample(current, ready);
			ready = undefined;
			if (ending.signal.aborted) return;
			yield batch;
			if (!stream) return;
			await sleep(options.interval ?? interval, ending.signal);
		}
	} finally {
		signal?.removeEventListener('abort', end);
		end();
		await followed;
	}
}

/** Resolves early when it is told to end. */
function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		const done = (): void => {
			clearTimeout(timer);
			signal.removeEventListener('abort', done);
			resolve();
		};
		const timer = setTimeout(done, milliseconds);
		signal.addEventListener('abort', done);
		if (signal.aborted) done();
	});
}
