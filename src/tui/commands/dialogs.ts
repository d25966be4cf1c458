/** What keys do in dialogs: choosing, editing, scrolling, answering. */
import {type ActionContext, openDialog} from '../actions/context.ts';
import {textField} from '../input/text-field.ts';
import {matches} from '../panes/pane.ts';
import type {
	ConfirmDialog,
	Dialog,
	PickDialog,
	PickItem,
	State,
	TextDialog,
	TextLine,
} from '../store/state.ts';
import {sanitize} from '../text/sanitize.ts';
import {displayWidth, wrapWords} from '../text/width.ts';

export type Command = (context: ActionContext) => void | Promise<void>;

/** Changes the dialog, if it is of this kind. */
const changeDialog =
	<Kind extends Dialog['kind']>(
		kind: Kind,
		change: (dialog: Extract<Dialog, {kind: Kind}>, state: State) => Extract<Dialog, {kind: Kind}>,
	): Command =>
	({store}) =>
		store.update((state) =>
			state.dialog?.kind === kind
				? {...state, dialog: change(state.dialog as Extract<Dialog, {kind: Kind}>, state)}
				: state,
		);

export const scrollText = (delta: number): Command =>
	changeDialog('text', (dialog, state) => {
		const last = Math.max(0, readerLines(dialog, state).lines.length - dialogHeight(state));
		return {...dialog, top: Math.max(0, Math.min(last, dialog.top + delta))};
	});

/** A text's lines in a box that fits the screen, long ones on several, and how wide their names are. */
export function readerLines({lines}: TextDialog, {size}: State): {names: number; lines: TextLine[]} {
	const names = Math.min(24, Math.max(...lines.map(({name}) => displayWidth(sanitize(name)))));
	const room = Math.max(20, size.columns - 2 - 4 - 4 - names);
	return {
		names,
		lines: lines.flatMap((line) =>
			line.heading
				? [line]
				: wrapWords(sanitize(line.text), room).map((text, at) => ({
						...line,
						name: at === 0 ? line.name : '',
						text,
					})),
		),
	};
}

/** Items whose label or note has each word that is typed; those that have them as they are typed come first. */
export function pickMatches({items, filter}: PickDialog): readonly PickItem[] {
	const words = filter.value.split(' ').filter(Boolean);
	const found = items.filter(({label, note}) => words.every((word) => matches(`${label} ${note}`, word)));
	if (words.length < 2) return found;
	const typed = words.join(' ').toLowerCase();
	const isTyped = ({label}: PickItem): number => Number(label.toLowerCase().includes(typed));
	return found.sort((a, b) => isTyped(b) - isTyped(a));
}

export const movePick = (delta: (page: number) => number): Command =>
	changeDialog('pick', (dialog, state) => {
		const last = Math.max(0, pickMatches(dialog).length - 1);
		const index = Math.max(0, Math.min(last, dialog.index + delta(dialogHeight(state) - 1)));
		return {...dialog, index};
	});

export function takePick(context: ActionContext): void {
	const {dialog} = context.store.state;
	if (dialog?.kind !== 'pick') return;
	const item = pickMatches(dialog)[dialog.index];
	if (!item) return;
	// Closed first: the next dialog may follow.
	openDialog(context, undefined);
	dialog.onPick(item.id);
}

export function cancelPick(context: ActionContext): void {
	const {dialog} = context.store.state;
	if (dialog?.kind === 'pick') openDialog(context, dialog.behind);
}

/** Lines of a long dialog that fit: its border, its title's line and a margin are not among them. */
export function dialogHeight({size}: State): number {
	return Math.max(1, size.rows - 6);
}

export const moveConfirm = (step: number): Command =>
	changeDialog('confirm', (dialog) => {
		const count = dialog.choices.length;
		return {...dialog, index: (dialog.index + step + count) % count};
	});

export function answer(context: ActionContext, dialog: ConfirmDialog, choice: string): void {
	openDialog(context, undefined);
	dialog.onChoice(choice);
}

export const moveForm = (step: number): Command =>
	changeDialog('form', (dialog) => {
		const count = dialog.fields.length;
		return {...dialog, index: (dialog.index + step + count) % count};
	});

/** Not round: the ends are where one wants to stay. */
export const pageForm = (step: number): Command =>
	changeDialog('form', (dialog) => {
		const index = Math.max(0, Math.min(dialog.fields.length - 1, dialog.index + step));
		return {...dialog, index};
	});

/** Some commands have a hundred flags: a word of a field's name or of what it does leads there. */
export function findField(context: ActionContext): void {
	const {dialog: form} = context.store.state;
	if (form?.kind !== 'form') return;
	openDialog(context, {
		kind: 'pick',
		title: form.title,
		items: form.fields.map(({id, label, hint = ''}) => ({id, label, note: hint})),
		filter: textField(),
		index: form.index,
		submit: 'goes there',
		onPick: (picked) =>
			openDialog(context, {...form, index: form.fields.findIndex(({id}) => id === picked), error: undefined}),
		behind: form,
	});
}

export function submitForm(context: ActionContext): void {
	const {dialog} = context.store.state;
	if (dialog?.kind !== 'form') return;
	const values = Object.fromEntries(
		dialog.fields.map(({id, value}) => [id, typeof value === 'boolean' ? value : value.value]),
	);
	// Closed first: what the form does may open the next dialog.
	openDialog(context, undefined);
	const error = dialog.onSubmit(values);
	if (error !== undefined) openDialog(context, {...dialog, error});
}
