import {CliError} from './cli/errors.ts';
import {printError, printLine} from './cli/output.ts';
import type {ParsedLine} from './cli/parse/command-line.ts';
import type {Engine} from './engine/api.ts';
import {native} from './kernel/native.ts';

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
		engine ??= openEngine();
		return await engine;
	};
	try {
		if (argv.length === 0 && process.stdin.isTTY && process.stdout.isTTY) argv = ['ui'];
		if (argv[0] === '--get-yargs-completions') {
			const {complete} = await import('./cli/commands/complete.ts');
			for (const word of await complete(argv.slice(1), open)) printLine(word);
			return 0;
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
		const {command} = line;
		if (line.help || command.name === '' || (command.group && !command.row.args)) {
			const {helpText} = await import('./cli/help/main.ts');
			printLine(await helpText(command.typed));
			return 0;
		}
		const {actions} = await import('./cli/commands/actions.ts');
		const load = command.name === 'ui' ? async () => (await import('./ui.ts')).ui : actions[command.name];
		if (!load) throw new CliError(`wherry: 'wherry ${command.typed}' is not supported yet`);
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

async function openEngine(): Promise<Engine> {
	const {openEngine: open} = await import('./engine/engine.ts');
	const engine = open();
	// What killed processes left behind must not be in the way of this command.
	await engine.repair();
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
