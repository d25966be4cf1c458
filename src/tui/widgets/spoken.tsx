/**
 * What a screen reader is given in place of the frames: no borders, no columns, nothing twice. A line says where one
 * is, one has the selected row with the names of its columns, and one what was just said.
 */
import {Box, Text} from 'ink';
import {pickMatches} from '../commands/dialogs.ts';
import {offeredHints} from '../commands/offers.ts';
import {anyPane} from '../panes/index.ts';
import {visibleRows} from '../panes/pane.ts';
import {subjectName} from '../panes/subject.ts';
import {DETAIL_TITLES, isDetail} from '../store/details.ts';
import {selectedIndex} from '../store/reducers.ts';
import type {Dialog, State} from '../store/state.ts';
import {type Store, useSlice} from '../store/store.ts';
import {sanitize, sanitizeLogLine} from '../text/sanitize.ts';

/** Lines of a log, or of a text, that are read at once. */
const LINES = 5;

/** In the order in which it is read. Pure. */
export function spokenLines(state: State): string[] {
	const {message, filtering, dialog, command} = state;
	const lines = dialog ? dialogLines(dialog) : paneLines(state);
	if (filtering) lines.push(`Filter: ${filtering.field.value || 'empty'}`);
	if (message)
		lines.push(message.tone === 'bad' ? `Error: ${message.text.replace(/^Error: /, '')}` : message.text);
	else if (command !== undefined) lines.push(`Last command: ${command}`);
	for (const [name, progress] of state.jobs) lines.push(`In the background: ${name} ${progress}`);
	const keys = offeredHints(state)
		.slice(0, 8)
		.map(({key, word}) => `${key} ${word}`);
	if (keys.length > 0) lines.push(`Keys: ${keys.join(', ')}`);
	return lines.map(sanitize);
}

function paneLines(state: State): string[] {
	const {focus} = state;
	const title = isDetail(focus) ? DETAIL_TITLES[focus] : anyPane(focus).title;
	const about = isDetail(focus) ? subjectName(state) : '';
	const where = about === '' ? title : `${title} of ${about}`;
	if (state.phase === 'loading') return [`${where}: reading`];
	if (focus === 'logs') return [where, ...logLines(state)];
	if (focus === 'stats') return [where, ...statsLines(state)];
	if (focus === 'term')
		return [where, 'A terminal’s picture can’t be read here; wherry attach and wherry exec can.'];
	const pane = anyPane(focus);
	const rows = visibleRows(pane, state);
	const index = selectedIndex(state.lists[focus], rows.map(pane.key));
	if (rows.length === 0) return [`${where}: empty`, ...pane.empty(state).filter(Boolean)];
	const row = rows[index]!;
	const marked = !isDetail(focus) && state.marks[focus].has(pane.key(row)) ? 'marked, ' : '';
	const cells = pane.columns
		.filter((column) => column.shown?.(state) ?? true)
		.map((column) => ({title: column.title.toLowerCase(), text: column.cell(row, state).text.trim()}))
		// Signs say nothing; what they stand for is in the status.
		.filter(({text}) => /[\p{L}\p{N}]/u.test(text))
		.map(({title: name, text}) => (name === '' || name === 'name' ? text : `${name} ${text}`));
	return [`${where}: ${index + 1} of ${rows.length}`, `${marked}${cells.join(', ')}`];
}

function logLines({logs}: State): string[] {
	const {buffer} = logs;
	const end = logs.follow ? buffer.total : Math.min(buffer.total, logs.top + LINES);
	const lines: string[] = [];
	for (let number = Math.max(buffer.first, end - LINES); number < end; number++)
		lines.push(sanitizeLogLine(buffer.at(number)!.text));
	return lines.length > 0 ? lines : ['Nothing has been written'];
}

function statsLines(state: State): string[] {
	const last = state.usage.histories.get(state.logs.sources[0] ?? '')?.last;
	if (!last) return ['Nothing is measured'];
	const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} mebibytes`;
	return [`CPU ${last.cpu.toFixed(1)} percent, memory ${megabytes(last.memory)}, ${last.pids} processes`];
}

function dialogLines(dialog: Dialog): string[] {
	switch (dialog.kind) {
		case 'confirm':
			return [
				`Question: ${dialog.title}`,
				...dialog.lines,
				`Answer ${dialog.index + 1} of ${dialog.choices.length}: ${dialog.choices[dialog.index]!.label}`,
			];
		case 'form': {
			const field = dialog.fields[dialog.index]!;
			const value =
				typeof field.value === 'boolean' ? (field.value ? 'yes' : 'no') : field.value.value || 'empty';
			return [
				`Form: ${dialog.title}`,
				`Field ${dialog.index + 1} of ${dialog.fields.length}, ${field.label}: ${value}`,
				...(dialog.error === undefined ? [] : [`Wrong: ${dialog.error}`]),
			];
		}
		case 'pick': {
			const found = pickMatches(dialog);
			const item = found[dialog.index];
			return [
				`Choice: ${dialog.title}`,
				...(dialog.filter.value === '' ? [] : [`Typed: ${dialog.filter.value}`]),
				item
					? `${dialog.index + 1} of ${found.length}: ${item.label} ${item.note}`.replace(/ +/g, ' ')
					: 'Nothing matches',
			];
		}
		case 'text':
			return [
				dialog.title,
				...dialog.lines.slice(dialog.top, dialog.top + LINES).map(({name, text}) => `${name} ${text}`.trim()),
			];
		case 'progress':
			return [dialog.title];
	}
}

const selectAll = (state: State): State => state;

/** INK_SCREEN_READER=true asks for it. */
export function SpokenApp({store}: {store: Store}) {
	const state = useSlice(store, selectAll);
	return (
		<Box flexDirection="column">
			{spokenLines(state).map((line, index) => (
				// biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
				<Text key={index}>{line}</Text>
			))}
		</Box>
	);
}
