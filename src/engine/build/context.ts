/** A folder from which a build takes files: which are left out, what is there, and a digest of what is taken. */
import {createHash} from 'node:crypto';
import {
	createReadStream,
	type Dirent,
	lstatSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	type Stats,
} from 'node:fs';
import {join, posix} from 'node:path';
import {type ContextReading, native} from '../../kernel/native.ts';
import type {KnownDigests} from './context-cache.ts';
import {globSource} from './globs.ts';
import type {PatternMatcher} from './patterns.ts';

/** Larger files are not read at once. */
const largeFile = 8 << 20;

export interface SourceEntry {
	/** Relative to what is taken; '' is that itself. */
	readonly path: string;
	/** On this host. */
	readonly file: string;
	readonly stat: Stats;
}

/** A tree of files, of a build context or of another stage. */
export interface Source {
	/** A name for messages. */
	readonly name: string;
	/** The entries that a path or a pattern means, relative to the root. */
	match(pattern: string): string[];
	/** Where a path leads when it is a link, relative to the root; itself when it is none. */
	follow(path: string): string;
	entry(path: string): SourceEntry;
	/** An entry and all below it, folders before what is in them, in order. */
	walk(path: string): Generator<SourceEntry>;
	/** A digest of an entry and all below it; empty when all of it is left out. */
	read(path: string): Promise<string>;
	/** A digest of the owners of an entry and all below it. */
	owners(path: string): string;
	/** Copies what is in a folder into another, at once; false: it has to be done entry by entry. */
	copy(path: string, target: number, plan: WholeCopy): Promise<boolean>;
}

/** How all that is copied at once becomes; absent: as the files have it. */
export interface WholeCopy {
	readonly owner: {readonly uid: number; readonly gid: number} | undefined;
	readonly mode: number | undefined;
	/** Milliseconds. */
	readonly time: number | undefined;
}

/** What reads a tree at once, instead of entry by entry. */
export interface FastReading {
	/** Of the root. */
	readonly fd: number;
	/** The file that keeps digests of what is below a path; none: they are not kept. */
	readonly cache?: ((path: string) => string) | undefined;
	readonly signal?: AbortSignal | undefined;
	/** What is known of files that never change. */
	readonly known?: KnownDigests | undefined;
	/** Told about each reading. */
	readonly watch?: (reading: () => Promise<ContextReading>) => Promise<ContextReading>;
}

export class FolderSource implements Source {
	readonly name: string;
	readonly #root: string;
	readonly #ignored: PatternMatcher | undefined;
	/** Links on the way to a file lead no further than the root when this resolves them. */
	readonly #resolve: (path: string) => string;
	readonly #fast: FastReading | undefined;

	constructor(
		name: string,
		root: string,
		ignored: PatternMatcher | undefined,
		resolve: (path: string) => string = (path) => path,
		fast?: FastReading,
	) {
		this.name = name;
		this.#root = root;
		this.#ignored = ignored;
		this.#resolve = resolve;
		this.#fast = fast;
	}

	#file(path: string): string {
		// The root may be a descriptor's link, which is followed only on the way to something.
		return path === '' ? `${this.#root}/.` : join(this.#root, path);
	}

	match(pattern: string): string[] {
		const clean = posix.normalize(`/${pattern}`).slice(1).replace(/\/$/, '');
		if (!/[*?[\\]/.test(clean)) {
			const path = this.#resolve(clean);
			const stat = lstatSync(this.#file(path), {throwIfNoEntry: false});
			if (!stat || (path !== '' && this.#ignored?.excludes(path) && !this.#keeps(path, stat))) return [];
			return [path];
		}
		let found = [''];
		for (const part of clean.split('/')) {
			if (part === '**') {
				found = [...new Set(found.flatMap((folder) => [folder, ...this.#foldersBelow(folder)]))];
				continue;
			}
			const expression = new RegExp(`^${globSource(part)}$`, 'su');
			found = found.flatMap((folder) => {
				const path = this.#resolve(folder);
				if (!lstatSync(this.#file(path), {throwIfNoEntry: false})?.isDirectory()) return [];
				return readdirSync(this.#file(path))
					.filter((name) => expression.test(name))
					.sort()
					.map((name) => (path === '' ? name : `${path}/${name}`));
			});
		}
		return found.filter((path) => {
			if (path === '') return clean === '';
			if (!this.#ignored?.excludes(path)) return true;
			return this.#keeps(path, lstatSync(this.#file(path)));
		});
	}

	follow(path: string): string {
		const real = this.#resolve(path);
		return lstatSync(this.#file(real), {throwIfNoEntry: false}) ? real : path;
	}

	#foldersBelow(folder: string): string[] {
		const names = readdirSync(this.#file(folder), {withFileTypes: true});
		return names
			.filter((entry) => entry.isDirectory())
			.sort(byName)
			.flatMap(({name}) => {
				const path = folder === '' ? name : `${folder}/${name}`;
				return [path, ...this.#foldersBelow(path)];
			});
	}

	#keeps(path: string, stat: Stats): boolean {
		return (
			stat.isDirectory() &&
			this.#ignored!.hasExclusions &&
			this.#ignored!.mayKeepBelow(path) &&
			!this.walk(path).next().done
		);
	}

	async read(path: string): Promise<string> {
		const known = this.#fast?.known;
		const before = known?.get(`content ${path}`);
		if (before !== undefined) return before;
		const digest = await this.#read(path);
		known?.set(`content ${path}`, digest);
		return digest;
	}

	owners(path: string): string {
		const known = this.#fast?.known;
		const before = known?.get(`owners ${path}`);
		if (before !== undefined) return before;
		const digest = ownersOf(this.walk(path));
		known?.set(`owners ${path}`, digest);
		return digest;
	}

	async #read(path: string): Promise<string> {
		const fast = this.#fast;
		const rules = this.#ignored ? this.#ignored.rules() : [];
		if (!fast || !rules || !lstatSync(this.#file(path)).isDirectory()) {
			const entries = [...this.walk(path)];
			return entries.length > 0 ? digestOf(entries) : '';
		}
		const work = async (): Promise<ContextReading> => {
			fast.signal?.throwIfAborted();
			const [reading, stop] = native.readContext(fast.fd, path, rules, fast.cache?.(path) ?? '');
			fast.signal?.addEventListener('abort', stop, {once: true});
			try {
				return await reading;
			} finally {
				fast.signal?.removeEventListener('abort', stop);
			}
		};
		const {digest} = await (fast.watch ? fast.watch(work) : work());
		return digest;
	}

	async copy(path: string, target: number, {owner, mode = -1, time = -1}: WholeCopy): Promise<boolean> {
		const fast = this.#fast;
		const rules = this.#ignored ? this.#ignored.rules() : [];
		if (!fast || !rules || this.#ignored?.hasExclusions || !lstatSync(this.#file(path)).isDirectory())
			return false;
		const {uid, gid} = owner ?? {uid: -1, gid: -1};
		fast.signal?.throwIfAborted();
		const [copying, stop] = native.copyContext(fast.fd, path, rules, target, uid, gid, mode, time);
		fast.signal?.addEventListener('abort', stop, {once: true});
		try {
			await copying;
		} finally {
			fast.signal?.removeEventListener('abort', stop);
		}
		return true;
	}

	entry(path: string): SourceEntry {
		const file = this.#file(path);
		return {path: '', file, stat: lstatSync(file)};
	}

	*walk(path: string): Generator<SourceEntry> {
		const stat = lstatSync(this.#file(path));
		if (!stat.isDirectory()) {
			yield {path: '', file: this.#file(path), stat};
			return;
		}
		yield* this.#below(path, '', stat);
	}

	*#below(root: string, relative: string, stat: Stats): Generator<SourceEntry> {
		const path = [root, relative].filter((part) => part !== '').join('/');
		const ignored = path !== '' && (this.#ignored?.excludes(path) ?? false);
		const inner = function* (this: FolderSource): Generator<SourceEntry> {
			const names = readdirSync(this.#file(path), {withFileTypes: true});
			for (const entry of names.sort(byName)) {
				const next = relative === '' ? entry.name : `${relative}/${entry.name}`;
				const full = path === '' ? entry.name : `${path}/${entry.name}`;
				const file = this.#file(full);
				const isFolder = entry.isDirectory();
				if (isFolder) yield* this.#below(root, next, lstatSync(file));
				else if (!this.#ignored?.excludes(full)) yield {path: next, file, stat: lstatSync(file)};
			}
		}.bind(this);
		if (!ignored) {
			yield {path: relative, file: this.#file(path), stat};
			yield* inner();
			return;
		}
		// Left out itself, but not all that is in it.
		if (!this.#ignored!.hasExclusions || !this.#ignored!.mayKeepBelow(path)) return;
		let told = false;
		for (const entry of inner()) {
			if (!told) yield {path: relative, file: this.#file(path), stat};
			told = true;
			yield entry;
		}
	}
}

const byName = (left: Dirent, right: Dirent): number =>
	left.name < right.name ? -1 : left.name > right.name ? 1 : 0;

export function ownersOf(entries: Iterable<SourceEntry>): string {
	const hash = createHash('sha256');
	for (const {path, stat} of entries) hash.update(`${path}\0${stat.uid}:${stat.gid}\0`);
	return hash.digest('hex');
}

async function contentOf({file, stat}: SourceEntry): Promise<string> {
	const hash = createHash('sha256');
	if (stat.size <= largeFile) hash.update(readFileSync(file));
	else for await (const chunk of createReadStream(file, {highWaterMark: 1 << 20})) hash.update(chunk);
	return hash.digest('hex');
}

/** A digest of entries by what is in them, their modes and extended attributes, not their times. */
export async function digestOf(entries: Iterable<SourceEntry>): Promise<string> {
	const hash = createHash('sha256');
	for (const entry of entries) {
		const {path, file, stat} = entry;
		hash.update(`${path}\0${(stat.mode & 0o7777).toString(8)}\0`);
		if (stat.isDirectory()) hash.update('d');
		else if (stat.isSymbolicLink()) hash.update(`l${readlinkSync(file)}`);
		else if (stat.isFile()) hash.update(`f${await contentOf(entry)}`);
		// A socket becomes an empty file.
		else if (stat.isSocket()) hash.update('s');
		else hash.update(`x${stat.rdev}`);
		// Of the folder that is asked for, only what is in it is taken.
		if (path !== '' || !stat.isDirectory()) {
			const attributes = native.digestXattrs(file);
			if (attributes !== '') hash.update(`\0a${attributes}`);
		}
		hash.update('\0');
	}
	return hash.digest('hex');
}
