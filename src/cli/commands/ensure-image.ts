import type {Engine, Platform} from '../../engine/api.ts';
import {WherryError} from '../../engine/errors.ts';
import {UsageError} from '../errors.ts';
import {printError} from '../output.ts';

export type PullPolicy = 'always' | 'missing' | 'never';

/** Throws docker's words. */
export function parsePullPolicy(text: string): PullPolicy {
	if (text === '') return 'missing';
	if (text === 'always' || text === 'missing' || text === 'never') return text;
	throw new UsageError(`invalid pull option: '${text}': must be one of "always", "missing" or "never"`);
}

/**
 * Runs `action` with an image that may have to be pulled: after the fact when the engine doesn't find it,
 * before with `always`. The pull's output goes to stderr, as in docker's run.
 */
export async function withImage<T>(
	engine: Engine,
	image: string,
	options: {policy: PullPolicy; quiet: boolean; platform: Platform | undefined},
	action: () => Promise<T>,
): Promise<T> {
	if (options.policy === 'always') await pullImage(engine, image, options);
	try {
		return await action();
	} catch (error) {
		const missing =
			error instanceof WherryError && error.code === 'not-found' && /^No such image/.test(error.message);
		if (!missing || options.policy !== 'missing') throw error;
		// docker says it even with --quiet.
		if (!options.quiet) printError(`Unable to find image '${await familiarName(image)}' locally`);
		await pullImage(engine, image, options);
		return await action();
	}
}

async function familiarName(image: string): Promise<string> {
	const {familiar, parseReference, withDefaultTag} = await import('../../engine/images/reference.ts');
	return familiar(withDefaultTag(parseReference(image)));
}

async function pullImage(
	engine: Engine,
	image: string,
	{quiet, platform}: {quiet: boolean; platform: Platform | undefined},
): Promise<void> {
	const [{PullDisplay}, {warnOfConfig}] = await Promise.all([
		import('../terminal/pull-display.ts'),
		import('../config-file.ts'),
	]);
	warnOfConfig();
	const display = quiet ? undefined : PullDisplay.on(2);
	try {
		await engine.images.pull(image, {
			...(platform ? {platform} : {}),
			...(display ? {onProgress: (event) => display.show(event)} : {}),
		});
	} finally {
		display?.end();
	}
}
