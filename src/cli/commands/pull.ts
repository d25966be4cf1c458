import {warnOfConfig} from '../config-file.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printError, printLine} from '../output.ts';
import {PullDisplay} from '../terminal/pull-display.ts';
import {parsePlatforms} from './run-options.ts';

export const pull: CommandAction = async ({flags, args}, open) => {
	const name = args[0]!;
	const quiet = flags.bool('quiet');
	const allTags = flags.bool('all-tags');
	let platform: ReturnType<typeof parsePlatforms>;
	try {
		platform = parsePlatforms(flags.string('platform') || (process.env.DOCKER_DEFAULT_PLATFORM ?? ''));
	} catch (error) {
		throw new CliError((error as Error).message);
	}
	const {canonical, canonicalName, parseReference, withDefaultTag} = await import(
		'../../engine/images/reference.ts'
	);
	let reference: ReturnType<typeof parseReference>;
	try {
		reference = parseReference(name);
	} catch (error) {
		throw new CliError((error as Error).message);
	}
	if (allTags && (reference.tag !== undefined || reference.digest !== undefined))
		throw new CliError("tag can't be used with --all-tags/-a");
	if (!allTags && !quiet && reference.tag === undefined && reference.digest === undefined)
		printLine(`Using default tag: latest`);
	warnOfConfig();
	const engine = await open();
	const display = quiet ? undefined : PullDisplay.on(1);
	const abort = new AbortController();
	// The first Ctrl+C stops the transfers and keeps what has arrived for the next time.
	const onInterrupt = (): void => abort.abort();
	process.once('SIGINT', onInterrupt);
	process.once('SIGTERM', onInterrupt);
	try {
		const pull = allTags ? engine.images.pullAll : engine.images.pull;
		await pull(name, {
			signal: abort.signal,
			...(platform ? {platform} : {}),
			...(display ? {onProgress: (event) => display.show(event)} : {}),
		});
	} catch (error) {
		if (abort.signal.aborted) {
			printError('');
			return 130;
		}
		throw error;
	} finally {
		display?.end();
		process.off('SIGINT', onInterrupt);
		process.off('SIGTERM', onInterrupt);
	}
	printLine(allTags ? canonicalName(reference) : canonical(withDefaultTag(reference)));
	return 0;
};
