import {createWriteStream, renameSync, rmSync, statSync, type WriteStream} from 'node:fs';
import {dirname} from 'node:path';
import {finished} from 'node:stream/promises';
import {CliError} from './errors.ts';

/** Throws `PREFIX: ...` when no file can be written there. */
function checkPath(path: string, prefix: string): void {
	const folder = dirname(path);
	if (!statSync(folder, {throwIfNoEntry: false})?.isDirectory())
		throw new CliError(`${prefix}: invalid output path: stat ${folder}: no such file or directory`);
	if (statSync(path, {throwIfNoEntry: false})?.isDirectory())
		throw new CliError(`${prefix}: cannot write to a directory`);
}

/** Where an archive goes: standard output, or a file, whose old content stays until the new one is whole. */
export class ArchiveOutput {
	readonly stream: WriteStream;
	/** What went wrong with it, which is more than what its writer has seen. */
	broken: NodeJS.ErrnoException | undefined;
	readonly #path: string;
	readonly #temporary: string | undefined;

	/**
	 * `path` is empty for standard output, `prefix` what a message about it begins with. `onError` tells a writer that
	 * waits for something else.
	 */
	constructor(path: string, {prefix, mode, onError}: {prefix: string; mode: number; onError?: () => void}) {
		if (path !== '') checkPath(path, prefix);
		const isPlain = path !== '' && (statSync(path, {throwIfNoEntry: false})?.isFile() ?? true);
		this.#path = path;
		this.#temporary = isPlain ? `${path}.${process.pid}.tmp` : undefined;
		const options = {highWaterMark: 1 << 20};
		this.stream =
			path === ''
				? createWriteStream('', {fd: 1, autoClose: false, ...options})
				: createWriteStream(this.#temporary ?? path, {mode, ...options});
		this.stream.on('error', (error) => {
			this.broken = error;
			onError?.();
		});
	}

	async finish(): Promise<void> {
		this.stream.end();
		await finished(this.stream);
		if (this.#temporary !== undefined) renameSync(this.#temporary, this.#path);
	}

	/** Nothing is left of a file that was not there before. */
	abandon(): void {
		this.stream.destroy();
		if (this.#temporary !== undefined) rmSync(this.#temporary, {force: true});
	}
}
