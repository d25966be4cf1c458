import {CliError} from './cli/errors.ts';
import type {CommandAction} from './cli/face.ts';
import {printLine} from './cli/output.ts';
import type {FlagValues} from './cli/parse/flag-values.ts';
import type {Engine} from './engine/api.ts';
import {Paths} from './engine/paths.ts';
import {isTerminal} from './kernel/terminal.ts';

/**
 * Opens the terminal UI. Without a terminal it makes sure that a container of the embedded image runs and
 * shows the dashboard once, so that a first start shows something anywhere.
 */
export const ui: CommandAction = async ({flags}, open) => {
	const terminal = isTerminal(0) && isTerminal(1);
	const warm = process.env.WHERRY_WARM === '1';
	const chosen = readOnce(flags);
	const once = flags.bool('once') || !(terminal || warm);
	const since = Date.now();
	const engine = open();
	// An error is reported by whoever awaits it.
	engine.catch(() => {});
	// Hundreds of files are read while the terminal UI is loaded.
	const {readAhead} = await import('./engine/containers/rows.ts');
	readAhead(Paths.fromEnvironment());
	const {runTui, rehearseTui} = await import('./tui/main.tsx');
	if (warm && !once) return await rehearseTui(engine);
	if (!terminal && !flags.bool('once')) await showSomething(await engine);
	// The image that a first start offers is made behind the first frame.
	const onShown = (): void => void engine.then((opened) => opened.images.ensureBase()).catch(() => {});
	return await runTui({engine, since, once: once ? chosen : undefined, onShown, commandLine: commandLine()});
};

interface OnceFlags {
	pane?: string | undefined;
	json: boolean;
	columns: number | undefined;
	rows: number | undefined;
}

/** How one frame is wanted; what isn't for one is an error without `--once`. */
function readOnce(flags: FlagValues): OnceFlags {
	const size = (name: string): number | undefined => {
		if (!flags.changed(name)) return undefined;
		const value = flags.number(name);
		if (!Number.isInteger(value) || value < 10 || value > 1000)
			throw new CliError(`invalid argument "${value}" for "--${name}" flag: it is from 10 to 1000`);
		return value;
	};
	const one = ['pane', 'json', 'width', 'height'].find((name) => flags.changed(name));
	if (one && !flags.bool('once')) throw new CliError(`--${one} is for --once`);
	const pane = flags.string('pane');
	return {
		pane: pane === '' ? undefined : pane,
		json: flags.bool('json'),
		columns: size('width'),
		rows: size('height'),
	};
}

/** What the palette runs. */
export const commandLine = () => ({
	commands: async () => (await import('./cli/commands/catalogue.ts')).catalogue(),
	program: [process.execPath, ...process.execArgv, process.argv[1]!],
});

const image = 'wherry/base';

async function showSomething(engine: Engine): Promise<void> {
	await engine.images.ensureBase();
	const running = await engine.containers.list({filters: {ancestor: [image]}});
	if (running.length > 0) return;
	const command = ['sh', '-c', 'echo "wherry carries this container"; exec sleep 2147483647'];
	const {id} = await engine.containers.create({image, config: {Cmd: command}, hostConfig: {Init: true}});
	await engine.containers.start(id);
	printLine(`started ${id.slice(0, 12)} from ${image}`);
}
