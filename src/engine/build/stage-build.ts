/** One stage: its base, then its instructions in turn, each of the cache where nothing has changed. */
import {mkdtempSync} from 'node:fs';
import {join, posix} from 'node:path';
import type {Platform} from '../api.ts';
import {WherryError} from '../errors.ts';
import type {NewLayer} from '../images/new-image.ts';
import {canonical, parseReference, withDefaultTag} from '../images/reference.ts';
import {readStep, touchStep, writeStep} from '../store/build-cache.ts';
import {digestHex} from '../store/digest.ts';
import {isFull, storageError} from '../store/files.ts';
import {findLayers} from '../store/layers.ts';
import {type HistoryEntry, mediaTypes} from '../store/manifest.ts';
import {digestOfParts, type StageResult} from './base-image.ts';
import {StepError} from './build-errors.ts';
import {
	applyConfig,
	commandOf,
	defaultPath,
	expander,
	noFlags,
	type StepConfig,
	setVariable,
} from './config-steps.ts';
import {isFolder, makeFolder} from './copy.ts';
import {copyStep} from './copy-step.ts';
import {checkTrigger} from './instruction-rules.ts';
import {emptyLayer, takeLayer} from './layer.ts';
import {DockerfileError, type Instruction, parseDockerfile} from './parser.ts';
import type {Vertex} from './progress.ts';
import {openLayers, openRoot, userOf} from './root.ts';
import {runStep} from './run.ts';
import {parseRun} from './run-flags.ts';
import type {Variables} from './shell-words.ts';
import type {Build} from './stage-graph.ts';
import {findStage, type Stage, unknownInstruction} from './stages.ts';
import {describeStep, shown} from './step-history.ts';

/** A layer that a step has made: by a key, unpacked; or nothing. */
export type Made = NewLayer | undefined;

const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];

/** Arguments that need no ARG, and are told to programs in both ways of writing them, whichever was given. */
function proxyEnv(args: Readonly<Record<string, string>>): string[] {
	const given = Object.entries(args);
	return proxies.flatMap((name) => {
		const value = args[name] ?? given.find(([key]) => key.toUpperCase() === name)?.[1];
		return value === undefined ? [] : [`${name}=${value}`, `${name.toLowerCase()}=${value}`];
	});
}

const comment = 'buildkit.dockerfile.v0';

const isStep = (name: string): boolean => ['run', 'copy', 'add', 'workdir'].includes(name);

export class StageBuild {
	readonly build: Build;
	readonly stage: Stage;
	#state!: StepConfig;
	#layers: NewLayer[] = [];
	#keys: string[] = [];
	#history: HistoryEntry[] = [];
	#key = '';
	/** Values of ARG, also of the stage that this one is made of, that no ENV has replaced since. */
	readonly #args = new Map<string, string>();
	/** Of the base. */
	#platform!: Platform;
	/** Names of ARG in this stage, as often as they were told. */
	readonly #declared: string[] = [];
	#steps = 1;
	#step = 1;

	constructor(build: Build, stage: Stage) {
		this.build = build;
		this.stage = stage;
	}

	/** `[name 2/5] COPY . /src`. */
	#title(instruction: Instruction | string): string {
		const text =
			typeof instruction === 'string' ? instruction : instruction.source.replace(/\s+/g, ' ').trim();
		const named = this.stage.name !== String(this.stage.index);
		const several = this.build.stages.length > 1;
		const name = named ? `${this.stage.name} ` : several ? `stage-${this.stage.index} ` : '';
		return `[${this.build.prefix}${name}${this.#step}/${this.#steps}] ${text}`;
	}

	async run(): Promise<StageResult> {
		const {build, stage} = this;
		const named = build.named(stage.base);
		const parent = named ? undefined : findStage(build.stages, stage.base, stage.index);
		// What is taken as it is counts as a step only when it is an image.
		const first = parent || stage.base === 'scratch' ? 0 : 1;
		this.#step = first;
		this.#steps = first + stage.instructions.filter(({name}) => isStep(name.toLowerCase())).length;
		if (named && 'folder' in named) {
			throw new StepError(
				new WherryError('unsupported', `the context ${stage.base} is a folder, not an image`),
				stage.base,
				[],
				stage.from.line,
				stage.from.line,
			);
		}
		let base: StageResult;
		try {
			base = await (parent
				? build.stage(parent)
				: build.base(named ? named.image : stage.base, stage.platform));
		} catch (error) {
			if (error instanceof StepError) throw error;
			const said = error as Error;
			const isBadName = said.message.startsWith('failed to parse stage name');
			const cause =
				parent || isBadName
					? said
					: new WherryError(
							said instanceof WherryError ? said.code : 'internal',
							`${stage.base}: failed to resolve source metadata for ${stage.base}: ${said.message}`,
							{cause: said},
						);
			throw new StepError(cause, `FROM ${stage.base}`, [], stage.from.line, stage.from.line);
		}
		if (!parent && stage.base !== 'scratch') {
			const vertex = build.progress.begin(
				this.#title(
					`FROM ${canonical(withDefaultTag(parseReference(named && 'image' in named ? named.image : stage.base)))}`,
				),
			);
			vertex.cached();
		}
		const config = structuredClone(base.config);
		const triggers = config.OnBuild ?? [];
		this.#steps += triggers.filter((text) => isStep(/^\S*/.exec(text)![0].toLowerCase())).length;
		delete config.OnBuild;
		this.#state = {config, author: base.author, commandGiven: false};
		this.#platform = base.platform ?? build.platform;
		this.#layers = [...base.layers];
		this.#keys = [...base.keys];
		this.#history = [...base.history];
		this.#key = base.key;
		for (const [name, value] of base.args ?? []) this.#args.set(name, value);
		if (!(config.Env ?? []).some((entry) => entry.startsWith('PATH='))) {
			config.Env = setVariable(config.Env ?? [], 'PATH', defaultPath);
		}
		for (const text of triggers) {
			const [instruction] = parseDockerfile(text).instructions;
			if (!instruction) continue;
			const {line, endLine} = stage.from;
			try {
				checkTrigger({...instruction, line});
			} catch (error) {
				throw new StepError(error as Error, text, [], line, endLine);
			}
			await this.#apply({...instruction, line: stage.from.line, endLine: stage.from.endLine});
		}
		for (const instruction of stage.instructions) await this.#apply(instruction);
		return {
			config: this.#state.config,
			author: this.#state.author,
			layers: this.#layers,
			keys: this.#keys,
			history: this.#history,
			args: this.#args,
			...(base.platform ? {platform: base.platform} : {}),
			key: this.#key,
		};
	}

	/** Of ENV and ARG the later one, as expansion sees them. */
	get #variables(): Variables {
		const env = new Map(
			(this.#state.config.Env ?? []).map((entry): [string, string] => {
				const equals = entry.indexOf('=');
				return [entry.slice(0, equals), entry.slice(equals + 1)];
			}),
		);
		const args = new Map(this.#args);
		return (name) => args.get(name) ?? env.get(name);
	}

	async #apply(instruction: Instruction): Promise<void> {
		const {options, dockerfile} = this.build;
		options.signal?.throwIfAborted();
		const name = instruction.name.toLowerCase();
		const variables = this.#variables;
		const {word, words} = expander(instruction, variables, dockerfile.escape);
		const locate = (error: unknown, title: string, last: readonly string[] = []): StepError =>
			error instanceof StepError
				? error
				: new StepError(
						(isFull(error) ? storageError(error, this.build.store.paths.root) : error) as Error,
						title,
						last,
						instruction.line,
						instruction.endLine,
					);
		try {
			if (name === 'arg') {
				await this.#argument(instruction, word);
				return;
			}
			if (applyConfig(this.#state, instruction, word, words)) {
				if (name === 'env')
					for (let at = 0; at < instruction.args.length; at += 3)
						this.#args.delete(word(instruction.args[at]!));
				const key = digestOfParts(this.#key, this.#state.config, this.#state.author, [...this.#args]);
				const told = describeStep(instruction, this.#state.config, variables, dockerfile.escape);
				await this.#rememberOf(key, instruction, told);
				return;
			}
		} catch (error) {
			throw locate(error, instruction.source);
		}
		if (!isStep(name)) throw locate(unknownInstruction(instruction), instruction.source);
		this.#step++;
		const title = this.#title(instruction);
		const vertex: {current?: Vertex} = {};
		const begin = (): Vertex => {
			vertex.current ??= this.build.progress.begin(title);
			return vertex.current;
		};
		try {
			if (name === 'workdir') await this.#workdir(instruction, word, begin);
			else if (name === 'run') await this.#run(instruction, begin);
			else await this.#copy(instruction, word, begin);
		} catch (error) {
			begin().failed(options.signal?.aborted ? 'context canceled' : (error as Error).message);
			throw locate(error, title, begin().last);
		}
	}

	async #argument(instruction: Instruction, word: (text: string) => string): Promise<void> {
		noFlags(instruction);
		if (instruction.args.length === 0)
			throw new DockerfileError('ARG requires at least one argument', instruction.line);
		const {options, globals, platformArgs} = this.build;
		const told: string[] = [];
		for (const text of instruction.args) {
			const equals = text.indexOf('=');
			const name = word(equals < 0 ? text : text.slice(0, equals));
			if (name === '') throw new DockerfileError('ARG names can not be blank', instruction.line);
			const given = options.args?.[name];
			const value =
				given ?? (equals < 0 ? (globals.get(name) ?? platformArgs[name]) : word(text.slice(equals + 1)));
			if (value !== undefined) this.#args.set(name, value);
			this.#declared.push(name);
			told.push(value === undefined ? name : `${name}=${value}`);
		}
		const key = digestOfParts(this.#key, 'arg', [...this.#args], this.#declared);
		await this.#rememberOf(key, instruction, `ARG ${told.join(' ')}`);
	}

	/** A step without files is of the cache too: an image whose every step is keeps its times, and so its id. */
	async #rememberOf(key: string, instruction: Instruction, told: string | undefined): Promise<void> {
		const {store, created} = this.build;
		const known = this.#anew ? undefined : readStep(store.paths, key);
		if (known) touchStep(store.paths, key);
		else await writeStep(store.paths, key, {description: shown(instruction), created});
		this.build.steps.set(key, {description: shown(instruction), created: known?.created ?? created});
		this.#key = key;
		if (told !== undefined) this.#remember(told, true, known?.created ?? created);
	}

	#remember(by: string, empty: boolean, created: string): void {
		this.#history.push({
			created,
			created_by: by,
			comment,
			...(empty ? {empty_layer: true} : {}),
		});
	}

	/** Whether steps of this stage are made anew. */
	get #anew(): boolean {
		const {noCache, noCacheFilter = []} = this.build.options;
		return noCache === true || noCacheFilter.some((name) => name.toLowerCase() === this.stage.name);
	}

	/** The layer of an earlier build with this key; `undefined`: there is none. */
	#cached(key: string): {layer: NewLayer | undefined; created: string} | undefined {
		const {store} = this.build;
		if (this.#anew) return undefined;
		const step = readStep(store.paths, key);
		if (!step) return undefined;
		const {layer, created} = step;
		if (!layer) return {layer: undefined, created};
		const [found] = findLayers(store.paths, [layer.diffId]);
		if (!found || found.key !== digestHex(layer.diffId)) return undefined;
		return {
			created,
			layer: {
				diffId: layer.diffId,
				descriptor: {
					mediaType: layer.mediaType ?? mediaTypes.ociLayer,
					digest: layer.digest,
					size: layer.size,
				},
			},
		};
	}

	/** Takes a step of the cache, or makes it and keeps it. */
	async #make(
		instruction: Instruction,
		parts: readonly unknown[],
		begin: () => Vertex,
		description: string,
		work: (vertex: Vertex) => Promise<Made>,
		/** Whether the parts still say what the step was made of. */
		isSettled: () => Promise<boolean> = async () => true,
		/** The layer is the same on whatever it is laid. */
		isLinked = false,
	): Promise<void> {
		const {store, leases, created} = this.build;
		let key = digestOfParts(
			isLinked ? 'linked' : this.#key,
			this.build.options.sourceDateEpoch ?? '',
			...parts,
		);
		const lock = await store.locks.acquire(`build-${key}`);
		let made: Made;
		let when = created;
		try {
			const known = this.#cached(key);
			if (known) {
				made = known.layer;
				if (made) await leases.acquire([digestHex(made.diffId), digestHex(made.descriptor.digest)]);
				touchStep(store.paths, key);
			}
			// What was there may have been collected before it was leased.
			if (known && (!made || (await store.layout.blobSize(made.descriptor.digest)) !== undefined)) {
				begin().cached();
				when = known.created;
			} else {
				const vertex = begin();
				made = await work(vertex);
				// Files that change as they are copied: then it is what was made that counts.
				if (!(await isSettled())) key = digestOfParts(key, made?.diffId ?? '');
				await writeStep(store.paths, key, {
					description: shown(instruction),
					created,
					...(made
						? {layer: {diffId: made.diffId, digest: made.descriptor.digest, size: made.descriptor.size}}
						: {}),
				});
				vertex.done();
			}
		} finally {
			lock.release({remove: true});
		}
		const {diffId, descriptor} = made ?? {};
		this.build.steps.set(key, {
			description: shown(instruction),
			created: when,
			...(diffId && descriptor ? {layer: {diffId, ...descriptor}} : {}),
		});
		this.#key = isLinked ? digestOfParts(this.#key, key) : key;
		if (made) {
			this.#layers.push({descriptor: made.descriptor, diffId: made.diffId});
			this.#keys.push(digestHex(made.diffId));
		}
		this.#remember(description, made === undefined, when);
	}

	scratch(): string {
		return mkdtempSync(join(this.build.scratch, 'step-'));
	}

	async #workdir(
		instruction: Instruction,
		word: (text: string) => string,
		begin: () => Vertex,
	): Promise<void> {
		noFlags(instruction);
		if (instruction.args.length !== 1)
			throw new DockerfileError('WORKDIR requires exactly one argument', instruction.line);
		const {config} = this.#state;
		const folder = posix.resolve(config.WorkingDir || '/', word(instruction.args[0]!));
		config.WorkingDir = folder;
		const {store, leases, options} = this.build;
		await this.#make(
			instruction,
			['workdir', folder, config.User ?? ''],
			begin,
			`WORKDIR ${folder}`,
			async () => {
				const scratch = this.scratch();
				const view = openLayers(store.paths, this.#keys, scratch);
				try {
					if (folder === '/') return undefined;
					if (isFolder(view.fd, folder)) return emptyLayer(store, leases, scratch);
				} finally {
					view.close();
				}
				const root = openRoot(store.paths, this.#keys, scratch);
				try {
					const {closeSync} = await import('node:fs');
					const owner = userOf(root.fd, config.User);
					closeSync(makeFolder(root.fd, folder, owner, 0o755, options.sourceDateEpoch));
				} finally {
					root.close();
				}
				return takeLayer(store, leases, root.upper, undefined, this.build.options.sourceDateEpoch);
			},
		);
	}

	async #run(instruction: Instruction, begin: () => Vertex): Promise<void> {
		const {config} = this.#state;
		const {store, leases, engine, options, dockerfile} = this.build;
		const parsed = parseRun(instruction, this.#variables, dockerfile.escape);
		// A Dockerfile is a stranger's: only who builds can let it out of its box.
		const asked = {
			'security.insecure': parsed.security === 'insecure',
			'network.host': parsed.network === 'host' && options.hostConfig?.NetworkMode !== 'host',
		};
		for (const [name, wanted] of Object.entries(asked)) {
			if (wanted && !options.allow?.includes(name))
				throw new DockerfileError(`${name} is not allowed`, instruction.line);
		}
		// `RUN []` runs what the image runs.
		const script = parsed.script && `/dev/pipes/${posix.basename(parsed.script.name)}`;
		// A script too is for the shell to run.
		const given = commandOf({...instruction, args: script ? [script] : parsed.args}, config);
		const argv = given.length > 0 ? given : config.Cmd?.length ? config.Cmd : ['/bin/sh'];
		let env = proxyEnv(options.args ?? {});
		for (const entry of config.Env ?? []) {
			const equals = entry.indexOf('=');
			env = setVariable(env, entry.slice(0, equals), entry.slice(equals + 1));
		}
		for (const [name, value] of this.#args) env = setVariable(env, name, value);
		const variables = this.#variables;
		const shown = [...new Set(this.#declared)].map((name) => `${name}=${variables(name) ?? ''}`);
		const prefix = shown.length > 0 ? `|${shown.length} ${shown.join(' ')} ` : '';
		const parts = [
			...['run', argv, config.Env ?? [], [...this.#args], config.User ?? '', config.WorkingDir ?? ''],
			...[parsed.mounts, parsed.network, parsed.security, parsed.script?.content ?? ''],
			parsed.mounts.length > 0
				? await (await import('./run-mounts.ts')).mountKeys(this.build, parsed.mounts, instruction.line)
				: [],
		];
		await this.#make(
			instruction,
			parts,
			begin,
			`RUN ${prefix}${argv.join(' ')} # buildkit`,
			async (vertex) => {
				const scratch = this.scratch();
				const {findMounts} = await import('./run-mounts.ts');
				const mounts = await findMounts(
					this.build,
					parsed.mounts,
					scratch,
					instruction.line,
					config.WorkingDir || '/',
				);
				if (script) {
					const content = Buffer.from(parsed.script!.content);
					mounts.mounts.push({kind: 'secret', target: script, content, mode: 0o755, uid: 0, gid: 0});
				}
				const running = runStep(
					engine,
					store,
					leases,
					scratch,
					{
						argv,
						config,
						env: [...env, ...mounts.env],
						keys: this.#keys,
						mounts: mounts.mounts,
						network: parsed.network,
						privileged: parsed.security === 'insecure',
						hostConfig: options.hostConfig ?? {},
						hostname: options.args?.BUILDKIT_SANDBOX_HOSTNAME || 'buildkitsandbox',
						signal: options.signal,
						newest: options.sourceDateEpoch,
					},
					vertex,
				);
				return running.catch(async (error) => {
					if (!(error instanceof WherryError) || error.exitCode === undefined) throw error;
					const {foreignFailure} = await import('./foreign.ts');
					throw foreignFailure(this.#platform, error) ?? error;
				});
			},
		);
	}

	async #copy(instruction: Instruction, word: (text: string) => string, begin: () => Vertex): Promise<void> {
		const {store, leases} = this.build;
		const prepared = await copyStep(this.build, instruction, {
			word,
			variables: this.#variables,
			workdir: this.#state.config.WorkingDir || '/',
			scratch: this.scratch(),
		});
		const parts = ['copy', prepared.parts];
		await this.#make(
			instruction,
			parts,
			begin,
			prepared.description,
			async () => {
				const scratch = this.scratch();
				const root = openRoot(store.paths, prepared.isLinked ? [] : this.#keys, scratch);
				try {
					await prepared.write(root.fd);
				} finally {
					root.close();
				}
				return takeLayer(store, leases, root.upper, undefined, this.build.options.sourceDateEpoch);
			},
			prepared.isSettled,
			prepared.isLinked,
		);
	}
}
