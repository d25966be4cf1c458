/** What keys do to rows of details: read one whole, fold a part of the tree. */
import {openDialog} from '../actions/context.ts';
import {anyPane} from '../panes/index.ts';
import {inspectPane} from '../panes/inspect.ts';
import {FILES_VIEWS} from '../panes/layer-files.ts';
import {selectedRow} from '../panes/pane.ts';
import {setList} from '../store/reducers.ts';
import {sanitize} from '../text/sanitize.ts';
import {wrapCells} from '../text/width.ts';
import type {Command} from './dialogs.ts';
import {focusedList} from './movement.ts';

/** All cells of the selected row, however long they are. */
export const readRow: Command = (context) => {
	const {state} = context.store;
	const pane = anyPane(focusedList(state));
	const row = selectedRow(pane, state);
	if (row === undefined) return;
	const room = Math.max(20, state.size.columns - 24);
	const lines = pane.columns
		.map((column) => ({name: column.title, text: column.cell(row, state).text.trim()}))
		.filter(({text}) => text !== '')
		.flatMap(({name, text}) =>
			wrapCells(sanitize(text), room).map((part, index) => ({name: index === 0 ? name : '', text: part})),
		);
	openDialog(context, {kind: 'text', title: pane.title, lines, top: 0});
};

export const foldRow: Command = (context) => {
	const {store} = context;
	const row = selectedRow(inspectPane, store.state);
	if (!row) return;
	if (row.entries === undefined) return readRow(context);
	store.update((state) => {
		const folded = new Set(state.folded);
		if (!folded.delete(row.path)) folded.add(row.path);
		return {...state, folded};
	});
};

/** The layer's files, the largest of the image, those that nobody sees. */
export const nextFilesView: Command = ({store}) =>
	store.update((state) => {
		const filesView = FILES_VIEWS[(FILES_VIEWS.indexOf(state.filesView) + 1) % FILES_VIEWS.length]!;
		return setList({...state, filesView}, 'layerFiles', {selected: undefined, index: 0});
	});
