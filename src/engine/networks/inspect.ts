/** docker's words about endpoints, for `inspect` of containers and networks and for `ps`. Pure. */
import type {EndpointSettings} from '../api.ts';
import {portsByKey} from './ports.ts';
import type {EndpointState, NetworkState} from './state.ts';

type Settings = Readonly<Record<string, EndpointSettings>>;

export interface EndpointInspect {
	IPAMConfig: EndpointSettings['IPAMConfig'] | null;
	Links: string[] | null;
	Aliases: string[] | null;
	MacAddress: string;
	DriverOpts: Record<string, string> | null;
	GwPriority: number;
	NetworkID: string;
	EndpointID: string;
	Gateway: string;
	IPAddress: string;
	IPPrefixLen: number;
	IPv6Gateway: string;
	GlobalIPv6Address: string;
	GlobalIPv6PrefixLen: number;
	DNSNames: string[] | null;
}

/** The endpoint of a container in the network of the host or in none: nothing is there that could have an id. */
export const nominalEndpoint = (container: string, network: string): string =>
	container.slice(0, 32) + network.slice(0, 32);

const orNull = <T extends object>(value: T | undefined): T | null =>
	value && Object.keys(value).length > 0 ? value : null;

function endpointInspect(
	settings: EndpointSettings,
	endpoint: EndpointState | undefined,
	names: readonly string[],
): EndpointInspect {
	return {
		IPAMConfig: settings.IPAMConfig ?? null,
		Links: orNull(settings.Links),
		Aliases: orNull(settings.Aliases),
		MacAddress: endpoint?.mac ?? settings.MacAddress ?? '',
		DriverOpts: orNull(settings.DriverOpts),
		GwPriority: settings.GwPriority ?? 0,
		NetworkID: endpoint?.networkId ?? '',
		EndpointID: endpoint?.endpointId ?? '',
		Gateway: endpoint?.ipv4?.gateway ?? '',
		IPAddress: endpoint?.ipv4?.address ?? '',
		IPPrefixLen: endpoint?.ipv4?.prefix ?? 0,
		IPv6Gateway: endpoint?.ipv6?.gateway ?? '',
		GlobalIPv6Address: endpoint?.ipv6?.address ?? '',
		GlobalIPv6PrefixLen: endpoint?.ipv6?.prefix ?? 0,
		DNSNames: names.length > 0 ? [...names] : null,
	};
}

export interface InspectInput {
	mode: string;
	settings: Settings | undefined;
	/** Empty when it is not up. */
	state: NetworkState;
	exposed: readonly string[] | undefined;
	/** By network: names that others find it by. */
	names: (endpoint: EndpointState) => string[];
	/** A path of the network namespace, or empty. */
	sandbox: string;
	id: string;
}

export function networksInspect({
	mode,
	settings,
	state,
	names,
}: InspectInput): Record<string, EndpointInspect> {
	if (mode === 'host' || (mode === 'none' && !settings)) return {[mode]: endpointInspect({}, undefined, [])};
	return Object.fromEntries(
		Object.entries(settings ?? {}).map(([name, asked]) => {
			const endpoint = state.endpoints.find(({network}) => network === name);
			return [name, endpointInspect(asked, endpoint, endpoint && name !== 'bridge' ? names(endpoint) : [])];
		}),
	);
}

/** The top-level addresses are those of the default bridge, as ever. */
export function networkSettings(input: InspectInput): Record<string, unknown> {
	const networks = networksInspect(input);
	const first = networks.bridge;
	const up = input.sandbox !== '';
	return {
		Bridge: '',
		SandboxID: up ? input.id : '',
		SandboxKey: input.sandbox,
		Ports: up ? portsByKey(input.state.ports, input.exposed) : {},
		HairpinMode: false,
		LinkLocalIPv6Address: '',
		LinkLocalIPv6PrefixLen: 0,
		SecondaryIPAddresses: null,
		SecondaryIPv6Addresses: null,
		EndpointID: first?.EndpointID ?? '',
		Gateway: first?.Gateway ?? '',
		GlobalIPv6Address: first?.GlobalIPv6Address ?? '',
		GlobalIPv6PrefixLen: first?.GlobalIPv6PrefixLen ?? 0,
		IPAddress: first?.IPAddress ?? '',
		IPPrefixLen: first?.IPPrefixLen ?? 0,
		IPv6Gateway: first?.IPv6Gateway ?? '',
		MacAddress: first?.MacAddress ?? '',
		Networks: networks,
	};
}
