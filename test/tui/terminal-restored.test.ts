import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {TestTerminal} from './terminal.ts';

const ui = fileURLToPath(new URL('fake-ui.tsx', import.meta.url));
const hook = fileURLToPath(new URL('../setup/tsx.mjs', import.meta.url));
const UP = /┏━ 1 Containers 3\/5[\s\S]*GET \/page\/39/;

/** A shell that says what the terminal is like before and after; the UI's process tells its id. */
async function open(t: ExecutionContext, options = {}): Promise<{terminal: TestTerminal; pid: number}> {
	const inner = `echo "pid=$$="; exec '${process.execPath}' --disable-warning=ExperimentalWarning --import='${hook}' '${ui}'`;
	const script = `stty -g >&2; sh -c '${inner.replaceAll("'", `'\\''`)}'; echo "status=$?="; stty -g; echo the-end`;
	const terminal = new TestTerminal('sh', ['-c', script], options);
	t.teardown(() => terminal.close());
	await terminal.until(UP);
	const pid = Number(/pid=(\d+)=/.exec(terminal.bytes)?.[1]);
	t.true(terminal.alternate);
	return {terminal, pid};
}

async function restored(t: ExecutionContext, terminal: TestTerminal, status: number): Promise<void> {
	await terminal.until(/the-end/);
	await terminal.exited();
	t.false(terminal.alternate);
	const modes = terminal.bytes.match(/[0-9a-f]+(?::[0-9a-f]+){20,}/g) ?? [];
	t.is(modes.length, 2);
	t.is(modes[1], modes[0], 'the terminal’s modes are what they were');
	t.is(Number(/status=(\d+)=/.exec(terminal.text)?.[1]), status);
	const last = (on: string, off: string) => terminal.bytes.lastIndexOf(off) > terminal.bytes.lastIndexOf(on);
	t.true(last('\u001b[?1049h', '\u001b[?1049l'), 'the first screen');
	t.true(last('\u001b[?25l', '\u001b[?25h'), 'the cursor');
	t.true(last('\u001b[?2004h', '\u001b[?2004l'), 'no marks around pastes');
	t.notRegex(terminal.text, /Containers 3\/5/);
}

test('q gives the terminal back and is no error', async (t) => {
	const {terminal} = await open(t);
	terminal.type('q');
	await restored(t, terminal, 0);
});

test('Ctrl+C is quit, too', async (t) => {
	const {terminal} = await open(t);
	terminal.type('\u0003');
	await restored(t, terminal, 0);
});

for (const [signal, status] of [
	['SIGTERM', 143],
	['SIGHUP', 129],
	['SIGINT', 130],
	['SIGQUIT', 131],
] as const) {
	test(`${signal} gives the terminal back`, async (t) => {
		const {terminal, pid} = await open(t);
		process.kill(pid, signal);
		await restored(t, terminal, status);
	});
}

test('an error that nobody caught gives the terminal back, then says what it was', async (t) => {
	const {terminal} = await open(t);
	terminal.type('Kt');
	await restored(t, terminal, 1);
	t.regex(terminal.text, /containers are not affected\.\n.*an error nobody caught/);
	t.true(terminal.bytes.lastIndexOf('an error nobody caught') > terminal.bytes.lastIndexOf('\u001b[?1049l'));
});

test('a promise that nobody awaited gives the terminal back, then says what it was', async (t) => {
	const {terminal} = await open(t);
	terminal.type('r');
	await restored(t, terminal, 1);
	t.regex(terminal.text, /a promise nobody awaited/);
});

test('Ctrl+Z without a shell to wake it goes on, with the whole screen drawn again', async (t) => {
	const {terminal} = await open(t);
	terminal.type('j');
	await terminal.until(/❯ ▶ {2}db/);
	const before = terminal.bytes.length;
	terminal.type('\u001a');
	await terminal.until(() => terminal.bytes.slice(before).includes('\u001b[?1049h'));
	await terminal.until(/❯ ▶ {2}db/);
	terminal.type('k');
	await terminal.until(/❯ ▶ {2}web/);
	terminal.type('q');
	await restored(t, terminal, 0);
});

test('a shell’s job is stopped by Ctrl+Z on its own screen and comes back with fg', async (t) => {
	const command = `'${process.execPath}' --disable-warning=ExperimentalWarning --import='${hook}' '${ui}'`;
	const terminal = new TestTerminal('bash', ['--norc', '--noprofile', '-i'], {env: {PS1: 'prompt> '}});
	t.teardown(() => terminal.close());
	await terminal.until(/prompt> /);
	terminal.type(`${command}\r`);
	await terminal.until(UP);
	terminal.type('\u001a');
	await terminal.until(/Stopped[\s\S]*prompt> ?\s*$/);
	t.false(terminal.alternate);
	terminal.type('fg\r');
	await terminal.until(UP);
	t.true(terminal.alternate);
	terminal.type('j');
	await terminal.until(/❯ ▶ {2}db/);
	terminal.type('q');
	await terminal.until(/prompt> ?\s*$/);
	terminal.type('echo "<$?>"; exit\r');
	await terminal.until(/<0>/);
	await terminal.exited();
});

test('stopped and woken by somebody else, it takes the terminal over again', async (t) => {
	const {terminal, pid} = await open(t);
	process.kill(pid, 'SIGSTOP');
	terminal.type('j');
	const before = terminal.bytes.length;
	process.kill(pid, 'SIGCONT');
	await terminal.until(() => terminal.bytes.slice(before).includes('\u001b[?1049h'));
	await terminal.until(/❯ ▶ {2}db/);
	terminal.type('k');
	await terminal.until(/❯ ▶ {2}web/);
	terminal.type('q');
	await restored(t, terminal, 0);
});

test('the screen follows the terminal’s size down to the smallest and back', async (t) => {
	const {terminal} = await open(t);
	for (const [columns, rows, what] of [
		[80, 24, /┏━ 1 Containers 3\/5 ·2 Images·3 Networks·4 Volumes·5 Events·6 Builds━+ 1\/5 ━┓\n/],
		[38, 8, /terminal too small \(need 40×10\)/],
		[200, 50, /╭─ 2 Images 4 ─/],
		[60, 15, /^ wherry[\s\S]*┃❯ ▶ {2}web/],
		[120, 32, /╭─ 2 Images 4 ─/],
	] as const) {
		terminal.resize(columns, rows);
		await terminal.until(what);
		await terminal.until(() => rows < 10 || terminal.text.split('\n').at(-1)!.includes('attach'));
	}
	terminal.type('q');
	await restored(t, terminal, 0);
});
