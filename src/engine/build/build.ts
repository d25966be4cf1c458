/** Builds: from a context and a Dockerfile to an image, an archive or files. */
import {mkdirSync, rmSync} from 'node:fs';
import type {BuildOptions, ImageConfig} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';
import {WherryError} from '../errors.ts';
import {addImage, type NewImage} from '../images/new-image.ts';
import {canonical, familiar, parseReference, type Reference, withDefaultTag} from '../images/reference.ts';
import type {CachedStep} from '../store/build-cache.ts';
import {openStore, type Store} from '../store/collect.ts';
import type {StageResult} from './base-image.ts';
import {BuildError, excerptOf, inFile} from './build-errors.ts';
import {contextFolder, readDockerfile} from './dockerfile-source.ts';
import type {KeyAgents} from './key-agent.ts';
import {BuildLeases} from './layer.ts';
import {parseDockerfile} from './parser.ts';
import {PatternMatcher, parseIgnoreFile} from './patterns.ts';
import {Progress, type Vertex} from './progress.ts';
import {recorded} from './recorder.ts';
import {sweepContainers} from './run.ts';
import {type BuildInput, buildStages, planStages, type StagePlan} from './stage-graph.ts';

/** What is wrong with the request is said first, and leaves no trace; everything else is in the build's record. */
export async function buildImage(engine: EngineContext, options: BuildOptions): Promise<Built> {
	const tags = readTags(options.tags ?? []);
	const {outputs = ['image'], platforms = []} = options;
	if (
		platforms.length > 1 &&
		outputs.some((output) => typeof output === 'object' && 'format' in output && output.format === 'docker')
	)
		throw new WherryError(
			'unsupported',
			'docker exporter does not currently support exporting manifest lists',
		);
	if (options.check) return solve(engine, options, tags);
	return recorded(engine.paths, options, (told) => solve(engine, told, tags));
}

interface Built {
	id: string;
	digest: string;
}

function readTags(texts: readonly string[]): Reference[] {
	return texts.map((text) => {
		const invalid = (cause?: unknown): WherryError =>
			new WherryError('invalid', `invalid tag ${JSON.stringify(text)}: invalid reference format`, {
				object: text,
				cause,
			});
		let reference: Reference;
		try {
			reference = withDefaultTag(parseReference(text));
		} catch (error) {
			throw invalid(error);
		}
		if (reference.digest !== undefined) throw invalid();
		return reference;
	});
}

/**
 * The time that the argument SOURCE_DATE_EPOCH gives, in seconds, or its default before the first FROM. `context` is
 * that of the context, which a folder has none of.
 */
function epochOf({args, sourceDateEpoch}: BuildOptions, byDefault = ''): number | undefined {
	if (sourceDateEpoch !== undefined) return sourceDateEpoch;
	const text = args?.SOURCE_DATE_EPOCH ?? byDefault;
	if (text === '' || text === 'context') return undefined;
	if (/^-?\d{1,12}$/.test(text)) return Number(text) * 1000;
	throw new WherryError('invalid', `invalid SOURCE_DATE_EPOCH: ${text}`, {object: text});
}

async function solve(
	engine: EngineContext,
	options: BuildOptions,
	tags: readonly Reference[],
): Promise<Built> {
	// What is wrong with it is said before anything is begun.
	epochOf(options);
	const store = openStore(engine.paths, engine.locks);
	const leases = new BuildLeases(store);
	const {signal} = options;
	await sweepContainers(engine);
	const lease = await leases.acquire([]);
	const scratch = lease.staging('build');
	mkdirSync(scratch, {recursive: true, mode: 0o700});
	const progress = new Progress((event) => options.onProgress?.(event));
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
		const wanted = options.platforms ?? [options.platform];
		const said = {text, name, dockerfile, options};
		const plans = wanted.map((platform) => planStages(said, platform, wanted.length > 1));
		const [{stages}] = plans as [StagePlan];
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
		const epoch = epochOf(options, plans[0]!.globals.get('SOURCE_DATE_EPOCH'));
		const timed = epoch === undefined ? options : {...options, sourceDateEpoch: epoch};
		const created = new Date(epoch ?? Date.now()).toISOString();
		const steps = new Map<string, CachedStep>();
		const shared = {
			engine,
			store,
			leases,
			scratch,
			progress,
			folder,
			matcher,
			contexts,
			agents,
			created,
			steps,
		};
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
		const results = await buildPlatforms({...shared, ...said, options: timed}, plans);
		for (const to of options.cacheTo ?? []) {
			if ('inline' in to) continue;
			const exported = progress.step('exporting cache', async () => {
				const {exportCache, stepsOfLayers} = await import('./cache-images.ts');
				const own = results.flatMap(({result}) => result.layers);
				await exportCache(engine, store, to.mode === 'min' ? stepsOfLayers(steps, own) : steps, to, scratch);
			});
			await (to.ignoreError ? exported.catch(() => signal?.throwIfAborted()) : exported);
		}
		const isInline =
			options.cacheTo?.some((to) => 'inline' in to) || options.args?.BUILDKIT_INLINE_CACHE === '1';
		const built: NewImage[] = [];
		for (const {plan, result} of results) {
			const {config, author, history, layers} = result;
			built.push({
				platform: result.platform ?? plan.platform,
				created: history.at(-1)?.created ?? created,
				...(author ? {author} : {}),
				config: withLabels(config, options.labels),
				history,
				layers,
				...(isInline ? {more: (await import('./cache-images.ts')).cacheMember(steps, layers)} : {}),
				...(options.annotations ? {annotations: options.annotations} : {}),
			});
		}
		let id: Built = {id: '', digest: ''};
		for (const output of options.outputs ?? ['image']) {
			if (output !== 'image' && ('folder' in output || 'archive' in output)) {
				await progress.step('exporting to client', async () => {
					const {exportResults} = await import('./output.ts');
					const trees = results.map(({plan, result}) => ({platform: plan.platform, keys: result.keys}));
					await exportResults(store.paths, trees, scratch, output);
				});
				continue;
			}
			id = await progress.step('exporting to image', async (vertex) => {
				vertex.note('exporting layers done');
				if (output === 'image') return keepImage(engine, store, built, tags, vertex);
				const {writeArchive, writeLayout} = await import('./image-archive.ts');
				return 'image' in output
					? writeArchive(store, built, tags, output)
					: writeLayout(store, built, tags, output, scratch);
			});
		}
		return id;
	} catch (error) {
		if (signal?.aborted) throw new WherryError('cancelled', 'context canceled', {cause: error});
		throw error;
	} finally {
		agents?.close();
		rmSync(scratch, {recursive: true, force: true});
		leases.release();
	}
}

async function keepImage(
	engine: EngineContext,
	store: Store,
	built: readonly NewImage[],
	tags: readonly Reference[],
	vertex: Vertex,
): Promise<Built> {
	const [image] = built as [NewImage];
	const id =
		built.length > 1
			? await (await import('../images/new-index.ts')).addIndex(store, built, tags[0])
			: await addImage(store, image, tags[0]);
	vertex.note(`writing image ${id} done`);
	// As docker tells it since 25: of each build, also of one that nothing has changed in.
	engine.events.append('image', 'create', id, {...image.config.Labels, name: id});
	if (tags[0]) engine.events.append('image', 'tag', id, {...image.config.Labels, name: familiar(tags[0])});
	const images = await engine.images();
	for (const [at, tag] of tags.entries()) {
		if (at > 0) await images.tag(id, canonical(tag));
		vertex.note(`naming to ${canonical(tag)} done`);
	}
	const known = (await store.catalog.images()).find(({ids}) => ids.includes(id));
	return {id, digest: known?.manifests[0] ?? id};
}

/** All platforms at once. The first failure ends the others. */
async function buildPlatforms(
	input: Omit<BuildInput, 'inTurn' | 'onFailure'>,
	plans: readonly StagePlan[],
): Promise<{plan: StagePlan; result: StageResult}[]> {
	const {signal} = input.options;
	const failed = new AbortController();
	let last: Promise<unknown> = Promise.resolve();
	const whole: BuildInput = {
		...input,
		options: {...input.options, signal: AbortSignal.any([failed.signal, ...(signal ? [signal] : [])])},
		inTurn(work) {
			const result = last.then(work);
			last = result.catch(() => {});
			return result;
		},
		onFailure: (error) => failed.abort(error),
	};
	const outcomes = await Promise.allSettled(plans.map((plan) => buildStages(whole, plan)));
	whole.options.signal?.throwIfAborted();
	return outcomes.map((outcome, at) => {
		if (outcome.status === 'rejected') throw outcome.reason;
		return {plan: plans[at]!, result: outcome.value};
	});
}

const withLabels = (config: ImageConfig, labels: BuildOptions['labels']): ImageConfig =>
	labels && Object.keys(labels).length > 0 ? {...config, Labels: {...config.Labels, ...labels}} : config;
