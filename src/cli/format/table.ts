import {Struct} from './template/go-value.ts';
import {executeTemplate, listWording, parseTemplate} from './value.ts';
import {textWidth} from './width.ts';

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
}

/**
 * docker's lists: the default table, `table TEMPLATE`, `json`, or a template per row. Cells are padded by
 * three spaces as docker's tabwriter does; what the format asks for is printed as it is otherwise.
 */
export function formatList(
	view: ListView,
	rows: readonly Readonly<Record<string, unknown>>[],
	options: {format: string; quiet?: boolean},
): string {
	let {format} = options;
	let table = false;
	if (options.quiet && (format === '' || format === 'table')) format = `{{.${view.quietField}}}`;
	else if (format === '' || format === 'table') {
		table = true;
		format = view.table;
	} else if (format === 'json') format = '{{json .}}';
	else if (/^table\s/.test(format)) {
		table = true;
		format = format.slice(6);
	}
	format = format.trim().replaceAll('\\t', '\t').replaceAll('\\n', '\n');
	const template = parseTemplate(format, listWording);
	const contexts = rows.map((row) => new Struct(view.type, row));
	if (!table)
		return contexts.map((row) => `${executeTemplate(template, row, {wording: listWording})}\n`).join('');
	const heading = executeTemplate(template, view.headings, {header: true, wording: listWording});
	return alignColumns(
		[heading, ...contexts.map((row) => executeTemplate(template, row, {wording: listWording}))].join('\n'),
	);
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
