/**
 * Brings one container in order whose monitor has died: what its stop plan lists is undone, and its state
 * says that it has ended. Under the container's lock.
 */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {monitorPath} from '../../kernel/locate.ts';
import {native} from '../../kernel/native.ts';
import {isErrno, WherryError} from '../errors.ts';
import {wallClock} from '../events/record.ts';
import {replaceFile, timestamp} from '../files.ts';
import {type EngineContext, emit} from './context.ts';
import {connectMonitor, MonitorGone} from './monitor-client.ts';
import {
	afterDeath,
	type ContainerRecord,
	isActiveStatus,
	isUnmounting,
	makeFolder,
	monitorLives,
	readRecord,
	readState,
	socketPath,
	writeState,
} from './record.ts';

/** Milliseconds for a monitor that has given its last answer, or that nobody told to start. */
const patience = 10_000;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A monitor that has not written its state yet is known by its socket. */
function monitorListens(context: EngineContext, id: string): boolean {
	try {
		connectMonitor(socketPath(context.paths, id)).destroy();
		return true;
	} catch (error) {
		if (error instanceof MonitorGone) return false;
		// Its queue is full: it is there.
		if (isErrno(error, 'EAGAIN')) return true;
		throw error;
	}
}

/**
 * Waits until a monitor that is about to end has ended. False when it goes on; at once with `orUp` when its
 * container is up: then it was not about to end, but to start. Then waits until the root is unmounted, as long as the
 * disk takes; `mounted`: that is of no importance.
 */
export async function awaitMonitorEnd(
	context: EngineContext,
	id: string,
	{orUp = false, mounted = false}: {orUp?: boolean; mounted?: boolean} = {},
): Promise<boolean> {
	const deadline = Date.now() + patience;
	for (let delay = 1; ; delay = Math.min(delay * 2, 50)) {
		const state = readState(context.paths, id);
		if (!monitorLives(state)) {
			if (mounted || !isUnmounting(state)) return true;
		} else if (Date.now() > deadline || (orUp && isActiveStatus(state.status))) return false;
		await pause(delay);
	}
}

async function runCleanup(context: EngineContext, id: string): Promise<string> {
	const folder = context.paths.runContainer(id);
	// Seldom needed, and slow to load.
	const [{execFile}, {promisify}] = await Promise.all([import('node:child_process'), import('node:util')]);
	try {
		await promisify(execFile)(monitorPath(), ['cleanup', folder], {env: {}, cwd: '/'});
		return '';
	} catch (error) {
		const {stderr, message} = error as Error & {stderr?: string};
		return (stderr || message).trim().replace(/^wherry-monitor: /, '');
	}
}

/** What the monitor would have told of its networks and volumes. */
async function tellLeft({paths, events}: EngineContext, record: ContainerRecord): Promise<void> {
	if (record.Build) return;
	const [{connectedNetworks}, {readNetworkState}] = await Promise.all([
		import('../networks/connected.ts'),
		import('../networks/state.ts'),
	]);
	for (const {Id, Name, Driver} of connectedNetworks(paths, record, readNetworkState(paths, record.Id))) {
		events.append('network', 'disconnect', Id, {container: record.Id, name: Name, type: Driver});
	}
	for (const {Type, Name, Driver = 'local'} of record.Mounts) {
		if (Type === 'volume' && Name) {
			events.append('volume', 'unmount', Name, {container: record.Id, driver: Driver});
		}
	}
}

/**
 * True when there was something to do. `revive` tells that its restart policy wants it up again.
 */
export async function settleContainer(
	context: EngineContext,
	id: string,
): Promise<{settled: boolean; revive: boolean}> {
	const {paths} = context;
	const nothing = {settled: false, revive: false};
	const folder = paths.runContainer(id);
	const before = readState(paths, id);
	const hasFolder = existsSync(folder);
	if (!hasFolder && !isActiveStatus(before.status)) return nothing;
	if (monitorLives(before)) return nothing;
	if (hasFolder && monitorListens(context, id)) return nothing;
	// It may have written its state, or have ended well, since we looked.
	const state = readState(paths, id);
	if (monitorLives(state)) return nothing;
	const record = readRecord(paths, id);
	if (!existsSync(join(folder, 'stop.plan')) && record) {
		const [{stopPlan}, {encodePlan}] = await Promise.all([
			import('./bundle.ts'),
			import('../../runtime/plan/encode.ts'),
		]);
		makeFolder(folder);
		replaceFile(join(folder, 'stop.plan'), encodePlan(stopPlan(paths, record)));
	}
	const failure = existsSync(join(folder, 'stop.plan')) ? await runCleanup(context, id) : '';
	const active = isActiveStatus(state.status);
	if (record && active) {
		emit(context, record, 'die', {exitCode: '137', execDuration: '0'});
		if (state.status !== 'restarting') await tellLeft(context, record);
	}
	if (record && !existsSync(paths.container(id))) {
		emit(context, record, 'destroy');
	} else if (record) {
		writeState(paths, id, {
			...state,
			pid: 0,
			pidStart: 0,
			monitorPid: 0,
			monitorStart: 0,
			...(active ? {...afterDeath(state), finishedAt: timestamp(wallClock())} : {}),
			...(failure ? {error: failure} : {}),
		});
	}
	if (failure) {
		// The plan stays for the next attempt.
		throw new WherryError('internal', `cleaning up after container ${id}: ${failure}`, {object: id});
	}
	await native.removeTree(folder);
	const policy = record?.HostConfig.RestartPolicy;
	const revive =
		active &&
		!state.manuallyStopped &&
		(policy?.Name === 'always' ||
			policy?.Name === 'unless-stopped' ||
			(policy?.Name === 'on-failure' &&
				(policy.MaximumRetryCount === 0 || state.restartCount < policy.MaximumRetryCount)));
	return {settled: true, revive};
}
