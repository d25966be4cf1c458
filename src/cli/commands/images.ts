import {WherryError} from '../../engine/errors.ts';
import {CliError} from '../errors.ts';
import {type CommandAction, describe} from '../face.ts';
import {printError, printLine} from '../output.ts';

export const tag: CommandAction = async ({args}, open) => {
	const {parseAny, parseReference} = await import('../../engine/images/reference.ts');
	for (const [at, text] of args.entries()) {
		try {
			// The source may also be an id.
			if (at === 0) parseAny(text);
			else parseReference(text);
		} catch (error) {
			throw new CliError(
				`Error parsing reference: ${JSON.stringify(text)} is not a valid repository/tag: ${(error as Error).message}`,
			);
		}
	}
	const engine = await open();
	await engine.images.tag(args[0]!, args[1]!);
	return 0;
};

export const removeImages: CommandAction = async ({flags, args}, open) => {
	const engine = await open();
	const force = flags.bool('force');
	const failures: unknown[] = [];
	let fatal = false;
	for (const name of args) {
		try {
			for (const item of await engine.images.remove(name, {force, prune: !flags.bool('no-prune')})) {
				printLine('Untagged' in item ? `Untagged: ${item.Untagged}` : `Deleted: ${item.Deleted}`);
			}
		} catch (error) {
			failures.push(error);
			if (!(error instanceof WherryError && error.code === 'not-found')) fatal = true;
		}
	}
	for (const failure of failures) printError(describe(failure));
	// With --force an image that isn't there is no failure.
	return failures.length > 0 && (!force || fatal) ? 1 : 0;
};
