/** A whole session in tmux, with nothing but keys and what is then on the screen. */
import {execFile, spawnSync} from 'node:child_process';
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
	await type('stty -a | tail -4\n');
	const before = await until(/echoke[\s\S]*ready>/);

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

	// Out: the terminal is the shell's, as it was.
	await keys('q');
	await until(/^ready>$/m);
	t.is((await tmux('display', '-p', '#{alternate_on} #{cursor_flag} #{mouse_any_flag}')).trim(), '0 1 0');
	await type('clear; stty -a | tail -4\n');
	const after = await until(/echoke[\s\S]*ready>/);
	const modes = (text: string): string[] =>
		text.match(/-?\b(icanon|echo|isig|opost|onlcr|icrnl|ixon)\b/g) ?? [];
	t.deepEqual(modes(after), modes(before));

	// Ended from outside: the same.
	await type(`clear; ${launcher} ui; echo ended $?\n`);
	await until(/No containers yet/);
	const pid = (await tmux('display', '-p', '#{pane_pid}')).trim();
	await run('pkill', ['-TERM', '-P', pid]);
	await until(/ended \d+[\s\S]*^ready>$/m);
	t.is((await tmux('display', '-p', '#{alternate_on} #{cursor_flag}')).trim(), '0 1');
});
