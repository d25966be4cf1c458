import type {LinuxSeccomp} from '../oci.ts';

/** SECCOMP_FILTER_FLAG_* that a profile may ask for. */
const filterFlags: Readonly<Record<string, number>> = {
	SECCOMP_FILTER_FLAG_TSYNC: 1,
	SECCOMP_FILTER_FLAG_LOG: 2,
	SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
	SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
};
export const seccompFlagNames = Object.keys(filterFlags);
const newListener = 8;
const threadSync = 1;

/** Whether some calls wait for an agent, who gets the filter's listener. */
export const hasListener = ({syscalls = []}: LinuxSeccomp): boolean =>
	syscalls.some(({action}) => action === 'SCMP_ACT_NOTIFY');

/** The flags for seccomp(2). Throws for what can't be. Without any in the profile it is runc's: no speculation mitigation is forced on. */
export function seccompFlags(seccomp: LinuxSeccomp): number {
	let flags = 0;
	for (const name of seccomp.flags ?? ['SECCOMP_FILTER_FLAG_SPEC_ALLOW']) {
		const flag = Object.hasOwn(filterFlags, name) ? filterFlags[name] : undefined;
		if (flag === undefined) throw new Error(`seccomp flag "${name}" is not supported`);
		flags |= flag;
	}
	if (seccomp.defaultAction === 'SCMP_ACT_NOTIFY') {
		throw new Error('seccomp action SCMP_ACT_NOTIFY cannot be used as default action');
	}
	if (!hasListener(seccomp)) return flags;
	if (!seccomp.listenerPath) throw new Error('seccomp action SCMP_ACT_NOTIFY needs a listenerPath');
	// There is one thread, and the kernel can tell only one of the two.
	return (flags & ~threadSync) | newListener;
}
