/** The panes that exist, and what is selected in them. */
import type {
	BuildCacheRecord,
	ContainerSummary,
	EngineEvent,
	FileChange,
	NetworkRecord,
	VolumeSummary,
} from '../../engine/api.ts';
import {selectedIndex, setList} from '../store/reducers.ts';
import type {BuildRow, ListPaneId, State} from '../store/state.ts';
import {buildCachePane, buildsPane, type StepRow, stepRows, stepsPane} from './builds.ts';
import {containersPane} from './containers.ts';
import {envPane, type Variable} from './env.ts';
import {eventsPane} from './events.ts';
import {filesPane} from './files.ts';
import {type ImageRow, imagesPane} from './images.ts';
import {inspectPane, type TreeRow} from './inspect.ts';
import {type LayerFileRow, layerFilesPane} from './layer-files.ts';
import {type LayerRow, layersPane} from './layers.ts';
import {membersPane} from './members.ts';
import {type Member, networksPane} from './networks.ts';
import {type ListPane, selectedRow, visibleRows} from './pane.ts';
import {type PortRow, portsPane} from './ports.ts';
import {type ProcessRow, topPane} from './top.ts';
import {type User, usersPane} from './users.ts';
import {volumesPane} from './volumes.ts';

/** In the order that they follow from each other: details are those of the selected rows before them. */
export const LIST_PANES: {
	containers: ListPane<ContainerSummary>;
	images: ListPane<ImageRow>;
	networks: ListPane<NetworkRecord>;
	volumes: ListPane<VolumeSummary>;
	events: ListPane<EngineEvent>;
	members: ListPane<Member>;
	users: ListPane<User>;
	top: ListPane<ProcessRow>;
	files: ListPane<FileChange>;
	env: ListPane<Variable>;
	ports: ListPane<PortRow>;
	inspect: ListPane<TreeRow>;
	layers: ListPane<LayerRow>;
	layerFiles: ListPane<LayerFileRow>;
	builds: ListPane<BuildRow>;
	steps: ListPane<StepRow>;
	buildCache: ListPane<BuildCacheRecord>;
} = {
	containers: containersPane,
	images: imagesPane,
	networks: networksPane,
	volumes: volumesPane,
	events: eventsPane,
	members: membersPane,
	users: usersPane,
	top: topPane,
	files: filesPane,
	env: envPane,
	ports: portsPane,
	inspect: inspectPane,
	layers: layersPane,
	layerFiles: layerFilesPane,
	builds: buildsPane,
	steps: stepsPane,
	buildCache: buildCachePane,
};

/** Those whose order may be by what changes with each sample. */
const USAGE_SORTS = new Set(['cpu', 'memory', 'network', 'block', 'pids']);

/** Whether samples are needed for the list of containers. */
export function listsUsage({usage, lists}: State): boolean {
	return usage.listed || USAGE_SORTS.has(lists.containers.sort);
}

/** Panes of different rows, where the kind of row doesn't matter. */
export function anyPane(id: ListPaneId): ListPane<unknown> {
	return LIST_PANES[id] as ListPane<unknown>;
}

let settled: State | undefined;

/** Of another build than before the end is what counts, or where it failed, which is the end, too. */
function toEndOfSteps(state: State): State {
	const {selected} = state.lists.builds;
	if (selected === state.stepsOf) return state;
	const build = state.builds.find(({id}) => id === selected);
	const rows = build && build.state !== 'done' ? stepRows(state, build) : [];
	return setList({...state, stepsOf: selected}, 'steps', {
		selected: rows.at(-1)?.key,
		index: Math.max(0, rows.length - 1),
	});
}

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
		before.volumes === state.volumes &&
		before.events === state.events &&
		before.builds === state.builds &&
		before.details === state.details &&
		before.lastList === state.lastList &&
		before.folded === state.folded &&
		before.filesView === state.filesView &&
		(before.usage.version === state.usage.version || !listsUsage(state)) &&
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
		const index = pane.newestFirst && list.index === 0 && keys.length > 0 ? 0 : selectedIndex(list, keys);
		if (index >= 0 && (list.selected !== keys[index] || list.index !== index)) {
			next = setList(next, id, {selected: keys[index], index});
		}
		if (id === 'builds') next = toEndOfSteps(next);
	}
	settled = next;
	return next;
}

export const selectedContainer = (state: State): ContainerSummary | undefined =>
	selectedRow(containersPane, state);
export const selectedBuild = (state: State): BuildRow | undefined => selectedRow(buildsPane, state);
export const selectedImage = (state: State): ImageRow | undefined => selectedRow(imagesPane, state);
export const selectedNetwork = (state: State): NetworkRecord | undefined => selectedRow(networksPane, state);
export const selectedVolume = (state: State): VolumeSummary | undefined => selectedRow(volumesPane, state);
export const selectedUser = (state: State): User | undefined => selectedRow(usersPane, state);
export const selectedMember = (state: State): Member | undefined => selectedRow(membersPane, state);

/** Containers whose logs are read into one: more is no text that anybody reads. */
const MOST_LOGS = 20;
let logged: readonly string[] = [];

/** Ids of those whose logs are shown: the marked ones, if there are several, or the selected one. */
export function loggedContainers(state: State): readonly string[] {
	const marked = state.marks.containers.size > 1 ? chosenRows(state, 'containers') : [];
	const row = marked.length > 1 ? undefined : selectedContainer(state);
	const ids = marked.length > 1 ? marked.slice(0, MOST_LOGS).map(({Id}) => Id) : row ? [row.Id] : [];
	if (ids.length !== logged.length || ids.some((id, at) => id !== logged[at])) logged = ids;
	return logged;
}

type RowsOf<Pane> = Pane extends ListPane<infer Row> ? readonly Row[] : never;

/** The rows that a command is for: the marked ones that are shown, or the selected one. */
export function chosenRows<Id extends 'containers' | 'images' | 'volumes'>(
	state: State,
	id: Id,
): RowsOf<(typeof LIST_PANES)[Id]> {
	const pane = anyPane(id);
	const marks = state.marks[id];
	const marked = marks.size === 0 ? [] : visibleRows(pane, state).filter((row) => marks.has(pane.key(row)));
	const selected = selectedRow(pane, state);
	return (marked.length > 0 ? marked : selected === undefined ? [] : [selected]) as never;
}
