/** What is asked of a container that is up: stop, restart, kill, pause, unpause, wait, resize. */
import {existsSync} from 'node:fs';
import {request, signalFlag} from '../../runtime/monitor-protocol.ts';
import type {ExitStatus} from '../api.ts';
import {WherryError} from '../errors.ts';
import {type EngineContext, emit} from './context.ts';
import {int32, windowSize} from './frames.ts';
import {ask} from './monitor-client.ts';
import {notRunning} from './monitor-errors.ts';
import {reachMonitor} from './monitor-requests.ts';
import {type ContainerRecord, currentState, findContainer, isUp} from './record.ts';
import {signalNumber} from './signals.ts';

const sigkill = 9;

const isNotRunning = (error: unknown): boolean =>
	error instanceof WherryError && error.code === 'conflict' && /is not running/.test(error.message);

export interface StopOptions {
	signal?: string;
	/** Seconds; negative waits for ever. */
	timeout?: number;
	/** The host goes down: the next boot brings it back, if its policy does. */
	untilBoot?: boolean;
}

async function stopRecord(
	context: EngineContext,
	record: ContainerRecord,
	options: StopOptions,
): Promise<void> {
	const signal = signalNumber(options.signal || record.Config.StopSignal || 'SIGTERM');
	const timeout = Math.max(-1, Math.trunc(options.timeout ?? record.Config.StopTimeout ?? 10));
	try {
		const payload = int32(signal, timeout);
		const flags = Buffer.of(options.untilBoot ? 1 : 0);
		await reachMonitor(context, record, (socket) =>
			ask(socket, request.stop, options.untilBoot ? Buffer.concat([payload, flags]) : payload),
		);
	} catch (error) {
		// It has ended by itself meanwhile.
		if (!isNotRunning(error)) throw error;
	}
}

export async function stopContainer(
	context: EngineContext,
	container: string,
	options: StopOptions = {},
): Promise<void> {
	const record = findContainer(context.paths, container);
	if (options.signal) signalNumber(options.signal);
	if (isUp(currentState(context.paths, record.Id))) await stopRecord(context, record, options);
}

/** A --rm container that is restarted is not removed at the end of the run that ends for it. */
async function keepOverRestart(context: EngineContext, record: ContainerRecord): Promise<void> {
	await context.locks.with(record.Id, async () => {
		if (!isUp(currentState(context.paths, record.Id))) return;
		const [{compileRecord, specOf}, {hostFiles}, {hostGrants}, {attachedNetwork}, {writeRunFiles}] =
			await Promise.all([
				import('./bundle.ts'),
				import('./host-files.ts'),
				import('./grants.ts'),
				import('./network.ts'),
				import('./run-files.ts'),
			]);
		const kept = {...record, HostConfig: {...record.HostConfig, AutoRemove: false}};
		const attachment = await attachedNetwork(context, kept);
		const files = hostFiles(context.paths, kept);
		writeRunFiles(
			context.paths,
			kept,
			compileRecord(
				context,
				kept,
				specOf(context, kept, files, attachment, await hostGrants(kept)),
				attachment,
			),
		);
		await reachMonitor(context, record, (socket) => ask(socket, request.reload));
	});
}

export async function restartContainer(
	context: EngineContext,
	container: string,
	options: StopOptions = {},
): Promise<void> {
	const record = findContainer(context.paths, container);
	if (options.signal) signalNumber(options.signal);
	try {
		if (isUp(currentState(context.paths, record.Id))) {
			if (record.HostConfig.AutoRemove) await keepOverRestart(context, record);
			await stopRecord(context, record, options);
		}
		const {startContainer} = await import('./start.ts');
		await startContainer(context, record.Id);
	} catch (error) {
		if (!(error instanceof WherryError)) throw error;
		const {code, object, exitCode} = error;
		throw new WherryError(code, `Cannot restart container ${container}: ${error.message}`, {
			object,
			exitCode,
			cause: error,
		});
	}
	emit(context, record, 'restart');
}

/** After SIGKILL the container has ended when this resolves. */
export async function killContainer(
	context: EngineContext,
	container: string,
	signal = 'SIGKILL',
): Promise<void> {
	try {
		await kill(context, container, signal || 'SIGKILL');
	} catch (error) {
		if (!(error instanceof WherryError)) throw error;
		throw new WherryError(error.code, `cannot kill container: ${container}: ${error.message}`, {
			object: container,
			cause: error,
		});
	}
}

async function kill(context: EngineContext, container: string, signal: string): Promise<void> {
	const number = signalNumber(signal);
	const record = findContainer(context.paths, container);
	const {Id} = record;
	if (!isUp(currentState(context.paths, Id))) throw notRunning(Id);
	const last = number === sigkill || number === signalNumber(record.Config.StopSignal || 'SIGTERM');
	const flags = (last ? signalFlag.last : 0) | (number === sigkill ? signalFlag.awaitEnd : 0);
	const payload = Buffer.concat([int32(number), Buffer.of(flags)]);
	try {
		const answer = await reachMonitor(context, record, (socket) => ask(socket, request.signal, payload));
		// A monitor from before an update doesn't know how to wait.
		if (number === sigkill && 'ok' in answer) await waitRecord(context, record);
	} catch (error) {
		throw isNotRunning(error) ? notRunning(Id) : error;
	}
}

async function simple(context: EngineContext, container: string, type: number): Promise<void> {
	const record = findContainer(context.paths, container);
	const state = currentState(context.paths, record.Id);
	if (!isUp(state)) {
		if (type !== request.unpause) throw notRunning(record.Id);
		throw new WherryError('conflict', `container ${record.Id} is not paused`, {object: record.Id});
	}
	if (state.status === 'restarting') {
		throw new WherryError(
			'conflict',
			type === request.unpause
				? `container ${record.Id} is not paused`
				: `Container ${record.Id} is restarting, wait until the container is running`,
			{object: record.Id},
		);
	}
	await reachMonitor(context, record, (socket) => ask(socket, type));
}

export const pauseContainer = (context: EngineContext, container: string): Promise<void> =>
	simple(context, container, request.pause);

export const unpauseContainer = (context: EngineContext, container: string): Promise<void> =>
	simple(context, container, request.unpause);

function lastExit(context: EngineContext, id: string): ExitStatus {
	const {exitCode, oomKilled} = currentState(context.paths, id);
	return {code: exitCode, oomKilled, restarting: false};
}

async function waitRecord(context: EngineContext, record: ContainerRecord): Promise<ExitStatus> {
	if (!isUp(currentState(context.paths, record.Id))) return lastExit(context, record.Id);
	try {
		const answer = await reachMonitor(context, record, (socket) => ask(socket, request.wait));
		return 'exit' in answer ? answer.exit : lastExit(context, record.Id);
	} catch (error) {
		if (!isNotRunning(error)) throw error;
		// Gone with its folder: it was a --rm container, and nobody has kept its code.
		if (!existsSync(context.paths.container(record.Id)))
			return {code: 137, oomKilled: false, restarting: false};
		return lastExit(context, record.Id);
	}
}

export function waitContainer(context: EngineContext, container: string): Promise<ExitStatus> {
	return waitRecord(context, findContainer(context.paths, container));
}

export async function resizeContainer(
	context: EngineContext,
	container: string,
	rows: number,
	columns: number,
): Promise<void> {
	const record = findContainer(context.paths, container);
	if (!isUp(currentState(context.paths, record.Id))) throw notRunning(record.Id);
	const payload = Buffer.concat([Buffer.alloc(64), windowSize(rows, columns)]);
	await reachMonitor(context, record, (socket) => ask(socket, request.resize, payload));
	emit(context, record, 'resize', {height: String(rows), width: String(columns)});
}
