/** Whether an unpacked layer has what its archive has: every name, of the right kind and size. */
import {createReadStream} from 'node:fs';
import {readdir, stat} from 'node:fs/promises';
import {join, posix} from 'node:path';
import {Parser, type ReadEntry} from 'tar';
import {plain} from './spool.ts';

type Kind = 'file' | 'folder' | 'link' | 'other';

interface Found {
	kind: Kind;
	/** Bytes of a file; undefined where they are not known. */
	size?: number;
}

/** Names that are looked at. A larger layer is trusted beyond them. */
const mostNames = 1_000_000;
const whiteout = '.wh.';

const kinds: Readonly<Record<string, Kind>> = {
	File: 'file',
	OldFile: 'file',
	ContiguousFile: 'file',
	Directory: 'folder',
	SymbolicLink: 'link',
};

/** What is in a tree, by relative path. No link is followed. */
async function treeOf(root: string): Promise<Map<string, Found>> {
	const found = new Map<string, Found>();
	const folders = [''];
	for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
		for (const entry of await readdir(join(root, folder), {withFileTypes: true})) {
			const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
			if (entry.isDirectory()) folders.push(path);
			const kind: Kind = entry.isDirectory()
				? 'folder'
				: entry.isSymbolicLink()
					? 'link'
					: entry.isFile()
						? 'file'
						: 'other';
			found.set(path, {kind});
		}
	}
	return found;
}

/** What the archive says that there is, the last entry of each name. */
async function archiveOf(blob: string): Promise<Map<string, Found>> {
	const found = new Map<string, Found>();
	const parser = new Parser({
		strict: false,
		onReadEntry(entry: ReadEntry) {
			const path = posix.normalize(`/${entry.path}`).slice(1).replace(/\/$/, '');
			const kind = kinds[entry.type] ?? 'other';
			const size = kind === 'file' && !path.includes('GNUSparseFile') ? {size: entry.size} : {};
			const counts =
				path !== '' && !posix.basename(path).startsWith(whiteout) && !path.includes('GNUSparseFile');
			if (counts && found.size < mostNames) found.set(path, {kind, ...size});
			entry.resume();
		},
	});
	const ended = new Promise<void>((resolve, reject) => {
		parser.on('end', resolve);
		parser.on('error', reject);
	});
	ended.catch(() => {});
	for await (const chunk of await plain(createReadStream(blob, {highWaterMark: 1 << 20})))
		if (!parser.write(chunk as Buffer))
			await Promise.race([new Promise((resolve) => parser.once('drain', resolve)), ended]);
	parser.end();
	await ended;
	return found;
}

/** Whether the way to a name goes over a link, which is resolved within the layer: then it is somewhere else. */
function overLink(tree: ReadonlyMap<string, Found>, path: string): boolean {
	for (let at = posix.dirname(path); at !== '.'; at = posix.dirname(at))
		if (tree.get(at)?.kind === 'link') return true;
	return false;
}

/** What is wrong with the tree; undefined when nothing is. */
export async function layerFault(root: string, blob: string): Promise<string | undefined> {
	const [tree, archive] = [await treeOf(root), await archiveOf(blob)];
	for (const [path, {kind, size}] of archive) {
		if (overLink(tree, path)) continue;
		const found = tree.get(path);
		if (!found) return `${path} is missing`;
		if (kind === 'file' && found.kind === 'file') {
			const actual = (await stat(join(root, path))).size;
			if (size !== undefined && actual < size) return `${path} has ${actual} bytes in place of ${size}`;
		} else if (kind !== found.kind && kind !== 'other' && found.kind !== 'other') {
			return `${path} is a ${found.kind} in place of a ${kind}`;
		}
	}
	return undefined;
}
