/** Subnets that the host already uses: routes and addresses, name servers, and networks of other engines. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {protocol} from '../../kernel/netlink/message.ts';
import {getAddresses, getRoutes, parseAddresses, parseRoutes} from '../../kernel/netlink/rtnetlink.ts';
import {exchange} from '../../kernel/netlink/socket.ts';
import type {Paths} from '../paths.ts';
import {addressFromBytes, parseAddress, parseSubnet, type Subnet} from './address.ts';
import {storedNetworks} from './record.ts';

export const networkSubnets = (paths: Paths): {name: string; subnet: Subnet}[] =>
	storedNetworks(paths)
		.filter(({Driver}) => Driver === 'bridge')
		.flatMap(({Name, IPAM}) => IPAM.Config.map(({Subnet}) => ({name: Name, subnet: parseSubnet(Subnet)})))
		.filter(
			(entry): entry is {name: string; subnet: NonNullable<typeof entry.subnet>} =>
				entry.subnet !== undefined,
		);

function ofBytes(bytes: Uint8Array, prefix: number): Subnet | undefined {
	const address = addressFromBytes(bytes);
	if (!address || prefix === 0) return undefined;
	const bits = BigInt((address.version === 4 ? 32 : 128) - prefix);
	return {address: {version: address.version, value: (address.value >> bits) << bits}, prefix};
}

/** What routes and addresses lead to; the default route and multicast are in nobody's way. */
async function hostSubnets(): Promise<Subnet[]> {
	const replies = await exchange(protocol.route, [getRoutes(), getAddresses()]);
	const found = [
		...parseRoutes(replies)
			.filter(({destination}) => destination)
			.map(({destination, prefix}) => ofBytes(destination!, prefix)),
		...parseAddresses(replies).map(({address, prefix}) => ofBytes(address, prefix)),
	];
	return found.filter((subnet) => subnet !== undefined);
}

/** podman's networks: netavark's files, and those of CNI before it. They have routes only while they are used. */
function podmanSubnets(): Subnet[] {
	const found: Subnet[] = [];
	for (const folder of ['/etc/containers/networks', '/etc/cni/net.d']) {
		let files: string[];
		try {
			files = readdirSync(folder);
		} catch {
			continue;
		}
		for (const file of files) {
			try {
				const text = readFileSync(join(folder, file), 'utf8');
				for (const [, subnet] of text.matchAll(/"subnet"\s*:\s*"([^"]+)"/g)) {
					const parsed = parseSubnet(subnet!);
					if (parsed) found.push(parsed);
				}
			} catch {
				// One that can't be read is none that we could clash with knowingly.
			}
		}
	}
	return found;
}

/** docker: a container must be able to reach the host's name servers. */
function nameServers(): Subnet[] {
	try {
		return [...readFileSync('/etc/resolv.conf', 'utf8').matchAll(/^\s*nameserver\s+(\S+)/gm)]
			.map(([, text]) => parseAddress(text!))
			.filter((address) => address !== undefined)
			.map((address) => ({address, prefix: address.version === 4 ? 32 : 128}));
	} catch {
		return [];
	}
}

export async function takenSubnets(paths: Paths): Promise<Subnet[]> {
	return [
		...(await hostSubnets()),
		...networkSubnets(paths).map(({subnet}) => subnet),
		...podmanSubnets(),
		...nameServers(),
	];
}
