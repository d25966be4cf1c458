/**
 * Picks programs of the host with all that they need: links on the way (`/bin -> usr/bin`), the dynamic
 * loader, and libraries, searched as ld.so(8) does but without its cache, whose format is glibc's own.
 */
import {lstatSync, readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {dirname, join, normalize} from 'node:path/posix';
import type {ArchiveEntry} from './archive.ts';
import {type Elf, parseElf} from './elf.ts';

const programFolders = [
	'/bin',
	'/usr/bin',
	'/sbin',
	'/usr/sbin',
	'/usr/local/bin',
	'/run/current-system/sw/bin',
];
/** Links at the top that merged systems have: programs look for each other through them. */
const topLinks = ['/bin', '/sbin', '/lib', '/lib64'];
const mostLinks = 40;
const mostIncludes = 64;

interface HostFile {
	readonly path: string;
	readonly mode: number;
	readonly content: Buffer;
	readonly mtime: number;
}

/** What a program brings, before it is decided whether it is taken. */
interface Selection {
	readonly files: Map<string, HostFile>;
	readonly links: Map<string, string>;
}

export class HostFiles {
	readonly #root: string;
	readonly #files = new Map<string, HostFile>();
	readonly #links = new Map<string, string>();
	readonly #elves = new Map<string, Elf | undefined>();
	#folders: readonly string[] | undefined;

	/** Another root than `/` is for trees that are not this host. */
	constructor(root = '') {
		this.#root = root;
		const top: Selection = {files: new Map(), links: this.#links};
		for (const link of topLinks) this.#resolve(link, top);
	}

	/** Milliseconds since the epoch. */
	get newest(): number {
		return Math.max(0, ...[...this.#files.values()].map(({mtime}) => mtime));
	}

	/** False when the host doesn't have it, a library is missing, or the libraries that it adds are too large. */
	addProgram(name: string, largestExtra = Number.POSITIVE_INFINITY): boolean {
		for (const folder of programFolders) {
			const selection: Selection = {files: new Map(), links: new Map()};
			const program = this.#take(`${folder}/${name}`, selection);
			if (!program || !this.#elf(program)) continue;
			if (!this.#takeNeeds(program, selection)) return false;
			const extra = [...selection.files.values()]
				.filter((file) => file !== program && !this.#files.has(file.path))
				.reduce((sum, {content}) => sum + content.length, 0);
			if (extra > largestExtra) return false;
			for (const [path, file] of selection.files) this.#files.set(path, file);
			for (const [path, target] of selection.links) this.#links.set(path, target);
			return true;
		}
		return false;
	}

	entries(): ArchiveEntry[] {
		const entries: ArchiveEntry[] = [];
		for (const {path, mode, content} of this.#files.values())
			entries.push({type: 'file', path: path.slice(1), mode: mode & 0o755, content});
		for (const [path, target] of this.#links)
			entries.push({type: 'link', path: path.slice(1), mode: 0o777, target});
		return entries;
	}

	/** Adds a file with the links that lead to it; undefined when it is not there. */
	#take(path: string, selection: Selection): HostFile | undefined {
		const real = this.#resolve(path, selection);
		if (real === undefined) return undefined;
		const known = selection.files.get(real) ?? this.#files.get(real);
		const file = known ?? this.#read(real);
		if (file) selection.files.set(real, file);
		return file;
	}

	#read(path: string): HostFile | undefined {
		try {
			const stats = lstatSync(this.#root + path);
			if (!stats.isFile()) return undefined;
			return {path, mode: stats.mode, mtime: stats.mtimeMs, content: readFileSync(this.#root + path)};
		} catch {
			return undefined;
		}
	}

	/** The path without links; the links on the way are noted. */
	#resolve(path: string, {links}: Selection): string | undefined {
		let rest = normalize(path).split('/').filter(Boolean);
		let at = '/';
		for (let followed = 0; rest.length > 0; ) {
			const next = join(at, rest.shift()!);
			let target: string | undefined;
			try {
				if (lstatSync(this.#root + next).isSymbolicLink()) target = readlinkSync(this.#root + next);
			} catch {
				return undefined;
			}
			if (target === undefined) {
				at = next;
				continue;
			}
			if (++followed > mostLinks) return undefined;
			links.set(next, target);
			const joined = normalize(join(target.startsWith('/') ? '/' : at, target, ...rest));
			rest = joined.split('/').filter(Boolean);
			at = '/';
		}
		return at;
	}

	#elf(file: HostFile): Elf | undefined {
		if (!this.#elves.has(file.path)) this.#elves.set(file.path, parseElf(file.content));
		return this.#elves.get(file.path);
	}

	/** Loader and libraries, and those that these need. */
	#takeNeeds(program: HostFile, selection: Selection): boolean {
		const {kind, interpreter} = this.#elf(program)!;
		const loader = interpreter === undefined ? undefined : this.#take(interpreter, selection);
		if (interpreter !== undefined && !loader) return false;
		const done = new Set<string>();
		const todo = [program];
		for (let user = todo.pop(); user; user = todo.pop()) {
			const elf = this.#elf(user);
			for (const name of elf?.needed ?? []) {
				if (done.has(name)) continue;
				done.add(name);
				const library = this.#takeLibrary(name, user, elf!, kind, selection);
				if (library) todo.push(library);
				else return false;
			}
		}
		return true;
	}

	#takeLibrary(
		name: string,
		user: HostFile,
		elf: Elf,
		kind: string,
		selection: Selection,
	): HostFile | undefined {
		if (name.includes('/')) return this.#take(name, selection);
		const own = elf.searchPath.map((folder) => folder.replace(/\$\{?ORIGIN\}?/g, dirname(user.path)));
		const standard = this.#standardFolders(kind);
		for (const folder of [...own, ...this.#libraryFolders(), ...standard]) {
			// Tried aside first: a library of another architecture leaves no trace.
			const trial: Selection = {files: new Map(), links: new Map()};
			const library = this.#take(`${folder}/${name}`, trial);
			if (!library || this.#elf(library)?.kind !== kind) continue;
			for (const [path, file] of trial.files) selection.files.set(path, file);
			for (const [path, target] of trial.links) selection.links.set(path, target);
			// The image has no ld.so.cache: what only the cache would find is linked to where the loader looks.
			if (!own.includes(folder) && !standard.includes(folder))
				selection.links.set(`/usr/lib/${name}`, library.path);
			return library;
		}
		return undefined;
	}

	/** Where glibc and musl look by themselves. */
	#standardFolders(kind: string): string[] {
		const triplets: Record<string, string> = {
			'2 1 62': 'x86_64-linux-gnu',
			'1 1 3': 'i386-linux-gnu',
			'2 1 183': 'aarch64-linux-gnu',
			'1 1 40': 'arm-linux-gnueabihf',
			'2 1 243': 'riscv64-linux-gnu',
			'2 1 21': 'powerpc64le-linux-gnu',
			'2 2 22': 's390x-linux-gnu',
		};
		const triplet = triplets[kind];
		const wide = kind.startsWith('2');
		return [
			...(triplet ? [`/lib/${triplet}`, `/usr/lib/${triplet}`] : []),
			...(wide ? ['/lib64', '/usr/lib64'] : []),
			'/lib',
			'/usr/lib',
		];
	}

	/** The folders of /etc/ld.so.conf and what it includes. */
	#libraryFolders(): readonly string[] {
		this.#folders ??= this.#readLoaderConfig('/etc/ld.so.conf', {left: mostIncludes});
		return this.#folders;
	}

	#readLoaderConfig(path: string, budget: {left: number}): string[] {
		if (budget.left-- <= 0) return [];
		let text: string;
		try {
			text = readFileSync(this.#root + path, 'utf8');
		} catch {
			return [];
		}
		return text.split('\n').flatMap((raw) => {
			const line = raw.replace(/#.*/, '').trim();
			const include = /^include\s+(.+)$/.exec(line)?.[1];
			if (include !== undefined)
				return this.#glob(include.startsWith('/') ? include : join(dirname(path), include)).flatMap((each) =>
					this.#readLoaderConfig(each, budget),
				);
			return line.startsWith('/') ? [line.replace(/=.*$/, '')] : [];
		});
	}

	/** Paths that match a pattern with `*` in its last part. */
	#glob(pattern: string): string[] {
		const folder = dirname(pattern);
		const [prefix = '', suffix = ''] = pattern.slice(folder.length + 1).split('*');
		try {
			return readdirSync(this.#root + folder)
				.filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
				.sort()
				.map((name) => `${folder}/${name}`);
		} catch {
			return [];
		}
	}
}
