import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {renderFrame} from '../../src/tui/once.tsx';
import {initialState} from '../../src/tui/store/initial.ts';
import {LogBuffer} from '../../src/tui/store/log-buffer.ts';
import {logMatcher, matchingLines, nextMatch} from '../../src/tui/store/log-search.ts';
import {readableJson} from '../../src/tui/text/json-line.ts';
import {displayWidth} from '../../src/tui/text/width.ts';
import {logRows} from '../../src/tui/widgets/log-rows.ts';
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

test('colours of a program are shown, cut and wrapped with its line, and C leaves them out', async (t) => {
	const fake = busyEngine();
	fake.logs.set(fake.rows[0]!.Id, [entry(`${ESC}[32m${'日'.repeat(30)}${ESC}[1mend${ESC}[0m of it\n`)]);
	const {store, type} = await openUi(fake, {columns: 80, rows: 24});
	const {width} = {width: 40};
	const parts = () => logRows(store.state.logs, width, 5).flatMap((row) => row.parts);
	t.deepEqual(
		parts().map(({style}) => style?.color),
		['green'],
	);
	await type('0', 'w');
	t.deepEqual(
		parts()
			.filter(({style}) => style)
			.map(({text, style}) => [text, style?.bold ?? false]),
		[
			['日'.repeat(20), false],
			['日'.repeat(10), false],
			['end', true],
		],
	);
	await type('w', `${ESC}[C`, 'C');
	t.true(parts().every(({style}) => style === undefined));
	await type('C', `${ESC}[C`);
	t.is(parts()[0]!.style?.color, 'green');
	for (const row of logRows(store.state.logs, width, 5))
		t.is(displayWidth(row.parts.map(({text}) => text).join('')), width);
});

test('the lines of marked containers are one log, each with its name', async (t) => {
	const fake = busyEngine();
	const at = (second: number, line: string) => ({
		stream: 'stdout' as const,
		time: new Date((NOW + second) * 1000).toISOString(),
		line,
	});
	fake.logs.set(fake.rows[0]!.Id, [at(1, 'one\n'), at(3, 'three\n')]);
	fake.logs.set(fake.rows[1]!.Id, [at(2, 'two\n'), at(4, 'four\n')]);
	const {store, type} = await openUi(fake, {columns: 120, rows: 30}, {logs: true});
	await type('  ', 'l');
	await until(() => store.state.logs.buffer.total >= 4);
	t.deepEqual(store.state.logs.sources, [fake.rows[0]!.Id, fake.rows[1]!.Id]);
	const frame = renderFrame(store, false);
	t.regex(frame, /2 containers/);
	t.regex(frame, /web one *┃\n.*db {2}two *┃\n.*web three *┃\n.*db {2}four/);
	await type('1', '\\');
	await until(() => store.state.logs.sources.length === 1);
	t.notRegex(renderFrame(store, false), /web one/);
});

test('s asks from when on lines are read', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake, {columns: 120, rows: 30});
	await type('0', 's', '15m', '\r');
	t.is(store.state.logs.since, 900);
	t.regex(renderFrame(store, false), /since 15m/);
	t.is(store.state.command, 'wherry logs -f --since 15m web');
	await type('s', 'another', '\r', 'soon', '\r');
	t.regex(renderFrame(store, false), /A time is like 90s/);
	await type('\u0015', '1h30m', '\r');
	t.is(store.state.logs.since, 5400);
});

test('of lines that match only those are copied', async (t) => {
	const fake = busyEngine();
	fake.logs.set(fake.rows[0]!.Id, [entry('get 1\n'), entry('put 2\n'), entry('get 3\n')]);
	const {screen, type} = await openUi(fake);
	await type('0', '&', 're:^get', '\r', 'y');
	t.deepEqual(screen, ['copy get 1\nget 3']);
});
