/** `system df`: what images, containers and volumes take of the disk. */

import {lstatSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import type {DiskUsage, ImageSummary} from './api.ts';
import {cacheRecords} from './build/cache.ts';
import type {EngineContext} from './containers/context.ts';
import {listContainers} from './containers/list.ts';
import {isErrno} from './errors.ts';
import {folderSize} from './folder-size.ts';
import type {Paths} from './paths.ts';
import {chainIds} from './store/digest.ts';
import {findLayers} from './store/layers.ts';
import {dataFolder, listReferences} from './volumes/references.ts';

interface Layered {
	summary: ImageSummary;
	/** Chain ids, lowest first. */
	chain: readonly string[];
	sizes: readonly number[];
}

async function layeredImages({paths, images}: EngineContext): Promise<Layered[]> {
	const store = await images();
	return await Promise.all(
		(await store.list({all: true})).map(async (summary) => {
			const {RootFS} = (await store.inspect(summary.Id)) as unknown as {RootFS: {Layers?: string[]}};
			const diffIds = RootFS.Layers ?? [];
			return {
				summary,
				chain: chainIds(diffIds),
				sizes: findLayers(paths, diffIds).map((layer) => layer?.size ?? 0),
			};
		}),
	);
}

function imageUsage(images: readonly Layered[]): Pick<DiskUsage, 'LayersSize' | 'Images'> {
	const users = new Map<string, number>();
	const layers = new Map<string, number>();
	for (const {chain, sizes} of images) {
		for (const [at, id] of chain.entries()) {
			users.set(id, (users.get(id) ?? 0) + 1);
			layers.set(id, sizes[at]!);
		}
	}
	return {
		LayersSize: [...layers.values()].reduce((sum, size) => sum + size, 0),
		Images: images.map(({summary, chain, sizes}) => ({
			...summary,
			SharedSize: chain.reduce((sum, id, at) => sum + (users.get(id)! > 1 ? sizes[at]! : 0), 0),
		})),
	};
}

/** Of all files of a log. One that goes meanwhile takes nothing any more. */
function logSize(paths: Paths, id: string): number {
	let blocks = 0;
	try {
		for (const name of readdirSync(paths.container(id))) {
			if (!name.startsWith(`${id}-json.log`)) continue;
			blocks += lstatSync(join(paths.container(id), name), {throwIfNoEntry: false})?.blocks ?? 0;
		}
	} catch (error) {
		if (!isErrno(error, 'ENOENT')) throw error;
	}
	return blocks * 512;
}

export async function diskUsage(context: EngineContext): Promise<DiskUsage> {
	const [images, Containers, volumes] = await Promise.all([
		layeredImages(context),
		listContainers(context, {all: true, size: true}),
		context.volumes.list(),
	]);
	const Volumes: DiskUsage['Volumes'] = [];
	for (const volume of volumes.toSorted((a, b) => (a.Name < b.Name ? -1 : 1))) {
		const Size = await folderSize(dataFolder(context.paths, volume.Name));
		const RefCount = listReferences(context.paths, volume.Name).length;
		Volumes.push({...volume, UsageData: {Size, RefCount}});
	}
	const ContainerLogs = Object.fromEntries(Containers.map(({Id}) => [Id, logSize(context.paths, Id)]));
	return {...imageUsage(images), Containers, ContainerLogs, Volumes, BuildCache: await cacheRecords(context)};
}
