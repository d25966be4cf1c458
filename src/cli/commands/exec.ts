import {WherryError} from '../../engine/errors.ts';
import {CliError} from '../errors.ts';
import {type CommandAction, describe} from '../face.ts';
import {parseDetachKeys} from '../terminal/detach-keys.ts';
import {detachedMessage, pump, requireTerminal, windowSize} from '../terminal/session.ts';
import {environment} from './env-file.ts';

export const exec: CommandAction = async ({flags, args}, open) => {
	const [container, ...argv] = args as [string, ...string[]];
	const tty = flags.bool('tty');
	const detach = flags.bool('detach');
	const stdin = flags.bool('interactive') && !detach;
	let env: string[];
	try {
		env = environment(flags.list('env-file'), flags.list('env'), process.env);
	} catch (error) {
		throw new CliError((error as Error).message);
	}
	const detachKeys = parseDetachKeys(flags.string('detach-keys'), 'escape');
	const engine = await open();
	try {
		requireTerminal(stdin, tty);
	} catch (error) {
		// That there is no such container is said first.
		await engine.containers.inspect(container);
		throw error;
	}
	const size = tty && !detach ? windowSize() : undefined;
	try {
		const session = await engine.containers.exec(container, {
			argv,
			tty,
			stdin,
			stdout: !detach,
			stderr: !detach,
			detach,
			privileged: flags.bool('privileged'),
			...(env.length > 0 ? {env} : {}),
			...(flags.string('user') === '' ? {} : {user: flags.string('user')}),
			...(flags.string('workdir') === '' ? {} : {workingDir: flags.string('workdir')}),
			...size,
		});
		if (detach) return 0;
		const result = await pump(session, {tty, stdin, detachKeys, onSignal: undefined});
		if (result === 'detached') throw new CliError(detachedMessage);
		return result;
	} catch (error) {
		// Whoever doesn't wait for the command isn't told its status either.
		if (!detach && error instanceof WherryError && error.exitCode !== undefined)
			throw new CliError(describe(error), error.exitCode);
		throw error;
	}
};
