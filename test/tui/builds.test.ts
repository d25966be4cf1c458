import test from 'ava';
import type {BuildRecord} from '../../src/engine/api.ts';
import {buildWords, readBuildForm} from '../../src/tui/actions/builds.ts';
import {renderFrame} from '../../src/tui/once.tsx';
import {withBuildRecords} from '../../src/tui/store/build-feed.ts';
import {setBuild, withBuildEvents} from '../../src/tui/store/build-rows.ts';
import type {BuildRow} from '../../src/tui/store/state.ts';
import {busyEngine, NOW} from './fake-engine.ts';
import {openUi, until} from './harness.ts';

test('what a build tells becomes its steps, with lines that grow', (t) => {
	const some = withBuildEvents(
		[],
		[
			{kind: 'start', id: 1, name: 'FROM base'},
			{kind: 'cached', id: 1},
			{kind: 'start', id: 2, name: 'RUN make'},
			{kind: 'log', id: 2, stream: 'stdout', text: 'one\ntw'},
		],
		10,
	);
	const steps = withBuildEvents(
		some,
		[
			{kind: 'log', id: 2, stream: 'stderr', text: 'o\nthree\n'},
			{kind: 'note', id: 2, text: '3 files'},
			{kind: 'error', id: 2, message: 'exit code: 1'},
			{kind: 'log', id: 7, stream: 'stdout', text: 'nobody’s'},
		],
		12,
	);
	t.like(steps[0], {state: 'cached', ended: 10, lines: []});
	t.like(steps[1], {state: 'failed', started: 10, ended: 12, note: '3 files'});
	t.deepEqual(steps[1]!.lines, ['one', 'two', 'three', 'exit code: 1']);
	const flood = withBuildEvents(some, [{kind: 'log', id: 2, stream: 'stdout', text: 'x\n'.repeat(5000)}], 11);
	t.is(flood[1]!.lines.length, 1000);
	t.is(flood[1]!.dropped, 4001);
});

test('the form is read, and is a command line', (t) => {
	const request = readBuildForm({
		folder: '',
		tag: 'a:1',
		args: 'K="v w" L=',
		target: 'x',
		noCache: true,
		pull: false,
	});
	if (typeof request === 'string') return t.fail(request);
	t.deepEqual(buildWords(request), [
		...['build', '-t', 'a:1', '--build-arg', 'K=v w', '--build-arg', 'L='],
		...['--target', 'x', '--no-cache', '.'],
	]);
	t.is(readBuildForm({args: 'K'}), 'K: arguments are KEY=value.');
	t.is(readBuildForm({args: '"'}), 'A quote is not closed.');
});

const BUILD: BuildRow = {
	id: 'b',
	tag: 'app:2',
	folder: '/srv/app',
	state: 'running',
	started: NOW - 12,
	steps: withBuildEvents(
		[],
		[
			{kind: 'start', id: 1, name: '[1/3] FROM docker.io/library/alpine:3.20'},
			{kind: 'cached', id: 1},
			{kind: 'start', id: 2, name: '[2/3] COPY . /app'},
			{kind: 'done', id: 2},
			{kind: 'start', id: 3, name: '[3/3] RUN make'},
			{kind: 'log', id: 3, stream: 'stdout', text: 'cc -c a.c\ncc -c b.c\n'},
		],
		NOW - 10,
	),
};

for (const size of [
	{columns: 80, rows: 24},
	{columns: 120, rows: 40},
	{columns: 200, rows: 50},
]) {
	test(`a build and its steps at ${size.columns}x${size.rows}`, async (t) => {
		const {store, type} = await openUi(busyEngine(), size);
		const failed = {
			...BUILD,
			id: 'a',
			state: 'failed' as const,
			tag: '',
			ended: NOW - 11,
			error: 'no such file',
		};
		store.update((state) => ({...state, builds: [BUILD, failed]}));
		await type('6', '0');
		t.snapshot(renderFrame(store, false));
		await type(']');
		await until(() => store.state.details.buildCache !== undefined);
		store.update((state) => ({...state}));
		t.snapshot(renderFrame(store, false));
	});
}

test('who stands at the end of the steps stays there, who looks at another stays there, too', async (t) => {
	const {store, type} = await openUi(busyEngine());
	store.update((state) => ({...state, builds: [BUILD]}));
	await type('6', '0', 'G');
	const more = (text: string): void =>
		store.update((state) =>
			setBuild(state, 'b', (row) => ({
				...row,
				steps: withBuildEvents(row.steps, [{kind: 'log', id: 3, stream: 'stdout', text}], NOW),
			})),
		);
	more('link\n');
	t.regex(renderFrame(store, false), /❯ +link/);
	await type('g');
	more('done\n');
	t.regex(renderFrame(store, false), /❯ = .*FROM/);
	await type('jj', '\r');
	t.notRegex(renderFrame(store, false), /cc -c/);
	await type('\r');
	t.regex(renderFrame(store, false), /cc -c/);
});

test('the form builds; a build can be given up, and leaving gives up those that run', async (t) => {
	const fake = busyEngine();
	const {store, screen, type} = await openUi(fake);
	await type('6', 'A', '/srv/app', '\t', 'app:3', '\r');
	t.is(store.state.command, 'wherry build -t app:3 /srv/app');
	t.is(store.state.builds[0]!.state, 'running');
	await type('x');
	await until(() => store.state.builds[0]!.state === 'cancelled');
	t.is(store.state.jobs.size, 0);
	await type('A', '\r');
	t.is(store.state.builds.length, 2);
	await type('q', 'y');
	await until(() => screen.includes('quit'));
	t.is(store.state.builds[0]!.state, 'cancelled');
});

const record = (number: number, change: Partial<BuildRecord> = {}): BuildRecord => ({
	id: `r${number}`,
	tags: [`app:${number}`],
	context: '/srv/app',
	state: 'done',
	started: (NOW - 1000 + number) * 1000,
	ended: (NOW - 900 + number) * 1000,
	image: 'sha256:aa',
	steps: [
		{
			...{id: 1, name: '[1/1] RUN make', state: 'done'},
			...{started: (NOW - 1000) * 1000, ended: (NOW - 950) * 1000, lines: ['cc -c a.c'], dropped: 3},
		},
	],
	pid: 4242,
	interruptible: true,
	...change,
});

const RUNNING = record(9, {
	state: 'running',
	ended: undefined!,
	steps: [
		{id: 1, name: '[1/2] RUN make', state: 'running', started: (NOW - 9) * 1000, lines: ['one'], dropped: 0},
	],
});

for (const size of [
	{columns: 80, rows: 24},
	{columns: 120, rows: 40},
	{columns: 200, rows: 50},
]) {
	test(`builds of other processes at ${size.columns}x${size.rows}`, async (t) => {
		const fake = busyEngine();
		fake.builds = [
			RUNNING,
			record(8, {state: 'broken', steps: []}),
			record(7, {state: 'failed', error: 'process did not complete: exit code: 2'}),
			record(6, {state: 'cancelled', tags: []}),
			record(5),
		];
		const {store, type} = await openUi(fake, size);
		await type('6');
		t.snapshot(renderFrame(store, false));
	});
}

test('a build of another process is followed at its end, given up after a question, and taken off the list', async (t) => {
	const fake = busyEngine();
	fake.builds = [RUNNING, record(5)];
	const {store, type} = await openUi(fake);
	await type('6', '0');
	t.regex(renderFrame(store, false), /❯ +one/);
	const [step] = RUNNING.steps;
	const more = {...RUNNING, steps: [{...step!, lines: ['one', '\u001b[2Jtwo']}]};
	store.update((state) => withBuildRecords(state, [more, record(5)]));
	t.regex(renderFrame(store, false), /❯ +two/);
	await type('x');
	t.regex(renderFrame(store, false), /Process 4242 builds it/);
	await type('n', 'x', 'y');
	await type('6', 'd');
	t.regex(renderFrame(store, false), /It still runs/);
	await type('j', 'd');
	t.deepEqual(
		fake.calls.filter((call) => /^(cancel|remove) r/.test(call)),
		['cancel r9', 'remove r5'],
	);
	t.deepEqual(
		store.state.builds.map(({id}) => id),
		['r9'],
	);
	t.is(store.state.command, 'wherry buildx history rm r5');
});

test('records come among the builds of this session, each once; the same ones change nothing', async (t) => {
	const {store} = await openUi(busyEngine());
	store.update((state) => ({...state, builds: [{...BUILD, id: 'r3', started: NOW - 990}]}));
	const records = [record(5), record(20), record(3)];
	const next = withBuildRecords(store.state, records);
	t.deepEqual(
		next.builds.map(({id}) => id),
		['r20', 'r3', 'r5'],
	);
	t.is(next.builds[1]!.steps, BUILD.steps);
	t.is(withBuildRecords(next, records), next);
	t.deepEqual(
		withBuildRecords(next, []).builds.map(({id}) => id),
		['r3'],
	);
});
