/**
 * What a container's networks are while it runs: `containers/<id>/network.json`, written before the start and
 * at every change. After the end it tells which addresses and ports the container asks for next time.
 */
import type {ContainerRecord} from '../containers/record.ts';
import {readIfThere, replaceFile} from '../files.ts';
import type {Paths} from '../paths.ts';
import type {PublishedRange} from './port-ranges.ts';

export interface EndpointAddress {
	address: string;
	prefix: number;
	gateway?: string;
}

export interface EndpointState {
	network: string;
	networkId: string;
	/** 64 hex digits. */
	endpointId: string;
	driver: 'bridge' | 'macvlan' | 'ipvlan';
	/** In the container: `eth0`, and its index there. */
	interface: string;
	index: number;
	/** The other end of a veth, in the host. */
	peer?: string;
	/** Index of the bridge, or of the parent. */
	master: number;
	/** The bridge's name, and its link-layer address. */
	bridge?: string;
	bridgeMac?: string;
	/** ipvlan takes its parent's. */
	mac?: string;
	mtu: number;
	ipv4?: EndpointAddress;
	ipv6?: EndpointAddress;
	/** More addresses of the interface, which the user asks for and nobody else keeps account of. */
	linkLocal?: string[];
	/** Its containers don't reach each other. */
	isolated: boolean;
	internal: boolean;
	/** Mode of a macvlan or ipvlan. */
	mode: number;
	/** Everything goes out by the device, there is no gateway. */
	routed: boolean;
	/** Names besides the container's own. */
	aliases: string[];
	/** Names for this container only. */
	links: {name: string; alias: string}[];
	/** Whether it gives the default route. */
	gateway: boolean;
	/** Clients on the host are led to its TCP ports at their connect(2). Monitors of earlier versions can't do it. */
	led?: boolean;
}

export interface NetworkState {
	endpoints: EndpointState[];
	ports: PublishedRange[];
	/** What a change of a running container was about to add. A change that breaks off leaves it for the next one. */
	unfinished?: {network?: string; ports?: readonly PublishedRange[]};
}

/** Whether a container's network namespace is its own; one that has left `none` has endpoints as any other. */
export const hasEndpoints = ({
	HostConfig: {NetworkMode: mode},
	Networks,
}: Pick<ContainerRecord, 'HostConfig' | 'Networks'>): boolean =>
	mode !== 'host' && !mode.startsWith('container:') && (mode !== 'none' || Networks !== undefined);

export const noNetwork: NetworkState = {endpoints: [], ports: []};

const statePath = (paths: Paths, id: string): string => `${paths.container(id)}/network.json`;

/** Earlier versions left out that it is one. */
const counted = (ranges: readonly PublishedRange[]): PublishedRange[] =>
	ranges.map((range) => ({...range, count: range.count ?? 1}));

export function readNetworkState(paths: Paths, id: string): NetworkState {
	const text = readIfThere(statePath(paths, id));
	if (text === undefined) return noNetwork;
	try {
		const state = {...noNetwork, ...(JSON.parse(text) as Partial<NetworkState>)};
		const {ports, unfinished} = state;
		return {
			...state,
			ports: counted(ports),
			...(unfinished?.ports ? {unfinished: {...unfinished, ports: counted(unfinished.ports)}} : {}),
		};
	} catch {
		return noNetwork;
	}
}

export function writeNetworkState(paths: Paths, id: string, state: NetworkState): void {
	replaceFile(statePath(paths, id), JSON.stringify(state));
}

/** The endpoint that ports are published on, and that gives the default route. */
export const gatewayEndpoint = (state: NetworkState): EndpointState | undefined =>
	state.endpoints.find((endpoint) => endpoint.gateway);

/** Ports are published where the host can reach the container: on a bridge that has a way out. */
export const publishingEndpoint = (state: NetworkState): EndpointState | undefined =>
	state.endpoints.find(({gateway, driver}) => gateway && driver === 'bridge') ??
	state.endpoints.find(({driver, internal}) => driver === 'bridge' && !internal);
