/**
 * `image prune`: images without a name, or with `dangling=false` all that no container uses. An image that
 * somebody is bringing in is protected by his lease, one that a container uses stays with all of its names.
 */
import type {Filters} from '../api.ts';
import {WherryError} from '../errors.ts';
import {truthOf} from '../filters.ts';
import type {Paths} from '../paths.ts';
import {pruneTest} from '../prune-filter.ts';
import type {Image} from '../store/catalog.ts';
import {chainIds} from '../store/digest.ts';
import {findLayers} from '../store/layers.ts';
import {createdTime} from './filters.ts';
import {lookup} from './lookup.ts';
import {
	exclusiveLayers,
	hasChildren,
	type ImageUser,
	inOrder,
	planParent,
	planRemoval,
	type Removal,
	removalLines,
} from './remove.ts';

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

interface Planned {
	readonly image: Image;
	readonly removal: Removal;
}

type Lines = ({Untagged: string} | {Deleted: string})[];

/** Bytes that the files of these layers of an image hold. */
function spaceOf(paths: Paths, image: Image, layers: readonly string[]): number {
	const chain = chainIds(image.diffIds);
	return findLayers(paths, image.diffIds)
		.map((layer, at) => (layers.includes(chain[at]!) ? (layer?.size ?? 0) : 0))
		.reduce((sum, size) => sum + size, 0);
}

/** What a prune would do now. A layer that several images have goes with the last of them. */
export function previewPrune(
	paths: Paths,
	images: readonly Image[],
	users: readonly ImageUser[],
	filters: Filters,
): {ImagesDeleted: Lines; SpaceReclaimed: number} {
	let known = images;
	const lines: Lines = [];
	let space = 0;
	for (const image of prunable(images, users, filters)) {
		const layers = exclusiveLayers(known, image);
		lines.push(...removalLines(image, {untagged: inOrder(image.references), deleted: true, layers}));
		space += spaceOf(paths, image, layers);
		known = known.filter(({id}) => id !== image.id);
	}
	return {ImagesDeleted: lines, SpaceReclaimed: space};
}

/** What removing these one after the other would do now; `failures`: why some of them would stay, in their order. */
export function previewRemoval(
	paths: Paths,
	images: readonly Image[],
	users: readonly ImageUser[],
	texts: readonly string[],
	force: boolean,
): {ImagesDeleted: Lines; SpaceReclaimed: number; failures: WherryError[]} {
	let known = [...images];
	const failures: WherryError[] = [];
	const lines: Lines = [];
	let space = 0;
	for (const text of texts) {
		try {
			const {image, ...named} = lookup(known, text);
			let next: Planned | undefined = {
				image,
				removal: planRemoval(known, {image, ...named}, text, users, force),
			};
			while (next) {
				const {image: taken, removal}: Planned = next;
				lines.push(...removalLines(taken, removal));
				space += spaceOf(paths, taken, removal.layers);
				const references = taken.references.filter((each) => !removal.untagged.includes(each));
				known = known.flatMap((each) =>
					each.id !== taken.id ? each : removal.deleted ? [] : {...taken, references},
				);
				const parent: string | undefined = removal.deleted ? taken.parent : undefined;
				next = parent === undefined ? undefined : planParent(known, parent, users);
			}
		} catch (error) {
			if (!(error instanceof WherryError)) throw error;
			failures.push(error);
		}
	}
	return {ImagesDeleted: lines, SpaceReclaimed: space, failures};
}
