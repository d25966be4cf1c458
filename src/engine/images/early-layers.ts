/**
 * What looks like a layer in an archive that is being read is unpacked at once, before anybody knows whether an image
 * needs it. Its tree stays in a staging folder; it becomes a layer only for a blob of the same digest, by the way
 * that all layers take. What can't be unpacked, or is needed by nothing, is thrown away, and nothing is said of it.
 */
import {existsSync, mkdirSync} from 'node:fs';
import {posix} from 'node:path';
import type {LayerStats, LayerUnpacker} from '../../kernel/native.ts';
import {native} from '../../kernel/native.ts';
import type {Store} from '../store/collect.ts';
import {flush} from '../store/flush.ts';
import type {Lease} from '../store/leases.ts';
import {entryLimit, layerLimit} from './layer-limit.ts';
import type {EarlyFile, EarlyReader} from './reading.ts';
import {compressionOf} from './spool.ts';

/** A layer's tree, unpacked from bytes that were whole and verified. */
export interface EarlyLayer {
	/** Has `fs` in it. */
	readonly staging: string;
	readonly stats: LayerStats;
}

/** As many as one image may have; of an archive of more the others are unpacked later. */
const most = 128;
/** How many may still work on what they have when the next one is begun. */
const mostAtWork = 3;

/** Of a tar archive's first header. */
const magic = 'ustar';
const magicAt = 257;
const isLayer = (head: Buffer): boolean => {
	const kind = compressionOf(head);
	if (kind !== undefined) return kind !== 'other';
	return head.toString('latin1', magicAt, magicAt + magic.length) === magic;
};

export class EarlyLayers implements EarlyReader {
	readonly #store: Store;
	readonly #lease: Lease;
	readonly #trees = new Map<string, EarlyLayer>();
	readonly #working = new Set<Promise<unknown>>();
	readonly #unpackers = new Set<LayerUnpacker>();
	readonly #folders: string[] = [];
	#ended = false;
	#failure: unknown;

	constructor(store: Store, lease: Lease) {
		this.#store = store;
		this.#lease = lease;
	}

	/** `path` is the file's in the archive, `head` its beginning. Undefined: it is not unpacked now. */
	async begin(path: string, size: number, head: Buffer): Promise<EarlyFile | undefined> {
		if (this.#folders.length >= most || !isLayer(head)) return undefined;
		if (await this.#isKnown(path, size)) return undefined;
		while (this.#working.size >= mostAtWork) await Promise.race(this.#working);
		if (this.#ended) return undefined;
		const staging = this.#lease.staging(`early-${this.#folders.length}`);
		this.#folders.push(staging);
		mkdirSync(staging, {mode: 0o700});
		mkdirSync(`${staging}/fs`, {mode: 0o755});
		const unpacker = native.unpackLayer(`${staging}/fs`, layerLimit(size), entryLimit());
		this.#unpackers.add(unpacker);
		let broken = false;
		const give = async (work: Promise<unknown>): Promise<unknown> => {
			try {
				return await work;
			} catch (error) {
				this.#failure ??= error;
				broken = true;
				return undefined;
			}
		};
		return {
			async write(chunk) {
				if (!broken) await give(unpacker.write(chunk));
			},
			finish: () => {
				const work = (async () => {
					const stats = broken ? undefined : ((await give(unpacker.finish())) as LayerStats | undefined);
					this.#unpackers.delete(unpacker);
					if (!stats) {
						await native.removeTree(staging);
						return undefined;
					}
					this.#trees.set(stats.digest, {staging, stats});
					// The disk works while the next is unpacked. Whoever gives it a name asks again.
					flush(this.#store.paths.ingest).catch(() => {});
					return stats.digest;
				})();
				this.#working.add(work);
				const done = () => this.#working.delete(work);
				work.then(done, done);
				return work;
			},
		};
	}

	/** Names of blobs and layers are their digests, in most archives: what is in the store is not unpacked again. */
	async #isKnown(path: string, size: number): Promise<boolean> {
		const hex = /^[0-9a-f]{64}(?=$|\.)/.exec(posix.basename(path))?.[0];
		if (hex === undefined) return false;
		const {layout, paths} = this.#store;
		return existsSync(paths.layer(hex)) || (await layout.blobSize(`sha256:${hex}`)) === size;
	}

	/** Why the first that could not be unpacked could not. */
	get failure(): unknown {
		return this.#failure;
	}

	/** What a blob unpacks to, when its tree is here. */
	diffId(digest: string): string | undefined {
		return this.#trees.get(digest)?.stats.diffId;
	}

	/** A tree that somebody else has unpacked. */
	add(layer: EarlyLayer): void {
		this.#folders.push(layer.staging);
		this.#trees.set(layer.stats.digest, layer);
	}

	/** The tree of a blob, which from now on is the caller's. */
	take(digest: string): EarlyLayer | undefined {
		const tree = this.#trees.get(digest);
		this.#trees.delete(digest);
		return tree;
	}

	/** Ends what is at work, and removes what nobody took. */
	async end(): Promise<void> {
		this.#ended = true;
		await Promise.all([...this.#unpackers].map((unpacker) => unpacker.abort()));
		await Promise.allSettled(this.#working);
		for (const folder of this.#folders) await native.removeTree(folder);
	}
}
