/** Words of the user's commands with `{{field}}` in them, filled in from the selected row. Pure. */
import {containerName} from '../panes/containers.ts';
import {imageReference} from '../panes/images.ts';
import {
	chosenRows,
	selectedContainer,
	selectedImage,
	selectedNetwork,
	selectedVolume,
} from '../panes/index.ts';
import type {State} from '../store/state.ts';
import type {CustomContext} from './config.ts';

type Fields = Readonly<Record<string, string>>;

/** What each list's row has; `ids` and `names` are those of all marked rows, each a word. */
const FIELDS: Readonly<Record<CustomContext, readonly string[]>> = {
	containers: ['id', 'name', 'image', 'state', 'network', 'ids', 'names'],
	images: ['id', 'name', 'repository', 'tag', 'names'],
	networks: ['id', 'name', 'driver'],
	volumes: ['name', 'mountpoint', 'names'],
	global: [],
};

const FIELD = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** Fields that there are not, `ids` and `names` within a word among them. */
export function unknownFields(words: readonly string[], context: CustomContext): string[] {
	return words.flatMap((word) =>
		[...word.matchAll(FIELD)]
			.map(([whole, name]) => ({name: name!, alone: whole === word}))
			.filter(({name, alone}) => !FIELDS[context].includes(name) || (/^(ids|names)$/.test(name) && !alone))
			.map(({name}) => name),
	);
}

function fieldsOf(state: State, context: CustomContext): Fields | undefined {
	switch (context) {
		case 'containers': {
			const row = selectedContainer(state);
			return (
				row && {
					id: row.Id,
					name: containerName(row),
					image: row.Image,
					state: row.State,
					network: row.HostConfig.NetworkMode,
				}
			);
		}
		case 'images': {
			const row = selectedImage(state);
			return row && {id: row.image.Id, name: imageReference(row), repository: row.repository, tag: row.tag};
		}
		case 'networks': {
			const row = selectedNetwork(state);
			return row && {id: row.Id, name: row.Name, driver: row.Driver};
		}
		case 'volumes': {
			const row = selectedVolume(state);
			return row && {name: row.Name, mountpoint: row.Mountpoint};
		}
		default:
			return {};
	}
}

function several(state: State, context: CustomContext): {ids: string[]; names: string[]} {
	if (context === 'containers') {
		const rows = chosenRows(state, 'containers');
		return {ids: rows.map(({Id}) => Id), names: rows.map(containerName)};
	}
	if (context === 'images') return {ids: [], names: chosenRows(state, 'images').map(imageReference)};
	if (context === 'volumes') return {ids: [], names: chosenRows(state, 'volumes').map(({Name}) => Name)};
	return {ids: [], names: []};
}

/** The words as they are run: a value never becomes more than its place in a word. Undefined without a row. */
export function filledWords(
	words: readonly string[],
	state: State,
	context: CustomContext,
): readonly string[] | undefined {
	const fields = fieldsOf(state, context);
	if (!fields) return undefined;
	const many = several(state, context);
	return words.flatMap((word) => {
		const alone = /^\{\{\s*(ids|names)\s*\}\}$/.exec(word)?.[1] as 'ids' | 'names' | undefined;
		return alone ? many[alone] : [word.replaceAll(FIELD, (_, name: string) => fields[name] ?? '')];
	});
}
