/** Ports that a monitor holds are given back one by one. */
import {request} from '../../runtime/monitor-protocol.ts';
import {addressBytes, parseAddress} from '../networks/address.ts';
import type {PublishedPort} from '../networks/state.ts';
import type {EngineContext} from './context.ts';
import {ask} from './monitor-client.ts';
import {reachMonitor} from './monitor-requests.ts';
import type {ContainerRecord} from './record.ts';

export async function releasePorts(
	context: EngineContext,
	record: ContainerRecord,
	ports: readonly PublishedPort[],
): Promise<void> {
	for (const {protocol, hostIp, hostPort} of ports) {
		const address = addressBytes(parseAddress(hostIp)!);
		const head = Buffer.alloc(4);
		head[0] = protocol === 'udp' ? 17 : 6;
		head[1] = address.length;
		head.writeUInt16LE(hostPort, 2);
		await reachMonitor(context, record, (socket) =>
			ask(socket, request.releasePort, Buffer.concat([head, address])),
		);
	}
}
