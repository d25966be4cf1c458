/** The variables that the selected container's command was given. */
import type {State} from '../store/state.ts';
import type {ListPane} from './pane.ts';
import {detailData, emptyDetail, subjectName} from './subject.ts';

export interface Variable {
	key: string;
	name: string;
	value: string;
}

let memo: {data: unknown; rows: readonly Variable[]} | undefined;

function rows(state: State): readonly Variable[] {
	const data = detailData(state, 'inspect');
	if (memo && memo.data === data) return memo.rows;
	const {Env} = (data?.Config ?? {}) as {Env?: string[] | null};
	const variables = (Env ?? []).map((entry, index) => {
		const equals = entry.indexOf('=');
		const name = equals < 0 ? entry : entry.slice(0, equals);
		return {key: `${index} ${name}`, name, value: equals < 0 ? '' : entry.slice(equals + 1)};
	});
	memo = {data, rows: variables};
	return variables;
}

export const envPane: ListPane<Variable> = {
	id: 'env',
	title: 'Env',
	columns: [
		{
			name: 'name',
			title: 'NAME',
			min: 8,
			max: 40,
			grow: 1,
			keep: 24,
			cell: (row) => ({text: row.name, tone: 'accent'}),
			order: (row) => row.name,
		},
		{
			name: 'value',
			title: 'VALUE',
			min: 8,
			grow: 3,
			cell: (row) => ({text: row.value}),
			order: (row) => row.value,
		},
	],
	rows,
	key: (row) => row.key,
	searchText: (row) => `${row.name}=${row.value}`,
	counter: subjectName,
	empty: (state) => emptyDetail(state, 'env', ['It has no variables of its own.']),
};
