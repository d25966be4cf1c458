/** How wide each column is, from what there is to share. Pure. */
import type {Column} from '../panes/pane.ts';
import {displayWidth} from '../text/width.ts';

/** Cells between two columns. */
export const GAP = 2;

export interface SizedColumn<Row> {
	column: Column<Row>;
	width: number;
}

/**
 * `longest` says how many cells the longest visible cell of a column takes. Columns that don't fit go by their
 * `drop`, the highest first; what is left over goes to those that grow.
 */
export function columnWidths<Row>(
	columns: readonly Column<Row>[],
	longest: (column: Column<Row>) => number,
	total: number,
): SizedColumn<Row>[] {
	let kept = columns
		.map((column) => ({column, width: natural(column, longest)}))
		.filter(({width}) => width > 0);
	const least = ({column, width}: SizedColumn<Row>): number =>
		column.grow ? Math.max(1, Math.min(column.min, width)) : width;
	const wished = (one: SizedColumn<Row>): number =>
		Math.max(least(one), Math.min(one.width, one.column.keep ?? 0));
	const needed = (cells: (one: SizedColumn<Row>) => number): number =>
		kept.reduce((sum, one) => sum + cells(one), GAP * (kept.length - 1));
	while (needed(wished) > total) {
		const worst = kept.filter(({column}) => column.drop).sort((a, b) => b.column.drop! - a.column.drop!)[0];
		if (!worst) break;
		kept = kept.filter((one) => one !== worst);
	}
	let room = total - needed(least);
	const sized = kept.map((one) => ({...one, least: least(one)}));
	// Each growing column gets what it was kept for, then what its content needs; the rest is shared by weight.
	for (const enough of [wished, (one: SizedColumn<Row>) => one.width]) {
		for (const one of sized) {
			const wanted = Math.min(Math.max(0, enough(one) - one.least), Math.max(0, room));
			one.least += wanted;
			room -= wanted;
		}
	}
	const weights = sized.reduce((sum, {column}) => sum + (column.grow ?? 0), 0);
	if (room > 0 && weights > 0) {
		let left = room;
		for (const one of sized) {
			const share = Math.floor((room * (one.column.grow ?? 0)) / weights);
			one.least += share;
			left -= share;
		}
		const last = sized.findLast(({column}) => column.grow);
		if (last) last.least += left;
	}
	if (room < 0) {
		const widest = sized.reduce((a, b) => (b.least > a.least ? b : a));
		widest.least = Math.max(1, widest.least + room);
	}
	return sized.map(({column, least: width}) => ({column, width}));
}

function natural<Row>(column: Column<Row>, longest: (column: Column<Row>) => number): number {
	if (column.max === 0) return 0;
	const content = longest(column);
	if (content === 0 && column.min === 0) return 0;
	return Math.min(
		column.max ?? Number.POSITIVE_INFINITY,
		Math.max(column.min, content, displayWidth(column.title)),
	);
}
