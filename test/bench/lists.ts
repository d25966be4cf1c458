/**
 * Lists of 500 containers that were created and never started: `ps -a`, and `inspect` of all of them; `stats` of
 * 500 that run.
 */
import {request} from 'node:http';
import {openEngine} from '../../src/engine/engine.ts';
import type {BenchEngine} from './engines.ts';
import {output} from './measure.ts';
import {startMany} from './networks.ts';

type Command = (engine: BenchEngine) => {argv: readonly string[]; after?: () => void};
type Measure = (
	name: string,
	engines: readonly BenchEngine[],
	count: number,
	command: Command,
	extra?: Record<string, readonly string[]>,
) => Promise<void>;

export const listCases = ['ps -a of 500 containers', 'inspect of 500 containers'] as const;

const count = 500;
/** As many at a time: both engines take it, and neither is measured while they are made. */
const atOnce = 10;

const nameOf = (at: number): string => `many-${at}`;
const command = (at: number): string[] => ['sh', '-c', `echo ${at}`];
const labels = (at: number): Record<string, string> => ({app: 'bench', number: String(at)});
const ports = (at: number) => ({'80/tcp': [{HostIp: '', HostPort: String(20_000 + at)}]});

async function inTurn(make: (at: number) => Promise<unknown>): Promise<void> {
	for (let from = 0; from < count; from += atOnce)
		await Promise.all(Array.from({length: atOnce}, (_, at) => make(from + at)));
}

async function createHere(engine: BenchEngine, image: string): Promise<void> {
	const {WHERRY_ROOT: root, WHERRY_RUN: run} = engine.env;
	const opened = openEngine({root: root!, run: run!});
	await inTurn((at) =>
		opened.containers.create({
			name: nameOf(at),
			image,
			config: {Cmd: command(at), Labels: labels(at)},
			hostConfig: {PortBindings: ports(at)},
		}),
	);
	await opened.close();
}

/** By docker's API, since its client would take half a minute. */
async function createByDaemon(engine: BenchEngine, image: string): Promise<void> {
	const socketPath = engine.env.DOCKER_HOST!.replace(/^unix:\/\//, '');
	await inTurn(
		(at) =>
			new Promise<void>((resolve, reject) => {
				const body = JSON.stringify({
					Image: image,
					Cmd: command(at),
					Labels: labels(at),
					HostConfig: {PortBindings: ports(at)},
				});
				const call = request(
					{
						socketPath,
						path: `/containers/create?name=${nameOf(at)}`,
						method: 'POST',
						headers: {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)},
					},
					(response) => {
						response.resume();
						response.once('end', () =>
							response.statusCode === 201
								? resolve()
								: reject(new Error(`docker could not create a container: ${response.statusCode}`)),
						);
					},
				);
				call.on('error', reject);
				call.end(body);
			}),
	);
}

/** podman is left out: it takes a minute to make them, and is no measure here. */
export async function measureLists(
	measure: Measure,
	engines: readonly BenchEngine[],
	runs: number,
	options: {image: string; wanted: (name: string) => boolean; removeAll: (engine: BenchEngine) => void},
): Promise<void> {
	const {image, wanted, removeAll} = options;
	if (!listCases.some(wanted)) return;
	const measured = engines.filter(({name}) => name !== 'podman');
	for (const engine of measured) {
		await (engine.name === 'wherry' ? createHere : createByDaemon)(engine, image);
	}
	const ids = new Map(
		measured.map((engine) => [engine, output([...engine.command, 'ps', '-aq'], engine.env).split(/\s+/)]),
	);
	const [list, inspect] = listCases;
	await measure(list, measured, runs, (engine) => ({argv: [...engine.command, 'ps', '-a']}), {
		'node -e 0': [process.execPath, '-e', '0'],
	});
	await measure(inspect, measured, runs, (engine) => ({
		argv: [...engine.command, 'inspect', ...ids.get(engine)!],
	}));
	for (const engine of measured) removeAll(engine);
}

export const statsCase = 'stats --no-stream of 500 running containers';

/** Beside podman, which reads the counters itself too; docker's daemon has them at hand, and takes two seconds. */
export async function measureStats(
	measure: Measure,
	engines: readonly BenchEngine[],
	runs: number,
	options: {image: string; removeAll: (engine: BenchEngine) => void},
): Promise<void> {
	const measured = engines.filter(({name}) => name !== 'docker');
	for (const engine of measured) await startMany(engine, options.image, count, 4, ['--network', 'none']);
	await measure(statsCase, measured, runs, (engine) => ({argv: [...engine.command, 'stats', '--no-stream']}));
	for (const engine of measured) options.removeAll(engine);
}
