/** The screen's rectangles, from its size and the focus. Pure. */
import {isDetail, MAIN_LISTS} from './store/details.ts';
import {detailPane} from './store/reducers.ts';
import type {MainListId, PaneId, Split, State} from './store/state.ts';

export interface Rect {
	x: number;
	y: number;
	width: number;
	height: number;
}

/** `session`: a terminal has all of the screen but its title. */
export type LayoutMode = 'columns' | 'stacked' | 'single' | 'session' | 'tiny';

export interface Layout {
	mode: LayoutMode;
	/** Only panes that are shown. */
	panes: Partial<Record<PaneId, Rect>>;
	/** The lists that share one place, as tabs of its title. */
	tabs: boolean;
}

export const SMALLEST = {columns: 40, rows: 10};

/** The key that goes to a pane; all details are one. */
export function paneNumber(pane: PaneId): number {
	return isDetail(pane) ? 0 : MAIN_LISTS.indexOf(pane) + 1;
}

/** As Tab goes through them. */
export function paneOrder(state: Pick<State, 'lastList' | 'tabs'>): PaneId[] {
	return [...MAIN_LISTS, detailPane(state)];
}

/** Header and footer take a line each. */
const HEADER = 1;
const FOOTER = 1;

export interface LayoutInput {
	size: {columns: number; rows: number};
	focus: PaneId;
	lastList: MainListId;
	tabs: State['tabs'];
	zoomed: boolean;
	split: Split;
	/** What is typed is for the terminal. */
	typing?: boolean;
}

export function layout({size, focus, lastList, tabs, zoomed, split, typing = false}: LayoutInput): Layout {
	const {columns, rows} = size;
	if (columns < SMALLEST.columns || rows < SMALLEST.rows) return {mode: 'tiny', panes: {}, tabs: false};
	if (zoomed && typing && focus === 'term')
		return {mode: 'session', panes: {term: {x: 0, y: 0, width: columns, height: rows}}, tabs: false};
	const detail = detailPane({lastList, tabs});
	const body: Rect = {x: 0, y: HEADER, width: columns, height: rows - HEADER - FOOTER};
	if (zoomed || columns < 80 || rows < 20)
		return {mode: 'single', panes: {[focus]: body}, tabs: !isDetail(focus)};
	if (columns >= 120 && rows >= 30) {
		const [left, right] = splitColumns(body, [split.columns, 100 - split.columns]);
		const rows = GRID.map((lists) => weight(lists, focus));
		const parts = splitRows(left!, rows);
		const panes: Partial<Record<PaneId, Rect>> = {[detail]: right!};
		for (const [index, lists] of GRID.entries()) {
			const cells = splitColumns(
				parts[index]!,
				lists.map((list) => (list === focus ? 5 : 3)),
			);
			for (const [at, list] of lists.entries()) panes[list] = cells[at]!;
		}
		return {mode: 'columns', panes, tabs: false};
	}
	const [list, inside] = splitRows(body, [split.rows, 100 - split.rows]);
	return {mode: 'stacked', panes: {[lastList]: list!, [detail]: inside!}, tabs: true};
}

/** Rows of the left side where there is room for all lists. */
export const GRID: readonly (readonly MainListId[])[] = [
	['containers'],
	['images', 'networks'],
	['volumes', 'events', 'builds'],
];

/** Of a row; the one with the focus grows. */
function weight(lists: readonly MainListId[], focus: PaneId): number {
	return (lists.includes('containers') ? 6 : 4) + (lists.some((list) => list === focus) ? 2 : 0);
}

/** Cells inside a pane's border. */
export function inside(rect: Rect): {width: number; height: number} {
	return {width: Math.max(0, rect.width - 2), height: Math.max(0, rect.height - 2)};
}

function shares(total: number, weights: readonly number[]): number[] {
	const sum = weights.reduce((a, b) => a + b, 0);
	let given = 0;
	let seen = 0;
	return weights.map((weight) => {
		seen += weight;
		const end = Math.round((total * seen) / sum);
		const share = end - given;
		given = end;
		return share;
	});
}

function splitRows(rect: Rect, weights: readonly number[]): Rect[] {
	let {y} = rect;
	return shares(rect.height, weights).map((height) => {
		const part = {...rect, y, height};
		y += height;
		return part;
	});
}

function splitColumns(rect: Rect, weights: readonly number[]): Rect[] {
	let {x} = rect;
	return shares(rect.width, weights).map((width) => {
		const part = {...rect, x, width};
		x += width;
		return part;
	});
}
