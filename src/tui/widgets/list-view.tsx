/** A pane's rows: the visible ones, as a table, or what to do while there are none. */
import {keyLine} from '../keys.ts';
import {inside, type Rect} from '../layout.ts';
import {anyPane, LIST_PANES, listsUsage} from '../panes/index.ts';
import {type Column, visibleRows} from '../panes/pane.ts';
import {isDetail} from '../store/details.ts';
import {selectedIndex, windowStart} from '../store/reducers.ts';
import type {ListPaneId, MainListId, State} from '../store/state.ts';
import {type Store, useSlice} from '../store/store.ts';
import {sanitize} from '../text/sanitize.ts';
import {displayWidth} from '../text/width.ts';
import {columnWidths} from './column-widths.ts';
import {emptyRows} from './empty.tsx';
import {LinesFrame} from './frame.tsx';
import {listNote, listParts} from './pane-title.ts';
import {VirtualTable} from './virtual-table.tsx';

export interface ListViewProps {
	store: Store;
	id: ListPaneId;
	rect: Rect;
	focused: boolean;
	/** Other lists that share the place. */
	tabs: readonly MainListId[];
}

/** What a list shows; the pane is drawn again when one of them is another value. */
const sameList = (id: ListPaneId) => {
	let last: unknown[] = [];
	let result: State | undefined;
	return (state: State): State => {
		const now = [
			state.containers,
			state.images,
			state.networks,
			state.volumes,
			state.lists[id],
			// Details are those of the selected row of another list.
			...(isDetail(id)
				? [state.lists, state.lastList, state.tabs, state.details, state.folded, state.filesView]
				: []),
			...(id === 'events' || id === 'inspect' ? [state.events] : []),
			...(id === 'builds' || isDetail(id) ? [state.builds] : []),
			...(id === 'containers' && listsUsage(state) ? [state.usage] : []),
			state.usage.listed,
			state.marks,
			state.filtering,
			state.hideStopped,
			state.busy,
			state.phase,
			state.now,
		];
		if (!result || now.some((value, index) => value !== last[index])) {
			last = now;
			result = state;
		}
		return result;
	};
};

const selectors = Object.fromEntries(
	(Object.keys(LIST_PANES) as ListPaneId[]).map((id) => [id, sameList(id)]),
) as Record<ListPaneId, (state: State) => State>;

export function ListView({store, id, rect, focused, tabs}: ListViewProps) {
	const state = useSlice(store, selectors[id]);
	const pane = anyPane(id);
	const list = state.lists[id];
	const marks = isDetail(id) ? undefined : state.marks[id];
	const rows = visibleRows(pane, state);
	const {width, height} = inside(rect);
	const selected = selectedIndex(list, rows.map(pane.key));
	const start = windowStart(rows.length, selected, height - 1);
	const visible = rows.slice(start, start + height - 1);
	const columns = pane.columns.filter((column) => column.shown?.(state) ?? true);
	const cells = visible.map((row) => columns.map((column) => column.cell(row, state)));
	const longest = (column: Column<unknown>): number => {
		const at = columns.indexOf(column);
		return cells.reduce((most, row) => Math.max(most, displayWidth(sanitize(row[at]!.text))), 0);
	};
	// Two cells on the left are the selection's.
	const sized = columnWidths(columns, longest, width - 2);
	const right = listNote(state, id, rows.length, selected);
	const places = sized.map(({column}) => columns.indexOf(column));
	const frame = {
		rect,
		focused,
		title: listParts(state, id, tabs, width - displayWidth(right) - 2),
		note: right,
	};
	if (rows.length === 0)
		return <LinesFrame {...frame} lines={emptyRows({lines: emptyLines(state, id), width, height})} />;
	return (
		<VirtualTable
			data={[]}
			frame={frame}
			fixed={sized.map(({column, width: cellsWide}) => ({
				name: column.name,
				title: column.title,
				width: cellsWide,
				...(column.align ? {align: column.align} : {}),
			}))}
			count={rows.length}
			start={start}
			selected={selected}
			sorted={{name: list.sort, reverse: list.reverse}}
			row={(index) => ({
				key: pane.key(rows[index]),
				marked: marks?.has(pane.key(rows[index])) ?? false,
				cells: places.map((place) => cells[index - start]![place]!),
			})}
		/>
	);
}

function emptyLines(state: State, id: ListPaneId): readonly string[] {
	if (state.phase === 'loading') return ['Reading…'];
	const filter = state.filtering?.pane === id ? state.filtering.field.value : state.lists[id].filter;
	const pane = anyPane(id);
	if (filter !== '' && pane.rows(state).length > 0)
		return ['Nothing matches the filter.', '', keyLine('app.back', 'clears it')];
	return pane.empty(state);
}
