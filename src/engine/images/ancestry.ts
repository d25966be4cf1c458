/**
 * Which images were made from another one. An image doesn't name its parent, but it starts with all of its layers
 * and with the whole history of it.
 */
import type {Image} from '../store/catalog.ts';
import type {Configuration} from '../store/manifest.ts';

const startsWith = (all: readonly string[], first: readonly string[]): boolean =>
	all.length >= first.length && first.every((item, at) => item === all[at]);

const historyOf = ({history}: Configuration): string[] => history.map((entry) => JSON.stringify(entry));

/** The ids, the ancestor's own first. */
export async function descendantsOf(
	images: readonly Image[],
	ancestor: Image,
	load: (image: Image) => Promise<Configuration>,
): Promise<string[]> {
	const ids = [ancestor.id];
	const rest = images.filter(
		({id, diffIds}) => id !== ancestor.id && startsWith(diffIds, ancestor.diffIds) && diffIds.length > 0,
	);
	if (rest.length === 0) return ids;
	const history = historyOf(await load(ancestor));
	for (const image of rest) {
		const own = historyOf(await load(image).catch(() => ({history: []}) as unknown as Configuration));
		// Without a history all that is known is the layers, and the same layers say nothing.
		const more = image.diffIds.length > ancestor.diffIds.length || own.length > history.length;
		if (more && startsWith(own, history)) ids.push(image.id);
	}
	return ids;
}
