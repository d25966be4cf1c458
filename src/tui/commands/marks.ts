/** Marking rows, so that one command is for several. */
import {anyPane} from '../panes/index.ts';
import {selectedRow, visibleRows} from '../panes/pane.ts';
import {isDetail} from '../store/details.ts';
import {moveSelection} from '../store/reducers.ts';
import type {MainListId, State} from '../store/state.ts';
import type {Command} from './dialogs.ts';
import {focusedList} from './movement.ts';

export function withMarks(state: State, id: MainListId, keys: Iterable<string>): State {
	return {...state, marks: {...state.marks, [id]: new Set(keys)}};
}

/** The list whose rows can be marked: those that commands take several of. */
function markable(state: State): MainListId | undefined {
	const id = focusedList(state);
	return isDetail(id) || id === 'events' || id === 'networks' || id === 'builds' ? undefined : id;
}

/** Marks the selected row, or not any more, and goes on to the next. */
export const markRow: Command = ({store}) =>
	store.update((state) => {
		const id = markable(state);
		const pane = id && anyPane(id);
		const row = pane && selectedRow(pane, state);
		if (!id || !pane || row === undefined) return state;
		const key = pane.key(row);
		const marks = new Set(state.marks[id]);
		if (!marks.delete(key)) marks.add(key);
		return moveSelection(withMarks(state, id, marks), id, visibleRows(pane, state).map(pane.key), 1);
	});

/** All rows that are shown. */
export const markAll: Command = ({store}) =>
	store.update((state) => {
		const id = markable(state);
		return id ? withMarks(state, id, visibleRows(anyPane(id), state).map(anyPane(id).key)) : state;
	});

export const clearMarks: Command = ({store}) =>
	store.update((state) => {
		const id = markable(state);
		return id ? withMarks(state, id, []) : state;
	});
