/** Boxes over the panes: a question, a form, the help. */
import {Box, Text} from 'ink';
import type {ReactNode} from 'react';
import {dialogHeight, pickMatches, readerLines} from '../commands/dialogs.ts';
import {keyLabel, keyOf} from '../keys.ts';
import {windowStart} from '../store/reducers.ts';
import type {
	ConfirmDialog,
	FormDialog,
	FormField,
	PickDialog,
	ProgressDialog,
	State,
	TextDialog,
} from '../store/state.ts';
import {sanitize} from '../text/sanitize.ts';
import {displayWidth, fitCells, truncate, wrapWords} from '../text/width.ts';
import {type TextStyle, tone} from '../theme.ts';
import {progressLines} from './progress-lines.ts';

/** A line of a dialog; it is filled up to the box's width, so that nothing shines through. */
interface Line {
	key: string;
	parts: readonly {text: string; style?: TextStyle}[];
}

export function DialogView({state}: {state: State}) {
	const {dialog, size} = state;
	if (!dialog) return null;
	if (dialog.kind === 'confirm') return <Confirm dialog={dialog} size={size} />;
	if (dialog.kind === 'form') return <Form dialog={dialog} size={size} />;
	if (dialog.kind === 'pick') return <Pick dialog={dialog} state={state} />;
	if (dialog.kind === 'progress') return <Progress dialog={dialog} state={state} />;
	return <Reader dialog={dialog} state={state} />;
}

interface Size {
	columns: number;
	rows: number;
}

function Overlay({
	title,
	lines,
	size,
	footer,
}: {
	title: string;
	lines: readonly Line[];
	size: Size;
	footer: string;
}) {
	const content = Math.max(
		displayWidth(title) + 4,
		displayWidth(footer) + 4,
		...lines.map(({parts}) => parts.reduce((sum, {text}) => sum + displayWidth(text), 0)),
	);
	const width = Math.min(size.columns - 2, content + 4);
	const room = width - 4;
	const shown = lines.slice(0, Math.max(1, size.rows - 4));
	const left = Math.max(0, Math.floor((size.columns - width) / 2));
	const top = Math.max(0, Math.floor((size.rows - shown.length - 2) / 2));
	const border = tone('accent');
	const head = truncate(` ${title} `, room);
	const foot = footer === '' ? '' : truncate(` ${footer} `, room);
	return (
		<Box position="absolute" left={left} top={top} flexDirection="column" width={width}>
			<Text {...border} bold wrap="truncate">
				{`┏━${head}${'━'.repeat(Math.max(0, width - 3 - displayWidth(head)))}┓`}
			</Text>
			{shown.map(({key, parts}) => (
				<Text key={key} wrap="truncate">
					<Text {...border}>┃ </Text>
					{fitParts(parts, room)}
					<Text {...border}> ┃</Text>
				</Text>
			))}
			<Text {...border} wrap="truncate">
				{`┗${'━'.repeat(Math.max(0, width - 3 - displayWidth(foot)))}${foot}━┛`}
			</Text>
		</Box>
	);
}

function Progress({dialog, state}: {dialog: ProgressDialog; state: State}) {
	const rows = state.progress.get(dialog.job)?.rows ?? [];
	const width = Math.min(state.size.columns - 6, 100);
	const bars = progressLines(rows, width, dialogHeight(state));
	const lines: Line[] = bars.map(({key, id, state: text, bar, size, tone: name}) => ({
		key,
		parts: [
			{text: id, style: {bold: true}},
			{text: `  ${text}  `, style: tone('muted')},
			{text: bar, style: tone(name)},
			{text: `  ${size}`},
		],
	}));
	if (lines.length === 0) lines.push({key: 'wait', parts: [{text: fitCells('Asking the registry…', width)}]});
	return (
		<Overlay
			title={sanitize(dialog.title)}
			lines={lines}
			size={state.size}
			footer={`${keyOf('progress.close')} goes on behind · ${keyOf('progress.cancel')} gives it up`}
		/>
	);
}

function fitParts(parts: Line['parts'], width: number): ReactNode[] {
	const nodes: ReactNode[] = [];
	let used = 0;
	for (const [index, {text, style}] of parts.entries()) {
		const cut = truncate(text, width - used);
		used += displayWidth(cut);
		nodes.push(
			<Text key={index} {...style}>
				{cut}
			</Text>,
		);
	}
	nodes.push(<Text key="fill">{' '.repeat(Math.max(0, width - used))}</Text>);
	return nodes;
}

function Confirm({dialog, size}: {dialog: ConfirmDialog; size: Size}) {
	const choices = dialog.choices.flatMap((choice, index) => {
		const label = ` ${choice.label}${choice.key ? ` (${keyLabel(choice.key)})` : ''} `;
		return [{text: label, style: index === dialog.index ? {inverse: true} : {}}, {text: ' '}];
	});
	const told = dialog.lines.flatMap((line) => wrapWords(sanitize(line), size.columns - 6));
	// The answers are always in sight, and how much is not.
	const room = Math.max(1, size.rows - 6);
	const more = told.length - room + 1;
	const shown = told.length > room ? [...told.slice(0, room - 1), `… and ${more} more lines`] : told;
	const lines: Line[] = [
		...shown.map((line, index) => ({key: `line ${index}`, parts: [{text: line}]})),
		{key: 'space', parts: []},
		{key: 'choices', parts: choices},
	];
	return (
		<Overlay
			title={dialog.title}
			lines={lines}
			size={size}
			footer={`${keyOf('confirm.next')} chooses · ${keyOf('confirm.pick')} · ${keyOf('confirm.no')} no`}
		/>
	);
}

/** Fields of a form that is more than a few questions: its answers are told on longer lines. */
const LONG = 12;

function Form({dialog, size}: {dialog: FormDialog; size: Size}) {
	const {fields, index: at, error} = dialog;
	const labels = Math.max(...fields.map(({label}) => displayWidth(label)));
	const wide = Math.max(20, Math.min(fields.length > LONG ? 72 : 52, size.columns - labels - 12));
	const room = Math.max(1, size.rows - (error === undefined ? 6 : 8));
	const start = windowStart(fields.length, at, room);
	const lines: Line[] = fields.slice(start, start + room).map((field) => {
		const current = field === fields[at];
		return {
			key: field.id,
			parts: [
				{
					text: `${current ? '❯' : ' '} ${fitCells(field.label, labels)}  `,
					style: current ? {bold: true} : tone('muted'),
				},
				...fieldParts(field, current, wide),
			],
		};
	});
	if (error !== undefined) {
		lines.push(
			{key: 'space', parts: []},
			{key: 'error', parts: [{text: sanitize(error), style: tone('bad')}]},
		);
	}
	const place = fields.length > room ? `${at + 1} of ${fields.length} · ${keyOf('form.find')} finds · ` : '';
	return (
		<Overlay
			title={sanitize(dialog.title)}
			lines={lines}
			size={size}
			footer={`${place}${keyOf('form.next')} next · ${keyOf('form.submit')} ${dialog.submit} · ${keyOf('form.cancel')} closes`}
		/>
	);
}

function fieldParts(field: FormField, current: boolean, width: number): Line['parts'] {
	if (typeof field.value === 'boolean') {
		const box = field.value ? '[x]' : '[ ]';
		return [
			{text: box, style: current ? {bold: true} : {}},
			{text: fitCells(field.hint === undefined ? '' : ` ${field.hint}`, width - 3), style: tone('muted')},
		];
	}
	const {value, cursor} = field.value;
	if (value === '' && !current) return [{text: fitCells(field.hint ?? '', width), style: tone('muted')}];
	const before = sanitize(value.slice(0, cursor));
	const under = sanitize(value.slice(cursor, cursor + 1)) || ' ';
	const after = sanitize(value.slice(cursor + 1));
	if (!current) return [{text: fitCells(sanitize(value), width)}];
	// The end of what is before the cursor stays in sight.
	let head = before;
	while (displayWidth(head) > width - 2) head = head.slice(1);
	const tail = value === '' ? ` ${field.hint ?? ''}` : after;
	const room = Math.max(0, width - displayWidth(head) - displayWidth(under));
	return [
		{text: head, style: {underline: true} as TextStyle},
		{text: under, style: {inverse: true}},
		{text: fitCells(tail, room), style: value === '' ? tone('muted') : {}},
	];
}

function Pick({dialog, state}: {dialog: PickDialog; state: State}) {
	const found = pickMatches(dialog);
	const height = Math.max(1, Math.min(dialog.items.length, dialogHeight(state) - 1));
	const start = windowStart(found.length, dialog.index, height);
	// As wide as the longest of all, so that the box stands still while one types.
	const widest = (text: (item: PickDialog['items'][number]) => string): number =>
		Math.max(...dialog.items.map((item) => displayWidth(sanitize(text(item)))));
	const labels = Math.min(
		40,
		widest(({label}) => label),
	);
	// Behind the mark, the label and two spaces, in a box of four columns more than it holds.
	const notes = Math.min(
		Math.max(40, state.size.columns - labels - 12),
		Math.max(0, state.size.columns - labels - 10),
		widest(({note}) => note),
	);
	const {value, cursor} = dialog.filter;
	const lines: Line[] = found.slice(start, start + height).map((item, at) => {
		const current = start + at === dialog.index;
		const text = sanitize(item.label);
		const short = displayWidth(sanitize(item.note));
		// A label takes what its note leaves over.
		const own = Math.max(labels, Math.min(displayWidth(text), labels + notes - short));
		const label = `${current ? '❯' : ' '} ${fitCells(text, own)}  `;
		const note = fitCells(sanitize(item.note), notes - (own - labels));
		return {
			key: item.id,
			parts: current
				? [{text: label + note, style: {inverse: true}}]
				: [{text: label}, {text: note, style: tone('muted')}],
		};
	});
	while (lines.length < height) {
		const text = lines.length === 0 ? '  Nothing matches.' : '';
		lines.push({key: `empty ${lines.length}`, parts: [{text, style: tone('muted')}]});
	}
	const typed = `/${sanitize(value.slice(0, cursor))}▏${sanitize(value.slice(cursor))}`;
	return (
		<Overlay
			title={sanitize(dialog.title)}
			lines={[{key: 'filter', parts: [{text: typed, style: tone('accent')}]}, ...lines]}
			size={state.size}
			footer={`${keyOf('pick.up')} ${keyOf('pick.down')} · type to narrow · ${keyOf('pick.take')} ${dialog.submit} · ${keyOf('pick.cancel')} closes`}
		/>
	);
}

function Reader({dialog, state}: {dialog: TextDialog; state: State}) {
	const height = dialogHeight(state);
	const {names, lines: all} = readerLines(dialog, state);
	const top = Math.min(dialog.top, Math.max(0, all.length - height));
	const lines = all.slice(top, top + height).map(({name, text, heading}, index) => ({
		key: String(top + index),
		parts: heading
			? [{text: sanitize(text), style: {...tone('accent'), bold: true}}]
			: [{text: `  ${fitCells(sanitize(name), names)}  `, style: {bold: true}}, {text: sanitize(text)}],
	}));
	const place =
		all.length > height
			? `${top + 1}–${Math.min(all.length, top + height)} of ${all.length} · ${keyOf('text.down')} ${keyOf('text.up')} · `
			: '';
	return (
		<Overlay
			title={sanitize(dialog.title)}
			lines={lines}
			size={state.size}
			footer={`${place}${keyOf('text.close')} closes`}
		/>
	);
}
