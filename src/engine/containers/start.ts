/** Starts a container: plans, files in WHERRY_RUN, a monitor, and its answer. Under the container's lock. */
import {existsSync, mkdirSync, statSync} from 'node:fs';
import {monitorPath} from '../../kernel/locate.ts';
import {native} from '../../kernel/native.ts';
import {request, streams} from '../../runtime/monitor-protocol.ts';
import type {Session, StreamOptions} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import {compileRecord, specOf, writeBundle} from './bundle.ts';
import {type EngineContext, emit} from './context.ts';
import {encodeFrame, streamRequest} from './frames.ts';
import {writeHostFiles} from './host-files.ts';
import {followSession, MonitorGone, MonitorRefusal, MonitorSocket} from './monitor-client.ts';
import {startError} from './monitor-errors.ts';
import {attachNetwork} from './network.ts';
import {
	type ContainerRecord,
	currentState,
	findContainer,
	isUp,
	noSuchContainer,
	readRecord,
	readState,
} from './record.ts';
import {writeRunFiles} from './run-files.ts';
import {awaitMonitorEnd, settleContainer} from './settle.ts';
import {wantedStreams} from './streams.ts';
import {unmarkTransient} from './transient.ts';

/** `-v` makes a source that isn't there; any other must be there. */
function prepareSources(record: ContainerRecord): void {
	for (const mount of record.Mounts) {
		if (mount.Type === 'tmpfs') continue;
		if (statSync(mount.Source, {throwIfNoEntry: false})) continue;
		if (!mount.makeSource) {
			throw new WherryError(
				'invalid',
				mount.Type === 'bind'
					? `invalid mount config for type "bind": bind source path does not exist: ${mount.Source}`
					: `get ${mount.Name}: no such volume`,
				{object: mount.Source},
			);
		}
		try {
			mkdirSync(mount.Source, {recursive: true, mode: 0o755});
		} catch (error) {
			if (!isErrno(error, 'EEXIST')) {
				throw new WherryError(
					'invalid',
					`error while creating mount source path '${mount.Source}': ${(error as Error).message}`,
					{object: mount.Source, cause: error},
				);
			}
		}
	}
}

/** Plans and files; returns the path of the monitor's plan. */
async function prepare(
	context: EngineContext,
	record: ContainerRecord,
	attach: StreamOptions | undefined,
	restartCount: number,
): Promise<string> {
	const {paths} = context;
	prepareSources(record);
	const attachment = await attachNetwork(context, record);
	const files = writeHostFiles(context, record, attachment.addresses);
	const spec = specOf(context, record, files, attachment);
	const plans = compileRecord(context, record, spec, attachment, {
		restartCount,
		rows: attach?.rows,
		columns: attach?.columns,
	});
	writeBundle(paths, record.Id, spec);
	if (!existsSync(paths.mountpoint)) mkdirSync(paths.mountpoint, {recursive: true, mode: 0o700});
	return writeRunFiles(paths, record, plans);
}

/** A start that failed leaves nothing in WHERRY_RUN, and of a --rm container nothing at all. */
async function afterFailure(context: EngineContext, id: string): Promise<void> {
	await awaitMonitorEnd(context, id);
	await settleContainer(context, id);
	const record = readRecord(context.paths, id);
	if (!record?.HostConfig.AutoRemove) return;
	const {removeStopped} = await import('./remove.ts');
	await removeStopped(context, record, true);
}

async function launch(
	context: EngineContext,
	record: ContainerRecord,
	attach: StreamOptions | undefined,
	restartCount: number,
): Promise<Session | undefined> {
	const {paths} = context;
	const {Id} = record;
	try {
		const plan = await prepare(context, record, attach, restartCount);
		const wanted = attach ? wantedStreams(record, attach) : {};
		const payload = streamRequest(wanted, attach ? 0 : streams.detached);
		const start = encodeFrame(request.start, payload);
		const socket = new MonitorSocket(await native.spawnMonitor(monitorPath(), ['start', plan], start));
		const {session} = await followSession(socket, wanted);
		unmarkTransient(paths, Id);
		if (attach) return session;
		session.detach();
		return undefined;
	} catch (error) {
		const failure =
			error instanceof MonitorRefusal
				? startError(Id, error.detail)
				: error instanceof MonitorGone
					? new WherryError('internal', `the monitor of container ${Id} ended before its container started`, {
							object: Id,
							cause: error,
						})
					: error;
		try {
			await afterFailure(context, Id);
		} catch {
			// The first failure is what the user has to know; repair comes back to the rest.
		}
		throw failure;
	}
}

/** docker: a container that is up is fine. */
async function alreadyUp(
	context: EngineContext,
	id: string,
	attach: StreamOptions | undefined,
): Promise<Session | undefined> {
	if (currentState(context.paths, id).status === 'paused') {
		throw new WherryError('conflict', 'cannot start a paused container, try unpause instead', {object: id});
	}
	if (!attach) return undefined;
	const {attachContainer} = await import('./attach.ts');
	return await attachContainer(context, id, attach);
}

export async function startContainer(
	context: EngineContext,
	container: string,
	options: {attach?: StreamOptions; restartCount?: number} = {},
): Promise<Session | undefined> {
	const {paths, locks} = context;
	const {Id} = findContainer(paths, container);
	const lock = await locks.acquire(Id);
	try {
		const record = readRecord(paths, Id);
		if (!record) throw noSuchContainer(container);
		if (isUp(currentState(paths, Id))) return await alreadyUp(context, Id, options.attach);
		if (!(await awaitMonitorEnd(context, Id, true))) {
			// Who started it died, its monitor did not.
			if (isUp(currentState(paths, Id))) return await alreadyUp(context, Id, options.attach);
			throw new WherryError('conflict', `container ${Id} is still being stopped`, {object: Id});
		}
		// The one before was a --rm container's last run.
		if (!existsSync(paths.container(Id))) throw noSuchContainer(container);
		if (existsSync(paths.runContainer(Id)) || isUp(readState(paths, Id))) await settleContainer(context, Id);
		if (options.attach) emit(context, record, 'attach');
		return await launch(context, record, options.attach, options.restartCount ?? 0);
	} finally {
		// A container that is gone leaves no lock behind.
		lock.release({remove: !existsSync(paths.container(Id))});
	}
}
