/** Where a build's context and its Dockerfile come from. */
import {existsSync, mkdtempSync, readFileSync, statSync} from 'node:fs';
import {isAbsolute, join, posix} from 'node:path';
import type {BuildOptions} from '../api.ts';
import {WherryError} from '../errors.ts';
import type {KeyAgents} from './key-agent.ts';

export async function contextFolder(
	options: BuildOptions,
	scratch: string,
	agents: KeyAgents | undefined,
): Promise<{folder: string; isDockerfile: boolean}> {
	const {context, signal} = options;
	if ('remote' in context) {
		const {fetchContext} = await import('./remote.ts');
		return fetchContext(context.remote, scratch, {signal, agent: await agents?.path('default')});
	}
	if ('folder' in context) {
		const stat = statSync(context.folder, {throwIfNoEntry: false});
		if (!stat) {
			throw new WherryError(
				'not-found',
				`unable to prepare context: path ${JSON.stringify(context.folder)} not found`,
				{
					object: context.folder,
				},
			);
		}
		if (!stat.isDirectory()) {
			throw new WherryError(
				'invalid',
				`unable to prepare context: path ${JSON.stringify(context.folder)} is not a directory`,
			);
		}
		return {folder: context.folder, isDockerfile: false};
	}
	const folder = mkdtempSync(join(scratch, 'context-'));
	if ('archive' in context) {
		const {unpackArchive} = await import('./output.ts');
		await unpackArchive(context.archive, folder, scratch);
	}
	return {folder, isDockerfile: false};
}

/** The Dockerfile's text, what it is called, and the text of the ignore file that goes with it. */
export function readDockerfile(
	options: BuildOptions,
	folder: string,
): {text: string; name: string; ignore: string} {
	const read = (path: string): string | undefined => {
		const stat = statSync(path, {throwIfNoEntry: false});
		return stat?.isFile() ? readFileSync(path, 'utf8') : undefined;
	};
	const shared = read(join(folder, '.dockerignore')) ?? '';
	if (options.text !== undefined) return {text: options.text, name: 'Dockerfile', ignore: shared};
	const asked = options.dockerfile ?? 'Dockerfile';
	const path = isAbsolute(asked) ? asked : join(folder, asked);
	if (!existsSync(path) && options.dockerfile === undefined && existsSync(join(folder, 'dockerfile'))) {
		return {text: readFileSync(join(folder, 'dockerfile'), 'utf8'), name: 'dockerfile', ignore: shared};
	}
	const text = read(path);
	const name = posix.basename(asked);
	if (text === undefined) {
		throw new WherryError('not-found', `failed to read dockerfile: open ${name}: no such file or directory`, {
			object: path,
		});
	}
	return {text, name, ignore: read(`${path}.dockerignore`) ?? shared};
}
