/** The output of the selected container, or of those that are marked. */
import type {TextField} from '../input/text-field.ts';
import {keyOf} from '../keys.ts';
import {inside, type Rect} from '../layout.ts';
import {paint} from '../render/paint.ts';
import type {LogState, State} from '../store/state.ts';
import {type Store, useSlice} from '../store/store.ts';
import {sinceText} from '../text/since.ts';
import {fitCells} from '../text/width.ts';
import {foreignStyle, series, type TextStyle, type Tone, tone} from '../theme.ts';
import {logAbout, logNames} from './detail-about.ts';
import {detailTitle} from './detail-title.ts';
import {LinesFrame} from './frame.tsx';
import {type LogPart, type LogRow, logRows} from './log-rows.ts';

export interface LogViewProps {
	store: Store;
	rect: Rect;
	focused: boolean;
}

const selectLogs = (state: State) => state.logs;
const selectNames = (state: State): string => logNames(state).join('\n');

const selectTyping = (state: State): TextField | undefined =>
	state.filtering?.pane === 'logs' ? state.filtering.field : undefined;
const selectList = (state: State) => state.lastList;

export function LogView({store, rect, focused}: LogViewProps) {
	const logs = useSlice(store, selectLogs);
	const names = useSlice(store, selectNames).split('\n');
	useSlice(store, selectTyping);
	// Tabs are those of the list that is looked at.
	useSlice(store, selectList);
	const state = store.snapshot();
	const {width, height} = inside(rect);
	const rows = logRows(logs, width, height, names);
	const counted = logs.buffer.total > 0 ? `${logs.buffer.total} lines` : '';
	const about = logAbout(state);
	const lines =
		rows.length === 0
			? [paint(fitCells(emptyText(logs), width), tone('muted'))]
			: rows.map((row) => rowText(row));
	return (
		<LinesFrame
			rect={rect}
			focused={focused}
			title={detailTitle(state, 'logs', about, width)}
			note={counted}
			lines={lines}
		/>
	);
}

function rowText({time, prefix, parts, tone: name, found}: LogRow): string {
	const before = prefix ? paint(prefix.text, series(prefix.series)) : '';
	const text = parts.map((part) => paint(part.text, partStyle(part, name, found))).join('');
	return before + paint(time, tone('muted')) + text;
}

function partStyle({match, style}: LogPart, name: Tone, found: boolean): TextStyle {
	const own = style ? {...tone(name), ...foreignStyle(style)} : tone(name);
	return match ? {...own, bold: found, inverse: true} : own;
}

function emptyText(logs: LogState): string {
	if (logs.sources.length === 0) return ' No container is selected.';
	if (logs.only && logs.search !== '' && logs.buffer.total > 0)
		return ` No line matches; ${keyOf('app.back')} shows all.`;
	if (logs.since !== undefined)
		return ` Nothing in the last ${sinceText(logs.since)}; ${keyOf('logs.since')} shows more.`;
	return logs.phase === 'ended' ? ' It wrote nothing.' : ' Nothing yet.';
}
