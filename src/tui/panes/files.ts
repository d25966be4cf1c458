/** What the selected container has changed of its image's files. */
import type {FileChange} from '../../engine/api.ts';
import {keyLine} from '../keys.ts';
import type {Tone} from '../theme.ts';
import type {Cell, ListPane} from './pane.ts';
import {detailData, emptyDetail, subjectName} from './subject.ts';

/** docker's letters. */
const KINDS: Record<FileChange['Kind'], {letter: string; word: string; tone: Tone}> = {
	0: {letter: 'C', word: 'changed', tone: 'warning'},
	1: {letter: 'A', word: 'added', tone: 'good'},
	2: {letter: 'D', word: 'deleted', tone: 'bad'},
};

const kind = ({Kind}: FileChange): Cell => ({text: KINDS[Kind].letter, tone: KINDS[Kind].tone});

export const filesPane: ListPane<FileChange> = {
	id: 'files',
	title: 'Files',
	columns: [
		{name: 'kind', title: '', min: 1, max: 1, cell: kind, order: (row) => KINDS[row.Kind].letter},
		{
			name: 'path',
			title: 'PATH',
			min: 10,
			grow: 1,
			cell: (row) => ({text: row.Path, tone: KINDS[row.Kind].tone}),
			order: (row) => row.Path,
		},
	],
	rows: (state) => detailData(state, 'changes') ?? [],
	key: (row) => row.Path,
	searchText: (row) => `${KINDS[row.Kind].word} ${row.Path}`,
	counter: (state) => {
		const changes = detailData(state, 'changes') ?? [];
		const count = (wanted: FileChange['Kind']): number => changes.filter(({Kind}) => Kind === wanted).length;
		const counts = ([1, 0, 2] as const)
			.map((one) => [KINDS[one].letter, count(one)] as const)
			.filter(([, some]) => some > 0)
			.map(([letter, some]) => `${letter} ${some}`);
		return [subjectName(state), ...counts].filter(Boolean).join(' · ');
	},
	empty: (state) =>
		emptyDetail(state, 'files', [
			'No file differs from its image.',
			'',
			keyLine('detail.refresh', 'looks again'),
		]),
};
