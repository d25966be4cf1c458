/** A build's row in the state: its steps after what the build has told. Pure. */
import type {BuildEvent} from '../../engine/api.ts';
import {stepRows} from '../panes/builds.ts';
import {selectedBuild} from '../panes/index.ts';
import {setList} from './reducers.ts';
import type {BuildRow, BuildStep, State} from './state.ts';

/** Lines of a step that are kept, and characters of a line. */
const LINES = 1000;
const LINE_LIMIT = 4096;

/** The steps after what a build has told; `now` in seconds since the epoch. Pure. */
export function withBuildEvents(
	steps: readonly BuildStep[],
	events: readonly BuildEvent[],
	now: number,
): readonly BuildStep[] {
	const next = [...steps];
	const change = (id: number, by: (step: BuildStep) => Partial<BuildStep>): void => {
		const at = next.findIndex((step) => step.id === id);
		if (at >= 0) next[at] = {...next[at]!, ...by(next[at]!)};
	};
	for (const event of events) {
		switch (event.kind) {
			case 'start':
				next.push({
					id: event.id,
					name: event.name,
					state: 'running',
					started: now,
					lines: [],
					dropped: 0,
					open: false,
				});
				break;
			case 'log':
				change(event.id, (step) => withText(step, event.text));
				break;
			case 'note':
				change(event.id, () => ({note: event.text}));
				break;
			case 'cached':
			case 'done':
				change(event.id, () => ({state: event.kind, ended: now}));
				break;
			case 'error':
				change(event.id, (step) => ({...withText(step, `${event.message}\n`), state: 'failed', ended: now}));
				break;
			case 'warning':
				next.push({
					id: -next.length - 1,
					name: `${event.rule}: ${event.message} (line ${event.line})`,
					state: 'done',
					started: now,
					ended: now,
					lines: event.excerpt.split('\n'),
					dropped: 0,
					open: false,
				});
				break;
		}
	}
	return next;
}

/** Its lines with more text; the last one may have no end yet. */
function withText(step: BuildStep, text: string): Partial<BuildStep> {
	const parts = text.split('\n');
	const open = parts.at(-1) !== '';
	if (!open) parts.pop();
	const lines = [...step.lines];
	if (step.open && parts.length > 0) lines.push(((lines.pop() ?? '') + parts.shift()!).slice(0, LINE_LIMIT));
	for (const part of parts) lines.push(part.slice(0, LINE_LIMIT));
	const more = Math.max(0, lines.length - LINES);
	return {lines: lines.slice(more), dropped: step.dropped + more, open};
}

/** The state with a build's row changed; whoever looked at the end of its steps still does. Pure. */
export function setBuild(state: State, id: string, by: (row: BuildRow) => BuildRow): State {
	const before = state.builds.find((row) => row.id === id);
	if (!before) return state;
	const after = by(before);
	const next = {...state, builds: state.builds.map((row) => (row === before ? after : row))};
	if (selectedBuild(state)?.id !== id) return next;
	const end = stepRows(state, before).at(-1)?.key;
	const {selected} = state.lists.steps;
	const follows = end === undefined || selected === undefined || selected === end;
	const rows = stepRows(next, after);
	return follows && rows.length > 0
		? setList(next, 'steps', {selected: rows.at(-1)!.key, index: rows.length - 1})
		: next;
}
