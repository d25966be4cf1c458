/** What a container has written, and that with its image: docker's SizeRw and SizeRootFs, in bytes. */
import {type Dirent, lstatSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {readIfThere} from '../files.ts';
import type {Paths} from '../paths.ts';
import type {ContainerRecord} from './record.ts';

/** Apparent sizes of regular files, hard links once, as docker counts. */
async function folderSize(path: string): Promise<number> {
	let total = 0;
	const seen = new Set<bigint>();
	const pending = [path];
	for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
		let entries: Dirent[];
		try {
			entries = await readdir(folder, {withFileTypes: true});
		} catch {
			continue;
		}
		for (const entry of entries) {
			const full = join(folder, entry.name);
			if (entry.isDirectory()) pending.push(full);
			else if (entry.isFile()) {
				const stat = lstatSync(full, {throwIfNoEntry: false, bigint: true});
				if (!stat) continue;
				if (stat.nlink > 1n) {
					if (seen.has(stat.ino)) continue;
					seen.add(stat.ino);
				}
				total += Number(stat.size);
			}
		}
	}
	return total;
}

async function layerSize(paths: Paths, key: string): Promise<number> {
	try {
		const size: unknown = JSON.parse(readIfThere(join(paths.layer(key), 'layer.json')) ?? '{}').size;
		if (typeof size === 'number') return size;
	} catch {}
	return folderSize(join(paths.layer(key), 'fs'));
}

export async function containerSize(
	paths: Paths,
	record: ContainerRecord,
): Promise<{SizeRw: number; SizeRootFs: number}> {
	const SizeRw = await folderSize(join(paths.container(record.Id), 'upper'));
	let SizeRootFs = SizeRw;
	for (const key of record.layers) SizeRootFs += await layerSize(paths, key);
	return {SizeRw, SizeRootFs};
}
