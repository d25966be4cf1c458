/** COPY and ADD: what they take, and where it goes. */
import {createHash} from 'node:crypto';
import {closeSync, mkdtempSync, openSync, utimesSync, writeFileSync} from 'node:fs';
import {join, posix} from 'node:path';
import {native} from '../../kernel/native.ts';
import {WherryError} from '../errors.ts';
import {isArchive} from './archives.ts';
import {digestOf, FolderSource, ownersOf, type Source, type SourceEntry} from './context.ts';
import {copyEntries, copyWhole, isFolder, makeFolder, makeParent, modeChange} from './copy.ts';
import {parseGitAddress} from './git-address.ts';
import {DockerfileError, type Instruction, parseHeredoc} from './parser.ts';
import {PatternMatcher} from './patterns.ts';
import {type Owner, resolveOwner} from './root.ts';
import {chomped} from './run-flags.ts';
import {expand, type Variables} from './shell-words.ts';
import type {Build} from './stage-graph.ts';
import {flagValue} from './stages.ts';

interface Flags {
	from: string;
	chown: string;
	chmod: string;
	link: boolean;
	parents: boolean;
	exclude: string[];
	checksum: string;
	keepGit: boolean | undefined;
	unpack: boolean | undefined;
}

interface Item {
	source: Source;
	path: string;
	/** What a file of it is called in a folder. */
	name: string;
	/** What is taken, when it is needed, and a digest of it. */
	entries: () => Iterable<SourceEntry>;
	digest: string;
	/** An archive that ADD unpacks. */
	unpack: boolean;
	/** For --parents: the folders that it keeps, outermost first, by their paths below the destination. */
	parents: readonly SourceEntry[];
	/** A folder of which nothing is left out here, so that it may be copied at once. */
	isWhole?: boolean;
}

export interface PreparedCopy {
	/** What the step depends on. */
	readonly parts: unknown;
	readonly description: string;
	/** --link: it is written into an empty root, and what is below it doesn't matter. */
	readonly isLinked: boolean;
	write(root: number): Promise<void>;
	/** Whether what was taken is still what it was when the parts were told. */
	isSettled(): Promise<boolean>;
}

function parseFlags(instruction: Instruction, word: (text: string) => string): Flags {
	const {flags, line} = instruction;
	const isAdd = instruction.name.toLowerCase() === 'add';
	const parsed: Flags = {
		from: '',
		chown: '',
		chmod: '',
		link: false,
		parents: false,
		exclude: [],
		checksum: '',
		keepGit: undefined,
		unpack: undefined,
	};
	const bool = (value: string | undefined): boolean => value === undefined || value.toLowerCase() === 'true';
	for (const flag of flags) {
		const [name, value] = flagValue(flag);
		if (name === 'chown') parsed.chown = word(value ?? '');
		else if (name === 'chmod') parsed.chmod = word(value ?? '');
		else if (name === 'link') parsed.link = bool(value);
		else if (name === 'keep-git-dir' && isAdd) parsed.keepGit = bool(value);
		else if (name === 'exclude') parsed.exclude.push(word(value ?? ''));
		else if (name === 'from' && !isAdd) parsed.from = value ?? '';
		else if (name === 'parents' && !isAdd) parsed.parents = bool(value);
		else if (name === 'checksum' && isAdd) parsed.checksum = word(value ?? '');
		else if (name === 'unpack' && isAdd) parsed.unpack = bool(value);
		else throw new DockerfileError(`unknown flag: --${name}`, line);
	}
	return parsed;
}

/** What a downloaded file is called: as its address ends, whatever the server says, else as BuildKit calls it. */
function fileName({pathname}: URL): string {
	let last = posix.basename(pathname);
	try {
		last = posix.basename(decodeURIComponent(pathname));
	} catch {
		// It is none that was encoded.
	}
	return ['', '.', '..'].includes(last) || last.includes('\0') ? '__unnamed__' : last;
}

/** Throws in BuildKit's words when a checksum is none of what is downloaded. */
function checkDigest(text: string): void {
	const [, algorithm, hex] = /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/.exec(text) ?? [];
	const length = {sha256: 64, sha384: 96, sha512: 128}[algorithm ?? ''];
	if (hex === undefined) throw new WherryError('invalid', 'invalid checksum digest format');
	if (length === undefined) throw new WherryError('invalid', 'unsupported digest algorithm');
	if (hex.length !== length || !/^[a-f0-9]+$/.test(hex))
		throw new WherryError('invalid', 'invalid checksum digest length');
}

async function download(build: Build, url: URL, {checksum, unpack}: Flags, scratch: string): Promise<Item> {
	if (checksum !== '') checkDigest(checksum);
	const {Transport} = await import('../registry/transport.ts');
	const transport = new Transport({env: process.env});
	try {
		const {signal} = build.options;
		const response = await transport.request(url, {signal});
		if (response.status !== 200) {
			response.body.destroy();
			throw new WherryError('unavailable', `invalid response status ${response.status}`, {object: url.href});
		}
		const folder = mkdtempSync(join(scratch, 'url-'));
		const name = fileName(url);
		const file = join(folder, name);
		const hash = createHash('sha256');
		const chunks: Buffer[] = [];
		for await (const chunk of response.body as AsyncIterable<Buffer>) {
			hash.update(chunk);
			chunks.push(chunk);
		}
		const digest = hash.digest('hex');
		if (checksum !== '' && checksum !== `sha256:${digest}`) {
			throw new WherryError('corrupt', `digest mismatch sha256:${digest}: ${checksum}`, {object: url.href});
		}
		writeFileSync(file, Buffer.concat(chunks), {mode: 0o600});
		// As old as the server says, else as old as can be: a time of our own would change the layer each time.
		const modified = Date.parse(response.headers['last-modified'] ?? '') || 0;
		utimesSync(file, modified / 1000, modified / 1000);
		const source = new FolderSource(url.href, folder, undefined);
		return {
			source,
			path: name,
			name,
			entries: () => source.walk(name),
			digest,
			unpack: unpack === true && isArchive(file),
			parents: [],
		};
	} finally {
		transport.close();
	}
}

/** What passes, and the folders that it is in. */
function withFolders(
	entries: readonly SourceEntry[],
	passes: (entry: SourceEntry) => boolean,
): SourceEntry[] {
	const chosen = new Set(entries.filter(passes));
	const folders = new Set<string>();
	for (const {path} of chosen)
		for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
			folders.add(path.slice(0, at));
	return entries.filter((entry) => chosen.has(entry) || folders.has(entry.path));
}

/** The folders of a kept path, of which the innermost is `folder`. */
function parentsOf(source: Source, folder: string, kept: string): SourceEntry[] {
	const names = kept.split('/').filter((name) => name !== '' && name !== '.');
	let path = folder;
	return names
		.map((_, at): SourceEntry => {
			const {file, stat} = source.entry(path);
			path = posix.dirname(path);
			return {path: names.slice(0, names.length - at).join('/'), file, stat};
		})
		.reverse();
}

const toldOf = ({path, file, stat: {mode, uid, gid}}: SourceEntry): unknown => [
	path,
	mode & 0o7777,
	uid,
	gid,
	native.digestXattrs(file),
];

export async function copyStep(
	build: Build,
	instruction: Instruction,
	context: {word: (text: string) => string; variables: Variables; workdir: string; scratch: string},
): Promise<PreparedCopy> {
	const {word, variables, workdir, scratch} = context;
	const {line, heredocs} = instruction;
	const name = instruction.name.toUpperCase();
	const isAdd = name === 'ADD';
	const flags = parseFlags(instruction, word);
	const args = instruction.args.map(word);
	if (args.length < 2)
		throw new DockerfileError(
			`${name} requires at least two arguments, but only one was provided. Destination could not be determined`,
			line,
		);
	const target = args.at(-1)!;
	const sources = args.slice(0, -1);
	const isFolderName = target.endsWith('/') || target === '.' || target.endsWith('/.') || target === '';
	const absolute = posix.resolve(workdir, target);
	const destination = isFolderName && absolute !== '/' ? `${absolute}/` : absolute;
	const change = flags.chmod === '' ? undefined : modeChange(flags.chmod);
	const fixedMode = /^[0-7]{1,5}$/.test(flags.chmod) ? Number.parseInt(flags.chmod, 8) : undefined;
	const isPlainMode = flags.chmod === '' || fixedMode !== undefined;
	if (flags.from.includes('$'))
		throw new WherryError(
			'invalid',
			'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
		);
	const origin = flags.from === '' ? undefined : await build.source(flags.from, line);
	const from: Source = origin?.source ?? build.context;
	const remote = isAdd ? undefined : sources.find((text) => /^https?:\/\//.test(text));
	if (remote !== undefined) throw new DockerfileError("source can't be a URL for COPY", line);
	if (flags.checksum !== '') {
		if (sources.length > 1)
			throw new WherryError('invalid', "checksum can't be specified for multiple sources");
		if (!/^https?:\/\//.test(sources[0]!) && !parseGitAddress(sources[0]!))
			throw new WherryError('invalid', 'checksum requires HTTP(S) or Git sources');
	}
	const excluded = flags.exclude.length > 0 ? new PatternMatcher(flags.exclude) : undefined;

	const documentOf = (at: number) => {
		const named = parseHeredoc(instruction.args[at]!, line)?.name;
		return named === undefined ? undefined : heredocs.findLast((each) => each.name === named);
	};
	const items: Item[] = [];
	for (const [at, text] of sources.entries()) {
		const heredoc = documentOf(at);
		if (heredoc) {
			const content = chomped(heredoc);
			const expanded = heredoc.expand
				? expand(content, variables, {escape: build.dockerfile.escape, rawQuotes: true, skipQuotes: true})
						.word
				: content;
			const folder = mkdtempSync(join(scratch, 'heredoc-'));
			const file = posix.basename(heredoc.name);
			writeFileSync(join(folder, file), expanded, {mode: 0o644});
			const source = new FolderSource('heredoc', folder, undefined);
			const entries = [...source.walk(file)];
			items.push({
				source,
				path: file,
				name: file,
				entries: () => entries,
				digest: await digestOf(entries),
				unpack: false,
				parents: [],
			});
			continue;
		}
		const repository = parseGitAddress(text);
		if (repository && !repository.isLikePath) {
			if (!isAdd) throw new WherryError('invalid', "source can't be a git ref for COPY");
			const {checkOut} = await import('./remote.ts');
			const {signal} = build.options;
			if (flags.keepGit !== undefined && (repository.keepGit ?? flags.keepGit) !== flags.keepGit)
				throw new WherryError('invalid', 'inconsistent keep-git-dir configuration');
			const taken = await checkOut(repository, mkdtempSync(join(scratch, 'git-')), {
				keepGit: flags.keepGit ?? false,
				checksum: flags.checksum,
				agent: await build.agents?.path('default'),
				signal,
			});
			const source = new FolderSource(text, taken.folder, undefined);
			const keepGit = repository.keepGit ?? flags.keepGit ?? false;
			const digest = JSON.stringify([
				taken.commit,
				repository.folder,
				keepGit,
				repository.submodules ?? true,
			]);
			items.push({
				source,
				path: '',
				name: '',
				entries: () => source.walk(''),
				digest,
				unpack: false,
				parents: [],
			});
			continue;
		}
		if (isAdd && /^https?:\/\//.test(text)) {
			items.push(await download(build, new URL(text), flags, scratch));
			continue;
		}
		const matched = from.match(text);
		const wild = /[*?[]/.test(text);
		if (matched.length === 0 && !wild) {
			const clean = posix.resolve('/', text);
			throw new WherryError(
				'not-found',
				`failed to compute cache key: failed to calculate checksum of ref: ${JSON.stringify(clean)}: not found`,
				{object: text},
			);
		}
		for (const found of matched) {
			// Links are followed, and give what they lead to their name.
			const name = posix.basename(wild ? found : posix.normalize(`/${text}`));
			const path = wild ? from.follow(found) : found;
			let entries = (): Iterable<SourceEntry> => from.walk(path);
			if (excluded) {
				const kept = withFolders([...entries()], (entry) => {
					const whole = [path, entry.path].filter((part) => part !== '').join('/');
					return entry.path === ''
						? !(entry.stat.isFile() && excluded.excludes(posix.basename(path)))
						: !excluded.excludes(entry.path) && !excluded.excludes(whole);
				});
				entries = () => kept;
			}
			const [first] = entries();
			if (!first) continue;
			const unpack = isAdd && flags.unpack !== false && first.stat.isFile() && isArchive(first.file);
			const pivot = /^(.*?)\/\.\/(.*)$/.exec(text);
			const kept = pivot
				? posix
						.normalize(
							path.slice(Math.min(path.length, posix.normalize(pivot[1]!).replace(/^\/+/, '').length)),
						)
						.replace(/^\/+/, '')
				: path;
			const takesFolder = first.stat.isDirectory();
			const parents = flags.parents
				? parentsOf(from, takesFolder ? path : posix.dirname(path), takesFolder ? kept : posix.dirname(kept))
				: [];
			items.push({
				source: from,
				path,
				name,
				entries,
				digest: excluded ? await digestOf(entries()) : await from.read(path),
				unpack,
				parents,
				isWhole: !excluded && isPlainMode && takesFolder,
			});
		}
	}
	// What comes of a stage or an image keeps its owners; a context's files are root's.
	const keepsOwners = flags.chown === '' && origin?.key !== undefined;
	const told = [
		name,
		...(flags.parents ? ['--parents'] : []),
		...(flags.chown === '' ? [] : [`--chown=${flags.chown}`]),
		...(flags.chmod === '' ? [] : [`--chmod=${flags.chmod}`]),
		...sources.filter((_, at) => !documentOf(at)),
		...sources.flatMap((_, at) => documentOf(at)?.name ?? []).map((word) => `<<${word}`),
		target,
	];
	return {
		parts: [
			name,
			destination,
			// What is taken is told by its digest, whatever it was compared with.
			{...flags, checksum: '', keepGit: false},
			items.map((item) => [item.name, item.digest, item.unpack, item.parents.map(toldOf)]),
			...(keepsOwners
				? [items.map(({source, path, entries}) => (excluded ? ownersOf(entries()) : source.owners(path)))]
				: []),
		],
		description: `${told.join(' ')} # buildkit`,
		isLinked: flags.link,
		async write(root) {
			const owner: Owner = flags.chown === '' ? {uid: 0, gid: 0} : resolveOwner(root, flags.chown);
			const time = build.options.sourceDateEpoch;
			for (const item of items) {
				const parent = item.parents.at(-1)?.path;
				const into = parent === undefined ? destination : `${posix.join(destination, parent)}/`;
				for (const each of item.parents)
					makeParent(root, each, {destination, owner: keepsOwners ? undefined : owner, mode: change, time});
				if (item.unpack) {
					const [entry] = item.entries();
					closeSync(makeFolder(root, into, owner, 0o755, time));
					const input = openSync(entry!.file, 'r');
					try {
						const chown = flags.chown === '' ? {} : owner;
						await native.unpackTree(root, input, {
							folder: posix.resolve('/', into),
							replaces: true,
							...chown,
						});
					} finally {
						closeSync(input);
					}
					continue;
				}
				const plan = {destination: into, owner: keepsOwners ? undefined : owner, mode: change, time};
				const whole = {...plan, mode: fixedMode};
				if (item.isWhole && (await copyWhole(root, item.source, item.path, whole))) continue;
				copyEntries(root, item.name, item.entries(), plan, into === '/' || isFolder(root, into));
			}
		},
		async isSettled() {
			if (excluded) return true;
			for (const {source, path, digest} of items) {
				if (source === from && (await from.read(path).catch(() => '')) !== digest) return false;
			}
			return true;
		},
	};
}
