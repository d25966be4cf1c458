/** All containers: one pass over small files, without any lock; one that goes meanwhile is left out. */
import {native} from '../../kernel/native.ts';
import type {MonitorState} from '../../runtime/monitor-protocol.ts';
import type {Paths} from '../paths.ts';
import {
	type ContainerRecord,
	currentState,
	isActiveStatus,
	listIds,
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

/** Below so many the files are read one by one, which needs no thread. */
const few = 8;

/** As readRows, for whoever can wait: hundreds of files are read natively in one go. */
export async function loadRows(paths: Paths): Promise<Row[]> {
	const ids = listIds(paths);
	if (ids.length < few) return readRows(paths);
	const files = [...ids.map((id) => recordPath(paths, id)), ...ids.map((id) => statePath(paths, id))];
	const texts = await native.readFiles(files, longest);
	const rows: Row[] = [];
	for (const [at, id] of ids.entries()) {
		const text = texts[at];
		if (text === undefined) continue;
		let record: ContainerRecord;
		try {
			record = JSON.parse(decoded(text)) as ContainerRecord;
		} catch {
			continue;
		}
		const stateText = texts[ids.length + at];
		const state = parseState(stateText === undefined ? undefined : decoded(stateText));
		rows.push(rowOf(record, isActiveStatus(state.status) ? currentState(paths, id) : state));
	}
	return newestFirst(rows);
}

/** Each character is a byte of UTF-8. */
function decoded(bytes: string): string {
	return /[\x80-\xff]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString() : bytes;
}
