/** What can be done to volumes. Each has the command line that does the same. */

import {humanSize} from '../../cli/format/size.ts';
import type {VolumeSummary} from '../../engine/api.ts';
import {textField} from '../input/text-field.ts';
import {containerName} from '../panes/containers.ts';
import {usersOf, volumeName} from '../panes/volumes.ts';
import {setList, setVolumes} from '../store/reducers.ts';
import type {Choice} from '../store/state.ts';
import {type ActionContext, forEachRow, openDialog, remember, showError, showMessage} from './context.ts';
import {splitWords} from './run.ts';

const NO: Choice = {id: 'no', label: 'No', key: 'n'};

export interface VolumeRequest {
	name: string;
	options: Record<string, string>;
	labels: Record<string, string>;
}

export function askCreateVolume(context: ActionContext): void {
	openDialog(context, {
		kind: 'form',
		title: 'Create a volume',
		fields: [
			{id: 'name', label: 'Name', hint: 'made up when empty', value: textField()},
			{id: 'options', label: 'Options', hint: 'type=tmpfs device=tmpfs o=size=100m', value: textField()},
			{id: 'labels', label: 'Labels', hint: 'KEY=value', value: textField()},
		],
		index: 0,
		submit: 'create',
		onSubmit: (values) => {
			const request = readVolumeForm(values);
			if (typeof request === 'string') return request;
			void createVolume(context, request);
			return undefined;
		},
	});
}

/** What the form says, or why it can't be done. */
export function readVolumeForm(values: Record<string, string | boolean>): VolumeRequest | string {
	const options = splitWords(String(values.options));
	const labels = splitWords(String(values.labels));
	if (!options || !labels) return 'A quote is not closed.';
	const wrong = [...options, ...labels].find((pair) => pair.startsWith('='));
	if (wrong !== undefined) return `${wrong}: a name is missing before the =.`;
	const bare = options.find((pair) => !pair.includes('='));
	if (bare !== undefined) return `${bare}: options are KEY=value.`;
	return {name: String(values.name).trim(), options: pairs(options), labels: pairs(labels)};
}

const pairs = (words: readonly string[]): Record<string, string> =>
	Object.fromEntries(
		words.map((word) => {
			const equals = word.indexOf('=');
			return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
		}),
	);

export function createCommand({name, options, labels}: VolumeRequest): string[] {
	return [
		...['volume', 'create'],
		...Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
		...Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]),
		...(name === '' ? [] : [name]),
	];
}

async function createVolume(context: ActionContext, request: VolumeRequest): Promise<void> {
	const {engine, store} = context;
	const {name, options, labels} = request;
	remember(context, ...createCommand(request));
	try {
		const {Name} = await engine.volumes.create({...(name === '' ? {} : {name}), options, labels});
		// Its row is read at once, so that it is there to be selected before its event comes.
		const volumes = await engine.volumes.list();
		store.update((state) => setList(setVolumes(state, volumes), 'volumes', {selected: Name}));
	} catch (error) {
		showError(context, error);
	}
}

/** `web, db and 3 more`. */
function someNames(names: readonly string[]): string {
	const shown = names.slice(0, 3).join(', ');
	return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

export function removeVolumes(context: ActionContext, rows: readonly VolumeSummary[]): void {
	const {state} = context.store;
	const names = rows.map(({Name}) => Name);
	const users = [
		...new Set(names.flatMap((name) => usersOf(state, name).map(({container}) => containerName(container)))),
	];
	openDialog(context, {
		kind: 'confirm',
		title: rows.length === 1 ? 'Remove volume' : `Remove ${rows.length} volumes`,
		lines: [
			`Remove ${someNames(names.map(volumeName))}?`,
			'All that is in it will be lost.',
			...(users.length > 0 ? [`It can’t be removed while ${someNames(users)} has it.`] : []),
		],
		choices: [NO, {id: 'remove', label: 'Remove', key: 'y'}],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'no') return;
			remember(context, 'volume', 'rm', ...names);
			void forEachRow(
				context,
				rows.map(({Name}) => ({Id: Name})),
				'removing',
				({Id}) => context.engine.volumes.remove(Id),
			);
		},
	});
}

export function pruneVolumes(context: ActionContext): void {
	const {state} = context.store;
	const unused = state.volumes.filter(({Name}) => usersOf(state, Name).length === 0);
	openDialog(context, {
		kind: 'confirm',
		title: 'Remove volumes that nobody uses',
		lines: [
			unused.length === 0
				? 'Every volume is used by a container.'
				: `Of ${state.volumes.length} volumes ${unused.length} are used by no container:`,
			...unused.slice(0, 8).map(({Name}) => `  ${volumeName(Name)}`),
			...(unused.length > 8 ? [`  and ${unused.length - 8} more`] : []),
			'All that is in those that go will be lost.',
		],
		choices: [
			NO,
			{id: 'anonymous', label: 'Those without a name', key: 'y'},
			{id: 'all', label: 'All that are unused', key: 'a'},
		],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'no') return;
			const all = choice === 'all';
			remember(context, 'volume', 'prune', '-f', ...(all ? ['-a'] : []));
			context.engine.volumes
				.prune({filters: all ? {all: ['true']} : {}})
				.then(({VolumesDeleted, SpaceReclaimed}) =>
					showMessage(context, {
						tone: 'good',
						text: `Removed ${VolumesDeleted.length} volume${VolumesDeleted.length === 1 ? '' : 's'}, ${humanSize(SpaceReclaimed)} freed.`,
					}),
				)
				.catch((error) => showError(context, error));
		},
	});
}
