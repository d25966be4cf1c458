/** What a change of the networks of a running container leaves when it breaks off. */
import type {ContainerRecord} from '../containers/record.ts';
import {unlinkIfThere} from '../files.ts';
import type {Paths} from '../paths.ts';
import {dropLeases} from './leases.ts';
import {readNetwork} from './record.ts';
import {type NetworkState, noNetwork} from './state.ts';
import {zoneFile} from './zone.ts';

/** Gives back what a container has of a network that it has no endpoint of. Under its lock. */
export function dropHoldings(paths: Paths, network: string, container: string): void {
	dropLeases(paths, network, container);
	unlinkIfThere(zoneFile(paths, network, container));
}

/**
 * Networks that the record has and the last state hasn't: the change broke off between the two. For a container
 * that is not running.
 */
export function dropStray(
	paths: Paths,
	{Id, Networks = {}}: Pick<ContainerRecord, 'Id' | 'Networks'>,
	state: NetworkState,
): void {
	if (state === noNetwork) return;
	for (const name of Object.keys(Networks)) {
		if (state.endpoints.some(({network}) => network === name)) continue;
		const network = readNetwork(paths, name);
		if (network) dropHoldings(paths, network.Id, Id);
	}
}
