import test from 'ava';
import {spokenLines} from '../../src/tui/widgets/spoken.tsx';
import {busyEngine} from './fake-engine.ts';
import {openUi} from './harness.ts';

test('what a screen reader is given says where one is, what is selected, and what happened', async (t) => {
	const {store, type} = await openUi(busyEngine());
	const lines = () => spokenLines(store.state);
	t.is(lines()[0], 'Containers: 1 of 5');
	t.regex(lines()[1]!, /^web, image nginx:1\.27, status Up 3 minutes, ports 8080→80, command nginx/);
	t.regex(lines().at(-1)!, /^Keys: a attach, e shell/);
	await type('j', ' ', 'k');
	t.regex(lines()[1]!, /^marked, db/);
	await type('\\', 'j', 'a');
	t.true(lines().some((line) => line.startsWith('Error: You cannot attach')));
	await type('d');
	t.deepEqual(lines().slice(0, 4), [
		'Question: Remove container',
		'Remove job (alpine:3.20)?',
		'What it wrote will be lost.',
		'Answer 1 of 3: No',
	]);
	await type('n', 'A');
	t.deepEqual(lines().slice(0, 2), ['Form: Run a container', 'Field 1 of 8, Image: empty']);
	await type('\u001b', ':', 'exposure', 'ports are');
	t.regex(lines().join('\n'), /^Choice: Commands\nTyped: exposureports are\nNothing matches/);
	await type('\u001b', '0');
	t.is(lines()[0], 'Logs of job');
	t.true(lines().includes('GET /page/39 200'));
	for (const pane of '23456') {
		await type(pane);
		for (const line of lines()) t.notRegex(line, /[│┃╭┏━▶■]/, line);
	}
});
