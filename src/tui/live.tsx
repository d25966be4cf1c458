/** The panes on a terminal: puts store, feeds, input, Ink and the exit guard together, and takes them apart. */
import {EventEmitter} from 'node:events';
import type {ReadStream, WriteStream} from 'node:tty';
import {type Instance, render, useApp, useIsScreenReaderEnabled} from 'ink';
import type {Engine, EngineEvent, Session} from '../engine/api.ts';
import {endBuilds} from './actions/builds.ts';
import {applyConfig, problemText} from './actions/config.ts';
import {lastLines} from './actions/containers.ts';
import {commandLine, type Screen, showError, showMessage} from './actions/context.ts';
import type {CliCommand} from './actions/palette.ts';
import {App} from './app.tsx';
import type {UiConfig} from './config/config.ts';
import {Controller} from './controller.ts';
import type {InputEvent} from './input/event.ts';
import {InputRouter} from './input/router.ts';
import type {InputSource} from './input/source.ts';
import {keepFlat} from './memory.ts';
import {loggedContainers, settleSelections} from './panes/index.ts';
import type {BuildFeed} from './store/build-feed.ts';
import {DetailFeed} from './store/detail-feed.ts';
import {Feed} from './store/feed.ts';
import {HostFeed} from './store/host-feed.ts';
import {initialState} from './store/initial.ts';
import {LogFeed} from './store/log-feed.ts';
import {pause} from './store/pause.ts';
import {setList, setSize} from './store/reducers.ts';
import type {SessionKind} from './store/state.ts';
import {Store} from './store/store.ts';
import {UsageFeed} from './store/usage-feed.ts';
import {runCommand} from './terminal/command.ts';
import {ExitGuard} from './terminal/exit-guard.ts';
import {clipboard, MOUSE_OFF, MOUSE_ON, PASTE_OFF, PASTE_ON} from './terminal/modes.ts';
import type {TerminalStream} from './terminal/output.ts';
import {SessionKeys} from './terminal/session-keys.ts';
import {Sessions} from './terminal/sessions.ts';
import {sanitize} from './text/sanitize.ts';
import {SpokenApp} from './widgets/spoken.tsx';

/** Milliseconds between two looks at the clock, for `Up 3 minutes`. */
const CLOCK = 10_000;
/** Milliseconds that the first frame waits for what it shows; drawing twice takes longer than that. */
const PATIENCE = 80;

type Suspend = ReturnType<typeof useApp>['suspendTerminal'];
/** Milliseconds after the first frame in which the builds are read. */
const SOON = 200;

/** The command line that the UI belongs to. */
export interface CommandLine {
	commands(): Promise<readonly CliCommand[]>;
	/** What runs it: a program and its first arguments. */
	program: readonly string[];
}

/** A session that somebody else has opened. */
export interface OpenSession {
	kind: SessionKind;
	/** The container's id. */
	container: string;
	/** Not sanitised. */
	name: string;
	tty: boolean;
	session: Session;
	/** Whether the container ran before. */
	past: boolean;
}

export interface LiveOptions {
	engine: Promise<Engine>;
	/** Milliseconds since the epoch; see TuiOptions. */
	since: number;
	input: InputSource;
	stdout: TerminalStream;
	/** Bytes. */
	detachKeys: Uint8Array;
	onShown(): void;
	commandLine: CommandLine;
	config: UiConfig;
	session: OpenSession | undefined;
}

/**
 * Resolves when the user leaves, to the exit code of `session` if that has ended, else to 0. Rejects when the engine can't be opened; the
 * terminal is given back first.
 */
export async function runLive(options: LiveOptions): Promise<number> {
	const live = new LiveUi(options);
	const {engine, since, onShown, session} = options;
	let code = 0;
	session?.session.exit.then(
		(status) => {
			code = status.code;
		},
		() => {},
	);
	if (session) live.show(await engine, session);
	const loaded = live.load(engine, since);
	// Whoever awaits it below reports it.
	loaded.catch(() => {});
	await Promise.race([loaded, pause(PATIENCE)]);
	live.open();
	onShown();
	keepFlat();
	try {
		await Promise.race([live.left, loaded.then(() => live.left)]);
	} finally {
		live.close();
	}
	return code;
}

class LiveUi {
	readonly #input: InputSource;
	readonly #stdout: TerminalStream;
	readonly #commandLine: CommandLine;
	readonly #config: UiConfig;
	readonly #store: Store;
	readonly #router: InputRouter;
	readonly #leave: () => void;
	readonly #clock: NodeJS.Timeout;
	readonly #sessions: Sessions;
	readonly #sessionKeys: SessionKeys;
	#controller: Controller | undefined;
	#feed: Feed | undefined;
	#logs: LogFeed | undefined;
	#details: DetailFeed | undefined;
	#usage: UsageFeed | undefined;
	#host: HostFeed | undefined;
	#builds: BuildFeed | undefined;
	#closed = false;
	#guard: ExitGuard | undefined;
	#ink: Instance | undefined;
	#suspendInk: Suspend | undefined;
	/** Resolves when the user has asked to leave, or the terminal has gone. */
	readonly left: Promise<void>;

	constructor({input, stdout, detachKeys, commandLine, config}: LiveOptions) {
		this.#commandLine = commandLine;
		this.#input = input;
		this.#stdout = stdout;
		const size = {columns: stdout.columns, rows: stdout.rows};
		this.#config = config;
		this.#store = new Store(
			applyConfig(initialState(size, Date.now() / 1000), this.#config),
			settleSelections,
		);
		const {promise, resolve} = Promise.withResolvers<void>();
		this.left = promise;
		this.#leave = resolve;
		this.#router = new InputRouter(input, {onEvent: this.#onInput, onEnd: this.#leave});
		// Before the widgets listen: a terminal has its new size when it is drawn.
		this.#sessions = new Sessions(this.#store);
		this.#sessionKeys = new SessionKeys({
			store: this.#store,
			sessions: this.#sessions,
			router: this.#router,
			stdout,
			detachKeys,
			onKey: (key) => this.#controller?.handleSessionKey(key) ?? false,
			onMouse: this.#onInput,
		});
		this.#clock = setInterval(this.#tick, CLOCK);
		this.#clock.unref();
	}

	/** Its container is the selected one. */
	show(engine: Engine, {session, past, ...rest}: OpenSession): void {
		const store = this.#store;
		const {container} = rest;
		store.update((state) => setList(state, 'containers', {selected: container}));
		const open = async (): Promise<void> => {
			const history = past ? await lastLines({engine, store}, container) : [];
			await this.#sessions.open({...rest, history, open: async () => session});
		};
		open().catch((error) => showError({store}, error));
	}

	/** Everything that the panes show. */
	async load(opening: Promise<Engine>, since: number): Promise<void> {
		const engine = await opening;
		const store = this.#store;
		const report = (error: unknown): void => showError({store}, error);
		const logs = new LogFeed(engine, store, report);
		this.#logs = logs;
		this.#feed = new Feed(engine, store, {onError: report, onEvents: this.#onEvents});
		const details = new DetailFeed(engine, store);
		this.#details = details;
		const usage = new UsageFeed(engine, store, report);
		this.#usage = usage;
		this.#controller = new Controller({
			engine,
			store,
			logs,
			details,
			sessions: this.#sessions,
			screen: this.#screen,
		});
		// The logs are those of the selected container or of the marked ones, whoever moved the selection.
		store.subscribe(() => {
			logs.select(loggedContainers(store.state));
			details.sync();
			usage.sync();
		});
		try {
			await this.#feed.start(since);
			setTimeout(() => void this.#followBuilds(engine), SOON).unref();
		} catch (error) {
			report(error);
			store.update((state) => ({...state, phase: 'ready'}));
		}
	}

	/** Those of other processes and of before. */
	async #followBuilds(engine: Engine): Promise<void> {
		const {BuildFeed} = await import('./store/build-feed.ts');
		if (this.#closed) return;
		this.#builds = new BuildFeed(engine, this.#store, (error) => showError({store: this.#store}, error));
	}

	/** Takes the terminal over. */
	open(): void {
		const onReady = (suspend: Suspend): void => {
			this.#suspendInk = suspend;
		};
		this.#guard = new ExitGuard({
			input: this.#input,
			fd: this.#stdout.fd,
			unmount: () => {
				this.#ink?.unmount();
				this.#router.stop();
			},
			onEnd: endBuilds,
			onSuspend: () => this.#screen.suspend(),
			onContinue: this.#onContinue,
		});
		// Before Ink's own listener: it lays out what the store says.
		this.#stdout.on('resize', this.#onResize);
		this.#input.hush();
		this.#ink = render(<Root store={this.#store} onReady={onReady} />, {
			// Ink reads nothing: the router does.
			stdin: new EventEmitter() as unknown as ReadStream,
			stdout: this.#stdout as unknown as WriteStream,
			stderr: this.#stdout as unknown as WriteStream,
			alternateScreen: true,
			incrementalRendering: true,
			patchConsole: false,
			exitOnCtrlC: false,
			// What goes on by itself is shown ten times a second at most (store.ts); a key right after it waits no longer than this.
			maxFps: 120,
			interactive: true,
		});
		// An error while drawing ends Ink; it must not end in silence.
		this.#ink.waitUntilExit().catch((error) => {
			throw error;
		});
		this.#stdout.write(this.#modes());
		this.#router.start();
		const [problem] = this.#config.problems;
		if (problem !== undefined)
			showMessage({store: this.#store}, {tone: 'bad', text: problemText(this.#config)});
		this.#host = new HostFeed(this.#store);
	}

	close(): void {
		this.#closed = true;
		clearInterval(this.#clock);
		this.#stdout.off('resize', this.#onResize);
		this.#feed?.close();
		this.#logs?.close();
		this.#details?.close();
		this.#usage?.close();
		this.#host?.close();
		this.#builds?.close();
		this.#sessionKeys.close();
		this.#sessions.closeAll();
		this.#store.close();
		this.#router.stop();
		this.#guard?.release();
	}

	readonly #screen: Screen = {
		commands: () => this.#commandLine.commands(),
		runCommand: (words) => this.#runCommand(words),
		runProgram: (words) => this.#runProgram(words),
		mouse: (on) => void this.#stdout.write(on ? MOUSE_ON : MOUSE_OFF),
		copy: (text) => void this.#stdout.write(clipboard(text)),
		redraw: () => void this.#stepAside(async () => {}),
		suspend: () => {
			if (this.#store.state.attached || !this.#suspendInk) return;
			void this.#stepAside(async () => {
				this.#router.stop();
				this.#guard?.stopJob();
				this.#router.start();
			});
		},
		quit: () => this.#leave(),
	};

	/** What the terminal is told while the panes are there. */
	#modes(): string {
		return PASTE_ON + (this.#store.state.mouse ? MOUSE_ON : '');
	}

	#runCommand(words: readonly string[]): Promise<number> {
		return this.#runWith(this.#commandLine.program, words, commandLine('wherry', ...words));
	}

	/** `wherry` is this one, wherever it is. */
	#runProgram([name, ...words]: readonly string[]): Promise<number> {
		return name === 'wherry'
			? this.#runCommand(words)
			: this.#runWith([name!], words, commandLine(name!, ...words));
	}

	async #runWith(program: readonly string[], words: readonly string[], line: string): Promise<number> {
		const {promise, resolve, reject} = Promise.withResolvers<number>();
		const banner = `$ ${sanitize(line)}`;
		await this.#stepAside(async () => {
			await runCommand({
				program,
				words,
				banner,
				router: this.#router,
				guard: this.#guard!,
				stdout: this.#stdout,
			}).then(resolve, reject);
		});
		return promise;
	}

	/** Takes Ink off the screen for a while, and draws everything again afterwards. */
	async #stepAside(work: () => Promise<void>): Promise<void> {
		const {columns, rows} = this.#stdout;
		this.#store.update((state) => ({...state, attached: true}));
		const back = (): void => {
			const size = {columns: this.#stdout.columns || columns, rows: this.#stdout.rows || rows};
			this.#store.update((state) => setSize({...state, attached: false}, size.columns, size.rows));
		};
		this.#stdout.write(PASTE_OFF + MOUSE_OFF);
		await this.#suspendInk!(() => work().finally(back));
		this.#stdout.write(this.#modes());
	}

	/** Stopped and woken by somebody else, who may have left anything on the screen. */
	readonly #onContinue = (): void => {
		if (this.#store.state.attached || !this.#suspendInk) return;
		this.#router.stop();
		this.#router.start();
		this.#screen.redraw();
	};

	readonly #onInput = (event: InputEvent): void => {
		if (this.#controller) this.#controller.handle(event);
		// Until the engine is there only leaving means anything.
		else if (event.type === 'key' && (event.key === 'q' || event.key === 'ctrl-c')) this.#leave();
	};

	readonly #onResize = (): void => {
		this.#store.update((state) => setSize(state, this.#stdout.columns, this.#stdout.rows));
	};

	readonly #onEvents = (events: readonly EngineEvent[]): void => {
		this.#tick();
		for (const event of events) {
			if (event.Type === 'container' && event.Action === 'start') this.#logs?.restarted(event.Actor.ID);
		}
	};

	readonly #tick = (): void => {
		if (!this.#store.state.attached) this.#store.observe((state) => ({...state, now: Date.now() / 1000}));
	};
}

function Root({store, onReady}: {store: Store; onReady(suspend: Suspend): void}) {
	const {suspendTerminal} = useApp();
	onReady(suspendTerminal);
	return useIsScreenReaderEnabled() ? <SpokenApp store={store} /> : <App store={store} host="local" />;
}
