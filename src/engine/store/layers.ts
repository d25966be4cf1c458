/**
 * Unpacked layers: `layers/<key>/` with `fs/`, the tree for overlay, and `layer.json`. The key is the diff id;
 * for a layer whose entries lie in folders that it has no entry for, it is the chain id, since such folders
 * have got mode, owner and times from the layers below.
 */
import {readFileSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {isErrno} from '../errors.ts';
import type {Paths} from '../paths.ts';
import {chainIds, digestHex, isDigest} from './digest.ts';

export interface LayerRecord {
	readonly diffId: string;
	/** Bytes that its files and links hold. In records of old it is the uncompressed archive's length. */
	readonly size: number;
	/** Folders that came with nothing but their name, relative, parents first. */
	readonly implied: readonly string[];
}

export interface Layer extends LayerRecord {
	readonly key: string;
}

/**
 * The folders of layers for overlay, highest first. overlayfs refuses a folder that is there twice (as when two steps
 * copy the same file): of those only the highest counts, which has all that the others have.
 */
export function overlayLowers(paths: Paths, keys: readonly string[]): string[] {
	return [...new Set(keys.toReversed())].map((key) => join(paths.layer(key), 'fs'));
}

const separator = '\0';

/** What `layer.json` says; undefined when it isn't one. */
export function readRecord(text: string): LayerRecord | undefined {
	try {
		const {diffId, size, implied} = JSON.parse(text);
		if (!isDigest(diffId) || !Number.isSafeInteger(size)) return undefined;
		if (typeof implied === 'string') {
			return {diffId, size, implied: implied === '' ? [] : implied.split(separator)};
		}
		return Array.isArray(implied) ? {diffId, size, implied} : undefined;
	} catch {
		return undefined;
	}
}

/**
 * What goes into `layer.json`. The names are one string, of which a layer may have a million: V8 keeps short
 * strings from JSON in a table, where a stranger could make them collide.
 */
export function printRecord({diffId, size, implied}: LayerRecord): string {
	return JSON.stringify({diffId, size, implied: implied.join(separator)});
}

/** Whether the layer under a key is this one, at this place of a chain. */
function fits(record: LayerRecord | undefined, diffId: string, key: string, chainId: string): boolean {
	return record?.diffId === diffId && (record.implied.length === 0 || key === chainId.slice(7));
}

const keysOf = (diffId: string, chainId: string): string[] => [
	...new Set([digestHex(chainId), digestHex(diffId)]),
];

/** The layer of a diff id at its place in a chain; undefined when it is not unpacked. */
export async function findLayer(paths: Paths, diffId: string, chainId: string): Promise<Layer | undefined> {
	for (const key of keysOf(diffId, chainId)) {
		try {
			const record = readRecord(await readFile(join(paths.layer(key), 'layer.json'), 'utf8'));
			if (record && fits(record, diffId, key, chainId)) return {...record, key};
		} catch (error) {
			if (!isErrno(error, 'ENOENT')) throw error;
		}
	}
	return undefined;
}

/** All layers of an image at once, lowest first; undefined where one is missing. A few small files: read at once. */
export function findLayers(paths: Paths, diffIds: readonly string[]): (Layer | undefined)[] {
	const chain = chainIds(diffIds);
	return diffIds.map((diffId, at) => {
		for (const key of keysOf(diffId, chain[at]!)) {
			try {
				const record = readRecord(readFileSync(join(paths.layer(key), 'layer.json'), 'utf8'));
				if (record && fits(record, diffId, key, chain[at]!)) return {...record, key};
			} catch (error) {
				if (!isErrno(error, 'ENOENT')) throw error;
			}
		}
		return undefined;
	});
}
