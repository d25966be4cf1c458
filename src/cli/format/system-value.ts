/** `info` and `version` through a template, as docker does it: an error in its syntax ends with status 64. */
import {CliError, TemplateError} from '../errors.ts';
import {printLine} from '../output.ts';
import {typedAs} from './template/go-value.ts';
import './types/system.ts';
import {executeTemplate, parseTemplate} from './value.ts';
import {systemWording} from './wording.ts';

/**
 * `name` is what docker calls the template in errors. Throws CliError and, later, TemplateError, after it has printed
 * what came out before.
 */
export function systemText(format: string, type: string, name: string): (value: object) => string {
	const wording = systemWording;
	try {
		const template = parseTemplate(format === 'json' ? '{{json .}}' : format, wording, name);
		return (value) => {
			try {
				return executeTemplate(template, typedAs(type, value), {wording});
			} catch (error) {
				if (error instanceof TemplateError) printLine(error.written);
				throw error;
			}
		};
	} catch (error) {
		throw new CliError((error as Error).message, 64);
	}
}
