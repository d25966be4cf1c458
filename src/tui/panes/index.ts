/** The panes that exist, and what is selected in them. */
import type {ContainerSummary} from '../../engine/api.ts';
import {selectedIndex, setList} from '../store/reducers.ts';
import type {ListPaneId, State} from '../store/state.ts';
import {containersPane} from './containers.ts';
import {type ImageRow, imagesPane} from './images.ts';
import {type ListPane, visibleRows} from './pane.ts';

export const LIST_PANES: {containers: ListPane<ContainerSummary>; images: ListPane<ImageRow>} = {
	containers: containersPane,
	images: imagesPane,
};

/** Panes of different rows, where the kind of row doesn't matter. */
export function anyPane(id: ListPaneId): ListPane<unknown> {
	return LIST_PANES[id] as ListPane<unknown>;
}

function selectedRow<Row>(pane: ListPane<Row>, state: State): Row | undefined {
	const rows = visibleRows(pane, state);
	return rows[selectedIndex(state.lists[pane.id], rows.map(pane.key))];
}

let settled: State | undefined;

/**
 * Pins each selection to the row that it is on, so that rows that come and go beside it don't move it, and to a
 * neighbour when its own row is gone.
 */
export function settleSelections(state: State): State {
	const before = settled;
	if (
		before &&
		before.containers === state.containers &&
		before.images === state.images &&
		before.lists === state.lists &&
		before.filtering === state.filtering &&
		before.hideStopped === state.hideStopped
	) {
		return state;
	}
	let next = state;
	for (const id of Object.keys(LIST_PANES) as ListPaneId[]) {
		const pane = anyPane(id);
		const keys = visibleRows(pane, next).map(pane.key);
		const list = next.lists[id];
		const index = selectedIndex(list, keys);
		if (index >= 0 && (list.selected !== keys[index] || list.index !== index)) {
			next = setList(next, id, {selected: keys[index], index});
		}
	}
	settled = next;
	return next;
}

export const selectedContainer = (state: State): ContainerSummary | undefined =>
	selectedRow(containersPane, state);
export const selectedImage = (state: State): ImageRow | undefined => selectedRow(imagesPane, state);
