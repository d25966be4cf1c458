import test from 'ava';
import {renderFrame} from '../../src/tui/once.tsx';
import {selectedContainer, selectedImage} from '../../src/tui/panes/index.ts';
import {busyEngine, FakeEngine} from './fake-engine.ts';
import {openUi} from './harness.ts';

const ESC = '\u001b';

test('keys act on the selected container, and show the command that does the same', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	const [web, db] = fake.rows.map((row) => row.Id);
	await type('s');
	t.is(store.state.command, 'wherry stop web');
	await type('jr');
	t.is(store.state.command, 'wherry restart db');
	await type('kS');
	t.deepEqual(fake.calls, [`stop ${web}`, `restart ${db}`, `start ${web}`]);
});

test('pause is for what runs and go on for what is paused', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('p', 'jjj', 'p');
	t.deepEqual(fake.calls, [`pause ${fake.rows[0]!.Id}`, `unpause ${fake.rows[3]!.Id}`]);
	t.is(store.state.command, 'wherry unpause frozen');
});

test('removing asks first, and no is the answer under the cursor', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('d');
	t.is(store.state.dialog?.kind, 'confirm');
	await type('\r');
	t.is(store.state.dialog, undefined);
	await type('d', ESC, 'd', 'n', 'd', 'q');
	t.deepEqual(fake.calls, []);
	await type('d', 'y');
	t.deepEqual(fake.calls, [`remove ${fake.rows[0]!.Id} force`]);
	t.is(store.state.command, 'wherry rm -f web');
	await type('jj', 'd', '\t\t', '\r');
	t.is(fake.calls[1], `remove ${fake.rows[2]!.Id} volumes`);
	t.is(store.state.command, 'wherry rm -v job');
});

test('a question keeps its target when the selection moves under it', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	const web = fake.rows[0]!.Id;
	await type('d');
	store.update((state) => ({
		...state,
		lists: {...state.lists, containers: {...state.lists.containers, selected: fake.rows[1]!.Id}},
	}));
	await type('y');
	t.deepEqual(fake.calls, [`remove ${web} force`]);
});

test('kill asks for the signal', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('K', 't');
	t.deepEqual(fake.calls, [`kill ${fake.rows[0]!.Id} SIGTERM`]);
	t.is(store.state.command, 'wherry kill -s SIGTERM web');
});

test('an error is shown as the command line words it and is gone with the next key', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	fake.error = new Error('No such container: web\n    at somewhere');
	await type('s');
	t.like(store.state.message, {tone: 'bad', text: 'Error: No such container: web'});
	t.is(store.state.busy.size, 0);
	await type('j');
	t.is(store.state.message, undefined);
});

test('the run form makes and starts a container', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('A', 'alpine', '\t', 'box', '\t', 'sleep 5', '\r');
	t.deepEqual(fake.calls.slice(0, 1), ['create alpine box sleep 5']);
	t.regex(fake.calls[1]!, /^start /);
	t.is(store.state.command, 'wherry run -d -it --name box alpine sleep 5');
	t.is(selectedContainer(store.state)?.Id ?? '', fake.calls[1]!.slice(6));
});

test('a form that can’t be sent stays open and says why', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('A', '\r');
	t.like(store.state.dialog, {kind: 'form', error: 'The image is empty.'});
	await type('x');
	t.like(store.state.dialog, {kind: 'form', error: undefined});
	await type(ESC);
	t.is(store.state.dialog, undefined);
	t.deepEqual(fake.calls, []);
});

test('wherry/base is one key away where there is nothing yet', async (t) => {
	const fake = new FakeEngine();
	const {store, type} = await openUi(fake);
	await type('B');
	t.deepEqual(fake.calls.slice(0, 2), ['ensureBase', 'create wherry/base']);
	t.regex(fake.calls[2]!, /^start /);
	t.is(store.state.command, 'wherry run -d -it wherry/base');
});

test('a pulled image, a tag and a removed image are asked for by their names', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('2', 'p', 'busybox', '\r');
	t.is(store.state.command, 'wherry pull busybox');
	t.is(selectedImage(store.state)?.repository, 'wherry/base');
	await type('j', 't', 'mine:1', '\r', 'd');
	// What it would free is said before the answer.
	const {dialog} = store.state;
	t.deepEqual(dialog?.kind === 'confirm' && dialog.lines, [
		'Remove nginx:1.27?',
		'1 container uses it.',
		'Frees 15MB.',
	]);
	await type('y');
	t.deepEqual(fake.calls, ['pull busybox', 'tag nginx:1.27 mine:1', 'rmi nginx:1.27']);
});

test('a filter narrows while it is typed, stays with Enter and goes with Esc', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('/', 'post');
	t.is(store.state.filtering?.field.value, 'post');
	t.is(selectedContainer(store.state)?.Image, 'postgres:16');
	await type('\r', 's');
	t.deepEqual(fake.calls, [`stop ${fake.rows[1]!.Id}`]);
	await type(ESC, ESC);
	t.is(store.state.lists.containers.filter, '');
	await type('/', '!alpine', '\r');
	t.is(store.state.lists.containers.filter, '!alpine');
});

test('the panes are reached by number, by Tab and by arrows; the logs scroll and come back to their end', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	const focus = () => store.state.focus;
	await type('\t');
	t.is(focus(), 'images');
	await type('\t');
	t.is(focus(), 'networks');
	await type('\t');
	t.is(focus(), 'volumes');
	await type('\t');
	t.is(focus(), 'events');
	await type('\t');
	t.is(focus(), 'builds');
	await type('\t');
	t.is(focus(), 'steps');
	await type('\t');
	t.is(focus(), 'containers');
	await type('1', '0');
	t.is(focus(), 'logs');
	await type('kk');
	t.false(store.state.logs.follow);
	await type('G');
	t.true(store.state.logs.follow);
	await type('g');
	t.is(store.state.logs.top, store.state.logs.buffer.first);
	await type('jjj', ' ', ' ', ' ', ' ', ' ');
	t.true(store.state.logs.follow);
	await type(`${ESC}[D`);
	t.is(focus(), 'containers');
	await type('2', '0');
	t.is(focus(), 'layers');
	await type('1');
	t.is(focus(), 'containers');
	await type('0', ESC);
	t.is(focus(), 'containers');
});

test('attaching to what isn’t running says what to do', async (t) => {
	const fake = busyEngine();
	const {store, screen, type} = await openUi(fake);
	await type('jj', 'a');
	t.regex(store.state.message?.text ?? '', /cannot attach to a stopped container, start it first/);
	t.deepEqual(screen, []);
	await type('e');
	t.is(store.state.message?.text, 'Error: container job is not running');
});

test('two keys in one read are two keys, and keys without a meaning do nothing', async (t) => {
	const fake = busyEngine();
	const {store, screen, type} = await openUi(fake);
	await type('jj');
	t.is(selectedContainer(store.state)?.Id, fake.rows[2]!.Id);
	await type('\u001b[99~', 'é', '\u001b[200~dy\u001b[201~', '\u001b[I');
	t.deepEqual(fake.calls, []);
	t.is(store.state.dialog, undefined);
	await type('\u000c', '\u001a', '\u0003');
	t.deepEqual(screen, ['redraw', 'suspend', 'quit']);
});

test('quitting asks only while something would be cut off', async (t) => {
	const {store, screen, type} = await openUi(busyEngine());
	store.update((state) => ({...state, jobs: new Map([['pull alpine', '1/3 layers']])}));
	await type('q');
	t.like(store.state.dialog, {
		kind: 'confirm',
		lines: ['This is not finished yet:', '  pull alpine 1/3 layers'],
	});
	await type('\r');
	t.deepEqual(screen, []);
	await type('q', 'y');
	t.deepEqual(screen, ['quit']);
});

test('what is being done is not begun twice', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	store.update((state) => ({...state, busy: new Map([[fake.rows[0]!.Id, 'stopping']])}));
	await type('s');
	t.is(store.state.message?.text, 'Still stopping.');
	t.deepEqual(fake.calls, []);
});

test('an error that is longer than the screen is wide can be read whole, and is gone with the next key', async (t) => {
	const {store, type} = await openUi(busyEngine());
	const text = `Error: ${'a word and another '.repeat(12)}the end`;
	store.update((state) => ({...state, message: {tone: 'bad', text, at: 1}}));
	const frame = renderFrame(store, false);
	const last = frame.split('\n').slice(-4);
	t.is(
		last
			.map((line) => line.trim())
			.join(' ')
			.replace(/ +/g, ' '),
		text,
	);
	t.is(frame.split('\n').length, 24);
	await type('j');
	t.notRegex(renderFrame(store, false), /another/);
});

test('a question about more than the screen holds still shows its answers, and how much is left out', async (t) => {
	const {store} = await openUi(busyEngine());
	store.update((state) => ({
		...state,
		dialog: {
			kind: 'confirm',
			title: 'Remove',
			lines: Array.from({length: 60}, (_, index) => `  ${index} ${'x'.repeat(90)}`),
			choices: [{id: 'no', label: 'No', key: 'n'}],
			index: 0,
			onChoice: () => {},
		},
	}));
	const frame = renderFrame(store, false);
	t.regex(frame, /No \(n\)/);
	t.regex(frame, /… and \d+ more lines/);
	// A name is broken, not cut.
	t.regex(frame, /┃ x{74} ┃[^\n]*\n[^\n]*┃ x{16} +┃/);
});
