import {CliError} from '../errors.ts';
import {type CommandAction, describe} from '../face.ts';
import {printError, printLine} from '../output.ts';
import {parseDetachKeys} from '../terminal/detach-keys.ts';
import {pump, windowSize} from '../terminal/session.ts';

export const start: CommandAction = async ({flags, args}, open) => {
	const interactive = flags.bool('interactive');
	if (!flags.bool('attach') && !interactive) {
		const engine = await open();
		const failed: string[] = [];
		for (const name of args) {
			try {
				await engine.containers.start(name);
				printLine(name);
			} catch (error) {
				printError(describe(error));
				failed.push(name);
			}
		}
		if (failed.length > 0) throw new CliError(`Error: failed to start containers: ${failed.join(', ')}`);
		return 0;
	}
	if (args.length > 1) throw new CliError('you cannot start and attach multiple containers at once');
	const detachKeys = parseDetachKeys(flags.string('detach-keys'));
	const engine = await open();
	const id = await engine.containers.resolve(args[0]!);
	const {Config} = await engine.containers.inspect(id);
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
