/** What keys do to terminals. */
import {showMessage} from '../actions/context.ts';
import {activeTab, terminalRect} from '../terminal/sessions.ts';
import type {Command} from './dialogs.ts';

export const typeInto: Command = (context) => {
	const {sessions, store} = context;
	const tab = activeTab(store.state);
	if (!tab) showMessage(context, {tone: 'info', text: 'No terminal is open; a attaches, e opens a shell.'});
	else if (tab.ended !== undefined) sessions.close(tab.id);
	else sessions.enter(tab.id);
};

export const stepSession =
	(delta: number): Command =>
	({sessions}) =>
		sessions.step(delta);

export const closeSession: Command = ({sessions, store}) => {
	const tab = activeTab(store.state);
	if (tab) sessions.close(tab.id);
};

export const scrollSession =
	(delta: (page: number) => number): Command =>
	({store}) => {
		const {state} = store;
		activeTab(state)?.screen.scroll(delta(Math.max(1, (terminalRect(state)?.height ?? 2) - 1)));
	};

/** What was made large for a terminal is small again when it is left. */
export const zoomSession: Command = ({store}) =>
	store.update((state) => ({
		...state,
		zoomed: !state.zoomed,
		sessions: {...state.sessions, zoomed: !state.zoomed},
	}));
