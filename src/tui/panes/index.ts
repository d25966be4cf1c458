/** The panes that exist, and what is selected in them. */
import type {ContainerSummary} from '../../engine/api.ts';
import {selectedIndex} from '../store/reducers.ts';
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

export const selectedContainer = (state: State): ContainerSummary | undefined =>
	selectedRow(containersPane, state);
export const selectedImage = (state: State): ImageRow | undefined => selectedRow(imagesPane, state);
