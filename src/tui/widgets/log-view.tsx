/** The output of the selected container. */
import {Box, Text} from 'ink';
import {inside, type Rect} from '../layout.ts';
import {containerName} from '../panes/containers.ts';
import type {State} from '../store/state.ts';
import {type Store, useSlice} from '../store/store.ts';
import {sanitize} from '../text/sanitize.ts';
import {fitCells} from '../text/width.ts';
import {tone} from '../theme.ts';
import {detailTitle} from './detail-title.ts';
import {Frame} from './frame.tsx';
import {logRows} from './log-rows.ts';

export interface LogViewProps {
	store: Store;
	rect: Rect;
	focused: boolean;
}

const PHASES = {idle: '', reading: 'follow', ended: 'ended'};

const selectLogs = (state: State) => state.logs;
const selectName = (state: State): string => {
	const row = state.containers.get(state.logs.container ?? '');
	return row ? sanitize(containerName(row)) : '';
};

export function LogView({store, rect, focused}: LogViewProps) {
	const logs = useSlice(store, selectLogs);
	const name = useSlice(store, selectName);
	const state = store.snapshot();
	const {width, height} = inside(rect);
	const rows = logRows(logs, width, height);
	const flags = [
		...(logs.follow ? [PHASES[logs.phase]] : [`${logs.buffer.total - logs.top} below`]),
		...(logs.wrap ? ['wrap'] : []),
		...(logs.left > 0 ? [`→${logs.left}`] : []),
		...(logs.skips > 0 ? [`${logs.skips} skips`] : []),
	]
		.filter(Boolean)
		.join(' · ');
	const counted = logs.buffer.total > 0 ? `${logs.buffer.total} lines` : '';
	return (
		<Frame
			rect={rect}
			focused={focused}
			title={detailTitle(state, 'logs', [name, flags].filter(Boolean).join(' · '), width)}
			note={counted}
		>
			<Box flexDirection="column" width={width} height={height}>
				{rows.length === 0 ? (
					<Text {...tone('muted')} wrap="truncate">
						{fitCells(emptyText(logs.container, logs.phase), width)}
					</Text>
				) : (
					rows.map(({key, time, text, tone: name}) => (
						<Text key={key} wrap="truncate">
							{time === '' ? null : <Text {...tone('muted')}>{time}</Text>}
							<Text {...tone(name)}>{text}</Text>
						</Text>
					))
				)}
			</Box>
		</Frame>
	);
}

function emptyText(container: string | undefined, phase: string): string {
	if (container === undefined) return ' No container is selected.';
	return phase === 'ended' ? ' It wrote nothing.' : ' Nothing yet.';
}
