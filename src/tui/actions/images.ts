/** What can be done to images. */
import {humanSize} from '../../cli/format/size.ts';
import type {Filters} from '../../engine/api.ts';
import {textField} from '../input/text-field.ts';
import {type ImageRow, imageReference, shortId} from '../panes/images.ts';
import type {ConfirmDialog} from '../store/state.ts';
import {type ActionContext, errorText, openDialog, remember, showError, showMessage} from './context.ts';
import {transfer} from './transfer.ts';

/** One, or all that are marked. What it frees is said as soon as it is known; the answer need not wait for it. */
export function removeImages(context: ActionContext, rows: readonly ImageRow[]): void {
	const references = rows.map(imageReference);
	const used = rows.reduce((sum, row) => sum + row.image.Containers, 0);
	const dialog: ConfirmDialog = {
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
	};
	openDialog(context, dialog);
	void previewInto(context, dialog, references);
}

async function previewInto(
	{engine, store}: ActionContext,
	dialog: ConfirmDialog,
	references: readonly string[],
): Promise<void> {
	const [plain, forced] = await Promise.all([
		engine.images.previewRemoval(references),
		engine.images.previewRemoval(references, {force: true}),
	]).catch(() => []);
	if (!plain || !forced) return;
	const lines = [...dialog.lines, effectOf(plain)];
	for (const {message} of plain.failures.slice(0, 2)) lines.push(`  ${message}`);
	if (plain.failures.length > 0) lines.push(`With force: ${effectOf(forced)}`);
	store.update((state) => {
		const {dialog: open} = state;
		// It may have been answered, and the choice in it may have moved.
		if (open?.kind !== 'confirm' || open.onChoice !== dialog.onChoice) return state;
		return {...state, dialog: {...open, lines}};
	});
}

/** `Takes 2 names and 1 image away, and frees 15MB.` */
function effectOf({
	ImagesDeleted,
	SpaceReclaimed,
}: Awaited<ReturnType<ActionContext['engine']['images']['previewRemoval']>>): string {
	const names = ImagesDeleted.filter((line) => 'Untagged' in line && !line.Untagged.includes('@')).length;
	const deleted = ImagesDeleted.length - ImagesDeleted.filter((line) => 'Untagged' in line).length;
	if (deleted === 0 && names === 0) return 'Takes nothing away.';
	if (deleted === 0)
		return `Takes ${names === 1 ? 'a name' : `${names} names`} away; the image stays. Frees 0B.`;
	return `Frees ${humanSize(SpaceReclaimed, 3)}.`;
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

/** Asks with what it would free; nothing is removed before the answer. */
export async function pruneImages(context: ActionContext): Promise<void> {
	const {images} = context.store.state;
	const unused = images.filter(({Containers}) => Containers === 0);
	const dangling = unused.filter(({RepoTags}) => RepoTags.length === 0);
	const preview = (filters: Filters) => context.engine.images.prune({filters, preview: true});
	const [some, all] = await Promise.all([preview({}), preview({dangling: ['false']})]);
	const names = unused.map(({RepoTags, Id}) => RepoTags[0] ?? shortId(Id));
	openDialog(context, {
		kind: 'confirm',
		title: 'Remove images that nobody uses',
		lines: [
			`${dangling.length} without a name that no container uses: frees ${humanSize(some.SpaceReclaimed, 3)}`,
			`${unused.length} that no container uses, with or without a name: frees ${humanSize(all.SpaceReclaimed, 3)}`,
			...names.slice(0, 8).map((name) => `  ${name}`),
			...(names.length > 8 ? [`  and ${names.length - 8} more`] : []),
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
						text: `Removed ${count} layers and images, ${humanSize(SpaceReclaimed, 3)} freed.`,
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

/** False when it failed; the error has been shown. */
export function pullImage(context: ActionContext, reference: string): Promise<boolean> {
	return transfer(context, {
		job: `pull ${reference}`,
		title: `Pull ${reference}`,
		work: async (onProgress, signal) => {
			const {changed} = await context.engine.images.pull(reference, {onProgress, signal});
			return changed ? `Pulled ${reference}.` : `${reference} is up to date.`;
		},
	});
}

export function askPush(context: ActionContext, row: ImageRow): void {
	const reference = imageReference(row);
	openDialog(context, {
		kind: 'form',
		title: `Push ${reference}`,
		fields: [
			{
				id: 'reference',
				label: 'To',
				hint: 'registry:5000/repository:tag',
				value: textField(row.tag === '<none>' ? '' : reference),
			},
		],
		index: 0,
		submit: 'push',
		onSubmit: ({reference: wanted}) => {
			const target = String(wanted).trim();
			if (target === '') return 'The name is empty.';
			remember(context, 'push', target);
			void pushImage(context, reference, target);
			return undefined;
		},
	});
}

async function pushImage(context: ActionContext, reference: string, target: string): Promise<void> {
	const {images} = context.engine;
	await transfer(context, {
		job: `push ${target}`,
		title: `Push ${target}`,
		work: async (onProgress, signal) => {
			// It goes under a name that it has.
			if (target !== reference) await images.tag(reference, target);
			const [pushed] = await images.push(target, {onProgress, signal});
			return `Pushed ${target}${pushed ? ` as ${pushed.digest.slice(0, 19)}` : ''}.`;
		},
	});
}
