import test from 'ava';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

test.serial('the dashboard can be printed once, and then nothing has been started', async (t) => {
	const {code, stdout} = await wherry.result(['ui', '--once']);
	t.is(code, 0);
	t.regex(stdout, /Containers 0/);
	t.is(await wherry.output('ps', '-aq'), '');
});

test.serial('without a terminal ui runs a container of the embedded image and shows it', async (t) => {
	const {code, stdout} = await wherry.result(['ui']);
	t.is(code, 0);
	t.regex(stdout, /^started [0-9a-f]{12} from wherry\/base\n/);
	t.regex(stdout, /Containers 1[\s\S]*wherry\/base/);
	t.is((await wherry.output('ps', '-q')).split('\n').length, 1);
	// A second time it is there already.
	t.notRegex((await wherry.result(['ui'])).stdout, /^started/);
	t.is((await wherry.output('ps', '-q')).split('\n').length, 1);
});

test.serial('one pane can be printed in any size, and as JSON', async (t) => {
	const frame = await wherry.output('ui', '--once', '--pane', 'inspect', '--width', '70', '--height', '15');
	t.is(frame.split('\n').length, 15);
	t.regex(frame, /┏━ 0 Inspect 7\/7[\s\S]*Id /);
	for (const line of frame.split('\n')) t.true(line.length <= 70, line);
	const json = async (pane: string): Promise<Record<string, string>[]> =>
		JSON.parse(await wherry.output('ui', '--once', '--json', '--pane', pane));
	t.is((await json('containers'))[0]!.image, 'wherry/base');
	t.is((await json('logs'))[0]!.line, 'wherry carries this container');
	t.regex((await json('top')).map(({args}) => args).join(' '), /sleep 2147483647/);
	t.true((await json('events')).some(({action}) => action === 'start'));
	t.true((await json('layers')).length > 0);
});

test.serial('what is wrong for a frame is said', async (t) => {
	for (const [args, message] of [
		[['--once', '--pane', 'nope'], /there is no pane "nope": it is one of containers, images/],
		[['--once', '--width', '3'], /invalid argument "3" for "--width" flag/],
		[['--json'], /--json is for --once/],
	] as const) {
		const {code, stderr} = await wherry.result(['ui', ...args]);
		t.is(code, 1);
		t.regex(stderr, message);
	}
});
