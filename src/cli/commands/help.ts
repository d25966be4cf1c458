import type {CommandAction} from '../face.ts';
import {printLine} from '../output.ts';

/** Help and completion are made by yargs, which is loaded for them alone. */
export const help: CommandAction = async (line) => {
	const {helpText} = await import('../help/main.ts');
	printLine(await helpText(line.args.join(' ')));
	return 0;
};

export const completion: CommandAction = async (line) => {
	const {completionScript} = await import('../help/main.ts');
	printLine(await completionScript(line.args[0] ?? 'bash'));
	return 0;
};
