/**
 * Network namespaces for tests: a "host" in which the whole engine runs, so that the machine's own network stays
 * as it is, and others around it (an outside host, a router). Made with iproute2.
 */
import {execFile, type SpawnOptions, spawn, spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
import type {CreateOptions, Engine} from '../../src/engine/api.ts';
import {tableName} from '../../src/engine/networks/firewall.ts';
import {Paths} from '../../src/engine/paths.ts';

const execute = promisify(execFile);
/** node_modules/.bin has another program of that name. */
export const nft = '/usr/sbin/nft';

function ip(...words: string[]): string {
	const result = spawnSync('ip', words, {encoding: 'utf8'});
	if (result.status !== 0) throw new Error(`ip ${words.join(' ')}: ${result.stderr}`);
	return result.stdout;
}

export interface Namespace {
	readonly name: string;
	/** The path for nsenter --net. */
	readonly path: string;
	/** iproute2 inside: `ns.ip('addr', 'add', ...)`. */
	ip(...words: string[]): string;
	ipJson<T = Record<string, unknown>[]>(...words: string[]): T;
	/** Runs a command inside; resolves to its stdout, rejects when it fails. */
	run(command: string, ...words: string[]): Promise<string>;
	/** Starts one that goes on; it is ended with the test. */
	start(command: string, words: readonly string[], options?: SpawnOptions): ReturnType<typeof spawn>;
	/** The ruleset as `nft -j` gives it. */
	ruleset(): {nftables: Record<string, Record<string, unknown>>[]};
}

/** What an engine has made in the network namespace of the test itself; without run.mjs that is the machine's. */
export function removeNetworkTraces(root: string): void {
	const links = JSON.parse(ip('-j', 'link')) as {ifname: string; ifalias?: string}[];
	for (const {ifname, ifalias} of links) {
		if (ifalias?.startsWith('wherry ') && ifalias.endsWith(` ${root}`)) ip('link', 'del', ifname);
	}
	const table = tableName(new Paths(root, root));
	for (const family of ['ip', 'ip6']) spawnSync(nft, ['delete', 'table', family, table], {stdio: 'ignore'});
}

/** A namespace with its loopback up; it goes with the test. */
export function makeNamespace(t: Pick<ExecutionContext, 'teardown'>): Namespace {
	const name = `wt-${randomBytes(4).toString('hex')}`;
	ip('netns', 'add', name);
	const path = `/run/netns/${name}`;
	const children: ReturnType<typeof spawn>[] = [];
	t.teardown(() => {
		for (const child of children) child.kill('SIGKILL');
		ip('netns', 'del', name);
	});
	ip('-n', name, 'link', 'set', 'lo', 'up');
	const inside = [`--net=${path}`];
	return {
		name,
		path,
		ip: (...words) => ip('-n', name, ...words),
		ipJson: <T>(...words: string[]) => JSON.parse(ip('-n', name, '-j', ...words) || '[]') as T,
		run: async (command, ...words) =>
			(await execute('nsenter', [...inside, command, ...words], {timeout: 20_000})).stdout,
		start(command, words, options = {}) {
			const child = spawn('nsenter', [...inside, command, ...words], {stdio: 'ignore', ...options});
			children.push(child);
			return child;
		},
		ruleset() {
			const result = spawnSync('nsenter', [...inside, nft, '-j', 'list', 'ruleset'], {encoding: 'utf8'});
			if (result.status !== 0) throw new Error(result.stderr);
			return JSON.parse(result.stdout) as ReturnType<Namespace['ruleset']>;
		},
	};
}

/** A cable between two namespaces with an address at each end: `10.0.0.1/24`. */
export function connect(a: Namespace, addressA: string, b: Namespace, addressB: string): void {
	const suffix = randomBytes(3).toString('hex');
	const [nameA, nameB] = [`va${suffix}`, `vb${suffix}`];
	a.ip('link', 'add', nameA, 'type', 'veth', 'peer', 'name', nameB, 'netns', b.name);
	for (const [ns, name, address] of [
		[a, nameA, addressA],
		[b, nameB, addressB],
	] as const) {
		ns.ip('addr', 'add', address, 'dev', name, ...(address.includes(':') ? ['nodad'] : []));
		ns.ip('link', 'set', name, 'up');
	}
}

export interface RunResult {
	id: string;
	code: number;
	stdout: string;
	stderr: string;
}

/** An engine in a process of its own inside a namespace. Methods are called by their path. */
export interface RemoteEngine {
	readonly root: string;
	readonly run: string;
	call<T = unknown>(method: string, ...args: unknown[]): Promise<T>;
	/** create, start attached, wait. */
	runContainer(options: CreateOptions): Promise<RunResult>;
	/** create, start; resolves to the id. */
	startContainer(options: CreateOptions): Promise<string>;
	/** exec in a container. */
	exec(container: string, ...argv: string[]): Promise<RunResult>;
	/** SIGKILL, and another process for the same folders. */
	restart(): Promise<void>;
	environment: NodeJS.ProcessEnv;
}

type Answer = {id: number; value?: unknown; error?: {message: string; code?: string; exitCode?: number}};

/**
 * Private folders, removed with all containers at the end. `resolvConf` is what the host has as /etc/resolv.conf, and
 * `unmounted` a mount point of the host's that it hasn't got.
 */
export async function startEngine(
	t: ExecutionContext,
	namespace: Namespace,
	env: NodeJS.ProcessEnv = {},
	options: {resolvConf?: string; unmounted?: string} = {},
): Promise<RemoteEngine> {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-net-'));
	const [root, run] = [join(folder, 'root'), join(folder, 'run')];
	const environment = {
		...process.env,
		WHERRY_ROOT: root,
		WHERRY_RUN: run,
		WHERRY_SUBNET_POOL: '10.213.0.0/16',
		...env,
	};
	const script = new URL('engine-process.ts', import.meta.url).pathname;
	let inMountNamespace: string[] = [];
	const {resolvConf, unmounted} = options;
	if (resolvConf !== undefined || unmounted !== undefined) {
		const path = join(folder, 'resolv.conf');
		if (resolvConf !== undefined) writeFileSync(path, resolvConf);
		const bind = resolvConf === undefined ? '' : `mount --bind ${path} /etc/resolv.conf && `;
		const mount = `${bind}${unmounted === undefined ? '' : `umount ${unmounted} && `}exec "$@"`;
		inMountNamespace = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', mount, 'sh'];
	}
	let number = 0;
	const waiting = new Map<number, {resolve: (value: unknown) => void; reject: (error: Error) => void}>();
	const open = () => {
		const child = spawn(
			'nsenter',
			[
				`--net=${namespace.path}`,
				...inMountNamespace,
				process.execPath,
				'--disable-warning=ExperimentalWarning',
				script,
			],
			{stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: environment},
		);
		child.on('message', (message) => {
			const {id, value, error} = message as Answer;
			const caller = waiting.get(id);
			waiting.delete(id);
			if (error) caller?.reject(Object.assign(new Error(error.message), error));
			else caller?.resolve(value);
		});
		child.once('exit', () => {
			for (const {reject} of waiting.values()) reject(new Error('the engine has ended'));
			waiting.clear();
		});
		return child;
	};
	let child = open();
	const call = <T>(method: string, ...args: unknown[]): Promise<T> =>
		new Promise<T>((resolve, reject) => {
			const id = number++;
			waiting.set(id, {resolve: resolve as (value: unknown) => void, reject});
			child.send({id, method, args}, (error) => {
				if (!error) return;
				waiting.delete(id);
				reject(error);
			});
		});
	t.teardown(async () => {
		try {
			if (!child.connected) child = open();
			const all = await call<{Id: string}[]>('containers.list', {all: true});
			for (const {Id} of all) await call('containers.remove', Id, {force: true, volumes: true});
		} finally {
			child.kill('SIGKILL');
			rmSync(folder, {recursive: true, force: true});
		}
	});
	await call('images.ensureBase');
	return {
		root,
		run,
		call,
		environment,
		runContainer: (options) => call('runContainer', options),
		startContainer: (options) => call('startContainer', options),
		exec: (container, ...argv) => call('exec', container, argv),
		async restart() {
			const ended = new Promise((resolve) => child.once('exit', resolve));
			child.kill('SIGKILL');
			await ended;
			child = open();
			await call('repair');
		},
	};
}

export type {Engine};

/** A container of the host's shell with Debian's static busybox in it. */
export const busybox = (
	argv: readonly string[],
	options: Omit<CreateOptions, 'image'> = {},
): CreateOptions => ({
	image: 'wherry/base',
	...options,
	config: {Cmd: ['/bin/busybox', ...argv], StopTimeout: 0, ...options.config},
	hostConfig: {Binds: ['/bin/busybox:/bin/busybox:ro'], ...options.hostConfig},
});

/** Tries until it succeeds, for what comes to be within a moment. */
export async function eventually<T>(attempt: () => Promise<T>, milliseconds = 5000): Promise<T> {
	const deadline = Date.now() + milliseconds;
	for (;;) {
		try {
			return await attempt();
		} catch (error) {
			if (Date.now() > deadline) throw error;
			await new Promise((resolve) => setTimeout(resolve, 30));
		}
	}
}
