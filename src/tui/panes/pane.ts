/**
 * A pane with rows, as a value: what its rows are, how they look, how they sort and what a filter compares.
 * Its keys are those of the key table's context of the same name.
 */
import {selectedIndex} from '../store/reducers.ts';
import type {ListPaneId, State} from '../store/state.ts';
import type {Tone} from '../theme.ts';

export interface Cell {
	/** Not yet sanitised nor cut. */
	text: string;
	tone?: Tone;
}

export interface Column<Row> {
	name: string;
	title: string;
	/** Cells at least, and its share of what is left over; without a share it takes what its longest cell needs. */
	min: number;
	max?: number;
	grow?: number;
	align?: 'right';
	/** Cells of its content for which others are dropped rather than cut it. */
	keep?: number;
	/** Columns with the highest number go first when the pane is narrow; without one it always stays. */
	drop?: number;
	/** Whether there is such a column at all at the moment. */
	shown?(state: State): boolean;
	cell(row: Row, state: State): Cell;
	/** What its order is; a column without it can't be sorted by. */
	order?(row: Row, state: State): string | number;
}

export interface ListPane<Row> {
	id: ListPaneId;
	title: string;
	columns: readonly Column<Row>[];
	/** The selection stays on the first row while it is there, whatever comes before it. */
	newestFirst?: true;
	rows(state: State): readonly Row[];
	key(row: Row): string;
	/** What a filter looks in. */
	searchText(row: Row): string;
	/** Beside the title: counts. */
	counter(state: State): string;
	/** What to do next, where there are no rows at all. */
	empty(state: State): readonly string[];
}

/** What each pane showed of the last state: a frame asks more than once. */
const shown = new WeakMap<object, {state: State; rows: readonly unknown[]}>();

/** The rows that are shown, filtered and in order. */
export function visibleRows<Row>(pane: ListPane<Row>, state: State): readonly Row[] {
	const known = shown.get(pane);
	if (known?.state === state) return known.rows as readonly Row[];
	const rows = chooseRows(pane, state);
	shown.set(pane, {state, rows});
	return rows;
}

function chooseRows<Row>(pane: ListPane<Row>, state: State): readonly Row[] {
	const list = state.lists[pane.id];
	const filter = state.filtering?.pane === pane.id ? state.filtering.field.value : list.filter;
	const all = pane.rows(state);
	const matching = filter === '' ? all : all.filter((row) => matches(pane.searchText(row), filter));
	const column = pane.columns.find((candidate) => candidate.name === list.sort);
	if (!column?.order) return matching;
	const order = column.order;
	const sign = list.reverse ? -1 : 1;
	return matching.toSorted((a, b) => sign * compare(order(a, state), order(b, state)));
}

export function selectedRow<Row>(pane: ListPane<Row>, state: State): Row | undefined {
	const rows = visibleRows(pane, state);
	return rows[selectedIndex(state.lists[pane.id], rows.map(pane.key))];
}

/** Part of the text, whatever the case; `!part` is the opposite. */
export function matches(text: string, filter: string): boolean {
	const negated = filter.startsWith('!');
	const needle = (negated ? filter.slice(1) : filter).toLowerCase();
	if (needle === '') return true;
	return text.toLowerCase().includes(needle) !== negated;
}

function compare(a: string | number, b: string | number): number {
	if (typeof a === 'number' && typeof b === 'number') return a - b;
	return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}
