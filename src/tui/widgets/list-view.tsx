/** A pane's rows: the visible ones, as a table, or what to do while there are none. */
import {Box, Text} from 'ink';
import {inside, PANE_NUMBERS, type Rect} from '../layout.ts';
import {anyPane} from '../panes/index.ts';
import {type Column, visibleRows} from '../panes/pane.ts';
import {FIRST_SORT} from '../store/initial.ts';
import {selectedIndex, windowStart} from '../store/reducers.ts';
import type {ListPaneId, State} from '../store/state.ts';
import {type Store, useSlice} from '../store/store.ts';
import {sanitize} from '../text/sanitize.ts';
import {displayWidth, fitCells} from '../text/width.ts';
import {tone} from '../theme.ts';
import {columnWidths} from './column-widths.ts';
import {Frame, type TitlePart} from './frame.tsx';
import {VirtualTable} from './virtual-table.tsx';

export interface ListViewProps {
	store: Store;
	id: ListPaneId;
	rect: Rect;
	focused: boolean;
	/** Other lists that share the place. */
	tabs: readonly ListPaneId[];
}

/** What a list shows; the pane is drawn again when one of them is another value. */
const sameList = (id: ListPaneId) => {
	let last: unknown[] = [];
	let result: State | undefined;
	return (state: State): State => {
		const now = [
			state.containers,
			state.images,
			state.networks,
			state.lists[id],
			// Members are those of the selected network.
			id === 'members' ? state.lists.networks : undefined,
			state.filtering,
			state.hideStopped,
			state.busy,
			state.phase,
			state.now,
		];
		if (!result || now.some((value, index) => value !== last[index])) {
			last = now;
			result = state;
		}
		return result;
	};
};

const selectors: Record<ListPaneId, (state: State) => State> = {
	containers: sameList('containers'),
	images: sameList('images'),
	networks: sameList('networks'),
	members: sameList('members'),
};

export function ListView({store, id, rect, focused, tabs}: ListViewProps) {
	const state = useSlice(store, selectors[id]);
	const pane = anyPane(id);
	const list = state.lists[id];
	const rows = visibleRows(pane, state);
	const {width, height} = inside(rect);
	const selected = selectedIndex(list, rows.map(pane.key));
	const start = windowStart(rows.length, selected, height - 1);
	const visible = rows.slice(start, start + height - 1);
	const cells = visible.map((row) => pane.columns.map((column) => column.cell(row, state)));
	const longest = (column: Column<unknown>): number => {
		const at = pane.columns.indexOf(column);
		return cells.reduce((most, row) => Math.max(most, displayWidth(sanitize(row[at]!.text))), 0);
	};
	// Two cells on the left are the selection's.
	const sized = columnWidths(pane.columns, longest, width - 2);
	const places = sized.map(({column}) => pane.columns.indexOf(column));
	return (
		<Frame
			rect={rect}
			focused={focused}
			title={titleParts(state, id, tabs, width)}
			note={note(state, id, rows.length, selected)}
		>
			{rows.length === 0 ? (
				<Empty lines={emptyLines(state, id)} width={width} height={height} />
			) : (
				<VirtualTable
					data={[]}
					fixed={sized.map(({column, width: cellsWide}) => ({
						name: column.name,
						title: column.title,
						width: cellsWide,
						...(column.align ? {align: column.align} : {}),
					}))}
					count={rows.length}
					start={start}
					height={height}
					width={width}
					selected={selected}
					focused={focused}
					sorted={{name: list.sort, reverse: list.reverse}}
					row={(index) => ({
						key: pane.key(rows[index]),
						cells: places.map((place) => cells[index - start]![place]!),
					})}
				/>
			)}
		</Frame>
	);
}

function titleParts(state: State, id: ListPaneId, tabs: readonly ListPaneId[], width: number): TitlePart[] {
	const names = tabs.length > 0 ? tabs : [id];
	const full = (name: ListPaneId): string =>
		` ${PANE_NUMBERS[name]} ${anyPane(name).title} ${sanitize(anyPane(name).counter(state))} `;
	// Where not all have room, the others are only their numbers.
	const fits = names.reduce((sum, name) => sum + displayWidth(full(name)) + 1, 0) < width - 2;
	const parts: TitlePart[] = names.flatMap((name, index) => [
		...(index > 0 ? [{text: '·'}] : []),
		{text: fits || name === id ? full(name) : ` ${PANE_NUMBERS[name]} `, strong: name === id},
	]);
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

function note(state: State, id: ListPaneId, count: number, selected: number): string {
	const {sort, reverse} = state.lists[id];
	const place = count > 0 ? `${selected + 1}/${count}` : '';
	const order = sort === FIRST_SORT[id] && !reverse ? '' : `${sort}${reverse ? '▲' : '▼'} `;
	return `${order}${place}`;
}

function emptyLines(state: State, id: ListPaneId): readonly string[] {
	if (state.phase === 'loading') return ['Reading…'];
	const filter = state.filtering?.pane === id ? state.filtering.field.value : state.lists[id].filter;
	const pane = anyPane(id);
	if (filter !== '' && pane.rows(state).length > 0)
		return ['Nothing matches the filter.', '', 'Esc  clears it'];
	return pane.empty(state);
}

function Empty({lines, width, height}: {lines: readonly string[]; width: number; height: number}) {
	const block = Math.max(...lines.map((line) => displayWidth(line)));
	const left = ' '.repeat(Math.max(1, Math.floor((width - block) / 2)));
	const top = Math.max(0, Math.floor((height - lines.length) / 2));
	return (
		<Box flexDirection="column" marginTop={top} width={width}>
			{lines.slice(0, height).map((line, index) => (
				// biome-ignore lint/suspicious/noArrayIndexKey: fixed lines
				<Text key={index} {...(index === 0 ? {bold: true} : tone('normal'))} wrap="truncate">
					{fitCells(left + line, width) || ' '}
				</Text>
			))}
		</Box>
	);
}
