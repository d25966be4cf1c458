/** Builds an image from a folder: the form, the steps as they go on, and an end before their time. */
import {homedir} from 'node:os';
import {resolve} from 'node:path';
import {humanSize} from '../../cli/format/size.ts';
import type {BuildEvent, BuildOptions} from '../../engine/api.ts';
import {newBuildId} from '../../engine/build/build-id.ts';
import type {WherryError} from '../../engine/errors.ts';
import {textField} from '../input/text-field.ts';
import {keyOf} from '../keys.ts';
import {stepPath, stepRows} from '../panes/builds.ts';
import {selectedBuild} from '../panes/index.ts';
import {setBuild, withBuildEvents} from '../store/build-rows.ts';
import {focusPane, setJob, setList} from '../store/reducers.ts';
import type {BuildRow, FormField} from '../store/state.ts';
import {type ActionContext, openDialog, remember, showError, showMessage} from './context.ts';
import {askRun, splitWords} from './run.ts';

/** Builds that are remembered at least; those that have records come back with these. */
const KEPT = 50;
/** Milliseconds between two looks at what a build has told. */
const FLUSH = 100;

export interface BuildRequest {
	folder: string;
	dockerfile: string;
	tag: string;
	args: Readonly<Record<string, string>>;
	target: string;
	noCache: boolean;
	pull: boolean;
}

let last: Record<string, string | boolean> = {};
const running = new Map<string, {abort: AbortController; ended: Promise<void>}>();

export function askBuild(context: ActionContext): void {
	const text = (id: string, label: string, hint: string): FormField => ({
		id,
		label,
		hint,
		value: textField(String(last[id] ?? '')),
	});
	openDialog(context, {
		kind: 'form',
		title: 'Build an image',
		fields: [
			text('folder', 'Folder', 'this one; ~/app'),
			text('tag', 'Tag', 'app:1'),
			text('dockerfile', 'Dockerfile', 'the folder’s own when empty'),
			text('args', 'Arguments', 'KEY=value KEY2=value'),
			text('target', 'Target stage', 'the last one when empty'),
			{id: 'noCache', label: 'All steps anew (--no-cache)', value: last.noCache === true},
			{id: 'pull', label: 'Ask for newer bases (--pull)', value: last.pull === true},
		],
		index: 0,
		submit: 'build',
		onSubmit: (values) => {
			const request = readBuildForm(values);
			if (typeof request === 'string') return request;
			last = values;
			void build(context, request);
			return undefined;
		},
	});
}

/** What the form says, or why it can't be done. */
export function readBuildForm(values: Record<string, string | boolean>): BuildRequest | string {
	const value = (id: string): string => String(values[id] ?? '').trim();
	const args = splitWords(value('args'));
	if (!args) return 'A quote is not closed.';
	const wrong = args.find((word) => !/^[^=]+=/.test(word));
	if (wrong !== undefined) return `${wrong}: arguments are KEY=value.`;
	return {
		folder: value('folder') || '.',
		dockerfile: value('dockerfile'),
		tag: value('tag'),
		args: Object.fromEntries(
			args.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
		),
		target: value('target'),
		noCache: values.noCache === true,
		pull: values.pull === true,
	};
}

export function buildWords({folder, dockerfile, tag, args, target, noCache, pull}: BuildRequest): string[] {
	return [
		'build',
		...(tag === '' ? [] : ['-t', tag]),
		...(dockerfile === '' ? [] : ['-f', dockerfile]),
		...Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
		...(target === '' ? [] : ['--target', target]),
		...(noCache ? ['--no-cache'] : []),
		...(pull ? ['--pull'] : []),
		folder,
	];
}

const absolute = (path: string): string =>
	resolve(path === '~' || path.startsWith('~/') ? homedir() + path.slice(1) : path);

function optionsOf({folder, dockerfile, tag, args, target, noCache, pull}: BuildRequest): BuildOptions {
	return {
		context: {folder: absolute(folder)},
		...(dockerfile === '' ? {} : {dockerfile: absolute(dockerfile)}),
		...(tag === '' ? {} : {tags: [tag]}),
		args,
		...(target === '' ? {} : {target}),
		noCache,
		pull,
	};
}

async function build(context: ActionContext, request: BuildRequest): Promise<void> {
	const {store, engine} = context;
	const id = newBuildId();
	const job = `build ${request.tag || request.folder}`;
	const row: BuildRow = {
		id,
		tag: request.tag,
		folder: absolute(request.folder),
		state: 'running',
		started: Date.now() / 1000,
		steps: [],
	};
	const abort = new AbortController();
	const {promise: ended, resolve: onEnd} = Promise.withResolvers<void>();
	running.set(id, {abort, ended});
	remember(context, ...buildWords(request));
	store.update((state) => {
		const builds = [row, ...state.builds].slice(0, KEPT);
		const next = setList({...state, builds, tabs: {...state.tabs, builds: 'steps'}}, 'steps', {
			selected: undefined,
		});
		return setJob(focusPane(setList(next, 'builds', {selected: id, index: 0}), 'builds'), job, '…');
	});
	let waiting: BuildEvent[] = [];
	let timer: NodeJS.Timeout | undefined;
	const flush = (): void => {
		clearTimeout(timer);
		timer = undefined;
		const events = waiting;
		waiting = [];
		if (events.length === 0) return;
		const now = Date.now() / 1000;
		store.observe((state) => {
			const next = setBuild({...state, now: Math.max(state.now, now)}, id, (one) => ({
				...one,
				steps: withBuildEvents(one.steps, events, now),
			}));
			const current = next.builds
				.find((one) => one.id === id)
				?.steps.findLast((step) => step.state === 'running');
			return current ? setJob(next, job, current.name) : next;
		});
	};
	const end = (change: Partial<BuildRow>): void => {
		flush();
		const ended = Date.now() / 1000;
		store.update((state) =>
			setBuild({...state, now: Math.max(state.now, ended)}, id, (one) => ({...one, ...change, ended})),
		);
	};
	try {
		const made = await engine.build({
			...optionsOf(request),
			id,
			signal: abort.signal,
			onProgress: (event) => {
				waiting.push(event);
				timer ??= setTimeout(flush, FLUSH);
			},
		});
		end({state: 'done', image: made.id});
		showMessage(context, {tone: 'good', text: `Built ${request.tag || made.id.slice(7, 19)}.`});
	} catch (error) {
		const cancelled = abort.signal.aborted;
		const text = error instanceof Error ? error.message.split('\n')[0]! : String(error);
		end(cancelled ? {state: 'cancelled'} : {state: 'failed', error: text});
		if (cancelled) showMessage(context, {tone: 'info', text: `Given up: ${job}.`});
		else showError(context, error);
	} finally {
		running.delete(id);
		store.update((state) => setJob(state, job, undefined));
		// Whoever leaves waits for this.
		onEnd();
	}
}

export function cancelBuild(context: ActionContext): void {
	const row = selectedBuild(context.store.state);
	const found = row && running.get(row.id);
	if (found) found.abort.abort();
	else if (row?.state === 'running') cancelForeign(context, row);
	else showMessage(context, {tone: 'info', text: 'It is not running.'});
}

/** Somebody else waits for it. */
function cancelForeign(context: ActionContext, {id, tag, folder, pid}: BuildRow): void {
	openDialog(context, {
		kind: 'confirm',
		title: `Give up the build of ${tag || folder}`,
		lines: [
			`Process ${pid} builds it, outside of this window, and is told to stop.`,
			'Steps that are done stay in the cache.',
		],
		choices: [
			{id: 'no', label: 'No', key: 'n'},
			{id: 'stop', label: 'Give it up', key: 'y'},
		],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'no') return;
			context.engine.builds.cancel(id).catch((error) => showError(context, error));
		},
	});
}

/** Gives all up that still run; resolves when nothing of them is left. Undefined: there is none. */
export function endBuilds(): Promise<unknown> | undefined {
	const all = [...running.values()];
	for (const {abort} of all) abort.abort();
	return all.length > 0 ? Promise.all(all.map(({ended}) => ended)) : undefined;
}

export function forgetBuild(context: ActionContext): void {
	const row = selectedBuild(context.store.state);
	if (row?.state === 'running')
		showMessage(context, {tone: 'info', text: `It still runs; ${keyOf('build.cancel')} gives it up.`});
	else if (row) {
		remember(context, 'buildx', 'history', 'rm', row.id);
		context.store.update((state) => ({...state, builds: state.builds.filter(({id}) => id !== row.id)}));
		context.engine.builds.remove(row.id).catch((error) => {
			// It has no record any more, or has never had one.
			if ((error as WherryError).code !== 'not-found') showError(context, error);
		});
	}
}

export function runBuilt(context: ActionContext): void {
	const row = selectedBuild(context.store.state);
	if (row?.image) askRun(context, row.tag || row.image);
	else showMessage(context, {tone: 'info', text: 'It has made no image.'});
}

export function foldStep({store}: ActionContext): void {
	store.update((state) => {
		const row = selectedBuild(state);
		const rows = row ? stepRows(state, row) : [];
		const found = rows.find(({key}) => key === state.lists.steps.selected);
		if (!row || !found) return state;
		const path = stepPath(row, found.step);
		const folded = new Set(state.folded);
		if (!folded.delete(path)) folded.add(path);
		return setList({...state, folded}, 'steps', {selected: String(found.step.id)});
	});
}

export async function pruneBuilds(context: ActionContext): Promise<void> {
	const records = await context.engine.buildCache();
	const own = records.filter(({Shared}) => !Shared);
	const size = own.reduce((sum, {Size}) => sum + Size, 0);
	openDialog(context, {
		kind: 'confirm',
		title: 'Remove what builds have kept',
		lines: [
			`${records.length} steps; ${humanSize(size, 3)} are of builds only and go.`,
			'The next builds make them again.',
		],
		choices: [
			{id: 'no', label: 'No', key: 'n'},
			{id: 'remove', label: 'Remove', key: 'y'},
		],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'no') return;
			remember(context, 'builder', 'prune', '-f');
			context.engine
				.pruneBuildCache()
				.then(({reclaimed}) => {
					showMessage(context, {tone: 'good', text: `${humanSize(reclaimed, 3)} freed.`});
					context.details.refresh();
				})
				.catch((error) => showError(context, error));
		},
	});
}
