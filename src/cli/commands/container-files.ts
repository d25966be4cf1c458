import {
	closeSync,
	constants,
	fchmodSync,
	openSync,
	renameSync,
	type Stats,
	statSync,
	unlinkSync,
} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {isErrno, type WherryError} from '../../engine/errors.ts';
import {randomHex} from '../../kernel/random.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {archiveError, printLine} from '../output.ts';

const kinds = ['C', 'A', 'D'] as const;

export const diff: CommandAction = async ({args}, open) => {
	if (args[0] === '') throw new CliError('Container name cannot be empty');
	const engine = await open();
	for (const {Kind, Path} of await engine.containers.changes(args[0]!)) printLine(`${kinds[Kind]} ${Path}`);
	return 0;
};

/** docker's check of `-o`. */
function checkFile(path: string): void {
	const fail = (reason: string): never => {
		throw new CliError(`failed to export container: ${reason}`);
	};
	const folder = dirname(path);
	if (!statSync(folder, {throwIfNoEntry: false})) {
		fail(`invalid output path: stat ${folder}: no such file or directory`);
	}
	let found: Stats | undefined;
	try {
		found = statSync(path, {throwIfNoEntry: false});
	} catch (error) {
		fail((error as Error).message);
	}
	if (found?.isDirectory()) fail('cannot write to a directory');
	if (found?.isCharacterDevice() || found?.isBlockDevice()) {
		// It is written to as it is.
		if (path !== '/dev/null') fail('cannot write to a device');
	}
}

/** What breaks off leaves no half of a file under the name. */
async function writeFile(path: string, write: (fd: number) => Promise<unknown>): Promise<void> {
	const isPlain = statSync(path, {throwIfNoEntry: false})?.isFile() ?? true;
	const target = isPlain ? join(dirname(path), `.${basename(path)}.${randomHex(6)}`) : path;
	const flags = constants.O_WRONLY | (isPlain ? constants.O_CREAT | constants.O_EXCL : 0);
	const fd = openSync(target, flags, 0o600);
	try {
		await write(fd);
		if (isPlain) {
			fchmodSync(fd, 0o644 & ~process.umask());
			renameSync(target, path);
		}
	} catch (error) {
		if (isPlain) unlinkSync(target);
		throw error;
	} finally {
		closeSync(fd);
	}
}

export const exportFiles: CommandAction = async ({flags, args}, open) => {
	const container = args[0]!;
	const output = flags.string('output');
	if (output === '' && process.stdout.isTTY) {
		throw new CliError('cowardly refusing to save to a terminal. Use the -o flag or redirect');
	}
	if (output !== '') checkFile(output);
	const engine = await open();
	try {
		if (output === '') await engine.containers.export(container, {fd: 1});
		else await writeFile(output, (fd) => engine.containers.export(container, {fd}));
	} catch (error) {
		if (output === '' && isErrno(error, 'EPIPE')) return 141;
		throw archiveError(error, output);
	}
	return 0;
};

export const commit: CommandAction = async ({flags, args}, open) => {
	const [container, reference = ''] = args as [string, string?];
	// docker's client reads the name first.
	if (reference !== '') {
		const {parseReference} = await import('../../engine/images/reference.ts');
		try {
			parseReference(reference);
		} catch (error) {
			throw new CliError((error as WherryError).message);
		}
	}
	const pause = flags.changed('pause') ? flags.bool('pause') : !flags.bool('no-pause');
	const engine = await open();
	const {id} = await engine.containers.commit(container, {
		...(reference === '' ? {} : {reference}),
		author: flags.string('author'),
		comment: flags.string('message'),
		changes: flags.list('change'),
		pause,
	});
	printLine(id);
	return 0;
};
