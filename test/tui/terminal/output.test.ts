/** The terminal's end for output and for keys, in a process of its own on a pseudo-terminal. */
import {closeSync, openSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {native} from '../../../src/kernel/native.ts';
import {isTerminal} from '../../../src/kernel/terminal.ts';
import {TestTerminal} from '../terminal.ts';

const module = (name: string): string => fileURLToPath(new URL(`../../../src/${name}`, import.meta.url));

/** Runs the program, with `output`, `source`, `native` and `modes()` (what stty says) in it. */
function run(t: ExecutionContext, program: string, options = {}): TestTerminal {
	const text = `
		import {execFileSync} from 'node:child_process';
		import {native} from '${module('kernel/native.ts')}';
		import {TerminalSource} from '${module('tui/input/source.ts')}';
		import {TerminalOutput} from '${module('tui/terminal/output.ts')}';
		const modes = () => execFileSync('stty', ['-a'], {stdio: ['inherit', 'pipe', 'inherit'], encoding: 'utf8'});
		const output = new TerminalOutput(1);
		const source = new TerminalSource();
		${program}`;
	const terminal = new TestTerminal(
		process.execPath,
		['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', text],
		{columns: 100, rows: 20, ...options},
	);
	t.teardown(() => terminal.close());
	return terminal;
}

test('its size is the terminal’s, and a new one is told', async (t) => {
	const terminal = run(
		t,
		`output.write(\`\${output.columns}x\${output.rows}\\n\`);
		const timer = setInterval(() => {}, 1000);
		output.on('resize', () => {
			output.write(\`then \${output.columns}x\${output.rows}\\n\`);
			clearInterval(timer);
			output.close();
		});`,
	);
	await terminal.until(/^100x20$/m);
	terminal.resize(90, 25);
	await terminal.until(/^then 90x25$/m);
	await terminal.exited();
	t.is(terminal.exitCode, 0);
});

test('all of a large text arrives, also when somebody has made the terminal non-blocking', async (t) => {
	const terminal = run(
		t,
		`execFileSync('perl', ['-e', 'use Fcntl; fcntl(STDOUT, F_SETFL, fcntl(STDOUT, F_GETFL, 0) | O_NONBLOCK) or die'], {stdio: 'inherit'});
		let text = '';
		for (let line = 0; line < 20000; line++) text += \`line \${line} of many, ä\\n\`;
		output.write(text, () => output.write('the end\\n'));
		output.close();`,
	);
	await terminal.until(/^the end$/m);
	await terminal.exited();
	for (const line of [0, 777, 19_999]) t.true(terminal.bytes.includes(`line ${line} of many, ä\r\n`));
});

test('what is written when the terminal has gone is no error', async (t) => {
	const terminal = run(
		t,
		`const gone = new TerminalOutput(5000);
		gone.write('lost', () => output.write('nothing happened\\n'));
		for (const each of [output, gone]) each.close();`,
	);
	await terminal.until(/^nothing happened$/m);
	await terminal.exited();
	t.is(terminal.exitCode, 0);
});

test('what is typed before there is a stream is not shown, and is the stream’s', async (t) => {
	const terminal = run(
		t,
		`source.hush();
		output.write('hushed\\n');
		const hushed = modes();
		setTimeout(() => {
			const stream = source.stream();
			const before = modes();
			stream.setRawMode(true);
			stream.once('data', (bytes) => {
				source.restore();
				const after = modes();
				const words = (text, ...names) => names.filter((name) => text.split(/[\\s;]+/).includes(name)).join(' ');
				output.write(\`typed <\${bytes}>\\n\`);
				output.write(\`1 \${words(hushed, '-echo', '-icanon', '-isig', 'opost', 'onlcr')}\\n\`);
				output.write(\`2 \${words(before, 'echo', 'icanon', 'isig')}\\n\`);
				output.write(\`3 \${words(after, 'echo', 'icanon', 'isig')}\\n\`);
				output.close();
				stream.pause();
			});
		}, 500);`,
	);
	await terminal.until(/^hushed$/m);
	terminal.type('jk');
	await terminal.exited();
	t.regex(terminal.text, /^typed <jk>$/m);
	t.regex(terminal.text, /^1 -echo -icanon -isig opost onlcr$/m);
	t.regex(terminal.text, /^2 echo icanon isig$/m);
	t.regex(terminal.text, /^3 echo icanon isig$/m);
	t.notRegex(terminal.text, /^jk/m);
});

test('a restore without a stream puts the modes back, and one without a hush changes nothing', async (t) => {
	const terminal = run(
		t,
		`const before = modes();
		source.restore();
		source.hush();
		source.hush();
		const hushed = modes();
		source.restore();
		source.restore();
		output.write(\`\${before === modes()} \${before !== hushed}\\n\`);
		output.close();`,
	);
	await terminal.until(/^true true$/m);
	await terminal.exited();
	t.is(terminal.exitCode, 0);
});

test('what is no terminal has no size and no modes', (t) => {
	const fd = openSync('/dev/null', 'r');
	t.teardown(() => closeSync(fd));
	for (const other of [fd, 5000, -1]) {
		t.false(isTerminal(other));
		t.is(native.terminalSize(other), undefined);
	}
	t.throws(() => native.hushTerminal(fd), {code: 'ENOTTY'});
});
