import type {Engine} from '../../engine/api.ts';
import {WherryError} from '../../engine/errors.ts';
import {CliError} from '../errors.ts';
import {type CommandAction, describe, forEachObject} from '../face.ts';
import {printError, printLine} from '../output.ts';

/** As many as docker does at once. */
const parallel = 50;

/**
 * The same for several containers at once; names are printed in the order that they were given, as they were
 * given, and errors after them.
 */
async function forAll(
	names: readonly string[],
	action: (name: string) => Promise<unknown>,
	harmless: (error: unknown) => boolean = () => false,
): Promise<number> {
	const results: Promise<{error?: unknown}>[] = [];
	const running = new Set<Promise<unknown>>();
	for (const name of names) {
		if (running.size >= parallel) await Promise.race(running);
		const result = action(name).then(
			() => ({}),
			(error: unknown) => ({error}),
		);
		running.add(result);
		void result.then(() => running.delete(result));
		results.push(result);
	}
	const failures: unknown[] = [];
	for (const [at, result] of results.entries()) {
		const {error} = await result;
		if (error === undefined) printLine(names[at]!);
		else if (harmless(error)) printError(describe(error));
		else failures.push(error);
	}
	for (const failure of failures) printError(describe(failure));
	return failures.length > 0 ? 1 : 0;
}

/** What `stop` and `restart` take. */
function stopOptions({flags}: Parameters<CommandAction>[0]): {signal?: string; timeout?: number} {
	const timeout = flags.changed('timeout') ? 'timeout' : flags.changed('time') ? 'time' : undefined;
	return {
		...(flags.string('signal') === '' ? {} : {signal: flags.string('signal')}),
		...(timeout === undefined ? {} : {timeout: flags.number(timeout)}),
	};
}

const inParallel =
	(
		action: (engine: Engine, name: string, line: Parameters<CommandAction>[0]) => Promise<unknown>,
	): CommandAction =>
	async (line, open) => {
		const engine = await open();
		return await forAll(line.args, (name) => action(engine, name, line));
	};

export const stop = inParallel((engine, name, line) => engine.containers.stop(name, stopOptions(line)));

export const kill = inParallel((engine, name, {flags}) =>
	engine.containers.kill(name, flags.string('signal') === '' ? undefined : flags.string('signal')),
);

export const pause = inParallel((engine, name) => engine.containers.pause(name));
export const unpause = inParallel((engine, name) => engine.containers.unpause(name));

export const restart: CommandAction = async (line, open) => {
	const engine = await open();
	return await forEachObject(
		line.args,
		async (name) => {
			await engine.containers.restart(name, stopOptions(line));
			return name;
		},
		printLine,
	);
};

export const remove: CommandAction = async ({flags, args}, open) => {
	const engine = await open();
	const force = flags.bool('force');
	const volumes = flags.bool('volumes');
	const link = flags.bool('link');
	return await forAll(
		args,
		(name) => {
			const bare = name.replace(/^\/+|\/+$/g, '');
			if (bare === '') throw new CliError('container name cannot be empty');
			return engine.containers.remove(bare, {force, volumes, link});
		},
		// With --force a container that isn't there is said, but is no failure.
		(error) => force && error instanceof WherryError && error.code === 'not-found',
	);
};

export const rename: CommandAction = async ({args}, open) => {
	const [container, name] = args as [string, string];
	if (container === '' || name === '') throw new CliError('Error: Neither old nor new names may be empty');
	const engine = await open();
	try {
		await engine.containers.rename(container, name);
	} catch (error) {
		throw new CliError(`failed to rename container: ${describe(error)}`);
	}
	return 0;
};

export const wait: CommandAction = async ({args}, open) => {
	const engine = await open();
	return await forEachObject(
		args,
		async (name) => String((await engine.containers.wait(name)).code),
		printLine,
	);
};
