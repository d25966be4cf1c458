/** docker's formulas from a sample to what its table shows. Pure. */
import type {BlkioEntry, ContainerStats} from '../api.ts';

/** Of one CPU: two busy ones are 200. 0 without two samples. */
export function cpuPercent({cpu_stats: now, precpu_stats: before}: ContainerStats): number {
	const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
	const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
	return used > 0 && passed > 0 ? (used / passed) * (now.online_cpus ?? 1) * 100 : 0;
}

/** Bytes, without the page cache that nobody uses: what the kernel would give up first. */
export function memoryUsed({memory_stats: {usage = 0, stats = {}}}: ContainerStats): number {
	// v1 has both: the first counts the cgroups below, too.
	const inactive = stats.total_inactive_file ?? stats.inactive_file ?? 0;
	return inactive < usage ? usage - inactive : usage;
}

export function memoryPercent(stats: ContainerStats): number {
	const {limit = 0} = stats.memory_stats;
	return limit > 0 ? (memoryUsed(stats) / limit) * 100 : 0;
}

/** Bytes over all interfaces. */
export function networkTotals({networks = {}}: ContainerStats): {received: number; sent: number} {
	let [received, sent] = [0, 0];
	for (const {rx_bytes, tx_bytes} of Object.values(networks)) {
		received += rx_bytes;
		sent += tx_bytes;
	}
	return {received, sent};
}

/** Bytes over all devices. */
export function blockTotals({blkio_stats}: ContainerStats): {read: number; written: number} {
	const sum = (letter: string): number =>
		(blkio_stats.io_service_bytes_recursive ?? []).reduce(
			(total: number, {op, value}: BlkioEntry) =>
				op.toLowerCase().startsWith(letter) ? total + value : total,
			0,
		);
	return {read: sum('r'), written: sum('w')};
}
