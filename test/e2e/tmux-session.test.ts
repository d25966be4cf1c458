/** A whole session in tmux, with nothing but keys and what is then on the screen. */
import {execFile, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {promisify} from 'node:util';
import test from 'ava';
import {Command} from './command.ts';

const run = promisify(execFile);
const wherry = new Command();
const launcher = new URL('../../src/wherry.sh', import.meta.url).pathname;
const socket = `${wherry.folder}/tmux`;
const present = spawnSync('tmux', ['-V']).status === 0;
const title = 'a session from the empty screen to the empty screen, and the terminal is as it was';

const tmux = async (...words: string[]): Promise<string> =>
	(await run('tmux', ['-S', socket, '-f', '/dev/null', ...words], {env: {...wherry.env, TMUX: ''}})).stdout;
const screen = (): Promise<string> => tmux('capture-pane', '-p');
const keys = async (...names: string[]): Promise<void> => void (await tmux('send-keys', ...names));
/** As it is, not by the names of keys. */
const type = async (text: string): Promise<void> => void (await tmux('send-keys', '-l', text));

async function until(pattern: RegExp): Promise<string> {
	let text = '';
	for (let round = 0; round < 600; round++) {
		text = await screen();
		if (pattern.test(text)) return text;
		await sleep(50);
	}
	throw new Error(`never seen: ${pattern}\n${text}`);
}

async function gone(pattern: RegExp): Promise<void> {
	for (let round = 0; pattern.test(await screen()); round++) {
		if (round > 600) throw new Error(`still there: ${pattern}\n${await screen()}`);
		await sleep(50);
	}
}

test.after.always(async (t) => {
	if (present) await tmux('kill-server').catch(() => {});
	t.deepEqual(await wherry.end(), []);
});

/** This machine's own programs: their folder is mounted, the image has what leads there. */
const PROGRAMS = ['/usr', '/etc/alternatives']
	.filter((path) => existsSync(path))
	.flatMap((path) => ['-v', `${path}:${path}:ro`]);

async function makeHostImage(): Promise<void> {
	const tree = `${wherry.folder}/tree`;
	for (const name of ['usr', 'etc', 'tmp', 'root', 'proc', 'sys', 'dev'])
		mkdirSync(`${tree}/${name}`, {recursive: true});
	for (const name of ['bin', 'lib', 'lib64', 'sbin'])
		if (existsSync(`/usr/${name}`)) symlinkSync(`usr/${name}`, `${tree}/${name}`);
	writeFileSync(`${tree}/etc/passwd`, 'root:x:0:0:root:/root:/bin/sh\n');
	await run('tar', ['-C', tree, '-cf', `${tree}.tar`, '.']);
	await wherry.output('import', `${tree}.tar`, 'host:1');
}

/** The program that the shell in tmux waits for. */
async function inFront(): Promise<number> {
	const shell = (await tmux('display', '-p', '#{pane_pid}')).trim();
	return Number(readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ')[0]);
}

/** First screen or second, cursor, mouse: as tmux has them. */
const flags = async (): Promise<string> =>
	(await tmux('display', '-p', '#{alternate_on} #{cursor_flag} #{mouse_any_flag}')).trim();

/** Selects a container, wherever it is in the list: those of one second are in no order that is known. */
async function choose(name: string): Promise<void> {
	await keys('/');
	await type(name);
	await keys('Enter');
	await until(new RegExp(`❯ ▶ {2}${name} `));
	await keys('/', 'C-u', 'Enter');
	await gone(new RegExp(`/${name}`));
	await until(new RegExp(`❯ ▶ {2}${name} `));
}

const LOOP = `sh -c 'trap "exit 0" TERM; i=0; while :; do i=$((i+1)); echo GET /item/$i; sleep 0.2 & wait; done'`;

(present ? test.serial : test.serial.skip)(title, async (t) => {
	const {CI: _, NO_COLOR: __, ...env} = wherry.env;
	const variables = ['WHERRY_ROOT', 'WHERRY_RUN', 'PATH'].flatMap((name) => ['-e', `${name}=${env[name]}`]);
	const shell = [
		'env',
		'-u',
		'CI',
		'-u',
		'NO_COLOR',
		'PS1=ready> ',
		`XDG_CONFIG_HOME=${wherry.folder}`,
		'sh',
	];
	await tmux('new-session', '-d', '-x', '130', '-y', '40', ...variables, ...shell);
	await until(/ready>/);
	const modes = async (): Promise<string> => {
		await type('clear; stty -g\n');
		return /^[0-9a-f]+(?::[0-9a-f]+)+/m.exec(await until(/^[0-9a-f]+(:[0-9a-f]+){20,}[\s\S]*ready>/m))![0];
	};
	const before = await modes();

	// The empty screen says what to do, and one key does it.
	await type(`clear; ${launcher} ui\n`);
	await until(/No containers yet\.[\s\S]*B {2}runs wherry\/base/);
	await keys('B');
	await until(/Containers 1\/1[\s\S]*▶ {2}\w+ +wherry\/base/);

	// One of ours, by the form.
	await keys('A');
	await until(/Run a container/);
	await type('wherry/base');
	await keys('Tab');
	await type('web');
	await keys('Tab');
	await type(LOOP);
	await keys('Tab', 'Tab', 'Tab', 'Space', 'Enter');
	await until(/❯ ▶ {2}web /);
	await until(/\$ wherry run -d --name web wherry\/base/);

	// Its log, searched, alone on the screen, in other sizes.
	await keys('0');
	await until(/GET \/item\/12/);
	await keys('/');
	await type('re:item/[37]$');
	await until(/\/re:item\/\[37\]\$▏/);
	await keys('Enter');
	await until(/re:item\/\[37\]\$ \d\/2/);
	await keys('&', 'Enter');
	await until(/&re:item\/\[37\]\$ (\d\/)?2/);
	await gone(/GET \/item\/4/);
	await keys('Escape');
	await until(/GET \/item\/4/);
	await keys('z');
	await until(/┏━ 0 \[Logs\]· Stats .*web · follow/);
	for (const [columns, rows] of [
		[80, 24],
		[200, 50],
		[130, 40],
	] as const) {
		await tmux('resize-window', '-x', String(columns), '-y', String(rows));
		await until(new RegExp(`^┏━.*┓$[\\s\\S]*^┗━{${columns - 2}}┛$`, 'm'));
		t.is(
			(await screen()).split('\n').findLastIndex((line) => line.startsWith('┗')),
			rows - 2,
		);
	}
	await keys('z', '1');

	// What it uses, and a shell in it that goes on when it is left.
	await keys('u');
	await until(/CPU \d+\.\d+%[\s\S]*Memory/);
	await keys('1', 'e');
	await until(/SHELL in web[\s\S]*^[#$] ?$/m);
	await type('echo in$((1+1))side\n');
	await until(/in2side/);
	await keys('C-p', 'C-q');
	await keys('1');
	await until(/┏━ 1 Containers 2\/2/);

	// An editor in another, whose window changes; what it was told is there afterwards, and is found again.
	await makeHostImage();
	await wherry.output('run', '-dit', '--name', 'editor', '--network', 'none', ...PROGRAMS, 'host:1', 'sh');
	await until(/▶ {2}editor /);
	await choose('editor');
	await keys('e');
	await until(/SHELL in editor[\s\S]*[#$] ?$/m);
	await type('cd /tmp; vim -u NONE -N -n text\n');
	await until(/^~ *$[\s\S]*"text" \[New\]/m);
	await type('ione');
	await keys('Enter');
	await type('two');
	await keys('Escape');
	await until(/^one *\ntwo *\n~/m);
	await tmux('resize-window', '-x', '100', '-y', '30');
	await until(/^one *\ntwo *\n(~ *\n){26}/m);
	await tmux('resize-window', '-x', '130', '-y', '40');
	await until(/^one *\ntwo *\n(~ *\n){36}/m);
	await type(':wq\n');
	await gone(/^~/m);
	await type('cat text; i=0; while [ $i -lt 99 ]; do i=$((i+1)); echo line $i; done\n');
	await until(/^line 99$/m);
	await keys('F12');
	await type('re:^two$');
	await keys('Enter');
	await until(/re:\^two\$ 1\/1[\s\S]*two[\s\S]*line 1\b/);
	await keys('i');
	await type('exit\n');
	await until(/┏━ 1 Containers 3\/3/);
	await wherry.output('rm', '-f', 'editor');
	await until(/Containers 2\/2/);
	await choose('web');

	// Stopped, removed, and the rest pruned; each is asked about, and No is what Enter says.
	await keys('s');
	await until(/■ {2}web .*Exited \(0\)/);
	await keys('d');
	await until(/Remove web \(wherry\/base\)\?[\s\S]*No \(n\)/);
	await keys('Enter');
	await gone(/Remove web/);
	t.regex(await screen(), /■ {2}web /);
	await keys('d');
	await until(/Remove web/);
	await keys('y');
	await until(/Containers 1\/1/);
	await keys('K');
	await until(/Which signal/);
	await keys('K');
	await until(/Exited \(137\)/);
	await keys('D');
	await until(/1 of 1 do not run/);
	await keys('y');
	await until(/No containers yet/);

	await keys('q');
	await until(/^ready>$/m);

	// Whatever ends it, the terminal is the shell's, as it was.
	for (const [how, status] of [
		['q', 0],
		['C-c', 0],
		['SIGTERM', 143],
		['SIGHUP', 129],
		['SIGINT', 130],
	] as const) {
		await type(`clear; ${launcher} ui; echo ended $?\n`);
		await until(/No containers yet/);
		await keys('M');
		await until(/[Mm]ouse/);
		t.regex(await flags(), /^1 \d 1$/, how);
		if (how.startsWith('SIG')) process.kill(await inFront(), how);
		else await keys(how);
		await until(new RegExp(`ended ${status}[\\s\\S]*^ready>$`, 'm'));
		t.is(await flags(), '0 1 0', how);
		t.is(await modes(), before, how);
	}

	// Nothing can be done when it is killed: containers go on, and so does the next one.
	await wherry.output('run', '-d', '--name', 'stays', 'wherry/base', 'sh', '-c', 'while :; do sleep 1; done');
	await type(`clear; ${launcher} ui; echo ended $?\n`);
	await until(/❯ ▶ {2}stays /);
	const {
		State: {Pid: pid},
	} = JSON.parse(await wherry.output('inspect', 'stays'))[0];
	process.kill(await inFront(), 'SIGKILL');
	await until(/ended 137/);
	await type('stty sane; tput reset; clear; echo again\n');
	await until(/^again/m);
	t.is(JSON.parse(await wherry.output('inspect', 'stays'))[0].State.Pid, pid);
	await type(`clear; ${launcher} ui; echo ended $?\n`);
	await until(/❯ ▶ {2}stays /);
	await keys('s');
	await until(/■ {2}stays /);
	await keys('q');
	await until(/ended 0[\s\S]*^ready>$/m);
	t.is(await flags(), '0 1 0');
});
