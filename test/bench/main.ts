/**
 * `npm run bench [-- --json] [--runs N] [--only TEXT]...`: wherry and whichever of docker, podman and crun are
 * there, on the same work, interleaved, so that what else the machine does hits all of them alike.
 */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {measureBuilds} from './builds.ts';
import {
	type BenchEngine,
	end,
	find,
	memoryFolder,
	podman,
	removeAll,
	removeFolders,
	startDocker,
	wherry,
} from './engines.ts';
import {measureFiles} from './files.ts';
import {makeBundle, makeImages} from './images.ts';
import {checkpoint, interruptedCode} from './interrupt.ts';
import {measureLists, measureStats, statsCase} from './lists.ts';
import {measureLogs} from './logs.ts';
import {measureManyPorts} from './many-ports.ts';
import {output, type Sample, table, time} from './measure.ts';
import {startMany, startManyHere} from './networks.ts';
import {firstFrame, idleCpu, onTerminal} from './terminal.ts';

const {values: flags} = parseArgs({
	options: {
		json: {type: 'boolean'},
		runs: {type: 'string', default: '15'},
		only: {type: 'string', multiple: true},
	},
});
const runs = Number(flags.runs);
const wanted = (name: string): boolean => flags.only?.some((text) => name.includes(text)) ?? true;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const env: NodeJS.ProcessEnv = {...process.env};
// It slows the start of Node and means nothing on the loopback.
delete env.NODE_EXTRA_CA_CERTS;
delete env.NODE_OPTIONS;

const folder = mkdtempSync(join(tmpdir(), 'wherry-bench-'));
const runFolder = mkdtempSync(join(memoryFolder(), 'wherry-bench-'));
const samples: Sample[] = [];
const idle: {engine: string; cpuPercent: number}[] = [];
const memory: {engine: string; containers: number; kilobytesEach: number}[] = [];

let memoryOfPorts: {one: number; thousand: number} | undefined;

type Command = (engine: BenchEngine) => {before?: () => void; argv: readonly string[]; after?: () => void};

async function measure(
	name: string,
	engines: readonly BenchEngine[],
	count: number,
	command: Command,
	extra: Record<string, readonly string[]> = {},
): Promise<void> {
	if (!wanted(name)) return;
	say(name);
	const times = new Map<string, number[]>();
	const add = (engine: string, value: number): void =>
		void times.set(engine, [...(times.get(engine) ?? []), value]);
	// The first round warms caches and is not counted.
	for (let round = 0; round <= count; round++) {
		// Back and forth, with a pause: what an engine still does after its command has returned (podman's clean-up
		// process, a shim that ends) would otherwise always be charged to the same other one.
		for (const engine of round % 2 === 0 ? engines : engines.toReversed()) {
			const {before, argv, after} = command(engine);
			await checkpoint();
			pause();
			before?.();
			const value = time(argv, engine.env);
			after?.();
			if (round > 0) add(engine.name, value);
		}
		for (const [peer, argv] of Object.entries(extra)) {
			const value = time(argv, env);
			if (round > 0) add(peer, value);
		}
	}
	for (const [engine, milliseconds] of times) samples.push({case: name, engine, milliseconds});
}

const pauseBuffer = new Int32Array(new SharedArrayBuffer(4));

/** A tenth of a second in which what the last command left to do is done. */
function pause(): void {
	Atomics.wait(pauseBuffer, 0, 0, 100);
}

/** A shell that ends at once when it is asked to. */
const politeCommand = 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done';

/** Proportional set size in KiB of the processes whose command line matches. */
function pss(matches: (command: string) => boolean): number[] {
	const found: number[] = [];
	for (const pid of readdirSync('/proc')) {
		if (!/^\d+$/.test(pid)) continue;
		try {
			if (!matches(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))) continue;
			const line = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
			if (line) found.push(Number(line[1]));
		} catch {
			// It ended meanwhile.
		}
	}
	return found;
}

const ours = (command: string): boolean => command.includes(folder) || command.includes(runFolder);
const monitors: Record<BenchEngine['name'], (command: string) => boolean> = {
	wherry: (command) => ours(command) && command.includes('wherry-monitor'),
	podman: (command) => ours(command) && command.includes('conmon'),
	docker: (command) => ours(command) && command.includes('containerd-shim'),
};

function measureMemory(engine: BenchEngine, image: string): void {
	for (const containers of [1, 50]) {
		for (let index = 0; index < containers; index++) {
			output([...engine.command, 'run', '-d', '--network', 'none', image, 'sleep', '1000'], engine.env);
		}
		// What the start itself took is given back by then.
		Atomics.wait(pauseBuffer, 0, 0, 2000);
		const sizes = pss(monitors[engine.name]);
		memory.push({
			engine: engine.name,
			containers,
			kilobytesEach: Math.round(sizes.reduce((sum, size) => sum + size, 0) / containers),
		});
		removeAll(engine);
	}
}

/** The terminal UI on one container, beside what Node alone takes on a terminal. */
async function measureTerminal(own: BenchEngine, node: string): Promise<void> {
	const name = 'ui, first full frame';
	if (wanted(name)) {
		say(name);
		const [frames, bare]: [number[], number[]] = [[], []];
		// The first round warms caches and is not counted.
		for (let round = 0; round <= runs; round++) {
			const frame = await firstFrame(own.command, own.env, 'bench');
			const nothing = await onTerminal([node, '-e', '0'], env);
			if (round === 0) continue;
			frames.push(frame);
			bare.push(nothing);
		}
		samples.push(
			{case: name, engine: 'wherry', milliseconds: frames},
			{case: name, engine: 'node -e 0', milliseconds: bare},
		);
	}
	if (wanted('ui, idle')) {
		say('ui, idle');
		idle.push({engine: own.name, cpuPercent: await idleCpu(own.command, own.env, 'bench')});
	}
}

/** Create, start, wait and remove with the engine already loaded; milliseconds of each round. */
function inProcess(engine: BenchEngine, image: string, rounds: number): number[] {
	const script = new URL('in-process.ts', import.meta.url).pathname;
	return JSON.parse(output([process.execPath, script, image, String(rounds)], engine.env)) as number[];
}

const all: BenchEngine[] = [];
let registry: Awaited<ReturnType<typeof makeImages>>['registry'] | undefined;
try {
	say('preparing images and engines');
	const images = await makeImages(folder, env);
	registry = images.registry;
	const own = wherry(folder, runFolder, env);
	all.push(own);
	const docker = await startDocker(folder, runFolder, env);
	if (docker) all.push(docker);
	const pod = podman(folder, runFolder, env);
	if (pod) all.push(pod);
	for (const engine of all)
		output([...engine.command, 'pull', ...engine.pullFlags, images.small], engine.env);
	const node = process.execPath;
	const on = (engine: BenchEngine, ...argv: string[]): string[] => [...engine.command, ...argv];

	await measure('--version', [own], runs, (engine) => ({argv: on(engine, '--version')}), {
		'node -e 0': [node, '-e', '0'],
	});
	for (const network of ['bridge', 'none', 'host']) {
		await measure(`run --rm, network ${network}`, all, runs, (engine) => ({
			argv: on(engine, 'run', '--rm', '--network', network, images.small, 'true'),
		}));
	}
	for (const network of ['bridge', 'none']) {
		await measure(`run -d, network ${network}`, all, runs, (engine) => ({
			argv: on(engine, 'run', '-d', '--name', 'bench', '--network', network, images.small, 'sleep', '1000'),
			after: () => removeAll(engine),
		}));
	}
	for (const engine of all)
		output(
			on(engine, 'run', '-d', '--name', 'bench', '--network', 'none', images.small, 'sleep', '1000'),
			engine.env,
		);
	await measure('exec', all, runs, (engine) => ({argv: on(engine, 'exec', 'bench', 'true')}));
	await measure('ps', all, runs, (engine) => ({argv: on(engine, 'ps')}), {'node -e 0': [node, '-e', '0']});
	await measure('images', all, runs, (engine) => ({argv: on(engine, 'images')}));
	await measure('inspect', all, runs, (engine) => ({argv: on(engine, 'inspect', 'bench')}));
	await measure('logs', all, runs, (engine) => ({argv: on(engine, 'logs', 'bench')}));
	await measureTerminal(own, node);
	for (const engine of all) removeAll(engine);
	const ends: [name: string, argv: string[], command: string[]][] = [
		['stop, SIGTERM handled', ['stop', 'bench'], ['sh', '-c', politeCommand]],
		['kill', ['kill', 'bench'], ['sleep', '1000']],
		['rm -f of a running container', ['rm', '-f', 'bench'], ['sleep', '1000']],
	];
	// On the network that a container has by itself, and without one.
	for (const network of ['bridge', 'none']) {
		for (const [name, argv, command] of ends) {
			await measure(`${name}, network ${network}`, all, Math.min(runs, 8), (engine) => ({
				before: () => {
					const start = ['run', '-d', '--name', 'bench', '--network', network, images.small, ...command];
					output(on(engine, ...start), engine.env);
					// The command has to get to its trap.
					pause();
				},
				argv: on(engine, ...argv),
				after: () => removeAll(engine),
			}));
		}
	}
	await measureLists(measure, all, runs, {image: images.small, wanted, removeAll});
	if (wanted(statsCase)) {
		say(statsCase);
		await measureStats(measure, all, Math.min(runs, 5), {image: images.small, removeAll});
	}
	await measureFiles(measure, all, runs, {image: images.small, folder, wanted});
	const record = (sample: Sample): void => void samples.push(sample);
	await measureBuilds(measure, all, runs, {image: images.small, folder, wanted, say, record});
	await measure('pull, 4 layers, 80 MB', all, 5, (engine) => ({
		before: () =>
			void spawnSync(engine.command[0]!, [...engine.command.slice(1), 'rmi', '-f', images.large], {
				env: engine.env,
				stdio: 'ignore',
			}),
		argv: on(engine, 'pull', ...engine.pullFlags, images.large),
	}));
	if (wanted('in-process')) {
		say('in-process');
		const first: number[] = [];
		const next: number[] = [];
		const later: number[] = [];
		const crun: number[] = [];
		const bundle = find('crun') ? makeBundle(folder, images.rootfs, env) : undefined;
		// Blocks in turn: a process of its own is started for each block, and its start is not measured. V8 hasn't
		// compiled anything yet in its first rounds, and after some forty it has.
		for (let block = 0; block < 4; block++) {
			const rounds = inProcess(own, images.small, 100);
			first.push(...rounds.slice(0, 10));
			next.push(...rounds.slice(10, 40));
			later.push(...rounds.slice(40));
			for (let round = 0; bundle && round < 20; round++) {
				crun.push(
					time(
						[
							'crun',
							'--root',
							join(runFolder, 'crun'),
							'run',
							'--bundle',
							bundle,
							`bench-${process.pid}-${block}-${round}`,
						],
						env,
					),
				);
			}
		}
		const name = 'in-process create, start, wait, remove';
		samples.push({case: name, engine: 'wherry', milliseconds: later});
		samples.push({case: name, engine: 'wherry, first 10 rounds', milliseconds: first});
		samples.push({case: name, engine: 'wherry, next 30', milliseconds: next});
		if (bundle) samples.push({case: name, engine: 'crun run', milliseconds: crun});
	}
	const many = '50 containers on a bridge, 8 at a time';
	for (let round = 0; wanted(many) && round < 2; round++) {
		say(many);
		for (const engine of all) {
			const add = (name: string, milliseconds: number): void => {
				const sample = samples.find((known) => known.case === many && known.engine === name);
				if (sample) sample.milliseconds.push(milliseconds);
				else samples.push({case: many, engine: name, milliseconds: [milliseconds]});
			};
			add(engine.name, await startMany(engine, images.small, 50, 8));
			removeAll(engine);
			if (engine !== own) continue;
			add('wherry, in-process', await startManyHere(engine, images.small, 50, 8));
			removeAll(engine);
		}
	}
	if (wanted('logs, a million lines'))
		samples.push(...measureLogs(all, images.small, folder, Math.min(runs, 4), say));
	if (wanted('networks, 1,000 published ports')) {
		say('networks, 1,000 published ports');
		const many = await measureManyPorts(own, images.small, Math.min(runs, 10));
		samples.push(...many.samples);
		memoryOfPorts = many.memory;
	}
	if (wanted('memory')) {
		say('memory');
		for (const engine of all) measureMemory(engine, images.small);
	}
} catch (error) {
	// What has been measured until then is told all the same.
	say(String(error));
	process.exitCode = interruptedCode() ?? 1;
} finally {
	for (const engine of all) {
		try {
			removeAll(engine);
		} catch (error) {
			say(String(error));
		}
		await engine.stop();
	}
	if (registry) await end(registry);
	try {
		removeFolders(folder, runFolder);
	} catch (error) {
		say(String(error));
	}
}

if (flags.json)
	process.stdout.write(`${JSON.stringify({samples, memory, memoryOfPorts, idle}, null, '\t')}\n`);
else {
	process.stdout.write(`${table(samples)}\n`);
	for (const {engine, cpuPercent} of idle) {
		process.stdout.write(`idle terminal UI: ${engine} ${cpuPercent.toFixed(2)} % of a CPU\n`);
	}
	for (const {engine, containers, kilobytesEach} of memory) {
		process.stdout.write(
			`monitor memory (PSS), ${containers} running: ${engine} ${kilobytesEach} KiB each\n`,
		);
	}
	if (memoryOfPorts) {
		const {one, thousand} = memoryOfPorts;
		process.stdout.write(`monitor memory (PSS), 1 published port: ${one} KiB, 1,000: ${thousand} KiB\n`);
	}
}
