/** What commands work with. */
import type {Engine} from '../../engine/api.ts';
import type {DetailFeed} from '../store/detail-feed.ts';
import type {LogFeed} from '../store/log-feed.ts';
import {setBusy, setMessage} from '../store/reducers.ts';
import type {Dialog, Message} from '../store/state.ts';
import type {Store} from '../store/store.ts';
import type {Sessions} from '../terminal/sessions.ts';
import {sanitize} from '../text/sanitize.ts';
import type {CliCommand} from './palette.ts';

/** The terminal's part of commands; the tests' has no terminal. */
export interface Screen {
	/** All commands of the command line; none where it isn't there. */
	commands(): Promise<readonly CliCommand[]>;
	/** Gives the whole screen to one of them; resolves to its exit code. */
	runCommand(words: readonly string[]): Promise<number>;
	/** The same for any program. */
	runProgram(words: readonly string[]): Promise<number>;
	/** Whether the terminal tells of the mouse. */
	mouse(on: boolean): void;
	/** Asks the terminal to put this on the clipboard. */
	copy(text: string): void;
	redraw(): void;
	suspend(): void;
	quit(): void;
}

export interface ActionContext {
	engine: Engine;
	store: Store;
	logs: LogFeed;
	details: DetailFeed;
	sessions: Sessions;
	screen: Screen;
}

/** Milliseconds that a message stays; errors stay until the next key after it. */
const MESSAGE_TIME = 4000;

export function showMessage({store}: {store: Store}, message: Omit<Message, 'at'>): void {
	const at = performance.now();
	store.update((state) => setMessage(state, {...message, text: sanitize(message.text)}, at));
	if (message.tone === 'bad') return;
	setTimeout(() => {
		store.observe((state) => (state.message?.at === at ? {...state, message: undefined} : state));
	}, MESSAGE_TIME).unref();
}

/** An error as the command line words it, without a stack, and with ids as short as the rows have them. */
export function errorText(error: unknown): string {
	const text = error instanceof Error ? error.message : String(error);
	return `Error: ${text.split('\n')[0]!.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1')}`;
}

export function showError(context: {store: Store}, error: unknown): void {
	showMessage(context, {tone: 'bad', text: errorText(error)});
}

export function openDialog({store}: ActionContext, dialog: Dialog | undefined): void {
	store.update((state) => ({...state, dialog, message: undefined}));
}

/** Words of a command line; quoted where a shell would split or read them otherwise. */
export function commandLine(...words: string[]): string {
	return words
		.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
		.join(' ');
}

/** Remembers what was done as the command that does the same. */
export function remember({store}: ActionContext, ...words: string[]): void {
	store.update((state) => ({...state, command: sanitize(commandLine('wherry', ...words))}));
}

/** Does something to a container or a network, saying so in its row until it is done. */
export async function whileBusy(
	context: ActionContext,
	row: {Id: string},
	verb: string,
	work: () => Promise<unknown>,
): Promise<boolean> {
	const {store} = context;
	const running = store.state.busy.get(row.Id);
	if (running !== undefined) {
		showMessage(context, {tone: 'info', text: `Still ${running}.`});
		return false;
	}
	store.update((state) => setBusy(state, row.Id, verb));
	try {
		await work();
		return true;
	} catch (error) {
		showError(context, error);
		return false;
	} finally {
		store.update((state) => setBusy(state, row.Id, undefined));
	}
}

/** Rows at once: each is a process of its own to wait for. */
const TOGETHER = 8;

/** Does something to each row; of several that fail, how many and the first reason are said. */
export async function forEachRow<Row extends {Id: string}>(
	context: ActionContext,
	rows: readonly Row[],
	verb: string,
	work: (row: Row) => Promise<unknown>,
): Promise<void> {
	if (rows.length === 1) {
		await whileBusy(context, rows[0]!, verb, () => work(rows[0]!));
		return;
	}
	const errors: unknown[] = [];
	const waiting = rows.filter(({Id}) => !context.store.state.busy.has(Id));
	const many = waiting.length;
	const worker = async (): Promise<void> => {
		for (let row = waiting.shift(); row; row = waiting.shift()) {
			const {Id} = row;
			context.store.update((state) => setBusy(state, Id, verb));
			await work(row).catch((error: unknown) => errors.push(error));
			context.store.update((state) => setBusy(state, Id, undefined));
		}
	};
	await Promise.all(Array.from({length: TOGETHER}, worker));
	if (errors.length === 0) return;
	showMessage(context, {tone: 'bad', text: `${errors.length} of ${many} failed. ${errorText(errors[0])}`});
}
