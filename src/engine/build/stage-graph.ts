/** The stages of one platform: which are needed, what they take of each other, and that each is built once. */
import {closeSync, constants, openSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import type {BuildOptions, Platform} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';
import {WherryError} from '../errors.ts';
import {formatPlatform, hostPlatform, normalize} from '../images/platform.ts';
import {canonical, parseReference, withDefaultTag} from '../images/reference.ts';
import type {CachedStep} from '../store/build-cache.ts';
import type {Store} from '../store/collect.ts';
import {loadBase, type StageResult} from './base-image.ts';
import {inFile, located, StepError} from './build-errors.ts';
import {FolderSource, type Source} from './context.ts';
import {contextCache, layerDigests} from './context-cache.ts';
import type {KeyAgents} from './key-agent.ts';
import type {BuildLeases} from './layer.ts';
import {type Dockerfile, DockerfileError, type Instruction} from './parser.ts';
import {PatternMatcher, parseIgnoreFile} from './patterns.ts';
import type {Progress} from './progress.ts';
import {StageBuild} from './stage-build.ts';
import {findStage, type PlatformArgs, type Stage, sourcesOf, splitStages, targetStage} from './stages.ts';

/** By its name: a folder or an image in its place. */
export type NamedContexts = Readonly<Record<string, {folder: string} | {image: string}>>;

/** What a build is made of, the same for all platforms. */
export interface BuildInput {
	readonly engine: EngineContext;
	readonly store: Store;
	readonly leases: BuildLeases;
	readonly scratch: string;
	readonly options: BuildOptions;
	readonly progress: Progress;
	/** The Dockerfile's text and its name. */
	readonly text: string;
	readonly name: string;
	readonly dockerfile: Dockerfile;
	/** The context's folder, and what of it is left out. */
	readonly folder: string;
	readonly matcher: PatternMatcher;
	readonly contexts: NamedContexts;
	/** Where any were given. */
	readonly agents: KeyAgents | undefined;
	/** RFC 3339; when every step of this build is said to have been made. */
	readonly created: string;
	/** Told about stages that fail, also when they were not the first. */
	readonly onFailure: (error: Error) => void;
	/** Resolves names of images one after the other. */
	readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
	/** All steps that were made or found, by their keys. */
	readonly steps: Map<string, CachedStep>;
}

/** The stages as one platform has them. */
export interface StagePlan {
	readonly platform: Platform;
	/** What names of images mean; undefined: what they mean on this host. */
	readonly asked: Platform | undefined;
	readonly stages: readonly Stage[];
	readonly globals: ReadonlyMap<string, string>;
	readonly platformArgs: PlatformArgs;
	readonly target: Stage;
	/** In front of the names of steps, where there are several platforms. */
	readonly prefix: string;
}

/** Everything that the stages of a platform share. */
export interface Build extends BuildInput, StagePlan {
	readonly context: Source;
	stage(stage: Stage): Promise<StageResult>;
	/** What --build-context has put in the place of an image or a stage. */
	named(name: string): {folder: string} | {image: string} | undefined;
	/** Files of another stage, an image or a named context. */
	source(name: string, line: number): Promise<{source: Source; root: number; key: string | undefined}>;
	/** The image's layers and configuration, pulled where it is missing. */
	base(name: string, platform?: string): Promise<StageResult>;
}

/** Throws BuildError. */
export function planStages(
	{text, name, dockerfile, options}: Pick<BuildInput, 'text' | 'name' | 'dockerfile' | 'options'>,
	asked: Platform | undefined,
	isOneOfSeveral: boolean,
): StagePlan {
	const platform = asked ? normalize(asked) : hostPlatform();
	const last = dockerfile.instructions.findLast(({name}) => name.toLowerCase() === 'from');
	const platformArgs = platformArguments(platform, options.target || last?.args[2] || 'default');
	const args = new Map(Object.entries(options.args ?? {}));
	const {stages, globals} = inFile(text, name, () => splitStages(dockerfile, args, platformArgs));
	const target = inFile(text, name, () => targetStage(stages, options.target ?? ''));
	const prefix = isOneOfSeveral ? `${formatPlatform(platform)} ` : '';
	return {platform, asked, stages, globals, platformArgs, target, prefix};
}

function platformArguments(target: Platform, stage: string): PlatformArgs {
	const args: Record<string, string> = {};
	for (const [side, {os, architecture, variant}] of [
		['BUILD', hostPlatform()],
		['TARGET', target],
	] as const) {
		args[`${side}PLATFORM`] = `${os}/${architecture}${variant ? `/${variant}` : ''}`;
		args[`${side}OS`] = os;
		args[`${side}ARCH`] = architecture;
		args[`${side}VARIANT`] = variant ?? '';
	}
	args.TARGETSTAGE = stage;
	return args;
}

/** Stages that a stage takes something of. */
function neededBy(stage: Stage, stages: readonly Stage[], isReplaced: (name: string) => boolean): Stage[] {
	const base = isReplaced(stage.base) ? undefined : findStage(stages, stage.base, stage.index);
	const names = stage.instructions.flatMap(sourcesOf).filter((name) => !isReplaced(name));
	return [base, ...names.map((name) => findStage(stages, name))].filter((found) => found !== undefined);
}

/** What is taken of has to come first, as BuildKit has it. Throws StepError. */
function checkOrder(stage: Stage, stages: readonly Stage[], isReplaced: (name: string) => boolean): void {
	for (const instruction of stage.instructions) {
		if (instruction.trigger) continue;
		for (const name of sourcesOf(instruction)) {
			const found = isReplaced(name) ? undefined : findStage(stages, name);
			if (!found || found.index < stage.index) continue;
			const own = stage.name === String(stage.index) ? `stage-${stage.index}` : stage.name;
			const target = mountTargetOf(instruction, name);
			const [taken, here] = [name, target ?? own].map((text) => JSON.stringify(text));
			const cause =
				target === undefined
					? `cannot copy from stage ${taken}, it needs to be defined before current stage ${here}`
					: `cannot mount from stage ${taken} to ${here}, stage needs to be defined before current command`;
			const {line, endLine, source} = instruction;
			throw new StepError(new WherryError('invalid', cause), source, [], line, endLine);
		}
	}
}

/** Where RUN --mount puts what it takes of a stage; undefined: it is no mount. */
function mountTargetOf({name, flags}: Instruction, stage: string): string | undefined {
	if (name.toLowerCase() !== 'run') return undefined;
	const options = flags
		.map((flag) => flag.replace(/^--mount=/, '').split(','))
		.find((parts) => parts.includes(`from=${stage}`));
	return (
		/^(?:target|dst|destination)=(.*)$/.exec(
			options?.find((part) => /^(?:target|dst|destination)=/.test(part)) ?? '',
		)?.[1] ?? ''
	);
}

/** By its name, or as an image that is called so in full. */
function namedContext(contexts: NamedContexts, name: string): {folder: string} | {image: string} | undefined {
	if (contexts[name] ?? contexts[name.toLowerCase()]) return contexts[name] ?? contexts[name.toLowerCase()];
	const full = (text: string): string | undefined => {
		try {
			return canonical(withDefaultTag(parseReference(text)));
		} catch {
			return undefined;
		}
	};
	const wanted = Object.keys(contexts).length > 0 ? full(name) : undefined;
	const key = wanted && Object.keys(contexts).find((text) => full(text) === wanted);
	return key ? contexts[key] : undefined;
}

/** What a named folder leaves out itself. */
function ignoredIn(folder: string): PatternMatcher | undefined {
	const file = join(folder, '.dockerignore');
	if (!statSync(file, {throwIfNoEntry: false})?.isFile()) return undefined;
	return new PatternMatcher(parseIgnoreFile(readFileSync(file, 'utf8')));
}

const inside = (fd: number) => (path: string) => native.resolveInRoot(fd, `/${path}`).replace(/^\/+/, '');

/** Builds what the target needs, each stage as far as possible at the same time as the others. */
export async function buildStages(input: BuildInput, plan: StagePlan): Promise<StageResult> {
	const {store, scratch, options, progress, contexts, folder, matcher, text} = input;
	const {stages, target} = plan;
	const {signal} = options;
	const descriptors: number[] = [];
	const open = (path: string): number => {
		const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
		descriptors.push(fd);
		return fd;
	};
	const named = (name: string) => namedContext(contexts, name);
	// What was fetched for this build alone is not there again.
	const contextCacheOf = (path: string) =>
		path.startsWith(`${scratch}/`) ? undefined : contextCache(store.paths, path);
	const results = new Map<number, Promise<StageResult>>();
	const images = new Map<string, Promise<StageResult>>();
	try {
		const rootFd = open(folder);
		const build: Build = {
			...input,
			...plan,
			context: new FolderSource('context', folder, matcher, inside(rootFd), {
				fd: rootFd,
				cache: contextCacheOf(folder),
				signal,
				watch: (reading) =>
					progress.step('[internal] load build context', async (vertex) => {
						const read = await reading();
						vertex.note(`transferring context: ${read.bytes}B done`);
						return read;
					}),
			}),
			named,
			stage(stage) {
				const known = results.get(stage.index);
				if (known) return known;
				const building = new StageBuild(build, stage).run();
				building.catch((error) => input.onFailure(located(error, text, input.name)));
				results.set(stage.index, building);
				return building;
			},
			base(name, wanted) {
				const key = `${name} ${wanted ?? ''}`;
				const known = images.get(key);
				if (known) return known;
				const loading = loadBase(build, name, wanted);
				loading.catch(() => {});
				images.set(key, loading);
				return loading;
			},
			async source(name, line) {
				const context = named(name);
				if (context && 'folder' in context) {
					const fd = open(context.folder);
					const fast = {fd, cache: contextCacheOf(context.folder), signal};
					const source = new FolderSource(name, context.folder, ignoredIn(context.folder), inside(fd), fast);
					return {source, root: fd, key: undefined};
				}
				const stage = context ? undefined : findStage(stages, name);
				if (!context && !stage && /^\d+$/.test(name))
					throw new DockerfileError(`invalid stage index ${name}`, line);
				const result = await (stage ? build.stage(stage) : build.base(context ? context.image : name));
				const {openLayers} = await import('./root.ts');
				const {fd} = openLayers(store.paths, result.keys, scratch);
				descriptors.push(fd);
				const known = layerDigests(store.paths, result.keys);
				const fast = {fd, known, signal};
				const source = new FolderSource(name, `/proc/self/fd/${fd}`, undefined, inside(fd), fast);
				return {source, root: fd, key: result.key};
			},
		};
		const wanted = new Set<Stage>();
		const want = (stage: Stage): void => {
			if (wanted.has(stage)) return;
			wanted.add(stage);
			try {
				checkOrder(stage, stages, (name) => named(name) !== undefined);
			} catch (error) {
				throw located(error as Error, text, input.name);
			}
			for (const each of neededBy(stage, stages, (name) => named(name) !== undefined)) want(each);
		};
		want(target);
		// Cycles can't be: the Dockerfile was refused for them. Begun together, they wait for each other where they must.
		const outcomes = await Promise.allSettled([...wanted].map((stage) => build.stage(stage)));
		// What failed first has ended the others.
		signal?.throwIfAborted();
		const failure = outcomes.find((outcome) => outcome.status === 'rejected');
		if (failure) throw failure.reason;
		return await build.stage(target);
	} finally {
		for (const fd of descriptors) closeSync(fd);
	}
}
