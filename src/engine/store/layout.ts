/**
 * The images on disk: an OCI image layout (image-spec, image-layout.md) that skopeo and others read. Every
 * name is one entry of index.json: `org.opencontainers.image.ref.name` has it as people write it,
 * `io.containerd.image.name` in full. An image without a name keeps one entry without both.
 */
import {link, rename, stat, unlink} from 'node:fs/promises';
import {join} from 'node:path';
import {isErrno, WherryError} from '../errors.ts';
import {canonical, familiar, parseReference, type Reference, storedName} from '../images/reference.ts';
import type {Locks} from '../locks.ts';
import type {Paths} from '../paths.ts';
import {digestHex, sha256} from './digest.ts';
import {isFull, readIfThere, replaceFile, shrinkFile} from './files.ts';
import {type Descriptor, mediaTypes, parseDescriptor} from './manifest.ts';

const refName = 'org.opencontainers.image.ref.name';
const fullName = 'io.containerd.image.name';
/** When `tag` gave the name, RFC 3339. */
const taggedAt = 'wherry.tagged';

/** The id of the image that `commit` made it from: docker keeps it beside its images, too. */
const madeFrom = 'wherry.parent';

const largestIndex = 64 << 20;

/** One entry of index.json. */
export interface Entry {
	readonly descriptor: Descriptor;
	/** Absent for an image that has lost its names. */
	readonly reference?: Reference;
}

export const taggedTime = (entry: Entry): string | undefined => entry.descriptor.annotations?.[taggedAt];

export const parentOf = (entry: Entry): string | undefined => entry.descriptor.annotations?.[madeFrom];

/** The descriptor of an image that was made from another one here. */
export const withParent = (descriptor: Descriptor, parent: string): Descriptor => ({
	...descriptor,
	annotations: {[madeFrom]: parent},
});

/** An entry that gives a name to a manifest. `tagged` is RFC 3339. */
export function namedEntry(descriptor: Descriptor, reference: Reference, tagged?: string): Entry {
	const annotations = {
		...bare(descriptor).annotations,
		[refName]: familiar(reference),
		[fullName]: canonical(reference),
		...(tagged === undefined ? {} : {[taggedAt]: tagged}),
	};
	return {reference, descriptor: {...bare(descriptor), annotations}};
}

export const unnamedEntry = (descriptor: Descriptor): Entry => ({descriptor: bare(descriptor)});

/** Without what is of one name only. */
const bare = ({mediaType, digest, size, platform, annotations}: Descriptor): Descriptor => ({
	mediaType,
	digest,
	size,
	...(platform === undefined ? {} : {platform}),
	...(annotations?.[madeFrom] === undefined ? {} : {annotations: {[madeFrom]: annotations[madeFrom]}}),
});

/** The name of an entry; other tools write only the annotation of the specification. */
function referenceOf(descriptor: Descriptor): Reference | undefined {
	const name = descriptor.annotations?.[fullName] ?? descriptor.annotations?.[refName];
	if (name === undefined) return undefined;
	try {
		const reference = parseReference(name);
		return reference.tag === undefined && reference.digest === undefined
			? {...reference, tag: 'latest'}
			: reference;
	} catch {
		return undefined;
	}
}

export class Layout {
	readonly #root: string;
	readonly #locks: Locks;

	constructor(paths: Paths, locks: Locks) {
		this.#root = paths.images;
		this.#locks = locks;
	}

	get blobs(): string {
		return join(this.#root, 'blobs', 'sha256');
	}

	blobPath(digest: string): string {
		return join(this.blobs, digestHex(digest));
	}

	/** Bytes; undefined when it is not there. */
	async blobSize(digest: string): Promise<number | undefined> {
		try {
			return (await stat(this.blobPath(digest))).size;
		} catch (error) {
			if (isErrno(error, 'ENOENT')) return undefined;
			throw error;
		}
	}

	/** A document, verified. Undefined when it is not there or not what its name says: it has to be fetched again. */
	async readBlob(digest: string): Promise<Buffer | undefined> {
		const bytes = readIfThere(this.blobPath(digest));
		return bytes !== undefined && sha256(bytes) === digest ? bytes : undefined;
	}

	/** Writes a document unless it is there; returns its digest. */
	async writeBlob(bytes: Uint8Array): Promise<string> {
		const digest = sha256(bytes);
		if ((await this.readBlob(digest)) === undefined) await replaceFile(this.blobPath(digest), bytes);
		return digest;
	}

	/** Moves a verified and synchronized file into the store. */
	async adoptBlob(file: string, digest: string): Promise<void> {
		await rename(file, this.blobPath(digest));
	}

	/** Gives a verified file in the store a second name outside of it, which costs no space. */
	async linkBlob(digest: string, to: string): Promise<void> {
		await link(this.blobPath(digest), to);
	}

	async removeBlob(digest: string): Promise<void> {
		try {
			await unlink(this.blobPath(digest));
		} catch (error) {
			if (!isErrno(error, 'ENOENT')) throw error;
		}
	}

	/** The entries of index.json. Takes no lock: the file is only ever replaced. */
	async read(): Promise<Entry[]> {
		const bytes = readIfThere(join(this.#root, 'index.json'));
		if (bytes === undefined) return [];
		if (bytes.length > largestIndex) throw this.#corrupt();
		let document: unknown;
		try {
			document = JSON.parse(bytes.toString('utf8'));
		} catch (cause) {
			throw this.#corrupt(cause);
		}
		const manifests =
			typeof document === 'object' && document !== null && 'manifests' in document
				? document.manifests
				: undefined;
		if (!Array.isArray(manifests)) throw this.#corrupt();
		return manifests.map((value, at) => {
			const descriptor = parseDescriptor(value, `entry ${at} of index.json`);
			const reference = referenceOf(descriptor);
			return {descriptor, ...(reference === undefined ? {} : {reference})};
		});
	}

	/**
	 * Changes index.json: `change` gets the current entries and returns the new ones, or undefined to leave
	 * it. It runs under the lock, so it must be quick.
	 */
	update(change: (entries: readonly Entry[]) => readonly Entry[] | undefined): Promise<void> {
		return this.#locks.with('images', async () => {
			const changed = change(await this.read());
			if (changed === undefined) return;
			const layout = join(this.#root, 'oci-layout');
			if (readIfThere(layout) === undefined)
				await replaceFile(layout, JSON.stringify({imageLayoutVersion: '1.0.0'}));
			const document = {
				schemaVersion: 2,
				mediaType: mediaTypes.ociIndex,
				manifests: changed.map(({descriptor}) => descriptor),
			};
			const path = join(this.#root, 'index.json');
			const text = JSON.stringify(document);
			try {
				await replaceFile(path, text);
			} catch (error) {
				// What makes room must work where there is none.
				if (!isFull(error) || !(await shrinkFile(path, text))) throw error;
			}
		});
	}

	#corrupt(cause?: unknown): WherryError {
		const path = join(this.#root, 'index.json');
		return new WherryError('corrupt', `${path} is damaged; it has to be an OCI image index`, {
			object: path,
			cause,
		});
	}
}

/**
 * The entries after names have been given: each name has one entry, and a manifest that has lost its last
 * one stays, without a name.
 */
export function withNames(entries: readonly Entry[], added: readonly Entry[]): Entry[] {
	const taken = new Set(added.flatMap(({reference}) => (reference ? storedName(reference) : [])));
	const kept = entries.filter(({reference}) => !reference || !taken.has(storedName(reference)));
	// What is loaded or pulled again under its name stays tagged when it was.
	const before = new Map(
		entries.flatMap((entry) => (entry.reference ? [[storedName(entry.reference), entry]] : [])),
	);
	const again = added.map((entry) => {
		const old = entry.reference && before.get(storedName(entry.reference));
		const isTimed = taggedTime(entry) !== undefined || old?.descriptor.digest !== entry.descriptor.digest;
		return isTimed ? entry : (old ?? entry);
	});
	const named = [...kept.filter(({reference}) => reference), ...again];
	return withUnnamed(named, entries);
}

/** The named entries, and one for every manifest of `before` that is not among them. */
export function withUnnamed(named: readonly Entry[], before: readonly Entry[]): Entry[] {
	const seen = new Set(named.map(({descriptor}) => descriptor.digest));
	const result = [...named];
	for (const {descriptor} of before) {
		if (seen.has(descriptor.digest)) continue;
		seen.add(descriptor.digest);
		result.push(unnamedEntry(descriptor));
	}
	return result;
}
