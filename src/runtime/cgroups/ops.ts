import {join} from 'node:path';
import type {LinuxResources} from '../oci.ts';
import type {Op} from '../plan/ops.ts';
import {assembleDeviceFilter, deviceRulesV1} from './device-filter.ts';
import {type CgroupLayout, type CgroupMounts, cgroupParent, cgroupPath, controllerDir} from './layout.ts';
import {type ControllerWrite, resourceWrites} from './resources.ts';

/** Flags of the operation writeHost. */
const ignoreErrors = 1;
const ignoreMissing = 2;

/** The cgroup that all monitors share, below `wherry`. */
const monitorsName = 'monitors';

/** Controllers that containers get on v2, as far as the host has them. */
const delegatedControllers = ['cpu', 'cpuset', 'memory', 'io', 'pids'] as const;

/** All that a container's plans and its monitor need to know about cgroups. */
export interface CgroupOps {
	/** Makes the cgroups and sets limits and the device filter. Repeatable: it runs at every restart too. */
	readonly setup: Op[];
	/** Makes `wherry` and the cgroup of the monitors; before `setup` and before the monitor joins. Repeatable. */
	readonly monitorSetup: Op[];
	/** Files to which the init writes "0" by itself. Empty on pure v2. */
	readonly initJoin: string[];
	/** The v2 folder for CLONE_INTO_CGROUP, also on a hybrid host; '' where there is no v2. */
	readonly cgroupDir: string;
	/** Files to which an exec child writes "0" before anything else. */
	readonly execJoin: string[];
	/** Files to which the monitor writes "0". */
	readonly monitorFiles: string[];
	readonly pause: Op[];
	readonly unpause: Op[];
	/** Kills what is left and removes the cgroups. */
	readonly stop: Op[];
	/** cgroup.kill (Linux 5.14; may be missing), or '' without v2. */
	readonly killFile: string;
	/** memory.oom_control on v1, memory.events on v2, '' without the controller. */
	readonly oomFile: string;
	/** The container's folder in every hierarchy, and what of it is below the hierarchy's mount. */
	readonly dirs: string[];
	readonly path: string;
}

const mkdirOp = (path: string): Op => ({op: 'mkdirHost', path, mode: 0o755});
const writeOp = (path: string, content: string, flags = 0): Op => ({op: 'writeHost', path, content, flags});

/** A name of ours, or an absolute path without `.` and `..` that is not the root. */
function checkCgroup(cgroup: string): void {
	const parts = cgroup.startsWith('/') ? cgroup.slice(1).split('/') : [cgroup];
	const valid = parts.every((part) =>
		cgroup.startsWith('/')
			? part !== '' && part !== '.' && part !== '..' && !part.includes('\0')
			: /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(part),
	);
	if (!valid || cgroup === monitorsName) throw new Error(`invalid cgroup name "${cgroup}"`);
}

/** Every hierarchy's mount point. */
function mounts(layout: CgroupLayout): string[] {
	return [...layout.v1.map(({mount}) => mount), ...(layout.unified ? [layout.unified.mount] : [])];
}

const wantedControllers = ({unified}: CgroupLayout, resources: LinuxResources): string[] =>
	[...delegatedControllers, ...(resources.hugepageLimits?.length ? ['hugetlb'] : [])].filter((name) =>
		unified!.controllers.includes(name),
	);

/** Makes the folders above a cgroup that is not in `wherry` fit to have it. */
function prepareForeignParents(layout: CgroupLayout, cgroup: string, resources: LinuxResources): Op[] {
	const ops: Op[] = [];
	for (const {controllers, mount} of layout.v1) {
		// A cpuset without CPUs takes no process.
		if (controllers.includes('cpuset')) ops.push({op: 'fillCpuset', mount, path: cgroup});
	}
	if (!layout.unified) return ops;
	const content = wantedControllers(layout, resources)
		.map((name) => `+${name}`)
		.join(' ');
	const {mount} = layout.unified;
	const parents = cgroup.split('/').slice(1, -1);
	for (let depth = 0; content && depth <= parents.length; depth++) {
		const parent = join(mount, ...parents.slice(0, depth));
		if (depth > 0) ops.push(mkdirOp(parent));
		ops.push(writeOp(`${parent}/cgroup.subtree_control`, content, ignoreErrors));
	}
	return ops;
}

/** A child gets real time only of what its parent has; the kernel keeps a twentieth for everybody else. */
function realtimeParentOps(layout: CgroupLayout, resources: LinuxResources): Op[] {
	const mount = layout.v1.find(({controllers}) => controllers.includes('cpu'))?.mount;
	if (!resources.cpu?.realtimeRuntime || mount === undefined) return [];
	const ours = `${mount}/${cgroupParent}`;
	return [mkdirOp(ours), writeOp(`${ours}/cpu.rt_runtime_us`, '950000', ignoreErrors)];
}

/** Makes `wherry` itself fit to have containers; nothing when an earlier start has done it. */
function prepareParents(layout: CgroupLayout, resources: LinuxResources): Op[] {
	const ops: Op[] = [];
	const {unified, cpuset} = layout;
	const v1Mount = (controller: string) =>
		layout.v1.find(({controllers}) => controllers.includes(controller))?.mount;
	const cpusetMount = v1Mount('cpuset');
	if (cpuset && !cpuset.ready && cpusetMount !== undefined) {
		const ours = `${cpusetMount}/${cgroupParent}`;
		// clone_children makes the kernel copy CPUs and memory nodes down into each new cgroup.
		ops.push(
			mkdirOp(ours),
			writeOp(`${ours}/cpuset.cpus`, cpuset.cpus),
			writeOp(`${ours}/cpuset.mems`, cpuset.mems),
			writeOp(`${ours}/cgroup.clone_children`, '1'),
		);
	}
	const memoryMount = v1Mount('memory');
	if (!layout.memoryHierarchyReady && memoryMount !== undefined) {
		const ours = `${memoryMount}/${cgroupParent}`;
		ops.push(mkdirOp(ours), writeOp(`${ours}/memory.use_hierarchy`, '1', ignoreErrors));
	}
	ops.push(...realtimeParentOps(layout, resources));
	if (unified) {
		const ours = `${unified.mount}/${cgroupParent}`;
		const wanted = wantedControllers(layout, resources).filter((name) => !unified.delegated.includes(name));
		if (wanted.length > 0) {
			const content = wanted.map((name) => `+${name}`).join(' ');
			// Where the root is itself inside a cgroup with processes the kernel refuses; then the limits fail.
			ops.push(
				mkdirOp(ours),
				writeOp(`${unified.mount}/cgroup.subtree_control`, content, ignoreErrors),
				writeOp(`${ours}/cgroup.subtree_control`, content, ignoreErrors),
			);
		}
		// The kernel keeps account of a cgroup's pressure at each switch of tasks, in all that it is in. Each container has
		// its own; nobody needs the sum of them, which costs a web server a few thousandths of its requests. Since Linux 6.1.
		if (wanted.length > 0 || unified.pressure)
			ops.push(writeOp(`${ours}/cgroup.pressure`, '0', ignoreErrors));
	}
	return ops;
}

function deviceOps(layout: CgroupLayout, id: string, resources: LinuxResources): Op[] {
	const rules = resources.devices ?? [];
	const v1 = controllerDir(layout, 'devices', id);
	if (v1) return deviceRulesV1(rules).map(({file, line}) => writeOp(`${v1.dir}/${file}`, line));
	if (!layout.unified) {
		throw new Error('no device filter is possible: the host has neither the devices cgroup nor cgroup v2');
	}
	const cgroup = layout.unified.mount + cgroupPath(id);
	return [{op: 'attachDeviceFilter', cgroup, program: assembleDeviceFilter(rules)}];
}

function limitOps(layout: CgroupLayout, id: string, resources: LinuxResources, update: boolean): Op[] {
	const place = (controller: string) => controllerDir(layout, controller, id);
	const versionOf = (controller: string) => place(controller)?.version;
	const flags = ({optional}: ControllerWrite) =>
		optional === 'any' ? ignoreErrors : optional === 'missing' ? ignoreMissing : 0;
	return resourceWrites(resources, {versionOf, update}).map((write) =>
		writeOp(`${place(write.controller)!.dir}/${write.file}`, write.content, flags(write)),
	);
}

function freezeOp(layout: CgroupLayout, id: string, freeze: boolean, flags = 0): Op[] {
	const v1 = controllerDir(layout, 'freezer', id);
	if (v1) return [writeOp(`${v1.dir}/freezer.state`, freeze ? 'FROZEN' : 'THAWED', flags)];
	if (!layout.unified) return [];
	const {mount} = layout.unified;
	return [writeOp(`${mount}${cgroupPath(id)}/cgroup.freeze`, freeze ? '1' : '0', flags)];
}

/**
 * Files to which an exec child writes "0" before anything else; see cgroupOps. It needs no more of the host than
 * where its hierarchies are.
 */
export function execJoinFiles({v1, unified}: CgroupMounts, cgroup: string): string[] {
	const tasks = v1.map(({mount}) => `${mount}${cgroupPath(cgroup)}/tasks`);
	const onV1 = v1.some(({controllers}) => controllers.includes('devices'));
	return onV1 || unified === undefined ? tasks : [...tasks, `${unified}${cgroupPath(cgroup)}/cgroup.procs`];
}

/**
 * The operations for a container's cgroups, the path of `id` (see cgroupPath) in every hierarchy. `resources.devices` is the
 * whole device filter: no rules deny every device. Throws Error where no device filter is possible.
 *
 * On v1 a process joins by writing "0" to `tasks`: a single thread that moves itself needs no grace period
 * of the kernel, while `cgroup.procs` costs milliseconds. v2 has CLONE_INTO_CGROUP for that. A hybrid host's
 * v2 hierarchy has no controllers, so an exec child, which dies with its container's pid namespace anyway,
 * doesn't join it.
 */
export function cgroupOps(layout: CgroupLayout, id: string, resources: LinuxResources): CgroupOps {
	checkCgroup(id);
	const all = mounts(layout);
	const dirs = all.map((mount) => mount + cgroupPath(id));
	const tasks = (name: string) => layout.v1.map(({mount}) => `${mount}${cgroupPath(name)}/tasks`);
	const unifiedDir = layout.unified ? layout.unified.mount + cgroupPath(id) : '';
	const onV2Alone = layout.version === 'v2' || !controllerDir(layout, 'devices', id);
	const memory = controllerDir(layout, 'memory', id);
	// Without controllers v2 only says to which session a process belongs, and joining it costs milliseconds.
	const monitorsJoinV2 = layout.unified !== undefined && (onV2Alone || !layout.unified.selfInRoot);
	const monitorDir = (mount: string) => `${mount}/${cgroupParent}/${monitorsName}`;
	return {
		setup: [
			...(id.startsWith('/') ? prepareForeignParents(layout, id, resources) : []),
			...dirs.map(mkdirOp),
			...deviceOps(layout, id, resources),
			...limitOps(layout, id, resources, false),
		],
		monitorSetup: [...prepareParents(layout, resources), ...all.map((mount) => mkdirOp(monitorDir(mount)))],
		initJoin: tasks(id),
		cgroupDir: unifiedDir,
		execJoin: execJoinFiles({v1: layout.v1, ...(layout.unified ? {unified: layout.unified.mount} : {})}, id),
		monitorFiles: [
			...tasks(monitorsName),
			...(monitorsJoinV2 ? [`${monitorDir(layout.unified!.mount)}/cgroup.procs`] : []),
		],
		pause: freezeOp(layout, id, true),
		unpause: freezeOp(layout, id, false),
		// A frozen process dies only when it is thawed.
		stop: [
			...freezeOp(layout, id, false, ignoreErrors),
			...dirs.toReversed().map((path): Op => ({op: 'removeCgroup', path})),
		],
		killFile: unifiedDir === '' ? '' : `${unifiedDir}/cgroup.kill`,
		oomFile: memory ? `${memory.dir}/${memory.version === 1 ? 'memory.oom_control' : 'memory.events'}` : '',
		dirs,
		path: cgroupPath(id),
	};
}

/** The operations that change the limits of a container that runs; its device filter stays. */
export function cgroupUpdateOps(layout: CgroupLayout, id: string, resources: LinuxResources): Op[] {
	checkCgroup(id);
	return [...realtimeParentOps(layout, resources), ...limitOps(layout, id, resources, true)];
}
