/** What the upper line of each pane says, for drawing it and for finding what was clicked. Pure. */
import {inside, layout, paneNumber} from '../layout.ts';
import {anyPane} from '../panes/index.ts';
import {visibleRows} from '../panes/pane.ts';
import {isDetail, MAIN_LISTS} from '../store/details.ts';
import {FIRST_SORT} from '../store/initial.ts';
import {selectedIndex} from '../store/reducers.ts';
import type {ListPaneId, MainListId, PaneId, State} from '../store/state.ts';
import {sanitize} from '../text/sanitize.ts';
import {displayWidth} from '../text/width.ts';
import {logAbout, statsAbout} from './detail-about.ts';
import {detailTitle} from './detail-title.ts';
import type {TitlePart} from './frame.tsx';

/** The parts after the border's first two cells. */
export function paneTitle(state: State, id: PaneId): readonly TitlePart[] {
	const {panes, tabs} = layout(state);
	const rect = panes[id];
	if (!rect) return [];
	const {width} = inside(rect);
	if (id === 'logs') return detailTitle(state, id, logAbout(state), width);
	if (id === 'stats') return detailTitle(state, id, statsAbout(state), width);
	if (id === 'term') return detailTitle(state, id, '', width);
	const pane = anyPane(id);
	const rows = visibleRows(pane, state);
	const note = listNote(state, id, rows.length, selectedIndex(state.lists[id], rows.map(pane.key)));
	const shared = tabs && !isDetail(id) ? MAIN_LISTS : [];
	return listParts(state, id, shared, width - displayWidth(note) - 2);
}

/** The upper line of a list or of a tab with rows. */
export function listParts(
	state: State,
	id: ListPaneId,
	tabs: readonly MainListId[],
	width: number,
): TitlePart[] {
	const parts = isDetail(id)
		? detailTitle(state, id, anyPane(id).counter(state), width)
		: listTitle(state, id, tabs.length > 0 ? tabs : [id], width);
	const {filter} = state.lists[id];
	const typing = state.filtering?.pane === id ? state.filtering.field : undefined;
	if (typing) {
		const {value, cursor} = typing;
		parts.push({
			text: `/${sanitize(value.slice(0, cursor))}▏${sanitize(value.slice(cursor))} `,
			strong: true,
		});
	} else if (filter !== '') {
		parts.push({text: `/${sanitize(filter)} `, strong: true});
	}
	return parts;
}

/** Names with counters; where not all have room the others without, and then only their numbers. */
function listTitle(state: State, id: MainListId, names: readonly MainListId[], width: number): TitlePart[] {
	const number = (name: MainListId): string => ` ${paneNumber(name)} `;
	const short = (name: MainListId): string => `${number(name)}${anyPane(name).title} `;
	const full = (name: MainListId): string =>
		`${short(name)}${sanitize(anyPane(name).counter(state))} `.replace(/ {2}$/, ' ');
	const tight = (name: MainListId): string => short(name).trim();
	const fits = (text: (name: MainListId) => string): boolean =>
		names.reduce((sum, name) => sum + displayWidth(name === id ? full(name) : text(name)) + 1, 0) < width - 2;
	const others = [full, short, tight].find(fits) ?? number;
	return names.flatMap((name, index) => [
		...(index > 0 ? [{text: '·'}] : []),
		{text: name === id ? full(name) : others(name), strong: name === id},
	]);
}

/** Marked rows that are shown: commands are for no others. */
function markedCount(state: State, id: MainListId): number {
	const pane = anyPane(id);
	return visibleRows(pane, state).filter((row) => state.marks[id].has(pane.key(row))).length;
}

/** At the right end of the upper line. */
export function listNote(state: State, id: ListPaneId, count: number, selected: number): string {
	const {sort, reverse} = state.lists[id];
	const place = count > 0 ? `${selected + 1}/${count}` : '';
	const order = sort === FIRST_SORT[id] && !reverse ? '' : `${sort}${reverse ? '▲' : '▼'} `;
	const marked = isDetail(id) || state.marks[id].size === 0 ? '' : `${markedCount(state, id)} marked · `;
	return `${marked}${order}${place}`;
}
