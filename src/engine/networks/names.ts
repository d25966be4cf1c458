/** Names: zone entries of a container, its resolver, its `resolv.conf` and its `/etc/hosts`. */
import {join} from 'node:path';
import type {HostConfig} from '../api.ts';
import type {ContainerRecord} from '../containers/record.ts';
import {readIfThere} from '../files.ts';
import type {Paths} from '../paths.ts';
import {parseAddress} from './address.ts';
import type {NameService} from './endpoint.ts';
import {parseResolvConf, type ResolvConf} from './resolv-conf.ts';
import type {EndpointState, NetworkState} from './state.ts';
import {linkText, writeZoneEntry, zoneFolder, zoneText} from './zone.ts';

const resolver = '127.0.0.11';

/** docker's order: the name, what the user gave, the short id, the host name. */
export function namesOf(
	record: Pick<ContainerRecord, 'Id' | 'Name' | 'Config'>,
	endpoint: EndpointState,
): string[] {
	const names = [record.Name, ...endpoint.aliases, record.Id.slice(0, 12)];
	if (record.Config.Hostname) names.push(record.Config.Hostname);
	return [...new Set(names)];
}

const isUserNetwork = ({network}: EndpointState): boolean => network !== 'bridge';
const ownZone = (paths: Paths, id: string): string => join(paths.runContainer(id), 'zone');

/** Names that others find it by. When the folder in WHERRY_RUN is there. */
export function writeZoneEntries(
	paths: Paths,
	record: ContainerRecord,
	endpoints: readonly EndpointState[],
): void {
	for (const endpoint of endpoints) {
		if (!isUserNetwork(endpoint)) continue;
		const [container = '', ...aliases] = namesOf(record, endpoint);
		const addresses = [endpoint.ipv4?.address, endpoint.ipv6?.address].filter(
			(address) => address !== undefined,
		);
		writeZoneEntry(
			zoneFolder(paths, endpoint.networkId),
			record.Id,
			zoneText({container, network: endpoint.network, aliases, addresses}),
		);
	}
	const links = endpoints
		.filter(isUserNetwork)
		.map((endpoint) => linkText(endpoint.network, endpoint.links))
		.join('');
	if (links !== '') writeZoneEntry(ownZone(paths, record.Id), 'links', links);
}

function isLoopback(server: string): boolean {
	const address = parseAddress(server.split('%', 1)[0]!);
	if (!address) return false;
	return address.version === 4 ? address.value >> 24n === 127n : address.value === 1n;
}

/** With a zone (fe80::1%eth0) a server is reached from the host only. */
const needsHost = (server: string): boolean => isLoopback(server) || server.includes('%');

export interface NamePlan {
	resolvConf: ResolvConf;
	/** Undefined: the container asks its servers itself. */
	service: NameService | undefined;
}

/**
 * On user networks the container asks 127.0.0.11. On the default bridge it has the host's servers, but those on
 * the host's loopback can't be reached from there: then it asks 127.0.0.11, too, which only forwards.
 */
export function planNames(
	paths: Paths,
	id: string,
	host: Pick<HostConfig, 'Dns' | 'DnsSearch' | 'DnsOptions'>,
	state: NetworkState,
	hostResolvConf: string,
): NamePlan {
	const ofHost = parseResolvConf(hostResolvConf);
	const {Dns, DnsSearch, DnsOptions} = host;
	const servers = Dns.length > 0 ? [...Dns] : ofHost.servers;
	// docker: a search domain "." means none.
	const search = DnsSearch.length > 0 ? DnsSearch.filter((domain) => domain !== '.') : ofHost.search;
	const options = DnsOptions.length > 0 ? [...DnsOptions] : ofHost.options;
	const user = state.endpoints.filter(isUserNetwork);
	if (user.length === 0) {
		const reachable = Dns.length > 0 ? servers : servers.filter((server) => !needsHost(server));
		if (reachable.length > 0 || servers.length === 0 || state.endpoints.length === 0) {
			return {
				resolvConf: {servers: state.endpoints.length === 0 ? servers : reachable, search, options},
				service: undefined,
			};
		}
		return {
			resolvConf: {servers: [resolver], search, options},
			service: {zones: [], upstreams: servers, internal: false},
		};
	}
	return {
		resolvConf: {
			servers: [resolver],
			search,
			options: options.some((option) => option.startsWith('ndots:')) ? options : [...options, 'ndots:0'],
		},
		service: {
			zones: [ownZone(paths, id), ...user.map(({networkId}) => zoneFolder(paths, networkId))],
			upstreams: servers,
			internal: state.endpoints.every(({internal}) => internal),
		},
	};
}

export const hostResolvConf = (): string => readIfThere('/etc/resolv.conf') ?? '';
