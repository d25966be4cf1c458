/** The whole program on private roots: the built `wherry ui` in a pseudo-terminal, real containers beneath. */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {busyboxTree, pushFolder} from '../e2e/images.ts';
import {startRegistry} from '../setup/registry.ts';
import {TestTerminal} from './terminal.ts';

const wherry = fileURLToPath(new URL('../../src/wherry.sh', import.meta.url));
const DETACH = '\u0010\u0011';

function privateRoots(t: ExecutionContext) {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-tui-'));
	const env = {WHERRY_ROOT: join(folder, 'root'), WHERRY_RUN: join(folder, 'run')};
	/** The command line beside the panes, as in another terminal. */
	const cli = (...args: string[]): string => {
		const {CI: _, ...inherited} = process.env;
		const {stdout, stderr, status} = spawnSync(wherry, args, {env: {...inherited, ...env}, encoding: 'utf8'});
		if (status !== 0) throw new Error(`wherry ${args.join(' ')}: ${status}\n${stderr}`);
		return stdout.trim();
	};
	t.teardown(() => {
		const ids = cli('ps', '-aq').split('\n').filter(Boolean);
		if (ids.length > 0) cli('rm', '-f', ...ids);
		rmSync(folder, {recursive: true, force: true});
	});
	const ui = (options = {}): TestTerminal => {
		const terminal = new TestTerminal(wherry, ['ui'], {env, ...options});
		t.teardown(() => terminal.close());
		return terminal;
	};
	return {env, cli, ui};
}

test.serial(
	'a first run: one key starts wherry/base, attach finds its shell, Ctrl+P Ctrl+Q comes back, it goes on',
	async (t) => {
		const {cli, ui} = privateRoots(t);
		const terminal = ui();
		await terminal.until(/No containers yet\.[\s\S]*B {2}runs wherry\/base/);
		terminal.type('B');
		await terminal.until(/❯ ▶ .*wherry\/base +Up/);
		terminal.type('a');
		await terminal.until(/ATTACHED/);
		terminal.type('echo "<$((6*7))>"; stty size\r');
		// Here the pane would be small: all of the screen is the terminal's but its title.
		await terminal.until(/<42>\n31 120/);
		terminal.resize(100, 30);
		// The size arrives beside what is typed, not in turn with it.
		terminal.type('until [ "$(stty size)" = "29 100" ]; do :; done; echo resi""zed\r');
		await terminal.until(/^resized/m);
		terminal.resize(120, 32);
		// A Ctrl+P that isn't followed by Ctrl+Q belongs to the shell, though it begins the way out.
		terminal.type('\u0010\u0010\u0011');
		await terminal.untilShown(/Left .*; it goes on\./);
		t.true(terminal.alternate);
		await terminal.until(/❯ ▶ .*wherry\/base +Up/);
		await terminal.until(/0 Logs [\s\S]*<42>/);
		t.is(cli('ps', '--format', '{{.Image}} {{.State}}'), 'wherry/base running');
		terminal.type('a');
		await terminal.until(/ATTACHED/);
		terminal.type('\u0015echo "<$((6*8))>"\r');
		await terminal.until(/<48>/);
		terminal.type('exit 3\r');
		await terminal.untilShown(/ended with exit code 3/);
		// Nothing that is typed after the end is a command of the panes.
		terminal.type('dy');
		terminal.type('\r');
		await terminal.until(/❯ ■ .*Exited \(3\)/);
		terminal.type('q');
		t.is(await terminal.exited(), 0);
		t.false(terminal.alternate);
	},
);

test.serial(
	'what other processes do appears in the panes, and what the panes do really happens',
	async (t) => {
		const {cli, ui} = privateRoots(t);
		const terminal = ui();
		await terminal.until(/No containers yet/);
		cli(
			'run',
			'-d',
			'--name',
			'counter',
			'wherry/base',
			'sh',
			'-c',
			'trap "exit 0" TERM; i=0; while :; do i=$((i+1)); echo "count $i"; sleep 0.2; done',
		);
		await terminal.until(/❯ ▶ {2}counter/);
		await terminal.until(/Logs[^\n]* counter · follow[\s\S]*count 3/);
		await terminal.until(/2 Images 1/);
		terminal.type('p');
		await terminal.until(/‖ {2}counter/);
		t.is(cli('ps', '--format', '{{.State}}'), 'paused');
		terminal.type('p');
		await terminal.until(/▶ {2}counter/);
		terminal.type('R\u0015tally\r');
		await terminal.until(/▶ {2}tally/);
		terminal.type('e');
		await terminal.until(/SHELL in tally/);
		terminal.type('echo "<$((7*7))>"\r');
		await terminal.until(/<49>/);
		terminal.type('exit\r');
		await terminal.until(/\$ wherry exec -it tally sh/);
		terminal.type('s');
		await terminal.until(/■ {2}tally .*Exited \(0\)/);
		await terminal.until(/Logs[^\n]* tally · ended/);
		t.is(cli('ps', '-a', '--format', '{{.State}}'), 'exited');
		terminal.type('S');
		await terminal.until(/▶ {2}tally/);
		await terminal.until(/Logs[^\n]* tally · follow[\s\S]*count 1$|count 1 /m);
		cli('kill', 'tally');
		await terminal.until(/■ {2}tally .*Exited \(137\)/);
		terminal.type('d');
		await terminal.until(/Remove tally \(wherry\/base\)\?/);
		terminal.type('n');
		t.is(cli('ps', '-a', '--format', '{{.Names}}'), 'tally');
		terminal.type('dy');
		await terminal.until(/No containers yet/);
		t.is(cli('ps', '-aq'), '');
		terminal.type('q');
		t.is(await terminal.exited(), 0);
	},
);

test.serial(
	'the form runs a container with its name, command and variables, and attaches to it',
	async (t) => {
		const {cli, ui} = privateRoots(t);
		const terminal = ui();
		await terminal.until(/No containers yet/);
		terminal.type('A');
		await terminal.until(/Run a container/);
		terminal.type(
			'wherry/base\tbox\tsh -c \'echo "says $WORD"; read line; echo "got $line"; sleep 60\'\tWORD=ahoy\t\t\t \r',
		);
		await terminal.until(/ATTACHED box/);
		await terminal.until(/says ahoy/);
		terminal.type('hello\r');
		await terminal.until(/got hello/);
		terminal.type(DETACH);
		await terminal.untilShown(/Left box/);
		t.is(cli('logs', 'box').replaceAll('\r', ''), 'says ahoy\nhello\ngot hello');
		terminal.type('d');
		await terminal.until(/Remove box/);
		terminal.type('y');
		await terminal.until(/No containers yet/);
	},
);

test.serial('an image that is not there and an engine that refuses are one readable line each', async (t) => {
	const {cli, ui} = privateRoots(t);
	cli('run', '-d', '--name', 'taken', 'wherry/base', 'sleep', '60');
	const terminal = ui();
	await terminal.until(/❯ ▶ {2}taken/);
	terminal.type('Awherry/base\ttaken\r');
	await terminal.untilShown(/Error: .*name "\/?taken" is already in use/);
	terminal.type('A127.0.0.1:1/none\tother\r');
	await terminal.untilShown(/Error: .*(refused|127\.0\.0\.1:1)/);
	terminal.type('R\u0015not a name\r');
	await terminal.untilShown(/Error: .*Invalid container name/i);
	t.is(cli('ps', '-a', '--format', '{{.Names}}'), 'taken');
});

test.serial('an image is pulled from a registry, run with Enter, and removed', async (t) => {
	const {cli, ui} = privateRoots(t);
	const registry = await startRegistry();
	t.teardown(() => registry.stop());
	const tree = mkdtempSync(join(tmpdir(), 'wherry-tui-tree-'));
	t.teardown(() => rmSync(tree, {recursive: true, force: true}));
	busyboxTree(tree);
	const reference = await pushFolder(tree, registry.host, 'box:1', {cmd: ['echo', 'from the registry']});
	const terminal = ui();
	await terminal.until(/No containers yet/);
	terminal.type(`2p${reference}\r`);
	await terminal.untilShown(/Pulled 127\.0\.0\.1/);
	await terminal.until(/❯ 127\.0\.0\.1:\d+\/box +1 /);
	t.is(cli('images', '--format', '{{.Repository}}:{{.Tag}}', reference), reference);
	await terminal.until(/\[?Layers[\s\S]*1\.9\dMB/);
	terminal.type('A');
	await terminal.until(/Run a container/);
	terminal.type('once\r');
	await terminal.until(/■ {2}once/);
	// What there is more of an image is who uses it; the log is the container's.
	terminal.type('1');
	await terminal.until(/Logs[^\n]* once[\s\S]*from the registry/);
	terminal.type('1dy');
	await terminal.until(/No containers yet/);
	terminal.type('2dy');
	await terminal.until((now) => !/\/box +1 /.test(now.text));
	t.is(cli('images', '-q', reference), '');
	terminal.type('pno/such:image:x\r');
	await terminal.untilShown(/Error: .*invalid reference format/);
});

test.serial('a container without a terminal takes lines, and Ctrl+C leaves it running', async (t) => {
	const {cli, ui} = privateRoots(t);
	cli(
		'run',
		'-d',
		'-i',
		'--name',
		'echoes',
		'wherry/base',
		'sh',
		'-c',
		'while read line; do echo "heard $line"; done',
	);
	const terminal = ui();
	await terminal.until(/❯ ▶ {2}echoes/);
	terminal.type('a');
	await terminal.until(/ATTACHED echoes/);
	terminal.type('onw\u007fe\r');
	await terminal.until(/\none\nheard one/);
	terminal.type('\u0003');
	await terminal.untilShown(/Left echoes; it goes on/);
	t.is(cli('ps', '--format', '{{.State}}'), 'running');
});

test.serial('a restart from outside keeps the log going', async (t) => {
	const {cli, ui} = privateRoots(t);
	cli(
		'run',
		'-d',
		'--name',
		'again',
		'wherry/base',
		'sh',
		'-c',
		'echo "run $(cat /proc/uptime)"; trap "exit 0" TERM; while :; do sleep 0.1; done',
	);
	const terminal = ui();
	await terminal.until(/Logs[^\n]* again · follow[\s\S]*run /);
	for (const count of [2, 3]) {
		cli('restart', 'again');
		await terminal.until((now) => (now.text.match(/│run \d/g) ?? []).length === count);
	}
	await terminal.until(/Logs[^\n]* again · follow/);
	t.pass();
});

test.serial('what a session’s program does to its terminal stays there', async (t) => {
	const {cli, ui} = privateRoots(t);
	const mess = '\\033[?1049h\\033[?1000h\\033[?25l\\033[?1h\\033[5;10r';
	cli(
		'run',
		'-dit',
		'--name',
		'mess',
		'wherry/base',
		'sh',
		'-c',
		`read x; printf '${mess}messy\\033(0\\033[31m'; sleep 60`,
	);
	const terminal = ui();
	await terminal.until(/❯ ▶ {2}mess/);
	terminal.type('a');
	await terminal.until(/ATTACHED mess/);
	terminal.type('\r');
	await terminal.until(/messy/);
	terminal.type(DETACH);
	await terminal.until(/^ wherry[\s\S]*┏━ 1 Containers[\s\S]*❯ ▶ {2}mess[\s\S]*Left mess/);
	terminal.type('q');
	t.is(await terminal.exited(), 0);
	const off = (mode: string) =>
		terminal.bytes.lastIndexOf(`\u001b[?${mode}l`) > terminal.bytes.lastIndexOf(`\u001b[?${mode}h`);
	t.true(off('1000'));
	// It asked for the mouse, and got it; all else was for the emulator alone.
	t.true(terminal.bytes.includes('\u001b[?1000h'));
	for (const sequence of ['\u001b[5;10r', '\u001b[?1h', '\u001b(0'])
		t.false(terminal.bytes.includes(sequence));
	t.false(terminal.alternate);
});

test.serial(
	'a container that writes without end keeps the panes quick, and SIGTERM ends them while it goes on',
	async (t) => {
		const {cli, ui} = privateRoots(t);
		cli(
			'run',
			'-d',
			'--name',
			'flood',
			'wherry/base',
			'sh',
			'-c',
			'while :; do echo a line of a flood; done',
		);
		cli('run', '-d', '--name', 'calm', 'wherry/base', 'sleep', '60');
		const terminal = ui();
		await terminal.until(/❯ ▶ {2}calm/);
		terminal.type('j');
		await terminal.until(/❯ ▶ {2}flood/);
		await terminal.until(/Logs[^\n]* flood · follow[\s\S]*a line of a flood/);
		for (let index = 0; index < 5; index++) {
			terminal.type('k');
			await terminal.until(/❯ ▶ {2}calm/);
			terminal.type('j');
			await terminal.until(/❯ ▶ {2}flood/);
		}
		terminal.kill('SIGTERM');
		t.is(await terminal.exited(), 143);
		t.false(terminal.alternate);
		t.is(cli('ps', '--format', '{{.State}}', '-f', 'name=flood'), 'running');
	},
);

test.serial('one frame is plain text of the size that COLUMNS and LINES say', (t) => {
	const {cli, env} = privateRoots(t);
	const once = (size: Record<string, string>) =>
		spawnSync(wherry, ['ui', '--once'], {
			env: {...process.env, ...env, FORCE_COLOR: '3', ...size},
			encoding: 'utf8',
		});
	const empty = once({});
	t.is(empty.status, 0);
	t.is(empty.stderr, '');
	t.regex(empty.stdout, /No containers yet/);
	t.notRegex(empty.stdout, /\u001b/);
	t.is(empty.stdout.split('\n').length, 31);
	cli('run', '--name', 'done', 'wherry/base', 'echo', 'ahoy');
	const wide = once({COLUMNS: '120', LINES: '35'});
	t.is(wide.stdout.split('\n').length, 36);
	t.regex(wide.stdout, /❯ ■ {2}done .*Exited \(0\)[\s\S]*/);
	t.regex(wide.stdout, /Logs[^\n]* done[\s\S]*ahoy/);
	t.is(Math.max(...wide.stdout.split('\n').map((line) => line.length)), 120);
});

test.serial('a frame on a terminal has colours, and none where NO_COLOR asks for it', async (t) => {
	const {env} = privateRoots(t);
	const bytes = async (more: Record<string, string | undefined>): Promise<string> => {
		const terminal = new TestTerminal(wherry, ['ui', '--once'], {env: {...env, CI: undefined, ...more}});
		t.teardown(() => terminal.close());
		t.is(await terminal.exited(), 0);
		await terminal.until(/No containers yet/);
		return terminal.bytes;
	};
	t.regex(await bytes({}), /\u001b\[36m/);
	t.notRegex(await bytes({NO_COLOR: '1'}), /\u001b\[(3[0-7]|9[0-7]|38|48)/);
});
