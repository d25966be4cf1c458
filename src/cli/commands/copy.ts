import type {CopyResult} from '../../engine/api.ts';
import {CopyRefusal, splitArgument} from '../../engine/containers/copy-paths.ts';
import {isErrno} from '../../engine/errors.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {humanSize} from '../format/size.ts';
import {archiveError, printError} from '../output.ts';

export const copy: CommandAction = async ({flags, args}, open) => {
	const [source, destination] = args as [string, string];
	if (source === '') throw new CliError('source can not be empty');
	if (destination === '') throw new CliError('destination can not be empty');
	const from = splitArgument(source);
	const to = splitArgument(destination);
	if (from.container !== undefined && to.container !== undefined)
		throw new CliError('copying between containers is not supported');
	if (from.container === undefined && to.container === undefined)
		throw new CliError('must specify at least one container source');
	// As docker: nothing is told where nobody reads it, unless that is asked for.
	const quiet = flags.changed('quiet') ? flags.bool('quiet') : !process.stdout.isTTY;
	const options = {followLink: flags.bool('follow-link'), archive: flags.bool('archive')};
	const engine = await open();
	let result: CopyResult;
	try {
		if (from.container !== undefined) {
			const target = to.path === '-' ? {fd: 1} : to.path;
			result = await engine.containers.copyFrom(from.container, from.path, target, options);
			if (to.path === '-') return 0;
		} else {
			const files = from.path === '-' ? {fd: 0} : from.path;
			result = await engine.containers.copyTo(to.container!, files, to.path, options);
			result = {...result, path: `${to.container}:${result.path}`};
		}
	} catch (error) {
		if (error instanceof CopyRefusal) throw new CliError(error.message);
		// Whoever read the archive has left: end as a program that SIGPIPE ends.
		if (isErrno(error, 'EPIPE')) return 141;
		throw to.path === '-' ? archiveError(error, '') : error;
	}
	if (!quiet) printError(`Successfully copied ${humanSize(result.size, 3)} to ${result.path}`);
	return 0;
};
