import test from 'ava';
import {commands} from '../../../src/cli/commands/table/all.ts';
import {shortForms} from '../../../src/cli/commands/table/index.ts';
import {readFlags} from '../../../src/cli/commands/table/rows.ts';
import {examples} from '../../../src/cli/help/examples.ts';
import {withSubject} from '../../../src/cli/help/groups.ts';
import {helpText} from '../../../src/cli/help/main.ts';

test('every command has help that names its usage, its flags and fits the width', async (t) => {
	for (const typed of [...Object.keys(commands), ...Object.keys(shortForms)]) {
		const text = await helpText(typed);
		t.true(text.startsWith(`Usage:  wherry ${typed}`.trimEnd()), typed);
		const row = commands[shortForms[typed] ?? typed]!;
		for (const {name, supported, hidden} of row.args ? readFlags(row) : []) {
			if (name === 'help') continue;
			const shown = new RegExp(`\\s--${name}\\s`).test(text);
			t.is(shown, supported && !hidden, `${typed} --${name}`);
		}
		for (const line of text.split('\n')) {
			t.true(line.length <= 160, line);
			t.notRegex(line, /\s$/, typed);
		}
	}
});

test('a command that is used in two ways names both, one below the other', async (t) => {
	t.deepEqual((await helpText('cp')).split('\n').slice(0, 2), [
		'Usage:  wherry cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-',
		'\twherry cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
	]);
});

test("run's flags stand under subjects, all of them", async (t) => {
	const text = await helpText('run');
	for (const title of ['Container', 'Process', 'Network', 'Storage', 'Resources', 'Security and isolation'])
		t.regex(text, new RegExp(`^${title}:$`, 'm'));
	t.notRegex(text, /^Options:$/m);
	for (const name of ['container run', 'container create', 'container update']) {
		for (const flag of readFlags(commands[name]!)) {
			if (flag.supported && !flag.hidden && flag.name !== 'help')
				t.true(withSubject.has(flag.name), flag.name);
		}
	}
});

test('a flag without a subject has a place in the help all the same', async (t) => {
	t.regex(await helpText('ps'), /^Options:$/m);
});

test('examples are of commands that there are', (t) => {
	for (const name of Object.keys(examples)) t.truthy(commands[name], name);
});

test('what is refused for good says why', async (t) => {
	t.regex(await helpText('swarm init'), /Not supported: it is a part of Swarm/);
	t.regex(await helpText('context'), /Not supported: a context says which daemon to use/);
});
