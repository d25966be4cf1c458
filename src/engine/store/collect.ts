/**
 * Gives back what nothing refers to: blobs and layers that no image, no container and no lease needs, and
 * what killed processes left in WHERRY_ROOT/ingest. A layer first gets another name, which is one step, and is
 * deleted then; a container that is being made sees it whole or not at all.
 */

import {lstatSync, mkdirSync, renameSync, unlinkSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import {randomHex} from '../../kernel/random.ts';
import {isErrno} from '../errors.ts';
import type {Locks} from '../locks.ts';
import type {Paths} from '../paths.ts';
import {listSteps} from './build-cache.ts';
import {Catalog} from './catalog.ts';
import {chainIds} from './digest.ts';
import {syncFolder} from './files.ts';
import {Layout} from './layout.ts';
import {abandonedStaging, collectLock, isUntidy, listFolder, readLeases} from './leases.ts';

const hex = /^[a-f0-9]{64}$/;
const removedSuffix = '.removed';
const partialSuffix = '.partial';
/** Milliseconds that an interrupted download is kept for. */
const partialLife = 7 * 24 * 3600 * 1000;

export interface Store {
	readonly paths: Paths;
	readonly locks: Locks;
	readonly layout: Layout;
	readonly catalog: Catalog;
}

export function openStore(paths: Paths, locks: Locks): Store {
	const layout = new Layout(paths, locks);
	return {paths, locks, layout, catalog: new Catalog(paths, layout)};
}

export const partialPath = (paths: Paths, blobHex: string): string =>
	join(paths.ingest, `${blobHex}${partialSuffix}`);

/** The keys of the layers of all containers and of the images mounted in them, as `container.json` has them. */
async function containerLayers(paths: Paths): Promise<Set<string>> {
	const keys = new Set<string>();
	for (const id of listFolder(paths.containers)) {
		try {
			const {layers, Mounts} = JSON.parse(
				await readFile(join(paths.container(id), 'container.json'), 'utf8'),
			);
			const mounted = Array.isArray(Mounts) ? Mounts.map((mount) => mount?.layers) : [];
			for (const each of [layers, ...mounted])
				if (Array.isArray(each)) for (const key of each) keys.add(String(key));
		} catch (error) {
			// One that can't be read has no layers that could be named; one without its file is being removed.
			if (!isErrno(error, 'ENOENT', 'ENOTDIR') && !(error instanceof SyntaxError)) throw error;
		}
	}
	return keys;
}

async function imageKeys({layout, catalog}: Store): Promise<Set<string>> {
	const keys = new Set<string>();
	const add = (digest: string) => keys.add(digest.slice(7));
	for (const {descriptor} of await layout.read()) add(descriptor.digest);
	for (const image of await catalog.images()) {
		for (const digest of image.allBlobs) add(digest);
		for (const {diffIds} of [image, ...(image.others ?? [])])
			for (const digest of [...diffIds, ...chainIds(diffIds)]) add(digest);
	}
	return keys;
}

/**
 * Deletes everything that nothing refers to. `begin` comes first, under the lock under which containers get their
 * place: what it finds unused can't be taken into use before it is gone. When it gives false nothing is deleted.
 */
export async function collect(store: Store, begin?: () => Promise<boolean>): Promise<void> {
	const {paths, locks, layout} = store;
	const trees = await locks.with(collectLock, async () => {
		if (begin && !(await begin())) return undefined;
		// In this order: what a lease protected until now is in the index when its lease is gone.
		const live = readLeases(paths).keys;
		for (const key of await imageKeys(store)) live.add(key);
		for (const key of await containerLayers(paths)) live.add(key);
		for (const {layer} of listSteps(paths)) {
			if (layer) for (const digest of [layer.diffId, layer.digest]) live.add(digest.slice(7));
		}
		const removed = abandonedStaging(paths);
		mkdirSync(paths.ingest, {recursive: true, mode: 0o700});
		for (const name of listFolder(paths.layers)) {
			if (!hex.test(name) || live.has(name)) continue;
			const aside = join(paths.ingest, `${name}.${randomHex(4)}${removedSuffix}`);
			renameSync(paths.layer(name), aside);
		}
		for (const name of listFolder(layout.blobs))
			if (hex.test(name) && !live.has(name)) await layout.removeBlob(`sha256:${name}`);
			else if (name.startsWith('.') && isOld(join(layout.blobs, name))) unlinkSync(join(layout.blobs, name));
		return removed;
	});
	if (trees) await removeAll(paths, trees);
}

/** The part of `collect` that costs next to nothing when no process was killed. */
export async function sweep({paths, locks}: Pick<Store, 'paths' | 'locks'>): Promise<void> {
	const names = listFolder(paths.ingest);
	const isRest = (name: string) =>
		name.endsWith(removedSuffix) || (name.endsWith(partialSuffix) && isOld(join(paths.ingest, name)));
	if (!isUntidy(names) && !names.some(isRest)) return;
	const {trees, brokenRemoval} = await locks.with(collectLock, () => {
		const {brokenRemoval} = readLeases(paths);
		return {brokenRemoval, trees: abandonedStaging(paths)};
	});
	await removeAll(paths, trees);
	if (brokenRemoval) await collect(openStore(paths, locks));
}

async function removeAll(paths: Paths, trees: readonly string[]): Promise<void> {
	const rest: string[] = [];
	for (const name of listFolder(paths.ingest)) {
		const path = join(paths.ingest, name);
		if (name.endsWith(removedSuffix)) rest.push(path);
		if (name.endsWith(partialSuffix) && isOld(path)) unlinkSync(path);
	}
	for (const path of [...trees, ...rest]) await native.removeTree(path);
	if (rest.length > 0) await syncFolder(paths.layers);
}

function isOld(path: string): boolean {
	const found = lstatSync(path, {throwIfNoEntry: false});
	return found !== undefined && Date.now() - found.mtimeMs > partialLife;
}
