/**
 * What a container's networks are while it runs: `containers/<id>/network.json`, written before the start and
 * at every change. After the end it tells which addresses and ports the container asks for next time.
 */
import type {ContainerRecord} from '../containers/record.ts';
import {readIfThere, replaceFile} from '../files.ts';
import type {Paths} from '../paths.ts';

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
	/** The bridge's name. */
	bridge?: string;
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
}

export interface PublishedPort {
	protocol: 'tcp' | 'udp' | 'sctp';
	containerPort: number;
	/** `0.0.0.0` and `::` are every address of the family. */
	hostIp: string;
	hostPort: number;
	/** Whether the engine chose the host's port: another one would do as well. */
	chosen?: boolean;
}

export interface NetworkState {
	endpoints: EndpointState[];
	ports: PublishedPort[];
	/** What a change of a running container was about to add. A change that breaks off leaves it for the next one. */
	unfinished?: {network?: string; ports?: readonly PublishedPort[]};
}

/** Whether a container's network namespace is its own; one that has left `none` has endpoints as any other. */
export const hasEndpoints = ({
	HostConfig: {NetworkMode: mode},
	Networks,
}: Pick<ContainerRecord, 'HostConfig' | 'Networks'>): boolean =>
	mode !== 'host' && !mode.startsWith('container:') && (mode !== 'none' || Networks !== undefined);

export const noNetwork: NetworkState = {endpoints: [], ports: []};

/** In the file ports that follow one another on both sides are one entry with their number: there may be thousands. */
type StoredPort = PublishedPort & {count?: number};

function packed(ports: readonly PublishedPort[]): StoredPort[] {
	const runs: Required<StoredPort>[] = [];
	// The last run of each protocol and address.
	const lanes: Required<StoredPort>[] = [];
	for (const {protocol, containerPort, hostIp, hostPort, chosen = false} of ports) {
		const at = lanes.findIndex(
			(lane) => lane.protocol === protocol && lane.hostIp === hostIp && lane.chosen === chosen,
		);
		const run = lanes[at];
		if (run && hostPort === run.hostPort + run.count && containerPort === run.containerPort + run.count) {
			run.count++;
			continue;
		}
		const next = {protocol, containerPort, hostIp, hostPort, chosen, count: 1};
		lanes[at < 0 ? lanes.length : at] = next;
		runs.push(next);
	}
	return runs.map(({chosen, count, ...port}) => ({
		...port,
		...(chosen ? {chosen} : {}),
		...(count > 1 ? {count} : {}),
	}));
}

function unpacked(stored: readonly StoredPort[]): PublishedPort[] {
	const ports: PublishedPort[] = [];
	for (const {count = 1, ...port} of stored) {
		for (let step = 0; step < Math.min(count, 65_536); step++) {
			ports.push({...port, containerPort: port.containerPort + step, hostPort: port.hostPort + step});
		}
	}
	return ports;
}

const statePath = (paths: Paths, id: string): string => `${paths.container(id)}/network.json`;

export function readNetworkState(paths: Paths, id: string): NetworkState {
	const text = readIfThere(statePath(paths, id));
	if (text === undefined) return noNetwork;
	try {
		const state = JSON.parse(text) as Partial<NetworkState>;
		const {endpoints = [], ports = [], unfinished} = state;
		return {
			endpoints,
			ports: unpacked(ports),
			...(unfinished
				? {unfinished: {...unfinished, ...(unfinished.ports ? {ports: unpacked(unfinished.ports)} : {})}}
				: {}),
		};
	} catch {
		return noNetwork;
	}
}

export function writeNetworkState(paths: Paths, id: string, state: NetworkState): void {
	const {ports, unfinished} = state;
	const stored = {
		...state,
		ports: packed(ports),
		...(unfinished?.ports ? {unfinished: {...unfinished, ports: packed(unfinished.ports)}} : {}),
	};
	replaceFile(statePath(paths, id), JSON.stringify(stored));
}

/** The endpoint that ports are published on, and that gives the default route. */
export const gatewayEndpoint = (state: NetworkState): EndpointState | undefined =>
	state.endpoints.find((endpoint) => endpoint.gateway);

/** Ports are published where the host can reach the container: on a bridge that has a way out. */
export const publishingEndpoint = (state: NetworkState): EndpointState | undefined =>
	state.endpoints.find(({gateway, driver}) => gateway && driver === 'bridge') ??
	state.endpoints.find(({driver, internal}) => driver === 'bridge' && !internal);
