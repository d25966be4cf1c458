/** The screen's rectangles, from its size and the focus. Pure. */
import {detailPane, isDetail} from './store/reducers.ts';
import type {MainListId, PaneId} from './store/state.ts';

export interface Rect {
	x: number;
	y: number;
	width: number;
	height: number;
}

export type LayoutMode = 'columns' | 'stacked' | 'single' | 'tiny';

export interface Layout {
	mode: LayoutMode;
	/** Only panes that are shown. */
	panes: Partial<Record<PaneId, Rect>>;
	/** The lists that share one place, as tabs of its title. */
	tabs: boolean;
}

export const SMALLEST = {columns: 40, rows: 10};

/** The keys that go there. */
export const PANE_NUMBERS: Record<PaneId, number> = {
	containers: 1,
	images: 2,
	networks: 3,
	logs: 4,
	members: 4,
};
export const MAIN_LISTS: readonly MainListId[] = ['containers', 'images', 'networks'];

/** In the order of their numbers. */
export function paneOrder(state: {lastList: MainListId}): PaneId[] {
	return [...MAIN_LISTS, detailPane(state)];
}

/** Header and footer take a line each. */
const HEADER = 1;
const FOOTER = 1;

export interface LayoutInput {
	size: {columns: number; rows: number};
	focus: PaneId;
	lastList: MainListId;
	zoomed: boolean;
}

export function layout({size, focus, lastList, zoomed}: LayoutInput): Layout {
	const {columns, rows} = size;
	if (columns < SMALLEST.columns || rows < SMALLEST.rows) return {mode: 'tiny', panes: {}, tabs: false};
	const detail = detailPane({lastList});
	const body: Rect = {x: 0, y: HEADER, width: columns, height: rows - HEADER - FOOTER};
	if (zoomed || columns < 80 || rows < 20)
		return {mode: 'single', panes: {[focus]: body}, tabs: !isDetail(focus)};
	if (columns >= 120 && rows >= 30) {
		const [left, right] = splitColumns(body, [3, 2]);
		// The focused list grows by one part.
		const below = focus === 'images' || focus === 'networks';
		const [containers, others] = splitRows(left!, [focus === 'containers' ? 4 : 3, below ? 3 : 2]);
		const [images, networks] = splitColumns(others!, [
			focus === 'images' ? 5 : 3,
			focus === 'networks' ? 5 : 3,
		]);
		return {
			mode: 'columns',
			panes: {containers: containers!, images: images!, networks: networks!, [detail]: right!},
			tabs: false,
		};
	}
	const [list, inside] = splitRows(body, [1, 1]);
	return {mode: 'stacked', panes: {[lastList]: list!, [detail]: inside!}, tabs: true};
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
