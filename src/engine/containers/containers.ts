/** The containers of an engine. Each operation is a module of its own, loaded when it is first used. */
import type {Readable} from 'node:stream';
import type {
	CommitOptions,
	ContainerInspect,
	ContainerProcesses,
	ContainerStats,
	ContainerSummary,
	Containers,
	ContainerUpdate,
	CopyOptions,
	CopyResult,
	CreateOptions,
	ExecOptions,
	ExitStatus,
	FileChange,
	Filters,
	LogEntry,
	LogOptions,
	LogText,
	PathStat,
	PublishChange,
	Session,
	StatsOptions,
	StreamOptions,
} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import type {EngineContext} from './context.ts';
import {findContainer} from './record.ts';

export class LocalContainers implements Containers {
	readonly #context: EngineContext;

	constructor(context: EngineContext) {
		this.#context = context;
	}

	/** A full disk in words, wherever in the work it shows. */
	async #sayingFull<T>(work: () => Promise<T>): Promise<T> {
		try {
			return await work();
		} catch (error) {
			if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
			const {root} = this.#context.paths;
			throw new WherryError('exhausted', `no space left on device: ${root}`, {object: root, cause: error});
		}
	}

	async create(options: CreateOptions): Promise<{id: string; warnings: string[]}> {
		return this.#sayingFull(async () =>
			(await import('./create.ts')).createContainer(this.#context, options),
		);
	}

	async start(container: string, options: {attach?: StreamOptions} = {}): Promise<Session | undefined> {
		return this.#sayingFull(async () =>
			(await import('./start.ts')).startContainer(this.#context, container, options),
		);
	}

	async attach(container: string, options: StreamOptions): Promise<Session> {
		return (await import('./attach.ts')).attachContainer(this.#context, container, options);
	}

	async exec(container: string, options: ExecOptions): Promise<Session> {
		return (await import('./attach.ts')).execInContainer(this.#context, container, options);
	}

	async stop(container: string, options: {signal?: string; timeout?: number} = {}): Promise<void> {
		return (await import('./control.ts')).stopContainer(this.#context, container, options);
	}

	async restart(container: string, options: {signal?: string; timeout?: number} = {}): Promise<void> {
		return this.#sayingFull(async () =>
			(await import('./control.ts')).restartContainer(this.#context, container, options),
		);
	}

	async kill(container: string, signal?: string): Promise<void> {
		return (await import('./control.ts')).killContainer(this.#context, container, signal);
	}

	async pause(container: string): Promise<void> {
		return (await import('./control.ts')).pauseContainer(this.#context, container);
	}

	async unpause(container: string): Promise<void> {
		return (await import('./control.ts')).unpauseContainer(this.#context, container);
	}

	async remove(
		container: string,
		options: {force?: boolean; volumes?: boolean; link?: boolean} = {},
	): Promise<void> {
		return (await import('./remove.ts')).removeContainer(this.#context, container, options);
	}

	async rename(container: string, name: string): Promise<void> {
		return this.#sayingFull(async () =>
			(await import('./rename.ts')).renameContainer(this.#context, container, name),
		);
	}

	async resize(container: string, rows: number, columns: number): Promise<void> {
		return (await import('./control.ts')).resizeContainer(this.#context, container, rows, columns);
	}

	async wait(container: string): Promise<ExitStatus> {
		return (await import('./control.ts')).waitContainer(this.#context, container);
	}

	async list(
		options: {all?: boolean; limit?: number; size?: boolean; filters?: Filters} = {},
	): Promise<ContainerSummary[]> {
		return (await import('./list.ts')).listContainers(this.#context, options);
	}

	async prune(
		options: {filters?: Filters} = {},
	): Promise<{ContainersDeleted: string[]; SpaceReclaimed: number}> {
		return (await import('./prune.ts')).pruneContainers(this.#context, options.filters ?? {});
	}

	async inspect(container: string, options: {size?: boolean} = {}): Promise<ContainerInspect> {
		return (await import('./inspect.ts')).inspectContainer(this.#context, container, options);
	}

	async *logs(container: string, options: LogOptions = {}): AsyncGenerator<LogEntry[]> {
		yield* (await import('./container-logs.ts')).containerLogs(this.#context, container, options);
	}

	async *logText(
		container: string,
		options: LogOptions & {timestamps?: boolean} = {},
	): AsyncGenerator<LogText[]> {
		yield* (await import('./container-logs.ts')).containerLogText(this.#context, container, options);
	}

	async top(
		container: string,
		options: readonly string[] = [],
		how: {quiet?: boolean} = {},
	): Promise<ContainerProcesses> {
		return (await import('./top.ts')).containerProcesses(this.#context, container, options, how);
	}

	async *stats(containers?: readonly string[], options: StatsOptions = {}): AsyncGenerator<ContainerStats[]> {
		yield* (await import('./stats.ts')).containerStats(this.#context, containers, options);
	}

	async statPath(container: string, path: string): Promise<PathStat> {
		return (await import('./copy.ts')).statPath(this.#context, container, path);
	}

	async copyTo(
		container: string,
		from: string | {fd: number} | AsyncIterable<Uint8Array>,
		path: string,
		options: CopyOptions = {},
	): Promise<CopyResult> {
		return this.#sayingFull(async () => {
			const {copyTo} = await import('./copy.ts');
			if (typeof from === 'string' || 'fd' in from) {
				return copyTo(this.#context, container, from, path, options);
			}
			const {withDescriptor} = await import('./archive-streams.ts');
			return withDescriptor(from, (fd) => copyTo(this.#context, container, {fd}, path, options));
		});
	}

	async copyFrom(
		container: string,
		path: string,
		to: string | {fd: number},
		options: CopyOptions = {},
	): Promise<CopyResult & {stat: PathStat}> {
		return (await import('./copy.ts')).copyFrom(this.#context, container, path, to, options);
	}

	async archive(container: string, path: string): Promise<{stat: PathStat; stream: Readable}> {
		const [{copyFrom, statPath}, {readableFrom}] = await Promise.all([
			import('./copy.ts'),
			import('./archive-streams.ts'),
		]);
		const stat = await statPath(this.#context, container, path);
		return {stat, stream: readableFrom((fd) => copyFrom(this.#context, container, path, {fd}))};
	}

	async changes(container: string): Promise<FileChange[]> {
		return (await import('./changes.ts')).containerChanges(this.#context, container);
	}

	export(container: string): Promise<Readable>;
	export(container: string, to: {fd: number}): Promise<undefined>;
	async export(container: string, to?: {fd: number}): Promise<Readable | undefined> {
		const {exportContainer} = await import('./export.ts');
		if (to) {
			await exportContainer(this.#context, container, to.fd);
			return undefined;
		}
		findContainer(this.#context.paths, container);
		const {readableFrom} = await import('./archive-streams.ts');
		return readableFrom((fd) => exportContainer(this.#context, container, fd));
	}

	async commit(container: string, options: CommitOptions = {}): Promise<{id: string}> {
		return this.#sayingFull(async () =>
			(await import('./commit.ts')).commitContainer(this.#context, container, options),
		);
	}

	async resolve(container: string): Promise<string> {
		return findContainer(this.#context.paths, container).Id;
	}

	async update(container: string, change: ContainerUpdate): Promise<{warnings: string[]}> {
		return this.#sayingFull(async () =>
			(await import('./update.ts')).updateContainer(this.#context, container, change),
		);
	}

	async updatePublished(container: string, change: PublishChange): Promise<{warnings: string[]}> {
		return (await import('./publish.ts')).updatePublished(this.#context, container, change);
	}

	async plan(options: CreateOptions): Promise<string> {
		return (await import('./plan.ts')).printContainerPlan(this.#context, options);
	}
}
