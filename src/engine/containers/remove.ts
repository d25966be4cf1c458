/** Removes a container: first its folder gets another name, which is one step, then the rest goes. */
import {existsSync, renameSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import {isErrno, WherryError} from '../errors.ts';
import {noNetwork, readNetworkState} from '../networks/state.ts';
import {type EngineContext, emit} from './context.ts';
import {killContainer, stopContainer} from './control.ts';
import {releaseMounts} from './create-mounts.ts';
import {releaseName} from './names.ts';
import {
	type ContainerRecord,
	currentState,
	findContainer,
	isUp,
	noSuchContainer,
	readRecord,
} from './record.ts';
import {awaitMonitorEnd, settleContainer} from './settle.ts';
import {unmarkTransient} from './transient.ts';

export const removedFolder = (context: EngineContext, id: string): string =>
	join(context.paths.containers, `.rm-${id}`);

/** What a change of its networks that broke off has left. */
async function dropStrays({paths}: EngineContext, record: ContainerRecord): Promise<void> {
	const state = readNetworkState(paths, record.Id);
	const names = new Set(state.endpoints.map(({network}) => network));
	if (state === noNetwork || Object.keys(record.Networks ?? {}).every((name) => names.has(name))) return;
	const {dropStray} = await import('../networks/stray.ts');
	dropStray(paths, record, state);
}

/** Under the container's lock, when it is not up. */
export async function removeStopped(
	context: EngineContext,
	record: ContainerRecord,
	volumes: boolean,
): Promise<void> {
	const {paths} = context;
	const {Id} = record;
	await dropStrays(context, record);
	const going = removedFolder(context, Id);
	renameSync(paths.container(Id), going);
	releaseName(paths, record.Name, Id);
	unmarkTransient(paths, Id);
	// Its volumes go first, as docker tells it.
	await releaseMounts(context, Id, record.Mounts, volumes || record.HostConfig.AutoRemove);
	emit(context, record, 'destroy');
	await native.removeTree(going);
	if (existsSync(paths.runContainer(Id))) await native.removeTree(paths.runContainer(Id));
}

function refuse(record: ContainerRecord, status: string): never {
	const reason: Record<string, string> = {
		running: 'container is running: stop the container before removing or force remove',
		paused: 'container is paused and must be unpaused first',
		restarting: 'container is restarting: stop the container before removing or force remove',
	};
	throw new WherryError(
		'conflict',
		`cannot remove container "/${record.Name}": ${reason[status] ?? status}`,
		{
			object: record.Id,
		},
	);
}

/** Ends a container whatever its state. */
async function forceEnd(context: EngineContext, record: ContainerRecord, status: string): Promise<void> {
	if (status === 'restarting') return stopContainer(context, record.Id, {signal: 'SIGKILL', timeout: 0});
	try {
		await killContainer(context, record.Id);
	} catch (error) {
		// It has ended by itself, and with --rm is gone.
		if (!(error instanceof WherryError) || (error.code !== 'conflict' && error.code !== 'not-found'))
			throw error;
	}
}

export async function removeContainer(
	context: EngineContext,
	container: string,
	options: {force?: boolean; volumes?: boolean; link?: boolean} = {},
): Promise<void> {
	if (options.link) return (await import('./links.ts')).removeLink(context, container);
	const {paths, locks} = context;
	const {Id} = findContainer(paths, container);
	const lock = await locks.acquire(Id);
	try {
		for (let attempt = 0; ; attempt++) {
			const record = readRecord(paths, Id);
			if (!record) {
				// Somebody else removed it while we waited; or our kill was the end of a --rm container.
				if (attempt > 0) return;
				throw noSuchContainer(container);
			}
			const {status} = currentState(paths, Id);
			if (isUp({status} as Parameters<typeof isUp>[0])) {
				if (!options.force) refuse(record, status);
				if (attempt === 3) throw new WherryError('conflict', `could not kill container ${Id}`, {object: Id});
				await forceEnd(context, record, status);
				continue;
			}
			if (!(await awaitMonitorEnd(context, Id, {orUp: true, mounted: true}))) {
				// Who started it died, its monitor did not.
				if (isUp(currentState(paths, Id))) continue;
				throw new WherryError('conflict', `removal of container ${container} is already in progress`, {
					object: Id,
				});
			}
			await settleContainer(context, Id);
			try {
				await removeStopped(context, record, options.volumes ?? false);
			} catch (error) {
				// Its monitor, or the clean-up after it, was faster.
				if (!isErrno(error, 'ENOENT') || existsSync(paths.container(Id))) throw error;
			}
			return;
		}
	} finally {
		lock.release({remove: !existsSync(paths.container(Id))});
	}
}
