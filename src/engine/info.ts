/** What `info` says: docker's names, and what is true of this host and this engine. */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {availableParallelism, hostname, release, totalmem} from 'node:os';
import {buildInfo} from '../kernel/locate.ts';
import {detectCgroups} from '../runtime/cgroups/layout.ts';
import type {EngineInfo} from './api.ts';
import type {EngineContext} from './containers/context.ts';
import {defaultLog, logDrivers} from './containers/log-config.ts';
import {loadRows} from './containers/rows.ts';
import {storageDriver} from './containers/storage.ts';
import {readIfThere} from './files.ts';
import {apparmorHost, apparmorProblem} from './security/apparmor.ts';
import {apparmorEnabled} from './security/apparmor-enabled.ts';
import {selinuxEnabled} from './security/selinux.ts';
import {version} from './version.ts';

/** A variable of os-release(5). */
function osRelease(variable: string): string | undefined {
	const text = readIfThere('/etc/os-release') ?? readIfThere('/usr/lib/os-release') ?? '';
	const match = new RegExp(`^${variable}=(?:"([^"]*)"|(\\S*))$`, 'm').exec(text);
	return match?.[1] ?? match?.[2];
}

const operatingSystem = (): string => osRelease('PRETTY_NAME') ?? 'Linux';

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

/** What can be limited, by docker's names. */
function limits(): Record<string, boolean | number> {
	const {v1, unified, version: cgroups} = detectCgroups();
	const controllers = new Set([
		...v1.flatMap((hierarchy) => hierarchy.controllers),
		...(unified?.controllers ?? []),
	]);
	return {
		MemoryLimit: controllers.has('memory'),
		SwapLimit: controllers.has('memory'),
		CpuCfsPeriod: controllers.has('cpu'),
		CpuCfsQuota: controllers.has('cpu'),
		CPUShares: controllers.has('cpu'),
		CPUSet: controllers.has('cpuset'),
		PidsLimit: controllers.has('pids'),
		IPv4Forwarding: readIfThere('/proc/sys/net/ipv4/ip_forward')?.trim() === '1',
		Debug: false,
		NFd: 0,
		// Only cgroup v1 can switch the OOM killer off.
		OomKillDisable: cgroups !== 'v2' && controllers.has('memory'),
	};
}

async function registries(): Promise<Record<string, unknown>> {
	const {registrySettings} = await import('./registry/settings.ts');
	let settings: Pick<ReturnType<typeof registrySettings>, 'mirrors' | 'insecure'> = {
		mirrors: [],
		insecure: [],
	};
	try {
		settings = registrySettings();
	} catch {
		// What is wrong with the file is said by whoever needs a registry.
	}
	const mirrors = settings.mirrors.map(String);
	const hosts = settings.insecure.filter((entry) => !entry.includes('/'));
	const index = (Name: string, Mirrors: string[], Secure: boolean, Official: boolean) => ({
		Name,
		Mirrors,
		Secure,
		Official,
	});
	return {
		IndexConfigs: {
			'docker.io': index('docker.io', mirrors, true, true),
			...Object.fromEntries(hosts.map((host) => [host, index(host, [], false, false)])),
		},
		InsecureRegistryCIDRs: [
			'::1/128',
			'127.0.0.0/8',
			...settings.insecure.filter((entry) => entry.includes('/')),
		],
		Mirrors: mirrors,
	};
}

/** In docker's order, and after it what docker doesn't have. */
export async function engineInfo(context: EngineContext): Promise<EngineInfo> {
	const {paths} = context;
	const rows = await loadRows(paths);
	const count = (...statuses: string[]) => rows.filter(({state}) => statuses.includes(state.status)).length;
	const driver = storageDriver(paths);
	const images = await (await context.images()).list();
	const {env} = process;
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
			Authorization: null,
			Log: [...logDrivers],
		},
		...limits(),
		NGoroutines: 0,
		SystemTime: new Date().toISOString(),
		LoggingDriver: 'json-file',
		CgroupDriver: 'cgroupfs',
		CgroupVersion: detectCgroups().version === 'v2' ? '2' : '1',
		NEventsListener: 0,
		KernelVersion: release(),
		OperatingSystem: operatingSystem(),
		OSVersion: osRelease('VERSION_ID') ?? '',
		OSType: 'linux',
		Architecture: uname(),
		IndexServerAddress: 'https://index.docker.io/v1/',
		RegistryConfig: await registries(),
		NCPU: availableParallelism(),
		MemTotal: totalmem(),
		GenericResources: null,
		DockerRootDir: paths.root,
		HttpProxy: env.HTTP_PROXY || env.http_proxy || '',
		HttpsProxy: env.HTTPS_PROXY || env.https_proxy || '',
		NoProxy: env.NO_PROXY || env.no_proxy || '',
		Name: hostname(),
		Labels: [],
		ExperimentalBuild: false,
		ServerVersion: version(),
		Runtimes: {wherry: {path: 'wherry-monitor'}},
		DefaultRuntime: 'wherry',
		Swarm: {
			NodeID: '',
			NodeAddr: '',
			LocalNodeState: 'inactive',
			ControlAvailable: false,
			Error: '',
			RemoteManagers: null,
		},
		// Containers need no daemon to go on.
		LiveRestoreEnabled: true,
		Isolation: '',
		InitBinary: 'wherry-init',
		// The monitor is what containerd and runc are to docker, and has no version of its own.
		ContainerdCommit: {ID: version()},
		RuncCommit: {ID: version()},
		InitCommit: {ID: version()},
		SecurityOptions: securityOptions(),
		CDISpecDirs: ['/etc/cdi', '/var/run/cdi'],
		Warnings: warnings(context, driver),
		LogDefaults: {'max-size': `${defaultLog.maxSize >> 20}m`, 'max-file': String(defaultLog.maxFiles)},
		RunDir: paths.run,
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
