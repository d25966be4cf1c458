/** Where /etc/hostname, /etc/hosts and /etc/resolv.conf of a container are: in its folder. */
import {join} from 'node:path';
import type {Paths} from '../paths.ts';
import {type ContainerRecord, findContainer} from './record.ts';

export interface HostFiles {
	resolvConf?: string;
	hostname?: string;
	hosts?: string;
}

/** Where they are: one that joins another container's network has that one's. */
export function hostFiles(paths: Paths, record: ContainerRecord): Required<HostFiles> {
	const joined = /^container:(.+)$/.exec(record.HostConfig.NetworkMode)?.[1];
	const folder = paths.container(joined ? findContainer(paths, joined).Id : record.Id);
	return {
		resolvConf: join(folder, 'resolv.conf'),
		hostname: join(folder, 'hostname'),
		hosts: join(folder, 'hosts'),
	};
}
