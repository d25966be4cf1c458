import test from 'ava';
import {applyConfig} from '../../../src/tui/actions/config.ts';
import {readConfig} from '../../../src/tui/config/config.ts';
import {filledWords} from '../../../src/tui/config/template.ts';
import {keysTable} from '../../../src/tui/keys-table.ts';
import {renderFrame} from '../../../src/tui/once.tsx';
import {setTheme, THEMES, type Tone, tone} from '../../../src/tui/theme.ts';
import {busyEngine, FakeEngine} from '../fake-engine.ts';
import {openUi} from '../harness.ts';

// Keys and colours are the process's: one after the other.
test.serial('changed keys are in force, and the help, the hints and the palette have them', async (t) => {
	t.teardown(() => void applyConfig({logs: {}, usage: {}, split: {}} as never, readConfig('{}')));
	const config = readConfig(`{
		"keys": {"container.stop": "x"},
		"commands": [{"name": "Say it", "command": "echo {{name}} {{names}}", "key": "ctrl-e", "confirm": true}]
	}`);
	const {store, screen, type} = await openUi(busyEngine(), {columns: 120, rows: 40});
	store.update((state) => applyConfig(state, config));
	t.regex(renderFrame(store, false), / x stop {2}/);
	await type('?');
	t.regex(renderFrame(store, false), /x +stop/);
	await type('\u001b', 'x');
	t.is(store.state.command, 'wherry stop web');
	await type('\u0005');
	t.regex(renderFrame(store, false), /echo web web/);
	await type('y');
	t.deepEqual(screen, ['program echo | web | web']);
	await type(':', 'say it');
	t.regex(renderFrame(store, false), /Say it +Ctrl\+E/);
	await type('\u001b', ' ', ' ', 'c', '\r', 'y');
	t.is(screen.at(-1), 'program echo | job | web | db');
});

test.serial('empty panes, dialogs and the upper line name the keys as they were changed', async (t) => {
	t.teardown(() => void applyConfig({logs: {}, usage: {}, split: {}} as never, readConfig('{}')));
	const config = readConfig(`{"keys": {
		"app.base": "ctrl-b", "app.help": "f9", "image.pull": "L", "volume.create": [], "list.filter": "F",
		"app.back": ["f8", "esc"], "confirm.no": "f7", "form.cancel": "f6", "build.start": "f5"
	}}`);
	t.deepEqual(config.problems, []);
	const {store, type} = await openUi(new FakeEngine());
	store.update((state) => applyConfig(state, config));
	const shows = (pattern: RegExp): void => void t.regex(renderFrame(store, false), pattern);
	shows(/Ctrl\+B {2}runs wherry\/base: a small image made[\s\S]* {8}from this machine/);
	shows(/F9 {2}shows all keys/);
	shows(/F9 help$/m);
	await type('2');
	shows(/L {2}pulls one from a registry[\s\S]*Ctrl\+B {2}makes wherry\/base/);
	// Without a key of its own it is found by the key that finds everything.
	await type('4');
	shows(/: {2}creates one/);
	await type('6');
	shows(/F5 {2}builds an image from a folder/);
	await type('1', 'A');
	shows(/F6 closes/);
	await type('\u001b[17~', '3', 'F', 'zzz', '\r');
	shows(/Nothing matches the filter\.[\s\S]*F8 {2}clears it/);
});

test.serial('a value never becomes more than its place in a word', async (t) => {
	const fake = busyEngine();
	fake.rows[0]!.Image = "a b'; {{name}} $(x)";
	const {store} = await openUi(fake);
	t.deepEqual(filledWords(['x{{ image }}y', '{{name}}'], store.state, 'containers'), [
		"xa b'; {{name}} $(x)y",
		'web',
	]);
	t.is(filledWords(['{{name}}'], {...store.state, containers: new Map()}, 'containers'), undefined);
});

test.serial('each theme has a style for each meaning; NO_COLOR has none with a colour', (t) => {
	t.teardown(() => setTheme(undefined));
	const tones = Object.keys(THEMES.terminal.tones) as Tone[];
	for (const theme of Object.values(THEMES)) t.deepEqual(Object.keys(theme.tones), tones);
	setTheme('dark', {accent: '#123456'}, {});
	t.is(tone('accent').color, '#123456');
	setTheme('dark', {accent: '#123456'}, {NO_COLOR: '1'});
	for (const name of tones) t.is(tone(name).color, undefined);
	setTheme(undefined, {}, {COLORFGBG: '0;15'});
	t.is(tone('accent').color, THEMES.light.tones.accent.color);
});

test('the table of keys has every command that the panes have, and no dialog’s', (t) => {
	const table = keysTable();
	t.regex(table, /\| `a` \| attach; Ctrl\+P Ctrl\+Q comes back \| `container\.attach` \|/);
	t.regex(table, /\| `\\` \| mark none/);
	t.notRegex(table, /form\.submit/);
});
