/** What can be done to images. */
import type {PullEvent} from '../../engine/api.ts';
import {textField} from '../input/text-field.ts';
import {type ImageRow, imageReference} from '../panes/images.ts';
import {setJob} from '../store/reducers.ts';
import {type ActionContext, openDialog, remember, showError, showMessage} from './context.ts';

export function removeImage(context: ActionContext, row: ImageRow): void {
	const reference = imageReference(row);
	const used = row.image.Containers > 0;
	openDialog(context, {
		kind: 'confirm',
		title: 'Remove image',
		lines: [
			`Remove ${reference}?`,
			...(used
				? [`${row.image.Containers} container${row.image.Containers === 1 ? ' uses' : 's use'} it.`]
				: []),
		],
		choices: [
			{id: 'no', label: 'No', key: 'n'},
			{id: 'remove', label: 'Remove', key: 'y'},
			{id: 'force', label: 'Force', key: 'f'},
		],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'no') return;
			const force = choice === 'force';
			remember(context, 'rmi', ...(force ? ['-f'] : []), reference);
			context.engine.images
				.remove(reference, {force})
				.then((lines) =>
					showMessage(context, {tone: 'good', text: `Removed ${reference} (${lines.length} steps).`}),
				)
				.catch((error) => showError(context, error));
		},
	});
}

export function tagImage(context: ActionContext, row: ImageRow): void {
	const reference = imageReference(row);
	openDialog(context, {
		kind: 'form',
		title: `Tag ${reference}`,
		fields: [{id: 'reference', label: 'New tag', hint: 'repository:tag', value: textField()}],
		index: 0,
		submit: 'tag',
		onSubmit: ({reference: wanted}) => {
			const target = String(wanted).trim();
			if (target === '') return 'The tag is empty.';
			remember(context, 'tag', reference, target);
			context.engine.images.tag(reference, target).catch((error) => showError(context, error));
			return undefined;
		},
	});
}

export function askPull(context: ActionContext): void {
	openDialog(context, {
		kind: 'form',
		title: 'Pull an image',
		fields: [{id: 'reference', label: 'Image', hint: 'alpine:3.20, ghcr.io/owner/name', value: textField()}],
		index: 0,
		submit: 'pull',
		onSubmit: ({reference}) => {
			const wanted = String(reference).trim();
			if (wanted === '') return 'The image is empty.';
			remember(context, 'pull', wanted);
			void pullImage(context, wanted);
			return undefined;
		},
	});
}

/** Layers that are there, of those that are known. */
export function pullProgress(): (event: PullEvent) => string | undefined {
	const layers = new Map<string, {done: boolean; current: number; total: number}>();
	return (event) => {
		if (event.kind === 'status') return undefined;
		const layer = layers.get(event.id) ?? {done: false, current: 0, total: 0};
		layers.set(event.id, layer);
		layer.done = event.state === 'Pull complete' || event.state === 'Already exists';
		if (event.state === 'Downloading')
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

/** False when it failed; the error has been shown. */
export async function pullImage(context: ActionContext, reference: string): Promise<boolean> {
	const {store, engine} = context;
	const job = `pull ${reference}`;
	const progress = pullProgress();
	store.update((state) => setJob(state, job, '…'));
	try {
		const {changed} = await engine.images.pull(reference, {
			onProgress: (event) => {
				const text = progress(event);
				if (text !== undefined) store.observe((state) => setJob(state, job, text));
			},
		});
		showMessage(context, {
			tone: 'good',
			text: changed ? `Pulled ${reference}.` : `${reference} is up to date.`,
		});
		return true;
	} catch (error) {
		showError(context, error);
		return false;
	} finally {
		store.update((state) => setJob(state, job, undefined));
	}
}
