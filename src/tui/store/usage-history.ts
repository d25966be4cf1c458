/** What one container has used of the machine, sample by sample: numbers for graphs. */
import type {ContainerStats} from '../../engine/api.ts';
import {blockTotals, cpuPercent, memoryUsed, networkTotals} from '../../engine/containers/usage.ts';

export interface UsageSample {
	/** Of one CPU. */
	cpu: number;
	/** Bytes. */
	memory: number;
	/** Bytes; the host's memory when there is no limit. */
	memoryLimit: number;
	/** Bytes each second. */
	received: number;
	sent: number;
	read: number;
	written: number;
	pids: number;
	pidsLimit: number | undefined;
	/** Bytes since the container's start. */
	totals: {received: number; sent: number; read: number; written: number};
	/** Milliseconds since the epoch. */
	time: number;
}

/** Samples that are kept: ten minutes of seconds. */
const CAPACITY = 600;

/** What graphs are made of. */
const DRAWN = ['cpu', 'memory', 'received', 'sent', 'read', 'written', 'pids'] as const;
type Drawn = (typeof DRAWN)[number];

/**
 * Numbers of a hundred containers for ten minutes: 17 kB each, all at once, so that the memory stays what it is. They
 * are written to at once, too: of what nobody has written to the system takes no memory yet.
 */
export class UsageHistory {
	readonly #numbers = Object.fromEntries(
		DRAWN.map((name) => [name, new Float32Array(CAPACITY).fill(0)]),
	) as Record<Drawn, Float32Array>;
	/** Samples ever added: the next one's place, once around. */
	#total = 0;
	last: UsageSample | undefined;

	get length(): number {
		return Math.min(this.#total, CAPACITY);
	}

	/** The last `count` values of one number, oldest first. */
	values(name: Drawn, count: number): number[] {
		const numbers = this.#numbers[name];
		const some = Math.min(count, this.length);
		return Array.from({length: some}, (_, at) => numbers[(this.#total - some + at) % CAPACITY]!);
	}

	add(stats: ContainerStats): void {
		const sample = nextSample(stats, this.last);
		if (!sample) return;
		for (const name of DRAWN) this.#numbers[name][this.#total % CAPACITY] = sample[name];
		this.#total++;
		this.last = sample;
	}
}

/** Undefined for a sample without a time: the container isn't up. Pure. */
export function nextSample(stats: ContainerStats, before: UsageSample | undefined): UsageSample | undefined {
	const time = Date.parse(stats.read);
	if (Number.isNaN(time) || time <= 0 || (before && time <= before.time)) return undefined;
	const totals = {...networkTotals(stats), ...blockTotals(stats)};
	const seconds = before ? (time - before.time) / 1000 : 0;
	// A counter that went back is another run's.
	const rate = (now: number, then: number | undefined): number =>
		seconds > 0 && then !== undefined && now > then ? (now - then) / seconds : 0;
	return {
		cpu: cpuPercent(stats),
		memory: memoryUsed(stats),
		memoryLimit: stats.memory_stats.limit ?? 0,
		received: rate(totals.received, before?.totals.received),
		sent: rate(totals.sent, before?.totals.sent),
		read: rate(totals.read, before?.totals.read),
		written: rate(totals.written, before?.totals.written),
		pids: stats.pids_stats.current ?? 0,
		pidsLimit: stats.pids_stats.limit,
		totals,
		time,
	};
}
