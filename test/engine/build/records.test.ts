/** Builds of other processes: their records while they run and afterwards, and an end before their time. */
import {type ChildProcess, spawn} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {BuildRecord} from '../../../src/engine/api.ts';
import {
	BuildSteps,
	fileName,
	parseRecord,
	recordText,
	SIZE,
	type StoredRecord,
} from '../../../src/engine/build/record.ts';
import {testEngine} from '../../setup/engine.ts';

const shared = await testEngine();
test.after.always(() => shared.close());

const engineUrl = new URL('../../../src/engine/engine.ts', import.meta.url).href;

/** A build of another process, which SIGINT gives up unless it is told to take no notice. */
function buildElsewhere(t: ExecutionContext, text: string, {interruptible = true} = {}): ChildProcess {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-records-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	writeFileSync(join(folder, 'Dockerfile'), text);
	const options = {context: {folder}, tags: [`${t.title.length}:1`], hostConfig: {NetworkMode: 'none'}};
	const code = `
		const {openEngine} = await import(${JSON.stringify(engineUrl)});
		const abort = new AbortController();
		process.on('SIGINT', () => abort.abort());
		const options = ${JSON.stringify({...options, interruptible})};
		await openEngine(${JSON.stringify({root: shared.root, run: shared.run})})
			.build({...options, signal: abort.signal}).catch(() => {});
	`;
	const child = spawn(
		process.execPath,
		['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code],
		{stdio: ['ignore', 'inherit', 'inherit']},
	);
	t.teardown(() => void child.kill('SIGKILL'));
	return child;
}

/** The record of that process as soon as it is what is wanted. */
async function recordOf(child: ChildProcess, wanted: (record: BuildRecord) => boolean): Promise<BuildRecord> {
	const stop = new AbortController();
	try {
		for await (const records of shared.engine.builds.follow({signal: stop.signal})) {
			const record = records.find(({pid}) => pid === child.pid);
			if (record && wanted(record)) return record;
		}
	} finally {
		stop.abort();
	}
	throw new Error('not reached');
}

/** Ends the sleep of so many seconds. */
function wake(seconds: string): void {
	for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
		try {
			const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
			if (words.at(-2) === seconds && words.at(-3) === 'sleep') process.kill(Number(pid));
		} catch {
			// It has ended meanwhile.
		}
	}
}

const lastLine = ({steps}: BuildRecord): string | undefined => steps.at(-1)?.lines.at(-1);

test('a build of another process is followed step by step, and its result stays', async (t) => {
	const child = buildElsewhere(
		t,
		`FROM wherry/base\nRUN echo first; echo second >&2; sleep 71777 || true\nRUN echo third\n`,
	);
	const running = await recordOf(child, (record) => lastLine(record) === 'second');
	t.is(running.state, 'running');
	wake('71777');
	t.regex(running.id, /^[a-z0-9]{25}$/);
	t.like(running.steps.at(-1), {state: 'running', lines: ['first', 'second'], dropped: 0});
	t.false('process' in running);
	const done = await recordOf(child, ({state}) => state !== 'running');
	t.like(done, {id: running.id, state: 'done', tags: running.tags, context: running.context});
	t.regex(done.image!, /^sha256:/);
	t.deepEqual(done.steps.find(({name}) => name.includes('third'))!.lines, ['third']);
	t.true(done.ended! >= done.started);
	t.deepEqual(
		(await shared.engine.builds.list()).find(({id}) => id === done.id),
		done,
	);
	t.false(readdirSync(join(shared.run, 'builds')).includes(fileName(done)));
	// The same again is all of the cache.
	const again = await recordOf(
		buildElsewhere(t, 'FROM wherry/base\nRUN echo first; echo second >&2; sleep 71777 || true\n'),
		({state}) => state === 'done',
	);
	t.is(again.steps.find(({name}) => name.includes('first'))!.state, 'cached');
	await shared.engine.builds.remove(done.id);
	t.false((await shared.engine.builds.list()).some(({id}) => id === done.id));
	await t.throwsAsync(shared.engine.builds.remove(done.id), {code: 'not-found'});
});

test('a build that fails says so in its record, and where', async (t) => {
	const record = await recordOf(
		buildElsewhere(t, 'FROM wherry/base\nRUN echo why; exit 3\n'),
		({state}) => state !== 'running',
	);
	t.is(record.state, 'failed');
	t.regex(record.error!, /exit code: 3/);
	const step = record.steps.find(({state}) => state === 'failed')!;
	t.is(step.lines[0], 'why');
	t.regex(step.lines.at(-1)!, /exit code: 3/);
});

test('a build of another process is given up by its id', async (t) => {
	const child = buildElsewhere(t, 'FROM wherry/base\nRUN echo waits; sleep 1000\n');
	const {id} = await recordOf(child, (record) => lastLine(record) === 'waits');
	await t.throwsAsync(shared.engine.builds.remove(id), {code: 'conflict', message: /give it up first/});
	await shared.engine.builds.cancel(id);
	const {steps} = await recordOf(child, ({state}) => state === 'cancelled');
	t.true(steps.every(({state}) => state !== 'running'));
	await t.throwsAsync(shared.engine.builds.cancel(id), {code: 'conflict', message: /is not running/});
	await t.throwsAsync(shared.engine.builds.cancel('x'), {code: 'not-found'});
});

test('a builder that was killed has broken off; a program that doesn’t offer it is not interrupted', async (t) => {
	const child = buildElsewhere(t, 'FROM wherry/base\nRUN echo for ever; sleep 1000\n', {
		interruptible: false,
	});
	const {id} = await recordOf(child, (record) => lastLine(record) === 'for ever');
	await t.throwsAsync(shared.engine.builds.cancel(id), {
		code: 'unsupported',
		message: new RegExp(`process ${child.pid}`),
	});
	child.kill('SIGKILL');
	const broken = await recordOf(child, ({state}) => state === 'broken');
	t.is(broken.steps.at(-1)!.state, 'failed');
	t.true(broken.ended! >= broken.started);
	await t.throwsAsync(shared.engine.builds.cancel(id), {code: 'conflict'});
	// The next build puts it among those that have ended, for good.
	await shared.engine.build({context: {empty: true}, text: 'FROM wherry/base\n'});
	t.false(readdirSync(join(shared.run, 'builds')).some((name) => name.includes(id)));
	t.is((await shared.engine.builds.list()).find((one) => one.id === id)!.state, 'broken');
});

test('a build of this process is given up by its id, and what is wrong with the request has no record', async (t) => {
	const id = 'a'.repeat(25);
	const building = shared.engine.build({
		...{id, context: {empty: true}, text: 'FROM wherry/base\nRUN echo here; sleep 1000\n'},
		hostConfig: {NetworkMode: 'none'},
		onProgress(event) {
			if (event.kind === 'log') void shared.engine.builds.cancel(id);
		},
	});
	await t.throwsAsync(building, {code: 'cancelled'});
	const before = await shared.engine.builds.list();
	t.is(before.find((one) => one.id === id)!.state, 'cancelled');
	await t.throwsAsync(
		shared.engine.build({context: {empty: true}, text: '', tags: ['A B'], id: 'b'.repeat(25)}),
	);
	t.false((await shared.engine.builds.list()).some((one) => one.id === 'b'.repeat(25)));
});

const stored = (number: number, change: Partial<StoredRecord> = {}): StoredRecord => ({
	id: String(number).padStart(25, 'x'),
	tags: ['app:1'],
	context: '/srv/app',
	state: 'done',
	started: 1_000_000 + number,
	ended: 2_000_000,
	steps: [{id: 1, name: 'RUN make', state: 'done', started: 1, ended: 2, lines: ['one'], dropped: 0}],
	pid: 7,
	process: {pid: 7, start: 1, bootId: 'x'},
	interruptible: true,
	...change,
});

test('what is in the folders and no record is left out, whatever it is; the last fifty are kept', async (t) => {
	const own = await testEngine({image: false});
	t.teardown(() => own.close());
	const {builds, runBuilds} = own.engine.paths;
	for (const folder of [builds, runBuilds]) mkdirSync(folder, {recursive: true});
	for (let number = 0; number < 60; number++)
		writeFileSync(join(builds, fileName(stored(number))), recordText(stored(number)));
	const strange = (number: number): string => join(runBuilds, fileName(stored(number)));
	writeFileSync(strange(100), recordText(stored(100)).slice(0, 50));
	writeFileSync(strange(101), recordText(stored(102)));
	writeFileSync(strange(103), 'x'.repeat(5 * SIZE));
	symlinkSync('/dev/zero', strange(104));
	mkdirSync(strange(105));
	writeFileSync(join(runBuilds, 'other'), 'x');
	// A process that has never been.
	writeFileSync(
		strange(106),
		recordText(stored(106, {state: 'running', process: {...stored(0).process, pid: 2}})),
	);
	// One that has said how it ended before it did.
	const dead = {...stored(0).process, pid: 2};
	writeFileSync(strange(59), recordText(stored(59, {state: 'running', process: dead})));
	const records = await own.engine.builds.list();
	t.deepEqual([records.length, records[0]!.state], [61, 'broken']);
	await t.throwsAsync(own.engine.builds.cancel(records[0]!.id), {code: 'conflict'});
	await t.throwsAsync(own.engine.build({context: {folder: '/nonexistent'}}));
	t.is(readdirSync(builds).length, 50);
	const left = await own.engine.builds.list();
	t.is(left.length, 50);
	t.is(left.find(({id}) => id === stored(59).id)!.state, stored(59).state);
});

test('a text that is no record is none', (t) => {
	const {id} = stored(1);
	t.deepEqual(parseRecord(recordText(stored(1)), id), stored(1));
	const wrong: object[] = [
		{id: 'y'},
		{tags: [1]},
		{state: 'flying'},
		{started: -1},
		{ended: 'x'},
		{steps: {}},
		{error: 3},
		{process: {pid: -1, start: 1, bootId: 'x'}},
		{process: null},
	];
	for (const text of ['', 'null', '[]', '{}', ...wrong.map((one) => JSON.stringify({...stored(1), ...one}))])
		t.is(parseRecord(text, id), undefined, text);
	const steps = [null, 3, {id: 1}, {...stored(1).steps[0], lines: [1]}, {...stored(1).steps[0], ended: 'x'}];
	t.deepEqual(parseRecord(JSON.stringify({...stored(1), steps}), id)!.steps, []);
});

test('a record has a bound: the last lines are kept, and how many came before', (t) => {
	const steps = new BuildSteps();
	steps.show({kind: 'start', id: 1, name: 'RUN yes'}, 1);
	for (let at = 0; at < 1000; at++)
		steps.show({kind: 'log', id: 1, stream: 'stdout', text: `${at} ${'x'.repeat(4000)}\n`}, 2);
	steps.show({kind: 'log', id: 1, stream: 'stdout', text: 'not at its end'}, 2);
	steps.show({kind: 'error', id: 1, message: 'exit code: 1'}, 3);
	const [step] = steps.list();
	t.deepEqual(step!.lines.slice(-2), ['not at its end', 'exit code: 1']);
	t.is(step!.dropped + step!.lines.length, 1002);
	const text = recordText(stored(1, {steps: [step!, {...step!, id: 2}]}));
	t.true(text.length <= SIZE);
	const [first] = parseRecord(text, stored(1).id)!.steps;
	t.is(first!.lines.at(-1), 'exit code: 1');
	t.is(first!.dropped + first!.lines.length, 1002);
});
