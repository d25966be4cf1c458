import type {Engine, Session} from '../../engine/api.ts';
import {WherryError} from '../../engine/errors.ts';
import {CliError} from '../errors.ts';
import {type CommandAction, describe} from '../face.ts';
import type {ParsedLine} from '../parse/command-line.ts';
import {parseDetachKeys} from '../terminal/detach-keys.ts';
import {detachedMessage, pump, requireTerminal, windowSize} from '../terminal/session.ts';
import {environment} from './env-file.ts';

export const exec: CommandAction = async (line, open) => {
	const {session, tty, stdin, detachKeys} = await openExec(line, open);
	if (!session) return 0;
	try {
		const result = await pump(session, {tty, stdin, detachKeys, onSignal: undefined});
		if (result === 'detached') throw new CliError(detachedMessage);
		return result;
	} catch (error) {
		throw execFailure(error);
	}
};

/** Whoever waits for the command is told the status of one that couldn't run. */
function execFailure(error: unknown): unknown {
	return error instanceof WherryError && error.exitCode !== undefined
		? new CliError(describe(error), error.exitCode)
		: error;
}

export interface OpenedExec {
	engine: Engine;
	/** Undefined with --detach. */
	session: Session | undefined;
	tty: boolean;
	stdin: boolean;
	detachKeys: Uint8Array;
}

export async function openExec({flags, args}: ParsedLine, open: () => Promise<Engine>): Promise<OpenedExec> {
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
		return {engine, session: detach ? undefined : session, tty, stdin, detachKeys};
	} catch (error) {
		throw detach ? error : execFailure(error);
	}
}
