/** Moving through panes, their rows and their tabs; what is shown of them and in what order. */
import {type ActionContext, showMessage} from '../actions/context.ts';
import {textField} from '../input/text-field.ts';
import {keyOf} from '../keys.ts';
import {GRID, inside, layout, paneOrder} from '../layout.ts';
import {anyPane} from '../panes/index.ts';
import {visibleRows} from '../panes/pane.ts';
import {detailTabs} from '../store/details.ts';
import {nextMatch} from '../store/log-search.ts';
import {
	detailPane,
	findInLogs,
	focusPane,
	moveSelection,
	scrollLogs,
	setList,
	setLogs,
} from '../store/reducers.ts';
import type {ListPaneId, MainListId, PaneId, State} from '../store/state.ts';
import type {Command} from './dialogs.ts';
import {endTermSearch} from './sessions.ts';

/** Cells that one key scrolls the log to the side. */
export const SIDE_STEP = 8;

export const focus =
	(pane: PaneId): Command =>
	({store}) =>
		store.update((state) => focusPane(state, pane));

export const nextPane =
	(step: number): Command =>
	({store}) =>
		store.update((state) => {
			const order = paneOrder(state);
			const at = order.indexOf(state.focus) + step;
			return focusPane(state, order[(at + order.length) % order.length]!);
		});

/** To the pane beside this one; where lists share one place, to the next of them. */
export const neighbour =
	(step: 1 | -1): Command =>
	(context) => {
		const {state} = context.store;
		const {mode} = layout(state);
		if (mode !== 'columns') return nextPane(step)(context);
		const detail = detailPane(state);
		const row = GRID.find((lists) => lists.some((list) => list === state.focus));
		const beside = row
			? (row[row.indexOf(state.focus as MainListId) + step] ?? (step > 0 ? detail : undefined))
			: step < 0
				? state.lastList
				: undefined;
		if (beside) context.store.update((now) => focusPane(now, beside));
	};

/** The next tab of the pane of details, which keeps the focus if it has it. */
export const nextTab =
	(step: number): Command =>
	({store}) =>
		store.update((state) => {
			const tabs = detailTabs(state);
			const shown = detailPane(state);
			const tab = tabs[(tabs.indexOf(shown) + step + tabs.length) % tabs.length]!;
			const next = {...state, tabs: {...state.tabs, [state.lastList]: tab}};
			// Where only one pane has room the tab itself is what one wants to see.
			const alone = !layout(state).panes[shown];
			return state.focus === shown || alone ? focusPane(next, tab) : next;
		});

/** Rows that the pane shows at once: its column titles take one. */
export function pageHeight(state: State, pane: PaneId): number {
	const rect = layout(state).panes[pane];
	return rect ? Math.max(1, inside(rect).height - (pane === 'logs' ? 0 : 1)) : 1;
}

/** The list that keys of lists are for: beside a pane without rows it is the one that was looked at last. */
export function focusedList({focus, lastList}: State): ListPaneId {
	return focus === 'logs' || focus === 'stats' || focus === 'term' ? lastList : focus;
}

export const moveList =
	(delta: (page: number) => number): Command =>
	({store}) =>
		store.update((state) => {
			const id = focusedList(state);
			const pane = anyPane(id);
			const keys = visibleRows(pane, state).map(pane.key);
			return moveSelection(state, id, keys, delta(pageHeight(state, id)));
		});

export const moveLogs =
	(delta: (page: number) => number): Command =>
	({store}) =>
		store.update((state) => {
			const page = pageHeight(state, 'logs');
			return scrollLogs(state, delta(page), page);
		});

const sortNames = (id: ListPaneId): string[] =>
	anyPane(id)
		.columns.filter((column) => column.order)
		.map((column) => column.name);

export function sortByNext({store}: ActionContext): void {
	store.update((state) => {
		const id = focusedList(state);
		const names = sortNames(id);
		if (names.length === 0) return state;
		const next = names[(names.indexOf(state.lists[id].sort) + 1) % names.length]!;
		return setList(state, id, {sort: next, reverse: false});
	});
}

export const startFilter: Command = ({store}) =>
	store.update((state) => {
		const pane = focusedList(state);
		return {...state, filtering: {pane, field: textField(state.lists[pane].filter)}};
	});

/** Looks for something in the log: what is typed is marked at once. */
export const startSearch =
	(only: boolean): Command =>
	({store}) =>
		store.update((state) => ({
			...setLogs(state, {only}),
			filtering: {pane: 'logs', field: textField(state.logs.search)},
		}));

export const findNext =
	(step: 1 | -1): Command =>
	(context) => {
		const {store} = context;
		const {logs} = store.state;
		if (logs.search === '')
			showMessage(context, {tone: 'info', text: `Nothing is searched for; ${keyOf('logs.search')} asks.`});
		else if (nextMatch(logs, logs.found ?? (step > 0 ? -1 : logs.buffer.total), step) === undefined)
			showMessage(context, {
				tone: 'info',
				text: step > 0 ? 'No later line matches.' : 'No earlier line matches.',
			});
		else store.update((state) => findInLogs(state, step, pageHeight(state, 'logs')));
	};

/** Ends the typing of a filter or of a search; undefined keeps what is typed. */
export const setFilter = (filter: string | undefined): Command => {
	return (context) => {
		const {store} = context;
		if (store.state.filtering?.pane === 'term') return endTermSearch(context, filter);
		store.update((state) => {
			if (!state.filtering || state.filtering.pane === 'term') return state;
			const {pane, field} = state.filtering;
			const text = filter ?? field.value;
			const done = {...state, filtering: undefined};
			if (pane !== 'logs') return setList(done, pane, {filter: text});
			const searched = setLogs(done, {search: text, found: undefined, ...(text === '' ? {only: false} : {})});
			// The newest that can be seen is what one looks for mostly.
			return text === '' || state.logs.only ? searched : findInLogs(searched, -1, pageHeight(state, 'logs'));
		});
	};
};
