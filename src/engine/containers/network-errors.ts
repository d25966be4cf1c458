/** What a monitor refuses of a plan's network section, in docker's words. */
import type {MonitorError} from '../../runtime/monitor-protocol.ts';
import type {Op} from '../../runtime/plan/ops.ts';
import {sectionKinds} from '../../runtime/plan/sections.ts';
import {WherryError} from '../errors.ts';
import {hasHostPort, type PublishedPort} from '../networks/port-ranges.ts';
import {clash} from '../networks/ports.ts';
import {publishingEndpoint, readNetworkState} from '../networks/state.ts';
import type {EngineContext} from './context.ts';
import type {Attachment} from './network.ts';
import {type ContainerRecord, isUp} from './record.ts';
import {readRows} from './rows.ts';

/** From <errno.h>. */
const errno = {
	EACCES: 13,
	EEXIST: 17,
	ENOTEMPTY: 39,
	EPROTONOSUPPORT: 93,
	ESOCKTNOSUPPORT: 94,
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

type FailedPort = Pick<PublishedPort, 'protocol' | 'hostIp' | 'hostPort'>;

/** The monitor names the port: `failed to bind host port 0.0.0.0:80/tcp: ...`. */
function failedPort(op: Op | undefined, {message}: MonitorError): FailedPort | undefined {
	if (op?.op !== 'reservePorts' && op?.op !== 'proxyPorts' && op?.op !== 'proxyLoopback') return undefined;
	const match = /host port \[?([\da-f.:]+?)\]?:(\d+)\/(tcp|udp|sctp)/.exec(message);
	if (!match) return undefined;
	return {hostIp: match[1]!, hostPort: Number(match[2]), protocol: match[3] as FailedPort['protocol']};
}

/** Whether a container of ours has the port: then docker says so. */
function isPublished({paths}: EngineContext, id: string, {protocol, hostIp, hostPort}: FailedPort): boolean {
	return readRows(paths).some(
		({record, state}) =>
			record.Id !== id &&
			isUp(state) &&
			readNetworkState(paths, record.Id).ports.some(
				(range) => hasHostPort(range, hostPort) && clash(range, {protocol, hostIp}),
			),
	);
}

/** A start whose port can't be bound. Undefined when it is about something else. */
export function portError(
	context: EngineContext,
	record: Pick<ContainerRecord, 'Name' | 'Id'>,
	endpointId: string,
	op: Op | undefined,
	detail: MonitorError,
): WherryError | undefined {
	const port = failedPort(op, detail);
	if (!port) return undefined;
	const {protocol, hostIp, hostPort} = port;
	if (detail.errno === errno.EPROTONOSUPPORT || detail.errno === errno.ESOCKTNOSUPPORT) {
		return new WherryError(
			'unsupported',
			`can't publish ${hostPort}/${protocol}: the kernel has no ${protocol.toUpperCase()}; where it has a module, "modprobe ${protocol}" helps`,
			{object: record.Id, exitCode: 125},
		);
	}
	const taken = detail.errno === errno.EADDRINUSE && isPublished(context, record.Id, port);
	const host = `${hostIp.includes(':') ? `[${hostIp}]` : hostIp}:${hostPort}`;
	const reason = taken
		? `Bind for ${host} failed: port is already allocated`
		: `failed to bind host port ${host}/${protocol}: ${words[detail.errno ?? 0] ?? detail.message}`;
	return new WherryError(
		'conflict',
		`failed to set up container networking: driver failed programming external connectivity on endpoint ${record.Name} (${endpointId}): ${reason}`,
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
	const port = portError(context, record, endpoint?.endpointId ?? '', op, detail);
	if (port) {
		const failed = failedPort(op, detail);
		const chosen = state.ports.some((range) => range.chosen && failed && hasHostPort(range, failed.hostPort));
		return {error: port, again: chosen && detail.errno === errno.EADDRINUSE};
	}
	// The port is ours by its socket, so an element that is in the way is nobody's any more.
	const adds = op?.op === 'netlink' || op?.op === 'publishPorts';
	const stale = adds && (detail.errno === errno.EEXIST || detail.errno === errno.ENOTEMPTY);
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
