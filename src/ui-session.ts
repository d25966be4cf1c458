/** `run`, `attach` and `exec` with --ui: the session is a pane of the terminal UI. */
import {CliError} from './cli/errors.ts';
import type {CommandAction} from './cli/face.ts';
import type {ParsedLine} from './cli/parse/command-line.ts';
import type {Engine} from './engine/api.ts';
import {isTerminal} from './kernel/terminal.ts';
import {commandLine} from './ui.ts';

export const uiSession: CommandAction = async (line, open) => {
	const {command, flags} = line;
	// Before anything is made.
	if (!isTerminal(0) || !isTerminal(1)) throw new CliError('--ui needs a terminal');
	const attach = command.name === 'container attach';
	if (!attach && flags.bool('detach'))
		throw new CliError('conflicting options: cannot specify both --ui and --detach');
	const opened = await openSession(line, open);
	const {engine, session, detachKeys, tty} = opened;
	if (!session) return 0;
	const {Id, Name} = await engine.containers.inspect(opened.id);
	const {runTui} = await import('./tui/main.tsx');
	return await runTui({
		engine,
		commandLine: commandLine(),
		detachKeys,
		session: {
			kind: command.name === 'container exec' ? 'exec' : 'attach',
			container: Id,
			name: Name.replace(/^\//, ''),
			tty,
			session,
			past: attach,
		},
	});
};

async function openSession(line: ParsedLine, open: () => Promise<Engine>) {
	switch (line.command.name) {
		case 'container run':
			return await (await import('./cli/commands/run.ts')).openRun(line, open);
		case 'container attach':
			return await (await import('./cli/commands/attach.ts')).openAttach(line, open);
		default: {
			const opened = await (await import('./cli/commands/exec.ts')).openExec(line, open);
			return {...opened, id: line.args[0]!};
		}
	}
}
