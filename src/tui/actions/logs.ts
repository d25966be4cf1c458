/** What can be done with the log that is shown. */
import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {textField} from '../input/text-field.ts';
import {containerName} from '../panes/containers.ts';
import {matchingLines} from '../store/log-search.ts';
import type {LogState} from '../store/state.ts';
import {type ActionContext, openDialog, showError, showMessage} from './context.ts';

/** The lines that are there (those that match, where only those are shown), as the container wrote them. */
export function logLines(logs: LogState): string[] {
	const {buffer} = logs;
	const numbers =
		logs.only && logs.search !== ''
			? matchingLines(logs)
			: Array.from({length: buffer.total - buffer.first}, (_, index) => buffer.first + index);
	return numbers.map((number) => {
		const {time, text} = buffer.at(number)!;
		return `${logs.timestamps && time !== '' ? `${time} ` : ''}${text.replace(/\r?\n$/, '')}`;
	});
}

export function saveLogs(context: ActionContext): void {
	const {logs, containers} = context.store.state;
	const row = containers.get(logs.container ?? '');
	if (!row) {
		showMessage(context, {tone: 'info', text: 'No container is selected.'});
		return;
	}
	// As they are now: more may come while the name is typed.
	const lines = logLines(logs);
	openDialog(context, {
		kind: 'form',
		title: `Save ${lines.length} lines of ${containerName(row)}`,
		fields: [{id: 'file', label: 'File', value: textField(`${containerName(row)}.log`)}],
		index: 0,
		submit: 'save',
		onSubmit: ({file}) => {
			const name = String(file).trim();
			if (name === '') return 'The name is empty.';
			const path = resolve(name);
			// What is there already stays.
			writeFile(path, lines.map((line) => `${line}\n`).join(''), {flag: 'wx'})
				.then(() => showMessage(context, {tone: 'good', text: `Saved ${lines.length} lines to ${path}`}))
				.catch((error) => showError(context, error));
			return undefined;
		},
	});
}
