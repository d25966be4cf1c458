import test from 'ava';
import {containersPane} from '../../../src/tui/panes/containers.ts';
import {imagesPane} from '../../../src/tui/panes/images.ts';
import {membersPane} from '../../../src/tui/panes/members.ts';
import {networksPane} from '../../../src/tui/panes/networks.ts';
import type {Column} from '../../../src/tui/panes/pane.ts';
import {initialState} from '../../../src/tui/store/initial.ts';
import {columnWidths, GAP} from '../../../src/tui/widgets/column-widths.ts';

const state = initialState({columns: 80, rows: 24}, 0);
/** Those that are there while nobody asks for what containers use. */
const usual = containersPane.columns.filter(({shown}) => shown?.(state) ?? true);

test('columns never take more than there is, and fill it where one can grow', (t) => {
	for (const pane of [containersPane, imagesPane, networksPane, membersPane]) {
		for (const longest of [0, 3, 12, 200]) {
			for (let total = 40; total <= 300; total++) {
				const sized = columnWidths(pane.columns as readonly Column<unknown>[], () => longest, total);
				const used = sized.reduce((sum, {width}) => sum + width, GAP * (sized.length - 1));
				if (used !== total || sized.some(({width}) => width < 1)) {
					t.fail(`${pane.id} ${longest} ${total}: ${used}`);
					return;
				}
			}
		}
	}
	t.pass();
});

test('a narrow pane gives up the least important columns first', (t) => {
	const names = (total: number) => columnWidths(usual, () => 10, total).map(({column}) => column.name);
	t.deepEqual(names(100), ['state', 'name', 'image', 'status', 'ports', 'command']);
	t.deepEqual(names(50), ['state', 'name', 'image', 'status']);
	t.deepEqual(names(34), ['state', 'name', 'status']);
});

test('what a column is kept for comes before what another would like', (t) => {
	const widths = (total: number) =>
		Object.fromEntries(
			columnWidths(usual, ({name}) => (name === 'state' ? 1 : 30), total).map(({column, width}) => [
				column.name,
				width,
			]),
		);
	t.like(widths(90), {name: 30, image: 12, status: 26, ports: 13});
	t.is(widths(105).ports, 13);
	t.is(widths(161).ports, 30);
});
