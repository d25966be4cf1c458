import {resolve} from 'node:path';
import type {BootOutcome} from '../../engine/api.ts';
import {launcherPath} from '../../kernel/locate.ts';
import {CliError} from '../errors.ts';
import {type CommandAction, describe} from '../face.ts';
import {printable} from '../format/names.ts';
import {printError, printLine} from '../output.ts';

/** The names of those with which it went well, then what went wrong. */
function report(outcomes: readonly BootOutcome[], verb: string): number {
	const failed = outcomes.filter(({error}) => error !== undefined);
	for (const {name, error} of outcomes) if (error === undefined) printLine(printable(name));
	for (const {name, error} of failed) {
		printError(`${describe(error).replace(/^Error: /, `Error: ${printable(name)} was not ${verb}: `)}`);
	}
	return failed.length > 0 ? 1 : 0;
}

export const boot: CommandAction = async ({flags}, open) => {
	const engine = await open();
	return flags.bool('stop')
		? report(await engine.shutdown(), 'stopped')
		: report(await engine.boot(), 'started');
};

export const installBoot: CommandAction = async ({flags}, open) => {
	const named = flags.string('unit-dir');
	if (flags.changed('unit-dir') && named === '')
		throw new CliError('--unit-dir: the name of a folder is needed');
	const folder = named === '' ? undefined : resolve(named);
	const {installBootUnit, removeBootUnit} = await import('../../engine/boot-unit.ts');
	const {path, change} = flags.bool('remove')
		? removeBootUnit({folder})
		: installBootUnit((await open()).paths, {launcher: launcherPath(), folder});
	const says: Record<typeof change, string> = {
		installed: `Installed ${path}: containers that are to run are started at boot.`,
		updated: `Updated ${path}.`,
		unchanged: `${path} is installed already.`,
		removed: `Removed ${path}.`,
		absent: `There is no ${path}.`,
	};
	printLine(says[change]);
	return 0;
};
