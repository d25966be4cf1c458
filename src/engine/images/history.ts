/** `history`: the steps that an image's configuration remembers, with the size of each one's layer. */
import type {HistoryItem} from '../api.ts';
import type {Image} from '../store/catalog.ts';
import type {Configuration} from '../store/manifest.ts';
import {createdSeconds} from './filters.ts';
import {tagsOf} from './lookup.ts';

/** Newest first. `layers`: the sizes of layers, lowest first, undefined where one is not known. */
export function historyOf(
	image: Image,
	configuration: Configuration,
	layers: readonly (number | undefined)[],
): HistoryItem[] {
	// Images of some builders remember nothing, and others less than they have layers.
	const {history} = configuration;
	const steps =
		history.filter((step) => !step.empty_layer).length >= layers.length
			? history
			: [
					...history,
					...layers
						.slice(history.filter((step) => !step.empty_layer).length)
						.map(() => ({...(configuration.created ? {created: configuration.created} : {})})),
				];
	let layer = 0;
	const items = steps.map((step): HistoryItem => {
		const size = 'empty_layer' in step && step.empty_layer ? 0 : (layers[layer++] ?? 0);
		const {
			created,
			created_by: by,
			comment,
		} = step as {created?: string; created_by?: string; comment?: string};
		return {
			Id: '<missing>',
			Created: createdSeconds(created ?? ''),
			CreatedBy: by ?? '',
			Tags: null,
			Size: size,
			Comment: comment ?? '',
		};
	});
	const newest = items.at(-1);
	if (newest) {
		newest.Id = image.id;
		const tags = tagsOf(image.references);
		newest.Tags = tags.length > 0 ? tags : null;
	}
	return items.reverse();
}
