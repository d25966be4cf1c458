/**
 * Builds that have ended, so that the next session lists them, too: a small file each in WHERRY_ROOT/builds, the last few
 * of them. They are for reading alone; what can't be read or written is left out.
 */
import {mkdir, readdir, readFile, unlink} from 'node:fs/promises';
import {replaceFile} from '../../engine/store/files.ts';
import {setList} from './reducers.ts';
import type {BuildRow, BuildStep, State} from './state.ts';

/** Files that are kept. */
const KEPT = 20;
/** Lines of a step, and characters of a whole record: of what is more the end is worth most. */
const LINES = 200;
const SIZE = 128 * 1024;
const NAME = /^\d+-\d+-\d+\.json$/;

/** With fewer lines where all of them would be too much. Pure. */
export function recordText(row: BuildRow): string {
	for (let lines = LINES; ; lines = Math.floor(lines / 2)) {
		const steps = row.steps.map((step) => {
			const kept = lines > 0 ? step.lines.slice(-lines) : [];
			return {...step, lines: kept, dropped: step.dropped + step.lines.length - kept.length, open: false};
		});
		const text = JSON.stringify({...row, steps});
		if (text.length <= SIZE) return text;
		if (lines === 0) return JSON.stringify({...row, steps: []});
	}
}

/** Undefined for what is none. Pure. */
export function parseRecord(text: string): BuildRow | undefined {
	let value: Partial<BuildRow>;
	try {
		value = JSON.parse(text);
	} catch {
		return undefined;
	}
	if (typeof value !== 'object' || value === null) return undefined;
	const {id, tag, folder, state, started, ended, steps, error, image} = value;
	if (typeof id !== 'string' || typeof tag !== 'string' || typeof folder !== 'string') return undefined;
	if (state !== 'done' && state !== 'failed' && state !== 'cancelled') return undefined;
	if (typeof started !== 'number' || typeof ended !== 'number' || !Array.isArray(steps)) return undefined;
	return {
		...{id, tag, folder, state, started, ended, steps: steps.filter(isStep)},
		...(typeof error === 'string' ? {error} : {}),
		...(typeof image === 'string' ? {image} : {}),
	};
}

const STATES: readonly unknown[] = ['running', 'done', 'cached', 'failed'];

function isStep(step: Partial<BuildStep> | null): step is BuildStep {
	return (
		typeof step === 'object' &&
		step !== null &&
		[step.id, step.started, step.dropped].every(Number.isFinite) &&
		(step.ended === undefined || Number.isFinite(step.ended)) &&
		(step.note === undefined || typeof step.note === 'string') &&
		typeof step.name === 'string' &&
		STATES.includes(step.state) &&
		Array.isArray(step.lines) &&
		step.lines.every((line) => typeof line === 'string')
	);
}

/** The newest first; the name begins with the time. */
async function names(folder: string): Promise<string[]> {
	const all = await readdir(folder).catch(() => []);
	return all
		.filter((name) => NAME.test(name))
		.sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10));
}

/** `folder` is that of the engine's paths. */
export async function readBuildRecords(folder: string): Promise<BuildRow[]> {
	const files = (await names(folder)).slice(0, KEPT);
	const texts = await Promise.all(files.map((name) => readFile(`${folder}/${name}`, 'utf8').catch(() => '')));
	return texts.flatMap((text, at) => {
		const row = text.length <= 4 * SIZE ? parseRecord(text) : undefined;
		return row && `${row.id}.json` === files[at] ? [row] : [];
	});
}

export async function keepBuildRecord(folder: string, row: BuildRow): Promise<void> {
	try {
		// Only where the engine's own folder is there.
		await mkdir(folder, {mode: 0o700}).catch((error) => {
			if (error.code !== 'EEXIST') throw error;
		});
		await replaceFile(`${folder}/${row.id}.json`, recordText(row), {sync: false});
		for (const name of (await names(folder)).slice(KEPT)) await forgetBuildRecord(folder, name.slice(0, -5));
	} catch {
		// A build is no worse for it.
	}
}

export async function forgetBuildRecord(folder: string, id: string): Promise<void> {
	if (NAME.test(`${id}.json`)) await unlink(`${folder}/${id}.json`).catch(() => {});
}

/** Those of before, behind and among those of this session; the selected one stays selected. Pure. */
export function withBuildRecords(state: State, records: readonly BuildRow[]): State {
	const known = new Set(state.builds.map(({id}) => id));
	const more = records.filter(({id}) => !known.has(id));
	if (more.length === 0) return state;
	const builds = [...state.builds, ...more].sort((a, b) => b.started - a.started);
	const {selected} = state.lists.builds;
	const index = builds.findIndex(({id}) => id === selected);
	return setList({...state, builds}, 'builds', index < 0 ? {} : {index});
}
