/** Events to commands: what has the focus decides what a key means. No drawing here, no terminal. */
import type {ActionContext} from './actions/context.ts';
import {answer} from './commands/dialogs.ts';
import {runCommand} from './commands/table.ts';
import type {InputEvent, KeyEvent, PasteEvent} from './input/event.ts';
import {editText} from './input/text-field.ts';
import type {Context} from './keymap.ts';
import {commandFor, currentKeymap} from './keys.ts';
import {Mouse} from './mouse.ts';
import {setLogs} from './store/reducers.ts';
import type {ConfirmDialog, FormDialog, PickDialog, State} from './store/state.ts';
import {activeTab, typingTab} from './terminal/sessions.ts';

/** What keys are for at this moment. */
export function currentContext(state: State): Context {
	if (state.dialog) return state.dialog.kind;
	if (state.filtering) return 'filter';
	if (typingTab(state)) return 'session';
	return state.focus;
}

export class Controller {
	readonly #context: ActionContext;
	readonly #mouse: Mouse;

	constructor(context: ActionContext) {
		this.#context = context;
		this.#mouse = new Mouse(context);
	}

	handle(event: InputEvent): void {
		if (event.type === 'mouse') this.#mouse.handle(event);
		if (event.type === 'key' || event.type === 'paste') this.#type(event);
	}

	/** What a key does while a session has all others; false: it is the session's. */
	handleSessionKey(key: string): boolean {
		const command = commandFor(currentKeymap(), 'session', key);
		if (command) this.#run(command);
		return command !== undefined;
	}

	#type(event: KeyEvent | PasteEvent): void {
		const {store} = this.#context;
		const {state} = store;
		const place = currentContext(state);
		const choices = state.dialog?.kind === 'confirm' ? state.dialog.choices : [];
		const direct = event.type === 'key' ? choices.find((choice) => choice.key === event.key) : undefined;
		const command = event.type === 'key' ? commandFor(currentKeymap(), place, event.key) : undefined;
		// A message has been read when the next key comes.
		if (state.message && command !== 'app.back') store.update((now) => ({...now, message: undefined}));
		if (direct) answer(this.#context, state.dialog as ConfirmDialog, direct.id);
		else if (command) this.#run(command);
		else if (state.dialog?.kind === 'form') this.#editForm(state.dialog, event);
		else if (state.dialog?.kind === 'pick') this.#narrow(state.dialog, event);
		else if (state.filtering) {
			const {pane, field} = state.filtering;
			const next = editText(field, event);
			if (!next) return;
			// A search is marked while it is typed.
			if (pane === 'term') activeTab(state)?.screen.searchFor(next.value);
			store.update((now) => ({
				...(pane === 'logs' ? setLogs(now, {search: next.value, found: undefined}) : now),
				filtering: {...state.filtering!, field: next},
			}));
		}
	}

	#run(command: string): void {
		runCommand(this.#context, command);
	}

	#editForm(dialog: FormDialog, event: InputEvent): void {
		const field = dialog.fields[dialog.index]!;
		let value = field.value;
		if (typeof value === 'boolean') {
			if (event.type !== 'key' || !['space', 'left', 'right'].includes(event.key)) return;
			value = !value;
		} else {
			const next = editText(value, event);
			if (!next) return;
			value = next;
		}
		const fields = dialog.fields.map((one, index) => (index === dialog.index ? {...one, value} : one));
		this.#context.store.update((state) => ({...state, dialog: {...dialog, fields, error: undefined}}));
	}

	#narrow(dialog: PickDialog, event: InputEvent): void {
		const filter = editText(dialog.filter, event);
		if (filter) this.#context.store.update((state) => ({...state, dialog: {...dialog, filter, index: 0}}));
	}
}
