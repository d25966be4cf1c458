/** The user's configuration as the terminal UI takes it over, and as it tells of it. */
import {configPath, type UiConfig} from '../config/config.ts';
import {KEYMAP} from '../keymap.ts';
import {setTable} from '../keys.ts';
import {setLogs} from '../store/reducers.ts';
import type {State} from '../store/state.ts';
import {setTheme} from '../theme.ts';
import {type ActionContext, openDialog} from './context.ts';
import {setCustomCommands} from './custom.ts';

let current: UiConfig | undefined;

/** The first state with what is configured; keys, colours and commands from now on. */
export function applyConfig(state: State, config: UiConfig): State {
	current = config;
	setTheme(config.theme, config.colours);
	setTable(config.table ?? KEYMAP);
	setCustomCommands(config.commands);
	return setLogs(
		{
			...state,
			mouse: config.mouse,
			hideStopped: config.hideStopped,
			usage: {...state.usage, listed: config.usage},
			split: {...state.split, ...(config.split === undefined ? {} : {columns: config.split})},
		},
		config.logs,
	);
}

/** One line: the first problem, and how many more there are. */
export function problemText({problems}: UiConfig): string {
	const [first = ''] = problems;
	return problems.length > 1 ? `${first} (and ${problems.length - 1} more; , shows all)` : first;
}

export function showConfig(context: ActionContext): void {
	const {problems = [], commands = []} = current ?? {};
	const line = (name: string, text: string) => ({name, text});
	openDialog(context, {
		kind: 'text',
		title: 'Configuration',
		lines: [
			line('file', configPath()),
			line('problems', problems.length === 0 ? 'none' : String(problems.length)),
			...problems.map((problem) => line('', problem)),
			line(
				'commands',
				commands.length === 0 ? 'none of your own' : commands.map(({name}) => name).join(', '),
			),
			line('theme', 'theme: terminal, dark, light, 16 or mono; colours: {"accent": "#5fd7ff"}'),
			line('mouse', 'mouse: true'),
			line('keys', 'keys: {"container.stop": ["s", "ctrl-x"]}; the README names all commands'),
			line(
				'commands',
				'commands: [{"name": "Logs to less", "command": "sh -c \'wherry logs {{name}} | less\'"}]',
			),
		],
		top: 0,
	});
}
