import {LogBuffer} from './log-buffer.ts';
import type {ListState, State} from './state.ts';

const list = (sort: string): ListState => ({index: 0, filter: '', sort, reverse: false});

export function initialState(size: {columns: number; rows: number}, now: number): State {
	return {
		size,
		phase: 'loading',
		containers: new Map(),
		images: [],
		busy: new Map(),
		jobs: new Map(),
		focus: 'containers',
		lastList: 'containers',
		zoomed: false,
		hideStopped: false,
		lists: {containers: list('created'), images: list('created')},
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
