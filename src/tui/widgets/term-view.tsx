/** The terminals: their tabs in the title, and the cells of the one that is shown. */
import {Box, Text} from 'ink';
import {useSyncExternalStore} from 'react';
import type {TextField} from '../input/text-field.ts';
import {keyLine, keyOf} from '../keys.ts';
import {inside, type Rect} from '../layout.ts';
import {screenLines} from '../render/cells.ts';
import {colourDepth} from '../render/colour-depth.ts';
import type {SessionTab, State} from '../store/state.ts';
import {type Store, useSlice} from '../store/store.ts';
import {activeTab, typingTab} from '../terminal/sessions.ts';
import {displayWidth, fitCells, truncate} from '../text/width.ts';
import {foreignColours, tone} from '../theme.ts';
import {detailTitle} from './detail-title.ts';
import {emptyRows} from './empty.tsx';
import {Frame, LinesFrame, type TitlePart} from './frame.tsx';

export interface TermViewProps {
	store: Store;
	rect: Rect;
	focused: boolean;
	/** All of the screen: a title and no border. */
	whole: boolean;
}

const depth = colourDepth();

const selectSessions = (state: State) => state.sessions;
const selectTyping = (state: State) => typingTab(state) !== undefined;
const selectMessage = (state: State) => state.message;
const selectFiltering = (state: State) =>
	state.filtering?.pane === 'term' ? state.filtering.field : undefined;
const selectList = (state: State) => state.lastList;
const never = () => () => {};
const zero = () => 0;

export function TermView({store, rect, focused, whole}: TermViewProps) {
	const sessions = useSlice(store, selectSessions);
	const typing = useSlice(store, selectTyping);
	const message = useSlice(store, selectMessage);
	// Tabs are those of the list that is looked at.
	useSlice(store, selectList);
	const searching = useSlice(store, selectFiltering);
	const tab = activeTab({sessions});
	// Drawn again with each picture of the terminal's, and not for anything that happens elsewhere.
	useSyncExternalStore(tab?.screen.subscribe ?? never, tab?.screen.version ?? zero, zero);
	const state = store.snapshot();
	const {width, height} = whole ? {width: rect.width, height: rect.height - 1} : inside(rect);
	const colours = foreignColours() ? depth : 'none';
	const lines = tab
		? screenLines(tab.screen.emulator, colours, typing && tab.ended === undefined, (row) =>
				tab.screen.search.marks(row),
			)
		: [];
	if (whole) {
		const title = typingTitle(sessions, tab);
		return (
			<Box flexDirection="column" width={rect.width} height={rect.height} overflow="hidden">
				{message ? (
					<Text {...tone(message.tone === 'info' ? 'info' : message.tone)} bold inverse wrap="truncate">
						{fitCells(` ${message.text}`, rect.width)}
					</Text>
				) : (
					<TitleLine parts={title} note={zoomNote('back')} width={rect.width} />
				)}
				<Text wrap="truncate">{lines.slice(0, height).join('\n')}</Text>
			</Box>
		);
	}
	const title = typing
		? typingTitle(sessions, tab)
		: detailTitle(state, 'term', restingText(sessions, tab, searching), width);
	const frame = {rect, focused, title, note: typing ? zoomNote('full screen') : ''};
	if (!tab) return <LinesFrame {...frame} lines={emptyRows({lines: emptyLines(), width, height})} />;
	if (tab.screen.emulator.columns === width) return <LinesFrame {...frame} lines={lines} />;
	// For a moment, while its size is being changed.
	return (
		<Frame {...frame}>
			<Box width={width} height={height} overflow="hidden">
				<Text wrap="truncate">{lines.join('\n')}</Text>
			</Box>
		</Frame>
	);
}

const emptyLines = (): string[] => [
	'No terminal is open.',
	'',
	keyLine('container.attach', 'in the list attaches to a container'),
	keyLine('container.exec', 'opens a shell in it'),
];

function TitleLine({parts, note, width}: {parts: readonly TitlePart[]; note: string; width: number}) {
	const right = ` ${note} `;
	const text = parts.map((part) => part.text).join('');
	const shown = truncate(text, width);
	const rest = width - displayWidth(shown);
	const end = displayWidth(right) <= rest ? right : '';
	return (
		<Text {...tone('accent')} bold inverse wrap="truncate">
			{fitCells(shown, width - displayWidth(end)) + end}
		</Text>
	);
}

const zoomNote = (what: string): string => `${keyOf('session.zoom')} ${what}`;

const label = ({kind, name}: SessionTab): string => (kind === 'attach' ? name : `${name} shell`);

/** Whose it is, how one gets back, the other tabs, what the program calls itself. */
function typingTitle(
	{tabs, active, detachKeys}: State['sessions'],
	tab: SessionTab | undefined,
): TitlePart[] {
	if (!tab) return [];
	if (tab.ended !== undefined) {
		return [
			{text: ` ENDED ${label(tab)} `, strong: true},
			{text: `· ${tab.ended} · Enter goes back to the panes `},
		];
	}
	const {below} = tab.screen.emulator;
	const back = tab.kind === 'attach' ? 'detaches' : 'goes back to the panes';
	const what = tab.kind === 'attach' ? 'ATTACHED' : 'SHELL in';
	return [
		{text: ` ${what} ${tab.name} `, strong: true},
		{text: `· ${detachKeys} ${back} `},
		...(below > 0 ? [{text: `· ${below} lines below `, strong: true}] : []),
		...(tabs.length > 1
			? [
					{text: '·'},
					...tabs.map((one, index) => ({
						text: one.id === active ? `[${index + 1} ${label(one)}]` : ` ${index + 1} ${label(one)} `,
						strong: one.id === active,
					})),
				]
			: []),
		...(tab.screen.title === '' ? [] : [{text: `· ${truncate(tab.screen.title, 40)} `}]),
	];
}

/** The same while the panes have the keys. */
function restingText(
	{tabs, active}: State['sessions'],
	tab: SessionTab | undefined,
	searching: TextField | undefined,
): string {
	if (!tab) return '';
	const place = tabs.length > 1 ? `${tabs.findIndex(({id}) => id === active) + 1}/${tabs.length} ` : '';
	const {below} = tab.screen.emulator;
	const search = searchText(tab, searching);
	return `${place}${label(tab)} · ${tab.ended ?? (below > 0 ? `${below} lines below` : `${keyOf('term.type')} types`)}${search}`;
}

/** What is typed, or what is searched for and which of how many was gone to. */
function searchText({screen}: SessionTab, typed: TextField | undefined): string {
	if (typed) return ` · /${typed.value.slice(0, typed.cursor)}▏${typed.value.slice(typed.cursor)}`;
	const {text, place} = screen.search;
	return text === '' ? '' : ` · /${text} ${place}`;
}
