/** What `run` and `create` say about networks, put together with docker's rules. */
import type {EndpointSettings} from '../../engine/api.ts';
import {ipVersion} from '../../engine/networks/address.ts';
import type {FlagValues} from '../parse/flag-values.ts';
import {
	checkMac,
	endpointSettings,
	isUserDefined,
	type NetworkAttachment,
	plainAttachment,
} from '../parse/network.ts';

/** What only an endpoint can have; docker's daemon says these. */
function checkMode(target: string, address: string, mac: string): void {
	if (address !== '' && ipVersion(address) !== 0 && !isUserDefined(target)) {
		throw new Error('Error: user specified IP address is supported on user defined networks only');
	}
	if (mac !== '' && !isUserDefined(target) && target !== 'bridge' && target !== 'default') {
		throw new Error('Error: conflicting options: mac-address and the network mode');
	}
}

/** The first network also has what flags outside of `--network` say. */
function withFlags(attachment: NetworkAttachment, flags: FlagValues): NetworkAttachment {
	const aliases = [...flags.list('network-alias'), ...flags.list('net-alias')];
	const links = flags.list('link');
	const linkLocalIps = flags.list('link-local-ip');
	const mac = flags.string('mac-address').trim();
	const given = {
		ipv4: flags.string('ip'),
		ipv6: flags.string('ip6'),
	};
	const both = (what: string, own: string, flag: string | readonly unknown[], inside: string | unknown[]) => {
		if (flag.length > 0 && inside.length > 0) {
			throw new Error(`conflicting options: cannot specify both ${what} and per-network ${own}`);
		}
	};
	both('--network-alias', 'alias', aliases, attachment.aliases);
	both('--link', 'links', links, attachment.links);
	both('--ip', 'IPv4 address', given.ipv4, attachment.ipv4);
	both('--ip6', 'IPv6 address', given.ipv6, attachment.ipv6);
	both('--link-local-ip', 'link-local IP addresses', linkLocalIps, attachment.linkLocalIps);
	both('--mac-address', 'MAC address', mac, attachment.mac);
	if (mac !== '') checkMac(mac);
	checkMode(attachment.target, given.ipv4 || given.ipv6, mac);
	return {
		...attachment,
		aliases: aliases.length > 0 ? aliases : attachment.aliases,
		ipv4: given.ipv4 || attachment.ipv4,
		ipv6: given.ipv6 || attachment.ipv6,
		linkLocalIps: linkLocalIps.length > 0 ? linkLocalIps : attachment.linkLocalIps,
		mac: mac || attachment.mac,
	};
}

/** `mode` is the first network's; `networks` has what is asked of each, unless that is nothing. */
export function networkOptions(flags: FlagValues): {
	mode: string;
	networks?: Record<string, EndpointSettings>;
} {
	const given = [...flags.list<NetworkAttachment>('network'), ...flags.list<NetworkAttachment>('net')];
	const [first = plainAttachment('default'), ...others] = given;
	const all = [withFlags(first, flags), ...others];
	const settings = new Map<string, EndpointSettings>();
	for (const attachment of all) {
		if (settings.has(attachment.target)) {
			throw new Error(`network ${JSON.stringify(attachment.target)} is specified multiple times`);
		}
		settings.set(attachment.target, endpointSettings(attachment));
	}
	if (all.some(({target}) => isUserDefined(target)) && !all.every(({target}) => isUserDefined(target))) {
		throw new Error(
			'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
		);
	}
	const nothing = all.length === 1 && Object.keys(settings.get(first.target)!).length === 0;
	return {mode: first.target, ...(nothing ? {} : {networks: Object.fromEntries(settings)})};
}
