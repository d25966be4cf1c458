/** What an image has for every platform: of an index all that it names, here or not. */
import type {Platform, PlatformSummary} from '../api.ts';
import type {Image} from '../store/catalog.ts';
import type {Store} from '../store/collect.ts';
import {
	type Descriptor,
	isIndex,
	type Manifest,
	parseConfiguration,
	parseManifest,
} from '../store/manifest.ts';
import {formatPlatform} from './platform.ts';

/** Attestations and the like, which are no images. */
const isOther = ({platform}: Descriptor): boolean => platform?.architecture === 'unknown';

/** In the index's order. `users`: ids of images that containers use. */
export async function platformsOf(
	store: Store,
	image: Image,
	users: ReadonlySet<string>,
): Promise<PlatformSummary[]> {
	const found = new Map<string, PlatformSummary>();
	for (const digest of image.manifests) {
		const bytes = await store.layout.readBlob(digest);
		const document = bytes && parseManifest(bytes);
		if (!document) continue;
		if (!isIndex(document)) {
			const summary = await summarize(store, digest, document, {}, users);
			found.set(summary.Id, summary);
			continue;
		}
		for (const entry of document.manifests) {
			if (isOther(entry)) continue;
			const summary = await summarize(store, entry.digest, undefined, entry.platform ?? {}, users);
			found.set(summary.Id || entry.digest, summary);
		}
	}
	return [...found.values()];
}

async function summarize(
	store: Store,
	digest: string,
	known: Manifest | undefined,
	said: Partial<Platform>,
	users: ReadonlySet<string>,
): Promise<PlatformSummary> {
	const {layout} = store;
	const bytes = known ? undefined : await layout.readBlob(digest);
	const parsed = known ?? (bytes && parseManifest(bytes, '', {anyContent: true}));
	const platform = ({os = '', architecture = '', variant}: Partial<Platform>) =>
		formatPlatform({os, architecture, ...(variant === undefined ? {} : {variant})});
	const missing = {Id: '', Platform: platform(said), Available: false, Size: 0, ContentSize: 0, InUse: false};
	if (!parsed || isIndex(parsed)) return missing;
	const configuration = await layout.readBlob(parsed.config.digest);
	if (!configuration) return missing;
	const {diffIds, ...own} = parseConfiguration(configuration);
	let content = 0;
	for (const each of [digest, parsed.config.digest, ...new Set(parsed.layers.map((layer) => layer.digest))])
		content += (await layout.blobSize(each)) ?? 0;
	return {
		Id: parsed.config.digest,
		Platform: platform(said.architecture ? said : own),
		Available: true,
		Size: (await store.catalog.layerSizes(diffIds, parsed.layers)).reduce<number>(
			(sum, size) => sum + (size ?? 0),
			0,
		),
		ContentSize: content,
		InUse: users.has(parsed.config.digest),
	};
}
