import type {LinuxSeccomp, Spec} from '../../runtime/oci.ts';
import {compileSeccompCached, defaultSeccompCached} from '../../runtime/seccomp/cache.ts';
import type {ProfileOptions} from '../../runtime/seccomp/profile-options.ts';
import type {Paths} from '../paths.ts';
import {hostArch} from './spec-host.ts';

const cacheOf = (paths: Paths): string => `${paths.cache}/seccomp`;

/** docker's default profile for a container. */
export const defaultProfile = (paths: Paths, options: ProfileOptions): LinuxSeccomp =>
	defaultSeccompCached(options, cacheOf(paths));

/** The filter of a container's system calls; undefined when its spec has none. */
export function seccompProgram(paths: Paths, spec: Spec): Uint8Array | undefined {
	const seccomp = spec.linux?.seccomp;
	return seccomp && compileSeccompCached(seccomp, hostArch, cacheOf(paths));
}
