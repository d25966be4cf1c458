/** What a step has written becomes a layer: its archive in the store, and its files as they are. */
import {
	closeSync,
	constants,
	lstatSync,
	lutimesSync,
	mkdirSync,
	openSync,
	readdirSync,
	readlinkSync,
	renameSync,
	rmdirSync,
	unlinkSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {native, type StartMarks} from '../../kernel/native.ts';
import {isErrno} from '../errors.ts';
import {type NewLayer, packLayer} from '../images/new-image.ts';
import {contentSize} from '../store/archive-content.ts';
import type {Store} from '../store/collect.ts';
import {digestHex} from '../store/digest.ts';
import {printRecord} from '../store/layers.ts';
import {acquireLease, type Lease} from '../store/leases.ts';

/** Leases of a build, which it holds until its image has a name. */
export class BuildLeases {
	readonly #store: Store;
	readonly #held: Lease[] = [];

	constructor(store: Store) {
		this.#store = store;
	}

	async acquire(keys: readonly string[]): Promise<Lease> {
		const lease = await acquireLease(this.#store.paths, this.#store.locks, keys);
		this.#held.push(lease);
		return lease;
	}

	release(): void {
		for (const lease of this.#held) lease.release();
		this.#held.length = 0;
	}
}

/** Removes what a start has made and nobody has changed, so that the files are what the archive says. */
function removeMarks(upper: string, {files, folders, links = [], base}: StartMarks): void {
	for (const path of files) {
		const stat = lstatSync(join(upper, path), {throwIfNoEntry: false});
		if (stat?.isFile() && stat.size === 0) unlinkSync(join(upper, path));
	}
	for (const text of links) {
		const [path = '', target] = text.split(' -> ');
		const link = join(upper, path);
		if (lstatSync(link, {throwIfNoEntry: false})?.isSymbolicLink() && readlinkSync(link) === target)
			unlinkSync(link);
	}
	for (const path of [...folders].sort().reverse()) {
		if (base !== undefined && isThere(base, path)) continue;
		try {
			rmdirSync(join(upper, path));
		} catch (error) {
			if (!isErrno(error, 'ENOENT', 'ENOTEMPTY', 'ENOTDIR', 'EEXIST')) throw error;
		}
	}
}

function limitTimes(folder: string, newest: number): void {
	for (const entry of readdirSync(folder, {withFileTypes: true})) {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) limitTimes(path, newest);
		if (lstatSync(path).mtimeMs > newest) lutimesSync(path, newest / 1000, newest / 1000);
	}
}

function isThere(root: number, path: string): boolean {
	try {
		native.statInRoot(root, `/${path}`);
		return true;
	} catch {
		return false;
	}
}

/** What BuildKit makes of a step that writes nothing: a layer that holds nothing. */
export async function emptyLayer(store: Store, leases: BuildLeases, scratch: string): Promise<NewLayer> {
	const upper = join(scratch, 'nothing');
	mkdirSync(upper, {mode: 0o755});
	return takeLayer(store, leases, upper, undefined);
}

/**
 * Takes an overlay's upper folder over, also when nothing was written. The key of the layer is its diff id, since
 * nothing in it is implied.
 */
export async function takeLayer(
	store: Store,
	leases: BuildLeases,
	upper: string,
	marks: StartMarks | undefined,
	/** Nothing in the layer is newer than this, in milliseconds. */
	newest?: number,
): Promise<NewLayer> {
	if (newest !== undefined) limitTimes(upper, newest);
	const {paths, layout} = store;
	const lease = await leases.acquire([]);
	const fd = openSync(upper, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
	let layer: NewLayer;
	try {
		const packed = await packLayer(
			lease,
			(output) =>
				native.packTree(fd, output, {
					name: '',
					withTop: false,
					upper: true,
					sparse: true,
					hash: true,
					sync: true,
					...(marks ? {marks} : {}),
				}),
			{keepEmpty: true},
		);
		layer = packed!;
	} finally {
		closeSync(fd);
	}
	if (marks) removeMarks(upper, marks);
	const hex = digestHex(layer.diffId);
	await leases.acquire([hex]);
	mkdirSync(layout.blobs, {recursive: true, mode: 0o700});
	await layout.adoptBlob(layer.file!, layer.descriptor.digest);
	const staging = lease.staging(hex);
	mkdirSync(staging, {mode: 0o700});
	renameSync(upper, join(staging, 'fs'));
	const size = (await contentSize(layout.blobPath(layer.descriptor.digest))) ?? layer.descriptor.size;
	const record = {diffId: layer.diffId, size, implied: []};
	writeFileSync(join(staging, 'layer.json'), printRecord(record), {mode: 0o600});
	mkdirSync(paths.layers, {recursive: true, mode: 0o700});
	const folder = openSync(paths.root, constants.O_RDONLY | constants.O_DIRECTORY);
	try {
		await native.syncfs(folder);
	} finally {
		closeSync(folder);
	}
	try {
		native.renameNoReplace(staging, paths.layer(hex));
	} catch (error) {
		if (!isErrno(error, 'EEXIST', 'ENOTEMPTY')) throw error;
		// The same files again: those that are there do.
		await native.removeTree(staging);
	}
	return {descriptor: layer.descriptor, diffId: layer.diffId};
}
