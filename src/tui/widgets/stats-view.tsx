/** Graphs of what the selected container uses. */
import {Box, Text} from 'ink';
import {keyLine} from '../keys.ts';
import {inside, type Rect} from '../layout.ts';
import {isUp, statusText} from '../panes/containers.ts';
import {subjectContainer} from '../panes/subject.ts';
import type {State} from '../store/state.ts';
import {type Store, useSlice} from '../store/store.ts';
import {sanitize} from '../text/sanitize.ts';
import {displayWidth, fitCells, truncate} from '../text/width.ts';
import {tone} from '../theme.ts';
import {statsAbout} from './detail-about.ts';
import {detailTitle} from './detail-title.ts';
import {Empty} from './empty.tsx';
import {Frame} from './frame.tsx';
import {graphRows, sparkline} from './graph.ts';
import {type Panel, type Place, panelPlaces, statsPanels} from './stats-panels.ts';

/** Drawn again when one of them is another value. */
const slice = () => {
	let last: unknown[] = [];
	let result: State | undefined;
	return (state: State): State => {
		const now = [state.usage.version, subjectContainer(state), state.size, state.phase, state.lastList];
		if (!result || now.some((value, index) => value !== last[index])) {
			last = now;
			result = state;
		}
		return result;
	};
};
const selectState = slice();

export function StatsView({store, rect, focused}: {store: Store; rect: Rect; focused: boolean}) {
	const state = useSlice(store, selectState);
	const {width, height} = inside(rect);
	const container = subjectContainer(state);
	const history = container && state.usage.histories.get(container.Id);
	const about = statsAbout(state);
	const seconds = history ? Math.round(history.length) : 0;
	return (
		<Frame
			rect={rect}
			focused={focused}
			title={detailTitle(state, 'stats', about, width)}
			note={seconds > 0 ? `${seconds} samples` : ''}
		>
			{history?.last ? (
				<Panels panels={statsPanels(history, width)} places={panelPlaces(width, height)} />
			) : (
				<Empty lines={reasons(state)} width={width} height={height} />
			)}
		</Frame>
	);
}

function reasons(state: State): readonly string[] {
	if (state.phase === 'loading') return ['Reading…'];
	const container = subjectContainer(state);
	if (!container) return ['No container is selected.'];
	if (isUp(container)) return ['Measuring…'];
	return [
		'It is not running.',
		sanitize(statusText(container, state.now)),
		'',
		keyLine('container.start', 'in its list starts it'),
	];
}

function Panels({panels, places}: {panels: readonly Panel[]; places: readonly Place[]}) {
	return places.map((place, index) =>
		panels[index] ? <PanelView key={panels[index].title} panel={panels[index]} place={place} /> : null,
	);
}

function PanelView({panel, place}: {panel: Panel; place: Place}) {
	const {title, value, note, up, down, max} = panel;
	const {x, y, width, height} = place;
	const head = ` ${title} `;
	const titles = (room: number) => {
		const now = truncate(value, Math.max(0, room - displayWidth(head)));
		const left = room - displayWidth(head) - displayWidth(now);
		return (
			<>
				<Text bold>{head}</Text>
				<Text {...tone(panel.tone)}>{now}</Text>
				<Text {...tone('muted')}>
					{displayWidth(note) + 3 <= left ? fitCells(`${note} `, left, 'right') : ' '.repeat(left)}
				</Text>
			</>
		);
	};
	if (height === 1) {
		// The numbers, and what is left for the graph.
		const words = Math.min(width, 36);
		const room = width - words;
		return (
			<Box position="absolute" left={x} top={y} width={width}>
				<Text wrap="truncate">
					<Text bold>{head}</Text>
					{fitCells(value, Math.max(0, words - displayWidth(head)))}
					<Text {...tone(panel.tone)}>{room > 3 ? ` ${sparkline(up, room - 1, max)}` : ''}</Text>
				</Text>
			</Box>
		);
	}
	const rows = height - 1;
	const upper = down ? Math.max(1, Math.ceil(rows / 2)) : rows;
	const lower = rows - upper;
	const room = width - 1;
	return (
		<Box position="absolute" left={x} top={y} width={width} flexDirection="column">
			<Text wrap="truncate">{titles(width)}</Text>
			{graphRows(up, {width: room, height: upper, max}).map((row, index) => (
				// biome-ignore lint/suspicious/noArrayIndexKey: rows of a picture
				<Text key={index} {...tone(panel.tone)} wrap="truncate">
					{` ${row}`}
				</Text>
			))}
			{down && lower > 0
				? graphRows(down, {width: room, height: lower, max, down: true}).map((row, index) => (
						// biome-ignore lint/suspicious/noArrayIndexKey: rows of a picture
						<Text key={`down ${index}`} {...tone('warning')} wrap="truncate">
							{` ${row}`}
						</Text>
					))
				: null}
		</Box>
	);
}
