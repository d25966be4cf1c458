/** Which processes live: a process is its pid and its start time, field 22 of /proc/PID/stat (proc(5)). */
import {readFileSync} from 'node:fs';
import {native} from '../kernel/native.ts';

/** PID_MAX_LIMIT of the kernel. */
const maxPid = 1 << 22;

/** The start time of a process in clock ticks after boot; undefined when there is none, or only a zombie. */
export function startTime(pid: number): number | undefined {
	return Number.isInteger(pid) && pid > 0 && pid <= maxPid ? native.processStart(pid) : undefined;
}

export function isAlive(pid: number, start: number): boolean {
	return startTime(pid) === start;
}

let boot: string | undefined;

export function bootId(): string {
	boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
	return boot;
}

export interface ProcessIdentity {
	pid: number;
	start: number;
	bootId: string;
}

let own: ProcessIdentity | undefined;

/** This process, as others can test it with `isIdentityAlive`. */
export function ownIdentity(): ProcessIdentity {
	own ??= {pid: process.pid, start: startTime(process.pid) ?? 0, bootId: bootId()};
	return own;
}

export function isIdentityAlive(identity: ProcessIdentity): boolean {
	return identity.bootId === bootId() && isAlive(identity.pid, identity.start);
}
