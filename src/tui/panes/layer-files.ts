/** The files of the selected layer of an image, or of the whole image the largest, or those that are hidden. */
import {humanSize} from '../../cli/format/size.ts';
import type {ImageFile, ImageFileChange, ImageLayers} from '../../engine/api.ts';
import {keyLine} from '../keys.ts';
import type {FilesView, State} from '../store/state.ts';
import type {Tone} from '../theme.ts';
import {layersPane} from './layers.ts';
import {type ListPane, selectedRow} from './pane.ts';
import {detailData, emptyDetail} from './subject.ts';

export interface LayerFileRow extends ImageFile {
	key: string;
	/** `+`, `~`, `−`; the layer that has it; or how many copies are hidden. */
	sign: string;
	tone: Tone;
}

const CHANGES: Record<ImageFileChange['change'], Pick<LayerFileRow, 'sign' | 'tone'>> = {
	added: {sign: '+', tone: 'good'},
	changed: {sign: '~', tone: 'warning'},
	removed: {sign: '−', tone: 'bad'},
};

type Sign = Pick<LayerFileRow, 'sign' | 'tone'>;

const withKeys = <File extends ImageFile>(
	files: readonly File[],
	sign: (file: File) => Sign,
): LayerFileRow[] =>
	files.map((file, at) => ({...sign(file), path: file.path, size: file.size, key: `${at} ${file.path}`}));

function rowsOf(data: ImageLayers, view: FilesView, layer: number): LayerFileRow[] {
	switch (view) {
		case 'changes':
			return withKeys(data.layers[layer - 1]?.files ?? [], ({change}) => CHANGES[change]);
		case 'biggest':
			return withKeys(data.biggest, (file) => ({sign: `#${file.layer + 1}`, tone: 'info'}));
		case 'waste':
			return withKeys(data.waste, (file) => ({sign: `×${file.count}`, tone: 'warning'}));
	}
}

const selectedLayer = (state: State): number => selectedRow(layersPane, state)?.place ?? 0;

let memo: {of: ImageLayers; view: FilesView; layer: number; rows: LayerFileRow[]} | undefined;

function rows(state: State): readonly LayerFileRow[] {
	const data = detailData(state, 'layers');
	if (!data) return [];
	const {filesView: view} = state;
	const layer = view === 'changes' ? selectedLayer(state) : 0;
	if (memo?.of !== data || memo.view !== view || memo.layer !== layer)
		memo = {of: data, view, layer, rows: rowsOf(data, view, layer)};
	return memo.rows;
}

export const FILES_VIEWS: readonly FilesView[] = ['changes', 'biggest', 'waste'];

const EMPTY: Record<FilesView, string> = {
	changes: 'It changes no files.',
	biggest: 'The image has no files.',
	waste: 'No layer hides a file of another.',
};

export const layerFilesPane: ListPane<LayerFileRow> = {
	id: 'layerFiles',
	title: 'Layer files',
	columns: [
		{name: 'change', title: '', min: 2, max: 5, cell: ({sign, tone}) => ({text: sign, tone})},
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
			name: 'path',
			title: 'PATH',
			min: 10,
			grow: 1,
			cell: ({path, tone}) => ({text: path, tone: tone === 'bad' ? 'bad' : 'normal'}),
			order: ({path}) => path,
		},
	],
	rows,
	key: ({key}) => key,
	searchText: ({sign, path}) => `${sign} ${path}`,
	counter: (state) => {
		if (!detailData(state, 'layers')) return '';
		if (state.filesView === 'biggest') return 'the biggest of all';
		if (state.filesView === 'waste') return 'hidden by later layers';
		return `of layer ${selectedLayer(state)}`;
	},
	empty: (state) =>
		emptyDetail(state, 'layerFiles', [EMPTY[state.filesView], '', keyLine('layers.view', 'shows others')]),
};
