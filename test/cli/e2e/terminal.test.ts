import {readFileSync} from 'node:fs';
import test from 'ava';
import {Command} from '../../e2e/command.ts';
import {TestTerminal} from '../../tui/terminal.ts';

const wherry = new Command();
const image = 'wherry/base';
const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;

function terminal(...args: string[]): TestTerminal {
	return new TestTerminal(launcher, args, {
		columns: 90,
		rows: 20,
		env: {WHERRY_ROOT: wherry.root, WHERRY_RUN: wherry.run},
	});
}

/** In a shell, so that what wherry leaves of the terminal can be looked at. */
function inShell(line: string): TestTerminal {
	return new TestTerminal('/bin/sh', ['-c', line], {
		columns: 90,
		rows: 20,
		env: {WHERRY_ROOT: wherry.root, WHERRY_RUN: wherry.run},
	});
}

/** What of these the journal has of a container. */
async function told(container: string, ...actions: string[]): Promise<string[]> {
	const filters = actions.flatMap((action) => ['-f', `event=${action}`]);
	const format = ['--format', '{{.Action}}'];
	const range = ['--since', '0', '--until', '0s', '-f', `container=${container}`];
	return (await wherry.output('events', ...range, ...filters, ...format)).split('\n');
}

test.before(async () => {
	await wherry.output('create', '--name', 'warm', image, 'true');
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

test('ctrl-p ctrl-q leaves, the container goes on, attach finds the same shell', async (t) => {
	const first = terminal('run', '-it', '--name', 'shell', image, 'sh');
	await first.until(/# $/m);
	first.type('here=same; stty size; echo rea""dy\r');
	await first.until(/20 90[\s\S]*ready/);
	first.type('\x10');
	first.type('\x11');
	t.is(await first.exited(), 0);
	t.notRegex(first.text, /escape sequence/);

	t.is(await wherry.output('ps', '-f', 'name=shell', '--format', '{{.State}}'), 'running');
	const second = terminal('attach', 'shell');
	second.type('echo still $here\r');
	await second.until(/still same/);
	const third = terminal('attach', '--detach-keys', 'ctrl-a,q', 'shell');
	third.type('echo thi""rd\r');
	await third.until(/third/);
	third.type('\x01q');
	await third.until(/read escape sequence/);
	t.is(await third.exited(), 1);
	second.type('exit 6\r');
	t.is(await second.exited(), 6);
	t.regex((await wherry.result(['logs', 'shell'])).stdout, /still same/);
	const gone = await wherry.result(['attach', 'shell']);
	t.like(gone, {code: 1, stderr: 'cannot attach to a stopped container, start it first\n'});
	t.deepEqual(await told('shell', 'attach', 'detach'), ['attach', 'detach', 'attach', 'attach', 'detach']);
});

test('start -ai brings a stopped shell back', async (t) => {
	await wherry.output('create', '-it', '--name', 'again', image, 'sh');
	const shell = terminal('start', '-ai', 'again');
	await shell.until(/# $/m);
	shell.type('exit 3\r');
	t.is(await shell.exited(), 3);
});

test('exec -it follows the window and other detach keys', async (t) => {
	await wherry.output('run', '-d', '--name', 'box', image, 'sleep', '1000');
	const shell = terminal('exec', '-it', '--detach-keys', 'ctrl-x,x', 'box', 'sh');
	await shell.until(/# $/m);
	shell.resize(100, 25);
	shell.type('while [ "$(stty size)" != "25 100" ]; do sleep 0.05; done; echo seen\r');
	await shell.until(/\nseen/);
	// Ctrl+P alone belongs to the shell now.
	shell.type('\x10\x18x');
	await shell.until(/read escape sequence/);
	t.is(await shell.exited(), 1);
	t.deepEqual(await told('box', 'exec_detach', 'detach'), ['exec_detach']);
});

test('a program that leaves line feeds alone is shown as it draws', async (t) => {
	const drawn = terminal(
		'run',
		'-it',
		'--rm',
		image,
		'sh',
		'-c',
		'stty -opost; printf "ab\\ncd\\r\\nend\\r\\n"',
	);
	await drawn.until(/end/);
	t.regex(drawn.text, /^ab\n {2}cd\nend/);
	t.is(await drawn.exited(), 0);
});

test('the terminal is as before after an exit, a detach, a failure', async (t) => {
	const w = launcher;
	const shell = inShell(`
		before=$(stty -g)
		same() { [ "$(stty -g)" = "$before" ] && echo "$1 fine" || echo "$1 broken"; }
		${w} run -it --rm ${image} true; same exit
		${w} run -it --rm --name held ${image} sh -c 'echo up; sleep 1000'; same detach
		${w} exec -it held no-such-command; same failure
		${w} rm -f held; same end
	`);
	await shell.until(/exit fine[\s\S]*up/);
	shell.type('\x10\x11');
	await shell.until(/detach fine[\s\S]*failure fine[\s\S]*end fine/);
	t.is(await shell.exited(), 0);
});

test('SIGTERM restores the terminal on its way out', async (t) => {
	await wherry.output('run', '-d', '--name', 'term', image, 'sleep', '1000');
	const shell = inShell(`
		before=$(stty -g)
		sh -c 'echo $$ >"$WHERRY_RUN/term.pid"; exec ${launcher} exec -it term sh -c "echo inside; sleep 1000"'
		echo "status $?"
		[ "$(stty -g)" = "$before" ] && echo restored
	`);
	await shell.until(/inside/);
	process.kill(Number(readFileSync(`${wherry.run}/term.pid`, 'utf8')), 'SIGTERM');
	await shell.until(/status 143[\s\S]*restored/);
	t.is(await shell.exited(), 0);
});

test('a terminal that goes away takes the command along, not the container', async (t) => {
	const shell = terminal('run', '-it', '--name', 'hung-up', image, 'sh');
	await shell.until(/# $/m);
	// What a closing terminal does to its session.
	shell.kill('SIGHUP');
	t.is(await shell.exited(), 129);
	t.is(await wherry.output('ps', '-f', 'name=hung-up', '--format', '{{.State}}'), 'running');
});

test('three requests to end are enough, also when the container ignores them', async (t) => {
	const shell = inShell(`
		before=$(stty -g)
		sh -c 'echo $$ >"$WHERRY_RUN/deaf.pid"; exec ${launcher} run -it --name deaf ${image} sh -c "trap : TERM; echo inside; while :; do sleep 1; done"'
		echo "status $?"
		[ "$(stty -g)" = "$before" ] && echo restored
	`);
	await shell.until(/inside/);
	const pid = Number(readFileSync(`${wherry.run}/deaf.pid`, 'utf8'));
	// Signals of one kind that wait are one: each must have come before the next.
	const kills = async (): Promise<number> =>
		(
			await wherry.output(
				'events',
				'--since',
				'1m',
				'--until',
				'0s',
				'-f',
				'container=deaf',
				'-f',
				'event=kill',
			)
		)
			.split('\n')
			.filter(Boolean).length;
	for (const count of [1, 2]) {
		process.kill(pid, 'SIGTERM');
		while ((await kills()) < count);
	}
	process.kill(pid, 'SIGTERM');
	await shell.until(/forcefully exiting[\s\S]*status 1[\s\S]*restored/);
	t.is(await shell.exited(), 0);
});
