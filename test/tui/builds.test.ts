import {existsSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {BuildOptions} from '../../src/engine/api.ts';
import {Paths} from '../../src/engine/paths.ts';
import {buildWords, readBuildForm, setBuild, withBuildEvents} from '../../src/tui/actions/builds.ts';
import {renderFrame} from '../../src/tui/once.tsx';
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

test('a build that has ended is there in the next session, with its log, until it is taken off the list', async (t) => {
	const root = mkdtempSync(join(tmpdir(), 'wherry-builds-'));
	t.teardown(() => rmSync(root, {recursive: true}));
	const fake = busyEngine();
	const paths = new Paths(root, root);
	Object.defineProperty(fake, 'engine', {
		value: {
			...fake.engine,
			paths,
			build: async ({onProgress}: BuildOptions) => {
				onProgress!({kind: 'start', id: 1, name: 'RUN make'});
				onProgress!({kind: 'log', id: 1, stream: 'stdout', text: 'cc -c a.c\n'});
				onProgress!({kind: 'error', id: 1, message: 'exit code: 2'});
				throw new Error('process did not complete: exit code: 2');
			},
		},
	});
	const first = await openUi(fake);
	await first.type('6', 'A', '/srv/app', '\t', 'app:4', '\r');
	await until(
		() =>
			existsSync(paths.builds) &&
			readdirSync(paths.builds).some((name) => name.endsWith('.json') && !name.startsWith('.')),
	);
	const {store, type} = await openUi(fake);
	await type('6');
	t.regex(renderFrame(store, false), /× +app:4 +process did not complete/);
	await type('0');
	t.regex(renderFrame(store, false), /cc -c a\.c[\s\S]*exit code: 2/);
	await type('6', 'd');
	await until(() => readdirSync(paths.builds).length === 0);
	t.is(store.state.builds.length, 0);
});
