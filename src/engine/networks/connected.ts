/** What events tell of the networks of a container. */
import type {ContainerRecord} from '../containers/record.ts';
import type {Paths} from '../paths.ts';
import {type NetworkRecord, readNetwork} from './record.ts';
import type {NetworkState} from './state.ts';

/** In the order in which it is connected to them; docker counts host and none, too. */
export function connectedNetworks(
	paths: Paths,
	{HostConfig: {NetworkMode: mode}}: Pick<ContainerRecord, 'HostConfig'>,
	{endpoints}: NetworkState,
): Pick<NetworkRecord, 'Id' | 'Name' | 'Driver'>[] {
	const virtual = mode === 'host' || mode === 'none' ? readNetwork(paths, mode) : undefined;
	if (endpoints.length === 0 && virtual) return [virtual];
	return endpoints.map(({networkId, network, driver}) => ({Id: networkId, Name: network, Driver: driver}));
}
