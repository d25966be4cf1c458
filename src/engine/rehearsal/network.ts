import type {Attachment} from '../containers/network.ts';
import type {ContainerRecord} from '../containers/record.ts';
import {networkOps, releaseOps, unpublishAllOps} from '../networks/endpoint.ts';
import {planNames} from '../networks/names.ts';
import {resolvText} from '../networks/resolv-conf.ts';
import type {NetworkState} from '../networks/state.ts';
import type {Paths} from '../paths.ts';

/** What a container on the default bridge with a published port would have got. Nothing is made. */
export function bridgeAttachment(paths: Paths, {Id, HostConfig}: ContainerRecord): Attachment {
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
		ports: [{protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 80}],
	};
	const names = planNames(paths, Id, HostConfig, state, 'nameserver 127.0.0.1\n');
	resolvText(names.resolvConf);
	return {
		network: networkOps(paths, Id, state, names.service),
		stop: releaseOps(paths, Id, state),
		unpublish: unpublishAllOps(paths, state),
		state,
		env: [],
		hosts: {own: ['192.0.2.2'], linked: [], gateway: '192.0.2.1'},
		resolvConf: names.resolvConf,
	};
}
