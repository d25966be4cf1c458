/** Builds: the stages that a target needs, each as far as possible at the same time as the others. */
import {
	closeSync,
	constants,
	existsSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readFileSync,
	rmSync,
	statSync,
} from 'node:fs';
import {isAbsolute, join, posix} from 'node:path';
import {native} from '../../kernel/native.ts';
import type {BuildOptions, ImageConfig, Platform} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';
import {WherryError} from '../errors.ts';
import {addImage} from '../images/new-image.ts';
import {hostPlatform} from '../images/platform.ts';
import {canonical, familiar, parseReference, withDefaultTag} from '../images/reference.ts';
import type {CachedStep} from '../store/build-cache.ts';
import {openStore, type Store} from '../store/collect.ts';

import {loadBase, type StageResult} from './base-image.ts';
import {FolderSource, type Source} from './context.ts';
import {contextCache} from './context-cache.ts';
import type {KeyAgents} from './key-agent.ts';
import {BuildLeases} from './layer.ts';
import {type Dockerfile, DockerfileError, parseDockerfile} from './parser.ts';
import {PatternMatcher, parseIgnoreFile} from './patterns.ts';
import {Progress} from './progress.ts';
import {sweepContainers} from './run.ts';
import {StageBuild} from './stage-build.ts';
import {findStage, type PlatformArgs, type Stage, splitStages, targetStage} from './stages.ts';

/** An error of a build, with the Dockerfile and the line that it is about. */
export class BuildError extends WherryError {
	/** The Dockerfile with numbers around the line; empty when no line is to blame. */
	readonly excerpt: string;
	/** The step's name and its last lines. */
	readonly step: {name: string; last: readonly string[]} | undefined;

	constructor(cause: Error, excerpt: string, step?: {name: string; last: readonly string[]}) {
		super(cause instanceof WherryError ? cause.code : 'internal', cause.message, {cause});
		this.excerpt = excerpt;
		this.step = step;
	}
}

/** Everything that the stages of a build share. */
export interface Build {
	readonly engine: EngineContext;
	readonly store: Store;
	readonly leases: BuildLeases;
	readonly scratch: string;
	readonly options: BuildOptions;
	readonly progress: Progress;
	readonly dockerfile: Dockerfile;
	readonly stages: readonly Stage[];
	readonly globals: ReadonlyMap<string, string>;
	readonly platformArgs: PlatformArgs;
	readonly context: Source;
	/** All steps that were made or found, by their keys. */
	readonly steps: Map<string, CachedStep>;
	/** The context's folder. */
	readonly folder: string;
	/** Where any were given. */
	readonly agents: KeyAgents | undefined;
	/** RFC 3339; when every step of this build is said to have been made. */
	readonly created: string;
	stage(stage: Stage): Promise<StageResult>;
	/** What --build-context has put in the place of an image or a stage. */
	named(name: string): {folder: string} | {image: string} | undefined;
	/** Files of another stage, an image or a named context. */
	source(
		name: string,
		line: number,
		before: number,
	): Promise<{source: Source; root: number; key: string | undefined}>;
	/** The image's layers and configuration, pulled where it is missing. */
	base(name: string, platform?: string): Promise<StageResult>;
}

function platformArguments(target: Platform): PlatformArgs {
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
	args.TARGETSTAGE = 'default';
	return args;
}

/** The lines around the one that is wrong, which is marked. */
export function excerptOf(text: string, name: string, first: number, last = first): string {
	const lines = text.replace(/\n$/, '').split('\n');
	const from = Math.max(1, first - 2);
	const to = Math.min(lines.length, last + 2);
	const rows = lines.slice(from - 1, to).map((line, index) => {
		const at = from + index;
		return `${String(at).padStart(4)} | ${at >= first && at <= last ? '>>>' : '   '} ${line}`;
	});
	return `${name}:${first}\n--------------------\n${rows.join('\n')}\n--------------------`;
}

/** Stages that a stage takes something of. */
function neededBy(stage: Stage, stages: readonly Stage[], isReplaced: (name: string) => boolean): Stage[] {
	const names = [stage.base];
	for (const instruction of stage.instructions) {
		for (const flag of [...instruction.flags, ...(instruction.trigger?.flags ?? [])]) {
			const from = /^--from=(.+)$/.exec(flag)?.[1];
			if (from) names.push(from);
			const mount = /^--mount=(.+)$/.exec(flag)?.[1];
			const mounted = mount?.split(',').find((part) => part.startsWith('from='));
			if (mounted) names.push(mounted.slice(5));
		}
	}
	return names.flatMap((name) => (isReplaced(name) ? [] : (findStage(stages, name, stage.index) ?? [])));
}

/** By its name, or as an image that is called so in full. */
function namedContext(
	contexts: Readonly<Record<string, {folder: string} | {image: string}>>,
	name: string,
): {folder: string} | {image: string} | undefined {
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

export async function buildImage(
	engine: EngineContext,
	options: BuildOptions,
): Promise<{id: string; digest: string}> {
	const store = openStore(engine.paths, engine.locks);
	const leases = new BuildLeases(store);
	const {signal} = options;
	const tags = (options.tags ?? []).map((text) => {
		const invalid = (cause?: unknown): WherryError =>
			new WherryError('invalid', `invalid tag ${JSON.stringify(text)}: invalid reference format`, {
				object: text,
				cause,
			});
		let reference: ReturnType<typeof parseReference>;
		try {
			reference = withDefaultTag(parseReference(text));
		} catch (error) {
			throw invalid(error);
		}
		if (reference.digest !== undefined) throw invalid();
		return reference;
	});
	await sweepContainers(engine);
	const lease = await leases.acquire([]);
	const scratch = lease.staging('build');
	mkdirSync(scratch, {recursive: true, mode: 0o700});
	const progress = new Progress((event) => options.onProgress?.(event));
	const descriptors: number[] = [];
	let agents: KeyAgents | undefined;
	try {
		if (options.ssh && Object.keys(options.ssh).length > 0)
			agents = new (await import('./key-agent.ts')).KeyAgents(options.ssh, scratch);
		const {folder, isDockerfile} = await contextFolder(options, scratch, agents);
		const {text, name, ignore} = readDockerfile(
			isDockerfile ? {...options, dockerfile: 'Dockerfile'} : options,
			folder,
		);
		const contexts: Record<string, {folder: string} | {image: string}> = {};
		for (const [key, value] of Object.entries(options.contexts ?? {})) {
			if (!('remote' in value)) contexts[key] = value;
			else {
				const {fetchContext} = await import('./remote.ts');
				const agent = await agents?.path('default');
				contexts[key] = {folder: (await fetchContext(value.remote, scratch, {signal, agent})).folder};
			}
		}
		const dockerfile = await progress.step(
			`[internal] load build definition from ${name}`,
			async (vertex) => {
				vertex.note(`transferring dockerfile: ${Buffer.byteLength(text)}B done`);
				return inFile(text, name, () => parseDockerfile(text));
			},
		);
		const platform = options.platform ?? hostPlatform();
		const platformArgs = platformArguments(platform);
		const args = new Map(Object.entries(options.args ?? {}));
		const {stages, globals} = inFile(text, name, () => splitStages(dockerfile, args, platformArgs));
		const target = inFile(text, name, () => targetStage(stages, options.target ?? ''));
		const {checkDockerfile} = await import('./lint.ts');
		const {warnings, isError} = checkDockerfile(dockerfile, stages);
		for (const warning of warnings) {
			const excerpt = excerptOf(text, name, warning.line, warning.endLine);
			options.onProgress?.({kind: 'warning', ...warning, excerpt});
		}
		if (isError) {
			const rules = [...new Set(warnings.map(({rule}) => rule))].join(', ');
			throw new BuildError(new WherryError('invalid', `lint violation found for rules: ${rules}`), '');
		}
		if (options.check) return {id: '', digest: ''};
		const matcher = await progress.step('[internal] load .dockerignore', async (vertex) => {
			vertex.note(`transferring context: ${Buffer.byteLength(ignore)}B done`);
			return new PatternMatcher(parseIgnoreFile(ignore));
		});
		const rootFd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
		descriptors.push(rootFd);
		const inside = (fd: number) => (path: string) => native.resolveInRoot(fd, `/${path}`).replace(/^\/+/, '');
		const named = (name: string) => namedContext(contexts, name);
		// What was fetched for this build alone is not there again.
		const contextCacheOf = (path: string) =>
			path.startsWith(`${scratch}/`) ? undefined : contextCache(store.paths, path);
		const results = new Map<number, Promise<StageResult>>();
		const images = new Map<string, Promise<StageResult>>();
		const created = new Date(options.sourceDateEpoch ?? Date.now()).toISOString();
		const build: Build = {
			engine,
			store,
			leases,
			scratch,
			options,
			progress,
			dockerfile,
			stages,
			globals,
			platformArgs,
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
			folder,
			agents,
			steps: new Map(),
			created,
			named,
			stage(stage) {
				const known = results.get(stage.index);
				if (known) return known;
				const building = new StageBuild(build, stage).run();
				building.catch(() => {});
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
			async source(name, line, before) {
				const context = named(name);
				if (context && 'folder' in context) {
					const fd = openSync(context.folder, constants.O_RDONLY | constants.O_DIRECTORY);
					descriptors.push(fd);
					return {
						source: new FolderSource(name, context.folder, undefined, inside(fd), {
							fd,
							cache: contextCacheOf(context.folder),
							signal,
						}),
						root: fd,
						key: undefined,
					};
				}
				const stage = context ? undefined : findStage(stages, name, before);
				if (!context && !stage && stages.some((each) => each.name === name.toLowerCase())) {
					throw new DockerfileError(`stage ${JSON.stringify(name)} can't be used before it is defined`, line);
				}
				if (!context && !stage && /^\d+$/.test(name))
					throw new DockerfileError(`invalid stage index ${name}`, line);
				const result = await (stage ? build.stage(stage) : build.base(context ? context.image : name));
				const {openLayers} = await import('./root.ts');
				const {fd} = openLayers(store.paths, result.keys, scratch);
				descriptors.push(fd);
				return {
					source: new FolderSource(name, `/proc/self/fd/${fd}`, undefined, inside(fd), {fd, signal}),
					root: fd,
					key: result.key,
				};
			},
		};
		// Cycles can't be: a stage finds only those before it. Begun together, they wait for each other where they must.
		for (const from of options.cacheFrom ?? []) {
			const title = 'reference' in from ? from.reference : 'folder' in from ? from.folder : 'inline';
			const vertex = progress.begin(`importing cache manifest from ${title}`);
			try {
				const {importCache} = await import('./cache-images.ts');
				await importCache(engine, store, from, scratch, signal);
				vertex.done();
			} catch (error) {
				signal?.throwIfAborted();
				// A build can do without.
				vertex.failed((error as Error).message);
			}
		}
		const wanted = new Set<Stage>();
		const want = (stage: Stage): void => {
			if (wanted.has(stage)) return;
			wanted.add(stage);
			for (const each of neededBy(stage, stages, (name) => named(name) !== undefined)) want(each);
		};
		want(target);
		const outcomes = await Promise.allSettled([...wanted].map((stage) => build.stage(stage)));
		signal?.throwIfAborted();
		const failure = outcomes.find((outcome) => outcome.status === 'rejected');
		if (failure) throw located(failure.reason as Error, text, name);
		const result = await build.stage(target);
		for (const to of options.cacheTo ?? []) {
			if ('inline' in to) continue;
			await progress.step('exporting cache', async () => {
				const {exportCache} = await import('./cache-images.ts');
				await exportCache(engine, store, build.steps, to, scratch);
			});
		}
		const isInline =
			options.cacheTo?.some((to) => 'inline' in to) || options.args?.BUILDKIT_INLINE_CACHE === '1';
		if (options.output && !('image' in options.output)) {
			const {output} = options;
			await progress.step('exporting to client', async () => {
				const {exportResult} = await import('./output.ts');
				await exportResult(store.paths, result.keys, scratch, output);
			});
			return {id: '', digest: ''};
		}
		return await progress.step('exporting to image', async (vertex) => {
			vertex.note('exporting layers done');
			const config = withLabels(result.config, options.labels);
			const image = {
				platform: result.platform ?? platform,
				created: result.history.at(-1)?.created ?? created,
				...(result.author ? {author: result.author} : {}),
				config,
				history: result.history,
				layers: result.layers,
				...(isInline
					? {more: (await import('./cache-images.ts')).cacheMember(build.steps, result.layers)}
					: {}),
				...(options.annotations ? {annotations: options.annotations} : {}),
			};
			if (options.output && 'image' in options.output) {
				const {writeArchive} = await import('./image-archive.ts');
				return writeArchive(store, image, tags, options.output);
			}
			const id = await addImage(store, image, tags[0]);
			vertex.note(`writing image ${id} done`);
			if (tags[0]) engine.events.append('image', 'tag', id, {...config.Labels, name: familiar(tags[0])});
			const images_ = await engine.images();
			for (const [at, tag] of tags.entries()) {
				if (at > 0) await images_.tag(id, canonical(tag));
				vertex.note(`naming to ${canonical(tag)} done`);
			}
			const known = (await store.catalog.images()).find((each) => each.id === id);
			return {id, digest: known?.manifests[0] ?? id};
		});
	} catch (error) {
		if (signal?.aborted) throw new WherryError('cancelled', 'context canceled', {cause: error});
		throw error;
	} finally {
		agents?.close();
		for (const fd of descriptors) closeSync(fd);
		rmSync(scratch, {recursive: true, force: true});
		leases.release();
	}
}

const withLabels = (config: ImageConfig, labels: BuildOptions['labels']): ImageConfig =>
	labels && Object.keys(labels).length > 0 ? {...config, Labels: {...config.Labels, ...labels}} : config;

function inFile<T>(text: string, name: string, work: () => T): T {
	try {
		return work();
	} catch (error) {
		throw located(error as Error, text, name);
	}
}

function located(error: Error, text: string, name: string): Error {
	const inner = error instanceof StepError ? (error.cause as Error) : error;
	const line =
		inner instanceof DockerfileError ? inner.line : error instanceof StepError ? error.line : undefined;
	const last = error instanceof StepError ? error.endLine : line;
	const step =
		error instanceof StepError && error.last.length > 0 ? {name: error.step, last: error.last} : undefined;
	const wrapped =
		inner instanceof DockerfileError && inner.line !== undefined
			? new WherryError('invalid', `dockerfile parse error on line ${inner.line}: ${inner.message}`, {
					cause: inner,
				})
			: inner;
	return new BuildError(wrapped, line === undefined ? '' : excerptOf(text, name, line, last), step);
}

/** A step that has failed: which, and what it wrote last. */
export class StepError extends Error {
	readonly step: string;
	readonly last: readonly string[];
	readonly line: number;
	readonly endLine: number;

	constructor(cause: Error, step: string, last: readonly string[], line: number, endLine: number) {
		super(cause.message, {cause});
		this.step = step;
		this.last = last;
		this.line = line;
		this.endLine = endLine;
	}
}

async function contextFolder(
	options: BuildOptions,
	scratch: string,
	agents: KeyAgents | undefined,
): Promise<{folder: string; isDockerfile: boolean}> {
	const {context, signal} = options;
	if ('remote' in context) {
		const {fetchContext} = await import('./remote.ts');
		return fetchContext(context.remote, scratch, {signal, agent: await agents?.path('default')});
	}
	if ('folder' in context) {
		const stat = statSync(context.folder, {throwIfNoEntry: false});
		if (!stat) {
			throw new WherryError(
				'not-found',
				`unable to prepare context: path ${JSON.stringify(context.folder)} not found`,
				{
					object: context.folder,
				},
			);
		}
		if (!stat.isDirectory()) {
			throw new WherryError(
				'invalid',
				`unable to prepare context: path ${JSON.stringify(context.folder)} is not a directory`,
			);
		}
		return {folder: context.folder, isDockerfile: false};
	}
	const folder = mkdtempSync(join(scratch, 'context-'));
	if ('archive' in context) {
		const {unpackArchive} = await import('./output.ts');
		await unpackArchive(context.archive, folder, scratch);
	}
	return {folder, isDockerfile: false};
}

/** The Dockerfile's text, what it is called, and the text of the ignore file that goes with it. */
function readDockerfile(options: BuildOptions, folder: string): {text: string; name: string; ignore: string} {
	const read = (path: string): string | undefined => {
		const stat = statSync(path, {throwIfNoEntry: false});
		return stat?.isFile() ? readFileSync(path, 'utf8') : undefined;
	};
	const shared = read(join(folder, '.dockerignore')) ?? '';
	if (options.text !== undefined) return {text: options.text, name: 'Dockerfile', ignore: shared};
	const asked = options.dockerfile ?? 'Dockerfile';
	const path = isAbsolute(asked) ? asked : join(folder, asked);
	if (!existsSync(path) && options.dockerfile === undefined && existsSync(join(folder, 'dockerfile'))) {
		return {text: readFileSync(join(folder, 'dockerfile'), 'utf8'), name: 'dockerfile', ignore: shared};
	}
	const text = read(path);
	const name = posix.basename(asked);
	if (text === undefined) {
		throw new WherryError('not-found', `failed to read dockerfile: open ${name}: no such file or directory`, {
			object: path,
		});
	}
	return {text, name, ignore: read(`${path}.dockerignore`) ?? shared};
}
