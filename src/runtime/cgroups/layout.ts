/**
 * Where the host's cgroup hierarchies are: cgroup v1 (one mount for each controller or a few), v2 (one for
 * all) and the hybrid of both. Sources: proc_pid_mountinfo(5), cgroups(7), the kernel's admin-guide
 * cgroup-v1 and cgroup-v2.
 */
import {readFileSync} from 'node:fs';
import {normalize} from 'node:path';

/** The folder below each hierarchy's mount point in which all cgroups of ours are. */
export const cgroupParent = 'wherry';

export interface V1Hierarchy {
	/** Controllers, or one `name=systemd`. */
	readonly controllers: readonly string[];
	readonly mount: string;
}

export interface UnifiedHierarchy {
	readonly mount: string;
	/** cgroup.controllers of the mount's root: those that no v1 hierarchy has. */
	readonly controllers: readonly string[];
	/** Controllers that cgroups below `wherry` have already. */
	readonly delegated: readonly string[];
	/** The kernel keeps account of the pressure of `wherry` as a whole. */
	readonly pressure: boolean;
	/** This process is in the root of the hierarchy, so no session or scope of systemd's has it. */
	readonly selfInRoot: boolean;
}

export interface CgroupLayout {
	/** `hybrid`: there is a v2 mount, but controllers are on v1. */
	readonly version: 'none' | 'v1' | 'hybrid' | 'v2';
	readonly v1: readonly V1Hierarchy[];
	readonly unified?: UnifiedHierarchy;
	/** v1's cpuset: a new cgroup there has no CPUs until they are copied from its parent. */
	readonly cpuset?: {
		readonly cpus: string;
		readonly mems: string;
		/** `wherry` has these and hands them to its children. */
		readonly ready: boolean;
	};
	/** v1's memory: kernels before 5.11 don't count children with their parent unless told. */
	readonly memoryHierarchyReady: boolean;
}

/** Named v1 hierarchies that matter: systemd tracks its units in this one. */
const named: ReadonlySet<string> = new Set(['name=systemd']);

const mountOptions: ReadonlySet<string> = new Set([
	...['rw', 'ro', 'xattr', 'noprefix', 'clone_children', 'nsdelegate', 'memory_localevents', 'favordynmods'],
	...[
		'memory_recursiveprot',
		'memory_hugetlb_accounting',
		'pids_localevents',
		'cpuset_v2_mode',
		'all',
		'none',
	],
]);

function unescapePath(path: string): string {
	if (!path.includes('\\')) return path;
	return path.replace(/\\([0-7]{3})/g, (_match, octal: string) =>
		String.fromCharCode(Number.parseInt(octal, 8)),
	);
}

/** Where the hierarchies are mounted. */
export interface CgroupMounts {
	readonly v1: readonly V1Hierarchy[];
	readonly unified?: string;
}

/** The hierarchies among the mounts of a /proc/PID/mountinfo; of several mounts of one the first counts. */
export function parseCgroupMounts(mountinfo: string): CgroupMounts {
	const v1: V1Hierarchy[] = [];
	const seen = new Set<string>();
	let unified: string | undefined;
	for (const line of mountinfo.split('\n')) {
		const separator = line.indexOf(' - ');
		if (separator < 0) continue;
		const [fstype, , options = ''] = line.slice(separator + 3).split(' ');
		if (fstype !== 'cgroup' && fstype !== 'cgroup2') continue;
		const mount = unescapePath(line.split(' ')[4]!);
		if (fstype === 'cgroup2') {
			unified ??= mount;
			continue;
		}
		const controllers = options
			.split(',')
			.filter((option) => (option.includes('=') ? named.has(option) : !mountOptions.has(option)));
		if (controllers.length === 0 || controllers.some((name) => seen.has(name))) continue;
		for (const name of controllers) seen.add(name);
		v1.push({controllers, mount});
	}
	return unified === undefined ? {v1} : {v1, unified};
}

const words = (text: string) =>
	text
		.trim()
		.split(' ')
		.filter((word) => word !== '');

/** The layout, from the text of mountinfo and a reader of files that gives '' for one that is missing. */
export function cgroupLayout(mountinfo: string, read: (path: string) => string): CgroupLayout {
	const {v1, unified: mount} = parseCgroupMounts(mountinfo);
	const line = (path: string) => read(path).trim();
	const onV1 = (controller: string) => v1.find(({controllers}) => controllers.includes(controller))?.mount;
	const cpusetMount = onV1('cpuset');
	const memoryMount = onV1('memory');
	const hasV1Controllers = v1.some(({controllers}) => !controllers.every((name) => named.has(name)));
	let cpuset: CgroupLayout['cpuset'];
	if (cpusetMount !== undefined) {
		const cpus = line(`${cpusetMount}/cpuset.cpus`);
		const mems = line(`${cpusetMount}/cpuset.mems`);
		const ours = `${cpusetMount}/${cgroupParent}`;
		const ready =
			line(`${ours}/cpuset.cpus`) === cpus &&
			line(`${ours}/cpuset.mems`) === mems &&
			line(`${ours}/cgroup.clone_children`) === '1';
		cpuset = {cpus, mems, ready};
	}
	return {
		version: hasV1Controllers ? (mount === undefined ? 'v1' : 'hybrid') : mount === undefined ? 'none' : 'v2',
		v1,
		...(mount === undefined
			? {}
			: {
					unified: {
						mount,
						controllers: words(read(`${mount}/cgroup.controllers`)),
						delegated: words(read(`${mount}/${cgroupParent}/cgroup.subtree_control`)),
						pressure: line(`${mount}/${cgroupParent}/cgroup.pressure`) === '1',
						selfInRoot: read('/proc/self/cgroup').split('\n').includes('0::/'),
					},
				}),
		...(cpuset === undefined ? {} : {cpuset}),
		memoryHierarchyReady:
			memoryMount === undefined ||
			line(`${memoryMount}/memory.use_hierarchy`) === '1' ||
			line(`${memoryMount}/${cgroupParent}/memory.use_hierarchy`) === '1',
	};
}

function readOrEmpty(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}

/** Those of this host. */
export const detectCgroupMounts = (): CgroupMounts =>
	parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));

let detected: CgroupLayout | undefined;

/** The layout of this host, read once. */
export function detectCgroups(): CgroupLayout {
	detected ??= cgroupLayout(readFileSync('/proc/self/mountinfo', 'utf8'), readOrEmpty);
	return detected;
}

/** The path of a cgroup below a hierarchy's mount: a name is one of ours, an absolute path is what it says. */
export const cgroupPath = (cgroup: string): string =>
	cgroup.startsWith('/') ? normalize(cgroup) : `/${cgroupParent}/${cgroup}`;

/** A controller's place for a cgroup. */
export interface ControllerDir {
	readonly version: 1 | 2;
	readonly dir: string;
}

/** Where the controller's files for a cgroup are (see cgroupPath), or undefined when the host lacks it. */
export function controllerDir(
	layout: CgroupLayout,
	controller: string,
	cgroup: string,
): ControllerDir | undefined {
	for (const {controllers, mount} of layout.v1) {
		if (controllers.includes(controller)) return {version: 1, dir: mount + cgroupPath(cgroup)};
	}
	const {unified} = layout;
	return unified?.controllers.includes(controller)
		? {version: 2, dir: unified.mount + cgroupPath(cgroup)}
		: undefined;
}
