import type {Engine} from '../engine/api.ts';
import {systemWords} from '../engine/containers/system-words.ts';
import {WherryError} from '../engine/errors.ts';
import {CliError, TemplateError} from './errors.ts';
import {printError} from './output.ts';
import type {ParsedLine} from './parse/command-line.ts';

/** What a command gets: its line and the engine. It returns the exit status. */
export type CommandAction = (line: ParsedLine, engine: () => Promise<Engine>) => Promise<number>;

/** An error's text as docker's client prints what its server says, with our prefix. */
export function describe(error: unknown): string {
	// A template's error is told as docker's client tells its own.
	if (error instanceof CliError || error instanceof TemplateError) return error.message;
	if (error instanceof WherryError) return error.bare ? error.message : `Error: ${error.message}`;
	return `Error: ${error instanceof Error ? systemWords(error) : String(error)}`;
}

/**
 * Does something to each object in turn, prints each that worked, goes on after errors, and ends with 1 when
 * there was one: docker's way with several objects.
 */
export async function forEachObject(
	objects: readonly string[],
	action: (object: string) => Promise<string | undefined>,
	print: (text: string) => void,
): Promise<number> {
	let failed = false;
	for (const object of objects) {
		try {
			const text = await action(object);
			if (text !== undefined) print(text);
		} catch (error) {
			failed = true;
			printError(describe(error));
		}
	}
	return failed ? 1 : 0;
}
