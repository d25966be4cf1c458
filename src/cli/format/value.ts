import {type ExecuteOptions, execute} from './template/execute.ts';
import {functions, headerFunctions, type TemplateFunction} from './template/functions.ts';
import {TemplateError} from './template/lex.ts';
import {parse, type Template} from './template/parse.ts';

const names: ReadonlySet<string> = new Set(Object.keys(functions));

/** Parses a `--format` template. Throws with docker's `template parsing error: `. */
export function parseTemplate(format: string): Template {
	return wrapped(() => parse('', format, names));
}

export function executeTemplate(
	template: Template,
	data: unknown,
	options: Omit<ExecuteOptions, 'functions'> & {header?: boolean} = {},
): string {
	const {header, ...rest} = options;
	const table: Readonly<Record<string, TemplateFunction>> = header ? headerFunctions : functions;
	return wrapped(() => execute(template, data, {...rest, functions: table}));
}

/** One value through one format; `json` alone is `{{json .}}`. */
export function formatValue(
	format: string,
	data: unknown,
	options: Omit<ExecuteOptions, 'functions'> = {},
): string {
	return executeTemplate(parseTemplate(format === 'json' ? '{{json .}}' : format), data, options);
}

function wrapped<T>(action: () => T): T {
	try {
		return action();
	} catch (error) {
		if (error instanceof TemplateError) throw new TemplateError(`template parsing error: ${error.message}`);
		throw error;
	}
}

export {TemplateError};
