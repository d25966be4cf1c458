import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Ajv} from 'ajv';
import test from 'ava';
import {configPath, loadConfig, readConfig, SCHEMA} from '../../../src/tui/config/config.ts';
import {JsonError, readJson} from '../../../src/tui/config/json.ts';
import {check} from '../../../src/tui/config/schema.ts';
import {buildKeymap, commandFor} from '../../../src/tui/keys.ts';

const GOOD = `{
	"$schema": "x",
	"theme": "light",
	"colours": {"accent": "#5fd7ff", "muted": "gray"},
	"mouse": true,
	"split": 40,
	"detachKeys": "ctrl-a,d",
	"logs": {"wrap": true, "since": "1h30m"},
	"keys": {"container.stop": ["x", "ctrl-x"], "logs.wrap": "U", "list.sort": []},
	"commands": [
		{"name": "Shell", "command": ["wherry", "exec", "-it", "{{id}}", "sh"], "key": "alt-s"},
		{"name": "Browse", "command": "ls '{{mountpoint}}/x y'", "context": "volumes", "confirm": true}
	]
}`;

test('what is right in a configuration counts', (t) => {
	const config = readConfig(GOOD);
	t.deepEqual(config.problems, []);
	t.is(config.theme, 'light');
	t.deepEqual({...config.colours}, {accent: '#5fd7ff', muted: 'gray'});
	t.deepEqual(config.logs, {wrap: true, since: 5400});
	t.is(config.split, 40);
	const keymap = buildKeymap(config.table);
	t.is(commandFor(keymap, 'containers', 'x'), 'container.stop');
	t.is(commandFor(keymap, 'containers', 's'), undefined);
	t.is(commandFor(keymap, 'logs', 'U'), 'logs.wrap');
	t.is(commandFor(keymap, 'containers', 'o'), undefined);
	t.is(commandFor(keymap, 'containers', 'alt-s'), 'custom.0');
	t.deepEqual(config.commands[1]!.words, ['ls', '{{mountpoint}}/x y']);
});

const WRONG: [text: string, problems: string[]][] = [
	['{\n"theme": "drak"\n}', ['ui.json:2: theme: must be one of "terminal", "dark", "light", "16", "mono"']],
	[
		'{"mouse": true,\n"sploit": 3,\n"splti": 3}',
		[
			'ui.json:2: sploit: there is no such setting; did you mean split?',
			'ui.json:3: splti: there is no such setting',
		],
	],
	['{"hidestopped": true}', ['ui.json:1: hidestopped: there is no such setting; did you mean hideStopped?']],
	['{"split": 5}', ['ui.json:1: split: must be from 20 to 80']],
	[
		'{\n"colours": {"accent":\n"pink"}}',
		['ui.json:2: colours.accent: "pink" is not right: a name, as in cyan or cyanBright, or #rrggbb'],
	],
	['{"keys": {\n"container.halt": "x"}}', ['ui.json:2: keys.container.halt: there is no such command']],
	[
		'{"keys": {\n"container.stop": "hyper-x"}}',
		['ui.json:2: keys.container.stop: "hyper-x" is not right: as in j, J, ctrl-p, alt-x, f1, up, shift-tab'],
	],
	['{"keys": {"container.stop": ["hyper"]}}', ['ui.json:1: keys.container.stop: there is no key "hyper"']],
	['{"keys": {"app.quit": []}}', ['ui.json:1: keys.app.quit: it must keep a key']],
	[
		'{"keys": {"form.submit": "x"}}',
		['ui.json:1: keys.form.submit: where text is typed, a single character can’t be a key'],
	],
	[
		'{"keys": {"container.stop": "r"}}',
		['ui.json:1: keys.container.stop: r is a key of container.restart already'],
	],
	[
		'{"keys": {"container.stop": "x",\n"container.start": ["x"]}}',
		['ui.json:1: keys.container.stop: x is a key of container.start already'],
	],
	// Where only one pane has the key, and where all but one have it.
	['{"keys": {\n"app.disk": "w"}}', ['ui.json:2: keys.app.disk: w is a key of logs.wrap already (Logs)']],
	[
		'{"keys": {\n"pane.detail": "<"}}',
		['ui.json:2: keys.pane.detail: < is a key of term.previous already (Terminals)'],
	],
	['{"keys": {\n"logs.wrap": "q"}}', ['ui.json:2: keys.logs.wrap: q is a key of app.quit already']],
	[
		'{"commands": [\n{"name": "A", "command": "a", "context": "global",\n"key": "w"}]}',
		['ui.json:3: commands.0.key: w is a key of logs.wrap already (Logs)'],
	],
	[
		'{"commands": [{"name": "A", "command": "a", "key": "s"}]}',
		['ui.json:1: commands.0.key: s is a key of container.stop already'],
	],
	['{"commands": [\n{"name": "A"}]}', ['ui.json:2: commands.0: command is missing']],
	[
		'{"commands": [{"name": "A",\n"command": "echo {{nope}}"}]}',
		['ui.json:2: commands.0.command: there is no {{nope}} of containers'],
	],
	[
		'{"commands": [{"name": "A", "command": "echo x{{names}}"}]}',
		['ui.json:1: commands.0.command: there is no {{names}} of containers'],
	],
	[
		'{"commands": [{"name": "A", "command": "echo \'x"}]}',
		['ui.json:1: commands.0.command: a quote is not closed'],
	],
	['[]', ['ui.json:1: the configuration: must be an object']],
	['{\n"mouse": true,\n}', ['ui.json:2:14: a comma before }']],
	['{\n"mouse": yes\n}', ['ui.json:2:10: a value is missing before "yes"']],
	['', ['ui.json:1:1: a value is missing before the end of the file']],
	['{"a": 1 "b"', ['ui.json:1:9: a comma or } is missing before "\\""']],
	['{"mouse": true, "mouse": false}', ['ui.json:1:17: "mouse" is there twice']],
];

for (const [text, problems] of WRONG) {
	test(`wrong: ${text.slice(0, 60)}`, (t) => {
		t.deepEqual([...readConfig(text).problems], problems);
	});
}

test('what is right beside what is wrong counts', (t) => {
	const config = readConfig(
		'{"theme": 5, "mouse": true, "keys": {"container.stop": "r", "container.kill": "x"}}',
	);
	t.is(config.problems.length, 2);
	t.true(config.mouse);
	const keymap = buildKeymap(config.table);
	t.is(commandFor(keymap, 'containers', 's'), 'container.stop');
	t.is(commandFor(keymap, 'containers', 'r'), 'container.restart');
	t.is(commandFor(keymap, 'containers', 'x'), 'container.kill');
});

test('two commands may change places', (t) => {
	const config = readConfig('{"keys": {"container.stop": "r", "container.restart": "s"}}');
	t.deepEqual(config.problems, []);
	t.is(commandFor(buildKeymap(config.table), 'containers', 'r'), 'container.stop');
});

test('the schema is one, and says the same of a value as the check that the terminal UI makes', (t) => {
	const {$schema: _, ...plain} = SCHEMA as Record<string, unknown>;
	const validate = new Ajv({strict: false}).compile(plain);
	const texts = [
		GOOD,
		...WRONG.map(([text]) => text),
		'{"commands": [{"name": "", "command": []}]}',
		'{"logs": {"since": "5x"}}',
	];
	for (const text of texts) {
		let value: unknown;
		try {
			value = JSON.parse(text);
			readJson(text);
		} catch {
			continue;
		}
		t.is(check(readJson(text).value, SCHEMA).length === 0, validate(value), text);
	}
});

test('JSON is read as JSON.parse reads it, and refused where that refuses it', (t) => {
	const texts = [
		'{"a":[1,-2.5e3,true,null,"\\u0041\\n\\"",{}],"":{"b":[]}}',
		' [ ] ',
		'"x"',
		'01',
		'+1',
		'[1,]',
		'{a:1}',
		'"a\nb"',
		'{"a":1}}',
		'nul',
		'"\\x"',
		'{"__proto__":{"a":1}}',
		'1e',
		'[[[[1]]]]',
	];
	for (const text of texts) {
		let expected: unknown;
		try {
			expected = JSON.parse(text);
		} catch {
			t.throws(() => readJson(text), {instanceOf: JsonError}, text);
			continue;
		}
		t.is(JSON.stringify(readJson(text).value), JSON.stringify(expected), text);
	}
	t.throws(() => readJson('['.repeat(100_000)), {instanceOf: JsonError});
});

test('the file is where XDG says; one that is not there is none, one that can’t be read is a problem', (t) => {
	t.is(configPath({HOME: '/home/me'}), '/home/me/.config/wherry/ui.json');
	t.is(configPath({HOME: '/home/me', XDG_CONFIG_HOME: '/etc/xdg'}), '/etc/xdg/wherry/ui.json');
	t.is(configPath({HOME: '/home/me', XDG_CONFIG_HOME: 'relative'}), '/home/me/.config/wherry/ui.json');
	const folder = mkdtempSync(join(tmpdir(), 'wherry-config-'));
	t.teardown(() => rmSync(folder, {recursive: true}));
	const path = join(folder, 'ui.json');
	t.deepEqual(loadConfig(path).problems, []);
	writeFileSync(path, '\ufeff{"mouse": true}');
	t.true(loadConfig(path).mouse);
	mkdirSync(join(folder, 'a.json'));
	t.is(loadConfig(join(folder, 'a.json')).problems.length, 1);
});
