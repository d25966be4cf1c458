import {readFileSync} from 'node:fs';
import test from 'ava';
import {KEYMAP, type KeyBinding, SECTIONS} from '../../src/tui/keymap.ts';
import {buildKeymap, commandFor, findClashes, helpLines, hints, keyLabel} from '../../src/tui/keys.ts';
import {keysTable, withTable} from '../../src/tui/keys-table.ts';
import {renderFrame} from '../../src/tui/once.tsx';
import type {BuildRow} from '../../src/tui/store/state.ts';
import {FakeEngine} from './fake-engine.ts';
import {openUi} from './harness.ts';

test('no key means two things at once, and none hides an outer one unmarked', (t) => {
	t.deepEqual(findClashes(KEYMAP), []);
});

test('clashes are found', (t) => {
	const table: KeyBinding[] = [
		{command: 'a', context: 'list', keys: ['x'], help: ''},
		{command: 'b', context: 'list', keys: ['y', 'x'], help: ''},
		{command: 'c', context: 'containers', keys: ['y'], help: ''},
		{command: 'd', context: 'images', keys: ['y'], help: '', overrides: true},
	];
	t.deepEqual(findClashes(table), [
		{key: 'x', context: 'list', command: 'b', other: 'a', hidden: false},
		{key: 'y', context: 'containers', command: 'c', other: 'b', hidden: true},
	]);
});

test('a key is looked for from the pane outwards', (t) => {
	const keymap = buildKeymap();
	t.is(commandFor(keymap, 'containers', 's'), 'container.stop');
	t.is(commandFor(keymap, 'images', 's'), undefined);
	t.is(commandFor(keymap, 'images', 'j'), 'list.down');
	t.is(commandFor(keymap, 'logs', 'j'), 'logs.down');
	t.is(commandFor(keymap, 'logs', 'right'), 'logs.right');
	t.is(commandFor(keymap, 'containers', 'right'), 'pane.right');
	t.is(commandFor(keymap, 'confirm', 'q'), 'confirm.no');
	t.is(commandFor(keymap, 'form', 's'), undefined);
});

test('every command that the panes have is in the help, with its keys', (t) => {
	const lines = helpLines('images');
	t.deepEqual(lines[0], {name: '', text: 'Images', heading: true});
	for (const binding of KEYMAP) {
		if (!SECTIONS.some(({context}) => context === binding.context)) continue;
		t.truthy(
			lines.find(({name, text}) => text === binding.help && name.includes(keyLabel(binding.keys[0]))),
			binding.command,
		);
	}
});

test('the bottom line shows the pane’s own keys first', (t) => {
	t.deepEqual(hints('logs')[0], {key: 'f', word: 'follow'});
	t.true(hints('containers').some(({word}) => word === 'help'));
	t.deepEqual(hints('form'), []);
});

test('keys are written as people write them', (t) => {
	t.deepEqual(['j', 'J', 'ctrl-p', 'shift-tab', 'up', 'f1', '-', 'ctrl-alt-a', '/'].map(keyLabel), [
		'j',
		'J',
		'Ctrl+P',
		'Shift+Tab',
		'↑',
		'F1',
		'-',
		'Ctrl+Alt+A',
		'/',
	]);
});

test('the README has the keys as they are: node src/tui/keys-table.ts writes them', (t) => {
	const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
	t.is(withTable(readme, keysTable()), readme);
});

test('the bottom line has only what can be done: nothing of a row where there is none', async (t) => {
	const last = (frame: string): string => frame.split('\n').at(-1)!;
	const {store, type} = await openUi(new FakeEngine(), {columns: 160, rows: 24});
	const words = (): string => last(renderFrame(store, false));
	t.regex(words(), /^ A run {2}\/ filter /);
	await type('2');
	t.regex(words(), /^ p pull {2}\/ filter /);
	await type('6');
	t.regex(words(), /^ A build {2}u cache {2}D prune {2}\/ filter /);
	const build: BuildRow = {id: 'a', tag: 'a', folder: '/a', state: 'running', started: 1, steps: []};
	store.update((state) => ({...state, builds: [build]}));
	t.regex(words(), /^ Enter steps {2}A build {2}x give up {2}u cache /);
	store.update((state) => ({...state, builds: [{...build, state: 'done', image: 'sha256:aa'}]}));
	t.regex(words(), /^ Enter steps {2}A build {2}r run {2}u cache /);
	await type('/', 'x');
	t.is(words().trimEnd(), ' Enter keep  Esc no filter');
});
