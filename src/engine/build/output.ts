/** Contexts that come as archives, and results that go out as files. */
import {closeSync, constants, createReadStream, createWriteStream, mkdtempSync, openSync} from 'node:fs';
import {join} from 'node:path';
import type {Readable, Writable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {native} from '../../kernel/native.ts';
import type {Platform} from '../api.ts';
import {formatPlatform} from '../images/platform.ts';
import type {Paths} from '../paths.ts';
import {makeFolders} from '../store/files.ts';
import {openLayers} from './root.ts';

/** Unpacks an archive into an empty folder. */
export async function unpackArchive(archive: Readable, folder: string, scratch: string): Promise<void> {
	const spool = join(scratch, 'context.tar');
	await pipeline(archive, createWriteStream(spool, {mode: 0o600}));
	await unpackFile(spool, folder);
}

export async function unpackFile(file: string, folder: string): Promise<void> {
	const root = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
	const input = openSync(file, 'r');
	try {
		await native.unpackTree(root, input, {folder: '/', owners: false});
	} finally {
		closeSync(input);
		closeSync(root);
	}
}

async function writeTree(from: number, scratch: string, archive: Writable): Promise<void> {
	const file = join(scratch, 'output.tar');
	const fd = openSync(file, 'wx', 0o600);
	try {
		await native.packTree(from, fd, {name: '', withTop: false});
	} finally {
		closeSync(fd);
	}
	await pipeline(createReadStream(file), archive, {end: false});
}

async function exportResult(
	paths: Paths,
	keys: readonly string[],
	scratch: string,
	output: {folder: string} | {archive: Writable},
): Promise<void> {
	const view = openLayers(paths, keys, scratch);
	try {
		const from = native.openInRoot(view.fd, '/', constants.O_RDONLY | constants.O_DIRECTORY, 0);
		try {
			if ('folder' in output) {
				makeFolders(output.folder, 0o777);
				const to = openSync(output.folder, constants.O_RDONLY | constants.O_DIRECTORY);
				try {
					await native.transferTree(from, {name: '', withTop: false}, to, {folder: '/'});
				} finally {
					closeSync(to);
				}
				return;
			}
			await writeTree(from, scratch, output.archive);
		} finally {
			closeSync(from);
		}
	} finally {
		view.close();
	}
}

/** The files of a build; of several platforms each in a folder of its own, \`linux_arm64\`. */
export async function exportResults(
	paths: Paths,
	trees: readonly {platform: Platform; keys: readonly string[]}[],
	scratch: string,
	output: {folder: string} | {archive: Writable},
): Promise<void> {
	if (trees.length === 1) return exportResult(paths, trees[0]!.keys, scratch, output);
	const folder = 'folder' in output ? output.folder : mkdtempSync(join(scratch, 'platforms-'));
	for (const {platform, keys} of trees)
		await exportResult(paths, keys, scratch, {
			folder: join(folder, formatPlatform(platform).replaceAll('/', '_')),
		});
	if ('folder' in output) return;
	const from = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
	try {
		await writeTree(from, scratch, output.archive);
	} finally {
		closeSync(from);
	}
}
