import type {CommandAction} from './cli/face.ts';
import {printLine} from './cli/output.ts';
import type {Engine} from './engine/api.ts';

/**
 * Opens the terminal UI. Without a terminal it makes sure that a container of the embedded image runs and
 * shows the dashboard once, so that a first start shows something anywhere.
 */
export const ui: CommandAction = async ({flags}, open) => {
	const terminal = process.stdin.isTTY && process.stdout.isTTY;
	const warm = process.env.WHERRY_WARM === '1';
	const once = flags.bool('once') || !(terminal || warm);
	const engine = open();
	// An error is reported by whoever awaits it.
	engine.catch(() => {});
	const {runTui, rehearseTui} = await import('./tui/main.tsx');
	if (warm && !once) return await rehearseTui(engine);
	if (!terminal && !flags.bool('once')) await showSomething(await engine);
	// The image that a first start offers is made behind the first frame.
	const onShown = (): void => void engine.then((opened) => opened.images.ensureBase()).catch(() => {});
	return await runTui({engine, once, onShown, commandLine: commandLine()});
};

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
