/** The command line as a user has it, on a root of its own. */
import {type ChildProcess, spawn} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {removeNetworkTraces} from '../setup/netns.ts';

const launcher = new URL('../../src/wherry.sh', import.meta.url).pathname;

export interface Result {
	code: number | null;
	signal: NodeJS.Signals | null;
	stdout: string;
	stderr: string;
}

export class Command {
	readonly folder: string;
	readonly env: NodeJS.ProcessEnv;

	readonly #namespace: string | undefined;

	/** `namespace` is the path of a network namespace in which all commands run. */
	constructor(options: {namespace?: string; env?: NodeJS.ProcessEnv} = {}) {
		this.#namespace = options.namespace;
		this.folder = mkdtempSync(join(tmpdir(), 'wherry-e2e-'));
		this.env = {
			...process.env,
			WHERRY_ROOT: join(this.folder, 'root'),
			WHERRY_RUN: join(this.folder, 'run'),
			...options.env,
		};
		delete this.env.NODE_OPTIONS;
	}

	get root(): string {
		return this.env.WHERRY_ROOT!;
	}

	get run(): string {
		return this.env.WHERRY_RUN!;
	}

	spawn(...args: string[]): ChildProcess {
		const inside = this.#namespace === undefined ? [] : ['nsenter', `--net=${this.#namespace}`];
		const [program, ...words] = [...inside, launcher, ...args] as [string, ...string[]];
		return spawn(program, words, {env: this.env, stdio: ['ignore', 'pipe', 'pipe']});
	}

	/** Runs to the end, or to the signal that is sent after a time in milliseconds. */
	async result(args: readonly string[], kill?: {after: number; signal: NodeJS.Signals}): Promise<Result> {
		const child = this.spawn(...args);
		let stdout = '';
		let stderr = '';
		child.stdout!.setEncoding('utf8').on('data', (text) => {
			stdout += text;
		});
		child.stderr!.setEncoding('utf8').on('data', (text) => {
			stderr += text;
		});
		const timer = kill && setTimeout(() => child.kill(kill.signal), kill.after);
		return new Promise((resolve, reject) => {
			child.on('error', reject);
			const done = (code: number | null, signal: NodeJS.Signals | null): void =>
				resolve({code, signal, stdout, stderr});
			child.on('close', done);
			// A killed command's container may hold the pipes a while longer: the end of the command counts.
			child.on('exit', (code, signal) => {
				clearTimeout(timer);
				setTimeout(() => done(code, signal), 1000).unref();
			});
		});
	}

	/** What a successful command prints, without the last newline. */
	async output(...args: string[]): Promise<string> {
		const {code, stdout, stderr} = await this.result(args);
		if (code !== 0) throw new Error(`wherry ${args.join(' ')} ended with ${code}: ${stderr}`);
		return stdout.replace(/\n$/, '');
	}

	/** Removes every container, then looks for what is left, then removes the folder. */
	async end(): Promise<string[]> {
		const ids = (await this.output('ps', '-aq')).split('\n').filter(Boolean);
		if (ids.length > 0) await this.output('rm', '-f', ...ids);
		// Nobody waits for a monitor that still unmounts its root: it has half a minute.
		let left = this.leftovers();
		for (let tries = 0; left.length > 0 && tries < 300; tries++) {
			await sleep(100);
			left = this.leftovers();
		}
		if (this.#namespace === undefined) removeNetworkTraces(this.root);
		rmSync(this.folder, {recursive: true, force: true});
		return left;
	}

	/** Traces of containers of this root: mounts on the host, monitors, cgroups, run folders. */
	leftovers(known: ReadonlySet<string> = new Set()): string[] {
		const left: string[] = [];
		for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
			if (line.includes(this.folder)) left.push(`mount ${line}`);
		}
		for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
			try {
				const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
				if (command.includes('wherry-monitor') && command.includes(this.folder))
					left.push(`process ${pid} ${command}`);
			} catch {
				// It ended.
			}
		}
		for (const id of entries(join(this.run, 'containers'))) if (!known.has(id)) left.push(`run folder ${id}`);
		return left;
	}
}

export function entries(folder: string): string[] {
	try {
		return readdirSync(folder);
	} catch {
		return [];
	}
}

/** Whether a cgroup of this container exists in any hierarchy. */
export function hasCgroup(id: string): boolean {
	return ['', ...entries('/sys/fs/cgroup')].some((hierarchy) =>
		entries(`/sys/fs/cgroup/${hierarchy}/wherry`).includes(id),
	);
}
