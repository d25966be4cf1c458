/** `network ls` and `network inspect`. */
import type {Filters, NetworkInspect} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';
import {type ContainerRecord, isUp} from '../containers/record.ts';
import {readRows} from '../containers/rows.ts';
import {WherryError} from '../errors.ts';
import {labelsMatch} from '../events/filter.ts';
import {patternsOf} from '../filters.ts';
import {sortedKeys} from '../sorted.ts';
import {ensureDefaultNetwork} from './default-network.ts';
import {nominalEndpoint} from './inspect.ts';
import {allNetworks, findNetwork, isPredefined, type NetworkRecord} from './record.ts';
import {type EndpointState, readNetworkState} from './state.ts';

export interface ActiveEndpoint {
	container: ContainerRecord;
	endpoint: EndpointState;
}

/** Endpoints of containers that are up. */
export function activeEndpoints({paths}: EngineContext): ActiveEndpoint[] {
	return readRows(paths)
		.filter(({state}) => isUp(state))
		.flatMap(({record}) =>
			readNetworkState(paths, record.Id).endpoints.map((endpoint) => ({container: record, endpoint})),
		);
}

const known = new Set(['driver', 'id', 'label', 'name', 'scope', 'type', 'dangling']);

export async function listNetworks(context: EngineContext, filters: Filters): Promise<NetworkRecord[]> {
	for (const key of Object.keys(filters)) {
		if (!known.has(key)) throw new WherryError('invalid', `invalid filter '${key}'`);
	}
	const given = (key: string) => (filters[key]?.length ? filters[key] : undefined);
	const type = given('type');
	for (const value of type ?? []) {
		if (value !== 'custom' && value !== 'builtin')
			throw new WherryError('invalid', `invalid filter: 'type'='${value}'`);
	}
	const dangling = given('dangling')?.map((value) => {
		if (['true', '1', 'false', '0'].includes(value)) return value === 'true' || value === '1';
		throw new WherryError('invalid', `invalid filter 'dangling=[${value}]'`);
	});
	const used = dangling
		? new Set(readRows(context.paths).flatMap(({record}) => Object.keys(record.Networks ?? {})))
		: undefined;
	await ensureDefaultNetwork(context);
	const [driver, id, label, name, scope] = ['driver', 'id', 'label', 'name', 'scope'].map(given);
	const names = patternsOf(name ?? []);
	return allNetworks(context.paths)
		.filter(
			(network) =>
				(!driver || driver.includes(network.Driver)) &&
				(!id || id.some((prefix) => network.Id.includes(prefix))) &&
				(!label || labelsMatch(label, network.Labels)) &&
				(!name || names.some((pattern) => pattern.test(network.Name))) &&
				(!scope || scope.includes(network.Scope)) &&
				(!type || type.includes(isPredefined(network.Name) ? 'builtin' : 'custom')) &&
				(!dangling || dangling.includes(!used!.has(network.Name) && !isPredefined(network.Name))),
		)
		.toSorted((a, b) => (a.Name < b.Name ? -1 : 1));
}

export async function inspectNetwork(context: EngineContext, name: string): Promise<NetworkInspect> {
	if (name === 'bridge') await ensureDefaultNetwork(context);
	const network = findNetwork(context.paths, name);
	const containers: NetworkInspect['Containers'] = {};
	for (const {container, endpoint} of activeEndpoints(context)) {
		if (endpoint.networkId !== network.Id) continue;
		const {ipv4, ipv6, mac, endpointId} = endpoint;
		containers[container.Id] = {
			Name: container.Name,
			EndpointID: endpointId,
			MacAddress: mac ?? '',
			IPv4Address: ipv4 ? `${ipv4.address}/${ipv4.prefix}` : '',
			IPv6Address: ipv6 ? `${ipv6.address}/${ipv6.prefix}` : '',
		};
	}
	if (network.Driver === 'host' || network.Driver === 'null') {
		for (const {record, state} of readRows(context.paths)) {
			if (!isUp(state) || record.HostConfig.NetworkMode !== network.Name) continue;
			const EndpointID = nominalEndpoint(record.Id, network.Id);
			containers[record.Id] = {
				...{Name: record.Name, EndpointID, MacAddress: '', IPv4Address: '', IPv6Address: ''},
			};
		}
	}
	const {Options, Labels, Chosen: _, ...rest} = network;
	return {
		...rest,
		Containers: sortedKeys(containers),
		Options: sortedKeys(Options),
		Labels: sortedKeys(Labels),
	};
}
