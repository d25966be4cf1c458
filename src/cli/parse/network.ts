import type {EndpointSettings} from '../../engine/api.ts';
import {ipVersion} from '../../engine/networks/address.ts';
import {parseCsvLine} from './csv.ts';

/** One `--network` with what it says about the endpoint. */
export interface NetworkAttachment {
	target: string;
	aliases: string[];
	links: string[];
	ipv4: string;
	ipv6: string;
	mac: string;
	linkLocalIps: string[];
	driverOptions: Record<string, string>;
	gwPriority: number;
}

export const plainAttachment = (target: string): NetworkAttachment => ({
	target,
	aliases: [],
	links: [],
	ipv4: '',
	ipv6: '',
	mac: '',
	linkLocalIps: [],
	driverOptions: {},
	gwPriority: 0,
});

/** docker takes a network for one of its own modes by these names alone. */
export const isUserDefined = (name: string): boolean =>
	!['bridge', 'default', 'host', 'none'].includes(name) && !/^container(:|$)/.test(name);

const macPattern = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}|(?:\.?[0-9a-f]{2}){5})$/i;

/** `02:42:ac:11:00:02`, also with dashes. Throws docker's words. */
export function checkMac(text: string): string {
	if (!macPattern.test(text)) throw new Error(`${text} is not a valid mac address`);
	return text;
}

export function parseDriverOption(text: string): [string, string] {
	const equals = text.indexOf('=');
	if (equals < 1) throw new Error('invalid key/value pair format in driver options');
	return [text.slice(0, equals), text.slice(equals + 1)];
}

function parsePriority(text: string): number {
	const fail = (problem: string): never => {
		throw new Error(`invalid gw-priority (${text}): ${problem}`);
	};
	if (!/^[+-]?\d+$/.test(text)) fail('invalid syntax');
	const value = Number(text);
	return Number.isSafeInteger(value) ? value : fail('value out of range');
}

/** `NETWORK`, or `name=NETWORK,alias=...,ip=...`. Throws docker's words. */
export function parseNetwork(text: string): NetworkAttachment {
	if (!/\w+=\w+/.test(text)) return plainAttachment(text);
	const attachment = plainAttachment('');
	for (const field of parseCsvLine(text)) {
		const equals = field.indexOf('=');
		if (equals < 1) throw new Error(`invalid field ${field}`);
		const key = field.slice(0, equals).trim().toLowerCase();
		const value = field.slice(equals + 1).trim();
		switch (key) {
			case 'name':
				attachment.target = value;
				break;
			case 'alias':
				attachment.aliases.push(value);
				break;
			case 'ip':
				attachment.ipv4 = value;
				break;
			case 'ip6':
				attachment.ipv6 = value;
				break;
			case 'mac-address':
				attachment.mac = value;
				break;
			case 'link-local-ip':
				attachment.linkLocalIps.push(value);
				break;
			case 'driver-opt': {
				const [name, option] = parseDriverOption(value);
				attachment.driverOptions[name] = option;
				break;
			}
			case 'gw-priority':
				attachment.gwPriority = parsePriority(value);
				break;
			default:
				throw new Error(`invalid field key ${key}`);
		}
	}
	if (attachment.target === '') throw new Error('network name/id is not specified');
	return attachment;
}

/** What the engine is told. Throws docker's words about addresses. */
export function endpointSettings(attachment: NetworkAttachment): EndpointSettings {
	const {target, aliases, links, ipv4, ipv6, mac, linkLocalIps, driverOptions, gwPriority} = attachment;
	if (target.trim() === '') throw new Error('no name set for network');
	if (!isUserDefined(target)) {
		if (aliases.length > 0)
			throw new Error('network-scoped aliases are only supported for user-defined networks');
		if (links.length > 0) throw new Error('links are only supported for user-defined networks');
	}
	if (ipv4 !== '' && ipVersion(ipv4) !== 4) throw new Error(`invalid IPv4 address: ${ipv4}`);
	if (ipv6 !== '' && ipVersion(ipv6) !== 6) throw new Error(`invalid IPv6 address: ${ipv6}`);
	const ipam = {
		...(ipv4 === '' ? {} : {IPv4Address: ipv4}),
		...(ipv6 === '' ? {} : {IPv6Address: ipv6}),
		...(linkLocalIps.length === 0 ? {} : {LinkLocalIPs: linkLocalIps}),
	};
	return {
		...(Object.keys(ipam).length === 0 ? {} : {IPAMConfig: ipam}),
		...(links.length === 0 ? {} : {Links: links}),
		...(aliases.length === 0 ? {} : {Aliases: aliases}),
		...(mac === '' ? {} : {MacAddress: checkMac(mac)}),
		...(gwPriority === 0 ? {} : {GwPriority: gwPriority}),
		...(Object.keys(driverOptions).length === 0 ? {} : {DriverOpts: driverOptions}),
	};
}
