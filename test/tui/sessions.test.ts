/** Terminals in the built program: real programs of this machine inside real containers, seen through a real terminal. */
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {TestTerminal} from './terminal.ts';

const wherry = fileURLToPath(new URL('../../src/wherry.sh', import.meta.url));
const ESC = '\u001b';
const DETACH = '\u0010\u0011';
const F11 = `${ESC}[23~`;
const has = (program: string): boolean => existsSync(`/usr/bin/${program}`);
/** The programs are this machine's own: their folder is mounted, the image has what leads there. */
const PROGRAMS = [
	'-v',
	'/usr:/usr:ro',
	...(existsSync('/etc/alternatives') ? ['-v', '/etc/alternatives:/etc/alternatives:ro'] : []),
];

function makeImage(env: NodeJS.ProcessEnv): void {
	const tree = mkdtempSync(join(tmpdir(), 'wherry-sessions-tree-'));
	for (const name of ['usr', 'etc', 'tmp', 'root', 'proc', 'sys', 'dev']) mkdirSync(join(tree, name));
	for (const name of ['bin', 'lib', 'lib64', 'sbin']) {
		if (existsSync(`/usr/${name}`)) symlinkSync(`usr/${name}`, join(tree, name));
	}
	writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
	const archive = spawnSync('tar', ['-C', tree, '-c', '.'], {maxBuffer: 1 << 24}).stdout;
	rmSync(tree, {recursive: true});
	const {status, stderr} = spawnSync(wherry, ['import', '-', 'host:1'], {
		env,
		input: archive,
		encoding: 'utf8',
	});
	if (status !== 0) throw new Error(stderr);
}

function open(t: ExecutionContext) {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-sessions-'));
	const {CI: _, ...inherited} = process.env;
	const roots = {WHERRY_ROOT: join(folder, 'root'), WHERRY_RUN: join(folder, 'run')};
	const env = {...inherited, ...roots};
	const cli = (...args: string[]): string => {
		const {stdout, stderr, status} = spawnSync(wherry, args, {env, encoding: 'utf8'});
		if (status !== 0) throw new Error(`wherry ${args.join(' ')}: ${status}\n${stderr}`);
		return stdout.trim();
	};
	t.teardown(() => {
		const ids = cli('ps', '-aq').split('\n').filter(Boolean);
		if (ids.length > 0) cli('rm', '-f', ...ids);
		rmSync(folder, {recursive: true, force: true});
	});
	const start = (args: string[], options: {env?: Record<string, string>} = {}): TestTerminal => {
		const terminal = new TestTerminal(wherry, args, {
			columns: 200,
			rows: 50,
			...options,
			env: {...roots, COLORTERM: 'truecolor', ...options.env},
		});
		t.teardown(() => terminal.close());
		return terminal;
	};
	return {env, cli, start};
}

/** A shell without a name of its own, so that what is seen is known. */
const BOX = ['--network', 'none', '-e', 'PS1=$ ', ...PROGRAMS, 'host:1', 'sh'];

test.serial(
	'vim, less, top and tmux work in a shell, with its size, in full screen, and after a resize',
	async (t) => {
		const {env, cli, start} = open(t);
		makeImage(env);
		cli('run', '-dit', '--name', 'tools', ...BOX);
		const terminal = start(['ui']);
		await terminal.until(/❯ ▶ {2}tools/);
		terminal.type('e');
		await terminal.until(/SHELL in tools · Ctrl\+P Ctrl\+Q goes back to the panes/);
		terminal.type('cd /tmp; stty size; echo $TERM\r');
		await terminal.until(/┃46 78 [\s\S]*┃xterm-256color /);
		if (has('less')) {
			terminal.type('i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo "row $i"; done >rows\r');
			terminal.type('less rows\r');
			await terminal.until(/┃row 1 [\s\S]*┃rows /);
			// The keys that less knows by its terminal's name: this one is as the program asked for it.
			terminal.type(`${ESC}[B${ESC}[6~`);
			await terminal.until(/┃row 47 /);
			terminal.type('G');
			await terminal.until(/┃row 300 [\s\S]*\(END\)/);
			terminal.type('q');
			await terminal.until(/\$ less rows +┃\n[^┃]*┃\$ /);
		}
		if (has('vim')) {
			terminal.type('vim -u NONE -N -n text\r');
			await terminal.until(/┃~ [\s\S]*"text" \[New\]/);
			terminal.type(`ione${ESC}otwo${ESC}`);
			await terminal.until(/┃one [\s\S]*┃two /);
			terminal.resize(180, 45);
			terminal.type(':wq\r');
			// What is typed while it ends is nobody's.
			await terminal.until(/-n text +┃\n[^┃]*┃\$ /);
			// The size arrives beside what is typed, not in turn with it.
			terminal.type('cat text; until [ "$(stty size)" = "41 70" ]; do :; done; stty size\r');
			await terminal.until(/┃one [\s\S]*┃two [\s\S]*┃41 70 /);
			terminal.resize(200, 50);
		}
		terminal.type(F11);
		await terminal.until(/^ SHELL in tools .* F11 back$/m);
		terminal.type('clear; stty size\r');
		await terminal.until(/^49 200$/m);
		if (has('top')) {
			terminal.type('top\r');
			await terminal.until(/^top - [\s\S]*^ +PID USER/m);
			terminal.type('q');
			await terminal.until(/^\$ *$/m);
		}
		if (has('tmux')) {
			terminal.type('clear; tmux -L inner -f /dev/null\r');
			await terminal.until(/^\[0\] 0:/m);
			terminal.type('\u0002"');
			await terminal.until(/^─{100}/m);
			terminal.type('echo in the lower "p"art\r');
			await terminal.until(/^─{100}[\s\S]*^in the lower part/m);
			terminal.type('\u0002:');
			await terminal.until(/^: *$/m);
			terminal.type('kill-server\r');
			await terminal.until(/\[server exited\]|\[exited\]/);
		}
		terminal.type(F11);
		await terminal.until(/┏━ SHELL in tools/);
		terminal.type('exit 0\r');
		await terminal.until(/┏━ 1 Containers/);
		terminal.type('q');
		t.is(await terminal.exited(), 0);
		t.false(terminal.alternate);
	},
);

test.serial(
	'several are open at once; one is left and entered again; a kill ends one, and the panes go on',
	async (t) => {
		const {env, cli, start} = open(t);
		makeImage(env);
		const count = 'trap "" HUP; i=0; while :; do i=$((i+1)); echo "count $i"; sleep 0.1; done';
		cli('run', '-dit', '--name', 'counts', ...BOX, '-c', count);
		cli('run', '-dit', '--name', 'works', ...BOX);
		const terminal = start(['ui']);
		await terminal.until(/❯ ▶ {2}works/);
		terminal.type('e');
		await terminal.until(/SHELL in works/);
		terminal.type('clear; echo first "s"hell\r');
		await terminal.until(/┃first shell/);
		terminal.type(DETACH);
		await terminal.until(/┏━ 1 Containers[\s\S]*Left the shell in works; it goes on\./);
		terminal.type('j');
		await terminal.until(/❯ ▶ {2}counts/);
		terminal.type('a');
		await terminal.until(/ATTACHED counts · Ctrl\+P Ctrl\+Q detaches [\s\S]*┃count \d/);
		// To the next tab, which was alive all the time, and back.
		terminal.type(`${ESC}[6;5~`);
		await terminal.until(/SHELL in works [\s\S]*┃first shell/);
		terminal.type(`echo second "w"ord\r${ESC}[6;5~`);
		await terminal.until(/ATTACHED counts /);
		terminal.type(DETACH);
		await terminal.until(/┏━ 1 Containers[\s\S]*Left counts; it goes on\./);
		t.is(cli('ps', '-q').split('\n').length, 2);
		terminal.type('.');
		await terminal.until(/SHELL in works [\s\S]*┃first shell[\s\S]*┃second word/);
		// A lone Ctrl+P reaches the program.
		terminal.type('cat -v\r');
		await terminal.until(/cat -v/);
		terminal.type('\u0010');
		terminal.type('x\r');
		await terminal.until(/┃\^Px /);
		terminal.type(`\u0003${DETACH}`);
		await terminal.until(/┏━ 1 Containers/);
		terminal.type('a');
		await terminal.until(/ATTACHED counts /);
		cli('kill', 'counts');
		await terminal.until(/ENDED counts · exit code 137 · Enter goes back/);
		// Nothing that is typed after the end is a command of the panes.
		terminal.type('dy');
		terminal.type('\r');
		await terminal.until(/┏━ 1 Containers[\s\S]*■ {2}counts/);
		terminal.type('q');
		await terminal.until(/These shells go on[\s\S]*in works/);
		terminal.type('y');
		t.is(await terminal.exited(), 0);
		t.is(cli('ps', '--format', '{{.Names}}'), 'works');
	},
);

test.serial(
	'colours and the mouse go through, and nothing else that a container asks of a terminal',
	async (t) => {
		const {env, cli, start} = open(t);
		makeImage(env);
		cli('run', '-dit', '--name', 'asks', ...BOX);
		const terminal = start(['ui']);
		await terminal.until(/❯ ▶ {2}asks/);
		terminal.type('e');
		await terminal.until(/SHELL in asks/);
		const asks = [
			'\\033[20;30r\\033]52;c;aGFja2Vk\\007\\033]0;a title\\007\\033]8;;http://x\\007link\\033]8;;\\007',
			'\\033[38;2;1;2;3mtrue\\033[38;5;208mmany\\033[95mfew\\033[0m\\033[?1002h\\033[?1006h\\033[?1004h',
			'\\033[?1h\\033[>1u\\033P+q544e\\033\\\\done\\n',
		].join('');
		terminal.type(`clear; printf '${asks}'; cat -v\r`);
		await terminal.until(/linktruemanyfewdone/);
		await terminal.until((now) => now.bytes.includes(`${ESC}[?1002h`));
		t.true(terminal.bytes.includes(`${ESC}[38;2;1;2;3mtrue`));
		t.true(terminal.bytes.includes(`${ESC}[38;5;208mmany`));
		t.true(terminal.bytes.includes(`${ESC}[95mfew`));
		for (const sequence of [']52;', ']0;', ']8;', '[?1004h', '[20;30r', '[?1h', '[>1u', 'P+q']) {
			t.false(terminal.bytes.includes(ESC + sequence), sequence);
		}
		await terminal.until(/SHELL in asks .*a title/);
		// The pane's cells begin at column 122 and line 3.
		terminal.type(`${ESC}[<0;130;10M${ESC}[<0;130;10m`);
		terminal.type('\r');
		await terminal.until(/\^\[\[<0;9;8M\^\[\[<0;9;8m/);
		terminal.type(DETACH);
		await terminal.until(/┏━ 1 Containers/);
		t.true(terminal.bytes.lastIndexOf(`${ESC}[?1002l`) > terminal.bytes.lastIndexOf(`${ESC}[?1002h`));
		// A terminal of sixteen colours gets the nearest of them.
		terminal.type('q');
		await terminal.until(/These shells go on/);
		terminal.type('y');
		await terminal.exited();
	},
);

test.serial('a flood in a terminal stops for Ctrl+C, and the panes answer meanwhile', async (t) => {
	const {env, cli, start} = open(t);
	makeImage(env);
	cli('run', '-dit', '--name', 'floods', ...BOX);
	const terminal = start(['ui']);
	await terminal.until(/❯ ▶ {2}floods/);
	terminal.type('e');
	await terminal.until(/SHELL in floods/);
	terminal.type('yes flood\r');
	await terminal.until(/(┃flood +┃\n[^┃]*){20}/);
	terminal.type(DETACH);
	await terminal.until(/┏━ 1 Containers/);
	for (const [key, pane] of [
		['2', /┏━ 2 Images/],
		['3', /┏━ 3 Networks/],
		['1', /┏━ 1 Containers/],
	] as const) {
		terminal.type(key);
		await terminal.until(pane);
	}
	terminal.type('.');
	await terminal.until(/SHELL in floods/);
	// Back through what went by, and to the end again with the first key.
	terminal.type(`${ESC}[5;2~`);
	await terminal.until(/lines below/);
	terminal.type('\u0003');
	terminal.type('clear; echo it has "stop"ped\r');
	await terminal.until(/┃it has stopped/);
	terminal.kill('SIGKILL');
	await terminal.exited();
	t.is(cli('ps', '--format', '{{.Names}} {{.State}}'), 'floods running');
	t.regex(cli('top', 'floods'), /\bsh\b/);
});

test.serial(
	'run, attach and exec with --ui open right there, and refuse where there is no terminal',
	async (t) => {
		const {env, cli, start} = open(t);
		makeImage(env);
		const plain = spawnSync(wherry, ['run', '--ui', ...BOX], {env, encoding: 'utf8'});
		t.regex(plain.stderr, /--ui needs a terminal/);
		t.not(plain.status, 0);
		t.is(cli('ps', '-aq'), '');
		const run = start(['run', '-it', '--ui', '--name', 'shown', '--detach-keys', 'ctrl-x', ...BOX]);
		await run.until(/❯? ?▶ {2}shown[\s\S]*/);
		await run.until(/ATTACHED shown · Ctrl\+X detaches/);
		run.type('echo "<$((6*7))>"; stty size\r');
		await run.until(/┃<42>[\s\S]*┃46 78/);
		run.type('\u0018');
		await run.until(/┏━ 1 Containers[\s\S]*Left shown; it goes on\./);
		run.type('q');
		t.is(await run.exited(), 0);
		const exec = start(['exec', '-it', '--ui', 'shown', 'sh', '-c', 'echo in "s"ide; exec sh']);
		await exec.until(/SHELL in shown [\s\S]*┃in side/);
		exec.type('exit 5\r');
		await exec.until(/ENDED shown shell · exit code 5/);
		exec.type('\r');
		await exec.until(/┏━ 1 Containers/);
		exec.type('q');
		t.is(await exec.exited(), 5);
		const attach = start(['attach', '--ui', 'shown']);
		// With what it wrote before.
		await attach.until(/ATTACHED shown · Ctrl\+P Ctrl\+Q detaches[\s\S]*<42>/);
		attach.type('exit 9\r');
		await attach.until(/ENDED shown · exit code 9/);
		attach.type('\r');
		await attach.until(/┏━ 1 Containers/);
		attach.type('q');
		t.is(await attach.exited(), 9);
		const wrong = start(['exec', '-it', '--ui', 'shown', 'sh']);
		t.is(await wrong.exited(), 1);
		t.regex(wrong.text, /Error: .*is not running/);
	},
);
