/** What `info` says: docker's names, and what is true of this host and this engine. */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {availableParallelism, hostname, release, totalmem} from 'node:os';
import {buildInfo} from '../kernel/locate.ts';
import {detectCgroups} from '../runtime/cgroups/layout.ts';
import type {EngineInfo} from './api.ts';
import type {EngineContext} from './containers/context.ts';
import {readRows} from './containers/list.ts';
import {defaultLog} from './containers/log-config.ts';
import {storageDriver} from './containers/storage.ts';
import {readIfThere} from './files.ts';
import {apparmorEnabled, apparmorHost, apparmorProblem} from './security/apparmor.ts';
import {selinuxEnabled} from './security/selinux.ts';
import {version} from './version.ts';

/** os-release(5). */
function operatingSystem(): string {
	const text = readIfThere('/etc/os-release') ?? readIfThere('/usr/lib/os-release') ?? '';
	const name = /^PRETTY_NAME=(?:"([^"]*)"|(\S*))$/m.exec(text);
	return name?.[1] ?? name?.[2] ?? 'Linux';
}

/** Stable, and tells nobody the machine's own id (machine-id(5) asks for that). */
function engineId(root: string): string {
	const machine = readIfThere('/etc/machine-id')?.trim() || hostname();
	const digest = createHash('sha256').update(`wherry ${machine} ${root}`).digest('hex').slice(0, 32);
	return digest.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function uname(): string {
	return {x64: 'x86_64', arm64: 'aarch64'}[process.arch as string] ?? process.arch;
}

function securityOptions(): string[] {
	const options = ['name=seccomp,profile=builtin'];
	if (apparmorEnabled()) options.unshift('name=apparmor');
	if (selinuxEnabled()) options.push('name=selinux');
	options.push('name=cgroupns');
	return options;
}

function warnings(context: EngineContext, driver: string): string[] {
	const texts: string[] = [];
	const cgroups = detectCgroups();
	if (driver === 'copy') {
		texts.push(
			`the file system of ${context.paths.root} can't hold overlay mounts; layers are copied (Storage Driver: copy)`,
		);
	}
	if (buildInfo()?.linking === 'dynamic') {
		texts.push('the monitor is linked with the shared C library: there was no static one when it was built');
	}
	if (cgroups.version === 'none') texts.push('no cgroup hierarchy is mounted: limits are not available');
	const controllers = new Set([
		...cgroups.v1.flatMap((hierarchy) => hierarchy.controllers),
		...(cgroups.unified?.controllers ?? []),
	]);
	for (const [controller, what] of [
		['memory', 'memory limit'],
		['pids', 'pids limit'],
		['cpu', 'cpu cfs quota'],
		['cpuset', 'cpuset'],
	] as const) {
		if (!controllers.has(controller)) texts.push(`No ${what} support`);
	}
	const apparmor = apparmorProblem(apparmorHost());
	if (apparmor) texts.push(apparmor);
	return texts;
}

export async function engineInfo(context: EngineContext): Promise<EngineInfo> {
	const {paths} = context;
	const rows = readRows(paths);
	const count = (...statuses: string[]) => rows.filter(({state}) => statuses.includes(state.status)).length;
	const driver = storageDriver(paths);
	const images = await (await context.images()).list();
	return {
		ID: engineId(paths.root),
		Containers: rows.length,
		ContainersRunning: count('running', 'restarting'),
		ContainersPaused: count('paused'),
		ContainersStopped: count('created', 'exited', 'dead'),
		Images: images.length,
		Driver: driver,
		DriverStatus: [['Backing Filesystem', backingFileSystem(paths.root)]],
		Plugins: {
			Volume: ['local'],
			Network: ['bridge', 'host', 'ipvlan', 'macvlan', 'null'],
			Log: ['json-file', 'none'],
		},
		MemoryLimit: true,
		SwapLimit: true,
		IPv4Forwarding: readIfThere('/proc/sys/net/ipv4/ip_forward')?.trim() === '1',
		LoggingDriver: 'json-file',
		LogDefaults: {'max-size': `${defaultLog.maxSize >> 20}m`, 'max-file': String(defaultLog.maxFiles)},
		CgroupDriver: 'cgroupfs',
		CgroupVersion: detectCgroups().version === 'v2' ? '2' : '1',
		SystemTime: new Date().toISOString(),
		KernelVersion: release(),
		OperatingSystem: operatingSystem(),
		OSType: 'linux',
		Architecture: uname(),
		NCPU: availableParallelism(),
		MemTotal: totalmem(),
		DockerRootDir: paths.root,
		RunDir: paths.run,
		Name: hostname(),
		ServerVersion: version(),
		Runtimes: {wherry: {path: 'wherry-monitor'}},
		DefaultRuntime: 'wherry',
		InitBinary: 'wherry-init',
		SecurityOptions: securityOptions(),
		Warnings: warnings(context, driver),
	};
}

/** From the mount that a path is on. */
function backingFileSystem(path: string): string {
	let best = '';
	let type = 'unknown';
	for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
		const [, target = '', fstype = ''] = line.split(' ');
		const within = target === '/' || path === target || path.startsWith(`${target}/`);
		if (!within || target.length < best.length) continue;
		best = target;
		type = fstype;
	}
	return type;
}
