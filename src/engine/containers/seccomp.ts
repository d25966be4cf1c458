import {join} from 'node:path';
import type {Spec} from '../../runtime/oci.ts';
import {compileSeccompCached} from '../../runtime/seccomp/cache.ts';
import type {Paths} from '../paths.ts';
import {hostArch} from './spec-host.ts';

/** The filter of a container's system calls; undefined when its spec has none. */
export function seccompProgram(paths: Paths, spec: Spec): Uint8Array | undefined {
	const seccomp = spec.linux?.seccomp;
	return seccomp && compileSeccompCached(seccomp, hostArch, join(paths.cache, 'seccomp'));
}
