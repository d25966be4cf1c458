/** Pure steps from one state to the next. */
import type {
	ContainerSummary,
	EngineEvent,
	ImageSummary,
	NetworkRecord,
	VolumeSummary,
} from '../../engine/api.ts';
import {isDetail, ownerOf} from './details.ts';
import {matchingLines, nextMatch} from './log-search.ts';
import type {
	Detail,
	DetailData,
	DetailPaneId,
	Job,
	ListPaneId,
	ListState,
	LogState,
	Message,
	PaneId,
	SourceId,
	State,
} from './state.ts';

/** Events that are kept. */
const EVENTS = 1000;

export function setContainers(state: State, rows: readonly ContainerSummary[]): State {
	return {...state, containers: new Map(rows.map((row) => [row.Id, row]))};
}

/** The rows of `ids` as they are now; those that aren't in `rows` are gone. */
export function patchContainers(
	state: State,
	ids: Iterable<string>,
	rows: readonly ContainerSummary[],
): State {
	const containers = new Map(state.containers);
	const found = new Set(rows.map((row) => row.Id));
	for (const id of ids) if (!found.has(id)) containers.delete(id);
	for (const row of rows) containers.set(row.Id, row);
	return {...state, containers};
}

export function setImages(state: State, images: readonly ImageSummary[]): State {
	return {...state, images};
}

export function setNetworks(state: State, networks: readonly NetworkRecord[]): State {
	return {...state, networks};
}

export function setSize(state: State, columns: number, rows: number): State {
	return state.size.columns === columns && state.size.rows === rows
		? state
		: {...state, size: {columns, rows}};
}

export function setVolumes(state: State, volumes: readonly VolumeSummary[]): State {
	return {...state, volumes};
}

/** `batch` is in the order that they happened in. */
export function addEvents(state: State, batch: readonly EngineEvent[]): State {
	return {...state, events: [...batch.toReversed(), ...state.events].slice(0, EVENTS)};
}

/** Events from before those that are there; also in the order that they happened in. */
export function addPast(state: State, batch: readonly EngineEvent[]): State {
	const oldest = batch.at(-1)?.timeNano ?? 0n;
	const newer = state.events.filter(({timeNano}) => timeNano > oldest);
	const older = state.events.slice(newer.length);
	return {...state, events: [...newer, ...batch.toReversed(), ...older].slice(0, EVENTS)};
}

export function setDetail<Id extends SourceId>(state: State, id: Id, detail: Detail<DetailData[Id]>): State {
	return {...state, details: {...state.details, [id]: detail}};
}

/** The tab that shows more of the row of the last list. */
export function detailPane({lastList, tabs}: Pick<State, 'lastList' | 'tabs'>): DetailPaneId {
	return tabs[lastList];
}

/** A pane of details is a tab that stays the list's own. */
export function focusPane(state: State, pane: PaneId): State {
	if (!isDetail(pane)) return {...state, focus: pane, lastList: pane};
	const lastList = ownerOf(pane, state.lastList);
	return {...state, focus: pane, lastList, tabs: {...state.tabs, [lastList]: pane}};
}

export function setList(state: State, pane: ListPaneId, change: Partial<ListState>): State {
	return {...state, lists: {...state.lists, [pane]: {...state.lists[pane], ...change}}};
}

/** Where the selection is among these keys: the row itself, or whoever took its place. */
export function selectedIndex(list: ListState, keys: readonly string[]): number {
	if (keys.length === 0) return -1;
	const at = list.selected === undefined ? -1 : keys.indexOf(list.selected);
	if (at >= 0) return at;
	return list.selected === undefined ? 0 : Math.min(list.index, keys.length - 1);
}

export function moveSelection(state: State, pane: ListPaneId, keys: readonly string[], delta: number): State {
	if (keys.length === 0) return state;
	const from = selectedIndex(state.lists[pane], keys);
	const index = Math.max(0, Math.min(keys.length - 1, from + delta));
	return setList(state, pane, {selected: keys[index], index});
}

/** The first visible row of a window of `height` rows that keeps the selection in sight, near its middle. */
export function windowStart(count: number, selected: number, height: number): number {
	if (count <= height) return 0;
	return Math.max(0, Math.min(count - height, selected - Math.floor(height / 2)));
}

export function setLogs(state: State, change: Partial<LogState>): State {
	return {...state, logs: {...state.logs, ...change}};
}

/** Scrolls by lines; upwards stops following, the end starts it again. */
export function scrollLogs(state: State, delta: number, height: number): State {
	const {logs} = state;
	const {buffer} = logs;
	if (logs.only && logs.search !== '') return scrollMatches(state, delta, height);
	const last = Math.max(buffer.first, buffer.total - height);
	const from = logs.follow ? last : Math.max(logs.top, buffer.first);
	const top = Math.max(buffer.first, Math.min(last, from + delta));
	const atEnd = top >= last && delta >= 0;
	return setLogs(state, {top, follow: atEnd});
}

/** The same where only matching lines are shown. */
function scrollMatches(state: State, delta: number, height: number): State {
	const {logs} = state;
	const numbers = matchingLines(logs);
	const last = Math.max(0, numbers.length - height);
	const at = numbers.findIndex((number) => number >= logs.top);
	const from = logs.follow || at < 0 ? last : at;
	const index = Math.max(0, Math.min(last, from + delta));
	return setLogs(state, {top: numbers[index] ?? 0, follow: index >= last && delta >= 0});
}

/** To the next line that matches, or the one before; `height` rows are shown. */
export function findInLogs(state: State, step: 1 | -1, height: number): State {
	const {logs} = state;
	const {buffer} = logs;
	const top = logs.follow ? Math.max(buffer.first, buffer.total - height) : logs.top;
	const from = logs.found ?? (step > 0 ? top - 1 : logs.follow ? buffer.total : top + height);
	const found = nextMatch(logs, from, step);
	if (found === undefined) return state;
	const seen = found >= top && found < top + height && !logs.only;
	const middle = Math.max(buffer.first, found - Math.floor(height / 2));
	return setLogs(state, {found, ...(seen ? {} : {top: logs.only ? found : middle, follow: false})});
}

export function setMessage(state: State, message: Omit<Message, 'at'> | undefined, at: number): State {
	return {...state, message: message && {...message, at}};
}

function withEntry<T>(map: ReadonlyMap<string, T>, key: string, value: T | undefined): Map<string, T> {
	const next = new Map(map);
	if (value === undefined) next.delete(key);
	else next.set(key, value);
	return next;
}

/** `id` of a container or a network. */
export function setBusy(state: State, id: string, verb: string | undefined): State {
	return {...state, busy: withEntry(state.busy, id, verb)};
}

export function setJob(state: State, name: string, progress: string | undefined): State {
	return {...state, jobs: withEntry(state.jobs, name, progress)};
}

export function setProgress(state: State, name: string, job: Job | undefined): State {
	return {...state, progress: withEntry(state.progress, name, job)};
}
