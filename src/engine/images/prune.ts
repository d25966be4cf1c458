/**
 * `image prune`: images without a name, or with `dangling=false` all that no container uses. An image that
 * somebody is bringing in is protected by his lease, one that a container uses stays with all of its names.
 */
import type {Filters} from '../api.ts';
import {truthOf} from '../filters.ts';
import {pruneTest} from '../prune-filter.ts';
import type {Image} from '../store/catalog.ts';
import {createdTime} from './filters.ts';
import type {ImageUser} from './remove.ts';

/** The images that go, oldest last. */
export function prunable(images: readonly Image[], users: readonly ImageUser[], filters: Filters): Image[] {
	const goes = pruneTest(filters, ['dangling', 'label', 'label!', 'until']);
	const danglingOnly = truthOf(filters, 'dangling') ?? true;
	const used = new Set(users.map(({image}) => image));
	return images
		.filter(
			(image) =>
				!image.ids.some((id) => used.has(id)) &&
				(!danglingOnly || image.references.every(({digest}) => digest !== undefined)) &&
				goes(image.labels, createdTime(image)),
		)
		.toSorted((a, b) => createdTime(b) - createdTime(a));
}
