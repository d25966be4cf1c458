/** What the pane of details is about: the selected row of the list that was looked at last. */
import type {ContainerSummary} from '../../engine/api.ts';
import {keyLine} from '../keys.ts';
import {SOURCES} from '../store/details.ts';
import type {DetailData, DetailPaneId, MainListId, SourceId, State} from '../store/state.ts';
import {buildName, buildsPane} from './builds.ts';
import {containerName, containersPane} from './containers.ts';
import {eventsPane, eventTitle} from './events.ts';
import {imageReference, imagesPane} from './images.ts';
import {networksPane} from './networks.ts';
import {type ListPane, selectedRow} from './pane.ts';
import {volumeName, volumesPane} from './volumes.ts';

export interface Subject {
	list: MainListId;
	/** What the engine finds it by. */
	id: string;
	/** What people call it; not sanitised. */
	name: string;
	/** Another value when what its row says has changed: what was read of it may be old. */
	row: unknown;
}

type Find = (state: State) => Omit<Subject, 'list'> | undefined;

const find =
	<Row>(pane: ListPane<Row>, describe: (row: Row) => {id: string; name: string; row?: unknown}): Find =>
	(state) => {
		const row = selectedRow(pane, state);
		return row && {row, ...describe(row)};
	};

const FIND: Record<MainListId, Find> = {
	containers: find(containersPane, (row) => ({id: row.Id, name: containerName(row)})),
	images: find(imagesPane, (row) => ({id: row.image.Id, name: imageReference(row), row: row.image})),
	networks: find(networksPane, (row) => ({id: row.Id, name: row.Name})),
	volumes: find(volumesPane, (row) => ({id: row.Name, name: volumeName(row.Name)})),
	events: find(eventsPane, (row) => ({id: eventsPane.key(row), name: eventTitle(row)})),
	// What builds have kept is there without any.
	builds: (state) => {
		const row = selectedRow(buildsPane, state);
		return {
			id: row && row.state !== 'running' ? row.id : '',
			name: row ? buildName(row) : '',
			row: row?.state,
		};
	},
};

/** In words, for where there is none. */
export const NOUNS: Record<MainListId, string> = {
	containers: 'container',
	images: 'image',
	networks: 'network',
	volumes: 'volume',
	events: 'event',
	builds: 'build',
};

export function subjectOf(state: State): Subject | undefined {
	const found = FIND[state.lastList](state);
	return found && {list: state.lastList, ...found};
}

export const subjectKey = ({list, id}: Pick<Subject, 'list' | 'id'>): string => `${list} ${id}`;

/** What was read of the subject; undefined until it has been. */
export function detailData<Id extends SourceId>(state: State, id: Id): DetailData[Id] | undefined {
	const subject = subjectOf(state);
	const detail = state.details[id];
	return subject && detail?.subject === subjectKey(subject) ? (detail.data as DetailData[Id]) : undefined;
}

export function detailError(state: State, id: SourceId): string | undefined {
	const subject = subjectOf(state);
	const detail = state.details[id];
	return subject && detail?.subject === subjectKey(subject) ? detail.error : undefined;
}

/** Why a pane of details has no rows: nothing is selected, it is being read, it can't be, or it has none. */
export function emptyDetail(state: State, pane: DetailPaneId, lines: readonly string[]): readonly string[] {
	if (!subjectOf(state)) return [`No ${NOUNS[state.lastList]} is selected.`];
	const source = SOURCES[pane];
	if (!source) return lines;
	const error = detailError(state, source);
	if (error !== undefined)
		return ['It can’t be read.', '', error, '', keyLine('detail.refresh', 'tries again')];
	return detailData(state, source) === undefined ? ['Reading…'] : lines;
}

/** The container that the details are about. */
export function subjectContainer(state: State): ContainerSummary | undefined {
	return state.lastList === 'containers' ? selectedRow(containersPane, state) : undefined;
}

/** The name beside the tabs. */
export function subjectName(state: State): string {
	return subjectOf(state)?.name ?? '';
}
