import {DETAILS, MAIN_LISTS} from './details.ts';
import {LogBuffer} from './log-buffer.ts';
import type {DetailPaneId, ListPaneId, ListState, MainListId, State} from './state.ts';

/** The column that a list is in order of at first. */
export const FIRST_SORT: Record<ListPaneId, string> = {
	containers: 'created',
	images: 'created',
	networks: 'name',
	volumes: 'name',
	events: '',
	members: '',
	users: '',
	layers: '',
	layerFiles: '',
	top: 'pid',
	files: '',
	env: '',
	ports: '',
	inspect: '',
	builds: '',
	steps: '',
	buildCache: 'size',
};

export const FIRST_SPLIT = {columns: 60, rows: 50};

const list = (sort: string): ListState => ({index: 0, filter: '', sort, reverse: false});

const firstLists = Object.fromEntries(
	Object.entries(FIRST_SORT).map(([id, sort]) => [id, list(sort)]),
) as Record<ListPaneId, ListState>;

const firstTabs = Object.fromEntries(MAIN_LISTS.map((id) => [id, DETAILS[id][0]])) as Record<
	MainListId,
	DetailPaneId
>;

const noMarks = Object.fromEntries(MAIN_LISTS.map((id) => [id, new Set()])) as unknown as State['marks'];

export function initialState(size: {columns: number; rows: number}, now: number): State {
	return {
		size,
		phase: 'loading',
		containers: new Map(),
		images: [],
		networks: [],
		volumes: [],
		events: [],
		builds: [],
		stepsOf: undefined,
		details: {},
		usage: {histories: new Map(), version: 0, listed: false},
		folded: new Set(),
		filesView: 'changes',
		busy: new Map(),
		jobs: new Map(),
		progress: new Map(),
		focus: 'containers',
		lastList: 'containers',
		tabs: firstTabs,
		zoomed: false,
		split: FIRST_SPLIT,
		mouse: false,
		sessions: {tabs: [], opening: 0, zoomed: false, detachKeys: 'Ctrl+P Ctrl+Q'},
		typing: false,
		hideStopped: false,
		lists: firstLists,
		marks: noMarks,
		logs: {
			sources: [],
			buffer: new LogBuffer(1),
			version: 0,
			follow: true,
			top: 0,
			left: 0,
			wrap: false,
			timestamps: false,
			colours: true,
			json: false,
			search: '',
			only: false,
			phase: 'idle',
			skips: 0,
		},
		attached: false,
		now,
	};
}
