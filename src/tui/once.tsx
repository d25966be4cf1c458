/** `wherry ui --once`: the first full state as one frame of text. */
import type {WriteStream} from 'node:tty';
import {renderToString} from 'ink';
import type {Engine} from '../engine/api.ts';
import {App} from './app.tsx';
import {inside, layout} from './layout.ts';
import {loggedContainers, settleSelections} from './panes/index.ts';
import {Feed} from './store/feed.ts';
import {initialState} from './store/initial.ts';
import {LogFeed} from './store/log-feed.ts';
import type {State} from './store/state.ts';
import {Store} from './store/store.ts';

const DEFAULT_SIZE = {columns: 100, rows: 30};
const SGR = /\u001b\[[0-9;:]*m/g;

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
export async function loadOnce(engine: Engine, size: State['size'], now = Date.now() / 1000): Promise<Store> {
	const store = new Store(initialState(size, now), settleSelections);
	const feed = new Feed(engine, store, {onError: () => {}});
	await feed.readOnce();
	const sources = loggedContainers(store.state);
	if (sources.length > 0) {
		const rect = layout(store.state).panes.logs;
		const logs = new LogFeed(engine, store, () => {});
		// A container that is being removed has no log any more; the rest is still worth a frame.
		if (rect) await logs.readOnce(sources, inside(rect).height).catch(() => {});
	}
	return store;
}

export async function printOnce(engine: Engine, stdout: WriteStream): Promise<number> {
	const store = await loadOnce(engine, frameSize(stdout));
	const frame = renderFrame(store, Boolean(stdout.isTTY));
	await new Promise<void>((resolve, reject) => {
		stdout.write(`${frame}\n`, (error) => (error ? reject(error) : resolve()));
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
