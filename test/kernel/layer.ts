/** A private folder per test, layers unpacked into it, and what is in a tree as text to compare. */
import {createHash} from 'node:crypto';
import {lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {type LayerStats, native} from '../../src/kernel/native.ts';

export function privateFolder(t: ExecutionContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-kernel-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	return folder;
}

/** Unpacks bytes into `folder`, in pieces of `pieceSize`. */
export async function unpack(
	folder: string,
	bytes: Uint8Array,
	pieceSize = 65_536,
	maxSize?: number,
): Promise<LayerStats> {
	mkdirSync(folder, {recursive: true});
	const unpacker = native.unpackLayer(folder, maxSize);
	for (let start = 0; start < bytes.length; start += pieceSize) {
		await unpacker.write(bytes.subarray(start, start + pieceSize));
	}
	return unpacker.finish();
}

export interface DescribeOptions {
	/** Without the times of folders, which a tool that unpacks may leave as they became. */
	readonly skipFolderTimes?: boolean;
}

/** One line per object: path, kind, mode, owner, time, links, and content, target or device. */
export function describe(root: string, options: DescribeOptions = {}): string[] {
	const lines: string[] = [];
	const names = new Map<bigint, string>();
	const visit = (relative: string) => {
		const path = join(root, relative);
		const status = lstatSync(path, {bigint: true});
		const kind = Number(status.mode & 0o170000n).toString(8);
		const mode = Number(status.mode & 0o7777n).toString(8);
		let content = '';
		if (status.isSymbolicLink()) content = readlinkSync(path);
		else if (status.isFile()) {
			content = `${status.size} ${createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)}`;
		} else if (!status.isDirectory()) content = `device ${status.rdev}`;
		if (!status.isDirectory() && status.nlink > 1n) {
			content += ` same as ${names.get(status.ino) ?? 'none before'}`;
			if (!names.has(status.ino)) names.set(status.ino, relative);
		}
		const time = status.isDirectory() && options.skipFolderTimes ? '' : status.mtimeNs;
		lines.push(`${relative} ${kind} ${mode} ${status.uid}:${status.gid} ${time} ${content}`);
		if (!status.isDirectory()) return;
		for (const name of readdirSync(path).sort()) visit(join(relative, name));
	};
	for (const name of readdirSync(root).sort()) visit(name);
	return lines;
}
