/** Builds of this host, the newest first, whoever makes them: their steps as they go on, and what builds have kept. */
import {humanDuration} from '../../cli/format/duration.ts';
import {humanSize} from '../../cli/format/size.ts';
import type {BuildCacheRecord} from '../../engine/api.ts';
import {keyLine, keyOf} from '../keys.ts';
import type {BuildRow, BuildStep, State} from '../store/state.ts';
import type {Tone} from '../theme.ts';
import {type Cell, type ListPane, selectedRow} from './pane.ts';
import {detailData, detailError} from './subject.ts';

const SYMBOLS: Record<BuildRow['state'] | BuildStep['state'], Cell> = {
	running: {text: '▶', tone: 'good'},
	done: {text: '✓', tone: 'good'},
	cached: {text: '=', tone: 'muted'},
	failed: {text: '×', tone: 'bad'},
	cancelled: {text: '■', tone: 'warning'},
	broken: {text: '×', tone: 'warning'},
};

/** `9.3s`, `2m 05s`, `1h 02m`. */
function secondsText(seconds: number): string {
	const whole = Math.floor(seconds);
	const two = (number: number): string => String(number).padStart(2, '0');
	if (whole < 100) return `${seconds.toFixed(1)}s`;
	if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
	return `${Math.floor(whole / 3600)}h ${two(Math.floor(whole / 60) % 60)}m`;
}

export const buildName = ({tag, folder}: BuildRow): string => tag || folder;

function statusOf(row: BuildRow): string {
	const done = row.steps.filter(({state}) => state !== 'running').length;
	const cached = row.steps.filter(({state}) => state === 'cached').length;
	const steps = `${done}/${row.steps.length} steps${cached > 0 ? `, ${cached} cached` : ''}`;
	if (row.state === 'running') return steps;
	if (row.state === 'done') return `built, ${steps}`;
	if (row.state === 'cancelled') return `given up after ${steps}`;
	if (row.state === 'broken') return `broken off after ${steps}: process ${row.pid} was killed`;
	return row.error ?? 'failed';
}

export const buildsPane: ListPane<BuildRow> = {
	id: 'builds',
	title: 'Builds',
	newestFirst: true,
	columns: [
		{name: 'state', title: '', min: 1, cell: ({state}) => SYMBOLS[state]},
		{
			name: 'tag',
			title: 'IMAGE',
			min: 8,
			grow: 2,
			keep: 14,
			cell: (row) => ({text: buildName(row)}),
			order: buildName,
		},
		{
			name: 'status',
			title: 'STATUS',
			min: 8,
			grow: 3,
			keep: 10,
			cell: (row) => ({text: statusOf(row), tone: row.state === 'failed' ? 'bad' : 'normal'}),
		},
		{
			name: 'time',
			title: 'TIME',
			min: 5,
			max: 7,
			align: 'right',
			drop: 1,
			cell: (row, state) => ({
				text: secondsText(Math.max(0, (row.ended ?? Math.max(state.now, row.started)) - row.started)),
			}),
			order: (row) => (row.ended ?? row.started) - row.started,
		},
		{
			name: 'started',
			title: 'STARTED',
			min: 10,
			max: 16,
			drop: 3,
			cell: (row, state) => ({
				text: `${humanDuration(Math.max(0, state.now - row.started))} ago`,
				tone: 'muted',
			}),
			order: (row) => -row.started,
		},
		{
			name: 'folder',
			title: 'FOLDER',
			min: 6,
			grow: 1,
			drop: 2,
			cell: ({folder}) => ({text: folder, tone: 'muted'}),
		},
	],
	rows: (state) => state.builds,
	key: ({id}) => id,
	searchText: (row) => `${row.tag} ${row.folder} ${row.state} ${row.id}`,
	counter: ({builds}) => {
		const running = builds.filter(({state}) => state === 'running').length;
		return builds.length === 0 ? '' : `${running > 0 ? `${running}/` : ''}${builds.length}`;
	},
	empty: () => [
		'Nothing has been built here yet.',
		'',
		keyLine('build.start', 'builds an image from a folder'),
		keyLine('build.cache', 'what builds have kept'),
	],
};

export interface StepRow {
	key: string;
	step: BuildStep;
	/** A line of its output; absent is the step itself. */
	line?: string;
	folded: boolean;
}

/** Toggled: those that go on or have failed are open until somebody folds them, the others the other way round. */
export const stepPath = (build: BuildRow, step: BuildStep): string => `build ${build.id} ${step.id}`;

function isFolded(state: State, build: BuildRow, step: BuildStep): boolean {
	const open = step.state === 'running' || step.state === 'failed';
	return open === state.folded.has(stepPath(build, step));
}

const selectedBuild = (state: State): BuildRow | undefined =>
	state.lastList === 'builds' ? selectedRow(buildsPane, state) : undefined;

/** A build's steps with the lines of those that are open. Pure. */
export function stepRows(state: State, build: BuildRow): StepRow[] {
	return build.steps.flatMap((step) => {
		const folded = isFolded(state, build, step);
		const own: StepRow = {key: String(step.id), step, folded};
		if (folded) return [own];
		const from = step.dropped;
		return [
			own,
			...step.lines.map((line, at) => ({key: `${step.id} ${from + at}`, step, line, folded: false})),
		];
	});
}

let memo: {build: BuildRow; folded: ReadonlySet<string>; rows: StepRow[]} | undefined;

function rowsOfSteps(state: State): readonly StepRow[] {
	const build = selectedBuild(state);
	if (!build) return [];
	if (memo?.build !== build || memo.folded !== state.folded)
		memo = {build, folded: state.folded, rows: stepRows(state, build)};
	return memo.rows;
}

const stepTime = (step: BuildStep, now: number): string =>
	step.state === 'cached'
		? 'cached'
		: secondsText(Math.max(0, (step.ended ?? Math.max(now, step.started)) - step.started));

export const stepsPane: ListPane<StepRow> = {
	id: 'steps',
	title: 'Steps',
	columns: [
		{
			name: 'state',
			title: '',
			min: 1,
			max: 1,
			cell: ({step, line}) => (line === undefined ? SYMBOLS[step.state] : {text: ''}),
		},
		{
			name: 'step',
			title: 'STEP',
			min: 12,
			grow: 1,
			cell: ({step, line, folded}) => {
				if (line !== undefined) return {text: `  ${line}`, tone: 'muted'};
				const mark = step.lines.length === 0 ? ' ' : folded ? '▸' : '▾';
				const note = step.note === undefined ? '' : ` · ${step.note}`;
				const tone: Tone = step.state === 'failed' ? 'bad' : 'normal';
				return {text: `${mark} ${step.name}${note}`, tone};
			},
		},
		{
			name: 'time',
			title: '',
			min: 6,
			max: 12,
			align: 'right',
			drop: 1,
			cell: ({step, line}, state) => ({
				text: line === undefined ? stepTime(step, state.now) : '',
				tone: 'muted',
			}),
		},
	],
	rows: rowsOfSteps,
	key: ({key}) => key,
	searchText: ({step, line}) => line ?? step.name,
	counter: (state) => {
		const build = selectedBuild(state);
		return build ? `${buildName(build)} · ${statusOf(build)}` : '';
	},
	empty: (state) =>
		selectedBuild(state)
			? ['It begins…']
			: ['No build is selected.', '', keyLine('pane.builds', `then ${keyOf('build.start')} builds one`)],
};

export const buildCachePane: ListPane<BuildCacheRecord> = {
	id: 'buildCache',
	title: 'Cache',
	columns: [
		{
			name: 'description',
			title: 'STEP',
			min: 12,
			grow: 1,
			cell: ({Description, Id}) => ({text: Description || Id.slice(0, 19)}),
			order: ({Description}) => Description,
		},
		{
			name: 'size',
			title: 'SIZE',
			min: 7,
			max: 9,
			align: 'right',
			cell: ({Size}) => ({text: humanSize(Size, 3)}),
			order: ({Size}) => -Size,
		},
		{
			name: 'used',
			title: 'USED',
			min: 10,
			max: 20,
			drop: 1,
			cell: ({LastUsedAt}, state) => ({
				text: `${humanDuration(Math.max(0, state.now - LastUsedAt / 1000))} ago`,
				tone: 'muted',
			}),
			order: ({LastUsedAt}) => -LastUsedAt,
		},
		{
			name: 'shared',
			title: '',
			min: 0,
			max: 16,
			drop: 2,
			cell: ({Shared}) => ({text: Shared ? 'an image has it' : '', tone: 'info'}),
		},
	],
	rows: (state) => detailData(state, 'buildCache') ?? [],
	key: ({Id}) => Id,
	searchText: ({Description, Id}) => `${Description} ${Id}`,
	counter: (state) => {
		const records = detailData(state, 'buildCache') ?? [];
		if (records.length === 0) return '';
		const sum = (some: readonly BuildCacheRecord[]): number =>
			some.reduce((total, {Size}) => total + Size, 0);
		const own = records.filter(({Shared}) => !Shared);
		return `${records.length} steps, ${humanSize(sum(records), 3)}; prune frees ${humanSize(sum(own), 3)}`;
	},
	empty: (state) => {
		const error = detailError(state, 'buildCache');
		if (error !== undefined)
			return ['It can’t be read.', '', error, '', keyLine('detail.refresh', 'tries again')];
		return detailData(state, 'buildCache') ? ['Builds have kept nothing.'] : ['Reading…'];
	},
};
