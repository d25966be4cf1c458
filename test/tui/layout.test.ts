import test from 'ava';
import {type Layout, layout, type Rect} from '../../src/tui/layout.ts';
import type {PaneId} from '../../src/tui/store/state.ts';

const at = (columns: number, rows: number, focus: PaneId = 'containers', zoomed = false): Layout =>
	layout({size: {columns, rows}, focus, lastList: focus === 'logs' ? 'containers' : focus, zoomed});

const MODES: [columns: number, rows: number, mode: Layout['mode'], panes: PaneId[]][] = [
	[39, 24, 'tiny', []],
	[80, 9, 'tiny', []],
	[40, 10, 'single', ['containers']],
	[79, 40, 'single', ['containers']],
	[80, 19, 'single', ['containers']],
	[80, 24, 'stacked', ['containers', 'logs']],
	[119, 60, 'stacked', ['containers', 'logs']],
	[200, 29, 'stacked', ['containers', 'logs']],
	[120, 30, 'columns', ['containers', 'images', 'logs']],
	[300, 100, 'columns', ['containers', 'images', 'logs']],
];

for (const [columns, rows, mode, panes] of MODES) {
	test(`${columns}x${rows} is ${mode}`, (t) => {
		const result = at(columns, rows);
		t.is(result.mode, mode);
		t.deepEqual(Object.keys(result.panes).sort(), panes);
	});
}

test('panes fill the body exactly at every size and never overlap', (t) => {
	for (let columns = 40; columns <= 300; columns += 7) {
		for (let rows = 10; rows <= 100; rows += 3) {
			for (const focus of ['containers', 'images', 'logs'] as const) {
				const rects = Object.values(at(columns, rows, focus).panes) as Rect[];
				const area = rects.reduce((sum, {width, height}) => sum + width * height, 0);
				if (area !== columns * (rows - 2)) t.fail(`${columns}x${rows} ${focus}: ${area}`);
				for (const {x, y, width, height} of rects) {
					if (x < 0 || y < 1 || x + width > columns || y + height > rows - 1 || height < 3)
						t.fail(`${columns}x${rows}`);
				}
			}
		}
	}
	t.pass();
});

test('the focused list grows, and a zoomed pane has the whole body', (t) => {
	t.true(at(120, 40, 'images').panes.images!.height > at(120, 40, 'containers').panes.images!.height);
	t.deepEqual(at(120, 40, 'logs', true).panes, {logs: {x: 0, y: 1, width: 120, height: 38}});
});
