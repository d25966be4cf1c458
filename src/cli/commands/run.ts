import {closeSync, existsSync, openSync, unlinkSync, writeSync} from 'node:fs';
import type {Engine, Session} from '../../engine/api.ts';
import {WherryError} from '../../engine/errors.ts';
import {CliError, UsageError} from '../errors.ts';
import {type CommandAction, describe} from '../face.ts';
import {printError, printLine} from '../output.ts';
import type {ParsedLine} from '../parse/command-line.ts';
import {parseDetachKeys} from '../terminal/detach-keys.ts';
import {pump, requireTerminal, windowSize} from '../terminal/session.ts';
import {parsePullPolicy, withImage} from './ensure-image.ts';
import {systemMessage} from './env-file.ts';
import {clientWarnings, foreignFlags} from './resource-options.ts';
import {createOptions} from './run-options.ts';

export const run: CommandAction = async (line, open) => {
	const {flags} = line;
	const {engine, id, session, tty, stdin, detachKeys} = await openRun(line, open);
	if (!session) return 0;
	const kill = (signal: NodeJS.Signals): Promise<void> => engine.containers.kill(id, signal).catch(() => {});
	const result = await pump(session, {
		tty,
		stdin,
		detachKeys,
		onSignal: flags.bool('sig-proxy') ? kill : undefined,
	});
	return result === 'detached' ? 0 : result;
};

export interface OpenedRun {
	engine: Engine;
	id: string;
	/** Undefined with --detach; the id has been printed then. */
	session: Session | undefined;
	tty: boolean;
	stdin: boolean;
	detachKeys: Uint8Array;
}

/** Makes the container and starts it. */
export async function openRun(line: ParsedLine, open: () => Promise<Engine>): Promise<OpenedRun> {
	const {flags} = line;
	const detach = flags.bool('detach');
	if (detach && flags.changed('attach'))
		throw new CliError('conflicting options: cannot specify both --attach and --detach');
	const options = withHelp(line, () => createOptions(flags, line.args));
	const {config} = options;
	if (!detach) requireTerminal(config.AttachStdin ?? false, config.Tty ?? false);
	const detachKeys = parseDetachKeys(flags.string('detach-keys'));
	if (detach)
		Object.assign(config, {AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false});

	const engine = await withHelpAsync(line, open);
	const {id} = await withHelpAsync(line, () => createContainer(engine, line, {...options, transient: true}));
	let session: Session | undefined;
	try {
		const size = config.Tty ? windowSize() : undefined;
		session = await engine.containers.start(
			id,
			detach
				? {}
				: {
						attach: {
							stdin: config.AttachStdin ?? false,
							stdout: config.AttachStdout ?? false,
							stderr: config.AttachStderr ?? false,
							...size,
						},
					},
		);
	} catch (error) {
		// There is a container all the same, and docker's client has said its id by then.
		if (!config.AttachStdout && !config.AttachStderr) printLine(id);
		// With --rm a container that never ran is not left behind either.
		if (flags.bool('rm')) await engine.containers.remove(id, {force: true, volumes: true}).catch(() => {});
		throw runError(line, error);
	}
	// Whoever only sends input finds the output by it.
	if (!session || (!config.AttachStdout && !config.AttachStderr)) printLine(id);
	const {Tty: tty = false, AttachStdin: stdin = false} = config;
	return {engine, id, session, tty, stdin, detachKeys};
}

/** Creates a container, pulling its image when the policy says so, and writes the --cidfile. */
export async function createContainer(
	engine: Engine,
	line: ParsedLine,
	options: ReturnType<typeof createOptions>,
): Promise<{id: string}> {
	const {flags} = line;
	const foreign = foreignFlags(flags);
	if (foreign) throw new CliError(foreign);
	for (const warning of clientWarnings(options.hostConfig)) printError(`WARNING: ${warning}`);
	const policy = parsePullPolicy(flags.string('pull'));
	const cidfile = flags.string('cidfile');
	if (cidfile !== '' && existsSync(cidfile)) {
		throw new UsageError(
			`container ID file found, make sure the other container isn't running or delete ${cidfile}`,
		);
	}
	// Opened before there is a container, so that one whose id can't be kept is never made.
	const fd = cidfile === '' ? undefined : openCidfile(cidfile);
	let created: {id: string; warnings: string[]} | undefined;
	try {
		const pull = {policy, quiet: flags.bool('quiet'), platform: options.platform};
		created = await withImage(engine, options.image, pull, () => engine.containers.create(options));
		if (fd !== undefined) writeSync(fd, created.id);
	} finally {
		if (fd !== undefined) {
			closeSync(fd);
			if (!created) unlinkSync(cidfile);
		}
	}
	for (const warning of created.warnings) printError(`WARNING: ${warning}`);
	return {id: created.id};
}

function openCidfile(path: string): number {
	try {
		return openSync(path, 'wx', 0o644);
	} catch (error) {
		throw new UsageError(`failed to create the container ID file: open ${path}: ${systemMessage(error)}`);
	}
}

/** An error of `run` and `create` before the engine is asked: docker's shape, status 125. */
export function withHelp<T>(line: ParsedLine, action: () => T): T {
	try {
		return action();
	} catch (error) {
		throw error instanceof CliError ? error : helpError(line, (error as Error).message, 125);
	}
}

async function withHelpAsync<T>(line: ParsedLine, action: () => Promise<T>): Promise<T> {
	try {
		return await action();
	} catch (error) {
		throw runError(line, error);
	}
}

export function runError(line: ParsedLine, error: unknown): CliError {
	if (error instanceof CliError) return error;
	if (error instanceof UsageError) return helpError(line, error.message, statusOf(error.message));
	if (isBadReference(error)) return helpError(line, error.message, 125);
	const status = error instanceof WherryError ? error.exitCode : undefined;
	const message = describe(error);
	return helpError(line, message, status ?? statusOf(message));
}

/** docker's client reads the image's name itself, so what is wrong with it has no prefix. */
export const isBadReference = (error: unknown): error is WherryError =>
	error instanceof WherryError &&
	/^(invalid reference format|invalid repository name|repository name must)/.test(error.message);

/** docker's client goes by the words. */
function statusOf(message: string): number {
	if (/executable file not found|no such file or directory/.test(message)) return 127;
	return /permission denied|is a directory/.test(message) ? 126 : 125;
}

function helpError(line: ParsedLine, message: string, status: number): CliError {
	return new CliError(
		`wherry: ${message}\n\nRun 'wherry ${line.command.typed} --help' for more information`,
		status,
	);
}
