import test from 'ava';
import {catalogue} from '../../src/cli/commands/catalogue.ts';
import {commands} from '../../src/cli/commands/table/all.ts';
import {pickMatches} from '../../src/tui/commands/dialogs.ts';
import {paletteEntries} from '../../src/tui/keys.ts';
import {renderFrame} from '../../src/tui/once.tsx';
import type {FormDialog, PickDialog} from '../../src/tui/store/state.ts';
import {busyEngine} from './fake-engine.ts';
import {openUi} from './harness.ts';

const SIZES = [
	{columns: 80, rows: 24},
	{columns: 120, rows: 40},
	{columns: 200, rows: 50},
];

for (const size of SIZES) {
	test(`the palette at ${size.columns}x${size.rows}`, async (t) => {
		const {store, type} = await openUi(busyEngine(), size);
		// Narrowed at once: the whole list is the key table's, which others test.
		await type(':', 'wherry net');
		t.snapshot(renderFrame(store, false));
		await type('\r');
		t.snapshot(renderFrame(store, false));
	});
}

test('a command of the panes is found by its words and acts on its own list', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('4', ':', 'containers stop', '\r');
	t.deepEqual(fake.calls, [`stop ${fake.rows[0]!.Id}`]);
	t.is(store.state.focus, 'containers');
	await type('\u000b', 'graphs', '\r');
	t.is(store.state.focus, 'stats');
});

test('a command of the command line asks for its arguments, with the selected object among them', async (t) => {
	const {store, screen, type} = await openUi(busyEngine());
	await type(':', 'wherry update', '\r');
	t.regex(renderFrame(store, false), /wherry container update[\s\S]*Arguments +web/);
	await type(' "open', '\r');
	t.regex(renderFrame(store, false), /A quote is not closed/);
	await type('"', '\r');
	t.deepEqual(screen, ['container update web open']);
	t.is(store.state.command, 'wherry container update web open');
	t.regex(store.state.message?.text ?? '', /ended with exit code 3/);
	await type(':', 'wherry network create', '\r');
	t.regex(renderFrame(store, false), /NETWORK/);
});

test('each flag of a command is a field of its form, with what it does', async (t) => {
	const run = catalogue().find(({name}) => name === 'container run')!;
	const fake = busyEngine();
	const {store, screen, type} = await openUi(fake, {columns: 80, rows: 24}, {commands: [run]});
	// What is typed as it stands comes first.
	await type(':', 'container run', '\r', 'alpine true');
	t.snapshot(renderFrame(store, false));
	await type('\u001b[6~', '\u001b[6~');
	t.regex(renderFrame(store, false), /--detach-keys[\s\S]* 21 of \d+ · /);
	const to = async (name: string): Promise<void> => {
		const {fields, index} = store.state.dialog as FormDialog;
		const at = fields.findIndex(({label}) => label === name);
		await type(...Array.from({length: (at - index + fields.length) % fields.length}, () => '\t'));
	};
	await to('--env');
	await type('A=1 "B=two words');
	await type('\r');
	t.regex(renderFrame(store, false), /--env: a quote is not closed/);
	await type('"');
	// A word of its name or of what it does leads to a field; without a choice the form is as it was.
	const before = store.state.dialog;
	await type('\u0007', 'nothing', '\u001b');
	t.is(store.state.dialog, before);
	await type('\u0007', 'remove ends');
	t.regex(renderFrame(store, false), /remove ends▏[\s\S]*--rm/);
	await type('\r', ' ');
	await to('--sig-proxy');
	await type(' ');
	await to('--name');
	await type('-x y', '\r');
	t.deepEqual(screen, [
		'container run --env=A=1 --env=B=two words --name=-x y --rm --sig-proxy=false alpine true',
	]);
	t.is(
		store.state.command,
		"wherry container run --env=A=1 '--env=B=two words' '--name=-x y' --rm --sig-proxy=false alpine true",
	);
});

test('each word narrows, in any order', async (t) => {
	const {store, type} = await openUi(busyEngine());
	await type(':', 'logs save');
	const labels = () => pickMatches(store.state.dialog as PickDialog).map(({label}) => label);
	t.deepEqual(labels(), ['Logs: save to a file…']);
	await type('\u0015save logs');
	t.deepEqual(labels(), ['Logs: save to a file…']);
});

test('the palette has no keys that only move, and no command twice', (t) => {
	const entries = paletteEntries().map(({command}) => command);
	t.false(entries.some((command) => /\.(down|up)$/.test(command)));
	t.deepEqual(entries, [...new Set(entries)]);
	t.true(entries.includes('volume.prune'));
});

test('every command that works is offered, with what it does', (t) => {
	const offered = catalogue();
	const names = offered.map(({name}) => name);
	for (const name of ['container run', 'image pull', 'network create', 'volume rm', 'system df'])
		t.true(names.includes(name), name);
	for (const {name, about} of offered) {
		t.truthy(about, name);
		t.truthy(commands[name]?.args, name);
	}
	t.false(names.includes('swarm init'));
});
