/** Networks. */
import type {NetworkRecord} from '../networks/record.ts';
import type {EndpointSettings} from './config.ts';
import type {Filters} from './system.ts';

export interface NetworkCreateOptions {
	name: string;
	/** `bridge` (the default), `macvlan`, `ipvlan`. */
	driver?: string;
	internal?: boolean;
	attachable?: boolean;
	ipv4?: boolean;
	ipv6?: boolean;
	labels?: Record<string, string>;
	options?: Record<string, string>;
	/** As given on a command line: each of the others finds the subnet that it is in. */
	subnets?: readonly string[];
	gateways?: readonly string[];
	ipRanges?: readonly string[];
	auxAddresses?: Readonly<Record<string, string>>;
	ipamDriver?: string;
	ipamOptions?: Record<string, string>;
	/** `local`, or empty. */
	scope?: string;
	ingress?: boolean;
	/** Makes a network that others only take their configuration from. */
	configOnly?: boolean;
	/** The name of such a network. */
	configFrom?: string;
}

/** docker's `network inspect`. */
export interface NetworkInspect extends NetworkRecord {
	/** Those that run, by id. */
	Containers: Record<
		string,
		{
			Name: string;
			EndpointID: string;
			MacAddress: string;
			/** With the prefix; empty when it has none. */
			IPv4Address: string;
			IPv6Address: string;
		}
	>;
}

export interface Networks {
	create(options: NetworkCreateOptions): Promise<{id: string; warnings: string[]}>;
	/** Sorted by name. Filters: driver, id, label, name, scope, type, dangling. */
	list(options?: {filters?: Filters}): Promise<NetworkRecord[]>;
	/** By name, id or prefix of an id. */
	inspect(network: string): Promise<NetworkInspect>;
	remove(network: string, options?: {force?: boolean}): Promise<void>;
	/** Those that no container refers to. Filters: label, until. */
	prune(options?: {filters?: Filters}): Promise<{NetworksDeleted: string[]}>;
	connect(network: string, container: string, settings?: EndpointSettings): Promise<void>;
	disconnect(network: string, container: string, options?: {force?: boolean}): Promise<void>;
}
