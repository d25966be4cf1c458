/** What keys do in dialogs: choosing, editing, scrolling, answering. */
import {type ActionContext, openDialog} from '../actions/context.ts';
import {matches} from '../panes/pane.ts';
import type {ConfirmDialog, Dialog, PickDialog, PickItem, State} from '../store/state.ts';

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
		const last = Math.max(0, dialog.lines.length - dialogHeight(state));
		return {...dialog, top: Math.max(0, Math.min(last, dialog.top + delta))};
	});

/** Items whose label or note has each word that is typed. */
export function pickMatches({items, filter}: PickDialog): readonly PickItem[] {
	const words = filter.value.split(' ').filter(Boolean);
	return items.filter(({label, note}) => words.every((word) => matches(`${label} ${note}`, word)));
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
