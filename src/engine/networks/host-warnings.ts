/** What on a host may keep packets from containers and can't be helped from here: told once after a boot. */
import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {readIfThere} from '../files.ts';
import type {Paths} from '../paths.ts';

/** Warnings for whoever makes a container with a network; `system check` has the commands that help. */
export async function firewallWarnings(paths: Paths): Promise<string[]> {
	const told = join(paths.run, 'firewall-told');
	if (existsSync(told)) return [];
	const blockers = [
		existsSync('/run/firewalld.pid') &&
			(await (await import('./host-filter.ts')).firewalldIsClosed()) &&
			'firewalld filters what is forwarded and keeps others out of its table',
		readIfThere('/proc/net/ip_tables_names')?.split('\n').includes('filter') &&
			'rules of iptables-legacy may drop what is forwarded',
	].filter((text) => typeof text === 'string');
	if (blockers.length === 0) return [];
	mkdirSync(paths.run, {recursive: true, mode: 0o700});
	writeFileSync(told, '', {mode: 0o600});
	return blockers.map((text) => `${text}; if containers can't be reached, see "wherry system check"`);
}
