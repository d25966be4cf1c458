/** Who gets what is typed while sessions are opened, have the keys, and end. */
import {PassThrough} from 'node:stream';
import type {ReadStream} from 'node:tty';
import test from 'ava';
import {InputRouter} from '../../../src/tui/input/router.ts';
import {StreamSource} from '../../../src/tui/input/source.ts';
import {initialState} from '../../../src/tui/store/initial.ts';
import {Store} from '../../../src/tui/store/store.ts';
import type {TerminalStream} from '../../../src/tui/terminal/output.ts';
import {SessionKeys} from '../../../src/tui/terminal/session-keys.ts';
import {Sessions} from '../../../src/tui/terminal/sessions.ts';
import {FakeSession} from '../fake-session.ts';
import {until} from '../harness.ts';

const ESC = '\u001b';

function terminal() {
	const store = new Store(initialState({columns: 200, rows: 50}, 0));
	const stdin = new PassThrough();
	/** Keys that came to the panes. */
	const panes: string[] = [];
	const written: string[] = [];
	const sessions = new Sessions(store);
	let onPaneKey = (_key: string): void => {};
	const router = new InputRouter(new StreamSource(stdin as unknown as ReadStream), {
		onEvent: (event) => {
			if (event.type !== 'key') return;
			panes.push(event.key);
			onPaneKey(event.key);
		},
		onEnd: () => {},
	});
	router.start();
	const keys = new SessionKeys({
		store,
		sessions,
		router,
		stdout: {write: (text: string) => void written.push(text)} as unknown as TerminalStream,
		detachKeys: Uint8Array.of(16, 17),
		onKey: () => false,
		onMouse: () => {},
	});
	const request = (kind: 'attach' | 'exec', open: () => Promise<FakeSession['session']>) =>
		sessions.open({kind, container: 'x', name: 'x', tty: true, open});
	return {
		store,
		sessions,
		panes,
		written,
		request,
		type: (text: string) => void stdin.write(text),
		onPaneKey: (listener: (key: string) => void) => {
			onPaneKey = listener;
		},
		close: () => keys.close(),
	};
}

test('what is typed while a session is opened is for it, also behind the key that opened it', async (t) => {
	const {request, type, panes, onPaneKey} = terminal();
	const fake = new FakeSession();
	const {promise, resolve} = Promise.withResolvers<FakeSession['session']>();
	onPaneKey((key) => {
		if (key === 'e') void request('exec', () => promise);
	});
	type('jels');
	type(' -l\r');
	await until(() => panes.length === 2);
	resolve(fake.session);
	await until(() => fake.input.length === 6);
	t.is(fake.input, 'ls -l\r');
	t.deepEqual(panes, ['j', 'e']);
});

test('what was typed for one that could not be opened is no command of the panes; the next key is', async (t) => {
	const {request, type, panes} = terminal();
	const {promise, reject} = Promise.withResolvers<FakeSession['session']>();
	const opened = t.throwsAsync(request('exec', () => promise));
	type('dy');
	await new Promise((done) => setTimeout(done, 10));
	reject(new Error('refused'));
	await opened;
	type('j');
	await until(() => panes.length > 0);
	t.deepEqual(panes, ['j']);
});

test('whoever waits for what never opens gets out with Esc', async (t) => {
	const {request, type, panes} = terminal();
	void request('exec', () => new Promise(() => {}));
	type('x');
	await new Promise((done) => setTimeout(done, 10));
	type(ESC);
	await new Promise((done) => setTimeout(done, 10));
	type('j');
	await until(() => panes.length > 0);
	t.deepEqual(panes, ['j']);
});

test('after the detach keys the panes have the rest; after an end only a key that closes counts', async (t) => {
	const {request, type, panes, store} = terminal();
	const first = new FakeSession();
	await request('attach', async () => first.session);
	type('a\u0010\u0011j');
	await until(() => panes.length > 0);
	t.is(first.input, 'a');
	t.deepEqual(panes, ['j']);
	t.is(store.state.sessions.tabs.length, 0);
	const second = new FakeSession();
	await request('attach', async () => second.session);
	second.end(1);
	await until(() => store.state.sessions.tabs[0]?.ended !== undefined);
	type('dy');
	await new Promise((done) => setTimeout(done, 10));
	t.is(store.state.sessions.tabs.length, 1);
	type('\r');
	await until(() => store.state.sessions.tabs.length === 0);
	type('k');
	await until(() => panes.length === 2);
	t.deepEqual(panes, ['j', 'k']);
});

test('the mouse is on while a program that has the keys wants it, and pastes are marked for one that asked', async (t) => {
	const {request, type, written, sessions} = terminal();
	const fake = new FakeSession();
	await request('exec', async () => fake.session);
	type(`${ESC}[200~pas\rted${ESC}[201~`);
	await until(() => fake.input.includes('ted'));
	t.is(fake.input, 'pas\rted');
	fake.write(`${ESC}[?1003h${ESC}[?1006h${ESC}[?2004h`);
	await until(() => written.length > 0);
	t.regex(written.at(-1)!, /\?1003h$/);
	type(`${ESC}[200~x${ESC}[201~${ESC}[<35;125;9M`);
	await until(() => fake.input.endsWith('M'));
	t.is(fake.input.slice(7), `${ESC}[200~x${ESC}[201~${ESC}[<35;4;7M`);
	sessions.leave();
	t.false(written.at(-1)!.includes('h'));
});

test('arrows are as the program asked for them, whatever our own terminal sends', async (t) => {
	const {request, type} = terminal();
	const fake = new FakeSession();
	await request('exec', async () => fake.session);
	type(`${ESC}[A${ESC}OB${ESC}[1~`);
	await until(() => fake.input.length >= 9);
	t.is(fake.input, `${ESC}[A${ESC}[B${ESC}[H`);
	fake.write(`${ESC}[?1hready`);
	await until(() => fake.stdout.readableLength === 0);
	await new Promise((done) => setTimeout(done, 50));
	type(`${ESC}[A`);
	await until(() => fake.input.length >= 12);
	t.is(fake.input.slice(9), `${ESC}OA`);
});
