import test from 'ava';
import {applyConfig} from '../../../src/tui/actions/config.ts';
import {readConfig} from '../../../src/tui/config/config.ts';
import {filledWords} from '../../../src/tui/config/template.ts';
import {keysTable} from '../../../src/tui/keys-table.ts';
import {renderFrame} from '../../../src/tui/once.tsx';
import {setTheme, THEMES, type Tone, tone} from '../../../src/tui/theme.ts';
import {busyEngine} from '../fake-engine.ts';
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
