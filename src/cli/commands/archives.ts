import {createReadStream, statSync} from 'node:fs';
import type {Readable} from 'node:stream';
import {isatty} from 'node:tty';
import type {Platform} from '../../engine/api.ts';
import {ArchiveOutput} from '../archive-output.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printable} from '../format/names.ts';
import {archiveError, printError, printLine} from '../output.ts';
import {PullDisplay} from '../terminal/pull-display.ts';
import {platformOf} from './run-options.ts';

/** Aborts at the first request to end; a second one is the system's to deal with. */
function interruptible(): {signal: AbortSignal; done: () => void} {
	const abort = new AbortController();
	const onInterrupt = (): void => abort.abort();
	process.once('SIGINT', onInterrupt);
	process.once('SIGTERM', onInterrupt);
	return {
		signal: abort.signal,
		done() {
			process.off('SIGINT', onInterrupt);
			process.off('SIGTERM', onInterrupt);
		},
	};
}

/** docker takes several; one archive with a part of an index would be an index of its own. */
function onePlatform(names: readonly string[]): Platform | undefined {
	if (names.length > 1)
		throw new CliError('only one --platform is supported; without it all of them go along');
	return platformOf(names[0] ?? '');
}

export const save: CommandAction = async ({flags, args}, open) => {
	const output = flags.string('output');
	const platform = onePlatform(flags.list('platform'));
	if (output === '' && isatty(1)) {
		throw new CliError('cowardly refusing to save to a terminal. Use the -o flag or redirect');
	}
	const engine = await open();
	const archive = new ArchiveOutput(output, {prefix: 'failed to save image', mode: 0o600});
	const {signal, done} = interruptible();
	try {
		await engine.images.save(args, archive.stream, {signal, ...(platform ? {platform} : {})});
		await archive.finish();
		return 0;
	} catch (error) {
		archive.abandon();
		if (archive.broken?.code === 'EPIPE') return 141;
		if (signal.aborted) {
			printError('');
			return 130;
		}
		throw archiveError(archive.broken ?? error, output);
	} finally {
		done();
	}
};

export const load: CommandAction = async ({flags}, open) => {
	const input = flags.string('input');
	const names = flags.list('platform');
	const platform = names.length === 1 && names[0] === 'all' ? 'all' : onePlatform(names);
	if (input === '' && isatty(0)) throw new CliError('requested load from stdin, but stdin is empty');
	if (input !== '') {
		const stat = statSync(input, {throwIfNoEntry: false});
		if (!stat) throw new CliError(`open ${input}: no such file or directory`);
		if (stat.isDirectory()) throw new CliError(`read ${input}: is a directory`);
	}
	const engine = await open();
	const {signal, done} = interruptible();
	const display = flags.bool('quiet') || !isatty(1) ? undefined : PullDisplay.on(1);
	const stream =
		input === ''
			? createReadStream('', {fd: 0, autoClose: false, highWaterMark: 1 << 20})
			: createReadStream(input, {highWaterMark: 1 << 20});
	try {
		const loaded = await engine.images.load(stream, {
			signal,
			...(platform ? {platform} : {}),
			...(display ? {onProgress: (event) => display.show(event)} : {}),
		});
		display?.end();
		for (const {id, names} of loaded) {
			if (names.length === 0) printLine(`Loaded image ID: ${id}`);
			for (const name of names) printLine(`Loaded image: ${name}`);
		}
		return 0;
	} catch (error) {
		if (signal.aborted) {
			printError('');
			return 130;
		}
		throw error;
	} finally {
		display?.end();
		stream.destroy();
		done();
	}
};

/** The archive that a word names: stdin, a file, or what is fetched from a URL. */
async function openArchive(text: string, signal: AbortSignal): Promise<Readable> {
	if (text === '-') {
		if (isatty(0)) throw new CliError('the archive is expected on stdin, which is a terminal');
		return createReadStream('', {fd: 0, autoClose: false, highWaterMark: 1 << 20});
	}
	if (/^https?:\/\//.test(text)) return download(text, signal);
	const stat = statSync(text, {throwIfNoEntry: false});
	if (!stat) throw new CliError(`open ${text}: no such file or directory`);
	if (stat.isDirectory()) throw new CliError(`read ${text}: is a directory`);
	return createReadStream(text, {highWaterMark: 1 << 20});
}

const largestExplanation = 4096;

async function download(text: string, signal: AbortSignal): Promise<Readable> {
	if (!URL.canParse(text)) throw new CliError(`Error: parse ${JSON.stringify(text)}: invalid URL`);
	const {Transport} = await import('../../engine/registry/transport.ts');
	const transport = new Transport();
	const response = await transport.request(new URL(text), {signal});
	if (response.status === 200) {
		printLine(`Downloading from ${text}`);
		return response.body;
	}
	const body = await transport.read(response, largestExplanation).catch(() => Buffer.alloc(0));
	transport.close();
	const said = printable(body.toString('utf8').replaceAll(/\s+/g, ' ').trim());
	const status = `${response.status} ${response.body.statusMessage ?? ''}`.trimEnd();
	throw new CliError(`Error: failed to GET ${text} with status ${status}${said === '' ? '' : `: ${said}`}`);
}

export const importImage: CommandAction = async ({flags, args}, open) => {
	const [source, reference = ''] = args as [string, string?];
	const platform = platformOf(flags.string('platform'));
	try {
		if (reference !== '') (await import('../../engine/images/reference.ts')).parseReference(reference);
	} catch (error) {
		throw new CliError((error as Error).message);
	}
	const engine = await open();
	const {signal, done} = interruptible();
	let input: Readable | undefined;
	try {
		input = await openArchive(source, signal);
		const {id} = await engine.images.import(input, {
			...(reference === '' ? {} : {reference}),
			changes: flags.list('change'),
			// As docker, to whose engine a file of the client's is standard input.
			message: flags.string('message') || `Imported from ${/^https?:/.test(source) ? source : '-'}`,
			...(platform ? {platform} : {}),
			signal,
		});
		printLine(id);
		return 0;
	} catch (error) {
		if (signal.aborted) return 130;
		throw error;
	} finally {
		input?.destroy();
		done();
	}
};
