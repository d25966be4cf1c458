/** Namespaces of a spec. */
import type {Spec} from './oci.ts';

/** From <sched.h>. */
export const cloneFlags = {
	mount: 0x00020000,
	cgroup: 0x02000000,
	uts: 0x04000000,
	ipc: 0x08000000,
	user: 0x10000000,
	pid: 0x20000000,
	network: 0x40000000,
	time: 0x80,
} as const;
export const namespacePath = (spec: Spec, type: string): string | undefined =>
	spec.linux?.namespaces?.find((namespace) => namespace.type === type)?.path;
export const hasNamespace = (spec: Spec, type: string): boolean =>
	spec.linux?.namespaces?.some((namespace) => namespace.type === type) ?? false;
