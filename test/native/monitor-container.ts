/** A container made of a busybox root and a hand-made plan, run by a real monitor that the tests talk to. */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmdirSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {connect, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {monitorPath} from '../../src/kernel/locate.ts';
import {
	clientFrame,
	type MonitorError,
	type MonitorState,
	monitorFrame,
	request,
	streams,
} from '../../src/runtime/monitor-protocol.ts';
import {encodePlan, type Plan} from '../../src/runtime/plan/encode.ts';
import type {Op} from '../../src/runtime/plan/ops.ts';
import type {MonitorSettings} from '../../src/runtime/plan/sections.ts';
import type {NetworkNamespace} from './network-namespace.ts';

const applets =
	'sh cat echo printf sleep seq sed yes head tail stty kill dd true false wc tr test id ps env ls awk rev';
const flags = {mount: 0x20000, uts: 0x4000000, ipc: 0x8000000, pid: 0x20000000, network: 0x40000000};
const recursive = 0x4000;
const isPrivate = 1 << 18;
export const allStreams = streams.stdin | streams.stdout | streams.stderr;

export function int32(...values: number[]): Buffer {
	const out = Buffer.alloc(4 * values.length);
	for (const [index, value] of values.entries()) out.writeInt32LE(value, 4 * index);
	return out;
}

export function frame(type: number, payload: Uint8Array | string = ''): Buffer {
	const data = Buffer.from(payload as string);
	const head = Buffer.alloc(8);
	head.writeUInt8(type);
	head.writeUInt32LE(data.length, 4);
	return Buffer.concat([head, data]);
}

export function streamPayload(bits: number, rows = 0, columns = 0): Buffer {
	const out = Buffer.alloc(6);
	out.writeUInt8(bits);
	out.writeUInt16LE(rows, 2);
	out.writeUInt16LE(columns, 4);
	return out;
}

/** Waits for something that another process brings about. */
export async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
	const end = Date.now() + 20_000;
	for (;;) {
		const seen = look();
		if (seen) return seen;
		if (Date.now() > end) throw new Error(`never seen: ${what}`);
		await sleep(5);
	}
}

/** A connection to the monitor and what it has brought. */
export class Connection {
	readonly socket: Socket;
	readonly ok: Promise<{pid?: number}>;
	readonly exit: Promise<{code: number; flags: number}>;
	readonly closed: Promise<void>;
	stderr = Buffer.alloc(0);
	stdoutBytes = 0;
	/** Whether stdout is kept, or only counted. */
	keep = true;
	#stdout: Buffer[] = [];
	#rest: Buffer[] = [];
	#restLength = 0;
	#needed = 8;

	constructor(socket: Socket) {
		this.socket = socket;
		const ok = Promise.withResolvers<{pid?: number}>();
		const exit = Promise.withResolvers<{code: number; flags: number}>();
		const gone = () => {
			ok.reject(new Error('the connection has ended'));
			exit.reject(new Error('the connection has ended'));
		};
		this.ok = ok.promise;
		this.exit = exit.promise;
		this.ok.catch(() => {});
		this.exit.catch(() => {});
		this.closed = new Promise((resolve) => {
			socket.on('close', () => {
				gone();
				resolve();
			});
		});
		socket.on('error', () => {});
		socket.on('data', (chunk: Buffer) => {
			this.#rest.push(chunk);
			this.#restLength += chunk.length;
			if (this.#restLength < this.#needed) return;
			let rest = this.#rest.length > 1 ? Buffer.concat(this.#rest) : chunk;
			for (;;) {
				this.#needed = 8;
				if (rest.length < 8) break;
				const length = rest.readUInt32LE(4);
				this.#needed = 8 + length;
				if (rest.length < this.#needed) break;
				const payload = rest.subarray(8, 8 + length);
				const type = rest[0];
				rest = rest.subarray(8 + length);
				if (type === monitorFrame.stdout) {
					this.stdoutBytes += length;
					if (this.keep) this.#stdout.push(payload);
				} else if (type === monitorFrame.stderr) this.stderr = Buffer.concat([this.stderr, payload]);
				else if (type === monitorFrame.ok) ok.resolve(JSON.parse(payload.toString()));
				else if (type === monitorFrame.exit)
					exit.resolve({code: payload.readInt32LE(0), flags: payload.readUInt8(4)});
				else {
					const error = JSON.parse(payload.toString()) as MonitorError;
					ok.reject(Object.assign(new Error(error.message), error));
				}
			}
			this.#rest = rest.length > 0 ? [rest] : [];
			this.#restLength = rest.length;
		});
	}

	get stdout(): Buffer {
		if (this.#stdout.length > 1) this.#stdout = [Buffer.concat(this.#stdout)];
		return this.#stdout[0] ?? Buffer.alloc(0);
	}
	get text(): string {
		return this.stdout.toString();
	}
	send(type: number, payload?: Uint8Array | string): void {
		this.socket.write(frame(type, payload));
	}
	stdin(text: string | Uint8Array): void {
		this.send(clientFrame.stdin, text);
	}
	endStdin(): void {
		this.send(clientFrame.stdinEnd);
	}
	resize(rows: number, columns: number): void {
		this.send(clientFrame.resize, streamPayload(0, rows, columns).subarray(2));
	}
	async saw(text: string): Promise<void> {
		await until(`output ${JSON.stringify(text)}, but ${JSON.stringify(this.text)}`, () =>
			this.text.includes(text),
		);
	}
	close(): void {
		this.socket.destroy();
	}
}

export interface Options {
	argv: string[];
	tty?: boolean;
	settings?: Partial<MonitorSettings>;
	/** The command of the health check; its times are in the settings. */
	probe?: string[];
	/** Bytes of a v1 memory limit. */
	memory?: number;
	/** Whether it gets a freezer cgroup and the sections to pause. */
	freezer?: boolean;
	/** More operations at the start of these sections. */
	setup?: Op[];
	init?: Op[];
	stop?: Op[];
	/** Operations of the network section; then the loopback interface of the container is up. */
	network?: Op[];
	/** The monitor's network namespace. */
	host?: NetworkNamespace;
}

interface Teardown {
	teardown(fn: () => void | Promise<void>): void;
}

let made = 0;

export class Container {
	readonly id: string;
	readonly folder: string;
	readonly run: string;
	readonly root: string;
	readonly cgroups: string[] = [];
	readonly options: Options;
	monitorProcess: ChildProcess | undefined;

	constructor(t: Teardown, options: Options) {
		this.options = options;
		this.folder = mkdtempSync(join(tmpdir(), 'wherry-monitor-'));
		this.id = Buffer.from(`${process.pid}-${++made}-${Date.now()}`)
			.toString('hex')
			.padEnd(64, '0')
			.slice(0, 64);
		this.run = join(this.folder, 'run');
		this.root = join(this.folder, 'root');
		mkdirSync(join(this.root, 'bin'), {recursive: true});
		for (const name of ['proc', 'dev', 'tmp']) mkdirSync(join(this.root, name));
		copyFileSync('/bin/busybox', join(this.root, 'bin/busybox'));
		for (const name of applets.split(' ')) symlinkSync('busybox', join(this.root, 'bin', name));
		mkdirSync(join(this.folder, 'mountpoint'));
		mkdirSync(this.run, {recursive: true, mode: 0o700});
		if (options.memory) this.cgroups.push(`/sys/fs/cgroup/memory/wherry-test-${this.id.slice(0, 24)}`);
		if (options.freezer) this.cgroups.push(`/sys/fs/cgroup/freezer/wherry-test-${this.id.slice(0, 24)}`);
		writeFileSync(join(this.run, 'attributes'), '"image":"busybox","name":"box"');
		this.writePlan();
		t.teardown(() => this.destroy());
	}

	get statePath(): string {
		return join(this.folder, 'state.json');
	}
	get logPath(): string {
		return join(this.folder, 'container.log');
	}
	get planPath(): string {
		return join(this.run, 'monitor.plan');
	}

	writePlan(changes: Partial<MonitorSettings> = {}): void {
		writeFileSync(this.planPath, encodePlan(this.plan(changes)));
	}

	plan(changes: Partial<MonitorSettings>): Plan {
		const {options} = this;
		const settings: Partial<MonitorSettings> = {
			id: this.id,
			'run-dir': this.run,
			mountpoint: join(this.folder, 'mountpoint'),
			'state-file': this.statePath,
			'log-driver': 'json-file',
			'log-file': this.logPath,
			'log-max-size': '-1',
			'log-max-files': '1',
			tty: options.tty ? '1' : '0',
			'open-stdin': '0',
			'stdin-once': '0',
			'restart-policy': 'no',
			'restart-max': '0',
			'clone-flags': String(Object.values(flags).reduce((sum, flag) => sum | flag)),
			'events-file': join(this.folder, 'events'),
			'oom-file': options.memory ? join(this.cgroups[0]!, 'memory.oom_control') : '',
			'auto-remove': '0',
			...options.settings,
			...changes,
		};
		const setup: Op[] = [...(options.setup ?? [])];
		const init: Op[] = [...(options.init ?? [])];
		for (const path of this.cgroups) setup.push({op: 'mkdirHost', path, mode: 0o755});
		if (options.memory)
			setup.push({
				op: 'writeHost',
				path: join(this.cgroups[0]!, 'memory.limit_in_bytes'),
				content: String(options.memory),
				flags: 0,
			});
		if (this.cgroups.length > 0)
			init.push({op: 'joinCgroups', files: this.cgroups.map((path) => join(path, 'tasks'))});
		init.push(
			{op: 'propagation', path: '/', flags: recursive | isPrivate},
			{op: 'bindRoot', source: this.root},
			{op: 'mount', fstype: 'proc', source: 'proc', target: '/proc', flags: 0, data: ''},
			{op: 'mount', fstype: 'tmpfs', source: 'tmpfs', target: '/dev', flags: 0, data: 'mode=755'},
			{op: 'mknod', path: '/dev/null', mode: 0o20666, major: 1, minor: 3, uid: 0, gid: 0},
			{op: 'mknod', path: '/dev/zero', mode: 0o20666, major: 1, minor: 5, uid: 0, gid: 0},
			{op: 'mount', fstype: 'devpts', source: 'devpts', target: '/dev/pts', flags: 0, data: 'ptmxmode=0666'},
			{op: 'symlink', target: 'pts/ptmx', path: '/dev/ptmx'},
			options.tty ? {op: 'console', rows: 24, columns: 80} : {op: 'stdio'},
			{op: 'pivot'},
			{op: 'workdir', path: '/', create: 0},
			...(options.network ? [{op: 'loopbackUp'} as const] : []),
			{op: 'wait'},
			{op: 'user', spec: '0:0', groups: []},
			{op: 'ids'},
			{op: 'exec', argv: options.argv, env: ['PATH=/bin', 'TERM=xterm']},
		);
		const freezer = this.cgroups.find((path) => path.includes('/freezer/'));
		const freeze = (state: string): Op[] =>
			freezer ? [{op: 'writeHost', path: join(freezer, 'freezer.state'), content: state, flags: 0}] : [];
		return {
			settings: Object.entries(settings).map(([key, value]): Op => ({op: 'set', key, value: value!})),
			setup,
			network: options.network ?? [],
			init,
			// What is frozen dies only when it is thawed.
			stop: [
				...freeze('THAWED'),
				...this.cgroups.map((path): Op => ({op: 'removeCgroup', path})),
				...(options.stop ?? []),
			],
			pause: freeze('FROZEN'),
			unpause: freeze('THAWED'),
			...(options.probe ? {exec: this.execOps(options.probe)} : {}),
		};
	}

	execPlan(argv: string[], tty = false): Buffer {
		return encodePlan({exec: this.execOps(argv, tty)});
	}

	execOps(argv: string[], tty = false): Op[] {
		const joined = Object.values(flags).reduce((sum, flag) => sum | flag);
		const init: Op[] = [];
		if (this.cgroups.length > 0)
			init.push({op: 'joinCgroups', files: this.cgroups.map((path) => join(path, 'tasks'))});
		return [
			...init,
			{op: 'joinContainer', flags: joined},
			tty ? {op: 'console', rows: 24, columns: 80} : {op: 'stdio'},
			{op: 'workdir', path: '/', create: 0},
			{op: 'user', spec: '0:0', groups: []},
			{op: 'ids'},
			{op: 'exec', argv, env: ['PATH=/bin', 'TERM=xterm']},
		];
	}

	/** Spawns a monitor; nothing runs yet. */
	spawnMonitor(): Connection {
		const argv = [...(this.options.host?.prefix ?? []), monitorPath(), 'start', this.planPath];
		const child = spawn(argv[0]!, argv.slice(1), {
			stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
		});
		this.monitorProcess = child;
		return new Connection(child.stdio[3] as unknown as Socket);
	}

	/** Starts the container and waits until its command runs. */
	async start(bits: number = streams.stdout | streams.stderr): Promise<Connection> {
		const connection = this.spawnMonitor();
		connection.send(request.start, streamPayload(bits));
		await connection.ok;
		return connection;
	}

	/** A new connection with a request. */
	async ask(type: number, payload?: Uint8Array | string): Promise<Connection> {
		const socket = connect(join(this.run, 'attach.sock'));
		await once(socket, 'connect');
		const connection = new Connection(socket);
		connection.send(type, payload);
		return connection;
	}

	attach(bits: number = allStreams, rows = 0, columns = 0): Promise<Connection> {
		return this.ask(request.attach, streamPayload(bits, rows, columns));
	}

	exec(argv: string[], bits: number = allStreams, execId = 'e'.repeat(64)): Promise<Connection> {
		const plan = this.execPlan(argv, (bits & streams.tty) !== 0);
		return this.ask(request.exec, Buffer.concat([streamPayload(bits), Buffer.from(execId), plan]));
	}

	async stop(seconds = 10, signal = 15): Promise<{code: number; flags: number}> {
		return (await this.ask(request.stop, int32(signal, seconds))).exit;
	}

	state(): MonitorState {
		return JSON.parse(readFileSync(this.statePath, 'utf8')) as MonitorState;
	}

	async status(status: MonitorState['status'], more: (state: MonitorState) => boolean = () => true) {
		return until(`state ${status}`, () => {
			if (!existsSync(this.statePath)) return undefined;
			const state = this.state();
			return state.status === status && more(state) ? state : undefined;
		});
	}

	/** The state after the monitor has done all. */
	ended(): Promise<MonitorState> {
		return until('the end of the monitor', () => {
			if (!existsSync(this.statePath)) return undefined;
			const state = this.state();
			return (state.status === 'exited' || state.status === 'created') && state.monitorPid === 0
				? state
				: undefined;
		});
	}

	log(path = this.logPath): {log: string; stream: string; time: string}[] {
		const lines = readFileSync(path, 'utf8').split('\n');
		if (lines.pop() !== '') throw new Error('the log ends within a line');
		return lines.map((line) => JSON.parse(line));
	}

	events(): string[] {
		if (!existsSync(join(this.folder, 'events'))) return [];
		return readFileSync(join(this.folder, 'events'), 'utf8')
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line))
			.map((event) => {
				const {image, name, execDuration, ...rest} = event.Actor.Attributes;
				return [event.Action, ...Object.values(rest)].join(' ');
			});
	}

	async destroy(): Promise<void> {
		if (existsSync(this.statePath)) {
			const state = this.state();
			for (const [pid, start] of [
				[state.monitorPid, state.monitorStart],
				[state.pid, state.pidStart],
			] as const) {
				if (pid > 0 && startOf(pid) === start) process.kill(pid, 'SIGKILL');
			}
			if (state.pid > 0) await until('the death of the init', () => startOf(state.pid) !== state.pidStart);
		}
		for (const path of this.cgroups) {
			if (!existsSync(path)) continue;
			await until(`${path} empty`, () => readFileSync(join(path, 'tasks'), 'utf8') === '');
			rmdirSync(path);
		}
		rmSync(this.folder, {recursive: true, force: true});
	}
}

/** Field 22 of /proc/PID/stat, 0 when there is no such process or it is a zombie. */
export function startOf(pid: number): number {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		return fields[0] === 'Z' ? 0 : Number(fields[19]);
	} catch {
		return 0;
	}
}
