import {CliError} from '../errors.ts';
import {type CommandAction, forEachObject} from '../face.ts';
import {printLine} from '../output.ts';
import {parseDetachKeys} from '../terminal/detach-keys.ts';
import {pump, requireTerminal, windowSize} from '../terminal/session.ts';

export const start: CommandAction = async ({flags, args}, open) => {
	const interactive = flags.bool('interactive');
	if (!flags.bool('attach') && !interactive) {
		const engine = await open();
		return await forEachObject(
			args,
			async (name) => {
				await engine.containers.start(name);
				return name;
			},
			printLine,
		);
	}
	if (args.length > 1) throw new CliError('you cannot start and attach multiple containers at once');
	const detachKeys = parseDetachKeys(flags.string('detach-keys'));
	const engine = await open();
	const id = await engine.containers.resolve(args[0]!);
	const {Config} = await engine.containers.inspect(id);
	requireTerminal(interactive, Config.Tty);
	const stdin = interactive && Config.OpenStdin;
	const size = Config.Tty ? windowSize() : undefined;
	const session = await engine.containers.start(id, {attach: {stdin, stdout: true, stderr: true, ...size}});
	const result = await pump(session!, {
		tty: Config.Tty,
		stdin,
		detachKeys,
		onSignal: Config.Tty ? undefined : (signal) => engine.containers.kill(id, signal).catch(() => {}),
	});
	return result === 'detached' ? 0 : result;
};
