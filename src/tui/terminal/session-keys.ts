/** Gives the terminal's input to the session that has the keys, and the mouse to a program that asked for it. */
import {showMessage} from '../actions/context.ts';
import type {MouseEvent} from '../input/event.ts';
import type {InputRouter} from '../input/router.ts';
import {SessionInput} from '../input/session-input.ts';
import {keyBytes, mouseBytes, wheelKeys} from '../input/session-keys.ts';
import {keyLabel} from '../keys.ts';
import type {SessionTab} from '../store/state.ts';
import type {Store} from '../store/store.ts';
import type {MouseTracking} from './emulator.ts';
import {MOUSE_ON, mouseModes} from './modes.ts';
import type {TerminalStream} from './output.ts';
import {type Sessions, terminalRect, typingTab} from './sessions.ts';

/** Rows that one turn of the mouse's wheel moves. */
const WHEEL = 3;
/** Bytes that are kept of what is typed before a session is open. */
const AHEAD = 4096;

/** Enter, Esc, Ctrl+C, `q`: what closes a session that is over. Anything else may have been meant for the program. */
const CLOSING = new Set([0x0d, 0x0a, 0x1b, 0x03, 0x71]);

export interface SessionKeysOptions {
	store: Store;
	sessions: Sessions;
	router: InputRouter;
	stdout: TerminalStream;
	detachKeys: Uint8Array;
	/** The few keys that aren't the program's; false for all others. */
	onKey(key: string): boolean;
	/** What happens outside the terminal's own cells. */
	onMouse(event: MouseEvent): void;
}

export class SessionKeys {
	readonly #options: SessionKeysOptions;
	#input: SessionInput | undefined;
	/** What was typed while a session is opened; undefined while none is. */
	#ahead: Buffer | undefined;
	#tracking: MouseTracking = 'none';
	#watched: SessionTab['screen'] | undefined;
	#unwatch: (() => void) | undefined;

	constructor(options: SessionKeysOptions) {
		this.#options = options;
		const {store, detachKeys} = options;
		store.update((state) => ({...state, sessions: {...state.sessions, detachKeys: keysLabel(detachKeys)}}));
		store.subscribe(this.#sync);
	}

	close(): void {
		this.#input?.close();
		this.#unwatch?.();
	}

	get #tab(): SessionTab | undefined {
		return typingTab(this.#options.store.state);
	}

	readonly #sync = (): void => {
		const {router} = this.#options;
		const tab = this.#tab;
		const {sessions, dialog, attached} = this.#options.store.state;
		const opening = !tab && sessions.opening > 0 && !dialog && !attached;
		if (tab && !this.#input) {
			const input = this.#open();
			const ahead = this.#ahead;
			this.#input = input;
			this.#ahead = undefined;
			router.capture((bytes) => input.feed(bytes));
			if (ahead) input.feed(ahead);
		} else if (!tab && this.#input) {
			this.#input.close();
			this.#input = undefined;
			router.release();
		} else if (opening && !this.#ahead) {
			this.#ahead = Buffer.alloc(0);
			router.capture((bytes) => this.#keep(bytes));
		} else if (!opening && this.#ahead) {
			this.#ahead = undefined;
			router.release();
		}
		if (this.#watched !== tab?.screen) {
			this.#unwatch?.();
			this.#watched = tab?.screen;
			this.#unwatch = tab?.screen.subscribe(this.#syncMouse);
		}
		this.#syncMouse();
	};

	/** Whoever waits for something that never opens gets out with Esc or Ctrl+C. */
	#keep(bytes: Uint8Array): void {
		const {router} = this.#options;
		if (bytes.length === 1 && (bytes[0] === 0x1b || bytes[0] === 0x03)) router.release();
		else if (this.#ahead && this.#ahead.length + bytes.length <= AHEAD)
			this.#ahead = Buffer.concat([this.#ahead, bytes]);
	}

	/** Our own terminal reports what the program inside wants to know, and no more. */
	readonly #syncMouse = (): void => {
		const tab = this.#tab;
		const wanted = tab && tab.ended === undefined ? tab.screen.emulator.mouse.tracking : 'none';
		if (wanted === this.#tracking) return;
		this.#tracking = wanted;
		const {stdout, store} = this.#options;
		// The panes have it again, if they had it.
		stdout.write(mouseModes(wanted) + (wanted === 'none' && store.state.mouse ? MOUSE_ON : ''));
	};

	#open(): SessionInput {
		const {detachKeys, router, sessions} = this.#options;
		return new SessionInput({
			detachKeys,
			onBytes: (bytes) => this.#type(bytes),
			onKey: (key) => this.#key(key),
			onMouse: (event) => this.#mouse(event),
			onPaste: (edge) => {
				if (this.#tab?.screen.emulator.bracketedPaste)
					this.#type(Buffer.from(edge === 'start' ? '\u001b[200~' : '\u001b[201~'));
			},
			onDetach: (rest) => {
				this.#input = undefined;
				router.release();
				sessions.leave();
				router.release(rest);
			},
		});
	}

	#type(bytes: Uint8Array): void {
		const {store, sessions} = this.#options;
		const tab = this.#tab;
		if (!tab) return;
		if (tab.ended !== undefined) {
			if (bytes.some((byte) => CLOSING.has(byte))) sessions.leave();
		} else if (!tab.screen.type(bytes)) {
			showMessage({store}, {tone: 'bad', text: 'The program reads nothing: what is typed now is lost.'});
		}
	}

	#key(key: string): boolean {
		if (this.#options.onKey(key)) return true;
		const tab = this.#tab;
		const bytes = tab && keyBytes(key, tab.screen.emulator);
		if (bytes === undefined) return false;
		this.#type(Buffer.from(bytes));
		return true;
	}

	#mouse(event: MouseEvent): void {
		const {store, onMouse} = this.#options;
		const tab = this.#tab;
		const rect = terminalRect(store.state);
		if (!tab || !rect) return;
		const column = event.column - rect.x;
		const row = event.row - rect.y;
		if (column < 0 || row < 0 || column >= rect.width || row >= rect.height) {
			onMouse(event);
			return;
		}
		const {emulator} = tab.screen;
		const bytes = mouseBytes(event, column, row, emulator.mouse);
		if (bytes) this.#type(bytes);
		else if (event.action === 'wheel-up' || event.action === 'wheel-down') {
			if (emulator.alternate) this.#type(Buffer.from(wheelKeys(event.action, emulator)));
			else tab.screen.scroll(event.action === 'wheel-up' ? -WHEEL : WHEEL);
		}
	}
}

/** `Ctrl+P Ctrl+Q`, from the bytes. */
function keysLabel(keys: Uint8Array): string {
	const name = (code: number): string => {
		if (code === 127) return 'Del';
		if (code >= 0x20) return String.fromCharCode(code);
		return keyLabel(`ctrl-${String.fromCharCode(code === 0 || code > 26 ? code + 64 : code + 96)}`);
	};
	return [...keys].map(name).join(' ');
}
