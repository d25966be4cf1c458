/** What keys do to terminals. */
import {type ActionContext, openDialog, showMessage} from '../actions/context.ts';
import {textField} from '../input/text-field.ts';
import {keyOf} from '../keys.ts';
import {focusPane} from '../store/reducers.ts';
import {activeTab, terminalRect} from '../terminal/sessions.ts';
import type {Command} from './dialogs.ts';

export const typeInto: Command = (context) => {
	const {sessions, store} = context;
	const tab = activeTab(store.state);
	if (!tab)
		showMessage(context, {
			tone: 'info',
			text: `No terminal is open; ${keyOf('container.attach')} attaches, ${keyOf('container.exec')} opens a shell.`,
		});
	else if (tab.ended !== undefined) sessions.close(tab.id);
	else sessions.enter(tab.id);
};

/** To the one that was shown last; what has ended is there to be read. */
export const showTerminals: Command = (context) => {
	const {store} = context;
	const tab = activeTab(store.state);
	if (tab?.ended === undefined) return typeInto(context);
	store.update((state) => ({...focusPane(state, 'term'), typing: false}));
};

export const stepSession =
	(delta: number): Command =>
	({sessions}) =>
		sessions.step(delta);

/** A container can be attached to again; to a shell inside nobody gets back, so that is asked about. */
export const closeSession: Command = (context) => {
	const {sessions, store} = context;
	const tab = activeTab(store.state);
	if (!tab) return;
	if (tab.kind === 'attach' || tab.ended !== undefined) return sessions.close(tab.id);
	openDialog(context, {
		kind: 'confirm',
		title: 'Close the terminal',
		lines: [
			`The shell in ${tab.name} goes on, but nobody gets back to it.`,
			'To end it, go back into it and exit.',
		],
		choices: [
			{id: 'no', label: 'Stay', key: 'n'},
			{id: 'close', label: 'Close', key: 'y'},
		],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'close') sessions.close(tab.id);
		},
	});
};

export const scrollSession =
	(delta: (page: number) => number): Command =>
	({store}) => {
		const {state} = store;
		activeTab(state)?.screen.scroll(delta(Math.max(1, (terminalRect(state)?.height ?? 2) - 1)));
	};

/** Asks what to look for in the terminal; from within it the panes get the keys, so that one can go from match to match. */
export const searchTerminal: Command = ({store}) =>
	store.update((state) => {
		const tab = activeTab(state);
		if (!tab) return state;
		const field = textField(tab.screen.search.text);
		return {
			...state,
			typing: false,
			filtering: {pane: 'term', field, ...(state.typing ? {typed: true} : {})},
		};
	});

/** What was typed is gone to, or given up with '': who typed in the terminal then does so again. */
export function endTermSearch({sessions, store, ...context}: ActionContext, text: string | undefined): void {
	const {filtering} = store.state;
	const tab = activeTab(store.state);
	store.update((state) => ({...state, filtering: undefined}));
	if (!tab || !filtering) return;
	const wanted = text ?? filtering.field.value;
	tab.screen.searchFor(wanted);
	if (wanted !== '') findInTerminal(-1)({sessions, store, ...context});
	else if (filtering.typed) sessions.enter(tab.id);
}

export const findInTerminal =
	(direction: 1 | -1): Command =>
	(context) => {
		const screen = activeTab(context.store.state)?.screen;
		if (!screen) return;
		const say = (text: string): void => showMessage(context, {tone: 'info', text});
		if (screen.search.text === '') say(`Nothing is searched for; ${keyOf('term.search')} asks.`);
		else if (!screen.findNext(direction)) say(direction > 0 ? 'No later match.' : 'No earlier match.');
	};

/** What was made large for a terminal is small again when it is left. */
export const zoomSession: Command = ({store}) =>
	store.update((state) => ({
		...state,
		zoomed: !state.zoomed,
		sessions: {...state.sessions, zoomed: !state.zoomed},
	}));
