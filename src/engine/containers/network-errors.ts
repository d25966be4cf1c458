/** What a monitor refuses of a plan's network section, in docker's words. */
import type {MonitorError} from '../../runtime/monitor-protocol.ts';
import type {Op} from '../../runtime/plan/ops.ts';
import {sectionKinds} from '../../runtime/plan/sections.ts';
import {WherryError} from '../errors.ts';
import {addressFromBytes, formatAddress} from '../networks/address.ts';
import {publishingEndpoint} from '../networks/state.ts';
import type {EngineContext} from './context.ts';
import type {Attachment} from './network.ts';
import type {ContainerRecord} from './record.ts';

/** From <errno.h>. */
const errno = {
	EACCES: 13,
	EEXIST: 17,
	ENOTEMPTY: 39,
	EOPNOTSUPP: 95,
	EADDRINUSE: 98,
	EADDRNOTAVAIL: 99,
} as const;
const words: Record<number, string> = {
	[errno.EACCES]: 'permission denied',
	[errno.EADDRINUSE]: 'address already in use',
	[errno.EADDRNOTAVAIL]: 'cannot assign requested address',
};

export interface NetworkFailure {
	error: WherryError;
	/** Whether another attempt may go better: a port that we chose was taken meanwhile, stale elements are gone. */
	again: boolean;
}

function portText(op: Extract<Op, {op: 'reservePort' | 'proxyPort'}>): string {
	const address = addressFromBytes(op.address as Uint8Array)!;
	const text = formatAddress(address);
	return `${address.version === 6 ? `[${text}]` : text}:${op.port}/${op.protocol === 17 ? 'udp' : 'tcp'}`;
}

/** A start whose port can't be bound. Undefined when it is about something else. */
export function portError(
	record: Pick<ContainerRecord, 'Name' | 'Id'>,
	endpointId: string,
	op: Op | undefined,
	detail: MonitorError,
): WherryError | undefined {
	if (op?.op !== 'reservePort' && op?.op !== 'proxyPort') return undefined;
	const reason = words[detail.errno ?? 0] ?? detail.message;
	return new WherryError(
		'conflict',
		`failed to set up container networking: driver failed programming external connectivity on endpoint ${record.Name} (${endpointId}): failed to bind host port ${portText(op)}: ${reason}`,
		{object: record.Id, exitCode: 125},
	);
}

export async function networkFailure(
	context: EngineContext,
	record: ContainerRecord,
	{network, state}: Attachment,
	detail: MonitorError,
): Promise<NetworkFailure | undefined> {
	if (detail.section !== sectionKinds.network) return undefined;
	const op = network[detail.op ?? -1];
	const endpoint = publishingEndpoint(state);
	const port = portError(record, endpoint?.endpointId ?? '', op, detail);
	if (port) {
		const chosen =
			(op?.op === 'reservePort' || op?.op === 'proxyPort') &&
			state.ports.some(({hostPort, chosen: ours}) => ours && hostPort === Number(op.port));
		return {error: port, again: chosen && detail.errno === errno.EADDRINUSE};
	}
	// The port is ours by its socket, so an element that is in the way is nobody's any more.
	const stale = op?.op === 'netlink' && (detail.errno === errno.EEXIST || detail.errno === errno.ENOTEMPTY);
	if (stale && endpoint) {
		// First those who own them: their stop plans must not come after we have added ours.
		const {repairRuns} = await import('../repair.ts');
		await repairRuns(context);
		const {removeElements} = await import('../networks/stale.ts');
		await removeElements(context.paths, state.ports, endpoint);
	}
	const child = state.endpoints.find(({driver}) => driver !== 'bridge');
	if (child && op?.op === 'netlink' && detail.errno === errno.EOPNOTSUPP) {
		return {
			error: new WherryError('unsupported', `this kernel has no ${child.driver} (network ${child.network})`, {
				object: record.Id,
				exitCode: 125,
			}),
			again: false,
		};
	}
	return {
		error: new WherryError('internal', `failed to set up container networking: ${detail.message}`, {
			object: record.Id,
			exitCode: 125,
		}),
		again: stale,
	};
}
