import {TemplateError} from '../errors.ts';
import {type ExecuteOptions, execute} from './template/execute.ts';
import {functions, headerFunctions, type TemplateFunction} from './template/functions.ts';
import {parse, type Template} from './template/parse.ts';

const names: ReadonlySet<string> = new Set(Object.keys(functions));

/** How docker introduces a template's error: its lists and its inspect say it differently. */
export interface Wording {
	parse: string;
	execute: string;
}

export const inspectWording: Wording = {parse: 'template parsing error', execute: 'template parsing error'};
export const listWording: Wording = {
	parse: 'failed to parse template',
	execute: 'failed to execute template',
};

/** `info` and `version` say nothing before what goes wrong with a value. */
export const systemWording: Wording = {parse: 'template parsing error', execute: ''};

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

function wrapped<T>(prefix: string, action: () => T): T {
	try {
		return action();
	} catch (error) {
		if (error instanceof TemplateError)
			throw new TemplateError(prefix === '' ? error.message : `${prefix}: ${error.message}`);
		throw error;
	}
}

export {TemplateError};
