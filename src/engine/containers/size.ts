/** What a container has written, and that with its image: docker's SizeRw and SizeRootFs, in bytes. */
import {join} from 'node:path';
import {readIfThere} from '../files.ts';
import {folderSize} from '../folder-size.ts';
import type {Paths} from '../paths.ts';
import type {ContainerRecord} from './record.ts';

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
