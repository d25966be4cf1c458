/** Ports that a monitor holds are given back. */
import {request} from '../../runtime/monitor-protocol.ts';
import {addressBytes, parseAddress} from '../networks/address.ts';
import {eachPort, type PublishedRange} from '../networks/port-ranges.ts';
import {protocolNumber} from '../networks/ruleset.ts';
import type {EngineContext} from './context.ts';
import {ask} from './monitor-client.ts';
import {reachMonitor} from './monitor-requests.ts';
import type {ContainerRecord} from './record.ts';

export async function releasePorts(
	context: EngineContext,
	record: ContainerRecord,
	ports: readonly PublishedRange[],
): Promise<void> {
	if (ports.length === 0) return;
	const records = eachPort(ports).map(({protocol, hostIp, hostPort}) => {
		const address = addressBytes(parseAddress(hostIp)!);
		const head = Buffer.alloc(4);
		head[0] = protocolNumber[protocol];
		head[1] = address.length;
		head.writeUInt16LE(hostPort, 2);
		return Buffer.concat([head, address]);
	});
	const payload = Buffer.concat(records);
	await reachMonitor(context, record, (socket) => ask(socket, request.releasePort, payload));
}
