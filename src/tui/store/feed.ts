/**
 * Keeps containers, images, networks and volumes in the store as they are: one full read, then only what events name. Nothing is
 * polled. The events are asked for from a moment before the first read, so none falls between.
 */
import type {Engine, EngineEvent} from '../../engine/api.ts';
import {pause} from './pause.ts';
import {
	addEvents,
	addPast,
	patchContainers,
	setContainers,
	setImages,
	setNetworks,
	setVolumes,
} from './reducers.ts';
import type {Store} from './store.ts';

/** Events that change no row. */
const IGNORED = /^(exec_|attach$|detach$|resize$|top$|copy$|archive-path$|extract-to-dir$|export$)/;
/** From this many changed rows on, one read of all is cheaper. */
const MANY = 16;
/** Milliseconds between two reads: what happens meanwhile is read together. */
const PAUSE = 40;
/** Milliseconds before the stream is opened again after it broke. */
const RETRY = 1000;

/** Nanoseconds of the past whose events are shown: an hour. */
const PAST = 3_600_000_000_000n;
/** Milliseconds after the first frame in which they are read. */
const SOON = 200;

/** What a batch of events asks to be read again. */
export interface Stale {
	all: boolean;
	containers: Set<string>;
	images: boolean;
	networks: boolean;
	volumes: boolean;
}

const nothingStale = (): Stale => ({
	all: false,
	containers: new Set(),
	images: false,
	networks: false,
	volumes: false,
});

/** Adds what the batch makes stale. Pure but for its first argument. */
export function markStale(stale: Stale, batch: readonly EngineEvent[] | {gap: true}): void {
	if ('gap' in batch) {
		stale.all = true;
		return;
	}
	for (const event of batch) {
		if (event.Type === 'image') stale.images = true;
		// `mount` and `unmount` change no row.
		if (event.Type === 'volume' && !/mount$/.test(event.Action)) stale.volumes = true;
		if (event.Type === 'network') {
			const {container} = event.Actor.Attributes;
			// `connect` and `disconnect` change a container's row; `create` and `destroy` the networks.
			if (container === undefined) stale.networks = true;
			else stale.containers.add(container);
		}
		if (event.Type !== 'container' || IGNORED.test(event.Action)) continue;
		stale.containers.add(event.Actor.ID);
		// An image's row counts its containers.
		if (event.Action === 'create' || event.Action === 'destroy') stale.images = true;
	}
}

export interface FeedHooks {
	/** Each batch, after the store has been brought up to date. */
	onEvents?(events: readonly EngineEvent[]): void;
	onError(error: unknown): void;
}

export class Feed {
	readonly #engine: Engine;
	readonly #store: Store;
	readonly #hooks: FeedHooks;
	/** Made when something is followed: Node loads a class for it. */
	#abort: AbortController | undefined;
	#closed = false;
	#stale: Stale = nothingStale();
	#reading: Promise<void> | undefined;
	#past: NodeJS.Timeout | undefined;

	constructor(engine: Engine, store: Store, hooks: FeedHooks) {
		this.#engine = engine;
		this.#store = store;
		this.#hooks = hooks;
	}

	/** Resolves with the first full state; the stream, of what happens from `from` on (milliseconds since the epoch), goes on until `close`. */
	async start(from = Date.now()): Promise<void> {
		const since = (BigInt(from) - 1n) * 1_000_000n;
		await this.#readAll();
		this.#store.update((state) => ({...state, phase: 'ready'}));
		void this.#follow(since);
		this.#past = setTimeout(() => void this.#readPast(since), SOON);
		this.#past.unref();
	}

	get #signal(): AbortSignal {
		this.#abort ??= new AbortController();
		if (this.#closed) this.#abort.abort();
		return this.#abort.signal;
	}

	/** Reads everything once, without a stream. */
	async readOnce(): Promise<void> {
		await this.#readAll();
		this.#store.update((state) => ({...state, phase: 'ready'}));
	}

	/** What happened in the last hour. */
	async readPastOnce(): Promise<void> {
		await this.#readPast(BigInt(Date.now()) * 1_000_000n);
	}

	close(): void {
		clearTimeout(this.#past);
		this.#closed = true;
		this.#abort?.abort();
	}

	/** What happened before; without it the list of events would begin empty. */
	async #readPast(until: bigint): Promise<void> {
		const since = until - PAST;
		try {
			for await (const batch of this.#engine.events.stream({since, until, signal: this.#signal})) {
				if ('gap' in batch) continue;
				this.#store.observe((state) => addPast(state, batch));
			}
		} catch {
			// Old events are nothing that anybody waits for.
		}
	}

	async #follow(since: bigint): Promise<void> {
		let from = since;
		// The first frame comes before it.
		await pause(0);
		while (!this.#closed) {
			try {
				for await (const batch of this.#engine.events.stream({since: from, signal: this.#signal})) {
					markStale(this.#stale, batch);
					await this.#refresh();
					if (!('gap' in batch)) {
						const last = batch.at(-1);
						if (last && last.timeNano >= from) from = last.timeNano + 1n;
						this.#store.observe((state) => addEvents(state, batch));
						this.#hooks.onEvents?.(batch);
					}
					await pause(PAUSE);
				}
			} catch (error) {
				if (this.#closed) return;
				this.#hooks.onError(error);
			}
			if (this.#closed) return;
			// The stream broke: what was missed is found by reading everything again.
			await pause(RETRY);
			this.#stale.all = true;
			await this.#refresh();
		}
	}

	/** One read at a time; what became stale meanwhile is read by the next. */
	#refresh(): Promise<void> {
		this.#reading ??= this.#read().finally(() => {
			this.#reading = undefined;
		});
		return this.#reading;
	}

	async #read(): Promise<void> {
		const stale = this.#stale;
		if (!stale.all && stale.containers.size === 0 && !stale.images && !stale.networks && !stale.volumes)
			return;
		this.#stale = nothingStale();
		try {
			if (stale.all || stale.containers.size >= MANY) {
				const rows = await this.#engine.containers.list({all: true});
				this.#store.observe((state) => setContainers(state, rows));
			} else if (stale.containers.size > 0) {
				const ids = [...stale.containers];
				const rows = await this.#engine.containers.list({all: true, filters: {id: ids}});
				this.#store.observe((state) => patchContainers(state, ids, rows));
			}
			if (stale.all || stale.images) {
				const images = await this.#engine.images.list();
				this.#store.observe((state) => setImages(state, images));
			}
			if (stale.all || stale.networks) {
				const networks = await this.#engine.networks.list();
				this.#store.observe((state) => setNetworks(state, networks));
			}
			if (stale.all || stale.volumes) {
				const volumes = await this.#engine.volumes.list();
				this.#store.observe((state) => setVolumes(state, volumes));
			}
		} catch (error) {
			this.#hooks.onError(error);
		}
	}

	async #readAll(): Promise<void> {
		const [containers, images, networks, volumes] = await Promise.all([
			this.#engine.containers.list({all: true}),
			this.#engine.images.list(),
			this.#engine.networks.list(),
			this.#engine.volumes.list(),
		]);
		this.#store.update((state) =>
			setVolumes(setNetworks(setImages(setContainers(state, containers), images), networks), volumes),
		);
	}
}
