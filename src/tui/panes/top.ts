/** The processes of the selected container. */
import {bytesSize} from '../../cli/format/size.ts';
import {keyLine} from '../keys.ts';
import type {State} from '../store/state.ts';
import {isUp, statusText} from './containers.ts';
import type {Column, ListPane} from './pane.ts';
import {detailData, emptyDetail, subjectContainer, subjectName} from './subject.ts';

/** What ps(1) is asked for, in this order; the command last: it may have spaces. */
export const TOP_FIELDS = [
	'pid',
	'ppid',
	'user',
	'stat',
	'pcpu',
	'pmem',
	'rss',
	'nlwp',
	'time',
	'args',
] as const;
export const TOP_OPTIONS = ['-eo', TOP_FIELDS.join(',')];

type Field = (typeof TOP_FIELDS)[number];
export type ProcessRow = Record<Field, string>;

let memo: {processes: readonly string[][]; rows: ProcessRow[]} | undefined;

function rows(state: State): readonly ProcessRow[] {
	const container = subjectContainer(state);
	const processes = detailData(state, 'processes')?.Processes;
	// What was read while it ran isn't true any more.
	if (!processes || !container || !isUp(container)) return [];
	if (memo?.processes !== processes) {
		memo = {
			processes,
			rows: processes.map(
				(fields) => Object.fromEntries(TOP_FIELDS.map((name, at) => [name, fields[at] ?? ''])) as ProcessRow,
			),
		};
	}
	return memo.rows;
}

/** `1-02:03:04`, `02:03:04` to seconds. */
export function cpuSeconds(text: string): number {
	const [, days = '0', rest = ''] = /^(?:(\d+)-)?(.*)$/.exec(text)!;
	return rest.split(':').reduce((sum, part) => sum * 60 + (Number(part) || 0), 0) + Number(days) * 86_400;
}

const amount = (text: string): number => -Number(text) || 0;

const number = (name: Field, title: string, width: number, drop?: number): Column<ProcessRow> => ({
	name,
	title,
	min: width,
	max: 10,
	align: 'right',
	...(drop === undefined ? {} : {drop}),
	cell: (row) => ({text: row[name]}),
	order: (row) => (name === 'pid' || name === 'ppid' ? Number(row[name]) || 0 : amount(row[name])),
});

export const topPane: ListPane<ProcessRow> = {
	id: 'top',
	title: 'Top',
	columns: [
		number('pid', 'PID', 5),
		number('ppid', 'PPID', 5, 5),
		{
			name: 'user',
			title: 'USER',
			min: 4,
			max: 10,
			drop: 4,
			cell: (row) => ({text: row.user, tone: 'info'}),
			order: (row) => row.user,
		},
		{
			name: 'stat',
			title: 'S',
			min: 1,
			max: 4,
			drop: 6,
			cell: (row) => ({text: row.stat, tone: row.stat.startsWith('R') ? 'good' : 'muted'}),
		},
		{
			...number('pcpu', 'CPU%', 5),
			cell: (row) => ({text: row.pcpu, tone: Number(row.pcpu) >= 50 ? 'warning' : 'normal'}),
		},
		number('pmem', 'MEM%', 4, 3),
		{
			...number('rss', 'RSS', 6, 2),
			cell: (row) => ({text: bytesSize((Number(row.rss) || 0) * 1024)}),
		},
		number('nlwp', 'THR', 3, 7),
		{
			...number('time', 'TIME', 8, 8),
			order: (row) => -cpuSeconds(row.time),
		},
		{
			name: 'args',
			title: 'COMMAND',
			min: 8,
			grow: 1,
			keep: 20,
			cell: (row) => ({text: row.args}),
			order: (row) => row.args,
		},
	],
	rows,
	key: (row) => row.pid,
	searchText: (row) => `${row.pid} ${row.user} ${row.args}`,
	counter: subjectName,
	empty: (state) => {
		const container = subjectContainer(state);
		if (container && !isUp(container))
			return [
				'It is not running.',
				statusText(container, state.now),
				'',
				keyLine('container.start', 'in its list starts it'),
			];
		return emptyDetail(state, 'top', ['No processes.']);
	},
};
