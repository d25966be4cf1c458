/** `images.layers`: what an image is made of, layer by layer. */
import {join} from 'node:path';
import type {ImageLayers} from '../api.ts';
import type {Paths} from '../paths.ts';
import type {Layer} from '../store/layers.ts';
import type {Configuration} from '../store/manifest.ts';
import {createdSeconds} from './filters.ts';
import {analyseLayers, type LayerLabel} from './layer-files.ts';
import {readLayerTree} from './layer-tree.ts';

/** The steps that made the layers, lowest first: those that changed no file have none. */
export function layerLabels({diffIds, history}: Pick<Configuration, 'diffIds' | 'history'>): LayerLabel[] {
	const steps = history.filter((step) => !step.empty_layer) as {created?: string; created_by?: string}[];
	return diffIds.map((diffId, at) => ({
		diffId,
		command: steps[at]?.created_by ?? '',
		created: createdSeconds(steps[at]?.created ?? ''),
	}));
}

/** `layers`: lowest first, all of them unpacked. */
export async function readLayers(
	paths: Paths,
	id: string,
	configuration: Configuration,
	layers: readonly Layer[],
	signal?: AbortSignal,
): Promise<ImageLayers> {
	const labels = layerLabels(configuration);
	const read = [];
	for (const [at, {key}] of layers.entries()) {
		read.push({label: labels[at]!, entries: await readLayerTree(join(paths.layer(key), 'fs'), signal)});
	}
	return {id, ...analyseLayers(read)};
}
