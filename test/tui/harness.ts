/** The terminal UI without a terminal: bytes go in at the decoder, frames come out as text. */
import {setTimeout as sleep} from 'node:timers/promises';
import type {ActionContext} from '../../src/tui/actions/context.ts';
import type {CliCommand} from '../../src/tui/actions/palette.ts';
import {Controller} from '../../src/tui/controller.ts';
import {KeyDecoder} from '../../src/tui/input/decoder.ts';
import {loadOnce} from '../../src/tui/once.tsx';
import {loggedContainers} from '../../src/tui/panes/index.ts';
import {DetailFeed} from '../../src/tui/store/detail-feed.ts';
import {LogFeed} from '../../src/tui/store/log-feed.ts';
import {UsageFeed} from '../../src/tui/store/usage-feed.ts';
import {Sessions} from '../../src/tui/terminal/sessions.ts';
import {type FakeEngine, NOW} from './fake-engine.ts';

const COMMANDS: readonly CliCommand[] = [
	{name: 'container update', usage: '[OPTIONS] CONTAINER [CONTAINER...]', about: 'Change limits'},
	{name: 'network create', usage: '[OPTIONS] NETWORK', about: 'Make a network'},
];

/** With `logs` the log is that of whatever is selected, a moment later; without it the first one's stays. */
export async function openUi(
	fake: FakeEngine,
	size = {columns: 80, rows: 24},
	{logs: live = false, commands = COMMANDS}: {logs?: boolean; commands?: readonly CliCommand[]} = {},
) {
	const store = await loadOnce(fake.engine, size, NOW);
	const screen: string[] = [];
	const details = new DetailFeed(fake.engine, store);
	const usage = new UsageFeed(fake.engine, store, () => {});
	const logs = new LogFeed(fake.engine, store, () => {});
	if (live) await logs.readOnce(loggedContainers(store.state), size.rows);
	store.subscribe(() => {
		if (live) logs.select(loggedContainers(store.state));
		details.sync();
		usage.sync();
	});
	const sessions = new Sessions(store);
	const context: ActionContext = {
		engine: fake.engine,
		store,
		logs,
		details,
		sessions,
		screen: {
			commands: async () => commands,
			runCommand: async (words) => {
				screen.push(words.join(' '));
				return 3;
			},
			runProgram: async (words) => {
				screen.push(`program ${words.join(' | ')}`);
				return 0;
			},
			mouse: (on) => void screen.push(`mouse ${on}`),
			copy: (text) => void screen.push(`copy ${text}`),
			redraw: () => void screen.push('redraw'),
			suspend: () => void screen.push('suspend'),
			quit: () => void screen.push('quit'),
		},
	};
	const controller = new Controller(context);
	const decoder = new KeyDecoder();
	return {
		store,
		sessions,
		controller,
		screen,
		/** Types, and lets what it started come to an end. */
		async type(...inputs: string[]): Promise<void> {
			for (const input of inputs) {
				for (const event of [...decoder.feed(Buffer.from(input)), ...decoder.flush()])
					controller.handle(event);
				await sleep(1);
			}
		},
	};
}

/** Waits for what isn't there at once: reads of details, samples. */
export async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await sleep(5);
}
