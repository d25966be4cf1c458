/** What the mouse does: clicks go to panes, rows and tabs, the wheel scrolls what is under it, the split can be dragged. */
import type {ActionContext} from './actions/context.ts';
import {movePick, scrollText} from './commands/dialogs.ts';
import {pageHeight} from './commands/movement.ts';
import {scrollSession} from './commands/sessions.ts';
import type {MouseEvent} from './input/event.ts';
import {inside, layout, paneNumber, type Rect} from './layout.ts';
import {anyPane} from './panes/index.ts';
import {visibleRows} from './panes/pane.ts';
import {DETAIL_TITLES, DETAILS, isDetail, MAIN_LISTS} from './store/details.ts';
import {
	detailPane,
	focusPane,
	moveSelection,
	scrollLogs,
	selectedIndex,
	setList,
	windowStart,
} from './store/reducers.ts';
import type {PaneId, State} from './store/state.ts';
import {displayWidth} from './text/width.ts';
import {paneTitle} from './widgets/pane-title.ts';

/** Rows that one turn of the wheel moves. */
const WHEEL = 3;
/** Percent of the screen that each side of the split keeps. */
export const LEAST_SPLIT = 20;

export interface Hit {
	pane: PaneId;
	/** Within the border, from zero; -1 is the title, and the bottom border is its height. */
	line: number;
	/** From the pane's left edge. */
	column: number;
}

/** What is there, of the panes. Pure. */
export function hit(state: State, column: number, row: number): Hit | undefined {
	const {panes} = layout(state);
	const within = ({x, y, width, height}: Rect): boolean =>
		column >= x && column < x + width && row >= y && row < y + height;
	const found = (Object.entries(panes) as [PaneId, Rect][]).find(([, rect]) => within(rect));
	return found && {pane: found[0], line: row - found[1].y - 1, column: column - found[1].x};
}

/** Which way the split that is there goes. Pure. */
export function splitAt(state: State, column: number, row: number): 'columns' | 'rows' | undefined {
	const {mode, panes} = layout(state);
	const detail = panes[detailPane(state)];
	if (!detail || row < detail.y - 1 || row >= detail.y + detail.height) return undefined;
	if (mode === 'columns') return column === detail.x || column === detail.x - 1 ? 'columns' : undefined;
	return mode === 'stacked' && row === detail.y - 1 ? 'rows' : undefined;
}

/** The state with the split where the mouse is. Pure. */
export function dragged(state: State, way: 'columns' | 'rows', column: number, row: number): State {
	const share = way === 'columns' ? column / state.size.columns : row / state.size.rows;
	const percent = Math.max(LEAST_SPLIT, Math.min(100 - LEAST_SPLIT, Math.round(share * 100)));
	return state.split[way] === percent ? state : {...state, split: {...state.split, [way]: percent}};
}

/** To the pane, and there to the row or the tab. Pure. */
export function clicked(state: State, {pane, line, column}: Hit): State {
	if (line < 0) return focusPane(state, tabAt(state, pane, column) ?? pane);
	const next = focusPane(state, pane);
	if (pane === 'logs' || pane === 'stats' || pane === 'term') return next;
	const list = anyPane(pane);
	const keys = visibleRows(list, state).map(list.key);
	const {height} = inside(layout(state).panes[pane]!);
	const first = windowStart(keys.length, selectedIndex(state.lists[pane], keys), height - 1);
	// The first line has the titles of columns.
	const index = first + line - 1;
	if (line < 1 || line >= height || index >= keys.length) return next;
	return setList(next, pane, {selected: keys[index], index});
}

/** The pane whose name is there in a title. */
function tabAt(state: State, pane: PaneId, column: number): PaneId | undefined {
	let at = 2;
	for (const {text} of paneTitle(state, pane)) {
		at += displayWidth(text);
		if (column >= at) continue;
		const word = text.replace(/[[\]]/g, ' ').trim();
		if (isDetail(pane)) return DETAILS[state.lastList].find((tab) => DETAIL_TITLES[tab] === word);
		return MAIN_LISTS.find((list) => String(paneNumber(list)) === /^\d/.exec(word)?.[0]);
	}
	return undefined;
}

export class Mouse {
	readonly #context: ActionContext;
	#dragging: 'columns' | 'rows' | undefined;

	constructor(context: ActionContext) {
		this.#context = context;
	}

	handle({action, button, column, row}: MouseEvent): void {
		const {store} = this.#context;
		const {state} = store;
		if (action === 'wheel-up' || action === 'wheel-down') this.#wheel(action, column, row);
		else if (action === 'release') this.#dragging = undefined;
		else if (action === 'move' && this.#dragging) {
			const way = this.#dragging;
			store.update((now) => dragged(now, way, column, row));
		} else if (action === 'press' && button === 0 && !state.dialog && !state.filtering) {
			this.#dragging = splitAt(state, column, row);
			const place = this.#dragging ? undefined : hit(state, column, row);
			if (place) store.update((now) => clicked({...now, message: undefined}, place));
		}
	}

	#wheel(action: 'wheel-up' | 'wheel-down', column: number, row: number): void {
		const {store} = this.#context;
		const {state} = store;
		const step = action === 'wheel-up' ? -WHEEL : WHEEL;
		if (state.dialog?.kind === 'text') return void scrollText(step)(this.#context);
		if (state.dialog?.kind === 'pick') return void movePick(() => step)(this.#context);
		if (state.dialog) return;
		const pane = hit(state, column, row)?.pane ?? state.focus;
		if (pane === 'stats') return;
		if (pane === 'term') scrollSession(() => step)(this.#context);
		else if (pane === 'logs') store.update((now) => scrollLogs(now, step, pageHeight(now, 'logs')));
		else {
			const list = anyPane(pane);
			const keys = visibleRows(list, state).map(list.key);
			store.update((now) => moveSelection(now, pane, keys, step));
		}
	}
}
