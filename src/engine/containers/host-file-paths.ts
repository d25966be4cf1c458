/** Where /etc/hostname, /etc/hosts and /etc/resolv.conf of a container are: in its folder. */
import {join} from 'node:path';
import type {Paths} from '../paths.ts';
import {joinedContainer} from './joined.ts';
import {type ContainerRecord, findContainer} from './record.ts';

export interface HostFiles {
	resolvConf?: string;
	hostname?: string;
	hosts?: string;
}

/** Where they are: one that joins another container's network has that one's, which may have joined a third. */
export function hostFiles(paths: Paths, record: ContainerRecord): Required<HostFiles> {
	const seen = new Set<string>();
	let owner = record;
	for (;;) {
		const joined = joinedContainer(owner.HostConfig.NetworkMode);
		if (!joined || seen.has(owner.Id)) break;
		seen.add(owner.Id);
		owner = findContainer(paths, joined);
	}
	const folder = paths.container(owner.Id);
	return {
		resolvConf: join(folder, 'resolv.conf'),
		hostname: join(folder, 'hostname'),
		hosts: join(folder, 'hosts'),
	};
}
