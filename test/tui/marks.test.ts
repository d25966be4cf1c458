import test from 'ava';
import {renderFrame} from '../../src/tui/once.tsx';
import {busyEngine} from './fake-engine.ts';
import {openUi} from './harness.ts';

const ESC = '\u001b';

test('a command is for all marked rows, and shows the one command line that does the same', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	const [web, db] = fake.rows.map((row) => row.Id);
	await type(' ', ' ');
	t.regex(renderFrame(store, false), /2 marked · 3\/5/);
	t.regex(renderFrame(store, false), / \*▶ {2}web[^\n]*\n[^\n]* \*▶ {2}db/);
	await type('s');
	t.deepEqual(fake.calls.toSorted(), [`stop ${db}`, `stop ${web}`].toSorted());
	t.is(store.state.command, 'wherry stop web db');
	t.is(store.state.busy.size, 0);
});

test('of several that fail the others are done, and how many is said', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('*');
	fake.error = new Error('it will not');
	await type('r');
	t.is(fake.calls.length, 5);
	t.is(store.state.message?.text, '5 of 5 failed. Error: it will not');
});

test('removing several lists them, and no is the answer under the cursor', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('*', 'd');
	t.snapshot(renderFrame(store, false));
	await type('\r');
	t.deepEqual(fake.calls, []);
	await type('d', 'y');
	t.is(fake.calls.length, 5);
	t.is(store.state.command, 'wherry rm -f web db job frozen new');
});

test('marks that a filter hides are not meant, and Esc takes all away', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('*', '/', 'web', '\r', 's');
	t.is(store.state.command, 'wherry stop web');
	await type(ESC);
	t.is(store.state.lists.containers.filter, '');
	t.is(store.state.marks.containers.size, 5);
	await type(ESC);
	t.is(store.state.marks.containers.size, 0);
	await type('s');
	t.is(store.state.command, 'wherry stop web');
});

test('several images and volumes go at once', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake, {columns: 120, rows: 40});
	await type('2', '*', 'd', 'y');
	t.deepEqual(fake.calls.length, 4);
	fake.calls.length = 0;
	await type('4', ' ', 'j', ' ', 'd');
	t.regex(renderFrame(store, false), /All that is in it will be lost/);
	await type('y');
	t.deepEqual(fake.calls.toSorted(), [`volume rm ${'e'.repeat(64)}`, 'volume rm scratch']);
});

test('prune says what goes, and does nothing until it is told which', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('4', 'D');
	t.regex(renderFrame(store, false), /Of 4 volumes 2 are used by no container/);
	await type('\r');
	t.deepEqual(fake.calls, []);
	await type('D', 'a');
	t.deepEqual(fake.calls, ['volume prune {"all":["true"]}']);
	t.is(store.state.message?.text, 'Removed 2 volumes, 12kB freed.');
	await type('1', 'D');
	t.regex(renderFrame(store, false), /2 of 5 do not run/);
});

test('a volume is made from its form, and is selected', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('4', 'A', 'cache', '\t', 'type=tmpfs device=tmpfs o=size=1m', '\t', 'a=b c', '\r');
	t.deepEqual(fake.calls, [
		'volume create {"name":"cache","options":{"type":"tmpfs","device":"tmpfs","o":"size=1m"},"labels":{"a":"b","c":""}}',
	]);
	t.is(
		store.state.command,
		'wherry volume create -o type=tmpfs -o device=tmpfs -o o=size=1m --label a=b --label c= cache',
	);
	t.is(store.state.lists.volumes.selected, 'cache');
	await type('A', 'x', '\t', 'bare', '\r');
	t.regex(renderFrame(store, false), /bare: options are KEY=value/);
});
