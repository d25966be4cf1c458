/** The sessions that are open, as tabs of one pane; each lives whether it is looked at or not. */
import type {ExitStatus, Session} from '../../engine/api.ts';
import {showMessage} from '../actions/context.ts';
import {inside, layout, type Rect} from '../layout.ts';
import {focusPane} from '../store/reducers.ts';
import type {SessionKind, SessionTab, State} from '../store/state.ts';
import type {Store} from '../store/store.ts';
import {sanitize} from '../text/sanitize.ts';
import {loadEmulator} from './emulator.ts';
import {TermSession} from './term-session.ts';

/** Below this a session takes the whole screen at once: nobody wants to work in less. */
const ROOMY = {columns: 76, rows: 16};

export interface Size {
	columns: number;
	rows: number;
}

export interface SessionRequest {
	kind: SessionKind;
	/** The container's id. */
	container: string;
	/** What people call it; not sanitised. */
	name: string;
	tty: boolean;
	open(size: Size): Promise<Session>;
	/** Lines, sanitised, of output from before. */
	history?: readonly string[];
}

/** The session that has the keys. */
export function typingTab(state: State): SessionTab | undefined {
	if (!state.typing || state.focus !== 'term' || state.dialog || state.attached) return undefined;
	return activeTab(state);
}

export function activeTab({sessions}: Pick<State, 'sessions'>): SessionTab | undefined {
	return sessions.tabs.find(({id}) => id === sessions.active);
}

/** Where the cells of the terminal are; undefined when the pane isn't shown. */
export function terminalRect(state: State): Rect | undefined {
	const {mode, panes} = layout(state);
	const rect = panes.term;
	if (!rect) return undefined;
	// On the whole screen there is a title and no border.
	if (mode === 'session') return {...rect, y: rect.y + 1, height: Math.max(1, rect.height - 1)};
	const {width, height} = inside(rect);
	return {x: rect.x + 1, y: rect.y + 1, width: Math.max(2, width), height: Math.max(1, height)};
}

const withTabs = (state: State, tabs: readonly SessionTab[], active = state.sessions.active): State => ({
	...state,
	sessions: {...state.sessions, tabs, active},
});

export class Sessions {
	readonly #store: Store;
	#next = 1;

	constructor(store: Store) {
		this.#store = store;
		store.subscribe(() => this.#fit());
	}

	/** What is typed while `work` opens a session is for that session, and no command of the panes. */
	async hold<T>(work: () => Promise<T>): Promise<T> {
		const count = (step: number): void =>
			this.#store.update((state) => {
				const {sessions} = state;
				return {...state, sessions: {...sessions, opening: sessions.opening + step}};
			});
		count(1);
		try {
			return await work();
		} finally {
			count(-1);
		}
	}

	/** Opens it in a tab of its own and gives it the keys. Rejects when it can't be opened; nothing has changed then. */
	async open(request: SessionRequest): Promise<void> {
		await this.hold(() => this.#open(request));
	}

	async #open(request: SessionRequest): Promise<void> {
		const {kind, container, tty, history = []} = request;
		const name = sanitize(request.name);
		const loading = loadEmulator();
		loading.catch(() => {});
		const size = this.#sizeOf(focusTerm(this.#store.state));
		const session = await request.open({columns: size.columns, rows: size.rows});
		const id = this.#next++;
		let screen: TermSession;
		try {
			screen = new TermSession(await loading, {
				session,
				tty,
				...size,
				history,
				onEnd: (status) => this.#ended(id, status),
				onLeave: () => this.leave(),
			});
		} catch (error) {
			session.detach();
			throw error;
		}
		const tab: SessionTab = {id, kind, container, name, screen, ended: undefined};
		this.#store.update((state) => focusTerm(withTabs(state, [...state.sessions.tabs, tab], id)));
	}

	/** The attached session of a container, if there is one that lives. */
	attached(container: string): SessionTab | undefined {
		return this.#store.state.sessions.tabs.find(
			(tab) => tab.kind === 'attach' && tab.container === container && tab.ended === undefined,
		);
	}

	/** Gives a tab the keys. */
	enter(id: number): void {
		this.#store.update((state) => focusTerm(withTabs(state, state.sessions.tabs, id)));
	}

	/** Back to the panes: an attached container is left, a shell stays where it is. */
	leave(): void {
		const tab = activeTab(this.#store.state);
		this.#store.update(leaveTerm);
		if (!tab) return;
		if (tab.ended !== undefined || tab.kind === 'attach') this.close(tab.id);
		const what = tab.kind === 'attach' ? `Left ${tab.name}` : `Left the shell in ${tab.name}`;
		if (tab.ended === undefined) this.#say('good', `${what}; it goes on.`);
	}

	/** The tab goes; what runs inside goes on. */
	close(id: number): void {
		const {state} = this.#store;
		const {tabs} = state.sessions;
		const at = tabs.findIndex((tab) => tab.id === id);
		if (at < 0) return;
		tabs[at]!.screen.close();
		const left = tabs.filter((tab) => tab.id !== id);
		this.#store.update((now) => {
			const active =
				now.sessions.active === id ? left[Math.min(at, left.length - 1)]?.id : now.sessions.active;
			const next = withTabs(now, left, active);
			return left.length > 0 ? next : withoutTerm(leaveTerm(next));
		});
	}

	step(delta: number): void {
		this.#store.update((state) => {
			const {tabs, active} = state.sessions;
			if (tabs.length < 2) return state;
			const at = tabs.findIndex(({id}) => id === active) + delta;
			return withTabs(state, tabs, tabs[(at + tabs.length) % tabs.length]!.id);
		});
	}

	closeAll(): void {
		for (const {screen} of this.#store.state.sessions.tabs) screen.close();
	}

	#ended(id: number, status: ExitStatus | undefined): void {
		const {state} = this.#store;
		const tab = state.sessions.tabs.find((one) => one.id === id);
		if (!tab) return;
		// A shell that was told to go has nothing left to be read.
		if (tab.kind === 'exec' && status?.code === 0) {
			if (state.sessions.active === id && state.focus === 'term') this.#store.update(leaveTerm);
			this.close(id);
			return;
		}
		const code = status
			? `exit code ${status.code}${status.oomKilled ? ' (out of memory)' : ''}`
			: 'it is gone';
		this.#patch(id, {ended: code});
		const what = tab.kind === 'attach' ? tab.name : `The shell in ${tab.name}`;
		this.#say(
			status?.code === 0 ? 'info' : 'bad',
			`${what} ended${status ? ` with ${code}` : ': its monitor is gone'}.`,
		);
	}

	#patch(id: number, change: Partial<SessionTab>): void {
		this.#store.update((state) => {
			const tabs = state.sessions.tabs.map((tab) => (tab.id === id ? {...tab, ...change} : tab));
			return withTabs(state, tabs);
		});
	}

	#say(tone: 'info' | 'good' | 'bad', text: string): void {
		showMessage({store: this.#store}, {tone, text});
	}

	/** The one that is looked at is as large as its pane. */
	#fit(): void {
		const {state} = this.#store;
		const tab = activeTab(state);
		const rect = tab && terminalRect(state);
		if (rect) tab.screen.resize(rect.width, rect.height);
	}

	#sizeOf(state: State): Size {
		const rect = terminalRect(state);
		return rect ? {columns: rect.width, rows: rect.height} : {columns: 80, rows: 24};
	}
}

/** The pane has the keys; where it would be small it gets the whole screen. */
export function focusTerm(state: State): State {
	const focused = {...focusPane(state, 'term'), typing: true};
	if (focused.zoomed) return focused;
	const rect = terminalRect(focused);
	if (rect && rect.width >= ROOMY.columns && rect.height >= ROOMY.rows) return focused;
	return {...focused, zoomed: true, sessions: {...focused.sessions, zoomed: true}};
}

/** The panes have them; what was made large for it is small again. */
function leaveTerm(state: State): State {
	const {sessions, zoomed} = state;
	const back = {
		...state,
		typing: false,
		zoomed: zoomed && !sessions.zoomed,
		sessions: {...sessions, zoomed: false},
	};
	return back.focus === 'term' ? focusPane(back, back.lastList) : back;
}

/** Nothing is left to be shown in it. */
function withoutTerm(state: State): State {
	return state.tabs.containers === 'term' ? {...state, tabs: {...state.tabs, containers: 'logs'}} : state;
}
