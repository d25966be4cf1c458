/** All that the engine knows of the selected row, as a tree that folds. */
import type {EngineEvent} from '../../engine/api.ts';
import type {State} from '../store/state.ts';
import type {Tone} from '../theme.ts';
import {eventsPane} from './events.ts';
import {type ListPane, selectedRow} from './pane.ts';
import {detailData, emptyDetail, subjectName} from './subject.ts';

export interface TreeRow {
	/** `HostConfig.Memory`, `Mounts.0.Source`. */
	path: string;
	depth: number;
	name: string;
	/** Entries of an object or a list. */
	entries: number | undefined;
	/** As JSON has it. */
	text: string;
	tone: Tone;
	folded: boolean;
}

/** Deeper than anything that the engine tells; what comes from an image's labels can't be nested. */
const DEEPEST = 24;

function scalar(value: unknown): {text: string; tone: Tone} {
	if (typeof value === 'string')
		return {text: value === '' ? '""' : value, tone: value === '' ? 'muted' : 'normal'};
	if (value === true) return {text: 'true', tone: 'good'};
	if (value === null || value === undefined || value === false)
		return {text: String(value ?? 'null'), tone: 'muted'};
	return {text: String(value), tone: 'info'};
}

/** The rows of a value, those in folded parts left out. Pure. */
export function treeRows(data: unknown, folded: ReadonlySet<string>, path = '', depth = 0): TreeRow[] {
	if (typeof data !== 'object' || data === null) return [];
	return Object.entries(data).flatMap(([name, value]) => {
		const here = path === '' ? name : `${path}.${name}`;
		const nested = typeof value === 'object' && value !== null && depth < DEEPEST;
		if (!nested) return [{path: here, depth, name, entries: undefined, folded: false, ...scalar(value)}];
		const entries = Object.keys(value).length;
		const isFolded = folded.has(here);
		const text = Array.isArray(value) ? `[${entries}]` : `{${entries}}`;
		const row = {path: here, depth, name, entries, text, tone: 'muted' as const, folded: isFolded};
		return [row, ...(isFolded ? [] : treeRows(value, folded, here, depth + 1))];
	});
}

/** An event is all in its row; of the others the engine is asked. */
function inspected(state: State): unknown {
	return state.lastList === 'events' ? selectedRow(eventsPane, state) : detailData(state, 'inspect');
}

function plain(event: EngineEvent): unknown {
	const date = new Date(event.time * 1000);
	const at = Number.isNaN(date.getTime()) ? {} : {at: date.toISOString()};
	return {...event, timeNano: String(event.timeNano), ...at};
}

let memo: {data: unknown; folded: ReadonlySet<string>; rows: readonly TreeRow[]} | undefined;
const NOTHING: ReadonlySet<string> = new Set();

function rows(state: State): readonly TreeRow[] {
	const data = inspected(state);
	const {filter} = state.lists.inspect;
	const searched = filter !== '' || state.filtering?.pane === 'inspect';
	// A filter looks everywhere.
	const folded = searched ? NOTHING : state.folded;
	if (memo?.data !== data || memo?.folded !== folded) {
		const value = state.lastList === 'events' && data ? plain(data as EngineEvent) : data;
		memo = {data, folded, rows: treeRows(value, folded)};
	}
	return memo.rows;
}

export const inspectPane: ListPane<TreeRow> = {
	id: 'inspect',
	title: 'Inspect',
	columns: [
		{
			name: 'name',
			title: 'FIELD',
			min: 12,
			max: 48,
			cell: (row, state) => {
				const {filter} = state.lists.inspect;
				if (filter !== '' || state.filtering?.pane === 'inspect') return {text: row.path, tone: 'accent'};
				const mark = row.entries === undefined ? ' ' : row.folded ? '▸' : '▾';
				return {text: `${'  '.repeat(row.depth)}${mark} ${row.name}`, tone: 'accent'};
			},
		},
		{name: 'value', title: 'VALUE', min: 12, grow: 1, cell: ({text, tone}) => ({text, tone})},
	],
	rows,
	key: (row) => row.path,
	searchText: (row) => `${row.path} ${row.text}`,
	counter: subjectName,
	empty: (state) =>
		state.lastList === 'events' ? ['No event is selected.'] : emptyDetail(state, 'inspect', ['Nothing.']),
};
