/** Which panes tell more of a list's selected row, and where they have it from. Data. */
import type {DetailPaneId, MainListId, PaneId, SourceId, State} from './state.ts';

/** In the order of their numbers. */
export const MAIN_LISTS: readonly MainListId[] = [
	'containers',
	'images',
	'networks',
	'volumes',
	'events',
	'builds',
];

/** The tabs of the pane of details for each list; the first is shown at first. */
export const DETAILS: Record<MainListId, readonly DetailPaneId[]> = {
	containers: ['logs', 'stats', 'term', 'top', 'files', 'env', 'ports', 'inspect'],
	images: ['layers', 'layerFiles', 'users', 'inspect'],
	networks: ['members', 'inspect'],
	volumes: ['users', 'inspect'],
	events: ['inspect'],
	builds: ['steps', 'buildCache'],
};

/** What a tab shows that no list has: it is read when the tab is looked at. */
export const SOURCES: Partial<Record<DetailPaneId, SourceId>> = {
	top: 'processes',
	files: 'changes',
	env: 'inspect',
	inspect: 'inspect',
	layers: 'layers',
	layerFiles: 'layers',
	buildCache: 'buildCache',
};

/** Names in tabs. */
export const DETAIL_TITLES: Record<DetailPaneId, string> = {
	logs: 'Logs',
	stats: 'Stats',
	term: 'Terminal',
	top: 'Top',
	files: 'Files',
	env: 'Env',
	ports: 'Ports',
	inspect: 'Inspect',
	members: 'Members',
	users: 'Used by',
	layers: 'Layers',
	layerFiles: 'Files',
	steps: 'Steps',
	buildCache: 'Cache',
};

export function isDetail(pane: PaneId): pane is DetailPaneId {
	return !(MAIN_LISTS as readonly PaneId[]).includes(pane);
}

/** The tabs that there are: terminals only when there is one. */
export function detailTabs({
	lastList,
	sessions,
}: Pick<State, 'lastList' | 'sessions'>): readonly DetailPaneId[] {
	const tabs = DETAILS[lastList];
	return sessions.tabs.length > 0 ? tabs : tabs.filter((tab) => tab !== 'term');
}

/** The list that a pane of details belongs to: the one that is looked at, or the first that has it. */
export function ownerOf(pane: DetailPaneId, looked: MainListId): MainListId {
	if (DETAILS[looked].includes(pane)) return looked;
	return MAIN_LISTS.find((list) => DETAILS[list].includes(pane)) ?? looked;
}
