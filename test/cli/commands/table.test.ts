import {existsSync, globSync, readFileSync} from 'node:fs';
import test from 'ava';
import {actions} from '../../../src/cli/commands/actions.ts';
import {commands} from '../../../src/cli/commands/table/all.ts';
import {aliases, command, fullName, shortForms} from '../../../src/cli/commands/table/index.ts';
import {refuseCommand} from '../../../src/cli/commands/table/refusals.ts';
import {deprecations, type FlagSpec, readFlags} from '../../../src/cli/commands/table/rows.ts';
import {supportTable} from '../../../src/cli/commands/table/support.ts';
import {CliError} from '../../../src/cli/errors.ts';
import {about, flagText} from '../../../src/cli/help/about.ts';
import {parseCommandLine} from '../../../src/cli/parse/command-line.ts';

interface ReferenceFlag {
	name: string;
	short?: string;
	type: string;
	default?: string;
}

const reference = new URL('../../../../shared/reference/docker-cli-flags.json', import.meta.url);
/** Flags that Windows hosts alone have, and docker's own compatibility. */
const ours = new Set([
	'ui',
	'debug',
	'debug plan',
	'completion',
	'help',
	'oci',
	'system boot',
	'system check',
	'system install-boot',
]);
/** Flags of ours on docker's commands. */
const ourFlags: Record<string, number> = {
	'container create': 1,
	create: 1,
	'container run': 2,
	run: 2,
	'container attach': 1,
	attach: 1,
	'container exec': 1,
	exec: 1,
	build: 18,
	'builder build': 18,
	'image build': 18,
	'container update': 2,
	'volume create': 1,
	update: 2,
};

/** The classic builder's took less; `docker build` is buildx's today. */
const ourTypes: Record<string, string> = Object.fromEntries(
	['build', 'builder build', 'image build'].flatMap((name) => [
		[`${name} --cache-from`, 'stringArray'],
		[`${name} --platform`, 'stringArray'],
	]),
);

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
			// The reference has no types and letters of hidden flags.
			if (flag.type === '(hidden)') continue;
			t.is(spec!.short && `-${spec!.short}`, flag.short, `${name} ${flag.name}`);
			t.is(spec!.type, ourTypes[`${name} ${flag.name}`] ?? flag.type, `${name} ${flag.name}`);
			t.is(spec!.default, flag.default, `${name} ${flag.name}`);
		}
	}
});

test('no letter or name of a command means two flags', (t) => {
	for (const [name, row] of Object.entries(commands)) {
		const flags = readFlags(row);
		const names = flags.map((flag) => flag.name);
		const letters = flags.flatMap((flag) => flag.short ?? []);
		t.is(new Set(names).size, names.length, name);
		t.is(new Set(letters).size, letters.length, name);
	}
});

test('what is no name is no command', (t) => {
	for (const typed of [
		'volume create | 0 1',
		'ps\n',
		'\nps',
		'ps ',
		' ',
		'\t+ui',
		'__proto__',
		'constructor',
	])
		t.is(fullName(typed), undefined, JSON.stringify(typed));
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
		for (const flag of readFlags(row)) {
			if (!flag.supported || flag.hidden || flag.name === 'help') continue;
			t.truthy(flagText(name, flag.name), `${name} --${flag.name}`);
		}
		// These two are whole faces.
		if (name !== 'ui' && name !== 'oci') t.is(typeof (await actions[name]!()), 'function', name);
	}
});

/** A value that the flag's type allows and that it does not have anyway. */
function sample({name, type, default: value}: FlagSpec): string {
	const samples: Record<string, string> = {
		bool: value === 'true' ? 'false' : 'true',
		bytes: '64m',
		decimal: '1.5',
		duration: '5s',
		filter: 'label=a',
		ip: '192.0.2.1',
		ipNetSlice: '192.0.2.0/24',
		ulimit: 'nofile=5',
		mount: 'type=volume,dst=/x',
		'gpu-request': 'all',
	};
	if (/^u?int/.test(type)) return '5';
	if (/^device-.*-bps$/.test(name)) return '/dev/null:1mb';
	if (/^device-.*-iops$|^blkio-weight-device$/.test(name)) return '/dev/null:100';
	return samples[type] ?? 'value';
}

test('what is not supported is refused by name: nothing is silently ignored', (t) => {
	let refused = 0;
	for (const name of [...Object.keys(commands), ...Object.keys(shortForms)]) {
		const found = command(name)!;
		if (!found.row.args) {
			if (!found.group)
				t.regex(refuseCommand(found), new RegExp(`^wherry: 'wherry ${name}' is not supported`));
			continue;
		}
		const arguments_ = Array<string>(Math.max(0, found.row.args[0])).fill('x');
		for (const flag of found.flags) {
			if (flag.supported) continue;
			const line = [...name.split(' ').filter(Boolean), `--${flag.name}=${sample(flag)}`, ...arguments_];
			const error = t.throws(() => parseCommandLine(line), {instanceOf: CliError}, line.join(' '));
			t.is(error.status, 125, line.join(' '));
			t.regex(error.message, new RegExp(`--${flag.name} is not supported`), line.join(' '));
			refused++;
		}
	}
	t.true(refused > 20);
});

test('a flag that is called supported is read somewhere', (t) => {
	const files = globSync('src/{*.ts,cli/**/*.ts}', {cwd: new URL('../../..', import.meta.url).pathname});
	const code = files
		.filter((file) => !/cli\/(commands\/table|help|completion)\//.test(file))
		.map((file) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8'))
		.join('\n');
	// Taken with their values, which change nothing: docker has given them up, or they are what is always so.
	const without = new Set([
		...Object.keys(deprecations),
		'help',
		'attachable',
		'bootstrap',
		'compress',
		'details',
		'force-rm',
		'global',
		'load',
		'version',
		'verbose',
	]);
	for (const [name, row] of Object.entries(commands)) {
		if (!row.args) continue;
		for (const {name: flag, supported} of readFlags(row)) {
			if (supported && !without.has(flag)) t.true(code.includes(`'${flag}'`), `${name} --${flag}`);
		}
	}
});

test('SUPPORT.md tells what the table says', (t) => {
	const path = 'src/cli/commands/SUPPORT.md';
	t.is(
		readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8'),
		supportTable(),
		`stale: node src/cli/commands/table/support.ts > ${path}`,
	);
});
