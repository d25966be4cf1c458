/** `info` and `version` through a template, as docker does it: an error in its syntax ends with status 64. */
import {CliError} from '../errors.ts';
import {typedAs} from './template/go-value.ts';
import './types/system.ts';
import {executeTemplate, parseTemplate} from './value.ts';
import {systemWording} from './wording.ts';

/** `name` is what docker calls the template in errors. Throws CliError and, later, TemplateError. */
export function systemText(format: string, type: string, name: string): (value: object) => string {
	const wording = systemWording;
	try {
		const template = parseTemplate(format === 'json' ? '{{json .}}' : format, wording, name);
		return (value) => executeTemplate(template, typedAs(type, value), {wording});
	} catch (error) {
		throw new CliError((error as Error).message, 64);
	}
}
