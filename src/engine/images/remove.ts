/**
 * Removing images by docker's rules (daemon/images/image_delete.go describes them): a name is untagged, and
 * the image goes with its last name; an id goes with all its names when they are of one repository.
 */
import {WherryError} from '../errors.ts';
import type {Image} from '../store/catalog.ts';
import {chainIds, shortId} from '../store/digest.ts';
import type {Lookup} from './lookup.ts';
import {canonicalName, familiar, type Reference, storedName} from './reference.ts';

export interface ImageUser {
	readonly id: string;
	/** `sha256:...` */
	readonly image: string;
	readonly running: boolean;
}

export interface Removal {
	/** Names to take away, in the order of docker's lines. */
	readonly untagged: readonly Reference[];
	/** The image goes too. */
	readonly deleted: boolean;
	/** Chain ids of the layers that go with it, topmost first: those that neither another image nor a container has. */
	readonly layers: readonly string[];
}

/** Whether an image was committed from this one. */
export const hasChildren = (images: readonly Image[], {ids}: Image): boolean =>
	images.some(({parent}) => parent !== undefined && ids.includes(parent));

/** The names of an image as docker takes them away: in the order of their letters, a tag before a digest. */
export const inOrder = (references: readonly Reference[]): Reference[] =>
	references.toSorted((left, right) => (storedName(left) < storedName(right) ? -1 : 1));

const isDigested = (reference: Reference): boolean => reference.digest !== undefined;

/** All names are one tag, or digests, of one repository. */
function isSingle(references: readonly Reference[]): boolean {
	if (references.length <= 1) return true;
	const tags = references.filter((reference) => !isDigested(reference));
	if (tags.length > 1) return false;
	const single = canonicalName(tags[0] ?? references[0]!);
	const repositories = new Set(references.filter(isDigested).map(canonicalName));
	return repositories.size === 1 && repositories.has(single);
}

interface Conflict {
	readonly message: string;
	readonly hard: boolean;
	readonly used: boolean;
}

function conflictOf(
	references: readonly Reference[],
	users: readonly ImageUser[],
	check: {stopped: boolean; names: boolean; child: boolean},
): Conflict | undefined {
	if (check.child) return {hard: true, used: false, message: 'image has dependent child images'};
	const running = users.find((user) => user.running);
	if (running)
		return {
			hard: true,
			used: true,
			message: `image is being used by running container ${shortId(running.id)}`,
		};
	if (check.names && references.length > 0)
		return {hard: false, used: false, message: 'image is referenced in multiple repositories'};
	if (check.stopped && users.length > 0)
		return {
			hard: false,
			used: true,
			message: `image is being used by stopped container ${shortId(users[0]!.id)}`,
		};
	return undefined;
}

const conflictError = (image: Image, {message, hard}: Conflict): WherryError =>
	new WherryError(
		'conflict',
		`conflict: unable to delete ${shortId(image.id)} (${hard ? 'cannot be forced' : 'must be forced'}) - ${message}`,
		{object: image.id},
	);

/** What removing does, or the conflict that forbids it. `text` is as the user wrote it. */
export function planRemoval(
	images: readonly Image[],
	{image, reference}: Lookup,
	text: string,
	allUsers: readonly ImageUser[],
	force: boolean,
): Removal {
	const child = hasChildren(images, image);
	const users = allUsers.filter((user) => image.ids.includes(user.image));
	const untagged: Reference[] = [];
	let rest = inOrder(image.references);
	const untag = (gone: readonly Reference[]) => {
		untagged.push(...gone);
		rest = rest.filter((each) => !gone.includes(each));
	};
	if (reference) {
		if (!force && isSingle(image.references) && users.length > 0)
			throw new WherryError(
				'conflict',
				`conflict: unable to remove repository reference "${text}" (must force) - container ${shortId(users[0]!.id)} is using its referenced image ${shortId(image.id)}`,
				{object: text},
			);
		untag([reference]);
		const repository = canonicalName(reference);
		if (
			!isDigested(reference) &&
			!rest.some((each) => !isDigested(each) && canonicalName(each) === repository)
		)
			untag(rest.filter((each) => canonicalName(each) === repository));
		if (rest.length > 0) return {untagged, deleted: false, layers: []};
	} else if (isSingle(rest)) {
		const conflict = conflictOf(rest, users, {stopped: !force, names: false, child});
		if (conflict) throw conflictError(image, conflict);
		untag(rest);
	}
	const conflict = conflictOf(rest, users, {stopped: !force, names: !force, child});
	if (conflict) {
		// The name is gone, which is what was asked for; the image stays for whoever uses it.
		if (reference && (conflict.used || child)) return {untagged, deleted: false, layers: []};
		throw conflictError(image, conflict);
	}
	untag(rest);
	// The layers of a container stay until it goes.
	return {untagged, deleted: true, layers: users.length > 0 ? [] : exclusiveLayers(images, image)};
}

/** docker: what an image was made from goes with it when it has no name and nobody needs it. */
export function planParent(
	images: readonly Image[],
	id: string,
	users: readonly ImageUser[],
): {image: Image; removal: Removal} | undefined {
	const image = images.find(({ids}) => ids.includes(id));
	if (!image || image.references.length > 0 || hasChildren(images, image)) return undefined;
	if (users.some((user) => image.ids.includes(user.image))) return undefined;
	return {image, removal: {untagged: [], deleted: true, layers: exclusiveLayers(images, image)}};
}

/** Chain ids of the layers that no other image has, topmost first. */
export function exclusiveLayers(images: readonly Image[], image: Image): string[] {
	const others = new Set(images.filter(({id}) => id !== image.id).flatMap(({diffIds}) => chainIds(diffIds)));
	return chainIds(image.diffIds)
		.filter((chainId) => !others.has(chainId))
		.reverse();
}

/** docker's lines. */
export const removalLines = (image: Image, removal: Removal): ({Untagged: string} | {Deleted: string})[] => [
	...removal.untagged.map((reference) => ({Untagged: familiar(reference)})),
	...(removal.deleted ? [{Deleted: image.id}, ...removal.layers.map((chainId) => ({Deleted: chainId}))] : []),
];
