/** However the terminal UI ends on the real engine: the terminal is given back, and of its builds nothing goes on. */
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import type {BuildRecord} from '../../src/engine/api.ts';
import {runDetached, testEngine, until} from '../setup/engine.ts';
import {TestTerminal} from './terminal.ts';

const ui = fileURLToPath(new URL('real-ui.tsx', import.meta.url));
const hook = fileURLToPath(new URL('../setup/tsx.mjs', import.meta.url));

const shared = await testEngine();
test.after.always(() => shared.close());
const {engine} = shared;
let opened = 0;

/** The UI with a container, and a build of its own under way. */
async function open(t: ExecutionContext) {
	const name = `web${++opened}`;
	const web = await runDetached(engine, ['sleep', '1000'], {name});
	const folder = mkdtempSync(join(tmpdir(), 'wherry-crash-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	writeFileSync(
		join(folder, 'Dockerfile'),
		'FROM wherry/base\nRUN --network=none echo goes on; sleep 1000\n',
	);
	const inner = `echo "pid=$$="; exec '${process.execPath}' --disable-warning=ExperimentalWarning --import='${hook}' '${ui}'`;
	const script = `stty -g >&2; sh -c '${inner.replaceAll("'", `'\\''`)}'; echo "status=$?="; stty -g; echo the-end`;
	const terminal = new TestTerminal('sh', ['-c', script], {
		env: {WHERRY_ROOT: shared.root, WHERRY_RUN: shared.run, XDG_CONFIG_HOME: folder},
	});
	t.teardown(() => terminal.close());
	await terminal.until(/┏━ 1 Containers \d/);
	terminal.type('6A');
	await terminal.until(/Build an image/);
	terminal.type(`${folder}\r`);
	await terminal.until(/goes on/);
	terminal.type('1');
	await terminal.until(/┏━ 1 Containers/);
	// Others are there as well.
	terminal.type(`/${name}\r`);
	await terminal.until(new RegExp(`❯ ▶ {2}${name}`));
	const pid = Number(/pid=(\d+)=/.exec(terminal.bytes)?.[1]);
	return {folder, web, terminal, pid};
}

type Opened = Awaited<ReturnType<typeof open>>;

async function restored(t: ExecutionContext, {terminal, pid}: Opened, status: number): Promise<void> {
	await terminal.until(/the-end/);
	await terminal.exited();
	t.false(terminal.alternate);
	const modes = terminal.bytes.match(/[0-9a-f]+(?::[0-9a-f]+){20,}/g) ?? [];
	t.deepEqual([modes.length, modes[1]], [2, modes[0]]);
	t.is(Number(/status=(\d+)=/.exec(terminal.text)?.[1]), status);
	for (const mode of ['?1049', '?25', '?2004']) {
		const [set, reset] = [`\u001b[${mode}h`, `\u001b[${mode}l`].map((bytes) =>
			terminal.bytes.lastIndexOf(bytes),
		);
		t.true(mode === '?25' ? set! > reset! : reset! > set!, mode);
	}
	t.false(existsSync(`/proc/${pid}`));
}

/** The containers of a process's builds, which are in no list. */
function ofBuild(pid: number): number {
	const folder = join(shared.root, 'containers');
	const records = readdirSync(folder).map((name) => join(folder, name, 'container.json'));
	return records.filter(
		(path) => existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).Build?.pid === pid,
	).length;
}

/** The container that somebody started goes on, what the build started doesn't. */
async function onlyTheContainer(
	t: ExecutionContext,
	{web, folder, pid}: Opened,
	state: BuildRecord['state'],
): Promise<void> {
	t.is((await engine.containers.list({filters: {id: [web]}})).length, 1);
	// Another process that repairs may be about it.
	await until('nothing of the build is left', () => ofBuild(pid) === 0);
	t.is((await engine.builds.list()).find(({context}) => context === folder)!.state, state);
}

for (const [keys, name, message] of [
	['p', 'an error while it draws', /containers are not affected\.\n.*an error while drawing/],
	['r', 'a promise that nobody awaits', /containers are not affected\.\n.*a promise nobody awaited/],
] as const) {
	test(`${name} gives the terminal back, says what it was, and ends the build`, async (t) => {
		const opened = await open(t);
		opened.terminal.type(keys);
		await restored(t, opened, 1);
		t.regex(opened.terminal.text, message);
		await onlyTheContainer(t, opened, 'cancelled');
	});
}

test('SIGTERM gives the terminal back and ends the build', async (t) => {
	const opened = await open(t);
	process.kill(opened.pid, 'SIGTERM');
	await restored(t, opened, 143);
	await onlyTheContainer(t, opened, 'cancelled');
});

test('a terminal that goes away ends the UI and its build', async (t) => {
	const opened = await open(t);
	opened.terminal.close();
	await until('the UI has ended', () => !existsSync(`/proc/${opened.pid}`));
	await onlyTheContainer(t, opened, 'cancelled');
});

test('after kill -9 the next command ends what the build left running', async (t) => {
	const opened = await open(t);
	// Asked before: another process that repairs may be quicker than this one.
	t.is(ofBuild(opened.pid), 1);
	process.kill(opened.pid, 'SIGKILL');
	await opened.terminal.until(/status=137=/);
	await engine.repair();
	await onlyTheContainer(t, opened, 'broken');
});

test.serial('a build of another process is there live, and its end', async (t) => {
	const {terminal} = await open(t);
	const abort = new AbortController();
	const building = engine.build({
		...{context: {empty: true}, tags: ['far:1'], signal: abort.signal},
		text: 'FROM wherry/base\nRUN --network=none echo from another place; sleep 1000\n',
	});
	const failed = t.throwsAsync(building, {code: 'cancelled'});
	try {
		terminal.type('6');
		// The selection stays on the build that was started here.
		await terminal.until(/ {2}▶ {2}far:1/);
		terminal.type('g');
		await terminal.until(/❯ ▶ {2}far:1/);
		await terminal.until(/from another place/);
		// This process takes no signal for it.
		terminal.type('x');
		await terminal.until(new RegExp(`Process ${process.pid} builds it`));
		terminal.type('y');
		await terminal.until(/is part of another program/);
	} finally {
		abort.abort();
		await failed;
	}
	await terminal.until(/❯ ■ {2}far:1/);
	terminal.type('qy');
	await terminal.until(/status=0=/);
});
