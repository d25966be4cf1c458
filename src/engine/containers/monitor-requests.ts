/** Reaches a container's monitor; one that has died leaves its container to be settled first. */
import {existsSync} from 'node:fs';
import type {MonitorError} from '../../runtime/monitor-protocol.ts';
import type {WherryError} from '../errors.ts';
import type {EngineContext} from './context.ts';
import {connectMonitor, MonitorGone, MonitorRefusal, type MonitorSocket} from './monitor-client.ts';
import {notRunning, refusal} from './monitor-errors.ts';
import {type ContainerRecord, socketPath} from './record.ts';

/** Settles a container if its monitor is dead; what somebody else has locked, he is looking after. */
export async function settleIfDead(context: EngineContext, id: string): Promise<void> {
	const {awaitMonitorEnd, settleContainer} = await import('./settle.ts');
	// Its sockets close a moment before it is gone.
	await awaitMonitorEnd(context, id, {mounted: true});
	const lock = await context.locks.tryAcquire(id);
	if (!lock) return;
	try {
		await settleContainer(context, id);
	} finally {
		lock.release({remove: !existsSync(context.paths.container(id))});
	}
}

/** Throws `conflict` `container X is not running` when there is no monitor (any more). */
export async function reachMonitor<T>(
	context: EngineContext,
	record: ContainerRecord,
	work: (socket: MonitorSocket) => Promise<T>,
	explain: (id: string, detail: MonitorError) => WherryError = refusal,
): Promise<T> {
	try {
		return await work(connectMonitor(socketPath(context.paths, record.Id)));
	} catch (error) {
		if (error instanceof MonitorRefusal) throw explain(record.Id, error.detail);
		if (!(error instanceof MonitorGone)) throw error;
		await settleIfDead(context, record.Id);
		throw notRunning(record.Id);
	}
}
