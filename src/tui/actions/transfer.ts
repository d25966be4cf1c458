/** Work that moves layers: bars for each while it goes on, in front or behind the panes, and an end before its time. */
import type {PullEvent, PushEvent} from '../../engine/api.ts';
import {setJob, setProgress} from '../store/reducers.ts';
import type {ProgressRow, State} from '../store/state.ts';
import {type ActionContext, openDialog, showError, showMessage} from './context.ts';

type LayerEvent = Extract<PullEvent | PushEvent, {kind: 'layer'}>;

const DONE = /^(?:Pull complete|Already exists|Pushed|Layer already exists|Mounted from .*)$/;

export const isDone = ({state}: Pick<ProgressRow, 'state'>): boolean => DONE.test(state);

/** The rows with what the event says; in the order that the layers were first told of. */
export function withEvent(
	rows: readonly ProgressRow[],
	{id, state, current = 0, total = 0}: LayerEvent,
): readonly ProgressRow[] {
	const at = rows.findIndex((row) => row.id === id);
	const row = {id, state, current, total};
	return at < 0 ? [...rows, row] : rows.with(at, row);
}

/** Counts layers that are there, and bytes that have come, of those that are known. */
export function transferProgress(): (event: LayerEvent) => string {
	const layers = new Map<string, {done: boolean; current: number; total: number}>();
	return (event) => {
		const layer = layers.get(event.id) ?? {done: false, current: 0, total: 0};
		layers.set(event.id, layer);
		layer.done = isDone(event);
		if (event.state === 'Downloading' || event.state === 'Pushing')
			Object.assign(layer, {current: event.current ?? 0, total: event.total ?? 0});
		let done = 0;
		let current = 0;
		let total = 0;
		for (const one of layers.values()) {
			if (one.done) done++;
			current += one.done ? one.total : one.current;
			total += one.total;
		}
		const percent = total > 0 ? ` ${Math.min(100, Math.floor((current / total) * 100))}%` : '';
		return `${done}/${layers.size} layers${percent}`;
	};
}

export interface Transfer {
	/** `pull alpine`: no two of one name at a time. */
	job: string;
	title: string;
	/** Resolves to what is then said. */
	work(onProgress: (event: PullEvent | PushEvent) => void, signal: AbortSignal): Promise<string>;
}

/** Whether it came to its end; what went wrong has been shown. */
export async function transfer(context: ActionContext, {job, title, work}: Transfer): Promise<boolean> {
	const {store} = context;
	if (store.state.progress.has(job)) {
		showProgress(context, job, title);
		return false;
	}
	const abort = new AbortController();
	const progress = transferProgress();
	let rows: readonly ProgressRow[] = [];
	const tell = (state: State, text: string): State =>
		setProgress(setJob(state, job, text), job, {title, rows, cancel: () => abort.abort()});
	store.update((state) => tell(state, '…'));
	showProgress(context, job, title);
	try {
		const text = await work((event) => {
			if (event.kind !== 'layer' || abort.signal.aborted) return;
			rows = withEvent(rows, event);
			const summary = progress(event);
			store.observe((state) => tell(state, summary));
		}, abort.signal);
		showMessage(context, {tone: 'good', text});
		return true;
	} catch (error) {
		if (abort.signal.aborted) showMessage(context, {tone: 'info', text: `Given up: ${job}.`});
		else showError(context, error);
		return false;
	} finally {
		store.update((state) => {
			const next = setProgress(setJob(state, job, undefined), job, undefined);
			const shown = state.dialog?.kind === 'progress' && state.dialog.job === job;
			return shown ? {...next, dialog: undefined} : next;
		});
	}
}

/** Its bars, if nothing else is asked at the moment. */
export function showProgress(context: ActionContext, job: string, title: string): void {
	if (!context.store.state.dialog) openDialog(context, {kind: 'progress', title, job});
}

/** The bars of what goes on behind. */
export function showJobs(context: ActionContext): void {
	const {progress} = context.store.state;
	const [first] = progress;
	if (!first) showMessage(context, {tone: 'info', text: 'Nothing is pulled or pushed.'});
	else showProgress(context, first[0], first[1].title);
}

export function cancelTransfer(context: ActionContext): void {
	const {dialog, progress} = context.store.state;
	if (dialog?.kind === 'progress') progress.get(dialog.job)?.cancel();
}
