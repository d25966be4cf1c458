import test from 'ava';
import {layout} from '../../src/tui/layout.ts';
import {renderFrame} from '../../src/tui/once.tsx';
import {busyEngine} from './fake-engine.ts';
import {openUi} from './harness.ts';

const SIZES = [
	{columns: 80, rows: 24},
	{columns: 120, rows: 30},
	{columns: 200, rows: 50},
];

for (const size of SIZES) {
	const name = `${size.columns}x${size.rows}`;

	test(`a click selects the row that is there at ${name}`, async (t) => {
		const {store, type} = await openUi(busyEngine(), size);
		const lines = renderFrame(store, false).split('\n');
		for (const wanted of ['job', 'web', 'new']) {
			const row = lines.findIndex((line) => line.includes(` ${wanted}  `));
			await type(`\u001b[<0;6;${row + 1}M`, `\u001b[<0;6;${row + 1}m`);
			t.regex(renderFrame(store, false), new RegExp(`❯ .  ${wanted} `));
		}
	});

	test(`a click on a tab shows it, and one on a pane gives it the focus at ${name}`, async (t) => {
		const {store, type} = await openUi(busyEngine(), size);
		const click = async (text: string): Promise<void> => {
			const lines = renderFrame(store, false).split('\n');
			const row = lines.findIndex((line) => line.includes(text));
			const column = lines[row]!.indexOf(text) + 3;
			await type(`\u001b[<0;${column};${row + 1}M`, `\u001b[<0;${column};${row + 1}m`);
		};
		if (size.columns === 120) await click('0 Logs 1/7');
		else await click(' Ports ');
		t.is(store.state.focus, size.columns === 120 ? 'logs' : 'ports');
		await click('2 Images');
		t.is(store.state.focus, 'images');
	});

	test(`the split follows the mouse, within limits, at ${name}`, async (t) => {
		const {store, type} = await openUi(busyEngine(), size);
		const {panes, mode} = layout(store.state);
		const {x, y, height} = panes.logs!;
		const from = mode === 'columns' ? `${x + 1};${y + 5}` : `10;${y}`;
		const to = mode === 'columns' ? `${x + 11};${y + 5}` : `10;${y + 4}`;
		await type(`\u001b[<0;${from}M`, `\u001b[<32;${to}M`, `\u001b[<0;${to}m`, '\u001b[<32;5;5M');
		const moved = layout(store.state).panes.logs!;
		if (mode === 'columns') t.true(Math.abs(moved.x - x - 10) <= 1, `${x} to ${moved.x}`);
		else t.true(moved.height < height, `${height} to ${moved.height}`);
		for (const line of renderFrame(store, false).split('\n').slice(1, -1)) t.is(line.length, size.columns);
		await type(`\u001b[<0;${moved.x + 1};${moved.y + (mode === 'columns' ? 5 : 0)}M`, '\u001b[<32;1;1M');
		const {split} = store.state;
		t.is(mode === 'columns' ? split.columns : split.rows, 20);
	});
}

test('the wheel scrolls what is under it and leaves the focus alone', async (t) => {
	const {store, type} = await openUi(busyEngine());
	const {panes} = layout(store.state);
	await type(`\u001b[<64;10;${panes.logs!.y + 3}M`);
	t.false(store.state.logs.follow);
	t.is(store.state.focus, 'containers');
	await type('\u001b[<65;10;5M');
	t.is(store.state.lists.containers.index, 3);
	await type('?', '\u001b[<65;10;5M');
	t.is((store.state.dialog as {top: number}).top, 3);
});

test('M gives the mouse to the panes and back', async (t) => {
	const {screen, type} = await openUi(busyEngine());
	await type('M', 'M');
	t.deepEqual(screen, ['mouse true', 'mouse false']);
});
