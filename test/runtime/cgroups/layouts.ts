/** Hosts as /proc/self/mountinfo and their files show them. */
import {type CgroupLayout, cgroupLayout} from '../../../src/runtime/cgroups/layout.ts';

const v1Line = (id: number, name: string, options: string) =>
	`${id} 31 0:${id} / /sys/fs/cgroup/${name} rw,nosuid shared:9 - cgroup cgroup rw,${options}\n`;

export const mountinfo = {
	v1: `23 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n${[
		v1Line(32, 'systemd', 'xattr,name=systemd'),
		v1Line(33, 'cpu,cpuacct', 'cpu,cpuacct'),
		v1Line(34, 'cpuset', 'cpuset'),
		v1Line(35, 'memory', 'memory'),
		v1Line(36, 'devices', 'devices'),
		v1Line(37, 'freezer', 'freezer'),
		v1Line(38, 'blkio', 'blkio'),
		v1Line(39, 'pids', 'pids'),
		v1Line(40, 'other', 'name=other'),
	].join('')}90 23 0:33 / /mnt/again rw - cgroup cgroup rw,cpu,cpuacct\n`,
	unified: (mount: string) => `41 23 0:38 / ${mount} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n`,
};

const files: Record<string, string> = {
	'/sys/fs/cgroup/cpuset/cpuset.cpus': '0-3\n',
	'/sys/fs/cgroup/cpuset/cpuset.mems': '0\n',
	'/sys/fs/cgroup/memory/memory.use_hierarchy': '1\n',
};

const prepared: Record<string, string> = {
	'/sys/fs/cgroup/cpuset/wherry/cpuset.cpus': '0-3\n',
	'/sys/fs/cgroup/cpuset/wherry/cpuset.mems': '0\n',
	'/sys/fs/cgroup/cpuset/wherry/cgroup.clone_children': '1\n',
};

const v2Files: Record<string, string> = {
	'/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n',
	'/proc/self/cgroup': '0::/user.slice/session-1.scope\n',
};

const make = (text: string, ...sources: Record<string, string>[]): CgroupLayout => {
	const all: Record<string, string> = Object.assign({}, ...sources);
	return cgroupLayout(text, (path) => all[path] ?? '');
};

export const layouts = {
	v1: make(mountinfo.v1, files, prepared),
	v1Fresh: make(mountinfo.v1, {...files, '/sys/fs/cgroup/memory/memory.use_hierarchy': '0\n'}),
	hybrid: make(mountinfo.v1 + mountinfo.unified('/sys/fs/cgroup/unified'), files, prepared, {
		'/proc/self/cgroup': '3:cpu:/\n0::/\n',
	}),
	hybridInSession: make(mountinfo.v1 + mountinfo.unified('/sys/fs/cgroup/unified'), files, prepared, {
		'/proc/self/cgroup': '0::/user.slice\n',
	}),
	v2: make(mountinfo.unified('/sys/fs/cgroup'), v2Files, {
		'/sys/fs/cgroup/wherry/cgroup.subtree_control': 'cpuset cpu io memory pids\n',
	}),
	v2Fresh: make(mountinfo.unified('/sys/fs/cgroup'), v2Files),
	none: make('23 1 8:1 / / rw - ext4 /dev/sda1 rw\n'),
};
