import type {BuildEvent, BuildWarning} from '../../engine/api.ts';

/** A step as the display on a terminal knows it. */
export interface ShownStep {
	readonly name: string;
	/** Milliseconds. */
	readonly began: number;
	ended: number | undefined;
	state: 'running' | 'done' | 'cached' | 'error';
	/** The last lines that it wrote, which are shown while it runs. */
	readonly lines: string[];
	readonly notes: string[];
	partial: string;
}

export interface BuildState {
	readonly began: number;
	readonly steps: Map<number, ShownStep>;
	readonly warnings: BuildWarning[];
}

const shownLines = 6;

export const newBuildState = (now: number): BuildState => ({began: now, steps: new Map(), warnings: []});

/** What a container wrote is shown without what would move the cursor. */
const plain = (text: string): string => text.replace(/\x1b\[[0-9;?]*[a-zA-Z]|[\x00-\x1f\x7f]/g, '');

export function apply({steps, warnings}: BuildState, event: BuildEvent, now: number): void {
	if (event.kind === 'warning') {
		warnings.push(event);
		return;
	}
	if (event.kind === 'start') {
		steps.set(event.id, {
			name: plain(event.name),
			began: now,
			ended: undefined,
			state: 'running',
			lines: [],
			notes: [],
			partial: '',
		});
		return;
	}
	const step = steps.get(event.id);
	if (!step) return;
	if (event.kind === 'log') {
		const lines = (step.partial + event.text).split('\n');
		// A carriage return begins the line again, as a progress bar does.
		step.partial = lines.pop()!.slice(-4096);
		step.lines.push(...lines.map((line) => plain(line.replace(/\r$/, '').replace(/^.*\r/, ''))));
		step.lines.splice(0, Math.max(0, step.lines.length - shownLines));
	} else if (event.kind === 'note') step.notes.push(plain(event.text));
	else {
		step.state = event.kind;
		step.ended = now;
	}
}

const seconds = (milliseconds: number): string => `${(Math.max(0, milliseconds) / 1000).toFixed(1)}s`;

/** A line of text with its time at the right edge. */
function row(text: string, time: string, columns: number): string {
	const room = Math.max(8, columns - time.length - 1);
	const characters = [...text];
	const cut = characters.length > room ? `${characters.slice(0, room - 3).join('')}...` : text;
	return `${cut}${' '.repeat(room - [...cut].length)} ${time}`;
}

export interface FrameLine {
	readonly text: string;
	readonly kind: 'head' | 'running' | 'done' | 'error' | 'log';
}

/**
 * All lines of the display: a head, then each step with its notes, and under one that runs its last lines, which fold
 * away when it ends. What does not fit into the rows are the oldest steps that have ended. Pure.
 */
export function frameOf(
	{began, steps}: BuildState,
	now: number,
	size: {columns: number; rows: number},
	isOver: boolean,
): FrameLine[] {
	const all = [...steps.values()];
	const ended = all.filter(({state}) => state !== 'running').length;
	const finished = isOver ? ' FINISHED' : '';
	const head: FrameLine = {
		text: `[+] Building ${seconds(now - began)} (${ended}/${all.length})${finished}`,
		kind: 'head',
	};
	const blocks = all.map(({name, began: since, ended: until, state, lines, notes, partial}) => {
		const mark = state === 'cached' ? 'CACHED ' : state === 'error' ? 'ERROR ' : '';
		const time = seconds((until ?? now) - since);
		const kind: FrameLine['kind'] = state === 'error' ? 'error' : state === 'running' ? 'running' : 'done';
		const block: FrameLine[] = [{text: row(` => ${mark}${name}`, time, size.columns), kind}];
		for (const note of notes) block.push({text: row(` => => ${note}`, seconds(0), size.columns), kind});
		if (state === 'running') {
			const last = plain(partial.replace(/^.*\r/, ''));
			for (const line of [...lines, ...(last ? [last] : [])].slice(-shownLines))
				block.push({text: [...` => => # ${line}`].slice(0, size.columns - 1).join(''), kind: 'log'});
		}
		return {block, isRunning: state === 'running'};
	});
	const room = isOver ? Number.POSITIVE_INFINITY : Math.max(2, size.rows - 2);
	let total = blocks.reduce((sum, {block}) => sum + block.length, 0);
	const kept = blocks.filter(({block, isRunning}) => {
		if (total <= room || isRunning) return true;
		total -= block.length;
		return false;
	});
	return [head, ...kept.flatMap(({block}) => block).slice(-room)];
}
