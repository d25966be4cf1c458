/**
 * The layers of one image on their way into the store: three at a time, each fetched, verified and unpacked
 * in one pass. Nothing is fetched or unpacked twice, by this or by another process: a lock per blob, held as
 * long as it takes, is the one exception from "no lock across a transfer".
 */
import {mkdir, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import type {PullEvent} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import type {Lock} from '../locks.ts';
import type {Repository} from '../registry/client.ts';
import {partialPath, type Store} from '../store/collect.ts';
import {chainIds, digestHex, shortId} from '../store/digest.ts';
import {replaceFile} from '../store/files.ts';
import {flush} from '../store/flush.ts';
import {findLayer, type Layer, type LayerRecord, printRecord} from '../store/layers.ts';
import type {Lease} from '../store/leases.ts';
import type {Configuration, Descriptor, Manifest} from '../store/manifest.ts';
import {downloadLayer, unpackBlob} from './download.ts';
import type {EarlyLayers} from './early-layers.ts';
import {dressImplied} from './implied.ts';

const parallel = 3;
/** Milliseconds between two reports of one layer's progress. */
const reportEvery = 100;

/** Stands for the tree of a layer of which only the blob is wanted. */
const notWanted: Layer = {key: '', diffId: '', size: 0, implied: []};

/**
 * One image's layers; without a repository only what is in the store is unpacked, without a configuration only the
 * blobs are brought.
 */
export class LayerPull {
	readonly #store: Store;
	readonly #repository: Repository | undefined;
	readonly #lease: Lease;
	readonly #layers: readonly Descriptor[];
	readonly #unpack: boolean;
	readonly #diffIds: readonly string[];
	readonly #chain: readonly string[];
	readonly #report: (event: PullEvent) => void;
	readonly #early: EarlyLayers | undefined;
	/** One per layer, settled when it is in its place. */
	readonly #ready: Promise<Layer>[] = [];
	readonly #waiting: (() => void)[] = [];
	#running = 0;

	constructor(
		store: Store,
		repository: Repository | undefined,
		lease: Lease,
		manifest: Manifest,
		configuration: Configuration | undefined,
		report: (event: PullEvent) => void,
		early?: EarlyLayers,
	) {
		this.#store = store;
		this.#repository = repository;
		this.#lease = lease;
		this.#layers = manifest.layers;
		this.#unpack = configuration !== undefined;
		this.#diffIds = configuration?.diffIds ?? [];
		this.#chain = chainIds(this.#diffIds);
		this.#report = report;
		this.#early = early;
	}

	/**
	 * Resolves when all layers are there. The first failure stops the others, and all have ended when it
	 * rejects. Of an image that is `known` and whole nothing is said.
	 */
	async run(signal: AbortSignal | undefined, known: boolean): Promise<void> {
		const stop = new AbortController();
		const onAbort = () => stop.abort();
		signal?.addEventListener('abort', onAbort, {once: true});
		if (signal?.aborted) stop.abort();
		let failure: unknown;
		try {
			const present = await Promise.all(this.#layers.map((_, at) => this.#find(at)));
			if (known && present.every(Boolean)) return;
			for (const [at, layer] of present.entries())
				this.#state(at, layer ? 'Already exists' : 'Pulling fs layer');
			// The largest first: one that is left to the end would be unpacked alone.
			const order = [...present.entries()].sort(
				([left], [right]) => this.#layers[right]!.size - this.#layers[left]!.size,
			);
			for (const [at, layer] of order) {
				const ready = layer ? Promise.resolve(layer) : this.#bring(at, stop.signal);
				ready.catch((error: unknown) => {
					failure ??= error;
					stop.abort();
				});
				this.#ready[at] = ready;
			}
			await Promise.allSettled(this.#ready);
			if (signal?.aborted) throw new WherryError('cancelled', 'context canceled', {cause: failure});
			if (failure !== undefined) throw failure;
		} finally {
			signal?.removeEventListener('abort', onAbort);
		}
	}

	#state(at: number, state: Extract<PullEvent, {kind: 'layer'}>['state']): void {
		this.#report({kind: 'layer', id: shortId(this.#layers[at]!.digest), state});
	}

	async #unpacked(at: number): Promise<Layer | undefined> {
		if (!this.#unpack) return notWanted;
		return findLayer(this.#store.paths, this.#diffIds[at]!, this.#chain[at]!);
	}

	async #hasBlob(at: number): Promise<boolean> {
		const {digest, size} = this.#layers[at]!;
		return (await this.#store.layout.blobSize(digest)) === size;
	}

	/** The layer when both its tree and its blob are there. */
	async #find(at: number): Promise<Layer | undefined> {
		const layer = await this.#unpacked(at);
		return layer && (await this.#hasBlob(at)) ? layer : undefined;
	}

	async #bring(at: number, signal: AbortSignal): Promise<Layer> {
		await this.#turn(() => this.#state(at, 'Waiting'));
		let staged: Layer | Staged;
		try {
			stopIf(signal);
			staged = await this.#fetch(at, signal);
		} finally {
			this.#running--;
			this.#waiting.shift()?.();
		}
		try {
			const layer = 'staging' in staged ? await this.#place(at, staged) : staged;
			this.#state(at, 'Pull complete');
			return layer;
		} finally {
			if ('staging' in staged) await native.removeTree(staged.staging);
		}
	}

	/** Waits until fewer than three are under way. */
	async #turn(onWait: () => void): Promise<void> {
		if (this.#running >= parallel) {
			onWait();
			await new Promise<void>((resolve) => this.#waiting.push(resolve));
		}
		this.#running++;
	}

	/** Under the blob's lock: the blob into the store, and the tree into a staging folder. */
	async #fetch(at: number, signal: AbortSignal): Promise<Layer | Staged> {
		const {paths, layout} = this.#store;
		const blob = this.#layers[at]!;
		const hex = digestHex(blob.digest);
		const lock = await this.#lock(hex, signal);
		try {
			const [present, haveBlob] = [await this.#unpacked(at), await this.#hasBlob(at)];
			if (present && haveBlob) return present;
			if (!haveBlob && !this.#repository)
				throw new WherryError(
					'corrupt',
					`layer ${blob.digest} is missing in the store; pull the image again`,
					{
						object: blob.digest,
					},
				);
			// The same blob may be in one image at two places.
			const staging = this.#lease.staging(`${hex}-${at}`);
			const tree = join(staging, 'fs');
			const partial = partialPath(paths, hex);
			try {
				const early = haveBlob ? this.#early?.take(blob.digest) : undefined;
				if (early) {
					await rename(early.staging, staging);
				} else if (!present) {
					await mkdir(staging, {recursive: true, mode: 0o700});
					await mkdir(tree, {mode: 0o755});
				}
				const stats = haveBlob
					? (early?.stats ?? (await unpackBlob(layout.blobPath(blob.digest), blob, tree, signal)))
					: await downloadLayer({
							repository: this.#repository!,
							blob,
							partial,
							...(present ? {} : {directory: tree}),
							progress: this.#progress(blob),
							signal,
						});
				if (stats && stats.diffId !== this.#diffIds[at])
					throw new WherryError(
						'corrupt',
						`layer ${blob.digest} unpacks to ${stats.diffId}, but the image configuration names ${this.#diffIds[at]}`,
						{object: blob.digest},
					);
				const record = stats && {diffId: stats.diffId, size: stats.content, implied: stats.implied};
				if (record) await replaceFile(join(staging, 'layer.json'), printRecord(record), {sync: false});
				await flush(paths.ingest);
				if (!haveBlob) {
					await mkdir(layout.blobs, {recursive: true, mode: 0o700});
					await layout.adoptBlob(partial, blob.digest);
				}
				return present ?? {staging, record: record!};
			} catch (error) {
				await native.removeTree(staging);
				if (error instanceof WherryError && ['corrupt', 'exhausted'].includes(error.code))
					await rm(partial, {force: true});
				throw error;
			}
		} finally {
			lock.release({remove: true});
		}
	}

	/** Puts a staged tree into its place. One with implied folders needs the layers below first. */
	async #place(at: number, {staging, record}: Staged): Promise<Layer> {
		const {paths} = this.#store;
		const tree = join(staging, 'fs');
		let key = digestHex(record.diffId);
		if (record.implied.length > 0) {
			const below = await Promise.all(this.#ready.slice(0, at));
			dressImplied(
				tree,
				record.implied,
				below.reverse().map((layer) => join(paths.layer(layer.key), 'fs')),
			);
			key = digestHex(this.#chain[at]!);
			// What they have got now has to be on the disk as well.
			await flush(paths.ingest);
		}
		await mkdir(paths.layers, {recursive: true, mode: 0o700});
		try {
			native.renameNoReplace(staging, paths.layer(key));
		} catch (error) {
			if (!isErrno(error, 'EEXIST', 'ENOTEMPTY')) throw error;
			// Somebody else was faster, or what is there is damaged.
			const other = await findLayer(paths, record.diffId, this.#chain[at]!);
			if (other) return other;
			await rename(paths.layer(key), `${staging}.removed`);
			native.renameNoReplace(staging, paths.layer(key));
			await native.removeTree(`${staging}.removed`);
		}
		return {...record, key};
	}

	/** A wait for another process can be given up. */
	#lock(hex: string, signal: AbortSignal): Promise<Lock> {
		const acquiring = this.#store.locks.acquire(`blob-${hex}`);
		return new Promise((resolve, reject) => {
			const onAbort = () => {
				reject(new WherryError('cancelled', 'context canceled'));
				acquiring.then(
					(lock) => lock.release({remove: true}),
					() => {},
				);
			};
			signal.addEventListener('abort', onAbort, {once: true});
			acquiring.then((lock) => {
				signal.removeEventListener('abort', onAbort);
				resolve(lock);
			}, reject);
		});
	}

	#progress(blob: Descriptor) {
		const layer = {kind: 'layer', id: shortId(blob.digest)} as const;
		let last = 0;
		return {
			downloading: (current: number) => {
				const now = performance.now();
				if (now - last < reportEvery && current < blob.size) return;
				last = now;
				this.#report({...layer, state: 'Downloading', current, total: blob.size});
			},
			retrying: (delay: number) => this.#report({...layer, state: 'Retrying', delay}),
			extracting: () => {
				this.#report({...layer, state: 'Verifying Checksum'});
				this.#report({...layer, state: 'Download complete'});
				this.#report({...layer, state: 'Extracting', current: blob.size, total: blob.size});
			},
		};
	}
}

interface Staged {
	readonly staging: string;
	readonly record: LayerRecord;
}

function stopIf(signal: AbortSignal): void {
	if (signal.aborted) throw new WherryError('cancelled', 'context canceled');
}
