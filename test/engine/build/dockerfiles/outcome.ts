/** Builds a Dockerfile of the tables and tells what has come of it: the layers' files, the configuration, the history. */
import {execFileSync} from 'node:child_process';
import {
	chmodSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {list} from 'tar';
import type {BuildOptions, ImageConfig} from '../../../../src/engine/api.ts';
import {BuildError} from '../../../../src/engine/build/build-errors.ts';
import {digestHex} from '../../../../src/engine/store/digest.ts';
import type {TestEngine} from '../../../setup/engine.ts';

/** A file of a context. `tar` holds a file `in/x` of 9:9, mode 640, and a link to it. */
export type ContextFile =
	| string
	| {readonly content: string; readonly mode: number}
	| {readonly link: string}
	| {readonly folder: number}
	| {readonly tar: 'plain' | 'gzip'};

export interface Outcome {
	/**
	 * What the layers above the base's hold, a line each, sorted: `/file MODE UID:GID "content"`, `/folder/ MODE
	 * UID:GID`, `/link -> target`, `/hard is /file`, `/path is gone`. Folders that the base has just so are left out.
	 */
	files?: readonly string[];
	/** What is different from the base's (that of scratch has the WorkingDir `/`), without the PATH that every image has; null where it is not there any more. */
	config?: Readonly<Record<string, unknown>>;
	/** What the base's doesn't have; `- ` is before those without files. */
	history?: readonly string[];
	/** `Dockerfile:LINE message`. */
	error?: string;
}

export interface Case extends Outcome {
	readonly dockerfile: string;
	/** In place of the usual context. */
	context?: Readonly<Record<string, ContextFile>>;
	/** The Dockerfile is in the context too. */
	inContext?: true;
	/** Images that are built before. */
	bases?: Readonly<Record<string, string>>;
	args?: Readonly<Record<string, string>>;
	labels?: Readonly<Record<string, string>>;
	target?: string;
	secrets?: Readonly<Record<string, string>>;
	allow?: readonly string[];
	/** A folder with files, or the name of an image. */
	contexts?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
	/** Files whose content isn't told, or no file's is. */
	silent?: true | readonly string[];
}

/** What a case has when it says nothing else. */
const usual: Readonly<Record<string, ContextFile>> = {
	'a.txt': 'a',
	'b.txt': 'b',
	'dir/c.c': 'c',
	'dir/sub/d.h': 'd',
};

function writeContext(folder: string, files: Readonly<Record<string, ContextFile>>): void {
	// Whatever the umask is.
	const folders = (path: string): void => {
		if (path === '.' || lstatSync(join(folder, path), {throwIfNoEntry: false})) return;
		folders(dirname(path));
		mkdirSync(join(folder, path));
		chmodSync(join(folder, path), 0o755);
	};
	for (const [path, file] of Object.entries(files)) {
		const full = join(folder, path);
		folders(dirname(path));
		if (typeof file === 'string') {
			writeFileSync(full, file);
			chmodSync(full, 0o644);
		} else if ('content' in file) {
			writeFileSync(full, file.content);
			chmodSync(full, file.mode);
		} else if ('link' in file) symlinkSync(file.link, full);
		else if ('folder' in file) {
			mkdirSync(full);
			chmodSync(full, file.folder);
		} else {
			const inner = mkdtempSync(join(dirname(folder), 'tar-'));
			writeContext(inner, {'in/x': {content: 'packed', mode: 0o640}, 'in/l': {link: 'x'}});
			const flags = ['--owner=9', '--group=9', file.tar === 'gzip' ? '-czf' : '-cf'];
			execFileSync('tar', ['-C', inner, ...flags, full, 'in']);
		}
	}
}

interface Entry {
	readonly type: string;
	readonly owner: string;
	readonly target: string;
	readonly content: string;
}

/** The entries of a layer's archive by path, folders with a slash at the end. */
function layerEntries(blob: string): Map<string, Entry> {
	const found = new Map<string, Entry>();
	list({
		file: blob,
		sync: true,
		onReadEntry(entry) {
			const {mode = 0, uid, gid, linkpath = ''} = entry;
			const parts: Buffer[] = [];
			entry.on('data', (part: Buffer) => parts.push(part));
			const path = `/${entry.path.replace(/^\.?\/+|\/+$/g, '')}`;
			const add = () =>
				found.set(path, {
					type: entry.type,
					owner: `${(mode & 0o7777).toString(8)} ${uid}:${gid}`,
					target: linkpath,
					content: Buffer.concat(parts).toString(),
				});
			if (entry.size === 0) add();
			else entry.on('end', add);
		},
	});
	found.delete('/');
	return found;
}

interface Stored {
	readonly author?: string;
	readonly config: ImageConfig;
	readonly rootfs: {readonly diff_ids: readonly string[]};
	readonly history: readonly {created_by: string; empty_layer?: boolean}[];
}

const fromScratch: ImageConfig = {WorkingDir: '/'};

export class Builder {
	readonly #engine: TestEngine;
	readonly #folder: string;
	#usual: string | undefined;

	/** `folder` is for contexts. */
	constructor(engine: TestEngine, folder: string) {
		this.#engine = engine;
		this.#folder = folder;
	}

	#context(files: Readonly<Record<string, ContextFile>>): string {
		const folder = mkdtempSync(join(this.#folder, 'context-'));
		chmodSync(folder, 0o755);
		writeContext(folder, files);
		return folder;
	}

	async #build(text: string, options: Omit<BuildOptions, 'context'> & {folder: string}): Promise<string> {
		const {folder, ...more} = options;
		const {id} = await this.#engine.engine.build({
			context: {folder},
			text,
			hostConfig: {NetworkMode: 'none'},
			...more,
		});
		return id;
	}

	async outcome(row: Case): Promise<Outcome> {
		this.#usual ??= this.#context(usual);
		for (const [name, text] of Object.entries(row.bases ?? {}))
			await this.#build(text, {folder: this.#usual, tags: [name]});
		const own = {...row.context, ...(row.inContext ? {Dockerfile: row.dockerfile} : {})};
		const folder = row.context ? this.#context(own) : this.#usual;
		const contexts = Object.entries(row.contexts ?? {}).map(([name, context]) => [
			name,
			typeof context === 'string' ? {image: context} : {folder: this.#context(context)},
		]);
		const options = {
			folder,
			...(row.args ? {args: row.args} : {}),
			...(row.labels ? {labels: row.labels} : {}),
			...(row.allow ? {allow: row.allow} : {}),
			...(row.target === undefined ? {} : {target: row.target}),
			contexts: Object.fromEntries(contexts),
			secrets: Object.fromEntries(
				Object.entries(row.secrets ?? {}).map(([id, text]) => [id, Buffer.from(text)]),
			),
		};
		let id: string;
		try {
			id = row.inContext
				? (await this.#engine.engine.build({...options, context: {folder}})).id
				: await this.#build(row.dockerfile, options);
		} catch (error) {
			if (!(error instanceof BuildError)) throw error;
			const where = error.excerpt.split('\n')[0]!;
			return {error: [where, error.message].filter((part) => part !== '').join(' ')};
		}
		return this.#told(id, row.silent ?? []);
	}

	/** The image's configuration as it is stored. */
	#stored(id: string): Stored {
		const blob = join(this.#engine.root, 'images/blobs/sha256', digestHex(id));
		return JSON.parse(readFileSync(blob, 'utf8')) as Stored;
	}

	async #told(id: string, silent: true | readonly string[]): Promise<Outcome> {
		const {images} = this.#engine.engine;
		const base = this.#stored((await images.inspect('wherry/base')).Id);
		const image = this.#stored(id);
		const layers = image.rootfs.diff_ids;
		const lowers = base.rootfs.diff_ids;
		const isAbove = lowers.every((layer, at) => layers[at] === layer);
		const told = image.history
			.slice(isAbove ? base.history.length : 0)
			.map(({created_by: by, empty_layer: isEmpty}) => `${isEmpty ? '- ' : ''}${by}`);
		const files = this.#files(isAbove ? lowers : [], layers.slice(isAbove ? lowers.length : 0), silent);
		const config = {
			...this.#config(image.config, isAbove ? base.config : fromScratch),
			...(image.author === undefined ? {} : {author: image.author}),
		};
		return {
			...(files.length > 0 ? {files} : {}),
			...(Object.keys(config).length > 0 ? {config} : {}),
			...(told.length > 0 ? {history: told} : {}),
		};
	}

	#files(lowers: readonly string[], layers: readonly string[], silent: true | readonly string[]): string[] {
		const read = (layer: string) => {
			// Those that are made here aren't compressed.
			const blob = join(this.#engine.root, 'images/blobs/sha256', digestHex(layer));
			return layerEntries(blob);
		};
		const below = new Map(lowers.flatMap((layer) => [...read(layer)]));
		const merged = new Map<string, Entry | undefined>();
		const remove = (path: string): void => {
			for (const known of merged.keys())
				if (known === path || known.startsWith(`${path}/`)) merged.delete(known);
		};
		for (const entries of layers.map(read)) {
			for (const path of entries.keys()) {
				const name = basename(path);
				if (name === '.wh..wh..opq') remove(dirname(path));
				else if (name.startsWith('.wh.')) {
					const gone = join(dirname(path), name.slice(4));
					remove(gone);
					merged.set(gone, undefined);
				}
			}
			for (const [path, entry] of entries) {
				if (basename(path).startsWith('.wh.')) continue;
				if (entry.type !== 'Directory') remove(path);
				merged.set(path, entry);
			}
		}
		const lines: string[] = [];
		for (const [path, entry] of merged) {
			const known = below.get(path);
			if (!entry) {
				if (known) lines.push(`${path} is gone`);
			} else if (entry.type === 'SymbolicLink') lines.push(`${path} -> ${entry.target}`);
			else if (entry.type === 'Link') lines.push(`${path} is /${entry.target.replace(/^\.?\//, '')}`);
			else if (entry.type === 'Directory') {
				if (known?.type !== 'Directory' || known.owner !== entry.owner) lines.push(`${path}/ ${entry.owner}`);
			} else {
				const isSilent = silent === true || silent.includes(path);
				lines.push(`${path} ${entry.owner}${isSilent ? '' : ` ${JSON.stringify(entry.content)}`}`);
			}
		}
		return lines.sort();
	}

	#config(config: ImageConfig, base: ImageConfig): Record<string, unknown> {
		const isUsual = (entry: string): boolean =>
			entry.startsWith('PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:');
		const found: Record<string, unknown> = {};
		for (const key of new Set([...Object.keys(config), ...Object.keys(base)]) as Set<keyof ImageConfig>) {
			let value: unknown = config[key];
			if (key === 'Env') value = config.Env?.filter((entry) => !isUsual(entry));
			const before = key === 'Env' ? [] : base[key];
			if (JSON.stringify(value ?? null) === JSON.stringify(before ?? null)) continue;
			found[key] = value ?? null;
		}
		return found;
	}
}
