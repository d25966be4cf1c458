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
