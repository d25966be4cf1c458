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

/** As readRows, for whoever can wait. */
export async function loadRows(paths: Paths): Promise<Row[]> {
	const ids = listIds(paths);
	const files = [...ids.map((id) => recordPath(paths, id)), ...ids.map((id) => statePath(paths, id))];
	const texts = await readMany(files, longest);
	const rows: Row[] = [];
	for (const [at, id] of ids.entries()) {
		const text = texts[at];
		if (text === undefined) continue;
		let record: ContainerRecord;
		try {
			record = JSON.parse(text) as ContainerRecord;
		} catch {
			continue;
		}
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
