/**
 * The record of a build: what its events come to, and the text of the file that it is kept in. A small JSON document, in
 * WHERRY_RUN/builds while the build runs and in WHERRY_ROOT/builds afterwards. Pure.
 */
import type {BuildEvent, BuildRecord, BuildRecordStep} from '../api.ts';
import type {ProcessIdentity} from '../processes.ts';

/** Lines of a step, characters of a line and of other texts, and of a whole record: of what is more the end is worth most. */
const LINES = 200;
const LINE = 1000;
const TEXT = 4096;
const STEPS = 500;
export const SIZE = 64 * 1024;
/** A file that is larger is none of ours. */
export const LARGEST = 4 * SIZE;
/** Characters of output that wait to be cut into lines. */
const UNCUT = 1 << 20;

/** `<milliseconds>-<id>.json`: the oldest come first. */
export const fileName = ({started, id}: Pick<BuildRecord, 'started' | 'id'>): string =>
	`${String(started).padStart(13, '0')}-${id}.json`;
const NAME = /^(\d{13})-([a-z0-9]{25})\.json$/;

export const idOfFile = (name: string): string | undefined => NAME.exec(name)?.[2];

/** What is in the file and not for everybody: whose build it is. */
export interface StoredRecord extends BuildRecord {
	process: ProcessIdentity;
}

interface Step {
	name: string;
	state: BuildRecordStep['state'];
	started: number;
	ended: number | undefined;
	note: string | undefined;
	/** Output that isn't cut into lines yet. */
	rest: string;
	lines: string[];
	dropped: number;
}

/** Cuts what a step wrote into lines and keeps the last ones; what has no end yet stays. */
function cut(step: Step): void {
	const lines = step.rest.split('\n');
	step.rest = lines.pop()!.slice(-TEXT);
	const left = Math.max(0, lines.length - LINES);
	for (const line of lines.slice(left)) step.lines.push(line.slice(0, LINE));
	const more = Math.max(0, step.lines.length - LINES);
	step.lines.splice(0, more);
	step.dropped += left + more;
}

/** The steps of a build as its events come. Output is only put down here, and cut when somebody asks. */
export class BuildSteps {
	readonly #steps = new Map<number, Step>();
	#remarks = 0;

	/** `now` in milliseconds since the epoch. */
	show(event: BuildEvent, now: number): void {
		if (event.kind === 'warning') {
			const name = `${event.rule}: ${event.message} (line ${event.line})`;
			this.#add(--this.#remarks, {name, state: 'done', ended: now, lines: event.excerpt.split('\n')}, now);
			return;
		}
		if (event.kind === 'start') {
			this.#add(event.id, {name: event.name, state: 'running', ended: undefined, lines: []}, now);
			return;
		}
		const step = this.#steps.get(event.id);
		if (!step) return;
		switch (event.kind) {
			case 'log':
				step.rest += event.text;
				if (step.rest.length > UNCUT) cut(step);
				return;
			case 'note':
				step.note = event.text.slice(0, TEXT);
				return;
			case 'error':
				if (step.rest !== '' && !step.rest.endsWith('\n')) step.rest += '\n';
				step.rest += `${event.message.slice(0, TEXT)}\n`;
				step.state = 'failed';
				step.ended = now;
				return;
			default:
				step.state = event.kind;
				step.ended = now;
		}
	}

	#add(id: number, step: Pick<Step, 'name' | 'state' | 'ended' | 'lines'>, now: number): void {
		if (this.#steps.size >= STEPS) return;
		const {name, lines, ...rest} = step;
		const kept = lines.slice(0, LINES).map((line) => line.slice(0, LINE));
		const whole = {...rest, name: name.slice(0, TEXT), lines: kept};
		this.#steps.set(id, {...whole, started: now, note: undefined, rest: '', dropped: 0});
	}

	list(): BuildRecordStep[] {
		return [...this.#steps].map(([id, step]) => {
			cut(step);
			const {name, state, started, ended, note, rest, lines, dropped} = step;
			return {
				...{id, name, state, started},
				...(ended === undefined ? {} : {ended}),
				...(note === undefined ? {} : {note}),
				lines: rest === '' ? [...lines] : [...lines, rest.slice(0, LINE)],
				dropped,
			};
		});
	}
}

/** With fewer lines where all of them would be too much. */
export function recordText(record: StoredRecord): string {
	for (let most = LINES; ; most = Math.floor(most / 4)) {
		const steps = record.steps.map((step) => {
			const lines = most > 0 ? step.lines.slice(-most) : [];
			return {...step, lines, dropped: step.dropped + step.lines.length - lines.length};
		});
		const text = JSON.stringify({...record, steps});
		if (text.length <= SIZE) return text;
		if (most === 0) return JSON.stringify({...record, steps: []});
	}
}

const STATES: readonly unknown[] = ['running', 'done', 'failed', 'cancelled', 'broken'];
const STEP_STATES: readonly unknown[] = ['running', 'done', 'cached', 'failed'];

const isText = (value: unknown): value is string => typeof value === 'string';
const isTime = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0;
/** Absent, or what is wanted. */
const maybe = (value: unknown, is: (value: unknown) => boolean): boolean => value === undefined || is(value);

function stepOf(value: unknown): BuildRecordStep[] {
	if (typeof value !== 'object' || value === null) return [];
	const {id, name, state, started, ended, note, lines, dropped} = value as Partial<BuildRecordStep>;
	if (!Number.isSafeInteger(id) || !isText(name) || !STEP_STATES.includes(state) || !isTime(started))
		return [];
	if (!maybe(ended, isTime) || !maybe(note, isText) || !isTime(dropped)) return [];
	if (!Array.isArray(lines) || !lines.every(isText)) return [];
	return [
		{
			...{id: id!, name, state: state!, started},
			...(ended === undefined ? {} : {ended}),
			...(note === undefined ? {} : {note}),
			...{lines, dropped},
		},
	];
}

/** Undefined for what is none, whatever it is; `id` is what its file is called by. */
export function parseRecord(text: string, id: string): StoredRecord | undefined {
	let value: Partial<StoredRecord> | null;
	try {
		value = JSON.parse(text) as Partial<StoredRecord> | null;
	} catch {
		return undefined;
	}
	if (typeof value !== 'object' || value === null || value.id !== id) return undefined;
	const {tags, context, dockerfile, target, state, started, ended, steps, error, image, process} = value;
	if (!Array.isArray(tags) || !tags.every(isText) || !isText(context) || !STATES.includes(state))
		return undefined;
	if (!isTime(started) || !maybe(ended, isTime) || !Array.isArray(steps)) return undefined;
	if (![dockerfile, target, error, image].every((one) => maybe(one, isText))) return undefined;
	if (typeof process !== 'object' || process === null || !isText(process.bootId)) return undefined;
	if (!Number.isSafeInteger(process.pid) || process.pid <= 0 || !Number.isFinite(process.start))
		return undefined;
	return {
		...{id, tags, context, state: state!, started, interruptible: value.interruptible === true},
		...(dockerfile === undefined ? {} : {dockerfile}),
		...(target === undefined ? {} : {target}),
		...(ended === undefined ? {} : {ended}),
		...(error === undefined ? {} : {error}),
		...(image === undefined ? {} : {image}),
		steps: steps.flatMap(stepOf),
		pid: process.pid,
		process: {pid: process.pid, start: process.start, bootId: process.bootId},
	};
}

/** As it is when its process has ended without a word; `ended` is when it last wrote. */
export const brokenOff = (record: StoredRecord, ended: number): StoredRecord => ({
	...record,
	state: 'broken',
	ended,
	steps: record.steps.map((step) => (step.state === 'running' ? {...step, state: 'failed', ended} : step)),
});
