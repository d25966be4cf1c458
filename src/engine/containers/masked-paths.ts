/** What of /proc and /sys a container doesn't see, or sees only to read: docker's lists. */
import type {HostConfig} from '../api.ts';
import type {HostSettings} from './record.ts';

export const maskedPaths: readonly string[] = [
	'/proc/acpi',
	'/proc/asound',
	'/proc/interrupts',
	'/proc/kcore',
	'/proc/keys',
	'/proc/latency_stats',
	'/proc/sched_debug',
	'/proc/scsi',
	'/proc/timer_list',
	'/proc/timer_stats',
	'/sys/devices/virtual/powercap',
	'/sys/firmware',
];

export const readonlyPaths: readonly string[] = [
	'/proc/bus',
	'/proc/fs',
	'/proc/irq',
	'/proc/sys',
	'/proc/sysrq-trigger',
];

/** docker's two lists of a container; none with --privileged, and empty ones when it is told to leave them out. */
export function shownPaths(host: HostSettings): Pick<HostConfig, 'MaskedPaths' | 'ReadonlyPaths'> {
	if (host.Privileged) return {MaskedPaths: null, ReadonlyPaths: null};
	const open = host.SecurityOpt?.some((option) => /^systempaths[=:]unconfined$/.test(option));
	return {
		MaskedPaths: open ? [] : (host.MaskedPaths ?? [...maskedPaths]),
		ReadonlyPaths: open ? [] : (host.ReadonlyPaths ?? [...readonlyPaths]),
	};
}
