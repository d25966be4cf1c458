import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {renderFrame} from '../../src/tui/once.tsx';
import {initialState} from '../../src/tui/store/initial.ts';
import {LogBuffer} from '../../src/tui/store/log-buffer.ts';
import {logMatcher, matchingLines, nextMatch} from '../../src/tui/store/log-search.ts';
import {readableJson} from '../../src/tui/text/json-line.ts';
import {busyEngine, NOW} from './fake-engine.ts';
import {openUi, until} from './harness.ts';

const ESC = '\u001b';
const SIZES = [
	{columns: 80, rows: 24},
	{columns: 120, rows: 40},
	{columns: 200, rows: 50},
];

const entry = (line: string) => ({stream: 'stdout' as const, time: new Date(NOW * 1000).toISOString(), line});

const MATCHES: [search: string, text: string, found: number[][] | undefined][] = [
	[
		'get',
		'GET /a get',
		[
			[0, 3],
			[7, 10],
		],
	],
	['GET', 'GET /a get', [[0, 3]]],
	['a.c', 'abc a.c', [[4, 7]]],
	['re:a.c', 'abc', [[0, 3]]],
	['re:^$', '', []],
	['re:(', '(', undefined],
	['', 'x', []],
	['re:', 'x', []],
	['日', '今日は', [[1, 2]]],
];

for (const [search, text, found] of MATCHES) {
	test(`${JSON.stringify(search)} in ${JSON.stringify(text)}`, (t) => {
		t.deepEqual(logMatcher(search)?.(text) as number[][] | undefined, found);
	});
}

test('matches are found as lines come, as the last one grows, and forgotten with those that go', (t) => {
	const buffer = new LogBuffer(4);
	const logs = {...initialState({columns: 80, rows: 24}, 0).logs, buffer, search: 'x'};
	buffer.push([entry('x\n'), entry('y\n'), entry('not')]);
	t.deepEqual(matchingLines(logs), [0]);
	buffer.push([entry(' yet x\n')]);
	t.deepEqual(matchingLines(logs), [0, 2]);
	t.is(nextMatch(logs, 0, 1), 2);
	t.is(nextMatch(logs, 0, -1), undefined);
	buffer.push([entry('x\n'), entry('z\n')]);
	t.deepEqual(matchingLines(logs), [2, 3]);
	t.deepEqual(matchingLines({...logs, search: 'z'}), [4]);
});

const JSON_LINES: [line: string, readable: string][] = [
	['plain text', 'plain text'],
	['{not json', '{not json'],
	[
		'{"level":"error","msg":"cannot connect","host":"db","port":5432}',
		'ERROR cannot connect host=db port=5432',
	],
	['{"level":30,"time":1,"msg":"up"}', 'INFO  up'],
	['{"message":"a b","path":"/x y","list":[1,2]}', 'a b path="/x y" list=[1,2]'],
	['{}', ''],
];

for (const [line, readable] of JSON_LINES) {
	test(`JSON as people read it: ${line}`, (t) => {
		t.is(readableJson(line), readable);
	});
}

for (const size of SIZES) {
	test(`a search marks what it finds and stands on the last at ${size.columns}x${size.rows}`, async (t) => {
		process.env.TZ = 'UTC';
		const {store, type} = await openUi(busyEngine(), size);
		await type('0', '/', 'page/1');
		t.snapshot(renderFrame(store, false));
		await type('\r');
		t.snapshot(renderFrame(store, false));
		await type('N', 'N', 'n', 't');
		t.snapshot(renderFrame(store, false));
		await type('&', '\r');
		t.snapshot(renderFrame(store, false));
	});
}

test('n and N go through the matches, say when there is no other, and Esc ends the search', async (t) => {
	const {store, type} = await openUi(busyEngine());
	await type('0', 'n');
	t.regex(store.state.message?.text ?? '', /Nothing is searched for/);
	await type('/', 'page/1', '\r');
	t.is(store.state.logs.found, 19);
	t.false(store.state.logs.follow);
	await type('N', 'N');
	t.is(store.state.logs.found, 17);
	await type('n');
	t.is(store.state.logs.found, 18);
	await type('n', 'n');
	t.regex(store.state.message?.text ?? '', /No later line matches/);
	await type(ESC, ESC);
	t.is(store.state.logs.search, '');
	t.is(store.state.focus, 'logs');
	await type(ESC);
	t.is(store.state.focus, 'containers');
});

test('only lines that match: they scroll among themselves, and new ones are followed', async (t) => {
	const {store, type} = await openUi(busyEngine());
	await type('0', 'G', '&', 'page/1', '\r');
	const frame = () => renderFrame(store, false);
	t.regex(frame(), /&page\/1 11/);
	t.notRegex(frame(), /page\/2/);
	t.regex(frame(), /page\/11 [\s\S]*page\/19 /);
	await type('g');
	t.regex(frame(), /│?GET \/page\/1 200[\s\S]*page\/17 /);
	await type('G');
	store.state.logs.buffer.push([entry('GET /page/100 200\n'), entry('other\n')]);
	store.update((state) => ({...state, logs: {...state.logs, version: state.logs.version + 1}}));
	t.regex(frame(), /page\/100 /);
	t.notRegex(frame(), /other/);
	await type('&', '\u0015nowhere', '\r');
	t.regex(frame(), /No line matches; Esc shows all/);
	await type('&', '\u0015re:(', '\r');
	t.regex(frame(), /is no regular expression/);
	await type('/', ESC);
	t.regex(frame(), /page\/35/);
});

test('lines of JSON become readable and stay harmless', async (t) => {
	const fake = busyEngine();
	fake.logs.set(fake.rows[0]!.Id, [
		entry('{"level":"warn","msg":"slow\\u001b[2J\\u202e\\n","ms":1200}\n'),
		entry('not json\n'),
	]);
	const {store, type} = await openUi(fake);
	await type('0', 'J');
	const frame = renderFrame(store, false);
	t.regex(frame, /WARN {2}slow *ms=1200/);
	t.regex(frame, /not json/);
	t.notRegex(frame, /[\u001b\u202e]/);
});

test('what is shown is saved as it was written, and a file that is there stays', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-logs-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	const {store, type} = await openUi(busyEngine());
	const file = join(folder, 'web.log');
	await type('0', '&', 'page/3', '\r', '\u0013', `\u0015${file}`, '\r');
	await until(() => store.state.message !== undefined);
	t.is(store.state.message?.text, `Saved 11 lines to ${file}`);
	t.is(readFileSync(file, 'utf8').split('\n')[1], 'GET /page/30 200');
	writeFileSync(file, 'mine');
	await type('\u0013', `\u0015${file}`, '\r');
	await until(() => store.state.message?.tone === 'bad');
	t.is(readFileSync(file, 'utf8'), 'mine');
});
