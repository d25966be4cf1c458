/** Opens an engine: the in-process face of everything that Wherry does. */
import type {
	BootOutcome,
	BuildCacheRecord,
	BuildOptions,
	Builds,
	CacheRoom,
	CheckLine,
	Containers,
	DiskUsage,
	Engine,
	EngineInfo,
	Filters,
	Images,
	ManifestLists,
	Networks,
	Registries,
	RegistryImages,
	Volumes,
} from './api.ts';
import {LocalContainers} from './containers/containers.ts';
import type {EngineContext} from './containers/context.ts';
import {WherryError} from './errors.ts';
import {EventJournal} from './events.ts';
import type {ImageEngine} from './images/images.ts';
import {Locks} from './locks.ts';
import {LocalNetworks} from './networks/networks.ts';
import {Paths} from './paths.ts';
import type {RegistrySession} from './registry/session.ts';
import {LocalVolumes} from './volumes/volumes.ts';

type ImageCall = (images: Images) => unknown;

/** The images' part is loaded when it is first used: most commands don't need it. */
function lazyImages(open: () => Promise<Images>): Images {
	const call = (work: ImageCall) => open().then(work);
	return {
		pull: (...args) => call((images) => images.pull(...args)),
		pullAll: (...args) => call((images) => images.pullAll(...args)),
		push: (...args) => call((images) => images.push(...args)),
		save: (...args) => call((images) => images.save(...args)),
		import: (...args) => call((images) => images.import(...args)),
		load: (...args) => call((images) => images.load(...args)),
		history: (...args) => call((images) => images.history(...args)),
		layers: (...args) => call((images) => images.layers(...args)),
		list: (...args) => call((images) => images.list(...args)),
		inspect: (...args) => call((images) => images.inspect(...args)),
		ids: (...args) => call((images) => images.ids(...args)),
		descendants: (...args) => call((images) => images.descendants(...args)),
		resolve: (...args) => call((images) => images.resolve(...args)),
		tag: (...args) => call((images) => images.tag(...args)),
		remove: (...args) => call((images) => images.remove(...args)),
		previewRemoval: (...args) => call((images) => images.previewRemoval(...args)),
		prune: (...args) => call((images) => images.prune(...args)),
		verify: () => call((images) => images.verify()),
		ensureBase: () => call((images) => images.ensureBase()),
	} as Images;
}

function lazyManifests(paths: Paths, locks: Locks): ManifestLists {
	const open = async () => {
		const [{LocalManifestLists}, {dockerCredentials}] = await Promise.all([
			import('./images/manifest-lists.ts'),
			import('./registry/credentials.ts'),
		]);
		return new LocalManifestLists({paths, locks, credentials: dockerCredentials(process.env)});
	};
	return {
		inspect: async (...args) => (await open()).inspect(...args),
		create: async (...args) => (await open()).create(...args),
		annotate: async (...args) => (await open()).annotate(...args),
		push: async (...args) => (await open()).push(...args),
		remove: async (...args) => (await open()).remove(...args),
	};
}

function lazyRegistryImages(paths: Paths, locks: Locks): RegistryImages {
	const open = async () => {
		const [{LocalRegistryImages}, {dockerCredentials}] = await Promise.all([
			import('./images/registry-images.ts'),
			import('./registry/credentials.ts'),
		]);
		return new LocalRegistryImages({paths, locks, credentials: dockerCredentials(process.env)});
	};
	return {
		read: async (...args) => (await open()).read(...args),
		configurations: async (...args) => (await open()).configurations(...args),
		combine: async (...args) => (await open()).combine(...args),
	};
}

function lazyBuilds(paths: Paths): Builds {
	const open = async () => new (await import('./build/records.ts')).LocalBuilds(paths);
	return {
		list: async () => (await open()).list(),
		async *follow(options) {
			yield* (await open()).follow(options);
		},
		cancel: async (id) => (await open()).cancel(id),
		remove: async (id) => (await open()).remove(id),
	};
}

function lazyRegistries(): Registries {
	const open = async () => {
		const [{Transport}, {registrySession}] = await Promise.all([
			import('./registry/transport.ts'),
			import('./registry/session.ts'),
		]);
		const transport = new Transport({env: process.env});
		return {transport, session: registrySession(transport, process.env)};
	};
	/** Connections are not kept: such a question comes alone. */
	const ask = async <T>(question: (session: RegistrySession) => Promise<T>): Promise<T> => {
		const {transport, session} = await open();
		try {
			return await question(session);
		} finally {
			transport.close();
		}
	};
	return {
		login: (server, credentials) => ask((session) => session.login(server, credentials)),
		logout: (server) => ask((session) => session.logout(server)),
		credentials: (server) => ask((session) => session.known(server)),
		search: (term, {limit = 25} = {}) => ask((session) => session.search(term, limit)),
	};
}

class LocalEngine implements Engine {
	readonly paths: Paths;
	readonly containers: Containers;
	readonly images: Images;
	readonly volumes: Volumes;
	readonly networks: Networks;
	readonly manifests: ManifestLists;
	readonly registryImages: RegistryImages;
	readonly registries: Registries;
	readonly events: EventJournal;
	readonly builds: Builds;
	readonly #context: EngineContext;
	#opened: Promise<ImageEngine> | undefined;

	constructor(paths: Paths) {
		this.paths = paths;
		const locks = new Locks(paths);
		const events = new EventJournal(paths);
		const volumes = new LocalVolumes(paths, events);
		const images = () => {
			this.#opened ??= import('./images/images.ts').then(({createImages}) =>
				createImages({
					paths,
					locks,
					journal: events,
					containersUsing: async () => (await import('./containers/list.ts')).imageUsers(paths),
					containersShown: async () => (await import('./containers/list.ts')).shownImageUsers(paths),
				}),
			);
			return this.#opened;
		};
		this.events = events;
		this.volumes = volumes;
		this.images = lazyImages(images);
		this.manifests = lazyManifests(paths, locks);
		this.registryImages = lazyRegistryImages(paths, locks);
		this.#context = {paths, locks, events, volumes, images};
		this.containers = new LocalContainers(this.#context);
		this.networks = new LocalNetworks(this.#context);
		this.registries = lazyRegistries();
		this.builds = lazyBuilds(paths);
	}

	async build(options: BuildOptions): Promise<{id: string; digest: string}> {
		return (await import('./build/build.ts')).buildImage(this.#context, options);
	}

	async buildCache(filters: Filters = {}): Promise<BuildCacheRecord[]> {
		return (await import('./build/cache.ts')).filteredRecords(this.#context, filters);
	}

	async pruneBuildCache(
		options: {all?: boolean; filters?: Filters; keep?: CacheRoom} = {},
	): Promise<{records: BuildCacheRecord[]; reclaimed: number}> {
		return (await import('./build/cache.ts')).pruneCache(this.#context, options);
	}

	async info(): Promise<EngineInfo> {
		return (await import('./info.ts')).engineInfo(this.#context);
	}

	async diskUsage(): Promise<DiskUsage> {
		return (await import('./disk-usage.ts')).diskUsage(this.#context);
	}

	async check(): Promise<CheckLine[]> {
		return (await import('./check.ts')).checkHost(this.#context);
	}

	async repair(options: {boots?: boolean} = {}): Promise<void> {
		await (await import('./repair.ts')).repairEngine(this.#context, options);
	}

	async boot(): Promise<BootOutcome[]> {
		return (await import('./boot.ts')).bootContainers(this.#context);
	}

	async shutdown(): Promise<BootOutcome[]> {
		return (await import('./boot.ts')).stopForBoot(this.#context);
	}

	/** Ends connections to registries; nothing else is held open between calls. */
	async close(): Promise<void> {
		(await this.#opened?.catch(() => undefined))?.close();
	}
}

/**
 * Without options the folders come from WHERRY_ROOT and WHERRY_RUN. Reads and writes nothing yet. Throws
 * `denied` for anybody but root: the one place that says who may work with containers.
 */
export function openEngine(options: {root?: string; run?: string} = {}): Engine {
	if (process.geteuid?.() !== 0) {
		throw new WherryError('denied', 'permission denied: containers need root; run this as root or with sudo');
	}
	const paths = Paths.fromEnvironment();
	return new LocalEngine(new Paths(options.root ?? paths.root, options.run ?? paths.run));
}
