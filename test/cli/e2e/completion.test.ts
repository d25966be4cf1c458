import {spawnSync} from 'node:child_process';
import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {Command} from '../../e2e/command.ts';
import {TestTerminal} from '../../tui/terminal.ts';

const wherry = new Command();
const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;
const image = 'wherry/base';

test.before(async () => {
	const bin = join(wherry.folder, 'bin');
	mkdirSync(bin, {recursive: true});
	symlinkSync(launcher, join(bin, 'wherry'));
	wherry.env.PATH = `${bin}:${process.env.PATH}`;
	writeFileSync(join(wherry.folder, 'a-file'), '');
	const none = ['--network', 'none'];
	await wherry.output('create', ...none, '--name', 'ship-new', image, 'true');
	await wherry.output('run', '-d', ...none, '--name', 'ship-runs', image, 'sleep', '1000');
	await wherry.output('run', '-d', ...none, '--name', 'ship-waits', image, 'sleep', '1000');
	await wherry.output('pause', 'ship-waits');
	await wherry.output('volume', 'create', 'ship-hold');
	await wherry.output('tag', image, 'ship.example/fleet:v1');
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

/** A line of which the last word is being typed, and what may stand there; `!` a file of the folder. */
const lines: [line: string, candidates: string][] = [
	['wherry unp', 'unpause'],
	['wherry container l', 'logs ls'],
	['wherry start ship', 'ship-new'],
	['wherry exec ship', 'ship-runs ship-waits'],
	['wherry stop ship-runs ship', 'ship-waits'],
	['wherry pause ship', 'ship-runs'],
	['wherry unpause ship', 'ship-waits'],
	['wherry rm -f ship', 'ship-new ship-runs ship-waits'],
	['wherry -D rm ship-n', 'ship-new'],
	['wherry run --rm -it ship', 'ship.example/fleet:v1'],
	['wherry run -e "A=b c" ship', 'ship.example/fleet:v1'],
	['wherry run ship.example/fleet:', 'ship.example/fleet:v1'],
	['wherry rmi wherry/base:la', 'wherry/base:latest'],
	['wherry volume rm ship', 'ship-hold'],
	['wherry network inspect no', 'none'],
	['wherry run --network ho', 'host'],
	['wherry run --network=ho', '--network=host'],
	['wherry run --network=container:ship-r', '--network=container:ship-runs'],
	['wherry run --restart=u', '--restart=unless-stopped'],
	['wherry run --cap-add NET_BI', 'NET_BIND_SERVICE'],
	['wherry ps --filter status=pau', 'status=paused'],
	['wherry ps --filter name=ship-n', 'name=ship-new'],
	['wherry ps --no-', '--no-trunc'],
	['wherry kill -s SIGUSR1 ship-r', 'ship-runs'],
	['wherry inspect --type vol', 'volume'],
	['wherry help volu', 'volume'],
	['wherry completion fi', 'fish'],
	['wherry run --env-file a-fi', 'a-file'],
	['wherry run --env-file=a-fi', '--env-file=a-file'],
	['wherry exec ship-runs no-such-fi', ''],
	['wherry swarm in', ''],
];

/** As readline takes a line apart with the break characters that bash has. */
function words(line: string): string[] {
	const found = line.match(/[=:]+|(?:"[^"]*"|[^\s=:"])+/g) ?? [];
	return line.endsWith(' ') ? [...found, ''] : found;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** What bash replaces is what stands after the last break character. */
const afterBreak = (word: string, line: string): string => {
	const typed = line.split(' ').at(-1)!;
	return word.slice(typed.length - typed.split(/[=:]/).at(-1)!.length);
};

test('bash completes commands, flags, their values and names by their state', (t) => {
	const script = lines.map(([line]) => {
		const parts = words(line);
		return `COMP_LINE=${quoted(line)} COMP_POINT=${line.length} COMP_CWORD=${parts.length - 1}
COMP_WORDS=(${parts.map(quoted).join(' ')}); COMPREPLY=(); _wherry; echo "\${COMPREPLY[*]}"`;
	});
	const result = spawnSync('bash', ['-c', `source <(wherry completion bash)\n${script.join('\n')}`], {
		env: wherry.env,
		cwd: wherry.folder,
		encoding: 'utf8',
	});
	t.is(result.stderr, '');
	const answers = result.stdout.split('\n');
	for (const [at, [line, candidates]] of lines.entries()) {
		const wanted = candidates.split(' ').map((word) => (word === '' ? '' : afterBreak(word, line)));
		t.is(answers[at], wanted.join(' '), line);
	}
});

test('fish completes the same', (t) => {
	const script = lines.map(([line]) => `complete -C ${quoted(line)}; echo =`);
	const result = spawnSync(
		'fish',
		['--no-config', '-c', `wherry completion fish | source\n${script.join('\n')}`],
		{
			env: {...wherry.env, HOME: wherry.folder},
			cwd: wherry.folder,
			encoding: 'utf8',
		},
	);
	t.is(result.stderr, '');
	const answers = result.stdout.split('=\n').map((part) => part.split('\n').filter(Boolean));
	for (const [at, [line, candidates]] of lines.entries()) {
		const found = answers[at]!.map((candidate) => candidate.split('\t')[0]!);
		t.is(found.sort().join(' '), candidates, line);
	}
});

for (const [shell, args, ready] of [
	['bash', ['--norc', '--noprofile', '-i'], 'source <(wherry completion bash)'],
	['zsh', ['-f', '-i'], 'source <(wherry completion zsh)'],
] as const) {
	test(`Tab works in ${shell}`, async (t) => {
		const terminal = new TestTerminal(shell, [...args], {
			columns: 90,
			env: {...wherry.env, HOME: wherry.folder, CI: undefined, PS1: '> '},
			cwd: wherry.folder,
		});
		terminal.type(`PS1='> '; PS2=; ${ready}; echo re""ady\r`);
		await terminal.until(/^ready/m);
		terminal.type('wherry exec ship-r\t');
		await terminal.until(/wherry exec ship-runs /);
		terminal.type('\x15wherry run --network=ho\t');
		await terminal.until(/wherry run --network=host/);
		terminal.type('\x15wherry rmi ship.example/fleet:\t');
		await terminal.until(/wherry rmi ship\.example\/fleet:v1/);
		terminal.type('\x15exit\r');
		t.is(await terminal.exited(), 0);
	});
}

test("docker's own completion scripts can ask as well", async (t) => {
	t.is(await wherry.output('__complete', 'start', 'ship'), 'ship-new\twherry/base, Created\n:4');
	t.is(await wherry.output('__completeNoDesc', 'ps', '--filter', 'sta'), 'status=\n:6');
	t.is(await wherry.output('__completeNoDesc', 'run', '--env-file', ''), ':0');
	t.is(await wherry.output('__completeNoDesc', '--config', ''), ':16');
});

test('a shell without a script is named', async (t) => {
	t.like(await wherry.result(['completion', 'tcsh']), {
		code: 1,
		stdout: '',
		stderr: 'wherry completion: there is no script for tcsh, only for bash, zsh and fish\n',
	});
});
