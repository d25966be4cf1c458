import {LogBuffer} from './log-buffer.ts';
import type {ListPaneId, ListState, State} from './state.ts';

/** The column that a list is in order of at first. */
export const FIRST_SORT: Record<ListPaneId, string> = {
	containers: 'created',
	images: 'created',
	networks: 'name',
	members: '',
};

const list = (sort: string): ListState => ({index: 0, filter: '', sort, reverse: false});

export function initialState(size: {columns: number; rows: number}, now: number): State {
	return {
		size,
		phase: 'loading',
		containers: new Map(),
		images: [],
		networks: [],
		busy: new Map(),
		jobs: new Map(),
		focus: 'containers',
		lastList: 'containers',
		zoomed: false,
		hideStopped: false,
		lists: {
			containers: list(FIRST_SORT.containers),
			images: list(FIRST_SORT.images),
			networks: list(FIRST_SORT.networks),
			members: list(FIRST_SORT.members),
		},
		logs: {
			buffer: new LogBuffer(1),
			version: 0,
			follow: true,
			top: 0,
			left: 0,
			wrap: false,
			timestamps: false,
			phase: 'idle',
			skips: 0,
		},
		attached: false,
		now,
	};
}
