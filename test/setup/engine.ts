/**
 * An engine of its own for a test file: private folders, `wherry/base` made once, and an end that leaves
 * nothing: no mount, no cgroup, no process.
 */
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {CreateOptions, Engine, EngineEvent, Session} from '../../src/engine/api.ts';
import {openEngine} from '../../src/engine/engine.ts';
import {detectCgroups} from '../../src/runtime/cgroups/layout.ts';
import {removeNetworkTraces} from './netns.ts';

export const baseImage = 'wherry/base';

export interface TestEngine {
	engine: Engine;
	/** Another one on the same folders, as another process has it. */
	again(): Engine;
	root: string;
	run: string;
	/** Removes everything; throws when something is left. */
	close(): Promise<void>;
}

function processesOf(folder: string): string[] {
	const found: string[] = [];
	for (const pid of readdirSync('/proc')) {
		if (!/^\d+$/.test(pid)) continue;
		try {
			const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
			if (command.includes(folder) && Number(pid) !== process.pid && /wherry-monitor/.test(command)) {
				found.push(`${pid}: ${command}`);
			}
		} catch {}
	}
	return found;
}

function cgroupsOf(ids: ReadonlySet<string>): string[] {
	const {v1, unified} = detectCgroups();
	const mounts = [...v1.map((hierarchy) => hierarchy.mount), ...(unified ? [unified.mount] : [])];
	return mounts.flatMap((mount) => {
		const parent = join(mount, 'wherry');
		return existsSync(parent)
			? readdirSync(parent)
					.filter((name) => ids.has(name))
					.map((name) => join(parent, name))
			: [];
	});
}

/** All ids of which the journal tells. */
export async function pastEvents(engine: Engine): Promise<EngineEvent[]> {
	const events: EngineEvent[] = [];
	for await (const batch of engine.events.stream({
		since: 0n,
		until: BigInt(Date.now()) * 1_000_000n + 10_000_000n,
	})) {
		if (Array.isArray(batch)) events.push(...batch);
	}
	return events;
}

async function eventually(what: () => string[]): Promise<string[]> {
	for (let round = 0; ; round++) {
		const left = what();
		if (left.length === 0 || round === 100) return left;
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

export async function testEngine(options: {image?: boolean} = {}): Promise<TestEngine> {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-engine-'));
	const root = join(folder, 'root');
	const run = join(folder, 'run');
	const engine = openEngine({root, run});
	if (options.image ?? true) await engine.images.ensureBase();
	return {
		engine,
		again: () => openEngine({root, run}),
		root,
		run,
		async close() {
			await engine.repair();
			for (const {Id} of await engine.containers.list({all: true})) {
				await engine.containers.remove(Id, {force: true, volumes: true});
			}
			const events = await pastEvents(engine);
			const ids = new Set(
				events.filter((event) => event.Type === 'container').map((event) => event.Actor.ID),
			);
			const left = [
				...(await eventually(() => processesOf(folder))),
				...(await eventually(() => cgroupsOf(ids))),
				...readFileSync('/proc/self/mounts', 'utf8')
					.split('\n')
					.filter((line) => line.includes(folder)),
				...['containers', 'transient'].flatMap((name) =>
					existsSync(join(run, name)) ? readdirSync(join(run, name)) : [],
				),
				...['containers', 'names'].flatMap((name) =>
					existsSync(join(root, name)) ? readdirSync(join(root, name)) : [],
				),
			];
			removeNetworkTraces(root);
			rmSync(folder, {recursive: true, force: true});
			if (left.length > 0) throw new Error(`left over:\n${left.join('\n')}`);
		},
	};
}

/** All that a stream gives, as text. */
export async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
	let text = '';
	stream.setEncoding('utf8');
	for await (const chunk of stream) text += chunk;
	return text;
}

export interface RunResult {
	id: string;
	stdout: string;
	stderr: string;
	code: number;
}

/** Most tests are not about networks: without one they touch nothing of the host, and are faster. */
const withoutNetwork = (host: CreateOptions['hostConfig']): CreateOptions['hostConfig'] => ({
	NetworkMode: 'none',
	...host,
});

/** Runs to the end in the foreground, with both outputs. */
export async function runToEnd(
	engine: Engine,
	argv: readonly string[],
	options: Omit<Partial<CreateOptions>, 'image'> & {input?: string} = {},
): Promise<RunResult> {
	const {input, ...create} = options;
	const {id} = await engine.containers.create({
		...create,
		hostConfig: withoutNetwork(create.hostConfig)!,
		image: baseImage,
		config: {
			Cmd: [...argv],
			...(input === undefined ? {} : {OpenStdin: true, StdinOnce: true}),
			...create.config,
		},
	});
	const session = (await engine.containers.start(id, {
		attach: {stdin: input !== undefined, stdout: true, stderr: true},
	})) as Session;
	if (input !== undefined) session.stdin.end(input);
	const [stdout, stderr, exit] = await Promise.all([
		textOf(session.stdout),
		textOf(session.stderr),
		session.exit,
	]);
	return {id, stdout, stderr, code: exit.code};
}

/** Starts in the background a container that stays up. */
export async function runDetached(
	engine: Engine,
	argv: readonly string[] = ['sleep', '1000'],
	options: Omit<Partial<CreateOptions>, 'image'> = {},
): Promise<string> {
	const {id} = await engine.containers.create({
		...options,
		hostConfig: withoutNetwork(options.hostConfig)!,
		image: baseImage,
		config: {Cmd: [...argv], StopSignal: 'SIGKILL', ...options.config},
	});
	await engine.containers.start(id);
	return id;
}

/** Waits until a condition holds; fails after ten seconds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
	for (const end = Date.now() + 10_000; Date.now() < end; ) {
		if (await condition()) return;
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
	throw new Error(`waited in vain until ${what}`);
}
