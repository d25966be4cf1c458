import {executeRows} from './value.ts';
import {textWidth} from './width.ts';
import type {Wording} from './wording.ts';

/** A list that can be shown: its columns and how a row becomes a template's value. */
export interface ListView {
	/** Go's name of docker's context, for errors. */
	type: string;
	/** Headings by field; of a method, from its arguments. */
	headings: Readonly<Record<string, string | ((name: string) => string)>>;
	/** The template of the default table. */
	table: string;
	/** The field that --quiet prints. */
	quietField: string;
	/** The template of `raw`, and of that with --quiet. */
	raw?: string;
	quietRaw?: string;
	/** How errors of templates begin. */
	wording?: Wording;
}

/** By field; a text, or a function that makes it. */
export type ListRow = Readonly<Record<string, unknown>>;

/**
 * docker's lists: the default table, `table TEMPLATE`, `json`, `raw`, or a template per row. Cells are padded by
 * three spaces as docker's tabwriter does; what the format asks for is printed as it is otherwise. Throws
 * TemplateError.
 */
export function formatList(
	view: ListView,
	rows: readonly ListRow[],
	options: {format: string; quiet?: boolean},
): string {
	const {format, table} = chosenFormat(view, options);
	const headings = table ? view.headings : undefined;
	const lines = plainRows(format, headings, rows) ?? executeRows(format, view, headings, rows);
	return table ? alignColumns(lines.join('\n')) : lines.map((line) => `${line}\n`).join('');
}

/**
 * The lines of a format of nothing but texts and fields that are texts, as the default ones are: templates take
 * longer to load than such a list to print, and hundreds of rows take a third of the time this way. Undefined
 * for all others.
 */
function plainRows(
	format: string,
	headings: ListRow | undefined,
	rows: readonly ListRow[],
): string[] | undefined {
	// Text, field, text, field, ..., text.
	const parts = format.split(/\{\{\.(\w+)\}\}/);
	const fields = parts.filter((_, at) => at % 2 === 1);
	if (parts.some((part, at) => at % 2 === 0 && part.includes('{{'))) return undefined;
	const isPlain = (row: ListRow) =>
		fields.every((field) => {
			const value = Object.hasOwn(row, field) ? row[field] : undefined;
			return typeof value === 'string' || (typeof value === 'function' && value.length === 0);
		});
	const all = headings ? [headings, ...rows] : rows;
	// Rows are alike.
	if (!all.slice(0, 2).every(isPlain)) return undefined;
	return all.map((row) => {
		let line = parts[0]!;
		for (let at = 1; at < parts.length; at += 2) {
			const value = row[parts[at]!];
			line += typeof value === 'function' ? value() : value;
			line += parts[at + 1];
		}
		return line;
	});
}

function chosenFormat(
	view: ListView,
	{format, quiet = false}: {format: string; quiet?: boolean},
): {format: string; table: boolean} {
	// What the user writes has escapes that the shell leaves to us.
	const plain = (text: string): string =>
		text
			.replace(/^ +| +$/g, '')
			.replaceAll('\\t', '\t')
			.replaceAll('\\n', '\n');
	if (format === '' || format === 'table') {
		return quiet ? {format: `{{.${view.quietField}}}`, table: false} : {format: view.table, table: true};
	}
	if (format === 'json') return {format: '{{json .}}', table: false};
	if (format === 'raw' && view.raw !== undefined) {
		return {format: quiet ? (view.quietRaw ?? view.raw) : view.raw, table: false};
	}
	if (format.startsWith('table')) return {format: plain(format.slice(5)), table: true};
	return {format: plain(format), table: false};
}

/**
 * Go's tabwriter with minimum width 10, padding 3 and spaces: a column is a run of lines that have a tab
 * after that cell; the last cell of a line is not padded.
 */
export function alignColumns(text: string, minimum = 10, padding = 3): string {
	const lines = text.split('\n').map((line) => line.split('\t'));
	const widths: number[][] = lines.map(() => []);
	const columns = Math.max(0, ...lines.map((cells) => cells.length - 1));
	for (let column = 0; column < columns; column++) {
		for (let from = 0; from < lines.length; from++) {
			if (lines[from]!.length - 1 <= column) continue;
			let to = from;
			let widest = 0;
			while (to < lines.length && lines[to]!.length - 1 > column) {
				widest = Math.max(widest, textWidth(lines[to]![column]!));
				to++;
			}
			const size = widest === 0 ? 0 : Math.max(minimum, widest + padding);
			for (let line = from; line < to; line++) widths[line]![column] = size;
			from = to;
		}
	}
	return lines
		.map((cells, line) => {
			const padded = cells.map((cell, column) =>
				column === cells.length - 1
					? cell
					: cell + ' '.repeat(Math.max(0, widths[line]![column]! - textWidth(cell))),
			);
			return `${padded.join('')}\n`;
		})
		.join('');
}
