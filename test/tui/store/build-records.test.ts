import {mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {
	forgetBuildRecord,
	keepBuildRecord,
	parseRecord,
	readBuildRecords,
	recordText,
	withBuildRecords,
} from '../../../src/tui/store/build-records.ts';
import {initialState} from '../../../src/tui/store/initial.ts';
import type {BuildRow} from '../../../src/tui/store/state.ts';

const row = (number: number, change: Partial<BuildRow> = {}): BuildRow => ({
	id: `${1000 + number}-7-1`,
	tag: `app:${number}`,
	folder: '/srv/app',
	state: 'done',
	started: 1000 + number,
	ended: 1005 + number,
	image: 'sha256:aa',
	steps: [
		{
			id: 1,
			name: 'RUN make',
			state: 'done',
			started: 1000,
			ended: 1005,
			lines: ['one', 'two'],
			dropped: 0,
			open: false,
		},
	],
	...change,
});

test('what was kept is read again, the newest first; no more than the last twenty, and none that was forgotten', async (t) => {
	const root = mkdtempSync(join(tmpdir(), 'wherry-builds-'));
	t.teardown(() => rmSync(root, {recursive: true}));
	const folder = join(root, 'builds');
	t.deepEqual(await readBuildRecords(folder), []);
	for (let number = 0; number < 25; number++) await keepBuildRecord(folder, row(number));
	t.is(readdirSync(folder).length, 20);
	const records = await readBuildRecords(folder);
	t.deepEqual(records[0], row(24));
	t.is(records.length, 20);
	await forgetBuildRecord(folder, row(24).id);
	await forgetBuildRecord(folder, '../../x');
	t.is((await readBuildRecords(folder))[0]!.tag, 'app:23');
	// Nothing is made where there is no engine's folder, and nothing breaks.
	await keepBuildRecord(join(root, 'none', 'builds'), row(1));
	t.deepEqual(readdirSync(root), ['builds']);
});

test('what is no record is left out, whatever it is', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-builds-'));
	t.teardown(() => rmSync(folder, {recursive: true}));
	writeFileSync(join(folder, '1-1-1.json'), '{"id": "1-1-1"');
	writeFileSync(join(folder, '2-1-1.json'), JSON.stringify(row(1)));
	writeFileSync(join(folder, 'other.json'), JSON.stringify(row(1)));
	t.deepEqual(await readBuildRecords(folder), []);
	for (const text of ['', 'null', '[]', '{}', JSON.stringify({...row(1), state: 'running'})])
		t.is(parseRecord(text), undefined);
	const steps = [null, 3, {id: 1}, {...row(1).steps[0], lines: [1]}, {...row(1).steps[0], ended: 'x'}];
	t.deepEqual(parseRecord(JSON.stringify({...row(1), steps}))!.steps, []);
});

test('a record has a bound: the last lines are kept, and how many came before', (t) => {
	const lines = Array.from({length: 1000}, (_, at) => `${at} ${'x'.repeat(4000)}`);
	const step = {...row(1).steps[0]!, lines, dropped: 5};
	const text = recordText(row(1, {steps: [step, {...step, id: 2}]}));
	t.true(text.length <= 128 * 1024);
	const [first] = parseRecord(text)!.steps;
	t.regex(first!.lines.at(-1)!, /^999 /);
	t.is(first!.dropped + first!.lines.length, 1005);
});

test('those of before come behind those of this session, each once', (t) => {
	const state = {...initialState({columns: 80, rows: 24}, 0), builds: [row(9), row(3)]};
	const next = withBuildRecords(state, [row(5), row(3)]);
	t.deepEqual(
		next.builds.map(({tag}) => tag),
		['app:9', 'app:5', 'app:3'],
	);
	t.is(withBuildRecords(next, [row(5)]), next);
});
