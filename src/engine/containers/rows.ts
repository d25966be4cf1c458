/** All containers: one pass over small files, without any lock; one that goes meanwhile is left out. */
import type {MonitorState} from '../../runtime/monitor-protocol.ts';
import {readMany} from '../files.ts';
import type {Paths} from '../paths.ts';
import {
	type ContainerRecord,
	currentState,
	isActiveStatus,
	listIds,
	monitorLivedLately,
	parseRecord,
	parseState,
	readRecord,
	recordPath,
	statePath,
} from './record.ts';

export interface Row {
	record: ContainerRecord;
	state: MonitorState;
	/** Milliseconds since the epoch. */
	created: number;
}

const rowOf = (record: ContainerRecord, state: MonitorState): Row => ({
	record,
	state,
	// The digits after the third are of no use here.
	created: Date.parse(record.Created) || 0,
});

const newestFirst = (rows: Row[]): Row[] =>
	rows.sort((a, b) => (a.record.Created < b.record.Created ? 1 : -1));

/** All containers, newest first. */
export function readRows(paths: Paths): Row[] {
	const rows: Row[] = [];
	for (const id of listIds(paths)) {
		let record: ContainerRecord | undefined;
		try {
			record = readRecord(paths, id);
		} catch {
			// A damaged record must not hide the others.
			continue;
		}
		if (record) rows.push(rowOf(record, currentState(paths, id)));
	}
	return newestFirst(rows);
}

/** Bytes; no record is that long. */
const longest = 16 << 20;

/** What the files of all containers say, unparsed: first all records, then all states. */
interface Texts {
	root: string;
	ids: string[];
	texts: Promise<(string | undefined)[]>;
}

function readTexts(paths: Paths): Texts {
	const ids = listIds(paths);
	const files = [...ids.map((id) => recordPath(paths, id)), ...ids.map((id) => statePath(paths, id))];
	return {root: paths.root, ids, texts: readMany(files, longest)};
}

let ahead: Texts | undefined;

/**
 * Begins, on threads, what the next `loadRows` takes: for one who has something else to do until he needs it, and
 * who hears of what happens meanwhile by events.
 */
export function readAhead(paths: Paths): void {
	ahead = readTexts(paths);
	// Whoever takes it reports it.
	ahead.texts.catch(() => {});
}

/** What is being read, or has just been, by the root. */
const underway = new Map<string, Promise<Row[]>>();

/** As readRows, for whoever can wait and shows them to users: without those of builds. */
export function loadRows(paths: Paths): Promise<Row[]> {
	const {root} = paths;
	let texts: Texts | undefined;
	if (ahead?.root === root) [texts, ahead] = [ahead, undefined];
	const rows = parseRows(paths, texts ?? readTexts(paths));
	underway.set(root, rows);
	// Nothing else happens in this process before the next turn of the event loop.
	const forget = (): void =>
		void setImmediate(() => {
			if (underway.get(root) === rows) underway.delete(root);
		});
	rows.then(forget, forget);
	return rows;
}

/** The rows that another is just reading, else read now: for counts that are shown beside a list. */
export const joinRows = (paths: Paths): Promise<Row[]> => underway.get(paths.root) ?? loadRows(paths);

async function parseRows(paths: Paths, begun: Texts): Promise<Row[]> {
	const {ids} = begun;
	const texts = await begun.texts;
	const rows: Row[] = [];
	for (const [at, id] of ids.entries()) {
		const text = texts[at];
		if (text === undefined) continue;
		let record: ContainerRecord;
		try {
			record = parseRecord(text);
		} catch {
			continue;
		}
		if (record.Build) continue;
		const state = parseState(texts[ids.length + at]);
		rows.push(
			rowOf(
				record,
				!isActiveStatus(state.status) || monitorLivedLately(state) ? state : currentState(paths, id),
			),
		);
	}
	return newestFirst(rows);
}
