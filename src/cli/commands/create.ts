import {CliError, UsageError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printLine} from '../output.ts';
import {parsePullPolicy} from './ensure-image.ts';
import {createContainer, isBadReference, withHelp} from './run.ts';
import {createOptions} from './run-options.ts';

export const create: CommandAction = async (line, open) => {
	const options = withHelp(line, () => {
		parsePullPolicy(line.flags.string('pull'));
		return createOptions(line.flags, line.args);
	});
	try {
		const {id} = await createContainer(await open(), line, options);
		printLine(id);
		return 0;
	} catch (error) {
		// Only what is wrong with the line has 125 here.
		if (isBadReference(error) || error instanceof UsageError) throw new CliError(error.message);
		throw error;
	}
};
