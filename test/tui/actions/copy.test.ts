import test from 'ava';
import {clipboard} from '../../../src/tui/terminal/modes.ts';
import {busyEngine} from '../fake-engine.ts';
import {openUi, until} from '../harness.ts';

test('of a container its id is copied, of a volume its name, of a variable its value, of the last action its command', async (t) => {
	const fake = busyEngine();
	const {store, screen, type} = await openUi(fake);
	await type('y');
	t.is(store.state.message?.tone, 'good');
	await type('4', 'G', 'y', '2', 'y', '1', 'v');
	await until(() => store.state.details.inspect?.data !== undefined);
	await type('j', 'y', '1', 's', 'Y');
	t.deepEqual(
		screen.map((line) => line.slice(5)),
		[fake.rows[0]!.Id, 'site', 'wherry/base:latest', 'a=b', 'wherry stop web'],
	);
});

test('of a log the lines in sight are copied, or the one that was found', async (t) => {
	const {screen, type} = await openUi(busyEngine());
	await type('0', 'y', '/', 'page/12', '\r', 'y');
	t.regex(screen[0]!, /^copy GET \/page\/31 200\n[\s\S]*GET \/page\/39 200$/);
	t.is(screen[1], 'copy GET /page/12 200');
});

test('where there is nothing the clipboard stays as it is', async (t) => {
	const {store, screen, type} = await openUi(busyEngine());
	await type('5', 'y', 'Y');
	t.deepEqual(screen, []);
	t.is(store.state.message?.text, 'There is nothing to copy.');
});

test('the clipboard’s sequence is base64 of UTF-8, whatever the text is', (t) => {
	t.is(clipboard('é\u001b'), '\u001b]52;c;w6kb\u0007');
});
