/** Which image somebody means: docker's order is whole id, name, then the beginning of an id. */
import {WherryError} from '../errors.ts';
import type {Image} from '../store/catalog.ts';
import {familiar, parseAny, type Reference, storedName, withDefaultTag} from './reference.ts';

export interface Lookup {
	readonly image: Image;
	/** The name that was found; absent when it was an id. */
	readonly reference?: Reference;
	/** The id that was found: of an index kept whole it may be that of another platform's image. */
	readonly id?: string;
}

export const noSuchImage = (text: string): WherryError =>
	new WherryError('not-found', `No such image: ${text}`, {object: text});

const idPrefix = /^(?:sha256:)?([a-f0-9]{1,64})$/;

/** Throws `not-found`: `No such image: x:latest`, and `invalid` for what can't be a name. */
export function lookup(images: readonly Image[], text: string): Lookup {
	const any = parseAny(text);
	if ('id' in any) {
		const image = images.find(({ids}) => ids.includes(any.id));
		if (image) return {image, id: any.id};
		throw noSuchImage(any.id);
	}
	const wanted = storedName(any);
	for (const image of images) {
		const reference = image.references.find((known) => storedName(known) === wanted);
		if (reference) return {image, reference};
	}
	const prefix = idPrefix.exec(text)?.[1];
	const begins = (id: string) => id.startsWith(`sha256:${prefix}`);
	const found =
		prefix === undefined
			? []
			: images.flatMap((image) => image.ids.filter(begins).map((id): Lookup => ({image, id})));
	if (found.length > 1)
		throw new WherryError('conflict', `multiple IDs found with provided prefix: ${text}`, {object: text});
	if (found.length === 1) return found[0]!;
	throw noSuchImage(familiar(withDefaultTag(any)));
}

/** The manifests of the image that was found, that which the name means first: others may have the same configuration. */
export function manifestsOf({image, reference}: Lookup): string[] {
	const named =
		reference &&
		image.entries.find((entry) => entry.reference && storedName(entry.reference) === storedName(reference));
	return [...new Set([...(named ? [named.descriptor.digest] : []), ...image.manifests])];
}

/** As `RepoTags` and `RepoDigests` have them. */
export const tagsOf = (references: readonly Reference[]): string[] =>
	references
		.filter(({digest}) => digest === undefined)
		.map(familiar)
		.sort();

export const digestsOf = (references: readonly Reference[]): string[] =>
	references
		.filter(({digest}) => digest !== undefined)
		.map(familiar)
		.sort();
