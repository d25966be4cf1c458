/**
 * Whether clients on the host can be led to containers at their connect(2): what `leadPorts` needs of a host. One that
 * hasn't got it translates all their packets, also those with loopback addresses, on bridges with route_localnet.
 */
import {release} from 'node:os';
import {detectCgroups} from '../../runtime/cgroups/layout.ts';

export function kernelIsAtLeast(wantedMajor: number, wantedMinor: number): boolean {
	const [major = 0, minor = 0] = release().split('.').map(Number.parseFloat);
	return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** SO_NETNS_COOKIE is of Linux 5.14. */
export const hostLeads = (): boolean => kernelIsAtLeast(5, 14) && detectCgroups().unified !== undefined;
