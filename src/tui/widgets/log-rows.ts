/** The rows of a log that are in sight. Pure. */
import type {LogBuffer, LogLine} from '../store/log-buffer.ts';
import {currentMatcher, type Matcher, matchingLines} from '../store/log-search.ts';
import type {LogState} from '../store/state.ts';
import {readableJson} from '../text/json-line.ts';
import {sanitizeLogLine} from '../text/sanitize.ts';
import {type StyledLine, type StyledRun, styledLogLine} from '../text/styled-line.ts';
import {displayWidth, fitCells, sliceWithOffset, wrapCells} from '../text/width.ts';
import type {TextStyle, Tone} from '../theme.ts';

export interface LogPart {
	text: string;
	match: boolean;
	/** What the program asked for. */
	style?: TextStyle | undefined;
}

export interface LogRow {
	key: string;
	time: string;
	/** Who wrote it, where there are several: a name, and its number among them. */
	prefix?: {text: string; series: number} | undefined;
	/** With the time and the prefix exactly as wide as the row. */
	parts: readonly LogPart[];
	tone: Tone;
	/** What was looked for last is in it. */
	found: boolean;
}

/** Cells of a container's name before its lines. */
const NAME = 16;

/** `12:00:01.123` of the day in UTC's RFC 3339, as local time. */
export function clockTime(time: string): string {
	const date = new Date(time);
	if (Number.isNaN(date.getTime())) return '';
	const two = (value: number): string => String(value).padStart(2, '0');
	const milliseconds = String(date.getMilliseconds()).padStart(3, '0');
	return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}

/** At most `height` rows of exactly `width` cells; `names` are those of the sources, sanitised. */
export function logRows(
	logs: LogState,
	width: number,
	height: number,
	names: readonly string[] = [],
): LogRow[] {
	const {buffer} = logs;
	const place: Place = {logs, width, prefixes: names.length > 1 ? prefixes(names, width) : []};
	return logs.follow ? lastRows(place, buffer, height) : rowsFrom(place, buffer, height);
}

interface Place {
	logs: LogState;
	width: number;
	/** Of one width. */
	prefixes: readonly string[];
}

function prefixes(names: readonly string[], width: number): string[] {
	const room = Math.min(NAME, Math.floor(width / 4), Math.max(...names.map((name) => displayWidth(name))));
	return names.map((name) => `${fitCells(name, room)} `);
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

function rowsFrom(place: Place, buffer: LogBuffer, height: number): LogRow[] {
	const rows: LogRow[] = [];
	const {after} = shown(place.logs, buffer);
	for (
		let number = after(place.logs.top);
		number < buffer.total && rows.length < height;
		number = after(number + 1)
	) {
		rows.push(...lineRows(place, buffer.at(number)!, number, height));
	}
	return rows.slice(0, height);
}

function lastRows(place: Place, buffer: LogBuffer, height: number): LogRow[] {
	const rows: LogRow[][] = [];
	let count = 0;
	const {before} = shown(place.logs, buffer);
	for (
		let number = before(buffer.total - 1);
		number >= buffer.first && count < height;
		number = before(number - 1)
	) {
		const some = lineRows(place, buffer.at(number)!, number, Number.POSITIVE_INFINITY);
		rows.unshift(some);
		count += some.length;
	}
	return rows.flat().slice(-height);
}

function styledText({json, colours}: LogState, line: LogLine): StyledLine {
	if (line.mark) return {text: line.text, runs: []};
	const styled = colours ? styledLogLine(line.text) : {text: sanitizeLogLine(line.text), runs: []};
	if (!json || !styled.text.trimStart().startsWith('{')) return styled;
	// What JSON had escaped is a control character again.
	return {text: sanitizeLogLine(readableJson(styled.text)), runs: []};
}

function lineRows({logs, width, prefixes}: Place, line: LogLine, number: number, most: number): LogRow[] {
	const time = logs.timestamps && !line.mark ? clockTime(line.time) : '';
	const indent = time === '' ? '' : ' ';
	const name = line.source === undefined ? '' : (prefixes[line.source] ?? '');
	const blank = ' '.repeat(displayWidth(name));
	const room = Math.max(1, width - time.length - indent.length - blank.length);
	const {text, runs} = styledText(logs, line);
	const matcher = (!line.mark && currentMatcher(logs)) || (() => []);
	const matched = matcher(text);
	const tone: Tone = line.mark ? 'warning' : line.stream === 'stderr' ? 'bad' : 'normal';
	let offset = 0;
	const pieces = logs.wrap
		? wrapCells(text, room, most).map((piece) => {
				const start = offset;
				offset += piece.length;
				return {text: piece, offset: start};
			})
		: [sliceWithOffset(text, logs.left, room)];
	return pieces.map((piece, index) => ({
		key: `${number}.${index}`,
		time: index === 0 ? time + indent : ' '.repeat(time.length + indent.length),
		...(name === '' ? {} : {prefix: {text: index === 0 ? name : blank, series: line.source!}}),
		parts: rowParts(fitCells(piece.text, room), piece.offset, matched, runs),
		tone,
		found: logs.found === number && logs.search !== '',
	}));
}

/** A row's text, which begins at `offset` of its line, taken apart where it matches or changes its style. */
function rowParts(
	text: string,
	offset: number,
	matches: ReturnType<Matcher>,
	runs: readonly StyledRun[],
): LogPart[] {
	const end = offset + text.length;
	const spans = matches.filter(([from, to]) => from < end && to > offset);
	const styles = runs.filter((run) => run.start < end && run.end > offset);
	if (spans.length === 0 && styles.length === 0) return [{text, match: false}];
	const edges = new Set([offset, end]);
	for (const [from, to] of spans) edges.add(Math.max(offset, from)).add(Math.min(end, to));
	for (const run of styles) edges.add(Math.max(offset, run.start)).add(Math.min(end, run.end));
	const sorted = [...edges].sort((a, b) => a - b);
	let span = 0;
	let run = 0;
	return sorted.slice(0, -1).map((from, index) => {
		const to = sorted[index + 1]!;
		while (span < spans.length && spans[span]![1] <= from) span++;
		while (run < styles.length && styles[run]!.end <= from) run++;
		const match = span < spans.length && spans[span]![0] <= from;
		const style = run < styles.length && styles[run]!.start <= from ? styles[run]!.style : undefined;
		return {text: text.slice(from - offset, to - offset), match, style};
	});
}
