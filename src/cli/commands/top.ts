import type {CommandAction} from '../face.ts';
import {alignColumns} from '../format/table.ts';
import {writeOut} from '../output.ts';

export const top: CommandAction = async ({args}, open) => {
	const [container, ...options] = args as [string, ...string[]];
	const engine = await open();
	const {Titles, Processes} = await engine.containers.top(container, options);
	writeOut(alignColumns([Titles, ...Processes].map((row) => row.join('\t')).join('\n'), 20, 3));
	return 0;
};
