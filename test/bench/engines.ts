/**
 * The engines that are measured side by side, each on private folders below one temporary folder, with the
 * same image from the same registry on the loopback.
 */
import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {
	accessSync,
	constants,
	existsSync,
	mkdirSync,
	readFileSync,
	rmSync,
	statfsSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {output} from './measure.ts';

export interface BenchEngine {
	readonly name: 'wherry' | 'docker' | 'podman';
	readonly command: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	/** Flags of pull for a registry on plain HTTP. */
	readonly pullFlags: readonly string[];
	stop(): Promise<void>;
}

const launcher = new URL('../../src/wherry.sh', import.meta.url).pathname;

export function find(program: string): string | undefined {
	return ['/usr/bin', '/usr/sbin', '/usr/local/bin']
		.map((folder) => join(folder, program))
		.find((path) => {
			try {
				accessSync(path, constants.X_OK);
				return true;
			} catch {
				return false;
			}
		});
}

/** Ends a child that was started here and waits for it. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const closed = new Promise((resolve) => child.once('exit', resolve));
	child.kill(signal);
	await closed;
}

/** Where what lives as long as the system does is kept, which is in memory on every real host. */
export function memoryFolder(): string {
	const tmpfs = 0x01021994;
	return ['/run', '/dev/shm'].find((path) => statfsSync(path).type === tmpfs) ?? tmpdir();
}

/**
 * `inside`: a command that all of it runs in, as nsenter, on a host of its own. There the engine has the subnet that it
 * takes by itself, whose place among the host's routes has a part in what a packet costs; on this machine one that is
 * hardly taken.
 */
export async function startDocker(
	folder: string,
	run: string,
	base: NodeJS.ProcessEnv,
	inside: readonly string[] = [],
	client = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : find('docker'),
): Promise<BenchEngine | undefined> {
	const daemon = find('dockerd');
	if (!daemon || !client || process.getuid?.() !== 0) return undefined;
	const home = join(folder, 'docker');
	mkdirSync(home, {recursive: true});
	const socket = `unix://${home}/docker.sock`;
	const subnet = inside.length > 0 ? '' : '--bip 10.213.1.1/24';
	const log = join(home, 'log');
	const [program, ...words] = [...inside, '/bin/sh'];
	const child = spawn(
		program!,
		[
			...words,
			'-c',
			`exec ${find('setpriv') ? 'setpriv --pdeathsig TERM -- ' : ''}${daemon} --data-root ${home}/data --exec-root ${run}/docker --pidfile ${home}/pid -H ${socket} ${subnet} --ip6tables=false --storage-driver overlay2 >${log} 2>&1`,
		],
		// A Ctrl-C ends the benchmark, which ends its daemon when nothing needs it any more.
		{env: base, stdio: 'ignore', detached: true},
	);
	const env = {...base, DOCKER_HOST: socket, DOCKER_CONFIG: home};
	for (let attempt = 0; attempt < 100; attempt++) {
		if (child.exitCode !== null) break;
		if (spawnSync(client, ['version'], {env, stdio: 'ignore'}).status === 0) {
			return {name: 'docker', command: [...inside, client], env, pullFlags: ['-q'], stop: () => end(child)};
		}
		await sleep(200);
	}
	await end(child);
	process.stderr.write(
		`docker is left out, its daemon did not start:\n${readFileSync(log, 'utf8').slice(-800)}\n`,
	);
	return undefined;
}

/** `inside`: as for docker. */
export function podman(
	folder: string,
	run: string,
	base: NodeJS.ProcessEnv,
	inside: readonly string[] = [],
): BenchEngine | undefined {
	const program = find('podman');
	if (!program) return undefined;
	const home = join(folder, 'podman');
	mkdirSync(home, {recursive: true});
	const conf = join(home, 'containers.conf');
	const subnet = inside.length > 0 ? '' : 'default_subnet = "10.213.2.0/24"';
	writeFileSync(
		conf,
		// Its own default limits can't be raised to on a host that has lower hard limits.
		[
			'[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"',
			`[network]\nnetwork_backend = "netavark"\nnetwork_config_dir = "${home}/networks"\n${subnet}`,
			'[containers]\nlog_driver = "k8s-file"\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n',
		].join('\n'),
	);
	return {
		name: 'podman',
		command: [
			...inside,
			...[program, '--root', join(home, 'root'), '--runroot', join(run, 'podman'), '--runtime', 'crun'],
		],
		env: {...base, CONTAINERS_CONF: conf},
		pullFlags: ['-q', '--tls-verify=false'],
		stop: async () => {},
	};
}

export function wherry(
	folder: string,
	run: string,
	base: NodeJS.ProcessEnv,
	inside: readonly string[] = [],
): BenchEngine {
	return {
		name: 'wherry',
		command: [...inside, launcher],
		env: {...base, WHERRY_ROOT: join(folder, 'wherry/root'), WHERRY_RUN: join(run, 'wherry')},
		pullFlags: ['-q'],
		stop: async () => {},
	};
}

/** Removes every container of an engine. */
export function removeAll(engine: BenchEngine): void {
	const ids = output([...engine.command, 'ps', '-aq'], engine.env)
		.split(/\s+/)
		.filter(Boolean);
	// podman's rm -f waits for the stop signal's time-out.
	const force = engine.name === 'podman' ? ['-f', '-t', '0'] : ['-f'];
	if (ids.length > 0) output([...engine.command, 'rm', ...force, ...ids], engine.env);
}

/** Removes folders of engines, with the mounts of their stores that podman and docker leave behind. */
export function removeFolders(...folders: string[]): void {
	const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
		.split('\n')
		.map((line) => line.split(' ')[4] ?? '')
		.filter((mount) => folders.some((folder) => mount.startsWith(folder)));
	for (const mount of mounts.reverse()) spawnSync('umount', ['-l', mount]);
	// The last container's root may still be on its way out.
	for (const folder of folders)
		rmSync(folder, {recursive: true, force: true, maxRetries: 10, retryDelay: 200});
}
