/** The terminal UI's entry: `runTui` is what the command line calls. */
import type {ReadStream} from 'node:tty';
import {parseDetachKeys} from '../cli/terminal/detach-keys.ts';
import type {Engine} from '../engine/api.ts';
import {isTerminal} from '../kernel/terminal.ts';
import {loadConfig, type UiConfig} from './config/config.ts';
import {StreamSource, TerminalSource} from './input/source.ts';
import {type CommandLine, type OpenSession, runLive} from './live.tsx';
import {type OnceOptions, printOnce} from './once.tsx';
import {rehearsalTerminal} from './rehearsal.ts';
import {TerminalOutput, type TerminalStream} from './terminal/output.ts';

export interface TuiOptions {
	/** The engine, or a promise of it: the terminal doesn't wait long. */
	engine: Engine | Promise<Engine>;
	/** Milliseconds since the epoch: what happens from then on may be missing in what is first read of the engine; now when absent. */
	since?: number;
	/** One frame as text, without taking the terminal over. */
	once?: OnceOptions | undefined;
	/** Those of the process when absent. */
	stdin?: ReadStream;
	stdout?: TerminalStream;
	/** Called when the first frame is on the terminal: what it needn't wait for. */
	onShown?: () => void;
	/** What the palette offers besides the panes' own commands, and how it is run. */
	commandLine?: CommandLine;
	/** docker's notation, or bytes; `ctrl-p,ctrl-q` when absent. */
	detachKeys?: string | Uint8Array;
	/** What is open at once, and has the keys. */
	session?: OpenSession;
}

const NO_COMMANDS: CommandLine = {commands: async () => [], program: []};

/** The process's exit code: 0 after `q`, or that of the session which was open at once, if it has ended. Rejects when the engine can't be opened or there is no terminal. */
export async function runTui(options: TuiOptions): Promise<number> {
	const config = loadConfig();
	if (options.once) return printOnce(await options.engine, process.stdout, config, options.once);
	const {stdin, stdout} = options;
	if (!(stdin?.isTTY ?? isTerminal(0)) || !(stdout?.isTTY ?? isTerminal(1)))
		throw new Error('the terminal UI needs a terminal; try `wherry ui --once`');
	const {engine, onShown = () => {}, detachKeys = '', commandLine = NO_COMMANDS, session} = options;
	const {since = Date.now()} = options;
	const keys = chosenKeys(detachKeys, config);
	return await runLive({
		engine: Promise.resolve(engine),
		since,
		input: stdin ? new StreamSource(stdin) : new TerminalSource(),
		stdout: stdout ?? new TerminalOutput(1),
		detachKeys: keys.bytes,
		onShown,
		commandLine,
		config: keys.problem === undefined ? config : {...config, problems: [...config.problems, keys.problem]},
		session,
	});
}

/** Those of the command line, or those of the configuration; if these are none, the usual ones, and why. */
function chosenKeys(asked: string | Uint8Array, config: UiConfig): {bytes: Uint8Array; problem?: string} {
	if (typeof asked !== 'string') return {bytes: asked};
	if (asked !== '' || config.detachKeys === undefined) return {bytes: parseDetachKeys(asked)};
	try {
		return {bytes: parseDetachKeys(config.detachKeys)};
	} catch (error) {
		return {bytes: parseDetachKeys(''), problem: `ui.json: detachKeys: ${(error as Error).message}`};
	}
}

/** The first frame and a few keys without a terminal, for the build. */
export async function rehearseTui(engine: Engine | Promise<Engine>): Promise<number> {
	const {stdin, stdout, type} = rehearsalTerminal();
	return await runTui({engine, stdin, stdout, onShown: () => void type()});
}
