import {refuseCommand} from './cli/commands/table/refusals.ts';
import {CliError} from './cli/errors.ts';
import {printError, printLine, writeErr, writeOut} from './cli/output.ts';
import type {ParsedLine} from './cli/parse/command-line.ts';
import type {Engine} from './engine/api.ts';
import {native} from './kernel/native.ts';
import {isTerminal} from './kernel/terminal.ts';

// For the terminal UI's bundle, whose errors must be of the same class.
export {isErrno, WherryError} from './engine/errors.ts';

/**
 * The entry: reads the command line, runs the command, and resolves to the exit status. Without arguments on
 * a terminal it opens the terminal UI. The caller ends the process.
 */
export async function main(argv: readonly string[]): Promise<number> {
	let line: ParsedLine | undefined;
	let engine: Promise<Engine> | undefined;
	const open = async (): Promise<Engine> => {
		engine ??= openEngine(line?.command.name === 'system boot');
		return await engine;
	};
	try {
		if (argv.length === 0 && isTerminal(0) && isTerminal(1)) argv = ['ui'];
		if (argv[0] === '__complete' || argv[0] === '__completeNoDesc') {
			const {answerCompletion} = await import('./cli/completion/answer.ts');
			return await answerCompletion(argv.slice(1), argv[0] === '__complete', open);
		}
		if (argv[0] === 'oci') {
			const {ociMain} = await import('./oci/main.ts');
			return await ociMain(argv.slice(1));
		}
		const {parseCommandLine} = await import('./cli/parse/command-line.ts');
		line = parseCommandLine(argv);
		for (const note of line.notes) printError(note);
		if (line.version) {
			const {versionLine} = await import('./cli/commands/version.ts');
			printLine(versionLine());
			return 0;
		}
		const {command, globals} = line;
		const {DOCKER_HOST, DOCKER_CONTEXT} = process.env;
		if (globals.any || DOCKER_HOST || DOCKER_CONTEXT) {
			const {applyGlobals, refuseOtherHosts} = await import('./cli/globals.ts');
			applyGlobals(globals, process.env);
			if (!line.help) refuseOtherHosts(process.env);
		}
		if (line.help || command.name === '' || (command.group && !command.row.args)) {
			const {emptyGroup, helpText} = await import('./cli/help/main.ts');
			if (!line.help && emptyGroup(command)) throw new CliError(refuseCommand(command));
			const text = `${await helpText(command.typed)}\n`;
			// Help that nobody asked for is no output.
			if (line.help) writeOut(text);
			else writeErr(text);
			return 0;
		}
		const {actions} = await import('./cli/commands/actions.ts');
		const shown = sessionCommands.includes(command.name) && line.flags.bool('ui');
		const load =
			command.name === 'ui'
				? async () => (await import('./ui.ts')).ui
				: shown
					? async () => (await import('./ui-session.ts')).uiSession
					: actions[command.name];
		if (!load) throw new CliError(refuseCommand(command));
		const action = await load();
		return await action(line, open);
	} catch (error) {
		if (error instanceof CliError) {
			if (error.message !== '') printError(error.message);
			return error.status;
		}
		const {describe} = await import('./cli/face.ts');
		printError(describe(error));
		if (process.env.WHERRY_DEBUG && error instanceof Error) printError(error.stack ?? '');
		return 1;
	} finally {
		if (engine) await (await engine.catch(() => undefined))?.close();
	}
}

/** Those that open in the terminal UI when --ui is given. */
const sessionCommands = ['container run', 'container attach', 'container exec'];

/** `boots`: the command itself sees to what runs after a boot. */
async function openEngine(boots: boolean): Promise<Engine> {
	const {openEngine: open} = await import('./engine/engine.ts');
	const engine = open();
	// What killed processes left behind must not be in the way of this command.
	await engine.repair({boots});
	return engine;
}

/**
 * Ends the process when all is done and written. Node would first take its heap and its threads apart, which
 * takes a tenth of a short command's time and frees nothing that the kernel doesn't.
 */
export function leave(code: number): void {
	process.emit('exit', code);
	try {
		native.exit(code);
	} catch {
		// The native part is not there.
		process.exit(code);
	}
}

/** Runs what most commands run, so that the build can keep V8's code for it. Nothing is printed. */
export async function warmUp(): Promise<void> {
	const {warm} = await import('./cli/warm.ts');
	await warm(main);
}
