/**
 * What the terminal UI costs with many containers: 500, of which 100 run and 20 write logs, on a pseudo-terminal of
 * 200x50. `npm run build && unshare --net --mount node test/bench/panes.ts [SECONDS]`, as root. Beside each number is
 * what it should be below; a number above makes the exit code 1. With BENCH_FIRST it runs before other work of the machine.
 */
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {type IPty, spawn} from '@lydell/node-pty';
import {openEngine} from '../../src/engine/engine.ts';
import {cpuTime} from './terminal.ts';

const size = {cols: 200, rows: 50};
const count = 500;
const running = 100;
const writers = 20;
/** Containers made or ended at a time. */
const atOnce = 8;
const seconds = Number(process.argv[2] ?? 20);
const keys = 120;
/** Starts of which the first frame's time is the median. */
const starts = 15;
/** Milliseconds until a hundred starts have left nothing to do for the kernel, and between two starts. */
const rest = {before: 15_000, between: 200};

const command = (at: number): string[] => {
	if (at >= running) return ['true'];
	// Ten lines a second each, in bursts of five.
	const write =
		'i=0; while :; do i=$((i+5)); echo "GET /item/$i 200 12ms"; echo a; echo b; echo c; echo d; sleep 0.5; done';
	return at < writers ? ['sh', '-c', write] : ['sleep', '2147483647'];
};

async function inTurn(many: number, work: (at: number) => Promise<unknown>): Promise<void> {
	for (let from = 0; from < many; from += atOnce)
		await Promise.all(Array.from({length: Math.min(atOnce, many - from)}, (_, at) => work(from + at)));
}

/** Bytes: now, the most ever, and its share of what others map, too. */
function memory(pid: number): {now: number; most: number; share: number} {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	const bytes = (text: string, name: string): number =>
		Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)![1]) * 1024;
	const share = bytes(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), 'Pss');
	return {now: bytes(status, 'VmRSS'), most: bytes(status, 'VmHWM'), share};
}

/** The most of it in that time: it falls with each of V8's great collections and comes back. */
async function mostMemory(pid: number, seconds: number): Promise<{now: number; share: number}> {
	let most = memory(pid);
	for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(500)) {
		const at = memory(pid);
		if (at.now > most.now) most = at;
	}
	return most;
}

interface Watch {
	/** Percent of one CPU. */
	cpu: number;
	/** Bytes each second. */
	written: number;
}

const launcher = new URL('../../src/wherry.sh', import.meta.url).pathname;

/** As at a user's terminal. */
function plain(env: NodeJS.ProcessEnv): Record<string, string> {
	const {CI: _, NO_COLOR: __, ...rest} = env;
	return {...rest, TERM: 'xterm-256color'} as Record<string, string>;
}

class Panes {
	readonly #pty: IPty;
	#bytes = 0;
	#seen = '';
	#wake: (() => void) | undefined;

	constructor(env: NodeJS.ProcessEnv) {
		this.#pty = spawn(launcher, ['ui'], {...size, env: plain(env), name: 'xterm-256color'});
		this.#pty.onData((data) => {
			this.#bytes += Buffer.byteLength(data);
			this.#seen = (this.#seen + data).slice(-20_000);
			this.#wake?.();
		});
	}

	get pid(): number {
		return this.#pty.pid;
	}

	/** Types, and resolves to the milliseconds until this has been written. */
	async type(text: string, shown: string): Promise<number> {
		this.#seen = '';
		const start = process.hrtime.bigint();
		this.#pty.write(text);
		await this.shows(shown);
		return Number(process.hrtime.bigint() - start) / 1e6;
	}

	async shows(text: string): Promise<void> {
		while (!this.#seen.includes(text))
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
	}

	async watch(time: number): Promise<Watch> {
		const before = cpuTime(this.pid);
		const bytes = this.#bytes;
		await sleep(time * 1000);
		return {cpu: (cpuTime(this.pid) - before) / (time * 1e7), written: (this.#bytes - bytes) / time};
	}

	/** Up and down the list: each key moves the mark of the selected row. The 95th of a hundred, in milliseconds. */
	async latency(): Promise<number> {
		const times: number[] = [];
		for (let at = 0; at < keys; at++) {
			times.push(await this.type(at % 10 < 5 ? 'j' : 'k', '❯'));
			await sleep(40 + (at % 7) * 17);
		}
		return times.sort((a, b) => a - b)[Math.floor(keys * 0.95)]!;
	}

	async quit(): Promise<void> {
		const ended = new Promise<void>((resolve) => {
			this.#pty.onExit(() => resolve());
		});
		this.#pty.write('q');
		await ended;
	}
}

let failed = false;

function say(name: string, value: number, unit: string, limit?: number): void {
	const over = limit !== undefined && value >= limit;
	if (over) failed = true;
	const bound = limit === undefined ? '' : `   (below ${limit} ${unit}${over ? ': NOT' : ''})`;
	console.log(`${name.padEnd(44)} ${value.toFixed(1).padStart(8)} ${unit}${bound}`);
}

const folder = mkdtempSync(join(tmpdir(), 'wherry-bench-panes-'));
const env = {
	...process.env,
	WHERRY_ROOT: join(folder, 'root'),
	WHERRY_RUN: join(folder, 'run'),
	XDG_CONFIG_HOME: folder,
};
const engine = openEngine({root: env.WHERRY_ROOT, run: env.WHERRY_RUN});
const ids: string[] = [];

async function cleanUp(): Promise<void> {
	await inTurn(ids.length, (at) => engine.containers.remove(ids[at]!, {force: true}).catch(() => {}));
	await engine.close();
	rmSync(folder, {recursive: true, force: true});
}

const giveUp = (code: number) => void cleanUp().finally(() => process.exit(code));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => giveUp(130));
// Nobody reads it any more (`| head`).
process.stdout.once('error', () => giveUp(141));
try {
	await engine.images.ensureBase();
	await inTurn(count, async (at) => {
		const {id} = await engine.containers.create({
			image: 'wherry/base',
			name: `many-${String(at).padStart(3, '0')}`,
			config: {Cmd: command(at)},
			hostConfig: {NetworkMode: 'none'},
		});
		ids.push(id);
		if (at < running) await engine.containers.start(id);
	});
	if (process.env.BENCH_FIRST)
		spawnSync('chrt', ['-a', '-f', '-p', '1', String(process.pid)], {
			stdio: 'inherit',
		});
	const helper = join(folder, 'first-frame');
	const source = new URL('first-frame.c', import.meta.url).pathname;
	execFileSync('cc', ['-O2', '-o', helper, source, '-lutil'], {stdio: 'inherit'});
	const time = (shown: string, ...command: string[]): number =>
		Number(execFileSync(helper, [`${size.cols}`, `${size.rows}`, shown, ...command], {env: plain(env)}));
	const frames: number[] = [];
	const bare: number[] = [];
	await sleep(rest.before);
	for (let at = 0; at < starts; at++) {
		await sleep(rest.between);
		bare.push(time('', process.execPath, '-e', '0'));
		frames.push(time('many-499', launcher, 'ui'));
	}
	const median = (times: number[]): number => times.sort((a, b) => a - b)[starts >> 1]!;
	say(`node -e 0, median of ${starts}`, median(bare), 'ms');
	say(`first full frame, median of ${starts}`, median(frames), 'ms', 130);
	// The limit is that of a machine where the start of Node alone takes 26 ms.
	say('first full frame, of node -e 0', median(frames) / median(bare), 'times', 130 / 26);
	const panes = new Panes(env);
	await panes.shows('many-499');
	await sleep(4000);
	// One that has stopped: nothing on the screen changes.
	const idle = await panes.watch(seconds);
	say('idle: CPU', idle.cpu, '%', 1);
	say('idle: written', idle.written / 1000, 'kB/s');
	say('idle: key to screen, 95th percentile', await panes.latency(), 'ms', 30);
	// Those that run first; one that writes is shown, and what all use.
	await panes.type('/item\r', '/item ');
	await panes.type('%', 'BLOCK/s');
	// What the first minute of use needs is no growth: keys make all of V8's young space be used.
	await panes.latency();
	const minute = Math.min(60, Math.max(4, seconds));
	await sleep(minute * 500);
	const first = await mostMemory(panes.pid, minute);
	const busy = await panes.watch(seconds);
	say('busy: CPU', busy.cpu, '%', 10);
	say('busy: written', busy.written / 1000, 'kB/s');
	say('busy: key to screen, 95th percentile', await panes.latency(), 'ms', 30);
	await panes.watch(Math.max(0, seconds - minute));
	const last = await mostMemory(panes.pid, minute);
	say('memory, the most at any moment', memory(panes.pid).most / 1e6, 'MB', 190);
	for (const [when, {now, share}] of [
		['at first', first],
		['at last', last],
	] as const) {
		say(`memory ${when}`, now / 1e6, 'MB');
		say(`memory ${when}, its share of what is shared`, share / 1e6, 'MB');
	}
	say(
		`memory: growth in ${Math.round(seconds * 2 + keys * 0.1)} s`,
		(last.now - first.now) / 1e6,
		'MB',
		seconds < 300 ? undefined : 2,
	);
	await panes.quit();
} finally {
	await cleanUp();
}
process.exitCode = failed ? 1 : 0;
