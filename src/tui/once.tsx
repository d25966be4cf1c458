/** `wherry ui --once`: the first full state as one frame of text, or what a pane shows as JSON. */
import type {WriteStream} from 'node:tty';
import {renderToString} from 'ink';
import type {Engine} from '../engine/api.ts';
import {applyConfig} from './actions/config.ts';
import {App} from './app.tsx';
import type {UiConfig} from './config/config.ts';
import {inside, layout} from './layout.ts';
import {anyPane, loggedContainers, settleSelections} from './panes/index.ts';
import {visibleRows} from './panes/pane.ts';
import {withBuildRecords} from './store/build-feed.ts';
import {DetailFeed} from './store/detail-feed.ts';
import {DETAILS, isDetail, MAIN_LISTS, SOURCES} from './store/details.ts';
import {Feed} from './store/feed.ts';
import {initialState} from './store/initial.ts';
import {LogFeed} from './store/log-feed.ts';
import {focusPane} from './store/reducers.ts';
import type {ListPaneId, PaneId, State} from './store/state.ts';
import {Store} from './store/store.ts';
import {addSamples} from './store/usage-feed.ts';
import {sanitizeLogLine} from './text/sanitize.ts';

const DEFAULT_SIZE = {columns: 100, rows: 30};
/** Lines of a log that JSON has. */
const LINES = 1000;
const SGR = /\u001b\[[0-9;:]*m/g;

/** Names that `--pane` takes. */
export const PANES: readonly PaneId[] = [
	...new Set<PaneId>([...MAIN_LISTS, ...MAIN_LISTS.flatMap((list) => DETAILS[list])]),
].filter((pane) => pane !== 'term');

export interface OnceOptions {
	/** Alone on the whole frame; all panes without it. */
	pane?: string | undefined;
	json?: boolean | undefined;
	columns?: number | undefined;
	rows?: number | undefined;
}

/** The frame of a state, without a terminal. Lines have no trailing spaces. */
export function renderFrame(store: Store, colour: boolean): string {
	const frame = renderToString(<App store={store} host="local" />, {columns: store.snapshot().size.columns});
	const text = colour ? frame : frame.replace(SGR, '');
	return text
		.split('\n')
		.map((line) => line.replace(/ +$/, ''))
		.join('\n');
}

/** Reads what there is once: nothing is followed. */
export async function loadOnce(
	engine: Engine,
	size: State['size'],
	now = Date.now() / 1000,
	{pane, json = false, config}: {pane?: PaneId | undefined; json?: boolean; config?: UiConfig} = {},
): Promise<Store> {
	const first = initialState(size, now);
	const store = new Store(config ? applyConfig(first, config) : first, settleSelections);
	const feed = new Feed(engine, store, {onError: () => {}});
	await feed.readOnce();
	const builds = await engine.builds.list();
	store.update((state) => withBuildRecords(state, builds));
	if (pane) {
		if (pane === 'events') await feed.readPastOnce();
		store.update((state) => ({...focusPane(state, pane), zoomed: true}));
		await readPane(engine, store, pane);
		// What was read is published at once: nobody waits for the next tenth of a second.
		store.update((state) => ({...state}));
	}
	const sources = loggedContainers(store.state);
	const rect = layout(store.state).panes.logs;
	if (sources.length > 0 && (rect || json)) {
		const logs = new LogFeed(engine, store, () => {});
		// A container that is being removed has no log any more; the rest is still worth a frame.
		await logs.readOnce(sources, json ? LINES : inside(rect!).height).catch(() => {});
	}
	return store;
}

/** What only this pane has. */
async function readPane(engine: Engine, store: Store, pane: PaneId): Promise<void> {
	if (isDetail(pane) && SOURCES[pane]) await new DetailFeed(engine, store).readOnce();
	if (pane === 'stats') {
		const row = loggedContainers(store.state)[0];
		if (row === undefined) return;
		for await (const batch of engine.containers.stats([row], {stream: false}))
			store.update((state) => addSamples(state, batch));
	}
}

/** What a pane shows: its rows with a text for each column, or its lines. */
export function paneJson(state: State, pane: PaneId): unknown {
	if (pane === 'logs') {
		const {buffer, sources} = state.logs;
		return Array.from({length: buffer.total - buffer.first}, (_, index) => {
			const {stream, time, text, source = 0} = buffer.at(buffer.first + index)!;
			return {container: sources[source], stream, time, line: sanitizeLogLine(text)};
		});
	}
	if (pane === 'stats') {
		const history = state.usage.histories.get(loggedContainers(state)[0] ?? '');
		return history?.last ?? null;
	}
	const list = anyPane(pane as ListPaneId);
	const columns = list.columns.filter(({max, shown}) => max !== 0 && (shown?.(state) ?? true));
	return visibleRows(list, state).map((row) =>
		Object.fromEntries([
			...columns.map((column) => [column.name, column.cell(row, state).text.trim()]),
			['key', list.key(row)],
		]),
	);
}

export async function printOnce(
	engine: Engine,
	stdout: WriteStream,
	config: UiConfig,
	{pane, json = false, columns, rows}: OnceOptions = {},
): Promise<number> {
	if (pane !== undefined && !(PANES as readonly string[]).includes(pane))
		throw new Error(`there is no pane ${JSON.stringify(pane)}: it is one of ${PANES.join(', ')}`);
	for (const problem of config.problems) process.stderr.write(`${problem}\n`);
	const size = frameSize(stdout);
	const wanted = {columns: columns ?? size.columns, rows: rows ?? size.rows};
	const shown = (pane ?? 'containers') as PaneId;
	const store = await loadOnce(engine, wanted, undefined, {
		pane: json || pane ? shown : undefined,
		json,
		config,
	});
	const text = json
		? JSON.stringify(paneJson(store.state, shown), null, '\t')
		: renderFrame(store, Boolean(stdout.isTTY));
	await new Promise<void>((resolve, reject) => {
		stdout.write(`${text}\n`, (error) => (error ? reject(error) : resolve()));
	});
	return 0;
}

/** COLUMNS and LINES first, then the terminal's own size. */
function frameSize(stdout: WriteStream, env: NodeJS.ProcessEnv = process.env): State['size'] {
	const number = (text: string | undefined): number | undefined => {
		const value = Number(text);
		return Number.isInteger(value) && value > 0 && value <= 1000 ? value : undefined;
	};
	return {
		columns: number(env.COLUMNS) ?? (stdout.isTTY ? stdout.columns : DEFAULT_SIZE.columns),
		rows: number(env.LINES) ?? (stdout.isTTY ? stdout.rows : DEFAULT_SIZE.rows),
	};
}
