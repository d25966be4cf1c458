/** What a stage begins as: an image of the store, pulled where it is missing, or nothing. */
import {createHash} from 'node:crypto';
import type {ImageConfig, Platform} from '../api.ts';
import {WherryError} from '../errors.ts';
import type {NewLayer} from '../images/new-image.ts';
import {formatPlatform, hostPlatform, normalize} from '../images/platform.ts';
import {canonical, parseReference, withDefaultTag} from '../images/reference.ts';
import {digestHex} from '../store/digest.ts';
import type {HistoryEntry} from '../store/manifest.ts';
import type {Build} from './stage-graph.ts';

/** What a stage, or an image, is as the beginning of another. */
export interface StageResult {
	readonly config: ImageConfig;
	readonly author: string;
	/** Lowest first. */
	readonly layers: readonly NewLayer[];
	readonly keys: readonly string[];
	readonly history: readonly HistoryEntry[];
	/** Of the base image, where it was asked for. */
	readonly platform?: Platform;
	/** Values of ARG, which a stage has of the one that it is made of. */
	readonly args?: ReadonlyMap<string, string>;
	/** What it depends on; equal keys are equal files and configurations. */
	readonly key: string;
}

export const digestOfParts = (...parts: readonly unknown[]): string =>
	createHash('sha256').update(JSON.stringify(parts)).digest('hex');

/** `os/architecture[/variant]`, or an architecture. */
function platformOf(text: string): Platform {
	const parts = text.split('/');
	const [os = 'linux', architecture = '', variant] = parts.length === 1 ? ['linux', ...parts] : parts;
	return normalize({os, architecture, ...(variant ? {variant} : {})});
}

export async function loadBase(build: Build, name: string, wanted?: string): Promise<StageResult> {
	if (name === 'scratch') {
		return {
			config: {WorkingDir: '/'},
			author: '',
			layers: [],
			keys: [],
			history: [],
			key: digestOfParts('scratch'),
		};
	}
	const {engine, options, store, progress} = build;
	const images = await engine.images();
	let reference: ReturnType<typeof parseReference>;
	try {
		reference = withDefaultTag(parseReference(name));
	} catch (error) {
		throw new WherryError(
			'invalid',
			`failed to parse stage name ${JSON.stringify(name)}: ${(error as Error).message}`,
		);
	}
	const asked = wanted ? platformOf(wanted) : build.asked;
	const platform = asked ? {platform: asked} : {};
	// Of several platforms the name goes on to mean what it has meant, and is one platform's at a time.
	const isForeign = build.prefix !== '' && asked && formatPlatform(asked) !== formatPlatform(hostPlatform());
	const resolve = async () => {
		if (!options.pull) {
			try {
				return await images.resolve(name, platform);
			} catch (error) {
				if (!(error instanceof WherryError) || error.code !== 'not-found') throw error;
			}
		}
		await progress.step(`[internal] load metadata for ${canonical(reference)}`, async (vertex) => {
			await images.pull(name, {
				...platform,
				...(options.signal ? {signal: options.signal} : {}),
				onProgress: (event) => {
					if (event.kind === 'status') vertex.note(event.message);
				},
			});
		});
		return images.resolve(name, platform);
	};
	const resolveInTurn = async () => {
		const before = isForeign ? (await images.ids([name]))[0] : undefined;
		const found = await resolve();
		if (before !== undefined && (await images.ids([name]))[0] !== before)
			await images.tag(before, canonical(reference));
		return found;
	};
	const resolved = await (build.prefix === '' ? resolve() : build.inTurn(resolveInTurn));
	const image = (await store.catalog.images()).find(({ids}) => ids.includes(resolved.id));
	const loaded = image && (await store.catalog.load(image.manifests[0]!, {id: resolved.id}));
	if (!loaded) throw new WherryError('corrupt', `image ${name} is damaged in the store`, {object: name});
	const {manifest, configuration} = loaded;
	await build.leases.acquire([
		...[resolved.id, ...image.allBlobs, ...configuration.diffIds].map(digestHex),
		...resolved.layers,
	]);
	return {
		config: structuredClone(configuration.config),
		author: configuration.author ?? '',
		layers: manifest.layers.map((descriptor, at) => ({descriptor, diffId: configuration.diffIds[at]!})),
		keys: resolved.layers,
		history: configuration.history,
		...platform,
		key: digestOfParts('image', resolved.id),
	};
}
