/**
 * `image prune`: images without a name, or with `dangling=false` all that no container uses. An image that
 * somebody is bringing in is protected by his lease, one that a container uses stays with all of its names.
 */
import type {Filters} from '../api.ts';
import {truthOf} from '../filters.ts';
import type {Paths} from '../paths.ts';
import {pruneTest} from '../prune-filter.ts';
import type {Image} from '../store/catalog.ts';
import {chainIds} from '../store/digest.ts';
import {findLayers} from '../store/layers.ts';
import {createdTime} from './filters.ts';
import {exclusiveLayers, hasChildren, type ImageUser, removalLines} from './remove.ts';

/** The images that go, oldest last. */
export function prunable(images: readonly Image[], users: readonly ImageUser[], filters: Filters): Image[] {
	const goes = pruneTest(filters, ['dangling', 'label', 'label!', 'until']);
	const danglingOnly = truthOf(filters, 'dangling') ?? true;
	const used = new Set(users.map(({image}) => image));
	return images
		.filter(
			(image) =>
				!image.ids.some((id) => used.has(id)) &&
				!(image.references.length === 0 && hasChildren(images, image)) &&
				(!danglingOnly || image.references.every(({digest}) => digest !== undefined)) &&
				goes(image.labels, createdTime(image)),
		)
		.toSorted((a, b) => createdTime(b) - createdTime(a));
}

/** What a prune would do now. A layer that several images have goes with the last of them. */
export function previewPrune(
	paths: Paths,
	images: readonly Image[],
	users: readonly ImageUser[],
	filters: Filters,
): {ImagesDeleted: ({Untagged: string} | {Deleted: string})[]; SpaceReclaimed: number} {
	let known = images;
	const lines: ({Untagged: string} | {Deleted: string})[] = [];
	let space = 0;
	for (const image of prunable(images, users, filters)) {
		const layers = exclusiveLayers(known, image);
		const chain = chainIds(image.diffIds);
		lines.push(...removalLines(image, {untagged: image.references, deleted: true, layers}));
		for (const [at, layer] of findLayers(paths, image.diffIds).entries())
			if (layers.includes(chain[at]!)) space += layer?.size ?? 0;
		known = known.filter(({id}) => id !== image.id);
	}
	return {ImagesDeleted: lines, SpaceReclaimed: space};
}
