/** The terminal UI on a pseudo-terminal: how soon its first full frame is there, and what it costs to do nothing. */
import {readdirSync, readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';

const size = {cols: 120, rows: 32};
/** Seconds that the idle terminal UI is watched. */
const watched = 5;
/** Seconds that it has for what comes right after the first frame. */
const settling = 2;

function environment(env: NodeJS.ProcessEnv): Record<string, string> {
	const {CI: _, NO_COLOR: __, FORCE_COLOR: ___, ...rest} = env;
	return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as Record<
		string,
		string
	>;
}

interface Opened {
	pid: number;
	/** Milliseconds from the start to the frame that has all of `shown`. */
	first: number;
	/** Types `q` and resolves with the exit code. */
	quit(): Promise<number>;
}

function textOf(screen: InstanceType<typeof xterm.Terminal>): string {
	const {active} = screen.buffer;
	return Array.from({length: size.rows}, (_, row) =>
		active.getLine(active.viewportY + row)?.translateToString(true),
	).join('\n');
}

function open(argv: readonly string[], env: NodeJS.ProcessEnv, shown: readonly string[]): Promise<Opened> {
	return new Promise((resolve, reject) => {
		// Only what changed is written, so that what is on the screen is known to an emulator alone.
		const screen = new xterm.Terminal({...size, allowProposedApi: true});
		let seen = false;
		const start = process.hrtime.bigint();
		const pty = spawn(argv[0]!, argv.slice(1), {...size, env: environment(env), name: 'xterm-256color'});
		const ended = new Promise<number>((settle) => {
			pty.onExit(({exitCode}) => {
				settle(exitCode);
				if (!seen) reject(new Error(`${argv.join(' ')} ended with ${exitCode}:\n${textOf(screen)}`));
			});
		});
		pty.onData((data) => {
			if (seen) return;
			const first = Number(process.hrtime.bigint() - start) / 1e6;
			screen.write(data, () => {
				const text = textOf(screen);
				if (seen || !shown.every((part) => text.includes(part))) return;
				seen = true;
				resolve({
					pid: pty.pid,
					first,
					quit: () => {
						pty.write('q');
						return ended;
					},
				});
			});
		});
	});
}

/** Milliseconds until a full frame with a container's row and the bottom line is on the terminal. */
export async function firstFrame(
	command: readonly string[],
	env: NodeJS.ProcessEnv,
	container: string,
): Promise<number> {
	const {first, quit} = await open([...command, 'ui'], env, ['Containers 1/1', container, 'Logs', 'attach']);
	const code = await quit();
	if (code !== 0) throw new Error(`the terminal UI ended with ${code}`);
	return first;
}

/** Milliseconds until a command on a pseudo-terminal has ended. */
export function onTerminal(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
	return new Promise((resolve, reject) => {
		const start = process.hrtime.bigint();
		const pty = spawn(argv[0]!, argv.slice(1), {...size, env: environment(env)});
		// Its end is told when everything has been read.
		pty.onData(() => {});
		pty.onExit(({exitCode}) => {
			if (exitCode === 0) resolve(Number(process.hrtime.bigint() - start) / 1e6);
			else reject(new Error(`${argv.join(' ')} ended with ${exitCode}`));
		});
	});
}

/** Nanoseconds on a CPU of all threads: the first number of each thread's schedstat. */
export function cpuTime(pid: number): number {
	let sum = 0;
	for (const thread of readdirSync(`/proc/${pid}/task`)) {
		sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
	}
	return sum;
}

/** Percent of one CPU while nothing happens. */
export async function idleCpu(
	command: readonly string[],
	env: NodeJS.ProcessEnv,
	container: string,
): Promise<number> {
	const {pid, quit} = await open([...command, 'ui'], env, [container, 'attach']);
	await sleep(settling * 1000);
	const before = cpuTime(pid);
	await sleep(watched * 1000);
	const used = cpuTime(pid) - before;
	await quit();
	return used / (watched * 1e7);
}
