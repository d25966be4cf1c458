/**
 * One layer on its way into the store: its bytes from what an earlier attempt has left and then from the
 * registry, into a file that a later attempt can go on with and, at the same time, into the unpacker.
 */
import {createHash} from 'node:crypto';
import {constants, createReadStream} from 'node:fs';
import {type FileHandle, mkdir, open, rm} from 'node:fs/promises';
import {dirname} from 'node:path';
import type {LayerStats} from '../../kernel/native.ts';
import {native} from '../../kernel/native.ts';
import {WherryError} from '../errors.ts';
import type {Repository} from '../registry/client.ts';
import {storageError} from '../store/files.ts';
import type {Descriptor} from '../store/manifest.ts';
import {entryLimit, layerLimit, limitAdvice} from './layer-limit.ts';

export interface Progress {
	/** Bytes of the blob that have arrived. */
	downloading(current: number): void;
	retrying(seconds: number): void;
	/** All bytes are there; what is left is unpacking. */
	extracting(): void;
}

export interface Download {
	readonly repository: Repository;
	readonly blob: Descriptor;
	/** Where the bytes are kept until they are whole. */
	readonly partial: string;
	/** An empty folder for the tree; without one the blob is only fetched. */
	readonly directory?: string;
	readonly progress: Progress;
	readonly signal: AbortSignal;
}

const readSize = 256 << 10;

export const verificationFailed = (digest: string): WherryError =>
	new WherryError('corrupt', `filesystem layer verification failed for digest ${digest}`, {object: digest});

/** What can be fed with the bytes of a layer. */
interface Sink {
	write(chunk: Buffer): Promise<void>;
	finish(): Promise<Pick<LayerStats, 'digest' | 'fed'> & Partial<LayerStats>>;
	abort(): Promise<void>;
}

function hashingSink(): Sink {
	const hash = createHash('sha256');
	let fed = 0;
	return {
		async write(chunk) {
			fed += chunk.length;
			hash.update(chunk);
		},
		finish: async () => ({fed, digest: `sha256:${hash.digest('hex')}`}),
		abort: async () => {},
	};
}

/** The bytes of the blob, in order; those from the network have been written to the file. */
async function* bytes(download: Download, file: FileHandle, resumed: number): AsyncGenerator<Buffer> {
	const {blob, progress, signal} = download;
	let at = 0;
	while (at < resumed) {
		const length = Math.min(readSize, resumed - at);
		const {buffer, bytesRead} = await file.read(Buffer.allocUnsafe(length), 0, length, at);
		if (bytesRead === 0) throw new Error('a partial download has shrunk');
		at += bytesRead;
		progress.downloading(at);
		yield buffer.subarray(0, bytesRead);
	}
	const {digest, size} = blob;
	const onRetry = (seconds: number) => progress.retrying(seconds);
	for await (const chunk of download.repository.stream({digest, size, offset: at, signal, onRetry})) {
		const written = file.write(chunk, 0, chunk.length, at).catch((error) => {
			throw storageError(error, download.partial);
		});
		written.catch(() => {});
		yield chunk;
		await written;
		at += chunk.length;
		progress.downloading(at);
	}
}

/** Feeds everything to a sink. The bytes are verified by its digest, not by what the sink makes of them. */
async function pour(source: AsyncIterable<Buffer>, sink: Sink, signal: AbortSignal, progress?: Progress) {
	try {
		for await (const chunk of source) {
			if (signal.aborted) throw new WherryError('cancelled', 'context canceled');
			await sink.write(chunk);
		}
		progress?.extracting();
		return await sink.finish();
	} catch (error) {
		await sink.abort().catch(() => {});
		throw error;
	}
}

const isUnpackError = (error: unknown): boolean => !(error instanceof WherryError);

/** Whether an unpacker's complaint is about the disk and not about the archive. */
const isStorageError = (error: unknown): boolean =>
	error instanceof Error &&
	['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'ENOMEM'].includes(
		(error as NodeJS.ErrnoException).code ?? '',
	);

/**
 * Fetches a blob, verified, into `partial`, and unpacks it. The stats are those of the unpacker; with no
 * `directory` there are none. A leftover that turns out to be wrong is dropped, and all is fetched anew.
 */
export async function downloadLayer(download: Download): Promise<LayerStats | undefined> {
	const {blob, partial, directory} = download;
	await mkdir(dirname(partial), {recursive: true, mode: 0o700});
	const file = await open(partial, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600).catch(
		(error) => {
			throw storageError(error, partial);
		},
	);
	try {
		let resumed = (await file.stat()).size;
		if (resumed > blob.size) {
			await file.truncate(0);
			resumed = 0;
		}
		for (;;) {
			const sink: Sink =
				directory === undefined
					? hashingSink()
					: native.unpackLayer(directory, layerLimit(blob.size), entryLimit());
			const stats = await pour(
				bytes(download, file, resumed),
				sink,
				download.signal,
				download.progress,
			).catch((error: unknown) => explain(error, download, file));
			if (stats.digest === blob.digest && stats.fed === blob.size)
				return stats.diffId === undefined ? undefined : (stats as LayerStats);
			await file.truncate(0);
			if (resumed === 0) throw verificationFailed(blob.digest);
			resumed = 0;
			if (directory !== undefined) await emptyFolder(directory);
		}
	} catch (error) {
		// What can't be used is not kept, and neither is anything on a disk that is full.
		if (error instanceof WherryError && ['corrupt', 'exhausted'].includes(error.code))
			await rm(partial, {force: true});
		throw error;
	} finally {
		await file.close();
	}
}

/**
 * The unpacker refuses the bytes: either they are not what was asked for, or the archive is at fault although
 * its bytes are right. Only the whole blob tells.
 */
async function explain(
	error: unknown,
	download: Download,
	file: FileHandle,
): Promise<{digest: string; fed: number; diffId?: string}> {
	if (!isUnpackError(error)) throw error;
	if (isStorageError(error)) throw storageError(error, download.directory ?? download.partial);
	if (download.signal.aborted) throw new WherryError('cancelled', 'context canceled', {cause: error});
	const there = (await file.stat()).size;
	const stats = await pour(bytes(download, file, there), hashingSink(), download.signal);
	if (stats.digest === download.blob.digest) throw registerFailed(download.blob.digest, error);
	return stats;
}

export const registerFailed = (digest: string, cause: unknown): WherryError =>
	new WherryError(
		'corrupt',
		`failed to register layer ${digest}: ${(cause as Error).message}${limitAdvice(cause)}`,
		{
			object: digest,
			cause,
		},
	);

async function emptyFolder(path: string): Promise<void> {
	await native.removeTree(path);
	await mkdir(path, {mode: 0o755});
}

/** Unpacks a blob that is already in the store. */
export async function unpackBlob(
	path: string,
	blob: Descriptor,
	directory: string,
	signal: AbortSignal,
): Promise<LayerStats> {
	const source = createReadStream(path, {highWaterMark: readSize});
	const unpacker = native.unpackLayer(directory, layerLimit(blob.size), entryLimit());
	try {
		const stats = (await pour(source, unpacker, signal)) as LayerStats;
		if (stats.digest !== blob.digest) throw verificationFailed(blob.digest);
		return stats;
	} catch (error) {
		if (!isUnpackError(error)) throw error;
		if (isStorageError(error)) throw storageError(error, directory);
		throw registerFailed(blob.digest, error);
	}
}
