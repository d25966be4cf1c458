/**
 * Builds: ten steps with a COPY of 2,000 files, made anew and out of the cache; two stages that wait; a context of
 * 100,000 files of which one has changed, beside a find over it that looks at each. An engine that
 * can't build here (podman wants more of the host than some give) is told about and left out; buildah is there when
 * it is installed.
 */
import {spawnSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {type BenchEngine, find} from './engines.ts';
import type {Measure} from './files.ts';
import type {Sample} from './measure.ts';

const [cold, cached, stages, large] = [
	'build, ten steps, cold',
	'build, ten steps, cached',
	'build, two stages of 2 s each',
	'build, context of 100,000 files, one changed',
] as const;
export const buildCases: readonly string[] = [cold, cached, stages, large];

const tenSteps = (image: string): string => `FROM ${image}
ENV LEVEL=1
WORKDIR /src
COPY files /src/files
RUN busybox find /src/files -type f | busybox wc -l >/count
RUN busybox mkdir -p /out && busybox cp -r /src/files/1 /out
RUN echo one >/out/one
RUN echo two >/out/two
COPY late /src/late
RUN busybox chmod -R a+rX /out
RUN busybox sha1sum /src/late >/out/sum
CMD ["sh"]
`;

const twoStages = (image: string): string => `FROM ${image} AS one
RUN sleep 2 && echo 1 >/1
FROM ${image} AS two
RUN sleep 2 && echo 2 >/2
FROM ${image}
COPY --from=one /1 /1
COPY --from=two /2 /2
`;

function makeContext(folder: string, image: string): string {
	const context = join(folder, 'build-context');
	for (let at = 0; at < 2000; at++) {
		const part = join(context, 'files', String(at % 20));
		mkdirSync(part, {recursive: true});
		writeFileSync(join(part, `${at}.txt`), `${at}\n`.repeat(400));
	}
	writeFileSync(join(context, 'late'), 'late\n');
	writeFileSync(join(context, 'Dockerfile'), tenSteps(image));
	writeFileSync(join(context, 'Stages'), twoStages(image));
	return context;
}

/** What is copied last is what changes: all before it is cached. */
function makeLargeContext(folder: string, image: string): string {
	const context = join(folder, 'large-context');
	for (let at = 0; at < 100_000; at++) {
		const part = join(context, 'files', String(at % 20), String(at % 1000));
		if (at < 1000) mkdirSync(part, {recursive: true});
		writeFileSync(join(part, `file-${at}.txt`), `${at}\n`.repeat(1 + (at % 99)));
	}
	writeFileSync(join(context, 'Dockerfile'), `FROM ${image}\nCOPY files /files\nCOPY changed /changed\n`);
	writeFileSync(join(context, 'changed'), '');
	return context;
}

/** What builds for an engine; docker's classic builder, which needs no plugin. */
function builder(engine: BenchEngine): BenchEngine {
	const env = {...engine.env, DOCKER_BUILDKIT: '0'};
	return {...engine, env};
}

function buildah(engines: readonly BenchEngine[]): BenchEngine[] {
	const program = find('buildah');
	const podman = engines.find(({name}) => name === 'podman');
	if (!program || !podman) return [];
	// The same store and runtime as podman's.
	const flags = podman.command
		.slice(1)
		.filter((_, at, all) => !all.slice(Math.max(0, at - 1), at + 1).includes('--runtime'));
	return [{...podman, name: 'buildah' as BenchEngine['name'], command: [program, ...flags]}];
}

/** No engine takes longer from this bench than that for one build. */
const longest = 300_000;
/** What takes longer than that is measured once. */
const slow = 60_000;

/** Milliseconds; undefined: it failed, or did not come to its end. */
function timeOnce(argv: readonly string[], env: NodeJS.ProcessEnv): number | undefined {
	const start = performance.now();
	const {status} = spawnSync(argv[0]!, argv.slice(1), {
		env,
		stdio: 'ignore',
		timeout: longest,
		killSignal: 'SIGKILL',
	});
	return status === 0 ? performance.now() - start : undefined;
}

export async function measureBuilds(
	measure: Measure,
	engines: readonly BenchEngine[],
	runs: number,
	options: {
		image: string;
		folder: string;
		wanted: (name: string) => boolean;
		say: (text: string) => void;
		record: (sample: Sample) => void;
	},
): Promise<void> {
	const {image, folder, wanted, say, record} = options;
	if (!buildCases.some(wanted)) return;
	const context = makeContext(folder, image);
	const argvIn = (place: string, engine: BenchEngine, ...flags: string[]): string[] => [
		...engine.command,
		'build',
		'--network',
		'none',
		// Without it they keep no cache.
		...(/podman|buildah/.test(engine.name) ? ['--layers'] : []),
		'-t',
		'bench-build',
		...flags,
		place,
	];
	const argv = (engine: BenchEngine, ...flags: string[]): string[] => argvIn(context, engine, ...flags);
	const able = [...engines, ...buildah(engines)].map(builder).filter((engine) => {
		const [program, ...words] = argv(engine);
		const result = spawnSync(program!, words, {
			env: engine.env,
			stdio: ['ignore', 'ignore', 'pipe'],
			timeout: 120_000,
		});
		if (result.status === 0) return true;
		say(
			`${engine.name} is left out, it does not build here: ${result.stderr?.toString().trim().slice(-300)}`,
		);
		return false;
	});
	await measure(cold, able, Math.min(runs, 5), (engine) => ({argv: argv(engine, '--no-cache')}));
	await measure(cached, able, Math.min(runs, 8), (engine) => ({argv: argv(engine)}));
	const own = able.filter(({name}) => name === 'wherry');
	await measure(stages, own, Math.min(runs, 2), (engine) => ({
		argv: argv(engine, '--no-cache', '-f', join(context, 'Stages')),
	}));
	if (!wanted(large)) return;
	const place = makeLargeContext(folder, image);
	let change = 0;
	const changed = (): void => writeFileSync(join(place, 'changed'), String(++change));
	const quick: BenchEngine[] = [];
	for (const engine of able) {
		changed();
		const first = timeOnce(argvIn(place, engine), engine.env);
		changed();
		const next = first === undefined ? undefined : timeOnce(argvIn(place, engine), engine.env);
		if (next === undefined)
			say(`${engine.name} is left out of ${large}: it fails, or takes longer than ${longest / 1000} s`);
		else if (next > slow) record({case: large, engine: engine.name, milliseconds: [next]});
		else quick.push(engine);
	}
	const looking = {...own[0]!, name: 'find' as BenchEngine['name']};
	await measure(large, [looking, ...quick], Math.min(runs, 3), (engine) => ({
		before: changed,
		argv: engine === looking ? ['find', place, '-printf', '%T@ %s %m %p\\n'] : argvIn(place, engine),
	}));
}
