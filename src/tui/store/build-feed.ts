/** Builds of other processes, and those of before, as the engine's records say. Those of this session are known better. */
import type {BuildRecord, Engine} from '../../engine/api.ts';
import {setBuild} from './build-rows.ts';
import {setList} from './reducers.ts';
import type {BuildRow, State} from './state.ts';
import type {Store} from './store.ts';

const rows = new WeakMap<BuildRecord, BuildRow>();

/** The same record is the same row. */
export function rowOfRecord(record: BuildRecord): BuildRow {
	const known = rows.get(record);
	if (known) return known;
	const {id, tags, context, state, started, ended, steps, error, image, pid} = record;
	const row: BuildRow = {
		...{id, tag: tags[0] ?? '', folder: context, state, started: started / 1000},
		...(ended === undefined ? {} : {ended: ended / 1000}),
		steps: steps.map((step) => ({
			...{id: step.id, name: step.name, state: step.state, started: step.started / 1000},
			...(step.ended === undefined ? {} : {ended: step.ended / 1000}),
			...(step.note === undefined ? {} : {note: step.note}),
			...{lines: step.lines, dropped: step.dropped, open: false},
		})),
		...(error === undefined ? {} : {error}),
		...(image === undefined ? {} : {image}),
		pid,
	};
	rows.set(record, row);
	return row;
}

/** The state with the builds of the records and those of this session; the selected one stays selected. Pure. */
export function withBuildRecords(state: State, records: readonly BuildRecord[]): State {
	const own = new Map(state.builds.filter((row) => row.pid === undefined).map((row) => [row.id, row]));
	const others = records.map(rowOfRecord).filter(({id}) => !own.has(id));
	// Whoever looks at the end of its steps still does.
	let next = state;
	for (const row of others) {
		const before = next.builds.find(({id}) => id === row.id);
		if (before && before !== row) next = setBuild(next, row.id, () => row);
	}
	const builds = [...own.values(), ...others].sort((a, b) => b.started - a.started);
	if (builds.length === next.builds.length && builds.every((row, at) => row === next.builds[at])) return next;
	const {selected} = next.lists.builds;
	const index = builds.findIndex(({id}) => id === selected);
	return setList({...next, builds}, 'builds', index < 0 ? {} : {index});
}

export class BuildFeed {
	readonly #stop = new AbortController();
	/** Resolves when it has ended. */
	readonly done: Promise<void>;

	constructor(engine: Engine, store: Store, onError: (error: unknown) => void) {
		const {signal} = this.#stop;
		const follow = async (): Promise<void> => {
			for await (const records of engine.builds.follow({signal})) {
				if (signal.aborted) return;
				const now = Date.now() / 1000;
				store.observe((state) => withBuildRecords({...state, now: Math.max(state.now, now)}, records));
			}
		};
		this.done = follow().catch((error) => {
			if (!signal.aborted) onError(error);
		});
	}

	close(): void {
		this.#stop.abort();
	}
}
