/** An image store of its own for a test, and layers to put into it. */
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Ajv, type ErrorObject} from 'ajv';
import type {ExecutionContext} from 'ava';
import {type ArchiveEntry, writeArchive} from '../../src/engine/images/archive.ts';
import {createImages, type ImageEngine} from '../../src/engine/images/images.ts';
import type {ImageUser} from '../../src/engine/images/remove.ts';
import {Locks} from '../../src/engine/locks.ts';
import {Paths} from '../../src/engine/paths.ts';

export interface TestStore {
	readonly paths: Paths;
	readonly images: ImageEngine;
	/** Type, action, id and attributes of what was appended to the journal. */
	readonly events: [type: string, action: string, id: string, attributes: Record<string, string>][];
	/** The containers that there are said to be. */
	users: ImageUser[];
}

export function temporaryFolder(t: ExecutionContext, prefix = 'wherry-images-'): string {
	const folder = mkdtempSync(join(tmpdir(), prefix));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	return folder;
}

export function openStore(
	t: ExecutionContext,
	options: {root?: string; env?: NodeJS.ProcessEnv; stallTimeout?: number} = {},
): TestStore {
	const folder = temporaryFolder(t);
	const paths = new Paths(options.root ?? join(folder, 'root'), join(folder, 'run'));
	const store: TestStore = {
		paths,
		events: [],
		users: [],
		images: createImages({
			paths,
			locks: new Locks(paths),
			journal: {
				append: (type, action, id, attributes = {}) => store.events.push([type, action, id, attributes]),
			},
			containersUsing: async () => store.users,
			transport: {stallTimeout: options.stallTimeout ?? 30_000, retryDelay: 5},
			env: options.env ?? {PATH: process.env.PATH, HOME: folder},
		}),
	};
	t.teardown(() => store.images.close());
	return store;
}

/** A tar of files by path: a text is a file, null a folder, `-> x` a link. */
export function tarOf(tree: Record<string, string | Buffer | null>): Buffer {
	const entries = Object.entries(tree).map(([path, value]): ArchiveEntry => {
		if (value === null) return {type: 'folder', path, mode: 0o755};
		if (typeof value === 'string' && value.startsWith('-> '))
			return {type: 'link', path, mode: 0o777, target: value.slice(3)};
		return {type: 'file', path, mode: 0o644, content: Buffer.from(value)};
	});
	return Buffer.concat(writeArchive(entries));
}

/** A tar that GNU tar made of a folder which a shell script filled. */
export function tarOfScript(t: ExecutionContext, script: string): Buffer {
	const folder = temporaryFolder(t);
	const tree = join(folder, 'tree');
	mkdirSync(tree);
	const made = spawnSync('sh', ['-ec', script], {cwd: tree, encoding: 'utf8'});
	if (made.status !== 0) throw new Error(made.stderr);
	const packed = spawnSync(
		'tar',
		[
			'--xattrs',
			'--xattrs-include=*',
			'--format=posix',
			'--sort=name',
			'-C',
			tree,
			'-cf',
			join(folder, 'tar'),
			'.',
		],
		{encoding: 'utf8'},
	);
	if (packed.status !== 0) throw new Error(packed.stderr);
	return readFileSync(join(folder, 'tar'));
}

/** What lies in WHERRY_ROOT/ingest: nothing, unless a download was interrupted. */
export const leftovers = ({paths}: {paths: Paths}): string[] =>
	existsSync(paths.ingest) ? readdirSync(paths.ingest) : [];

const schemaFolder = new URL('../../../shared/reference/schemas/image-spec/', import.meta.url);

/** A validator by schema name; without the published schemas, the rules that matter most. */
function validator(name: string): (document: unknown) => string[] {
	if (!existsSync(schemaFolder))
		return (document) => {
			const {schemaVersion, rootfs, imageLayoutVersion} = document as Record<string, unknown>;
			return schemaVersion === 2 || rootfs || imageLayoutVersion === '1.0.0' ? [] : ['unknown document'];
		};
	const ajv = new Ajv({strict: false, allErrors: true, validateFormats: false});
	for (const file of readdirSync(schemaFolder)) {
		// Draft 4, which differs only in these two; and the schemas name each other by file.
		const schema = JSON.parse(readFileSync(new URL(file, schemaFolder), 'utf8'), (key, value) =>
			(key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
		);
		ajv.addSchema({...schema, $id: `https://opencontainers.org/schema/${file}`}, file);
	}
	const validate = ajv.getSchema(`https://opencontainers.org/schema/${name}`);
	if (!validate) throw new Error(`no schema ${name}`);
	return (document) =>
		validate(document) ? [] : (validate.errors ?? []).map((error: ErrorObject) => ajv.errorsText([error]));
}

/** Everything in the layout that is not as the image specification has it. */
export function layoutFaults({paths}: {paths: Paths}): string[] {
	const read = (path: string) => JSON.parse(readFileSync(join(paths.images, path), 'utf8'));
	const blob = (digest: string) => read(`blobs/sha256/${digest.slice(7)}`);
	const index = read('index.json');
	const faults = validator('image-layout-schema.json')(read('oci-layout'));
	faults.push(...validator('image-index-schema.json')(index));
	const checkManifest = validator('image-manifest-schema.json');
	const checkConfig = validator('config-schema.json');
	for (const {digest} of index.manifests) {
		const manifest = blob(digest);
		faults.push(...checkManifest(manifest), ...checkConfig(blob(manifest.config.digest)));
		for (const layer of manifest.layers)
			if (!existsSync(join(paths.images, 'blobs', 'sha256', layer.digest.slice(7))))
				faults.push(`layer ${layer.digest} is missing`);
	}
	return faults;
}
