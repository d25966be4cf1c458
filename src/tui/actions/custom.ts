/** Commands of the user's own (config/config.ts). */
import type {CustomCommand} from '../config/config.ts';
import {filledWords} from '../config/template.ts';
import {textField} from '../input/text-field.ts';
import {keyOf} from '../keys.ts';
import {type ActionContext, commandLine, openDialog, showError, showMessage} from './context.ts';

let commands: readonly CustomCommand[] = [];

/** From the next key on. */
export function setCustomCommands(next: readonly CustomCommand[]): void {
	commands = next;
}

export const customCommand = (id: string): CustomCommand | undefined =>
	id.startsWith('custom.') ? commands.find((one) => one.id === id) : undefined;

/** Those of the list that is looked at, and those that are for none. */
export function showCustom(context: ActionContext): void {
	const {lastList} = context.store.state;
	const fitting = commands.filter((one) => one.context === lastList || one.context === 'global');
	if (fitting.length === 0) {
		showMessage(context, {
			tone: 'info',
			text:
				commands.length === 0
					? 'You have no commands of your own: "commands" in ~/.config/wherry/ui.json adds some.'
					: `None of your commands is for ${lastList}.`,
		});
		return;
	}
	openDialog(context, {
		kind: 'pick',
		title: 'Your commands',
		items: fitting.map(({id, name, words}) => ({
			id,
			label: name,
			note: [keyOf(id), commandLine(...words)].filter(Boolean).join('  '),
		})),
		filter: textField(),
		index: 0,
		submit: 'run',
		onPick: (id) => {
			runCustom(context, fitting.find((one) => one.id === id)!)?.catch((error) => showError(context, error));
		},
	});
}

export function runCustom(context: ActionContext, custom: CustomCommand): Promise<void> | undefined {
	const words = filledWords(custom.words, context.store.state, custom.context);
	if (!words) {
		showMessage(context, {tone: 'info', text: `${custom.name}: nothing is selected in ${custom.context}.`});
		return undefined;
	}
	if (!custom.confirm) return run(context, custom, words);
	openDialog(context, {
		kind: 'confirm',
		title: custom.name,
		lines: ['Run this?', `  ${commandLine(...words)}`],
		choices: [
			{id: 'no', label: 'No', key: 'n'},
			{id: 'run', label: 'Run', key: 'y'},
		],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'run') run(context, custom, words).catch((error) => showError(context, error));
		},
	});
	return undefined;
}

async function run(context: ActionContext, custom: CustomCommand, words: readonly string[]): Promise<void> {
	const code = await context.screen.runProgram(words);
	if (code !== 0 && code !== 130)
		showMessage(context, {tone: 'bad', text: `${custom.name} ended with exit code ${code}.`});
}
