/** What can be done with the log that is shown. */
import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {textField} from '../input/text-field.ts';
import {containerName} from '../panes/containers.ts';
import {matchingLines} from '../store/log-search.ts';
import {setLogs} from '../store/reducers.ts';
import type {LogState} from '../store/state.ts';
import {sinceSeconds, sinceText} from '../text/since.ts';
import {type ActionContext, openDialog, remember, showError, showMessage} from './context.ts';

/** What can be chosen of the past, in seconds. */
const PAST = [60, 300, 900, 1800, 3600, 6 * 3600, 86_400];

/** Asks from when on lines are read. */
export function askSince(context: ActionContext): void {
	const {since} = context.store.state.logs;
	const set = (seconds: number | undefined): void => {
		context.store.update((state) => setLogs(state, {since: seconds}));
		const {sources} = context.store.state.logs;
		const row = sources.length === 1 ? context.store.state.containers.get(sources[0]!) : undefined;
		const flag = seconds === undefined ? [] : ['--since', sinceText(seconds)];
		if (row) remember(context, 'logs', '-f', ...flag, containerName(row));
		context.logs.reload();
	};
	openDialog(context, {
		kind: 'pick',
		title: 'Lines since when?',
		items: [
			{id: '', label: 'the last lines', note: since === undefined ? 'now' : ''},
			...PAST.map((seconds) => ({
				id: String(seconds),
				label: `the last ${sinceText(seconds)}`,
				note: since === seconds ? 'now' : '',
			})),
			{id: 'other', label: 'another time…', note: ''},
		],
		filter: textField(),
		index: since === undefined ? 0 : Math.max(0, PAST.indexOf(since) + 1),
		submit: 'shows them',
		onPick: (id) => {
			if (id !== 'other') return set(id === '' ? undefined : Number(id));
			openDialog(context, {
				kind: 'form',
				title: 'Lines since when?',
				fields: [{id: 'since', label: 'The last', hint: '90s, 5m, 1h30m, 2d', value: textField()}],
				index: 0,
				submit: 'shows them',
				onSubmit: ({since: text}) => {
					const seconds = sinceSeconds(String(text));
					if (seconds === undefined) return 'A time is like 90s, 5m, 1h30m or 2d.';
					set(seconds);
					return undefined;
				},
			});
		},
	});
}

/**
 * The lines that are there (those that match, where only those are shown), as the container wrote them; of several
 * with the name of each before them.
 */
export function logLines(logs: LogState, names: readonly string[] = []): string[] {
	const {buffer} = logs;
	const numbers =
		logs.only && logs.search !== ''
			? matchingLines(logs)
			: Array.from({length: buffer.total - buffer.first}, (_, index) => buffer.first + index);
	return numbers.map((number) => {
		const {time, text, source} = buffer.at(number)!;
		const name = source === undefined || names[source] === undefined ? '' : `${names[source]} `;
		return `${name}${logs.timestamps && time !== '' ? `${time} ` : ''}${text.replace(/\r?\n$/, '')}`;
	});
}

export function saveLogs(context: ActionContext): void {
	const {logs, containers} = context.store.state;
	const names = logs.sources.map((id) => {
		const row = containers.get(id);
		return row ? containerName(row) : id.slice(0, 12);
	});
	const [first] = names;
	if (first === undefined) {
		showMessage(context, {tone: 'info', text: 'No container is selected.'});
		return;
	}
	// As they are now: more may come while the name is typed.
	const lines = logLines(logs, names);
	const whose = names.length > 1 ? `${names.length} containers` : first;
	openDialog(context, {
		kind: 'form',
		title: `Save ${lines.length} lines of ${whose}`,
		fields: [{id: 'file', label: 'File', value: textField(`${first}.log`)}],
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
