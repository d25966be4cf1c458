/**
 * Reads what the shown tab of details needs and no list has: once, when its subject's row changes, when it is asked
 * for again, and for processes again and again. Nothing is read for a tab that isn't on the screen.
 */
import type {Engine, ImageLayers} from '../../engine/api.ts';
import {layout} from '../layout.ts';
import {isUp} from '../panes/containers.ts';
import {type Subject, subjectContainer, subjectKey, subjectOf} from '../panes/subject.ts';
import {TOP_OPTIONS} from '../panes/top.ts';
import {SOURCES} from './details.ts';
import {detailPane, setDetail, setList} from './reducers.ts';
import type {DetailData, ListPaneId, SourceId, State} from './state.ts';
import type {Store} from './store.ts';

interface Source<Data> {
	read(engine: Engine, subject: Subject): Promise<Data>;
	/** Milliseconds after which it is read again. */
	every?: number;
	/** Whether there is anything to be read. */
	available?(state: State): boolean;
	/** The list that begins at its top for another subject. */
	list?: ListPaneId;
}

function inspect({containers, images, networks, volumes}: Engine, {list, id}: Subject): Promise<unknown> {
	switch (list) {
		case 'containers':
			return containers.inspect(id);
		case 'images':
			return images.inspect(id);
		case 'networks':
			return networks.inspect(id);
		case 'volumes':
			return volumes.inspect(id);
		default:
			return Promise.resolve({});
	}
}

/** Images whose layers are kept; one of 40,000 files takes 10 MB. */
const KEPT = 3;
const layers = new WeakMap<Engine, Map<string, Promise<ImageLayers>>>();

/** What an image is made of never changes, and to read it may take seconds. */
function readLayers(engine: Engine, id: string): Promise<ImageLayers> {
	const known = layers.get(engine) ?? new Map<string, Promise<ImageLayers>>();
	layers.set(engine, known);
	const reading = known.get(id) ?? engine.images.layers(id);
	known.delete(id);
	known.set(id, reading);
	reading.catch(() => known.delete(id));
	for (const oldest of known.keys()) if (known.size > KEPT) known.delete(oldest);
	return reading;
}

const READ: {[Id in SourceId]: Source<DetailData[Id]>} = {
	inspect: {read: (engine, subject) => inspect(engine, subject) as Promise<DetailData['inspect']>},
	processes: {
		read: (
			engine,
			{id}, // A look every two seconds is nothing that has happened.
		) => engine.containers.top(id, TOP_OPTIONS, {quiet: true}),
		every: 2000,
		available: (state) => {
			const container = subjectContainer(state);
			return container !== undefined && isUp(container);
		},
		list: 'top',
	},
	changes: {read: (engine, {id}) => engine.containers.changes(id), list: 'files'},
	buildCache: {read: (engine) => engine.buildCache()},
	layers: {read: (engine, {id}) => readLayers(engine, id), list: 'layers'},
};

/** Milliseconds that the selection rests before anything is read: held-down keys pass over rows. */
const SETTLE = 60;

/** What the screen needs to be read now. Pure. */
export function wanted(state: State): {source: SourceId; subject: Subject} | undefined {
	const pane = detailPane(state);
	const source = SOURCES[pane];
	if (state.attached || source === undefined || !layout(state).panes[pane]) return undefined;
	// Of an event there is no more to know than its row has.
	if (state.lastList === 'events') return undefined;
	const subject = subjectOf(state);
	if (!subject || READ[source].available?.(state) === false) return undefined;
	return {source, subject};
}

export class DetailFeed {
	readonly #engine: Engine;
	readonly #store: Store;
	#timer: NodeJS.Timeout | undefined;
	/** What is shown, and the row that it was read for. */
	#shown: {source: SourceId; key: string; row: unknown} | undefined;
	#closed = false;

	constructor(engine: Engine, store: Store) {
		this.#engine = engine;
		this.#store = store;
	}

	/** After every change of the state. */
	readonly sync = (): void => {
		const want = wanted(this.#store.state);
		const key = want && subjectKey(want.subject);
		const same = want?.source === this.#shown?.source && key === this.#shown?.key;
		if (same && want?.subject.row === this.#shown?.row) return;
		clearTimeout(this.#timer);
		this.#shown = want && {source: want.source, key: key!, row: want.subject.row};
		if (want) this.#timer = setTimeout(() => void this.#read(), SETTLE);
	};

	/** Reads what is shown once more. */
	refresh(): void {
		clearTimeout(this.#timer);
		if (this.#shown) void this.#read();
	}

	/** For a single frame. */
	async readOnce(): Promise<void> {
		const want = wanted(this.#store.state);
		this.#shown = want && {source: want.source, key: subjectKey(want.subject), row: want.subject.row};
		await this.#read();
		this.close();
	}

	close(): void {
		this.#closed = true;
		clearTimeout(this.#timer);
	}

	async #read(): Promise<void> {
		const shown = this.#shown;
		const want = wanted(this.#store.state);
		if (!shown || !want) return;
		const {source} = shown;
		const reader: Source<unknown> = READ[source];
		let result: {data: unknown} | {error: string};
		try {
			result = {data: await reader.read(this.#engine, want.subject)};
		} catch (error) {
			result = {error: error instanceof Error ? error.message.split('\n')[0]! : String(error)};
		}
		// Something else is looked at by now, which is read for itself.
		if (this.#closed || this.#shown !== shown) return;
		this.#store.observe((state) => {
			const moved = state.details[source]?.subject !== shown.key;
			const next = setDetail(state, source, {subject: shown.key, ...result} as never);
			return moved && reader.list ? setList(next, reader.list, {selected: undefined, index: 0}) : next;
		});
		if (reader.every === undefined) return;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => void this.#read(), reader.every);
		this.#timer.unref();
	}
}
