import {CliError, UsageError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printLine} from '../output.ts';
import {createContainer, isBadReference, runError, withHelp} from './run.ts';
import {createOptions} from './run-options.ts';

export const create: CommandAction = async (line, open) => {
	const options = withHelp(line, () => createOptions(line.flags, line.args));
	try {
		const {id} = await createContainer(await open(), line, options);
		printLine(id);
		return 0;
	} catch (error) {
		// What the engine says has status 1 here; only what is wrong with the line has 125.
		if (isBadReference(error)) throw new CliError(error.message);
		throw error instanceof UsageError ? runError(line, error) : error;
	}
};
