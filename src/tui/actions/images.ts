/** What can be done to images. */
import {humanSize} from '../../cli/format/size.ts';
import type {PullEvent} from '../../engine/api.ts';
import {textField} from '../input/text-field.ts';
import {type ImageRow, imageReference} from '../panes/images.ts';
import {setJob} from '../store/reducers.ts';
import {type ActionContext, errorText, openDialog, remember, showError, showMessage} from './context.ts';

/** One, or all that are marked. */
export function removeImages(context: ActionContext, rows: readonly ImageRow[]): void {
	const references = rows.map(imageReference);
	const used = rows.reduce((sum, row) => sum + row.image.Containers, 0);
	openDialog(context, {
		kind: 'confirm',
		title: rows.length === 1 ? 'Remove image' : `Remove ${rows.length} images`,
		lines: [
			...(rows.length === 1 ? [`Remove ${references[0]}?`] : ['Remove these?']),
			...(rows.length === 1 ? [] : references.slice(0, 8).map((reference) => `  ${reference}`)),
			...(rows.length > 8 ? [`  and ${rows.length - 8} more`] : []),
			...(used > 0
				? [`${used} container${used === 1 ? ' uses' : 's use'} ${rows.length === 1 ? 'it' : 'them'}.`]
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
			remember(context, 'rmi', ...(force ? ['-f'] : []), ...references);
			void removeEach(context, references, force);
		},
	});
}

/** One after the other, as their layers are shared; the first error is said, the others are done. */
async function removeEach(
	context: ActionContext,
	references: readonly string[],
	force: boolean,
): Promise<void> {
	const errors: unknown[] = [];
	let steps = 0;
	for (const reference of references) {
		try {
			steps += (await context.engine.images.remove(reference, {force})).length;
		} catch (error) {
			errors.push(error);
		}
	}
	if (errors.length > 0 && references.length === 1) showError(context, errors[0]);
	else if (errors.length > 0) {
		const text = `${errors.length} of ${references.length} failed. ${errorText(errors[0])}`;
		showMessage(context, {tone: 'bad', text});
	} else {
		const what = references.length === 1 ? references[0] : `${references.length} images`;
		showMessage(context, {tone: 'good', text: `Removed ${what} (${steps} steps).`});
	}
}

export function pruneImages(context: ActionContext): void {
	const {images} = context.store.state;
	const dangling = images.filter(({RepoTags, Containers}) => RepoTags.length === 0 && Containers === 0);
	const unused = images.filter(({Containers}) => Containers === 0);
	openDialog(context, {
		kind: 'confirm',
		title: 'Remove images that nobody uses',
		lines: [
			`${dangling.length} without a name that no container uses`,
			`${unused.length} that no container uses, with or without a name`,
		],
		choices: [
			{id: 'no', label: 'No', key: 'n'},
			{id: 'dangling', label: 'Those without a name', key: 'y'},
			{id: 'all', label: 'All that are unused', key: 'a'},
		],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'no') return;
			const all = choice === 'all';
			remember(context, 'image', 'prune', '-f', ...(all ? ['-a'] : []));
			context.engine.images
				.prune({filters: all ? {dangling: ['false']} : {}})
				.then(({ImagesDeleted, SpaceReclaimed}) => {
					const count = ImagesDeleted.filter((line) => 'Deleted' in line).length;
					showMessage(context, {
						tone: 'good',
						text: `Removed ${count} layers and images, ${humanSize(SpaceReclaimed)} freed.`,
					});
				})
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
