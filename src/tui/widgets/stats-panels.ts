/** What the graphs of a container show, in numbers and words, and where each is drawn. Pure. */
import {bytesSize, humanSize} from '../../cli/format/size.ts';
import type {UsageHistory, UsageSample} from '../store/usage-history.ts';
import type {Tone} from '../theme.ts';
import {niceMax, samplesIn} from './graph.ts';

type Series = 'cpu' | 'memory' | 'received' | 'sent' | 'read' | 'written' | 'pids';

export interface Panel {
	title: string;
	/** What it is now. */
	value: string;
	/** What the graph's edge is, and other things worth knowing. */
	note: string;
	tone: Tone;
	/** The graph that stands, and the one that hangs below it, on the same scale. */
	up: readonly number[];
	down?: readonly number[];
	max: number;
}

export interface Place {
	x: number;
	y: number;
	width: number;
	height: number;
}

const PANELS = 5;

/**
 * Five places in this room: one under the other while each has its title and two rows, in two columns where that is
 * wide enough, else a line each.
 */
export function panelPlaces(width: number, height: number): Place[] {
	const columns = height >= PANELS * 4 || width < 60 ? 1 : 2;
	const rows = Math.ceil(PANELS / columns);
	const gap = columns > 1 ? 2 : 0;
	const wide = Math.floor((width - gap) / columns);
	const places: Place[] = [];
	for (let index = 0; index < PANELS; index++) {
		const row = Math.floor(index / columns);
		const y = Math.floor((height * row) / rows);
		const tall = Math.floor((height * (row + 1)) / rows) - y;
		if (tall > 0) places.push({x: (index % columns) * (wide + gap), y, width: wide, height: tall});
	}
	return places;
}

const perSecond = (bytes: number): string => `${humanSize(bytes, 3)}/s`;
const percent = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)}%`;

function memoryTone({memory, memoryLimit}: UsageSample): Tone {
	const part = memoryLimit > 0 ? memory / memoryLimit : 0;
	return part > 0.9 ? 'bad' : part > 0.75 ? 'warning' : 'accent';
}

/** For graphs so many cells wide. */
export function statsPanels(history: UsageHistory, width: number): Panel[] {
	const now = history.last;
	if (!now) return [];
	const series = (name: Series): number[] => history.values(name, samplesIn(width));
	const peak = (values: readonly number[]): number =>
		values.reduce((most, value) => Math.max(most, value), 0);
	const pair = (title: string, one: Series, other: Series, words: [string, string], note: string): Panel => {
		const [up, down] = [series(one), series(other)];
		const [first, second] = words;
		return {
			title,
			value: `${first} ${perSecond(now[one])}  ${second} ${perSecond(now[other])}`,
			note,
			tone: 'info',
			up,
			down,
			max: niceMax(Math.max(peak(up), peak(down)), 1000),
		};
	};
	const {totals} = now;
	const cpu = series('cpu');
	const memory = series('memory');
	const pids = series('pids');
	const part = now.memoryLimit > 0 ? now.memory / now.memoryLimit : 0;
	// A small part of a large limit would be a line on the ground.
	const near = peak(memory) > now.memoryLimit / 4;
	const memoryMax = near ? now.memoryLimit : peak(memory) * 1.25;
	const cpuMax = niceMax(peak(cpu), 10);
	return [
		{
			title: 'CPU',
			value: percent(now.cpu),
			note: `top ${percent(peak(cpu))} · scale ${cpuMax}%`,
			tone: 'good',
			up: cpu,
			max: cpuMax,
		},
		{
			title: 'Memory',
			value: `${bytesSize(now.memory)} / ${bytesSize(now.memoryLimit)}  ${percent(part * 100)}`,
			note: near ? 'scale limit' : `scale ${bytesSize(memoryMax)}`,
			tone: memoryTone(now),
			up: memory,
			max: memoryMax,
		},
		pair(
			'Network',
			'received',
			'sent',
			['↓', '↑'],
			`all ↓ ${humanSize(totals.received, 3)} ↑ ${humanSize(totals.sent, 3)}`,
		),
		pair(
			'Block I/O',
			'read',
			'written',
			['read', 'write'],
			`all ${humanSize(totals.read, 3)} / ${humanSize(totals.written, 3)}`,
		),
		{
			title: 'Processes',
			value: now.pidsLimit === undefined ? String(now.pids) : `${now.pids} / ${now.pidsLimit}`,
			note: `top ${peak(pids)}`,
			tone: 'accent',
			up: pids,
			max: niceMax(peak(pids), 5),
		},
	];
}
