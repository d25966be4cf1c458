import type {EngineContext} from '../containers/context.ts';
import {type Attachment, describeNetwork} from '../containers/network.ts';
import type {ContainerRecord} from '../containers/record.ts';
import {
	type Address,
	contains,
	formatMac,
	formatSubnet,
	macOf,
	parseSubnet,
	sameAddress,
	usableRange,
} from '../networks/address.ts';
import {resolvText} from '../networks/resolv-conf.ts';
import type {NetworkState} from '../networks/state.ts';

/** What a container on the default bridge with a published port would have got. Nothing is made. */
export async function bridgeAttachment(context: EngineContext, record: ContainerRecord): Promise<Attachment> {
	const {Id} = record;
	const address = {address: '192.0.2.2', prefix: 24, gateway: '192.0.2.1'};
	const state: NetworkState = {
		endpoints: [
			{
				network: 'bridge',
				networkId: Id,
				endpointId: Id,
				driver: 'bridge',
				interface: 'eth0',
				index: 100,
				peer: 'wh0',
				master: 1,
				mac: '02:42:c0:00:02:02',
				mtu: 1500,
				ipv4: address,
				isolated: false,
				internal: false,
				mode: 0,
				routed: false,
				aliases: [],
				links: [],
				gateway: true,
			},
		],
		ports: [{protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 80, count: 1}],
	};
	rehearseAddresses();
	const attachment = await describeNetwork(context, record, state, {up: false});
	resolvText(attachment.resolvConf!);
	return attachment;
}

/** What a lease asks of addresses. */
function rehearseAddresses(): void {
	const subnet = parseSubnet('192.0.2.0/24')!;
	const first: Address = {version: 4, value: usableRange(subnet).from};
	if (contains(subnet, first) && !sameAddress(first, subnet.address)) formatSubnet(subnet);
	formatMac(macOf(first));
}
