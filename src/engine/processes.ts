/** Which processes live: a process is its pid and its start time, field 22 of /proc/PID/stat (proc(5)). */
import {readFileSync} from 'node:fs';

/** The start time of a process in clock ticks after boot; undefined when there is none, or only a zombie. */
export function startTime(pid: number): number | undefined {
	if (!Number.isInteger(pid) || pid <= 0) return undefined;
	let stat: string;
	try {
		stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
	} catch {
		return undefined;
	}
	// The second field is the command in parentheses, which may itself contain spaces and parentheses.
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
	return Number(fields[19]);
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
