/** Which networks a container wants, in their order, and what it asks of each. */
import type {EndpointSettings, HostConfig} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';
import type {ContainerRecord} from '../containers/record.ts';
import {WherryError} from '../errors.ts';
import {parseAddress, parseMac} from './address.ts';
import {ensureDefaultNetwork} from './create.ts';
import {firewallWarnings} from './host-warnings.ts';
import {isFree, poolsOf} from './ipam.ts';
import {parseLink} from './parse-link.ts';
import {wantedPorts} from './ports.ts';
import {findNetwork, type NetworkRecord} from './record.ts';

export interface WantedEndpoint {
	network: NetworkRecord;
	settings: EndpointSettings;
}

const fail = (message: string): never => {
	throw new WherryError('invalid', message);
};

export const joinsOther = (mode: string): boolean => mode.startsWith('container:');
/** Whether a container has a network namespace in which networks can be attached. */
export const hasOwnNetwork = (mode: string): boolean =>
	mode !== 'host' && mode !== 'none' && !joinsOther(mode);

export async function networkOf(context: EngineContext, name: string): Promise<NetworkRecord> {
	if (name === 'bridge' || name === 'default') return ensureDefaultNetwork(context);
	return findNetwork(context.paths, name);
}

/** The first is that of NetworkMode, the others by name. */
export async function wantedEndpoints(
	context: EngineContext,
	record: Pick<ContainerRecord, 'HostConfig' | 'Networks'>,
): Promise<WantedEndpoint[]> {
	const mode = record.HostConfig.NetworkMode;
	if (!hasOwnNetwork(mode)) return [];
	const all = record.Networks ?? {[mode]: {}};
	const names = Object.keys(all).sort((a, b) => Number(b === mode) - Number(a === mode) || (a < b ? -1 : 1));
	const wanted: WantedEndpoint[] = [];
	for (const name of names) {
		wanted.push({network: await networkOf(context, name), settings: all[name]!});
	}
	return wanted;
}

/** An address, where asked for, must be of the network's, which must have been given a subnet by the user. */
export function checkSettings(network: NetworkRecord, settings: EndpointSettings): void {
	const {IPAMConfig, MacAddress, Links, Aliases} = settings;
	for (const [text, version] of [
		[IPAMConfig?.IPv4Address, 4],
		[IPAMConfig?.IPv6Address, 6],
	] as const) {
		if (!text) continue;
		const address = parseAddress(text);
		if (address?.version !== version) fail(`invalid IPv${version} address: ${text}`);
		if (network.Name === 'bridge') {
			fail(
				'invalid config for network bridge: invalid endpoint settings:\nuser specified IP address is supported on user defined networks only',
			);
		}
		const pools = poolsOf(network, version);
		const inside = pools.some((pool) => isFree({...pool, reserved: []}, address!));
		if (!inside) {
			fail(
				`invalid config for network ${network.Name}: invalid endpoint settings:\nno configured subnet or ip-range contain the IP address ${text}`,
			);
		}
		if (!pools.some((pool) => isFree(pool, address!))) {
			throw new WherryError('conflict', 'Address already in use', {object: text});
		}
	}
	if (IPAMConfig?.LinkLocalIPs?.length) {
		throw new WherryError('unsupported', 'link-local addresses (--link-local-ip) are not supported yet');
	}
	if (MacAddress) {
		const mac = parseMac(MacAddress);
		if (!mac) fail(`invalid MAC address: ${MacAddress}`);
		if (mac![0]! & 1) fail(`invalid MAC address: ${MacAddress} is a multicast address`);
	}
	if (Aliases?.length && network.Name === 'bridge') {
		fail(
			'invalid config for network bridge: invalid endpoint settings:\nnetwork-scoped aliases are only supported for user-defined networks',
		);
	}
	for (const link of Links ?? []) parseLink(link);
}

/**
 * Networks of a container that is about to be made: names instead of ids, everything checked, nothing changed
 * but for the default network, which comes to be. Returns warnings.
 */
export async function settleNetworks(
	context: EngineContext,
	host: HostConfig,
	given: Record<string, EndpointSettings> | undefined,
): Promise<{networks: Record<string, EndpointSettings> | undefined; warnings: string[]}> {
	const warnings: string[] = [];
	wantedPorts(host.PortBindings);
	const published = Object.keys(host.PortBindings ?? {}).length > 0 || host.PublishAllPorts;
	if (!hasOwnNetwork(host.NetworkMode)) {
		const extra = Object.keys(given ?? {}).filter((name) => name !== host.NetworkMode);
		if (extra.length > 0) {
			fail(
				`conflicting options: cannot attach both ${host.NetworkMode.replace(/:.*/, '')} and other networks (${extra.join(', ')})`,
			);
		}
		if (published && host.NetworkMode === 'host') {
			warnings.push('Published ports are discarded when using host network mode');
		} else if (published) warnings.push('Published ports are discarded when the container has no network');
		if (host.Links?.length) fail("conflicting options: links can't be used with this network mode");
		return {networks: undefined, warnings};
	}
	warnings.push(...firewallWarnings(context.paths));
	const primary = await networkOf(context, host.NetworkMode);
	const settings: Record<string, EndpointSettings> = {[primary.Name]: {}};
	for (const [name, value] of Object.entries(given ?? {})) {
		const network = await networkOf(context, name);
		if (network.Driver === 'host' || network.Driver === 'null') {
			fail(`container cannot be connected to network endpoint ${network.Name} beside others`);
		}
		settings[network.Name] = value;
	}
	host.NetworkMode = primary.Name;
	let publishes = false;
	for (const [name, value] of Object.entries(settings)) {
		const network = await networkOf(context, name);
		publishes ||= network.Driver === 'bridge' && !network.Internal;
		checkSettings(network, value);
	}
	if (published && !publishes) {
		warnings.push(
			`Published ports are discarded: ports can be published on bridge networks with a way out only (this one has ${Object.keys(settings).join(', ')})`,
		);
	}
	for (const link of host.Links ?? []) parseLink(link);
	if (host.Links?.length && primary.Name !== 'bridge') {
		// On a user network links are names that one container has for others.
		settings[primary.Name] = {
			...settings[primary.Name],
			Links: [...(settings[primary.Name]!.Links ?? []), ...host.Links],
		};
		host.Links = null;
	}
	return {networks: settings, warnings};
}
