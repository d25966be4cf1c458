import type {Engine, Session} from '../../engine/api.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import type {ParsedLine} from '../parse/command-line.ts';
import {parseDetachKeys} from '../terminal/detach-keys.ts';
import {detachedMessage, pump, requireTerminal, windowSize} from '../terminal/session.ts';

export const attach: CommandAction = async (line, open) => {
	const {engine, id, session, tty, stdin, detachKeys} = await openAttach(line, open);
	const result = await pump(session, {
		tty,
		stdin,
		detachKeys,
		onSignal:
			line.flags.bool('sig-proxy') && !tty
				? (signal) => engine.containers.kill(id, signal).catch(() => {})
				: undefined,
	});
	if (result === 'detached') throw new CliError(detachedMessage);
	return result;
};

export interface OpenedAttach {
	engine: Engine;
	id: string;
	session: Session;
	tty: boolean;
	stdin: boolean;
	detachKeys: Uint8Array;
}

export async function openAttach(
	{flags, args}: ParsedLine,
	open: () => Promise<Engine>,
): Promise<OpenedAttach> {
	const detachKeys = parseDetachKeys(flags.string('detach-keys'));
	const engine = await open();
	const id = await engine.containers.resolve(args[0]!);
	const {Config, State} = await engine.containers.inspect(id);
	if (!State.Running) throw new CliError('cannot attach to a stopped container, start it first');
	if (State.Paused) throw new CliError('cannot attach to a paused container, unpause it first');
	if (State.Restarting)
		throw new CliError('cannot attach to a restarting container, wait until it is running');
	const stdin = !flags.bool('no-stdin') && Config.OpenStdin;
	requireTerminal(!flags.bool('no-stdin'), Config.Tty);
	const size = Config.Tty ? windowSize() : undefined;
	const session = await engine.containers.attach(id, {stdin, stdout: true, stderr: true, ...size});
	if (size) session.resize(size.rows, size.columns);
	return {engine, id, session, tty: Config.Tty, stdin, detachKeys};
}
