/** The rows of a log that are in sight. Pure. */
import type {LogBuffer, LogLine} from '../store/log-buffer.ts';
import type {LogState} from '../store/state.ts';
import {sanitizeLogLine} from '../text/sanitize.ts';
import {fitCells, sliceCells, wrapCells} from '../text/width.ts';
import type {Tone} from '../theme.ts';

export interface LogRow {
	key: string;
	time: string;
	text: string;
	tone: Tone;
}

/** `12:00:01.123` of the day in UTC's RFC 3339, as local time. */
export function clockTime(time: string): string {
	const date = new Date(time);
	if (Number.isNaN(date.getTime())) return '';
	const two = (value: number): string => String(value).padStart(2, '0');
	const milliseconds = String(date.getMilliseconds()).padStart(3, '0');
	return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}

/** At most `height` rows of exactly `width` cells. */
export function logRows(logs: LogState, width: number, height: number): LogRow[] {
	const {buffer} = logs;
	return logs.follow ? lastRows(logs, buffer, width, height) : rowsFrom(logs, buffer, width, height);
}

function rowsFrom(logs: LogState, buffer: LogBuffer, width: number, height: number): LogRow[] {
	const rows: LogRow[] = [];
	for (
		let number = Math.max(logs.top, buffer.first);
		number < buffer.total && rows.length < height;
		number++
	) {
		rows.push(...lineRows(logs, buffer.at(number)!, number, width, height));
	}
	return rows.slice(0, height);
}

function lastRows(logs: LogState, buffer: LogBuffer, width: number, height: number): LogRow[] {
	const rows: LogRow[][] = [];
	let count = 0;
	for (let number = buffer.total - 1; number >= buffer.first && count < height; number--) {
		const some = lineRows(logs, buffer.at(number)!, number, width, Number.POSITIVE_INFINITY);
		rows.unshift(some);
		count += some.length;
	}
	return rows.flat().slice(-height);
}

function lineRows(logs: LogState, line: LogLine, number: number, width: number, most: number): LogRow[] {
	const time = logs.timestamps && !line.mark ? clockTime(line.time) : '';
	const indent = time === '' ? '' : ' ';
	const room = Math.max(1, width - time.length - indent.length);
	const text = line.mark ? line.text : sanitizeLogLine(line.text);
	const tone: Tone = line.mark ? 'warning' : line.stream === 'stderr' ? 'bad' : 'normal';
	const parts = logs.wrap ? wrapCells(text, room, most) : [sliceCells(text, logs.left, room)];
	return parts.map((part, index) => ({
		key: `${number}.${index}`,
		time: index === 0 ? time + indent : ' '.repeat(time.length + indent.length),
		text: fitCells(part, room),
		tone,
	}));
}
