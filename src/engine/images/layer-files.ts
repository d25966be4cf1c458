/** What each layer of an image does to the files of those below it. Pure: from entries to lists. */
import type {ImageFile, ImageFileChange, ImageLayer, ImageLayers} from '../api.ts';

/** An entry of an unpacked layer, relative to its root: `etc/hosts`. A folder comes before what is in it. */
export interface LayerEntry {
	path: string;
	/** `whiteout`: what is there below is gone. */
	kind: 'file' | 'folder' | 'whiteout';
	/** Bytes of a file; each hard link but the first has none. */
	size: number;
	/** A folder that hides what is in it below. */
	opaque?: boolean;
}

/** What a layer is called. */
export type LayerLabel = Pick<ImageLayer, 'diffId' | 'command' | 'created'>;

interface Node {
	size: number;
	layer: number;
	/** Of a folder. */
	children?: Map<string, Node>;
}

/** Files that are listed as the largest, and as the most wasteful. */
const LISTED = 200;

/** Bytes and files of a node with all that is in it. */
function total(node: Node): {size: number; files: number} {
	let size = 0;
	let files = 0;
	const left = [node];
	for (let next = left.pop(); next; next = left.pop()) {
		size += next.size;
		if (next.children) left.push(...next.children.values());
		else files++;
	}
	return {size, files};
}

/** `layers`: lowest first, with the entries of each. */
export function analyseLayers(
	layers: readonly {label: LayerLabel; entries: Iterable<LayerEntry>}[],
): Omit<ImageLayers, 'id'> {
	const root: Node = {size: 0, layer: -1, children: new Map()};
	const waste = new Map<string, {size: number; count: number}>();
	let wasted = 0;
	const hide = (path: string, node: Node): void => {
		// One by one: what of a folder is hidden is told of by its files.
		const left: [string, Node][] = [[path, node]];
		for (let next = left.pop(); next; next = left.pop()) {
			const [at, {size, children}] = next;
			for (const [name, child] of children ?? []) left.push([`${at}/${name}`, child]);
			if (children || size === 0) continue;
			const known = waste.get(at) ?? {size: 0, count: 0};
			waste.set(at, {size: known.size + size, count: known.count + 1});
			wasted += size;
		}
	};

	const result = layers.map(({label, entries}, layer): ImageLayer => {
		const files: ImageFileChange[] = [];
		const counts = {added: 0, changed: 0, removed: 0};
		let size = 0;
		const tell = (path: string, change: ImageFileChange['change'], bytes: number, many = 1): void => {
			files.push({path: `/${path}`, change, size: bytes});
			counts[change] += many;
		};
		const remove = (path: string, node: Node): void => {
			hide(`/${path}`, node);
			const {size: gone, files: many} = total(node);
			tell(node.children ? `${path}/` : path, 'removed', gone, many);
		};
		for (const {path, kind, size: bytes, opaque} of entries) {
			const names = path.split('/');
			const name = names.pop()!;
			let folder: Node = root;
			for (const part of names) {
				folder.children ??= new Map();
				let child = folder.children.get(part);
				if (!child?.children) {
					child = {size: 0, layer, children: new Map()};
					folder.children.set(part, child);
				}
				folder = child;
			}
			folder.children ??= new Map();
			const below = folder.children.get(name);
			if (kind === 'whiteout') {
				if (below) {
					folder.children.delete(name);
					remove(path, below);
				}
				continue;
			}
			size += bytes;
			if (kind === 'folder') {
				if (below?.children) {
					if (!opaque) continue;
					for (const [inside, child] of below.children) remove(`${path}/${inside}`, child);
					below.children.clear();
					continue;
				}
				if (below) remove(path, below);
				folder.children.set(name, {size: 0, layer, children: new Map()});
				continue;
			}
			if (below?.children) remove(path, below);
			else if (below) hide(`/${path}`, below);
			tell(path, below && !below.children ? 'changed' : 'added', bytes);
			folder.children.set(name, {size: bytes, layer});
		}
		return {...label, size, ...counts, files};
	});

	return {
		layers: result,
		size: result.reduce((sum, {size}) => sum + size, 0),
		wasted,
		waste: largest([...waste].map(([path, rest]) => ({path, ...rest}))),
		biggest: largest(visibleFiles(root)),
	};
}

function largest<T extends ImageFile>(files: T[]): T[] {
	return files.sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1)).slice(0, LISTED);
}

function visibleFiles(root: Node): (ImageFile & {layer: number})[] {
	const files: (ImageFile & {layer: number})[] = [];
	const left: [string, Node][] = [['', root]];
	for (let next = left.pop(); next; next = left.pop()) {
		const [path, {size, layer, children}] = next;
		for (const [name, child] of children ?? []) left.push([`${path}/${name}`, child]);
		if (!children && size > 0) files.push({path, size, layer});
	}
	return files;
}
