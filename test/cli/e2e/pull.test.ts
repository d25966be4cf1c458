import test from 'ava';
import {Command} from '../../e2e/command.ts';
import {pushBusybox} from '../../e2e/images.ts';
import {type Registry, startRegistry} from '../../setup/registry.ts';
import {TestTerminal} from '../../tui/terminal.ts';

const wherry = new Command();
let registry: Registry;
let image: string;

test.before(async () => {
	registry = await startRegistry();
	image = await pushBusybox(registry.host, 'library/box:1');
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
	await registry.stop();
});

const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;

test.serial('run pulls what is missing, on stderr, and the command is alone on stdout', async (t) => {
	const {code, stdout, stderr} = await wherry.result(['run', '--rm', image, 'echo', 'hi']);
	t.like({code, stdout}, {code: 0, stdout: 'hi\n'});
	const lines = stderr.trimEnd().split('\n');
	t.is(lines[0], `Unable to find image '${image}' locally`);
	t.is(lines[1], '1: Pulling from library/box');
	t.regex(lines[2]!, /^[0-9a-f]{12}: Pulling fs layer$/);
	t.true(lines.some((line) => /^[0-9a-f]{12}: Pull complete$/.test(line)));
	t.regex(lines.at(-2)!, /^Digest: sha256:[0-9a-f]{64}$/);
	t.is(lines.at(-1), `Status: Downloaded newer image for ${image}`);
	// It is there now.
	t.is((await wherry.result(['run', '--rm', image, 'true'])).stderr, '');
});

test.serial('pull says that nothing is new, and is silent with -q', async (t) => {
	const again = await wherry.result(['pull', image]);
	t.regex(again.stdout, new RegExp(`\\nStatus: Image is up to date for ${image}\\n${image}\\n$`));
	t.like(await wherry.result(['pull', '-q', image]), {code: 0, stdout: `${image}\n`, stderr: ''});
	t.is((await wherry.result(['run', '--rm', '--pull', 'always', '-q', image, 'echo', 'x'])).stdout, 'x\n');
});

test.serial('a tag that is not there is one clear message', async (t) => {
	const {code, stderr, stdout} = await wherry.result(['pull', `${registry.host}/library/box:none`]);
	t.is(code, 1);
	t.regex(stderr, /^Error: .*none.*\n$/);
	t.false(stdout.includes('Status'));
	t.is((await wherry.result(['run', '--rm', `${registry.host}/library/nowhere`])).code, 125);
});

test.serial('on a terminal the layers are lines that change in place', async (t) => {
	await wherry.output('rmi', '-f', image);
	const terminal = new TestTerminal(launcher, ['pull', image], {
		columns: 120,
		env: {WHERRY_ROOT: wherry.root, WHERRY_RUN: wherry.run},
	});
	t.is(await terminal.exited(), 0);
	// What a terminal still shows after the end of the program comes a moment later.
	await terminal.until(new RegExp(`Status: Downloaded newer image[^\\n]*\\n${image}\\n`));
	t.regex(
		terminal.text,
		/^1: Pulling from library\/box\n([0-9a-f]{12}: (Pull complete|Already exists) *\n)+Digest: sha256:/,
	);
	terminal.close();
});
