/** The palette: every command of the panes, and every command of the command line with its arguments in a form. */
import {textField} from '../input/text-field.ts';
import type {Context} from '../keymap.ts';
import {keyLabel, paletteEntries} from '../keys.ts';
import {subjectOf} from '../panes/subject.ts';
import {isDetail, MAIN_LISTS} from '../store/details.ts';
import {focusPane} from '../store/reducers.ts';
import type {PickItem} from '../store/state.ts';
import {type ActionContext, commandLine, openDialog, remember, showError, showMessage} from './context.ts';
import {splitWords} from './run.ts';

/** A command of the command line. */
export interface CliCommand {
	name: string;
	usage: string;
	about: string;
}

const PANE = 'pane ';
const CLI = 'cli ';

export async function openPalette(context: ActionContext, run: (command: string) => void): Promise<void> {
	const entries = paletteEntries();
	const panes: PickItem[] = entries.map(({command, title, help, keys}) => ({
		id: PANE + command,
		label: `${title}: ${help}`,
		note: keys.map(keyLabel).join(' '),
	}));
	const commands = await context.screen.commands();
	const cli: PickItem[] = commands.map(({name, usage, about}) => ({
		id: CLI + name,
		label: `wherry ${name}`,
		note: about === '' ? usage : about,
	}));
	openDialog(context, {
		kind: 'pick',
		title: 'Commands',
		items: [...panes, ...cli],
		filter: textField(),
		index: 0,
		submit: 'run',
		onPick: (id) => {
			if (id.startsWith(CLI)) askArguments(context, commands.find(({name}) => CLI + name === id)!);
			else {
				const entry = entries.find(({command}) => PANE + command === id)!;
				goTo(context, entry.context);
				run(entry.command);
			}
		},
	});
}

/** A command acts on its own list's row. */
function goTo({store}: ActionContext, place: Context): void {
	const list = MAIN_LISTS.find((one) => one === place);
	if (list) store.update((state) => focusPane(state, list));
	else if (place === 'buildCache' || place === 'steps') store.update((state) => focusPane(state, place));
	else if (place === 'logs' || place === 'members' || place === 'users' || place === 'inspect')
		store.update((state) => (isDetail(place) ? focusPane(state, place) : state));
}

/** What the usage asks for, as the list that has it. */
const OBJECTS: [RegExp, (typeof MAIN_LISTS)[number]][] = [
	[/\bCONTAINER\b/, 'containers'],
	[/\bIMAGE\b/, 'images'],
	[/\bNETWORK\b/, 'networks'],
	[/\bVOLUME\b/, 'volumes'],
];

/** What is selected, where the command is for such a thing. */
export function suggestedArguments(usage: string, context: ActionContext): string {
	const {state} = context.store;
	const subject = subjectOf(state);
	const wanted = OBJECTS.find(([pattern]) => pattern.test(usage))?.[1];
	return subject && subject.list === wanted ? commandLine(subject.name) : '';
}

function askArguments(context: ActionContext, {name, usage}: CliCommand): void {
	openDialog(context, {
		kind: 'form',
		title: `wherry ${name}`,
		fields: [
			{id: 'words', label: 'Arguments', hint: usage, value: textField(suggestedArguments(usage, context))},
		],
		index: 0,
		submit: 'run',
		onSubmit: ({words: typed}) => {
			const words = splitWords(String(typed));
			if (!words) return 'A quote is not closed.';
			const all = [...name.split(' '), ...words];
			remember(context, ...all);
			context.screen
				.runCommand(all)
				.then((code) => {
					if (code !== 0 && code !== 130)
						showMessage(context, {tone: 'bad', text: `wherry ${name} ended with exit code ${code}.`});
				})
				.catch((error) => showError(context, error));
			return undefined;
		},
	});
}
