/** What containers use. */

/** Of one interface of a container. */
export interface NetworkStats {
	rx_bytes: number;
	rx_packets: number;
	rx_errors: number;
	rx_dropped: number;
	tx_bytes: number;
	tx_packets: number;
	tx_errors: number;
	tx_dropped: number;
}

/** Nanoseconds. */
export interface CpuStats {
	cpu_usage: {total_usage: number; usage_in_kernelmode: number; usage_in_usermode: number};
	/** Of all CPUs together since the boot. */
	system_cpu_usage?: number;
	online_cpus?: number;
	throttling_data: {periods: number; throttled_periods: number; throttled_time: number};
}

export interface BlkioEntry {
	major: number;
	minor: number;
	/** `Read`, `Write` and others on cgroup v1, `read` and `write` on v2. */
	op: string;
	value: number;
}

/** A sample of what a container uses, as docker's API has it. usage.ts has its formulas. */
export interface ContainerStats {
	id: string;
	/** With a leading slash. */
	name: string;
	/** RFC 3339; the zero time of a container that isn't up, or that had no sample before. */
	read: string;
	preread: string;
	num_procs: number;
	pids_stats: {current?: number; limit?: number};
	cpu_stats: CpuStats;
	precpu_stats: CpuStats;
	/** Bytes; the limit is the host's memory when there is none. */
	memory_stats: {
		usage?: number;
		max_usage?: number;
		failcnt?: number;
		limit?: number;
		stats?: Record<string, number>;
	};
	blkio_stats: {
		io_service_bytes_recursive: BlkioEntry[] | null;
		io_serviced_recursive: BlkioEntry[] | null;
	};
	networks?: Record<string, NetworkStats>;
}

export interface StatsOptions {
	/** Goes on until `signal` or until it is left; otherwise there is one batch. The default. */
	stream?: boolean;
	/** Also those that aren't up, with empty numbers; only without names. */
	all?: boolean;
	/** Milliseconds between batches, 1000 when absent. */
	interval?: number;
	signal?: AbortSignal;
}
