/** Bytes in a folder, as docker counts: apparent sizes of regular files, hard links once. */
import {type Dirent, lstatSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';

/** What can't be read, or goes meanwhile, counts nothing. */
export async function folderSize(path: string): Promise<number> {
	let total = 0;
	const seen = new Set<bigint>();
	const pending = [path];
	for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
		let entries: Dirent[];
		try {
			entries = await readdir(folder, {withFileTypes: true});
		} catch {
			continue;
		}
		for (const entry of entries) {
			const full = join(folder, entry.name);
			if (entry.isDirectory()) pending.push(full);
			else if (entry.isFile()) {
				const stat = lstatSync(full, {throwIfNoEntry: false, bigint: true});
				if (!stat) continue;
				if (stat.nlink > 1n) {
					if (seen.has(stat.ino)) continue;
					seen.add(stat.ino);
				}
				total += Number(stat.size);
			}
		}
	}
	return total;
}
