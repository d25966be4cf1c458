/** The upper line of a pane of details: its number, its tabs, whose it is. Pure. */
import {DETAIL_TITLES, detailTabs} from '../store/details.ts';
import type {DetailPaneId, State} from '../store/state.ts';
import {sanitize} from '../text/sanitize.ts';
import {displayWidth} from '../text/width.ts';
import type {TitlePart} from './frame.tsx';

/** All tabs where they have room beside what is said of the subject, else this one and how many there are. */
export function detailTitle(state: State, id: DetailPaneId, about: string, width: number): TitlePart[] {
	const tabs = detailTabs(state);
	const subject = about === '' ? [] : [{text: `${sanitize(about)} `}];
	const all = tabs.flatMap((tab, index) => [
		...(index > 0 ? [{text: '·'}] : []),
		// Marked without colour, too, and with the keys that go to its neighbours.
		{text: tab === id ? `[${DETAIL_TITLES[tab]}]` : ` ${DETAIL_TITLES[tab]} `, strong: tab === id},
	]);
	const used = [...all, ...subject].reduce((sum, {text}) => sum + displayWidth(text), 0);
	if (tabs.length > 1 && used + 6 < width) return [{text: ' 0 '}, ...all, {text: ' '}, ...subject];
	const place = tabs.length > 1 ? `${tabs.indexOf(id) + 1}/${tabs.length} ` : '';
	return [{text: ` 0 ${DETAIL_TITLES[id]} `, strong: true}, {text: place}, ...subject];
}
