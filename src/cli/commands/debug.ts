import type {CommandAction} from '../face.ts';
import {writeOut} from '../output.ts';
import {runError, withHelp} from './run.ts';
import {createOptions} from './run-options.ts';

/** The start plan that `run` would execute, as text. */
export const debugPlan: CommandAction = async (line, open) => {
	const options = withHelp(line, () => createOptions(line.flags, line.args));
	try {
		const text = await (await open()).containers.plan(options);
		writeOut(text.endsWith('\n') ? text : `${text}\n`);
		return 0;
	} catch (error) {
		throw runError(line, error);
	}
};
