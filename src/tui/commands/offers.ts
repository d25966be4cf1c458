/** Which commands can do something as things are: the others are no hints. Pure. */
import {currentContext} from '../controller.ts';
import type {KeyBinding} from '../keymap.ts';
import {hints} from '../keys.ts';
import {anyPane, LIST_PANES, selectedBuild} from '../panes/index.ts';
import {visibleRows} from '../panes/pane.ts';
import type {ListPaneId, State} from '../store/state.ts';

export function isOffered(state: State, {command, context, rowless}: KeyBinding): boolean {
	if (state.phase === 'loading') return true;
	if (command === 'build.cancel' || command === 'step.cancel')
		return selectedBuild(state)?.state === 'running';
	if (command === 'build.run') return selectedBuild(state)?.image !== undefined;
	const place = context === 'marks' ? state.focus : context;
	if (rowless || !(place in LIST_PANES)) return true;
	return visibleRows(anyPane(place as ListPaneId), state).length > 0;
}

export const offeredHints = (state: State): {key: string; word: string}[] =>
	hints(currentContext(state), undefined, (binding) => isOffered(state, binding));
