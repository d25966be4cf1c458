/** What goes to the clipboard. */
import {focusedList, pageHeight} from '../commands/movement.ts';
import {imageReference} from '../panes/images.ts';
import {anyPane, LIST_PANES} from '../panes/index.ts';
import {type ListPane, selectedRow} from '../panes/pane.ts';
import {screenLines} from '../render/cells.ts';
import {matchingLines} from '../store/log-search.ts';
import type {ListPaneId, LogState, State} from '../store/state.ts';
import {activeTab} from '../terminal/sessions.ts';
import {sanitize, sanitizeLogLine} from '../text/sanitize.ts';
import {truncate} from '../text/width.ts';
import {type ActionContext, showMessage} from './context.ts';

/** Terminals take some ten thousand characters; more would be cut or thrown away. */
const MOST = 50_000;

/** What of a row is worth having elsewhere; of others it is the last cell: a path, a value, a command. */
const COPIED: Partial<{[Id in ListPaneId]: (row: never) => string}> = {
	containers: ({Id}: {Id: string}) => Id,
	images: imageReference as (row: never) => string,
	networks: ({Name}: {Name: string}) => Name,
	volumes: ({Name}: {Name: string}) => Name,
	members: ({container}: {container: {Id: string}}) => container.Id,
	users: ({container}: {container: {Id: string}}) => container.Id,
};

/** Undefined without a row. */
export function copiedText(state: State, id: ListPaneId): string | undefined {
	const pane: ListPane<unknown> = anyPane(id);
	const row = selectedRow(pane, state);
	if (row === undefined) return undefined;
	const known = COPIED[id] as ((row: unknown) => string) | undefined;
	const last = LIST_PANES[id].columns.filter((column) => column.title !== '').at(-1);
	return known ? known(row) : last?.cell(row as never, state).text.trim();
}

function copy(context: ActionContext, text: string | undefined): void {
	if (text === undefined || text === '') {
		showMessage(context, {tone: 'info', text: 'There is nothing to copy.'});
		return;
	}
	const cut = text.slice(0, MOST);
	context.screen.copy(cut);
	const lines = cut.split('\n').length;
	const what = lines > 1 ? `${lines} lines` : truncate(sanitize(cut), 40);
	showMessage(context, {tone: 'good', text: `Copied ${what}.`});
}

export function copyRow(context: ActionContext): void {
	const {state} = context.store;
	copy(context, copiedText(state, focusedList(state)));
}

export function copyCommand(context: ActionContext): void {
	copy(context, context.store.state.command);
}

/** Numbers of the lines that are shown, as far as each takes one row, or of the one that was found. */
function linesInSight(logs: LogState, height: number): readonly number[] {
	const {buffer, found, follow, top, only, search} = logs;
	if (found !== undefined) return [found];
	if (only && search !== '') {
		const numbers = matchingLines(logs);
		return follow ? numbers.slice(-height) : numbers.filter((number) => number >= top).slice(0, height);
	}
	const first = follow ? Math.max(buffer.first, buffer.total - height) : top;
	return Array.from({length: Math.min(height, buffer.total - first)}, (_, index) => first + index);
}

export function copyLogs(context: ActionContext): void {
	const {state} = context.store;
	const {buffer} = state.logs;
	const lines = linesInSight(state.logs, pageHeight(state, 'logs')).flatMap((number) => {
		const line = buffer.at(number);
		return line ? [sanitizeLogLine(line.text)] : [];
	});
	copy(context, lines.join('\n'));
}

/** The cells of a terminal that are seen, without colours and without the spaces at the ends. */
export function copyTerminal(context: ActionContext): void {
	const tab = activeTab(context.store.state);
	const lines = tab ? screenLines(tab.screen.emulator, 'none', false) : [];
	const text = lines.map((line) => line.replaceAll(/\u001b\[\d+m/g, '').trimEnd()).join('\n');
	copy(context, text.trimEnd());
}
