/** Samples what containers use, as long as somebody looks at it: for graphs, or for columns of the list. */
import {setTimeout as sleep} from 'node:timers/promises';
import type {ContainerStats, Engine} from '../../engine/api.ts';
import {layout} from '../layout.ts';
import {listsUsage} from '../panes/index.ts';
import {subjectContainer} from '../panes/subject.ts';
import type {State} from './state.ts';
import type {Store} from './store.ts';
import {UsageHistory} from './usage-history.ts';

/** From this many containers on only the one that is looked at is sampled, unless the list shows all. */
const MANY = 100;
/** Milliseconds before it is tried again after an error. */
const RETRY = 2000;

/** Whom to sample: all that run, one, or nobody. Pure. */
export function sampled(state: State): 'all' | string | undefined {
	if (state.attached || state.phase !== 'ready') return undefined;
	if (listsUsage(state)) return 'all';
	if (!layout(state).panes.stats) return undefined;
	return state.containers.size < MANY ? 'all' : subjectContainer(state)?.Id;
}

/** Adds a batch to the histories; those of containers that are gone go. Pure but for the histories. */
export function addSamples(state: State, batch: readonly ContainerStats[]): State {
	const histories = new Map(state.usage.histories);
	for (const id of histories.keys()) if (!state.containers.has(id)) histories.delete(id);
	for (const stats of batch) {
		const history = histories.get(stats.id) ?? new UsageHistory();
		histories.set(stats.id, history);
		history.add(stats);
	}
	return {...state, usage: {...state.usage, histories, version: state.usage.version + 1}};
}

export class UsageFeed {
	readonly #engine: Engine;
	readonly #store: Store;
	readonly #onError: (error: unknown) => void;
	#abort: AbortController | undefined;
	#whom: string | undefined;

	constructor(engine: Engine, store: Store, onError: (error: unknown) => void) {
		this.#engine = engine;
		this.#store = store;
		this.#onError = onError;
	}

	/** After every change of the state. */
	readonly sync = (): void => {
		const whom = sampled(this.#store.state);
		if (whom === this.#whom) return;
		this.close();
		this.#whom = whom;
		if (whom !== undefined) void this.#sample(whom);
	};

	close(): void {
		this.#abort?.abort();
		this.#abort = undefined;
		this.#whom = undefined;
	}

	async #sample(whom: string): Promise<void> {
		const abort = new AbortController();
		this.#abort = abort;
		const names = whom === 'all' ? undefined : [whom];
		let reported = false;
		while (!abort.signal.aborted) {
			try {
				const stream = this.#engine.containers.stats(names, {stream: true, signal: abort.signal});
				for await (const batch of stream) {
					if (abort.signal.aborted) return;
					this.#store.observe((state) => addSamples(state, batch));
				}
			} catch (error) {
				if (abort.signal.aborted) return;
				// Said once; it may pass.
				if (!reported) this.#onError(error);
				reported = true;
			}
			await sleep(RETRY, undefined, {ref: false, signal: abort.signal}).catch(() => {});
		}
	}
}
