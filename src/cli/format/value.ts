import {TemplateError} from '../errors.ts';
import {type ExecuteOptions, execute} from './template/execute.ts';
import {functions, headerFunctions, type TemplateFunction} from './template/functions.ts';
import {Struct} from './template/go-value.ts';
import {parse, type Template} from './template/parse.ts';
import {inspectWording, type Wording} from './wording.ts';

const names: ReadonlySet<string> = new Set(Object.keys(functions));

/** Parses a `--format` template. */
export function parseTemplate(format: string, wording: Wording = inspectWording, name = ''): Template {
	return wrapped(wording.parse, () => parse(name, format, names));
}

export interface FormatOptions extends Omit<ExecuteOptions, 'functions'> {
	/** For the heading row of a table. */
	header?: boolean;
	wording?: Wording;
}

export function executeTemplate(template: Template, data: unknown, options: FormatOptions = {}): string {
	const {header, wording = inspectWording, ...rest} = options;
	const table: Readonly<Record<string, TemplateFunction>> = header ? headerFunctions : functions;
	return wrapped(wording.execute, () => execute(template, data, {...rest, functions: table}));
}

/** One value through one format; `json` alone is `{{json .}}`. */
export function formatValue(format: string, data: unknown, options: FormatOptions = {}): string {
	return executeTemplate(
		parseTemplate(format === 'json' ? '{{json .}}' : format, options.wording),
		data,
		options,
	);
}

/** The lines of a list: of its headings, if any, and of each row, which is a Go struct of the given type. */
export function executeRows(
	format: string,
	{type, wording = inspectWording}: {type: string; wording?: Wording},
	headings: unknown,
	rows: readonly Readonly<Record<string, unknown>>[],
): string[] {
	const template = parseTemplate(format, wording);
	const head = headings ? [headingLine(template, headings)] : [];
	return [...head, ...rows.map((row) => executeTemplate(template, new Struct(type, row), {wording}))];
}

/** docker prints what there is of a heading whose template fails, and goes on. */
function headingLine(template: Template, headings: unknown): string {
	try {
		return executeTemplate(template, headings, {header: true});
	} catch (error) {
		if (error instanceof TemplateError) return error.written;
		throw error;
	}
}

function wrapped<T>(prefix: string, action: () => T): T {
	try {
		return action();
	} catch (error) {
		if (error instanceof TemplateError)
			throw new TemplateError(prefix === '' ? error.message : `${prefix}: ${error.message}`, error.written);
		throw error;
	}
}

export {TemplateError};
