/** Mounts and devices of a spec, as operations. Pure. */
import {basename} from 'node:path';
import type {CgroupOps} from './cgroups/ops.ts';
import {hasNamespace, namespacePath} from './namespaces.ts';
import type {LinuxIdMapping, Mount, Spec} from './oci.ts';
import type {Op} from './plan/ops.ts';

/** From <sys/mount.h>. */
export const MS = {
	rdonly: 1,
	nosuid: 2,
	nodev: 4,
	noexec: 8,
	synchronous: 16,
	remount: 32,
	mandlock: 64,
	dirsync: 128,
	noatime: 1024,
	nodiratime: 2048,
	bind: 4096,
	rec: 16384,
	unbindable: 1 << 17,
	private: 1 << 18,
	slave: 1 << 19,
	shared: 1 << 20,
	relatime: 1 << 21,
	strictatime: 1 << 24,
} as const;

/** Of `bind`: read-only all the way down. A kernel that can't (before 5.12) refuses. */
const recursiveReadOnly = 2 ** 32;
const mountFlags: Record<string, number> = {
	ro: MS.rdonly,
	rro: MS.rdonly,
	nosuid: MS.nosuid,
	nodev: MS.nodev,
	noexec: MS.noexec,
	sync: MS.synchronous,
	mand: MS.mandlock,
	dirsync: MS.dirsync,
	noatime: MS.noatime,
	nodiratime: MS.nodiratime,
	relatime: MS.relatime,
	strictatime: MS.strictatime,
	bind: MS.bind,
	rbind: MS.bind | MS.rec,
};
const clearedFlags: Record<string, number> = {
	rw: MS.rdonly,
	suid: MS.nosuid,
	dev: MS.nodev,
	exec: MS.noexec,
	async: MS.synchronous,
	atime: MS.noatime,
	diratime: MS.nodiratime,
	norelatime: MS.relatime,
	nostrictatime: MS.strictatime,
};
export const propagationFlags: Record<string, number> = {
	private: MS.private,
	rprivate: MS.private | MS.rec,
	slave: MS.slave,
	rslave: MS.slave | MS.rec,
	shared: MS.shared,
	rshared: MS.shared | MS.rec,
	unbindable: MS.unbindable,
	runbindable: MS.unbindable | MS.rec,
};

/** Of no flag and of no file system; those of id maps see `idMapOf`. */
const otherOptions: ReadonlySet<string> = new Set(['', 'defaults', 'idmap', 'ridmap']);
/** A context has commas. */
export const contextOption = (label: string): string => `context="${label}"`;

/** File systems that take an SELinux context when they are mounted. */
const labelled = new Set(['tmpfs', 'devpts', 'ramfs']);
/** Overlay never follows what a layer says about redirects or metadata-only files: layers are strangers' data. */
export const overlayOptions = ['redirect_dir=nofollow', 'metacopy=off', 'index=off'];
export const idMapText = (maps: readonly LinuxIdMapping[] | undefined): string =>
	(maps ?? []).map(({containerID, hostID, size}) => `${containerID} ${hostID} ${size}\n`).join('');
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;

/** Of a bind whose source is no plain path of the host. */
export type MountOrigin =
	/** A path within a folder of the host, which no link in it may lead out of. */
	| {root: string; path: string}
	/** A path of an image; lowers topmost first. */
	| {lowers: readonly string[]; path: string};

interface ParsedOptions {
	flags: number;
	propagation: number;
	data: string;
}

export function parseMountOptions(options: readonly string[]): ParsedOptions {
	let flags = 0;
	let propagation = 0;
	const data: string[] = [];
	for (const option of options) {
		if (option in mountFlags) flags |= mountFlags[option]!;
		else if (option in clearedFlags) flags &= ~clearedFlags[option]!;
		else if (option in propagationFlags) propagation = propagationFlags[option]!;
		else if (!otherOptions.has(option)) data.push(option);
	}
	return {flags, propagation, data: data.join(',')};
}

/** The devices that every container has, after the tmpfs on /dev (runtime-spec, "Default Devices"). */
const defaultDevices: readonly [path: string, minor: number, major: number][] = [
	['/dev/null', 3, 1],
	['/dev/zero', 5, 1],
	['/dev/full', 7, 1],
	['/dev/random', 8, 1],
	['/dev/urandom', 9, 1],
	['/dev/tty', 0, 5],
];
const deviceLinks: readonly [path: string, target: string][] = [
	['/dev/fd', '/proc/self/fd'],
	['/dev/stdin', '/proc/self/fd/0'],
	['/dev/stdout', '/proc/self/fd/1'],
	['/dev/stderr', '/proc/self/fd/2'],
	['/dev/core', '/proc/kcore'],
	['/dev/ptmx', 'pts/ptmx'],
];

function deviceOps(spec: Spec, hasKcore: boolean): Op[] {
	// Nobody makes device nodes in a user namespace of his own.
	const bound = hasNamespace(spec, 'user');
	const ops = defaultDevices.map(
		([path, minor, major]): Op =>
			bound
				? {op: 'bindFromHostDevice', source: path, target: path}
				: {op: 'mknod', path, mode: S_IFCHR | 0o666, major, minor, uid: 0, gid: 0},
	);
	const made = new Set(defaultDevices.map(([path]) => path));
	for (const [path, target] of deviceLinks) {
		if (path === '/dev/core' && !hasKcore) continue;
		ops.push({op: 'symlink', target, path});
		made.add(path);
	}
	for (const device of spec.linux?.devices ?? []) {
		if (made.has(device.path)) continue;
		if (bound && device.type !== 'p') {
			ops.push({op: 'bindFromHostDevice', source: device.path, target: device.path});
			continue;
		}
		const type = device.type === 'b' ? S_IFBLK : device.type === 'p' ? S_IFIFO : S_IFCHR;
		ops.push({
			op: 'mknod',
			path: device.path,
			mode: type | (device.fileMode ?? 0o666),
			major: device.major ?? 0,
			minor: device.minor ?? 0,
			uid: device.uid ?? 0,
			gid: device.gid ?? 0,
		});
	}
	return ops;
}

function cgroupMount(mount: Mount, cgroups: CgroupOps, version: 1 | 2): Op[] {
	const {flags} = parseMountOptions(mount.options ?? []);
	if (version === 2) {
		return [{op: 'mount', fstype: 'cgroup2', source: 'cgroup', target: mount.destination, flags, data: ''}];
	}
	// v1 and hybrid: a tmpfs with this container's folder of every hierarchy, as other engines show it.
	const tmpfs = {op: 'mount', fstype: 'tmpfs', source: 'tmpfs', target: mount.destination} as const;
	const ops: Op[] = [{...tmpfs, flags: flags & ~MS.rdonly, data: 'mode=755'}];
	for (const source of cgroups.dirs) {
		const name = basename(source.slice(0, -cgroups.path.length));
		ops.push({op: 'bind', source, target: `${mount.destination}/${name}`, flags, propagation: MS.private});
	}
	// Only now: the mount points had to be made in it.
	if (flags & MS.rdonly) ops.push({...tmpfs, flags: flags | MS.remount, data: ''});
	return ops;
}

const isSharedMemory = ({destination, source}: Mount): boolean =>
	destination === '/dev/shm' && /^\/proc\/\d+\/root\/dev\/shm$/.test(source ?? '');

/**
 * Id maps that a bind has of its own: given with it, or asked for by an option, which without maps means those of
 * the container. Undefined: none. Throws for what can't be.
 */
export function idMapOf(
	spec: Spec,
	{destination, options = [], uidMappings, gidMappings}: Mount,
): {uids: string; gids: string; users: string; recursive: number} | undefined {
	const recursive = options.includes('ridmap') ? 1 : 0;
	const given = (uidMappings?.length ?? 0) + (gidMappings?.length ?? 0) > 0;
	if (!recursive && !options.includes('idmap') && !given) return undefined;
	const users = given ? '' : (namespacePath(spec, 'user') ?? '');
	const uids = idMapText(given ? uidMappings : spec.linux?.uidMappings);
	const gids = idMapText(given ? gidMappings : spec.linux?.gidMappings);
	if (!users && (!uids || !gids))
		throw new Error(`mount ${destination}: id maps for uids and gids are needed`);
	return {uids, gids, users, recursive};
}

interface MountsInput {
	version: 1 | 2;
	hasKcore: boolean;
	shmDonor: string | undefined;
	origins: Readonly<Record<string, MountOrigin>>;
}

/** `shmDonor`: the state file of the container whose /dev/shm is mounted, which no path leads to. */
export function mountOps(
	spec: Spec,
	cgroups: CgroupOps,
	{version, hasKcore, shmDonor, origins}: MountsInput,
): Op[] {
	const ops: Op[] = [];
	for (const mount of spec.mounts ?? []) {
		if (mount.type === 'cgroup') {
			ops.push(...cgroupMount(mount, cgroups, version));
			continue;
		}
		const {flags, propagation, data} = parseMountOptions(mount.options ?? []);
		const origin = origins[mount.destination];
		if (origin && 'lowers' in origin) {
			const {lowers, path} = origin;
			ops.push({op: 'bindImage', lowers, options: overlayOptions, path, target: mount.destination});
			continue;
		}
		if (mount.type === 'bind' || flags & MS.bind) {
			const common = {
				target: mount.destination,
				flags: (flags & ~MS.bind) + (mount.options?.includes('rro') ? recursiveReadOnly : 0),
				propagation: propagation || MS.private | MS.rec,
			};
			const maps = idMapOf(spec, mount);
			if (maps) {
				ops.push({op: 'bindMapped', source: mount.source!, ...common, ...maps});
				continue;
			}
			const source = shmDonor && isSharedMemory(mount) ? `container:${shmDonor}` : mount.source!;
			ops.push(origin ? {op: 'bindBeneath', ...origin, ...common} : {op: 'bind', source, ...common});
			continue;
		}
		// devpts: newinstance is what every mount of it is since 4.7.
		const label = labelled.has(mount.type ?? '') ? spec.linux?.mountLabel : undefined;
		const implied = mount.type === 'devpts' ? 'newinstance' : '';
		const options = data.split(',').filter((option) => option !== '' && option !== implied);
		ops.push({
			op: 'mount',
			fstype: mount.type ?? 'none',
			source: mount.source ?? 'none',
			target: mount.destination,
			flags,
			data: [...options, ...(label ? [contextOption(label)] : [])].join(','),
		});
		if (mount.destination === '/dev') ops.push(...deviceOps(spec, hasKcore));
	}
	if (!spec.mounts?.some((mount) => mount.destination === '/dev')) ops.push(...deviceOps(spec, hasKcore));
	return ops;
}
/** The options of mounts that are flags of the kernel; others go to the file system. */
export const knownMountOptions = (): string[] =>
	[
		...[mountFlags, clearedFlags, propagationFlags].flatMap((flags) => Object.keys(flags)),
		...['idmap', 'ridmap'],
	].sort();
