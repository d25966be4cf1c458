/** A bundle's `config.json`: read, checked, and compiled to a plan. */
import {existsSync, readFileSync} from 'node:fs';
import {isAbsolute, join, resolve} from 'node:path';
import {defaultDeviceRules} from '../runtime/cgroups/device-filter.ts';
import {detectCgroups} from '../runtime/cgroups/layout.ts';
import {cgroupOps} from '../runtime/cgroups/ops.ts';
import {compileContainer} from '../runtime/compile.ts';
import {idMapOf} from '../runtime/mounts.ts';
import type {LinuxResources, Process, Spec} from '../runtime/oci.ts';
import {parseOciJson} from '../runtime/oci-json.ts';
import {compileSeccompCached} from '../runtime/seccomp/cache.ts';
import {hasListener} from '../runtime/seccomp/flags.ts';
import {fifoPath} from './state.ts';

export interface Bundle {
	/** Absolute. */
	path: string;
	spec: Spec;
	/** Absolute. */
	rootfs: string;
}

function check(condition: unknown, message: string): asserts condition {
	if (!condition) throw new Error(message);
}

export function checkProcess(process: Process): void {
	check(Array.isArray(process.args) && process.args.length > 0, 'args must not be empty');
	check(typeof process.cwd === 'string' && process.cwd !== '', 'Cwd property must not be empty');
	check(isAbsolute(process.cwd), 'Cwd must be an absolute path');
}

/** Reads `config.json` of a bundle. Throws what is missing or can't be done. */
export function readBundle(path: string): Bundle {
	const folder = resolve(path);
	const file = join(folder, 'config.json');
	check(existsSync(file), `JSON specification file config.json not found in ${folder}`);
	let spec: Spec;
	try {
		spec = parseOciJson(readFileSync(file, 'utf8')) as Spec;
	} catch (error) {
		throw new Error(`${file} is not JSON: ${(error as Error).message}`);
	}
	check(
		typeof spec.ociVersion === 'string' && /^1\./.test(spec.ociVersion),
		`unsupported ociVersion in ${file}`,
	);
	check(spec.root?.path, 'root path must not be empty');
	check(spec.process, 'process must be set');
	checkProcess(spec.process);
	const rootfs = resolve(folder, spec.root.path);
	check(existsSync(rootfs), `the root file system ${rootfs} does not exist`);
	const types = new Set<string>();
	for (const {type, path: joined} of spec.linux?.namespaces ?? []) {
		check(!types.has(type), `malformed spec file: duplicated ns ${JSON.stringify(type)}`);
		types.add(type);
		if (joined) check(isAbsolute(joined), `the path of the ${type} namespace must be absolute`);
		if (joined && type === 'user') {
			const maps = [...(spec.linux?.uidMappings ?? []), ...(spec.linux?.gidMappings ?? [])];
			check(maps.length === 0, 'a user namespace that is joined has its id maps: none can be given');
		}
	}
	check(types.has('mount'), 'a container needs a mount namespace of its own');
	if (!types.has('user')) {
		const maps = [...(spec.linux?.uidMappings ?? []), ...(spec.linux?.gidMappings ?? [])];
		check(
			maps.length === 0,
			'user namespace mappings specified, but user namespace isn’t enabled in the config',
		);
	}
	check(!spec.hostname || types.has('uts'), 'unable to set hostname without a private UTS namespace');
	check(!spec.domainname || types.has('uts'), 'unable to set domainname without a private UTS namespace');
	for (const mount of spec.mounts ?? []) {
		check(isAbsolute(mount.destination), `mount destination ${mount.destination} not absolute`);
		if (idMapOf(spec, mount)) {
			const binds = mount.type === 'bind' || mount.options?.some((option) => /^r?bind$/.test(option));
			check(binds, `mount ${mount.destination}: only binds can have id maps of their own`);
		}
	}
	for (const hooks of Object.values(spec.hooks ?? {}) as {path: string}[][]) {
		for (const hook of hooks ?? [])
			check(isAbsolute(hook.path), `the path of a hook must be absolute: ${hook.path}`);
	}
	return {path: folder, spec, rootfs};
}

/** The cgroup's absolute path: as the bundle asks, in the way of cgroupfs or of systemd (`slice:prefix:name`). */
export function cgroupOf(spec: Spec, id: string, systemd: boolean): string {
	const asked = spec.linux?.cgroupsPath;
	if (!asked) return `/wherry/oci-${id}`;
	if (systemd && asked.includes(':')) {
		const [slice = '', prefix = '', name = ''] = asked.split(':');
		// a-b.slice is in a.slice.
		const parts = slice.replace(/\.slice$/, '').split('-');
		const slices =
			slice && slice !== '-.slice'
				? parts.map((_, index) => `${parts.slice(0, index + 1).join('-')}.slice`)
				: [];
		return `/${[...slices, name.endsWith('.slice') ? name : `${prefix}-${name}.scope`].join('/')}`;
	}
	const clean = asked.split('/').filter((part) => part !== '' && part !== '.');
	if (clean.includes('..')) throw new Error(`invalid cgroup path ${JSON.stringify(asked)}`);
	return `/${(asked.startsWith('/') ? clean : ['wherry', ...clean]).join('/')}`;
}

/** The devices that every container may use besides those of its own rules. */
function withDefaultDevices(resources: LinuxResources | undefined): LinuxResources {
	const [, ...allowed] = defaultDeviceRules;
	return {...resources, devices: [...(resources?.devices ?? []), ...allowed]};
}

export function userOf(process: Process): {spec: string; groups: string[]} {
	const {uid = 0, gid = 0, additionalGids = []} = process.user ?? {};
	return {spec: `${uid}:${gid}`, groups: additionalGids.map(String)};
}

export function seccompOf(spec: Spec, root: string): Uint8Array | undefined {
	const seccomp = spec.linux?.seccomp;
	return (
		seccomp &&
		compileSeccompCached(seccomp, process.arch === 'arm64' ? 'arm64' : 'x64', join(root, '.seccomp'))
	);
}

/** Who gets the listener of the filter, and what he is told but for the pids (runtime-spec, "Container Process State"). */
export function listenerSettings(
	spec: Spec,
	state: {id: string; bundle: string; status: 'creating' | 'running'},
): Record<string, string> {
	const {seccomp} = spec.linux ?? {};
	if (!seccomp || !hasListener(seccomp)) return {};
	const {ociVersion, annotations} = spec;
	const metadata = seccomp.listenerMetadata ?? '';
	const inner = {ociVersion, ...state, ...(annotations ? {annotations} : {})};
	const head = JSON.stringify({ociVersion, fds: ['seccompFd'], metadata}).slice(1, -1);
	return {
		'listener-path': seccomp.listenerPath ?? '',
		'listener-members': `,${head},"state":${JSON.stringify(inner).slice(0, -1)}`,
	};
}

export const cgroupsOf = (spec: Spec, cgroup: string) =>
	cgroupOps(detectCgroups(), cgroup, withDefaultDevices(spec.linux?.resources));

export function compileBundle(
	bundle: Bundle,
	options: {root: string; id: string; cgroup: string; preserveFds: number; stateFolder: string},
) {
	const {spec} = bundle;
	const {root, id, cgroup} = options;
	const size = spec.process!.consoleSize;
	const plans = compileContainer({
		spec,
		root: {kind: 'folder', path: bundle.rootfs},
		user: userOf(spec.process!),
		seccomp: seccompOf(spec, root),
		cgroups: cgroupsOf(spec, cgroup),
		cgroupVersion: detectCgroups().version === 'v2' ? 2 : 1,
		hasKcore: existsSync('/proc/kcore'),
		settings: {
			id,
			'run-dir': options.stateFolder,
			// Where who has only mapped ids gets to as well.
			mountpoint: bundle.rootfs,
			'state-file': '',
			'log-driver': 'none',
			'log-file': '',
			'log-max-size': '-1',
			'log-max-files': '1',
			'open-stdin': '1',
			'stdin-once': '0',
			'restart-policy': 'no',
			'restart-max': '0',
			'restart-count': '0',
			'stop-signal': '15',
			'stop-timeout': '10',
			'events-file': '',
			'auto-remove': '0',
			'preserve-fds': String(options.preserveFds),
			...listenerSettings(spec, {id, bundle: bundle.path, status: 'creating'}),
		},
		hooks: {id, bundle: bundle.path, annotations: spec.annotations ?? {}},
		startFifo: fifoPath(root, id),
		stop: [],
		...(size ? {rows: size.height, columns: size.width} : {}),
	});
	return plans;
}
