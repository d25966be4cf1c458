/** The layers of the selected image: what each brings, changes and takes away, and what the image wastes. */
import {humanSize} from '../../cli/format/size.ts';
import type {ImageLayer, ImageLayers} from '../../engine/api.ts';
import type {State} from '../store/state.ts';
import type {ListPane} from './pane.ts';
import {detailData, emptyDetail, subjectName} from './subject.ts';

export interface LayerRow extends ImageLayer {
	/** From 1, lowest first. */
	place: number;
}

/** A step without the words that every one has. */
export function stepText(command: string): string {
	return command
		.replace(/^\/bin\/sh -c #\(nop\)\s+/, '')
		.replace(/^(?:RUN )?\/bin\/sh -c /, 'RUN ')
		.replace(/ # buildkit$/, '')
		.replace(/\s+/g, ' ')
		.trim();
}

let memo: {of: ImageLayers; rows: LayerRow[]} | undefined;

function rows(state: State): readonly LayerRow[] {
	const data = detailData(state, 'layers');
	if (!data) return [];
	if (memo?.of !== data) memo = {of: data, rows: data.layers.map((layer, at) => ({...layer, place: at + 1}))};
	return memo.rows;
}

const count = (sign: string, number: number): string => (number === 0 ? '' : `${sign}${number}`);

/** `52.1MB · 1.2MB wasted (97% used)`. */
export function spaceText({size, wasted}: ImageLayers): string {
	if (wasted === 0) return `${humanSize(size, 3)} · nothing wasted`;
	return `${humanSize(size, 3)} · ${humanSize(wasted, 3)} wasted (${Math.floor((1 - wasted / size) * 100)}% used)`;
}

export const layersPane: ListPane<LayerRow> = {
	id: 'layers',
	title: 'Layers',
	columns: [
		{
			name: 'place',
			title: '#',
			min: 2,
			align: 'right',
			cell: ({place}) => ({text: String(place), tone: 'muted'}),
			order: ({place}) => place,
		},
		{
			name: 'size',
			title: 'SIZE',
			min: 6,
			max: 7,
			align: 'right',
			cell: ({size}) => ({text: humanSize(size, 3)}),
			order: ({size}) => -size,
		},
		{
			name: 'added',
			title: 'NEW',
			min: 4,
			max: 8,
			align: 'right',
			cell: ({added}) => ({text: count('+', added), tone: 'good'}),
			order: ({added}) => -added,
		},
		{
			name: 'changed',
			title: 'CHGD',
			min: 4,
			max: 8,
			align: 'right',
			cell: ({changed}) => ({text: count('~', changed), tone: 'warning'}),
			order: ({changed}) => -changed,
		},
		{
			name: 'removed',
			title: 'GONE',
			min: 4,
			max: 8,
			align: 'right',
			cell: ({removed}) => ({text: count('−', removed), tone: 'bad'}),
			order: ({removed}) => -removed,
		},
		{
			name: 'command',
			title: 'MADE BY',
			min: 10,
			grow: 1,
			cell: ({command}) => ({text: stepText(command)}),
		},
	],
	rows,
	key: ({place}) => String(place),
	searchText: ({command, diffId}) => `${stepText(command)} ${diffId}`,
	counter: (state) => {
		const data = detailData(state, 'layers');
		return [subjectName(state), data ? spaceText(data) : ''].filter(Boolean).join(' · ');
	},
	empty: (state) => emptyDetail(state, 'layers', ['It has no layers.']),
};
