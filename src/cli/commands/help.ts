import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printLine, writeOut} from '../output.ts';
import {command} from './table/index.ts';

/** Help is laid out by yargs, which is loaded for it alone. */
export const help: CommandAction = async ({args}) => {
	const typed = args.join(' ');
	if (!command(typed)) {
		// What is left after the command that is there.
		let known = args.length - 1;
		while (known > 0 && !command(args.slice(0, known).join(' '))) known--;
		throw new CliError(`unknown help topic: ${args.slice(known).join(' ')}`);
	}
	const {helpText} = await import('../help/main.ts');
	printLine(await helpText(typed));
	return 0;
};

export const completion: CommandAction = async ({args}) => {
	const {completionScripts} = await import('../completion/scripts.ts');
	const shell = args[0] ?? 'bash';
	if (!Object.hasOwn(completionScripts, shell)) {
		throw new CliError(`wherry completion: there is no script for ${shell}, only for bash, zsh and fish`);
	}
	writeOut(completionScripts[shell]!);
	return 0;
};
