/** The pane of terminals among the others: its frames, its tabs, its keys. */
import test from 'ava';
import {renderFrame} from '../../src/tui/once.tsx';
import type {SessionKind} from '../../src/tui/store/state.ts';
import {focusTerm, terminalRect, typingTab} from '../../src/tui/terminal/sessions.ts';
import {busyEngine} from './fake-engine.ts';
import {FakeSession} from './fake-session.ts';
import {openUi, until} from './harness.ts';

const ESC = '\u001b';
const SIZES = [
	{columns: 80, rows: 24},
	{columns: 120, rows: 30},
	{columns: 200, rows: 50},
];

async function openTerminals(size: {columns: number; rows: number}) {
	const fake = busyEngine();
	const ui = await openUi(fake, size);
	const start = async (name: string, kind: SessionKind, tty = true): Promise<FakeSession> => {
		const session = new FakeSession();
		const row = fake.rows.find(({Names}) => Names[0] === `/${name}`)!;
		await ui.sessions.open({kind, container: row.Id, name, tty, open: async () => session.session});
		return session;
	};
	const frame = (): string => renderFrame(ui.store, false);
	return {...ui, start, frame};
}

const PROMPT = `${ESC}[32mroot@web${ESC}[0m:/# ls\r\nbin  etc  日本  usr\r\nroot@web:/# `;

for (const size of SIZES) {
	test(`a shell that is typed in, and left, at ${size.columns}x${size.rows}`, async (t) => {
		const {sessions, start, frame} = await openTerminals(size);
		const shell = await start('web', 'exec');
		shell.write(PROMPT);
		await until(() => frame().includes('usr'));
		t.snapshot(frame());
		sessions.leave();
		t.snapshot(frame());
		t.false(shell.calls.includes('detach'));
	});
}

test('several are tabs; each has its own screen, and those that aren’t looked at live on', async (t) => {
	const {store, sessions, start, frame, type} = await openTerminals({columns: 200, rows: 50});
	const first = await start('web', 'exec');
	const second = await start('db', 'attach');
	first.write('in the first');
	second.write('in the second');
	await until(() => frame().includes('in the second'));
	t.regex(frame(), /ATTACHED db · Ctrl\+P Ctrl\+Q detaches ·? ?1 web shell {1,2}\[2 db\]|\[2 db\]/);
	t.notRegex(frame(), /in the first/);
	sessions.step(1);
	await until(() => frame().includes('in the first'));
	t.is(typingTab(store.state)?.name, 'web');
	sessions.step(-1);
	// An attached container is left, the shell stays where it is.
	sessions.leave();
	t.true(second.calls.includes('detach'));
	t.is(typingTab(store.state), undefined);
	t.is(store.state.focus, 'containers');
	t.regex(frame(), /Left db; it goes on\./);
	first.write(' lives');
	await until(() => frame().includes('in the first lives'));
	// `.` goes back into it; what is typed is then its own.
	await type('.');
	t.is(typingTab(store.state)?.name, 'web');
});

test('an attached container has one terminal, however often it is asked for', async (t) => {
	const {sessions, start, store} = await openTerminals({columns: 200, rows: 50});
	await start('web', 'attach');
	const row = store.state.sessions.tabs[0]!;
	t.is(sessions.attached(row.container)?.id, row.id);
	sessions.leave();
	t.is(sessions.attached(row.container), undefined);
});

test('one that has ended stays to be read; a shell that ended well is gone at once', async (t) => {
	const {store, start, frame, type} = await openTerminals({columns: 200, rows: 50});
	const attached = await start('db', 'attach');
	attached.write('the last words');
	attached.end(4);
	await until(() => frame().includes('ENDED db · exit code 4'));
	t.regex(frame(), /the last words/);
	const shell = await start('web', 'exec');
	shell.end(0);
	await until(() => store.state.sessions.tabs.length === 1);
	t.is(store.state.focus, 'containers');
	t.false(store.state.typing);
	await type('0');
	t.regex(frame(), /db · exit code 4/);
	await type('x');
	t.is(store.state.sessions.tabs.length, 0);
	t.is(store.state.tabs.containers, 'logs');
});

test('a small pane becomes the whole screen, and is small again when it is left', async (t) => {
	const {store, sessions, start, frame} = await openTerminals({columns: 80, rows: 24});
	await start('web', 'attach');
	t.deepEqual(terminalRect(store.state), {x: 0, y: 1, width: 80, height: 23});
	t.regex(frame(), /^ ATTACHED web · Ctrl\+P Ctrl\+Q detaches +F11 back$/m);
	sessions.leave();
	t.false(store.state.zoomed);
	// What was full screen before stays so.
	store.update((state) => focusTerm({...state, zoomed: true}));
	sessions.leave();
	t.true(store.state.zoomed);
});

test('its terminal is as large as its pane, also when that changes', async (t) => {
	const {store, start} = await openTerminals({columns: 200, rows: 50});
	const shell = await start('web', 'exec');
	t.deepEqual(shell.calls, ['resize 47 78', 'resize 46 78']);
	store.update((state) => ({...state, size: {columns: 260, rows: 60}}));
	t.deepEqual(shell.calls.slice(2), ['resize 56 102']);
	store.update((state) => ({...state, zoomed: true}));
	t.deepEqual(shell.calls.slice(3), ['resize 59 260']);
});

test('one that can’t be opened changes nothing', async (t) => {
	const {store, sessions} = await openTerminals({columns: 200, rows: 50});
	const before = store.state;
	await t.throwsAsync(
		sessions.open({
			kind: 'exec',
			container: 'x',
			name: 'x',
			tty: true,
			open: async () => {
				throw new Error('refused');
			},
		}),
		{message: 'refused'},
	);
	t.deepEqual(store.state, before);
});

test('what is seen can be copied, and closing a shell that lives asks first', async (t) => {
	const {store, sessions, start, frame, type, screen} = await openTerminals({columns: 200, rows: 50});
	const shell = await start('web', 'exec');
	shell.write(PROMPT);
	await until(() => frame().includes('usr'));
	sessions.leave();
	await type('0', 'y');
	t.deepEqual(screen, ['copy root@web:/# ls\nbin  etc  日本  usr\nroot@web:/#']);
	await type('x');
	t.regex(frame(), /The shell in web goes on, but nobody gets back to it/);
	await type('n');
	t.is(store.state.sessions.tabs.length, 1);
	await type('x', 'y');
	t.is(store.state.sessions.tabs.length, 0);
	t.true(shell.calls.includes('detach'));
	t.regex(frame(), /\[Logs\]/);
	await type('.');
	t.regex(frame(), /No terminal is open; a attaches, e opens a shell/);
});

test('quitting says which shells are left behind', async (t) => {
	const {sessions, start, frame, type, screen} = await openTerminals({columns: 120, rows: 40});
	await start('web', 'exec');
	sessions.leave();
	await type('q');
	t.regex(frame(), /These shells go on, but nobody gets back to them:[\s\S]*in web/);
	await type('n');
	t.deepEqual(screen, []);
});

test('a terminal is searched from within; Esc goes back to typing, Enter stays to go from match to match', async (t) => {
	const {store, start, frame, type, controller} = await openTerminals({columns: 120, rows: 30});
	const shell = await start('web', 'attach');
	shell.write(Array.from({length: 60}, (_, row) => `row ${row}\r\n`).join(''));
	await until(() => frame().includes('row 59'));
	t.true(controller.handleSessionKey('f12'));
	t.is(typingTab(store.state), undefined);
	await type('row 5');
	t.regex(frame(), /\/row 5▏/);
	await type(ESC);
	t.is(typingTab(store.state)?.name, 'web');
	t.false(shell.calls.includes('detach'));
	controller.handleSessionKey('f12');
	await type('re:row 1\\d', '\r');
	t.regex(frame(), /\/re:row 1\\d 10\/10[\s\S]*row 19/);
	await type('N', 'N', 'n');
	t.regex(frame(), /\/re:row 1\\d 9\/10/);
	await type('n', 'n');
	t.regex(frame(), /No later match\./);
	// First what is searched for goes, and the terminal is still there.
	await type('j', ESC);
	t.notRegex(frame(), /\/re:row/);
	t.is(store.state.focus, 'term');
	await type('n');
	t.regex(frame(), /Nothing is searched for; \/ asks\./);
	await type('i');
	t.is(typingTab(store.state)?.name, 'web');
	t.is(shell.input, '');
});
