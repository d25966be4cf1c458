/** The rows of a log that are in sight. Pure. */
import type {LogBuffer, LogLine} from '../store/log-buffer.ts';
import {currentMatcher, type Matcher, matchingLines} from '../store/log-search.ts';
import type {LogState} from '../store/state.ts';
import {readableJson} from '../text/json-line.ts';
import {sanitizeLogLine} from '../text/sanitize.ts';
import {fitCells, sliceCells, wrapCells} from '../text/width.ts';
import type {Tone} from '../theme.ts';

export interface LogRow {
	key: string;
	time: string;
	/** Together exactly as wide as the row. */
	parts: readonly {text: string; match: boolean}[];
	tone: Tone;
	/** What was looked for last is in it. */
	found: boolean;
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

/** The next line to show from this one on, upwards or downwards. */
function shown(
	logs: LogState,
	buffer: LogBuffer,
): {after(number: number): number; before(number: number): number} {
	if (!logs.only || logs.search === '')
		return {after: (number) => Math.max(number, buffer.first), before: (number) => number};
	const numbers = matchingLines(logs);
	return {
		after: (number) => numbers.find((one) => one >= number) ?? buffer.total,
		before: (number) => numbers.findLast((one) => one <= number) ?? -1,
	};
}

function rowsFrom(logs: LogState, buffer: LogBuffer, width: number, height: number): LogRow[] {
	const rows: LogRow[] = [];
	const {after} = shown(logs, buffer);
	for (
		let number = after(logs.top);
		number < buffer.total && rows.length < height;
		number = after(number + 1)
	) {
		rows.push(...lineRows(logs, buffer.at(number)!, number, width, height));
	}
	return rows.slice(0, height);
}

function lastRows(logs: LogState, buffer: LogBuffer, width: number, height: number): LogRow[] {
	const rows: LogRow[][] = [];
	let count = 0;
	const {before} = shown(logs, buffer);
	for (
		let number = before(buffer.total - 1);
		number >= buffer.first && count < height;
		number = before(number - 1)
	) {
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
	const plain = line.mark ? line.text : sanitizeLogLine(line.text);
	// What JSON had escaped is a control character again.
	const text = logs.json && !line.mark ? sanitizeLogLine(readableJson(plain)) : plain;
	const matcher = (!line.mark && currentMatcher(logs)) || (() => []);
	const tone: Tone = line.mark ? 'warning' : line.stream === 'stderr' ? 'bad' : 'normal';
	const parts = logs.wrap ? wrapCells(text, room, most) : [sliceCells(text, logs.left, room)];
	return parts.map((part, index) => ({
		key: `${number}.${index}`,
		time: index === 0 ? time + indent : ' '.repeat(time.length + indent.length),
		parts: markedParts(fitCells(part, room), matcher),
		tone,
		found: logs.found === number && logs.search !== '',
	}));
}

/** A row's text, taken apart where it matches. */
function markedParts(text: string, matcher: Matcher): LogRow['parts'] {
	const parts: {text: string; match: boolean}[] = [];
	let at = 0;
	for (const [start, end] of matcher(text)) {
		if (start > at) parts.push({text: text.slice(at, start), match: false});
		parts.push({text: text.slice(start, end), match: true});
		at = end;
	}
	if (at < text.length || parts.length === 0) parts.push({text: text.slice(at), match: false});
	return parts;
}
