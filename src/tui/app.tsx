/** The whole screen: header, the panes that the layout shows, footer, and a dialog over them. */
import {Box, Text} from 'ink';
import {GRID, type LayoutMode, layout, paneNumber, type Rect, SMALLEST} from './layout.ts';
import {isDetail, MAIN_LISTS} from './store/details.ts';
import type {PaneId, State} from './store/state.ts';
import {type Store, useSlice} from './store/store.ts';
import {fitCells} from './text/width.ts';
import {Footer, Header, LongMessage} from './widgets/bars.tsx';
import {DialogView} from './widgets/dialogs.tsx';
import {ListView} from './widgets/list-view.tsx';
import {LogView} from './widgets/log-view.tsx';
import {StatsView} from './widgets/stats-view.tsx';
import {TermView} from './widgets/term-view.tsx';

const selectSize = (state: State) => state.size;
const selectFocus = (state: State) => state.focus;
const selectList = (state: State) => state.lastList;
const selectTabs = (state: State) => state.tabs;
const selectSplit = (state: State) => state.split;
const selectZoom = (state: State) => state.zoomed;
const selectTyping = (state: State) => state.typing;
const selectDialog = (state: State) => state.dialog;
const selectProgress = (state: State) =>
	state.dialog?.kind === 'progress' ? state.progress.get(state.dialog.job) : undefined;

export function App({store, host}: {store: Store; host: string}) {
	const size = useSlice(store, selectSize);
	const focus = useSlice(store, selectFocus);
	const lastList = useSlice(store, selectList);
	const shownTabs = useSlice(store, selectTabs);
	const zoomed = useSlice(store, selectZoom);
	const split = useSlice(store, selectSplit);
	const typing = useSlice(store, selectTyping);
	const {mode, panes, tabs} = layout({size, focus, lastList, tabs: shownTabs, zoomed, split, typing});
	if (mode === 'tiny') return <TooSmall size={size} />;
	const view = (id: PaneId, rect: Rect) => {
		const focused = focus === id;
		if (id === 'logs') return <LogView key={id} store={store} rect={rect} focused={focused} />;
		if (id === 'term')
			return <TermView key={id} store={store} rect={rect} focused={focused} whole={mode === 'session'} />;
		if (id === 'stats') return <StatsView key={id} store={store} rect={rect} focused={focused} />;
		const shared = tabs && !isDetail(id) ? MAIN_LISTS : [];
		return <ListView key={id} store={store} id={id} rect={rect} focused={focused} tabs={shared} />;
	};
	return (
		<Box flexDirection="column" width={size.columns} height={size.rows} overflow="hidden">
			{mode === 'session' ? null : <Header store={store} host={host} />}
			<Body mode={mode} panes={panes} view={view} />
			{mode === 'session' ? null : <Footer store={store} />}
			{mode === 'session' ? null : <LongMessage store={store} />}
			<Dialogs store={store} />
		</Box>
	);
}

interface BodyProps {
	mode: LayoutMode;
	panes: Partial<Record<PaneId, Rect>>;
	view(id: PaneId, rect: Rect): React.ReactNode;
}

/** Details come after all lists. */
const order = (id: PaneId): number => paneNumber(id) || MAIN_LISTS.length + 1;

function Body({mode, panes, view}: BodyProps) {
	const shown = (Object.keys(panes) as PaneId[]).sort((a, b) => order(a) - order(b));
	const some = (...ids: PaneId[]): React.ReactNode[] =>
		shown.filter((id) => ids.includes(id)).map((id) => view(id, panes[id]!));
	if (mode !== 'columns') {
		return <Box flexDirection="column">{shown.map((id) => view(id, panes[id]!))}</Box>;
	}
	return (
		<Box>
			<Box flexDirection="column">
				{GRID.map((lists) => (
					<Box key={lists[0]}>{some(...lists)}</Box>
				))}
			</Box>
			{shown.filter(isDetail).map((id) => view(id, panes[id]!))}
		</Box>
	);
}

/** Drawn again only for a dialog: its slice is the dialog alone. */
function Dialogs({store}: {store: Store}) {
	const dialog = useSlice(store, selectDialog);
	// Bars grow while nothing is typed.
	useSlice(store, selectProgress);
	return dialog ? <DialogView state={store.snapshot()} /> : null;
}

function TooSmall({size}: {size: State['size']}) {
	const text = `terminal too small (need ${SMALLEST.columns}×${SMALLEST.rows})`;
	return (
		<Box width={size.columns} height={size.rows}>
			<Text wrap="truncate">{fitCells(text, size.columns)}</Text>
		</Box>
	);
}
