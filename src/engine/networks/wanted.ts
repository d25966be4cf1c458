/** Which networks a container wants, in their order, and what it asks of each. */
import type {EndpointSettings} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';
import type {ContainerRecord, StoredHostConfig} from '../containers/record.ts';
import {WherryError} from '../errors.ts';
import {type Address, contains, parseAddress, parseMac} from './address.ts';
import {ensureDefaultNetwork} from './default-network.ts';
import {firewallWarnings} from './host-warnings.ts';
import {isFree, poolsOf} from './ipam.ts';
import {parseLink} from './parse-link.ts';
import {findNetwork, isPredefined, type NetworkRecord} from './record.ts';
import {hasEndpoints} from './state.ts';

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
	const network = findNetwork(context.paths, name);
	if (network.ConfigOnly) {
		throw new WherryError('denied', 'cannot create endpoint on configuration-only network', {
			object: network.Name,
		});
	}
	return network;
}

/** The first is that of NetworkMode, the others by name. */
export async function wantedEndpoints(
	context: EngineContext,
	record: Pick<ContainerRecord, 'HostConfig' | 'Networks'>,
): Promise<WantedEndpoint[]> {
	const mode = record.HostConfig.NetworkMode;
	if (!hasEndpoints(record)) return [];
	const all = record.Networks ?? {[mode]: {}};
	const names = Object.keys(all).sort((a, b) => Number(b === mode) - Number(a === mode) || (a < b ? -1 : 1));
	const wanted: WantedEndpoint[] = [];
	for (const name of names) {
		wanted.push({network: await networkOf(context, name), settings: all[name]!});
	}
	return wanted;
}

/** RFC 3927 and RFC 4291: 169.254.0.0/16 and fe80::/10. */
function isLinkLocal({version, value}: Address): boolean {
	return version === 4 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan;
}

/** What must hold for any address that a user asks for; the reasons for which it is refused. */
function addressFaults(network: NetworkRecord, {IPAMConfig, Aliases}: EndpointSettings): string[] {
	const faults: string[] = [];
	const {IPv4Address, IPv6Address, LinkLocalIPs = []} = IPAMConfig ?? {};
	if (!isUserDefined(network)) {
		if (IPv4Address || IPv6Address) {
			faults.push('user specified IP address is supported on user defined networks only');
		}
		if (Aliases?.length) {
			faults.push('network-scoped aliases are only supported for user-defined networks');
		}
	}
	for (const [text, version] of [
		[IPv4Address, 4],
		[IPv6Address, 6],
	] as const) {
		if (!text) continue;
		const address = parseAddress(text);
		const isMapped = version === 6 && address && address.value >> 32n === 0xffffn;
		if (address?.version !== version || address.value === 0n || isMapped) {
			faults.push(`invalid IPv${version} address: ${text}`);
			continue;
		}
		if (!isUserDefined(network)) continue;
		if (poolsOf(network, version).some(({subnet}) => contains(subnet, address))) continue;
		// docker's older words where the user could not know which addresses there are.
		faults.push(
			network.Chosen?.includes(version)
				? `user specified IP address is supported only when connecting to networks with user configured subnets: ${text}`
				: `no configured subnet or ip-range contain the IP address ${text}`,
		);
	}
	for (const text of LinkLocalIPs) {
		const address = parseAddress(text);
		if (!address || !isLinkLocal(address)) faults.push(`invalid link-local IP address: ${text}`);
	}
	return faults;
}

const isUserDefined = ({Name}: NetworkRecord): boolean => !isPredefined(Name);

/** Throws docker's words when an endpoint can't have what is asked for. */
export function checkSettings(network: NetworkRecord, settings: EndpointSettings): void {
	const {IPAMConfig, MacAddress, Links} = settings;
	const faults = addressFaults(network, settings);
	if (faults.length > 0) {
		fail(`invalid config for network ${network.Name}: invalid endpoint settings:\n${faults.join('\n')}`);
	}
	for (const [text, version] of [
		[IPAMConfig?.IPv4Address, 4],
		[IPAMConfig?.IPv6Address, 6],
	] as const) {
		if (!text) continue;
		const address = parseAddress(text)!;
		if (!poolsOf(network, version).some((pool) => isFree(pool, address))) {
			throw new WherryError('conflict', 'Address already in use', {object: text});
		}
	}
	if (MacAddress) {
		const mac = parseMac(MacAddress);
		if (!mac) fail(`invalid MAC address: ${MacAddress}`);
		if (mac![0]! & 1) fail(`invalid MAC address: ${MacAddress} is a multicast address`);
	}
	for (const link of Links ?? []) parseLink(link);
}

/**
 * Networks of a container that is about to be made: names instead of ids, everything checked, nothing changed
 * but for the default network, which comes to be. Returns warnings.
 */
export async function settleNetworks(
	context: EngineContext,
	host: StoredHostConfig,
	given: Record<string, EndpointSettings> | undefined,
): Promise<{networks: Record<string, EndpointSettings> | undefined; warnings: string[]}> {
	const warnings: string[] = [];
	const published = host.PortBindings.length > 0 || host.PublishAllPorts;
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
		return {networks: undefined, warnings};
	}
	warnings.push(...(await firewallWarnings(context.paths)));
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
