import test from 'ava';
import {renderFrame} from '../../src/tui/once.tsx';
import {displayWidth} from '../../src/tui/text/width.ts';
import {busyEngine, container, endpoint, FakeEngine, image, network} from './fake-engine.ts';
import {openUi} from './harness.ts';

const ESC = '\u001b';
const SIZES = [
	{columns: 80, rows: 24},
	{columns: 120, rows: 30},
	{columns: 200, rows: 50},
];
const name = ({columns, rows}: {columns: number; rows: number}) => `${columns}x${rows}`;

for (const size of SIZES) {
	test(`networks and their members at ${name(size)}`, async (t) => {
		const {store, type} = await openUi(busyEngine(), size);
		await type('3');
		t.snapshot(renderFrame(store, false));
		await type('jj', '\r');
		t.snapshot(renderFrame(store, false));
	});

	test(`the panes at ${name(size)}`, async (t) => {
		const {store} = await openUi(busyEngine(), size);
		t.snapshot(renderFrame(store, false));
	});

	test(`nothing yet at ${name(size)}`, async (t) => {
		const {store} = await openUi(new FakeEngine(), size);
		t.snapshot(renderFrame(store, false));
	});
}

const SCENES: [title: string, keys: string[]][] = [
	['images with a filter', ['2', '/', 'nginx', '\r']],
	['logs with times, scrolled up', ['0', 't', 'kkkk']],
	['a full-screen pane', ['0', 'z', 'w']],
	['the question before removing', ['d', '\t']],
	['the form for a new container', ['A', 'alpine', '\t', 'box', '\t', 'sh -c "x"', `${ESC}[D`]],
	['a form that says what is wrong', ['A', '\r']],
	['the help', ['?']],
	['the help, scrolled', ['?', '  ']],
	['an error', ['jj', 'a']],
	['the command of the last action', ['s']],
	['sorted the other way', ['o', 'o', 'O']],
	['the form for a new network', ['3', 'A', 'mine', '\t\t', '10.9.0.0/16']],
	['the question before removing a network in use', ['3', 'd']],
	['a choice of containers to connect', ['3', 'C']],
	['a choice that nothing matches', ['3', 'C', 'zzz']],
	['all about a network', ['3', 'i']],
	['a filter for members', ['3', '\r', '/', 'db', '\r']],
];

for (const [title, keys] of SCENES) {
	test(`${title} at 80x24`, async (t) => {
		process.env.TZ = 'UTC';
		const {store, type} = await openUi(busyEngine());
		await type(...keys);
		t.snapshot(renderFrame(store, false));
	});
}

test('a terminal that is too small says so', async (t) => {
	const {store} = await openUi(busyEngine(), {columns: 38, rows: 5});
	t.is(renderFrame(store, false).trim(), 'terminal too small (need 40×10)');
});

/** Names, references, labels and lines as an attacker would choose them. */
function hostileEngine(): FakeEngine {
	const fake = new FakeEngine();
	const evil = `${ESC}[2J${ESC}]0;owned\u0007\u202e日本🚣\u0301${'x'.repeat(300)}\r\n\u009b31m`;
	fake.rows = [
		container({name: `a${evil}`, Image: evil, Command: evil, Status: `Up ${evil}`, StartedAt: 0}),
		container({name: '👩‍👩‍👧‍👦'.repeat(20), Image: '한국어'.repeat(20), Command: '\u0300'.repeat(50)}),
	];
	fake.images = [image({RepoTags: [`${evil}:${evil}`]})];
	fake.networks = [
		network(`a${evil}`, evil, {Driver: evil as 'bridge', Labels: {[evil]: evil}, Internal: true}),
		network('🚣'.repeat(30), '10.0.0.0/8'),
	];
	fake.rows[0]!.NetworkSettings.Networks = {
		[`a${evil}`]: endpoint(evil, {Aliases: [evil], GlobalIPv6Address: evil, MacAddress: evil}),
	};
	fake.rows[0]!.Ports = [{IP: evil, PrivatePort: 1, PublicPort: 2, Type: evil as 'tcp'}];
	fake.logs.set(fake.rows[0]!.Id, [
		{stream: 'stdout', time: '2026-01-01T00:00:00.000000000Z', line: `${evil}\n`},
		{stream: 'stderr', time: 'nonsense', line: `${'🚣'.repeat(3000)}\n`},
	]);
	return fake;
}

for (const size of [...SIZES, {columns: 40, rows: 10}, {columns: 97, rows: 33}, {columns: 300, rows: 100}]) {
	test(`hostile names and lines keep the frame whole at ${name(size)}`, async (t) => {
		const {store, type} = await openUi(hostileEngine(), size);
		for (const keys of [
			[],
			['0', 'w', 't'],
			[ESC, 'd'],
			[ESC, '?'],
			[ESC, 'R'],
			[ESC, '2', 'd'],
			[ESC, 'jK'],
			[ESC, '3'],
			['\r'],
			['i'],
			[ESC, 'U'],
			[ESC, 'C'],
			['\r'],
			[ESC, '3', 'd'],
		]) {
			await type(...keys);
			const lines = renderFrame(store, false).split('\n');
			t.is(lines.length, size.rows);
			for (const line of lines) {
				t.notRegex(line, /[\u0000-\u001f\u007f-\u009f\u202e]/);
				t.true(displayWidth(line) <= size.columns, `${displayWidth(line)}: ${line}`);
			}
			// Each pane's line ends with its border.
			if (keys.length === 0)
				for (const line of lines.slice(1, -1)) t.is(displayWidth(line), size.columns, line);
		}
	});
}

test('of two hundred containers only those in sight are drawn, the selected one among them', async (t) => {
	const fake = new FakeEngine();
	fake.rows = Array.from({length: 200}, (_, index) =>
		container({name: `box-${String(index).padStart(3, '0')}`, Created: 1e9 - index}),
	);
	const {store, type} = await openUi(fake);
	for (const [keys, selected] of [
		['', '000'],
		['G', '199'],
		['\u0015', '195'],
		['g', '000'],
		['\u001b[6~', '008'],
	] as const) {
		await type(keys);
		const frame = renderFrame(store, false);
		t.is(frame.match(/ ▶ /g)?.length ?? 0, 9, keys);
		t.regex(frame, new RegExp(`❯ ▶  box-${selected}`));
	}
});

test('on a narrow screen the list that is shown keeps its name, the others their numbers', async (t) => {
	const {store, type} = await openUi(busyEngine(), {columns: 44, rows: 14});
	await type('3');
	t.regex(renderFrame(store, false), /┏━ 1 · 2 · 3 Networks 6 · 4 · 5 · 6 ━/);
	await type('1');
	t.regex(renderFrame(store, false), /┏━ 1 Containers 3\/5 · 2 · 3 · 4 · 5 · 6 ━/);
});
