/**
 * Looks at everything that the image store holds: each blob is what its digest says, each layer folder what its record
 * says and complete, each name means an image of which all is there. Changes nothing.
 */
import {createHash} from 'node:crypto';
import {createReadStream, lstatSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {CheckLine} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import type {Store} from '../store/collect.ts';
import {digestHex, shortId} from '../store/digest.ts';
import {findLayers, type LayerRecord, readRecord} from '../store/layers.ts';
import type {Entry} from '../store/layout.ts';
import {listFolder} from '../store/leases.ts';
import {
	type Index,
	isImageConfig,
	isIndex,
	type Manifest,
	parseConfiguration,
	parseManifest,
} from '../store/manifest.ts';
import {familiar} from './reference.ts';
import {layerFault} from './verify-layer.ts';

const hex = /^[a-f0-9]{64}$/;

const ok = (subject: string, message: string): CheckLine => ({subject, status: 'ok', message});
const fail = (subject: string, message: string, advice: string): CheckLine => ({
	subject,
	status: 'fail',
	message,
	advice,
});

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** Of all files in the store, those whose bytes aren't what their names say, with what is wrong. */
async function checkBlobs({layout}: Store, names: readonly string[]): Promise<Map<string, string>> {
	const wrong = new Map<string, string>();
	for (const name of names) {
		const hash = createHash('sha256');
		try {
			for await (const chunk of createReadStream(join(layout.blobs, name), {highWaterMark: 1 << 20}))
				hash.update(chunk);
			if (hash.digest('hex') !== name) wrong.set(name, 'its bytes are not what its name says');
		} catch (error) {
			// It has been removed meanwhile.
			if (!isErrno(error, 'ENOENT')) wrong.set(name, (error as Error).message);
		}
	}
	return wrong;
}

/** What an entry of index.json stands for, as people would name it. */
const nameOf = ({reference, descriptor}: Entry): string =>
	reference ? familiar(reference) : shortId(descriptor.digest);

export async function checkImages(store: Store): Promise<CheckLine[]> {
	const {layout, paths} = store;
	let entries: Entry[];
	try {
		entries = await layout.read();
	} catch (error) {
		return [
			fail(
				'index',
				(error as Error).message,
				`put back a copy of ${join(paths.images, 'index.json')}, or move ${paths.images} away and pull the images again`,
			),
		];
	}
	const names = listFolder(layout.blobs).filter((name) => hex.test(name));
	const wrong = await checkBlobs(store, names);
	const check = new ImageCheck(store, wrong);
	const lines: CheckLine[] = [];
	for (const [name, reason] of wrong) {
		const users = entries.filter((entry) => check.blobsOf(entry).has(`sha256:${name}`)).map(nameOf);
		lines.push(
			fail(
				'blob',
				`sha256:${name}: ${reason}`,
				users.length > 0
					? `rm ${layout.blobPath(`sha256:${name}`)} && ${pullAdvice(users)}`
					: `no image needs it: rm ${layout.blobPath(`sha256:${name}`)}`,
			),
		);
	}
	const layers = listFolder(paths.layers).filter((name) => hex.test(name));
	for (const key of layers) lines.push(...checkLayer(store, key));
	for (const entry of entries) lines.push(...(await check.entry(entry)));
	lines.push(...check.damaged);
	const interrupted = listFolder(paths.ingest).filter((name) => !name.endsWith('.partial'));
	if (interrupted.length > 0)
		lines.push({
			subject: 'ingest',
			status: 'warn',
			message: `${plural(interrupted.length, 'unfinished file')}: somebody brings an image in, or was interrupted`,
			advice: 'what was interrupted goes with the next command; a download goes on where it was',
		});
	if (!lines.some(({status}) => status === 'fail'))
		lines.unshift(
			ok('blobs', `${plural(names.length, 'blob')}: each is what its digest says`),
			ok('layers', `${plural(layers.length, 'unpacked layer')}: each has its tree and its record`),
			ok('names', `${plural(entries.length, 'name')}: each has its image`),
		);
	return lines;
}

const pullAdvice = (names: readonly string[]): string =>
	names
		.map((name) =>
			name.includes(':') || name.includes('@')
				? `wherry pull ${name}`
				: `wherry rmi ${name} (it has no name to pull it by)`,
		)
		.join(' && ');

function checkLayer({paths}: Store, key: string): CheckLine[] {
	const folder = paths.layer(key);
	const advice = `rm -r ${folder}; it is unpacked again when it is needed`;
	let record: LayerRecord | undefined;
	try {
		record = readRecord(readFileSync(join(folder, 'layer.json'), 'utf8'));
	} catch (error) {
		if (!isErrno(error, 'ENOENT')) return [fail('layer', `${key}: ${(error as Error).message}`, advice)];
		// Somebody has just removed the whole.
		if (!lstatSync(folder, {throwIfNoEntry: false})) return [];
	}
	if (!record) return [fail('layer', `${key}: its record, layer.json, is missing or damaged`, advice)];
	if (record.implied.length === 0 && digestHex(record.diffId) !== key)
		return [fail('layer', `${key}: its record is that of ${record.diffId}`, advice)];
	const tree = lstatSync(join(folder, 'fs'), {throwIfNoEntry: false});
	if (!tree?.isDirectory()) return [fail('layer', `${key}: its tree, fs, is missing`, advice)];
	const missing = record.implied.find(
		(path) => !lstatSync(join(folder, 'fs', path), {throwIfNoEntry: false})?.isDirectory(),
	);
	if (missing !== undefined)
		return [fail('layer', `${key}: the folder ${missing} is missing in its tree`, advice)];
	return [];
}

class ImageCheck {
	readonly #store: Store;
	readonly #wrong: ReadonlyMap<string, string>;
	/** Keys of the layers that have been looked at: images share them. */
	readonly #checked = new Set<string>();
	/** Layers whose trees are not what their archives say. */
	readonly damaged: CheckLine[] = [];

	constructor(store: Store, wrong: ReadonlyMap<string, string>) {
		this.#store = store;
		this.#wrong = wrong;
	}

	/** Digests that an entry needs, as far as its documents can be read. */
	blobsOf({descriptor}: Entry): Set<string> {
		const found = new Set([descriptor.digest]);
		const add = (document: Manifest | Index | undefined) => {
			if (!document) return;
			if (document.original) found.add(document.original);
			if (!isIndex(document)) {
				for (const {digest} of [document.config, ...document.layers]) found.add(digest);
				return;
			}
			for (const {digest} of document.manifests) {
				found.add(digest);
				const child = this.#document(digest);
				if (child && !isIndex(child)) add(child);
			}
		};
		add(this.#document(descriptor.digest));
		return found;
	}

	async entry(entry: Entry): Promise<CheckLine[]> {
		const name = nameOf(entry);
		const problems = await this.#problems(entry.descriptor.digest, true);
		return [...new Set(problems)].map((problem) => fail('image', `${name}: ${problem}`, pullAdvice([name])));
	}

	async #problems(digest: string, top: boolean): Promise<string[]> {
		const {layout} = this.#store;
		const size = await layout.blobSize(digest);
		// Of an index not all need be here.
		if (size === undefined) return top ? [`its manifest ${digest} is missing`] : [];
		const document = this.#document(digest);
		if (!document) return [`its manifest ${digest} is damaged`];
		if (isIndex(document)) {
			const found = await Promise.all(document.manifests.map((child) => this.#problems(child.digest, false)));
			const here = await Promise.all(document.manifests.map((child) => layout.blobSize(child.digest)));
			return here.every((each) => each === undefined)
				? [`none of the manifests that its index ${digest} names is here`]
				: found.flat();
		}
		const problems: string[] = [];
		for (const [what, blob] of [
			['configuration', document.config] as const,
			...document.layers.map((layer) => ['layer', layer] as const),
		]) {
			const there = await layout.blobSize(blob.digest);
			if (there === undefined) problems.push(`its ${what} ${blob.digest} is missing`);
			else if (there !== blob.size)
				problems.push(`its ${what} ${blob.digest} has ${there} bytes in place of ${blob.size}`);
			else if (this.#wrong.has(digestHex(blob.digest)))
				problems.push(`its ${what} ${blob.digest} is damaged`);
		}
		if (problems.length > 0) return problems;
		return this.#configuration(document);
	}

	/** The configuration fits the manifest, and what is unpacked of it has all that the layers have. */
	async #configuration({config, layers}: Manifest): Promise<string[]> {
		const {layout, paths} = this.#store;
		if (!isImageConfig(config.mediaType)) return [];
		const bytes = await layout.readBlob(config.digest);
		if (!bytes) return [`its configuration ${config.digest} is damaged`];
		try {
			const {diffIds} = parseConfiguration(bytes);
			if (diffIds.length !== layers.length)
				return [
					`its configuration ${config.digest} names ${diffIds.length} layers, its manifest ${layers.length}`,
				];
			for (const [at, layer] of findLayers(paths, diffIds).entries()) {
				if (!layer || this.#checked.has(layer.key)) continue;
				this.#checked.add(layer.key);
				const folder = paths.layer(layer.key);
				// That its tree is missing has been said.
				if (!lstatSync(join(folder, 'fs'), {throwIfNoEntry: false})?.isDirectory()) continue;
				const fault = await layerFault(join(folder, 'fs'), layout.blobPath(layers[at]!.digest));
				if (fault === undefined || !lstatSync(folder, {throwIfNoEntry: false})) continue;
				this.damaged.push(
					fail('layer', `${layer.key}: ${fault}`, `rm -r ${folder}; it is unpacked again when it is needed`),
				);
			}
			return [];
		} catch (error) {
			if (error instanceof WherryError)
				return [`its configuration ${config.digest} can't be used: ${error.message}`];
			throw error;
		}
	}

	#document(digest: string): Manifest | Index | undefined {
		if (this.#wrong.has(digestHex(digest))) return undefined;
		try {
			const bytes = readFileSync(this.#store.layout.blobPath(digest));
			return parseManifest(bytes, '', {anyContent: true});
		} catch (error) {
			if (isErrno(error, 'ENOENT') || error instanceof WherryError) return undefined;
			throw error;
		}
	}
}
