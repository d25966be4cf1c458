import {existsSync, readFileSync} from 'node:fs';
import test from 'ava';
import {actions} from '../../../src/cli/commands/actions.ts';
import {aliases, command, commands, fullName, shortForms} from '../../../src/cli/commands/table/index.ts';
import {readFlags} from '../../../src/cli/commands/table/rows.ts';
import {about, flagHelp} from '../../../src/cli/help/about.ts';

interface ReferenceFlag {
	name: string;
	short?: string;
	type: string;
	default?: string;
}

const reference = new URL('../../../../shared/reference/docker-cli-flags.json', import.meta.url);
/** Flags that Windows hosts alone have, and docker's own compatibility. */
const ours = new Set(['ui', 'debug', 'debug plan', 'completion', 'help', 'system check']);
/** Flags of ours on docker's commands. */
const ourFlags: Record<string, number> = {
	'container create': 1,
	create: 1,
	'container run': 1,
	run: 1,
	'container update': 2,
	update: 2,
};

test('every command and flag of docker is in the table with its type, letter and default', (t) => {
	// Counted from our own data, so that a lost row shows without the reference too.
	const count = Object.keys(commands).reduce(
		(sum, name) => sum + (ours.has(name) ? 0 : command(name)!.flags.length),
		0,
	);
	const short = Object.keys(shortForms).reduce((sum, name) => sum + command(name)!.flags.length, 0);
	t.is(count + short, 1639 + Object.values(ourFlags).reduce((sum, flags) => sum + flags));
	if (!existsSync(reference)) return;
	const {commands: known} = JSON.parse(readFileSync(reference, 'utf8')) as {
		commands: Record<string, {flags: ReferenceFlag[]}>;
	};
	for (const [name, {flags}] of Object.entries(known)) {
		const found = command(name === 'docker' ? '' : name);
		t.truthy(found, name);
		t.is(found!.flags.length, flags.length + (ourFlags[name] ?? 0), name);
		for (const flag of flags) {
			const spec = found!.flags.find((item) => `--${item.name}` === flag.name);
			t.truthy(spec, `${name} ${flag.name}`);
			t.is(spec!.short && `-${spec!.short}`, flag.short, `${name} ${flag.name}`);
			// The reference has no types of hidden flags.
			if (flag.type === '(hidden)') continue;
			t.is(spec!.type, flag.type, `${name} ${flag.name}`);
			t.is(spec!.default, flag.default, `${name} ${flag.name}`);
		}
	}
});

test('no letter or name of a command means two flags', (t) => {
	for (const [name, row] of Object.entries(commands)) {
		const flags = readFlags(commands, row);
		const names = flags.map((flag) => flag.name);
		const letters = flags.flatMap((flag) => flag.short ?? []);
		t.is(new Set(names).size, names.length, name);
		t.is(new Set(letters).size, letters.length, name);
	}
});

test('short forms and second names lead to commands', (t) => {
	for (const name of Object.values({...shortForms, ...aliases})) t.true(Object.hasOwn(commands, name), name);
	t.is(fullName('ps'), 'container ls');
	t.is(fullName('image remove'), 'image rm');
	t.is(fullName('nothing'), undefined);
	t.is(fullName('constructor'), undefined);
});

test('what the table calls supported has an action, and help for each flag', async (t) => {
	for (const [name, row] of Object.entries(commands)) {
		if (!row.args || name === '') continue;
		t.truthy(about[name], name);
		for (const flag of readFlags(commands, row)) {
			if (!flag.supported || flag.hidden || flag.name === 'help') continue;
			t.truthy(flagHelp[`${name} --${flag.name}`] ?? flagHelp[flag.name], `${name} --${flag.name}`);
		}
		if (name !== 'ui') t.is(typeof (await actions[name]!()), 'function', name);
	}
});
