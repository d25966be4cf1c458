/** cp, diff, export and commit as a shell has them. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {spawn} from '@lydell/node-pty';
import test from 'ava';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();
const image = 'wherry/base';
const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;
const host = (path: string): string => `${wherry.folder}/${path}`;

test.before(async () => {
	await wherry.output('create', '--name', 'box', '--network', 'none', image, 'true');
	mkdirSync(host('tree/sub'), {recursive: true});
	writeFileSync(host('tree/file'), 'content\n');
	writeFileSync(host('tree/sub/other'), 'other\n');
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

/** A shell in which `wherry` is the command. */
function shell(script: string): string {
	const program = `wherry() { ${launcher} "$@"; }; cd ${wherry.folder}; ${script}`;
	return execFileSync('bash', ['-eo', 'pipefail', '-c', program], {
		env: wherry.env,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'pipe'],
	});
}

test('what docker refuses is refused in its words, with its status', async (t) => {
	const file = host('tree/file');
	for (const [args, stderr] of [
		[['box:/a', 'box:/b'], 'copying between containers is not supported'],
		[['a', 'b'], 'must specify at least one container source'],
		[['', 'box:/'], 'source can not be empty'],
		[['box:/', ''], 'destination can not be empty'],
		[[file, 'box:/new/'], 'no such directory'],
		[[host('tree'), 'box:/etc/passwd'], 'cannot copy directory'],
		[[`${file}/`, 'box:/tmp'], 'not a directory'],
		[[file, 'box:/no/where'], 'Error: Could not find the file /no in container box'],
		[['box:/no/where', '-'], 'Error: Could not find the file /no/where in container box'],
		[[file, 'nosuch:/'], 'Error: No such container: nosuch'],
		[['nosuch:/x', '-'], 'Error: No such container: nosuch'],
		[['/no/where', 'nosuch:/'], 'lstat /no: no such file or directory'],
	] as const) {
		t.like(
			await wherry.result(['cp', ...args]),
			{code: 1, stdout: '', stderr: `${stderr}\n`},
			args.join(' '),
		);
	}
	const {code, stderr} = await wherry.result(['cp', 'x']);
	t.is(code, 1);
	t.is(
		stderr,
		"wherry: 'wherry cp' requires 2 arguments\n\nUsage:  wherry cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\twherry cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH\n\nRun 'wherry cp --help' for more information\n",
	);
	t.like(await wherry.result(['diff', 'nosuch']), {code: 1, stderr: 'Error: No such container: nosuch\n'});
	t.like(await wherry.result(['commit', 'box', 'Bad']), {
		code: 1,
		stderr: 'invalid reference format: repository name (library/Bad) must be lowercase\n',
	});
	t.like(await wherry.result(['export', '-o', '/no/where', 'box']), {
		code: 1,
		stderr: 'failed to export container: invalid output path: stat /no: no such file or directory\n',
	});
	t.like(await wherry.result(['export', '-o', wherry.folder, 'box']), {
		code: 1,
		stderr: 'failed to export container: cannot write to a directory\n',
	});
});

test('archives go through pipes in both directions', (t) => {
	shell('tar -C tree -c . | wherry cp - box:/var');
	t.is(shell('tar -C tree -cz . | wherry cp - box:/tmp; wherry cp box:/tmp/file - | tar -xO'), 'content\n');
	t.is(shell('wherry cp box:/tmp/sub - | tar -t'), 'sub/\nsub/other\n');
	t.is(shell('wherry container cp box:/tmp/. copied; cat copied/sub/other'), 'other\n');
	t.is(shell('wherry container export box | tar -xO tmp/sub/other'), 'other\n');
	t.is(
		shell('wherry export -o out.tar box; tar -xOf out.tar tmp/file; stat -c %a out.tar'),
		'content\n644\n',
	);
	t.deepEqual(
		readdirSync(wherry.folder).filter((name) => name.includes('out.tar')),
		['out.tar'],
	);
	t.true(shell('set +o pipefail; wherry cp box:/ - | head -c 10000 | wc -c').startsWith('10000'));
});

test('on a terminal a copy is told, and an export is refused', async (t) => {
	const run = (args: string[]) =>
		new Promise<string>((resolve) => {
			const terminal = spawn(launcher, args, {env: wherry.env as Record<string, string>, cwd: wherry.folder});
			let text = '';
			terminal.onData((data) => {
				text += data;
			});
			terminal.onExit(({exitCode}) => resolve(`${text.trim()} ${exitCode}`));
		});
	t.is(await run(['cp', 'tree/file', 'box:/srv']), 'Successfully copied 2.05kB to box:/srv 0');
	t.is(await run(['cp', 'box:/srv', 'srv-out']), `Successfully copied 2.05kB to ${host('srv-out')} 0`);
	t.is(await run(['cp', '-q', 'tree/file', 'box:/srv']), ' 0');
	t.is(
		await run(['export', 'box']),
		'cowardly refusing to save to a terminal. Use the -o flag or redirect 1',
	);
	t.like(await wherry.result(['cp', host('tree/file'), 'box:/srv']), {code: 0, stdout: '', stderr: ''});
	t.like(await wherry.result(['cp', '-q=false', host('tree'), 'box:/srv2']), {
		code: 0,
		stderr: 'Successfully copied 4.1kB to box:/srv2\n',
	});
});

test('a commit with changes makes an image that runs with them', async (t) => {
	await wherry.result([
		'run',
		'--name',
		'changed',
		'--network',
		'none',
		image,
		'sh',
		'-c',
		'echo a > /a; rm /etc/profile',
	]);
	t.is(await wherry.output('diff', 'changed'), 'A /a\nC /etc\nD /etc/profile');
	t.is(await wherry.output('container', 'diff', 'changed'), 'A /a\nC /etc\nD /etc/profile');
	const id = await wherry.output(
		...[
			'commit',
			'-m',
			'said',
			'-a',
			'somebody',
			'-c',
			'ENV A=b',
			'-c',
			'CMD ["sh", "-c", "cat /a; echo $A"]',
		],
		...['changed', 'own/changed:2'],
	);
	t.regex(id, /^sha256:[0-9a-f]{64}$/);
	t.is(await wherry.output('run', '--rm', '--network', 'none', 'own/changed:2'), 'a\nb');
	t.is(
		await wherry.output('inspect', '-f', '{{.Author}} {{.Comment}} {{.Config.Env}}', 'own/changed:2'),
		'somebody said [PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin A=b]',
	);
	const history = await wherry.output(
		'history',
		'--no-trunc',
		'--format',
		'{{.ID}} {{.Comment}}',
		'own/changed:2',
	);
	t.is(history.split('\n')[0], `${id} said`);
	t.is(await wherry.output('images', '-q', '--no-trunc', 'own/changed'), id);
	t.true(readFileSync(join(wherry.root, 'images/index.json'), 'utf8').includes('own/changed:2'));
});
