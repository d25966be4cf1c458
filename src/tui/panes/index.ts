/** The panes that exist, and what is selected in them. */
import type {ContainerSummary, NetworkRecord} from '../../engine/api.ts';
import {selectedIndex, setList} from '../store/reducers.ts';
import type {ListPaneId, State} from '../store/state.ts';
import {containersPane} from './containers.ts';
import {type ImageRow, imagesPane} from './images.ts';
import {membersPane} from './members.ts';
import {type Member, networksPane} from './networks.ts';
import {type ListPane, selectedRow, visibleRows} from './pane.ts';

/** In the order that they follow from each other: the members are those of the selected network. */
export const LIST_PANES: {
	containers: ListPane<ContainerSummary>;
	images: ListPane<ImageRow>;
	networks: ListPane<NetworkRecord>;
	members: ListPane<Member>;
} = {
	containers: containersPane,
	images: imagesPane,
	networks: networksPane,
	members: membersPane,
};

/** Panes of different rows, where the kind of row doesn't matter. */
export function anyPane(id: ListPaneId): ListPane<unknown> {
	return LIST_PANES[id] as ListPane<unknown>;
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
		before.networks === state.networks &&
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
export const selectedNetwork = (state: State): NetworkRecord | undefined => selectedRow(networksPane, state);
export const selectedMember = (state: State): Member | undefined => selectedRow(membersPane, state);
