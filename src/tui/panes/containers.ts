import {humanDuration} from '../../cli/format/duration.ts';
import {bytesSize, humanSize} from '../../cli/format/size.ts';
import type {ContainerStatus, ContainerSummary, PortSummary} from '../../engine/api.ts';
import {keyLine, keyOf} from '../keys.ts';
import type {State} from '../store/state.ts';
import type {UsageSample} from '../store/usage-history.ts';
import type {Tone} from '../theme.ts';
import type {Cell, Column, ListPane} from './pane.ts';

const SYMBOLS: Record<ContainerStatus, {symbol: string; tone: Tone}> = {
	running: {symbol: '▶', tone: 'good'},
	paused: {symbol: '‖', tone: 'warning'},
	restarting: {symbol: '↻', tone: 'warning'},
	created: {symbol: '○', tone: 'muted'},
	removing: {symbol: '×', tone: 'warning'},
	exited: {symbol: '■', tone: 'muted'},
	dead: {symbol: '×', tone: 'bad'},
};

/** Running ones first where the order is by state. */
const STATE_ORDER: Record<ContainerStatus, number> = {
	running: 0,
	paused: 1,
	restarting: 2,
	created: 3,
	removing: 4,
	exited: 5,
	dead: 6,
};

export function isUp(row: ContainerSummary): boolean {
	return row.State === 'running' || row.State === 'paused' || row.State === 'restarting';
}

export function containerName(row: ContainerSummary): string {
	const name = row.Names[0] ?? row.Id.slice(0, 12);
	return name.startsWith('/') ? name.slice(1) : name;
}

/** The engine's own words, with the time counted on to now. */
export function statusText(row: ContainerSummary, now: number): string {
	if (row.State === 'running' && row.StartedAt) {
		const note = /(\s\(.*\))?$/.exec(row.Status)?.[0] ?? '';
		return `Up ${humanDuration(Math.max(0, now - row.StartedAt))}${note}`;
	}
	const code = /^Exited \(\d+\)/.exec(row.Status)?.[0];
	if (row.State === 'exited' && code && row.FinishedAt) {
		return `${code} ${humanDuration(Math.max(0, now - row.FinishedAt))} ago`;
	}
	return row.Status;
}

export function containerSymbol(row: ContainerSummary): Cell {
	const {symbol, tone} = SYMBOLS[row.State] ?? {symbol: '?', tone: 'normal'};
	return {text: symbol, tone};
}

const EVERYWHERE = new Set([undefined, '', '0.0.0.0', '::']);

interface PortRun {
	prefix: string;
	suffix: string;
	/** Undefined where it isn't published. */
	host: number | undefined;
	inside: number;
	length: number;
}

/**
 * `0.0.0.0:8080->80/tcp` as `8080→80`, published ones first; an address only where it isn't every one, and
 * neighbours that go to neighbours as ranges, `8000-8002→80-82`.
 */
export function portsText(ports: readonly PortSummary[]): string {
	const runs: PortRun[] = [];
	const seen = new Set<string>();
	const sorted = [...ports].sort(
		(a, b) =>
			Number(!a.PublicPort) - Number(!b.PublicPort) ||
			a.PrivatePort - b.PrivatePort ||
			(a.PublicPort ?? 0) - (b.PublicPort ?? 0),
	);
	for (const {IP, PublicPort, PrivatePort, Type} of sorted) {
		const address = IP?.includes(':') ? `[${IP}]` : IP;
		const prefix = PublicPort && !EVERYWHERE.has(IP) ? `${address}:` : '';
		const suffix = Type === 'tcp' ? '' : `/${Type}`;
		const one = {prefix, suffix, host: PublicPort || undefined, inside: PrivatePort, length: 1};
		// IPv4 and IPv6 of the same are one.
		const key = JSON.stringify(one);
		if (seen.has(key)) continue;
		seen.add(key);
		const before = runs.find((run) => follows(run, one));
		if (before) before.length++;
		else runs.push(one);
	}
	return runs.map(runText).join(' ');
}

function follows(run: PortRun, port: PortRun): boolean {
	return (
		run.prefix === port.prefix &&
		run.suffix === port.suffix &&
		run.inside + run.length === port.inside &&
		(run.host === undefined ? port.host === undefined : run.host + run.length === port.host)
	);
}

function runText({prefix, suffix, host, inside, length}: PortRun): string {
	const range = (first: number): string => (length === 1 ? String(first) : `${first}-${first + length - 1}`);
	return `${prefix}${host === undefined ? '' : `${range(host)}→`}${range(inside)}${suffix}`;
}

function statusTone(row: ContainerSummary): Tone {
	if (row.State === 'running') return row.Status.includes('(unhealthy)') ? 'bad' : 'normal';
	if (row.State === 'exited') return row.Status.startsWith('Exited (0)') ? 'muted' : 'bad';
	return SYMBOLS[row.State]?.tone ?? 'normal';
}

export function countContainers(state: State): {up: number; stopped: number} {
	let up = 0;
	for (const row of state.containers.values()) if (isUp(row)) up++;
	return {up, stopped: state.containers.size - up};
}

const usageOf = (row: ContainerSummary, {usage}: State): UsageSample | undefined =>
	row.State === 'running' || row.State === 'paused' ? usage.histories.get(row.Id)?.last : undefined;

/** A column that is there only while usage is shown, or the order goes by it. */
function usageColumn(
	name: string,
	title: string,
	width: number,
	drop: number,
	text: (sample: UsageSample) => string,
	value: (sample: UsageSample) => number,
): Column<ContainerSummary> {
	return {
		name,
		title,
		min: width,
		max: width,
		align: 'right',
		drop,
		shown: (state) => state.usage.listed || state.lists.containers.sort === name,
		cell: (row, state) => {
			const sample = usageOf(row, state);
			return sample ? {text: text(sample)} : {text: '–', tone: 'muted'};
		},
		order: (row, state) => {
			const sample = usageOf(row, state);
			return sample ? -value(sample) : 1;
		},
	};
}

const usageColumns: readonly Column<ContainerSummary>[] = [
	usageColumn(
		'cpu',
		'CPU',
		7,
		5,
		({cpu}) => `${cpu.toFixed(1)}%`,
		({cpu}) => cpu,
	),
	usageColumn(
		'memory',
		'MEM',
		9,
		6,
		({memory}) => bytesSize(memory),
		({memory}) => memory,
	),
	usageColumn(
		'network',
		'NET/s',
		8,
		8,
		({received, sent}) => humanSize(received + sent, 3),
		({received, sent}) => received + sent,
	),
	usageColumn(
		'block',
		'BLOCK/s',
		8,
		9,
		({read, written}) => humanSize(read + written, 3),
		({read, written}) => read + written,
	),
	usageColumn(
		'pids',
		'PIDS',
		6,
		10,
		({pids}) => String(pids),
		({pids}) => pids,
	),
];

const allRows = (state: State): ContainerSummary[] => [...state.containers.values()];

export const containersPane: ListPane<ContainerSummary> = {
	id: 'containers',
	title: 'Containers',
	columns: [
		{
			name: 'state',
			title: '',
			min: 1,
			cell: containerSymbol,
			order: (row) => STATE_ORDER[row.State] ?? 9,
		},
		{
			name: 'name',
			title: 'NAME',
			min: 8,
			grow: 3,
			keep: 30,
			cell: (row) => ({text: containerName(row)}),
			order: containerName,
		},
		{
			name: 'image',
			title: 'IMAGE',
			min: 8,
			grow: 3,
			drop: 2,
			cell: (row) => ({text: row.Image, tone: 'info'}),
			order: (row) => row.Image,
		},
		{
			name: 'status',
			title: 'STATUS',
			min: 14,
			keep: 26,
			grow: 2,
			cell: (row, state) => {
				const busy = state.busy.get(row.Id);
				if (busy !== undefined) return {text: `${busy}…`, tone: 'warning'};
				return {text: statusText(row, state.now), tone: statusTone(row)};
			},
		},
		{
			name: 'ports',
			title: 'PORTS',
			min: 0,
			max: 40,
			grow: 1,
			keep: 13,
			drop: 3,
			cell: (row) => ({text: portsText(row.Ports), tone: 'accent'}),
		},
		...usageColumns,
		{
			name: 'command',
			title: 'COMMAND',
			min: 10,
			grow: 2,
			drop: 4,
			cell: (row) => ({text: row.Command, tone: 'muted'}),
			// The room is for the numbers when they are wanted.
			shown: (state) => !state.usage.listed,
		},
		// Not shown: the newest first, as `ps` has it.
		{name: 'created', title: '', min: 0, max: 0, cell: () => ({text: ''}), order: (row) => -row.Created},
	],
	rows: (state) => {
		const rows = allRows(state);
		return state.hideStopped ? rows.filter(isUp) : rows;
	},
	key: (row) => row.Id,
	searchText: (row) =>
		`${containerName(row)} ${row.Image} ${row.State} ${row.Id.slice(0, 12)} ${row.Command}`,
	counter: (state) => {
		const {up} = countContainers(state);
		return `${up}/${state.containers.size}`;
	},
	empty: (state) =>
		state.hideStopped && state.containers.size > 0
			? [`${state.containers.size} stopped, not shown.`, '', keyLine('container.toggleStopped', 'shows them')]
			: [
					'No containers yet.',
					'',
					keyLine('app.base', 'runs wherry/base: a small image made'),
					`${keyOf('app.base').replaceAll(/./g, ' ')}  from this machine’s own files, offline`,
					keyLine('container.run', 'runs an image that you name'),
					keyLine('app.help', 'shows all keys'),
				],
};
