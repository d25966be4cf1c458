/** Where a container's cgroups are. */
import {posix} from 'node:path';
import {detectCgroupMounts, detectCgroups} from '../../runtime/cgroups/layout.ts';
import {type CgroupOps, cgroupOps, execJoinFiles} from '../../runtime/cgroups/ops.ts';
import type {LinuxResources} from '../../runtime/oci.ts';
import {WherryError} from '../errors.ts';
import type {ContainerRecord, HostSettings} from './record.ts';

/** A name below ours, or with --cgroup-parent an absolute path below every hierarchy; see cgroupPath. */
export function containerCgroup({
	Id,
	HostConfig,
}: {
	Id: string;
	HostConfig: Pick<HostSettings, 'CgroupParent'>;
}): string {
	return HostConfig.CgroupParent === '' ? Id : posix.join(parentPath(HostConfig.CgroupParent), Id);
}

/**
 * The folder that --cgroup-parent names, never one outside of the hierarchies. A slice of systemd's is where
 * systemd has it: `a-b.slice` is in `a.slice` (systemd.slice(5)).
 */
export function parentPath(parent: string): string {
	const path = posix.join('/', parent);
	if (parent.includes('/') || !parent.endsWith('.slice') || parent === '.slice') return path;
	const names = parent.slice(0, -'.slice'.length).split('-');
	if (names.includes('')) {
		if (parent === '-.slice') return '/';
		throw new WherryError('invalid', `invalid slice name: ${parent}`, {object: parent});
	}
	return `/${names.map((_, index) => `${names.slice(0, index + 1).join('-')}.slice`).join('/')}`;
}

export function containerCgroups(
	record: Pick<ContainerRecord, 'Id' | 'HostConfig'>,
	resources: LinuxResources = {},
): CgroupOps {
	return cgroupOps(detectCgroups(), containerCgroup(record), resources);
}

/** What an exec has to know of them. */
export const execCgroups = (
	record: Pick<ContainerRecord, 'Id' | 'HostConfig'>,
): Pick<CgroupOps, 'execJoin'> => ({
	execJoin: execJoinFiles(detectCgroupMounts(), containerCgroup(record)),
});
