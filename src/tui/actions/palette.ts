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
	/** `type` is `bool`, or what a flag with a value takes: `string`, `list`, ... */
	flags?: readonly {name: string; about: string; type: string; default: string | undefined}[];
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

type Flag = NonNullable<CliCommand['flags']>[number];

/** Those that may be there several times take several words. */
const REPEATED = /list|map|filter|Array|Slice|ulimit/;

const isOn = ({default: value}: Flag): boolean => value === 'true';

/** The words of what a form says of the flags, or why it can't be done. Pure. */
export function flagWords(
	flags: readonly Flag[],
	values: Readonly<Record<string, string | boolean>>,
): string[] | string {
	const words: string[] = [];
	for (const flag of flags) {
		const value = values[`--${flag.name}`];
		if (typeof value === 'boolean') {
			if (value !== isOn(flag)) words.push(value ? `--${flag.name}` : `--${flag.name}=false`);
			continue;
		}
		const text = (value ?? '').trim();
		if (text === '') continue;
		const split = REPEATED.test(flag.type) ? splitWords(text) : [text];
		if (!split) return `--${flag.name}: a quote is not closed.`;
		// With the equals sign: a value may begin with a dash.
		words.push(...split.map((one) => `--${flag.name}=${one}`));
	}
	return words;
}

function askArguments(context: ActionContext, {name, usage, flags = []}: CliCommand): void {
	const wanted = usage.replace(/^\[OPTIONS\] ?/, '');
	openDialog(context, {
		kind: 'form',
		title: `wherry ${name}`,
		fields: [
			...(wanted === '' && flags.length > 0
				? []
				: [
						{
							...{id: 'words', label: 'Arguments', hint: wanted},
							value: textField(suggestedArguments(usage, context)),
						},
					]),
			...flags.map((flag) => ({
				id: `--${flag.name}`,
				label: `--${flag.name}`,
				hint: flag.about,
				value: flag.type === 'bool' ? isOn(flag) : textField(),
			})),
		],
		index: 0,
		submit: 'run',
		onSubmit: (values) => {
			const words = splitWords(String(values.words ?? ''));
			if (!words) return 'A quote is not closed.';
			const options = flagWords(flags, values);
			if (typeof options === 'string') return options;
			const all = [...name.split(' '), ...options, ...words];
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
