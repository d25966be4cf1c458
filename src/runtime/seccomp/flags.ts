import type {LinuxSeccomp} from '../oci.ts';

/** SECCOMP_FILTER_FLAG_* that a profile may ask for. */
const filterFlags: Readonly<Record<string, number>> = {
	SECCOMP_FILTER_FLAG_TSYNC: 1,
	SECCOMP_FILTER_FLAG_LOG: 2,
	SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
};

/** The flags for seccomp(2). Without any in the profile it is runc's: no speculation mitigation is forced on. */
export function seccompFlags(seccomp: LinuxSeccomp): number {
	let flags = 0;
	for (const name of seccomp.flags ?? ['SECCOMP_FILTER_FLAG_SPEC_ALLOW']) {
		const flag = Object.hasOwn(filterFlags, name) ? filterFlags[name] : undefined;
		if (flag === undefined) throw new Error(`seccomp flag "${name}" is not supported`);
		flags |= flag;
	}
	return flags;
}
