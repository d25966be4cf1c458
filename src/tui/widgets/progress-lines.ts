/** A transfer's layers as lines with bars. Pure. */
import {humanSize} from '../../cli/format/size.ts';
import type {ProgressRow} from '../store/state.ts';
import {sanitize} from '../text/sanitize.ts';
import {fitCells} from '../text/width.ts';
import type {Tone} from '../theme.ts';

export interface ProgressLine {
	key: string;
	id: string;
	state: string;
	bar: string;
	size: string;
	tone: Tone;
}

/** Eighths of a cell. */
const PARTS = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

export function bar(share: number, width: number): string {
	const eighths = Math.round(Math.max(0, Math.min(1, share)) * width * 8);
	const whole = Math.floor(eighths / 8);
	const part = eighths % 8 === 0 ? '' : PARTS[eighths % 8]!;
	return ('█'.repeat(whole) + part).padEnd(width);
}

const DONE = /^(?:Pull complete|Already exists|Pushed|Layer already exists|Mounted from )/;

/** At most `height` lines; those that are done make room for others. */
export function progressLines(rows: readonly ProgressRow[], width: number, height: number): ProgressLine[] {
	const spare = Math.max(0, rows.length - height);
	let dropped = 0;
	const shown = rows
		.filter((row) => !(DONE.test(row.state) && dropped < spare && ++dropped))
		.slice(0, height);
	const room = Math.max(4, width - 12 - 2 - 18 - 2 - 2 - 15);
	return shown.map(({id, state, current, total}) => {
		const done = DONE.test(state);
		const known = total > 0 && !done;
		const share = done ? 1 : known ? current / total : 0;
		return {
			key: id,
			id: fitCells(sanitize(id), 12),
			state: fitCells(sanitize(state), 18),
			bar: bar(share, room),
			size: fitCells(known ? `${humanSize(current, 3)}/${humanSize(total, 3)}` : '', 15, 'right'),
			tone: done ? 'good' : current > 0 ? 'accent' : 'muted',
		};
	});
}
