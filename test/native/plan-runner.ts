/** Runs hand-made plans with the monitor's `run-plan`, on a busybox root in a folder of its own. */
import {spawnSync} from 'node:child_process';
import {copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {monitorPath} from '../../src/kernel/locate.ts';
import {encodePlan, type Plan} from '../../src/runtime/plan/encode.ts';
import type {Op} from '../../src/runtime/plan/ops.ts';

/** CLONE_NEW* */
export const namespace = {
	mount: 0x20000,
	cgroup: 0x2000000,
	uts: 0x4000000,
	ipc: 0x8000000,
	pid: 0x20000000,
	network: 0x40000000,
} as const;
/** MS_* */
export const ms = {
	readOnly: 1,
	noSuid: 2,
	noDev: 4,
	noExec: 8,
	recursive: 0x4000,
	private: 1 << 18,
	slave: 1 << 19,
	shared: 1 << 20,
} as const;
/** docker's default capabilities. */
export const defaultCapabilities = 0xa80425fbn;
export const allCapabilities = (1n << 41n) - 1n;

const applets =
	'sh cat echo ls id mount umount ps env readlink stat touch test true mkdir chmod sleep tty stty rm';
const allNamespaces = namespace.mount | namespace.uts | namespace.ipc | namespace.network | namespace.pid;

/** What a plan can be given beside its defaults, which make an ordinary container. */
export interface Container {
	argv: readonly string[];
	env?: readonly string[];
	settings?: Record<string, string>;
	setup?: readonly Op[];
	network?: readonly Op[];
	stop?: readonly Op[];
	/** Replaces the root. */
	root?: readonly Op[];
	/** Before the pivot, after /proc, /dev and /sys. */
	mounts?: readonly Op[];
	/** After the pivot. */
	after?: readonly Op[];
	user?: string;
	groups?: readonly string[];
	capabilities?: bigint;
	ambient?: bigint;
	/** Before exec, after the capabilities. */
	last?: readonly Op[];
	workdir?: string;
	tty?: boolean;
}

export interface Result {
	code: number | null;
	stdout: string;
	stderr: string;
}

export class Bench {
	readonly folder = mkdtempSync(join(tmpdir(), 'wherry-plan-'));
	readonly lower = join(this.folder, 'lower');
	#count = 0;

	constructor() {
		for (const name of ['lower/bin', 'lower/etc', 'upper', 'work', 'mountpoint', 'outside']) {
			mkdirSync(join(this.folder, name), {recursive: true});
		}
		const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
		if (!busybox) throw new Error('busybox is needed to run containers (Debian: apt install busybox-static)');
		copyFileSync(busybox, join(this.lower, 'bin/busybox'));
		for (const name of applets.split(' ')) symlinkSync('busybox', join(this.lower, 'bin', name));
		this.write('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n');
		this.write('etc/group', 'root:x:0:\n');
	}

	/** A path on the host. */
	path(name: string): string {
		return join(this.folder, name);
	}

	/** A file in the lower layer. */
	write(name: string, content: string | Uint8Array, mode = 0o644): void {
		writeFileSync(join(this.lower, name), content, {mode});
	}

	overlay(lowers: readonly string[] = [this.lower]): Op {
		return {op: 'overlayRoot', lowers, upper: this.path('upper'), work: this.path('work'), options: []};
	}

	plan(container: Container): Plan {
		const capabilities = container.capabilities ?? defaultCapabilities;
		const settings: Record<string, string> = {
			mountpoint: this.path('mountpoint'),
			'clone-flags': String(allNamespaces),
			...container.settings,
		};
		const device = (path: string, major: number, minor: number): Op => ({
			op: 'mknod',
			path,
			mode: 0o20666,
			major,
			minor,
			uid: 0,
			gid: 0,
		});
		const {noSuid, noDev, noExec, readOnly, slave, recursive} = ms;
		return {
			settings: Object.entries(settings).map(([key, value]) => ({op: 'set', key, value})),
			setup: container.setup ?? [],
			network: container.network ?? [],
			stop: container.stop ?? [],
			init: [
				{op: 'propagation', path: '/', flags: slave | recursive},
				...(container.root ?? [this.overlay()]),
				{
					op: 'mount',
					fstype: 'proc',
					source: 'proc',
					target: '/proc',
					flags: noSuid | noDev | noExec,
					data: '',
				},
				{
					op: 'mount',
					fstype: 'tmpfs',
					source: 'tmpfs',
					target: '/dev',
					flags: noSuid,
					data: 'mode=755,size=64k',
				},
				{
					op: 'mount',
					fstype: 'devpts',
					source: 'devpts',
					target: '/dev/pts',
					flags: noSuid | noExec,
					data: 'newinstance,ptmxmode=0666,mode=0620,gid=5',
				},
				{
					op: 'mount',
					fstype: 'sysfs',
					source: 'sysfs',
					target: '/sys',
					flags: noSuid | noDev | noExec | readOnly,
					data: '',
				},
				device('/dev/null', 1, 3),
				device('/dev/tty', 5, 0),
				{op: 'symlink', target: '/proc/self/fd', path: '/dev/fd'},
				...(container.mounts ?? []),
				container.tty ? {op: 'console', rows: 24, columns: 80} : {op: 'stdio'},
				{op: 'pivot'},
				...(container.after ?? []),
				{op: 'wait'},
				{op: 'workdir', path: container.workdir ?? '/', create: 1},
				{op: 'user', spec: container.user ?? '', groups: container.groups ?? []},
				{op: 'boundingSet', mask: capabilities},
				{op: 'ids'},
				{
					op: 'capabilities',
					effective: capabilities,
					permitted: capabilities,
					inheritable: container.ambient ?? 0n,
					ambient: container.ambient ?? 0n,
				},
				...(container.last ?? []),
				{op: 'workdir', path: container.workdir ?? '/', create: 0},
				{op: 'exec', argv: container.argv, env: container.env ?? ['PATH=/bin']},
			],
		};
	}

	/** Writes a plan file and gives its path. */
	save(plan: Plan | Uint8Array): string {
		const path = this.path(`plan-${this.#count++}`);
		writeFileSync(path, plan instanceof Uint8Array ? plan : encodePlan(plan));
		return path;
	}

	runPlan(
		plan: Plan,
		options: {exec?: readonly Op[]; without?: readonly string[]; input?: string} = {},
	): Result {
		const extra = (options.without ?? []).flatMap((feature) => ['--without', feature]);
		if (options.exec) extra.push('--exec', this.save({exec: options.exec}));
		const result = spawnSync(monitorPath(), ['run-plan', this.save(plan), ...extra], {
			input: options.input ?? '',
			encoding: 'utf8',
			timeout: 20_000,
			killSignal: 'SIGKILL',
		});
		return {code: result.status, stdout: result.stdout, stderr: result.stderr};
	}

	run(container: Container, options: Parameters<Bench['runPlan']>[1] = {}): Result {
		return this.runPlan(this.plan(container), options);
	}

	/** Runs a shell script. */
	sh(
		script: string,
		container: Omit<Container, 'argv'> = {},
		options: Parameters<Bench['runPlan']>[1] = {},
	): Result {
		return this.run({...container, argv: ['sh', '-c', script]}, options);
	}

	remove(): void {
		rmSync(this.folder, {recursive: true, force: true});
	}
}
