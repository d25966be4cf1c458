import test from 'ava';
import {type Layout, layout, type Rect} from '../../src/tui/layout.ts';
import {DETAILS} from '../../src/tui/store/details.ts';
import {initialState} from '../../src/tui/store/initial.ts';
import {focusPane} from '../../src/tui/store/reducers.ts';
import type {PaneId} from '../../src/tui/store/state.ts';

const at = (columns: number, rows: number, focus: PaneId = 'containers', zoomed = false): Layout => {
	const size = {columns, rows};
	return layout({...focusPane(initialState(size, 0), focus), size, zoomed});
};

const MODES: [columns: number, rows: number, mode: Layout['mode'], panes: PaneId[]][] = [
	[39, 24, 'tiny', []],
	[80, 9, 'tiny', []],
	[40, 10, 'single', ['containers']],
	[79, 40, 'single', ['containers']],
	[80, 19, 'single', ['containers']],
	[80, 24, 'stacked', ['containers', 'logs']],
	[119, 60, 'stacked', ['containers', 'logs']],
	[200, 29, 'stacked', ['containers', 'logs']],
	[120, 30, 'columns', ['builds', 'containers', 'events', 'images', 'logs', 'networks', 'volumes']],
	[300, 100, 'columns', ['builds', 'containers', 'events', 'images', 'logs', 'networks', 'volumes']],
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
			for (const focus of ['containers', 'images', 'networks', 'logs', 'members'] as const) {
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

test('what is in a network takes the place of the logs while the networks are looked at', (t) => {
	for (const focus of ['networks', 'members'] as const) {
		t.deepEqual(at(120, 30, focus).panes.members, at(120, 30).panes.logs);
		t.is(at(120, 30, focus).panes.logs, undefined);
		t.deepEqual(Object.keys(at(80, 24, focus).panes).sort(), ['members', 'networks']);
	}
	t.deepEqual(Object.keys(at(60, 24, 'members').panes), ['members']);
	t.true(at(60, 24, 'networks').tabs);
	t.false(at(60, 24, 'members').tabs);
});

test('the left is containers over images beside networks over volumes beside events and builds', (t) => {
	const {containers, images, networks, volumes, events, builds} = at(120, 40, 'logs').panes;
	t.deepEqual([containers!.height, images!.height, networks!.height], [16, 11, 11]);
	t.deepEqual([containers!.width, images!.width, networks!.width], [72, 36, 36]);
	t.deepEqual([volumes!.y, events!.y, events!.x], [28, 28, 24]);
	t.deepEqual([builds!.y, builds!.x], [28, 48]);
	t.is(networks!.x, 36);
});

test('every pane of details takes the same place, and belongs to a list', (t) => {
	for (const [list, tabs] of Object.entries(DETAILS)) {
		for (const pane of tabs) {
			const state = {...focusPane(initialState({columns: 120, rows: 40}, 0), list as PaneId)};
			const {panes} = layout(focusPane(state, pane));
			t.deepEqual(panes[pane], at(120, 40, 'logs').panes.logs, `${list} ${pane}`);
		}
	}
});
