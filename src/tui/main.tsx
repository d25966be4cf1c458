/** The terminal UI's entry: `runTui` is what the command line calls. */
import {PassThrough} from 'node:stream';
import type {ReadStream, WriteStream} from 'node:tty';
import {render, useApp} from 'ink';
import type {Engine} from '../engine/api.ts';
import {type ActionContext, showError} from './actions/context.ts';
import {App} from './app.tsx';
import {Controller} from './controller.ts';
import {InputRouter} from './input/router.ts';
import {printOnce} from './once.tsx';
import {selectedContainer, settleSelections} from './panes/index.ts';
import {Feed} from './store/feed.ts';
import {initialState} from './store/initial.ts';
import {LogFeed} from './store/log-feed.ts';
import {setSize} from './store/reducers.ts';
import {Store} from './store/store.ts';
import {ExitGuard} from './terminal/exit-guard.ts';
import {PASTE_ON} from './terminal/modes.ts';
import {runFullScreen, type TerminalInput} from './terminal/session.ts';

export interface TuiOptions {
	/** The engine, or a promise of it: the first frame doesn't wait. */
	engine: Engine | Promise<Engine>;
	/** One frame as text, without taking the terminal over. */
	once?: boolean;
	stdin?: TerminalInput;
	stdout?: WriteStream & {fd: number};
	/** docker's notation; `ctrl-p,ctrl-q` when absent. */
	detachKeys?: string;
}

/** Milliseconds between two looks at the clock, for `Up 3 minutes`. */
const CLOCK = 10_000;

type Suspend = ReturnType<typeof useApp>['suspendTerminal'];

/** The process's exit code: 0 after `q`. Rejects when the engine can't be opened. */
export async function runTui(options: TuiOptions): Promise<number> {
	const stdin = options.stdin ?? process.stdin;
	const stdout = options.stdout ?? process.stdout;
	if (options.once) return printOnce(await options.engine, stdout);
	if (!stdin.isTTY || !stdout.isTTY)
		throw new Error('the terminal UI needs a terminal; try `wherry ui --once`');

	const store = new Store(
		initialState({columns: stdout.columns, rows: stdout.rows}, Date.now() / 1000),
		settleSelections,
	);
	const {promise: quit, resolve: onQuit} = Promise.withResolvers<void>();
	let suspendInk: Suspend | undefined;
	let controller: Controller | undefined;

	const router = new InputRouter(stdin, {
		onEvent: (event) => {
			// Until the engine is there only leaving means anything.
			if (controller) controller.handle(event);
			else if (event.type === 'key' && (event.key === 'q' || event.key === 'ctrl-c')) onQuit();
		},
		onEnd: () => onQuit(),
	});
	const ink = render(
		<Root
			store={store}
			onReady={(suspend) => {
				suspendInk = suspend;
			}}
		/>,
		{
			stdin: new PassThrough() as unknown as ReadStream,
			stdout,
			alternateScreen: true,
			incrementalRendering: true,
			patchConsole: false,
			exitOnCtrlC: false,
			maxFps: 30,
			interactive: true,
		},
	);
	const stepAside = async (work: () => Promise<void>): Promise<void> => {
		store.update((state) => ({...state, attached: true}));
		try {
			await suspendInk!(async () => {
				try {
					await work();
				} finally {
					store.update((state) => setSize({...state, attached: false}, stdout.columns, stdout.rows));
				}
			});
		} finally {
			stdout.write(PASTE_ON);
		}
	};
	const suspend = (): void => {
		if (store.state.attached) return;
		void stepAside(async () => {
			router.stop();
			guard.stopJob();
			router.start();
		});
	};
	const guard = new ExitGuard({stdin, stdout, unmount: () => ink.unmount(), onSuspend: suspend});
	const onResize = (): void => store.update((state) => setSize(state, stdout.columns, stdout.rows));
	// Before Ink's own listener: it lays out what the store says.
	stdout.prependListener('resize', onResize);
	router.start();
	stdout.write(PASTE_ON);

	let feed: Feed | undefined;
	let logs: LogFeed | undefined;
	const clock = setInterval(() => {
		if (!store.state.attached) store.observe((state) => ({...state, now: Date.now() / 1000}));
	}, CLOCK);
	clock.unref();
	try {
		const engine = await Promise.race([options.engine, quit]);
		if (!engine) return 0;
		const report = (error: unknown): void => showError({store}, error);
		logs = new LogFeed(engine, store, report);
		const context: ActionContext = {
			engine,
			store,
			logs,
			screen: {
				fullScreen: async (open, {tty, banner}) => {
					// Opened before the panes go: an error is shown among them.
					const session = await open({rows: stdout.rows, columns: stdout.columns});
					const {promise, resolve, reject} =
						Promise.withResolvers<Awaited<ReturnType<typeof runFullScreen>>>();
					await stepAside(async () => {
						const detachKeys = options.detachKeys === undefined ? {} : {detachKeys: options.detachKeys};
						await runFullScreen({session, tty, banner, router, stdin, stdout, ...detachKeys}).then(
							resolve,
							reject,
						);
					});
					return promise;
				},
				redraw: () => void stepAside(async () => {}),
				suspend,
				quit: () => onQuit(),
			},
		};
		controller = new Controller(context);
		feed = new Feed(engine, store, {
			onError: report,
			onEvents: (events) => {
				store.observe((state) => ({...state, now: Date.now() / 1000}));
				for (const event of events) {
					if (event.Type === 'container' && event.Action === 'start') logs?.restarted(event.Actor.ID);
				}
			},
		});
		// The logs are those of the selected container, whoever moved the selection.
		store.subscribe(() => logs?.select(selectedContainer(store.state)?.Id));
		const started = feed.start().catch((error) => {
			report(error);
			store.update((state) => ({...state, phase: 'ready'}));
		});
		await Promise.race([quit, started]);
		await Promise.race([quit, ink.waitUntilExit()]);
		return 0;
	} catch (error) {
		guard.restore();
		throw error;
	} finally {
		clearInterval(clock);
		stdout.off('resize', onResize);
		feed?.close();
		logs?.close();
		store.close();
		router.stop();
		guard.release();
	}
}

function Root({store, onReady}: {store: Store; onReady(suspend: Suspend): void}) {
	const {suspendTerminal} = useApp();
	onReady(suspendTerminal);
	return <App store={store} host="local" />;
}
