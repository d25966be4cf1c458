/** Starts a container: plans, files in WHERRY_RUN, a monitor, and its answer. Under the container's lock. */
import {closeSync, existsSync, mkdirSync} from 'node:fs';
import {monitorPath} from '../../kernel/locate.ts';
import {native} from '../../kernel/native.ts';
import {request, streams} from '../../runtime/monitor-protocol.ts';
import type {Session, StreamOptions} from '../api.ts';
import {WherryError} from '../errors.ts';
import {compileRecord, specOf, writeBundle} from './bundle.ts';
import {type EngineContext, emit} from './context.ts';
import {encodeFrame, streamRequest} from './frames.ts';
import {hostGrants} from './grants.ts';
import {writeHostFiles} from './host-files.ts';
import {followSession, MonitorGone, MonitorRefusal, MonitorSocket} from './monitor-client.ts';
import {startError} from './monitor-errors.ts';
import {acquireVolumes, hostSource, prepareSources} from './mount-sources.ts';
import {type Attachment, attachNetwork} from './network.ts';
import {networkFailure} from './network-errors.ts';
import {
	type ContainerRecord,
	currentState,
	findContainer,
	isUp,
	makeFolder,
	noSuchContainer,
	readRecord,
	readState,
	writeState,
} from './record.ts';
import {monitorPlan, writeRunFiles} from './run-files.ts';
import {awaitMonitorEnd, settleContainer} from './settle.ts';
import {wantedStreams} from './streams.ts';
import {unmarkTransient} from './transient.ts';

/** Plans and files, in the container's folder in WHERRY_RUN. */
export async function prepare(
	context: EngineContext,
	record: ContainerRecord,
	attach: StreamOptions | undefined,
	restartCount: number,
): Promise<Attachment> {
	const {paths} = context;
	prepareSources(record);
	await acquireVolumes(context, record);
	if (record.MountLabel) {
		const {relabelMounts} = await import('../security/relabel.ts');
		const mounts = record.Mounts.map((mount) => ({...mount, Source: hostSource(mount)}));
		await relabelMounts(mounts, record.MountLabel);
	}
	const attachment = await attachNetwork(context, record);
	const files = writeHostFiles(context, record, attachment);
	const spec = specOf(context, record, files, attachment, await hostGrants(record));
	const plans = compileRecord(context, record, spec, attachment, {
		restartCount,
		rows: attach?.rows,
		columns: attach?.columns,
	});
	writeBundle(paths, record.Id, spec);
	if (!existsSync(paths.mountpoint)) mkdirSync(paths.mountpoint, {recursive: true, mode: 0o700});
	writeRunFiles(paths, record, plans, {starts: true});
	return attachment;
}

/** docker's for a start that came to nothing before the command did. */
const notStarted = 128;

/** Why it didn't start, for `inspect`. The monitor, if it came that far, knows it in its own words only. */
function recordFailure({paths}: EngineContext, id: string, failure: unknown): void {
	if (!(failure instanceof WherryError)) return;
	const state = readState(paths, id);
	const {exitCode} = state;
	writeState(paths, id, {
		...state,
		error: failure.message,
		exitCode: exitCode === 0 || exitCode === 125 ? notStarted : exitCode,
	});
}

/** A start that failed leaves nothing in WHERRY_RUN, and of a --rm container nothing at all. */
async function afterFailure(
	context: EngineContext,
	{Id}: ContainerRecord,
	again: boolean,
	failure: unknown,
): Promise<void> {
	const {paths} = context;
	await awaitMonitorEnd(context, Id);
	await settleContainer(context, Id);
	const record = readRecord(paths, Id);
	if (again) return;
	if (!record?.HostConfig.AutoRemove) {
		unmarkTransient(paths, Id);
		if (record) recordFailure(context, Id, failure);
		return;
	}
	const {removeStopped} = await import('./remove.ts');
	await removeStopped(context, record, true);
}

/** A monitor that comes up while its plans are made: it reads them when it gets its first request. */
class StartingMonitor {
	#socket: Promise<number> | undefined;

	constructor({paths}: EngineContext, {Id}: ContainerRecord) {
		this.#socket = native.spawnMonitor(monitorPath(), ['start', monitorPlan(paths, Id)]);
		// It is told to who takes the socket.
		this.#socket.catch(() => {});
	}

	async takeSocket(): Promise<MonitorSocket> {
		const socket = this.#socket!;
		this.#socket = undefined;
		return new MonitorSocket(await socket);
	}

	/** Without a request it ends when its socket does. */
	async giveUp(): Promise<void> {
		const socket = await this.#socket?.catch(() => undefined);
		if (socket !== undefined) closeSync(socket);
	}
}

async function follow(
	context: EngineContext,
	record: ContainerRecord,
	socket: MonitorSocket,
	attach: StreamOptions | undefined,
): Promise<Session | undefined> {
	const wanted = attach ? wantedStreams(record, attach) : {};
	socket.write(encodeFrame(request.start, streamRequest(wanted, attach ? 0 : streams.detached)));
	const {session} = await followSession(socket, wanted);
	unmarkTransient(context.paths, record.Id);
	if (attach) {
		session.onDetach = () => emit(context, record, 'detach');
		return session;
	}
	session.detach();
	return undefined;
}

/** How often a port that the engine has chosen may be taken by another program before we bind it. */
const portAttempts = 5;

async function launch(
	context: EngineContext,
	record: ContainerRecord,
	attach: StreamOptions | undefined,
	restartCount: number,
): Promise<Session | undefined> {
	const {Id} = record;
	for (let attempt = 1; ; attempt++) {
		let attachment: Attachment | undefined;
		let monitor: StartingMonitor | undefined;
		try {
			// The folder comes first: from then on what a killed process has taken is found.
			makeFolder(context.paths.runContainer(Id));
			monitor = new StartingMonitor(context, record);
			attachment = await prepare(context, record, attach, restartCount);
			return await follow(context, record, await monitor.takeSocket(), attach);
		} catch (error) {
			await monitor?.giveUp();
			let failure = error;
			let again = false;
			if (error instanceof MonitorRefusal) {
				const network = attachment && (await networkFailure(context, record, attachment, error.detail));
				again = network?.again === true && attempt < portAttempts;
				failure = network?.error ?? startError(Id, error.detail);
			} else if (error instanceof MonitorGone) {
				failure = new WherryError(
					'internal',
					`the monitor of container ${Id} ended before its container started`,
					{object: Id, cause: error},
				);
			}
			try {
				await afterFailure(context, record, again, failure);
			} catch {
				// The first failure is what the user has to know; repair comes back to the rest.
				throw failure;
			}
			// Of a --rm container there is nothing left to be started again.
			if (!again || !existsSync(context.paths.container(Id))) throw failure;
		}
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
		if (!(await awaitMonitorEnd(context, Id, {orUp: true}))) {
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
