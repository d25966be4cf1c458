import {existsSync} from 'node:fs';
import {readIfThere} from '../files.ts';

let enabled: boolean | undefined;

/**
 * Whether the host has AppArmor. Asked once: it can't be turned on or off while the host runs. It is apart from the
 * rest because `inspect` asks for it, which needs nothing else of a start.
 */
export function apparmorEnabled(): boolean {
	enabled ??=
		existsSync('/sys/kernel/security/apparmor') &&
		(readIfThere('/sys/module/apparmor/parameters/enabled') ?? 'Y').startsWith('Y');
	return enabled;
}
