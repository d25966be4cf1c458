/** What happened, the newest first. */
import type {EngineEvent} from '../../engine/api.ts';
import type {Tone} from '../theme.ts';
import type {ListPane} from './pane.ts';

const TONES: Record<string, Tone> = {
	start: 'good',
	create: 'good',
	die: 'warning',
	kill: 'warning',
	oom: 'bad',
	destroy: 'muted',
	delete: 'muted',
	remove: 'muted',
};

const two = (value: number): string => String(value).padStart(2, '0');

/** `12:00:01` of today, `11-25 12:00` of another day; local time. */
export function eventTime(seconds: number, now: number): string {
	const date = new Date(seconds * 1000);
	if (Number.isNaN(date.getTime())) return '–';
	const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
	if (date.toDateString() === new Date(now * 1000).toDateString())
		return `${clock}:${two(date.getSeconds())}`;
	return `${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`;
}

/** Ids as short as elsewhere. */
const short = (id: string): string => id.replace(/^(sha256:)?([0-9a-f]{12})[0-9a-f]{52}$/, '$2');

/** Whom it is about. */
export function eventObject({Actor}: EngineEvent): string {
	return Actor.Attributes.name ?? short(Actor.ID);
}

export const eventTitle = (event: EngineEvent): string =>
	`${event.Type} ${event.Action} ${eventObject(event)}`;

/** What is worth a look of its attributes: not the name, nor the labels of what it is about. */
function noteText({Type, Actor: {Attributes}}: EngineEvent): string {
	const {exitCode, signal, container, image, driver} = Attributes;
	return [
		...(exitCode === undefined ? [] : [`exit code ${exitCode}`]),
		...(signal === undefined ? [] : [`signal ${signal}`]),
		...(container === undefined ? [] : [`container ${short(container)}`]),
		...(Type === 'container' && image ? [image] : []),
		...(driver && Type !== 'container' ? [driver] : []),
	].join(' · ');
}

const numbers = new WeakMap<EngineEvent, number>();
let counted = 0;

/** Two events of one moment are two. */
function eventKey(event: EngineEvent): string {
	let number = numbers.get(event);
	if (number === undefined) {
		number = counted++;
		numbers.set(event, number);
	}
	return `${event.timeNano} ${number}`;
}

export const eventsPane: ListPane<EngineEvent> = {
	id: 'events',
	title: 'Events',
	newestFirst: true,
	columns: [
		{
			name: 'time',
			title: 'TIME',
			min: 8,
			max: 11,
			drop: 1,
			cell: (row, state) => ({text: eventTime(row.time, state.now), tone: 'muted'}),
		},
		{name: 'type', title: 'TYPE', min: 5, max: 9, drop: 2, cell: (row) => ({text: row.Type, tone: 'info'})},
		{
			name: 'action',
			title: 'ACTION',
			min: 7,
			max: 30,
			cell: (row) => ({text: row.Action, tone: TONES[row.Action.split(':')[0]!] ?? 'normal'}),
		},
		{name: 'object', title: 'OBJECT', min: 6, grow: 2, keep: 12, cell: (row) => ({text: eventObject(row)})},
		{
			name: 'note',
			title: '',
			min: 0,
			max: 60,
			grow: 1,
			drop: 3,
			cell: (row) => ({text: noteText(row), tone: 'muted'}),
		},
	],
	rows: (state) => state.events,
	key: eventKey,
	searchText: (row) => `${row.Type} ${row.Action} ${eventObject(row)} ${noteText(row)} ${row.Actor.ID}`,
	counter: (state) => (state.events.length > 0 ? String(state.events.length) : ''),
	empty: () => ['Nothing has happened lately.'],
};
