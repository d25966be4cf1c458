/** What dead containers have left in the kernel in spite of their stop plans. */
import {protocol} from '../../kernel/netlink/message.ts';
import * as nft from '../../kernel/netlink/nftables.ts';
import * as rt from '../../kernel/netlink/rtnetlink.ts';
import {exchange} from '../../kernel/netlink/socket.ts';
import type {Paths} from '../paths.ts';
import {addressBytes, parseAddress} from './address.ts';
import {tableName} from './firewall.ts';
import {eachPort, type PublishedRange} from './port-ranges.ts';
import {everywhere} from './ports.ts';
import {familyOf, protocolNumber, setName} from './ruleset.ts';
import type {EndpointState} from './state.ts';

/** Elements that keep these ports from being published, and an interface of the endpoint's name. */
export async function removeElements(
	paths: Paths,
	ports: readonly PublishedRange[],
	endpoint: EndpointState,
): Promise<void> {
	for (const {protocol: name, hostIp, hostPort} of eachPort(ports)) {
		const family = familyOf(hostIp.includes(':') ? 6 : 4);
		const host = everywhere(hostIp) ? [] : [addressBytes(parseAddress(hostIp)!)];
		const key = nft.concatenate(Buffer.of(protocolNumber[name]), ...host, hostPort);
		const map = host.length > 0 ? setName.publishedOn : setName.published;
		const messages = [nft.deleteElements(family, tableName(paths), map, [{key}])];
		await exchange(protocol.netfilter, nft.transaction(messages), {tolerate: ['ENOENT']});
	}
	if (!endpoint.peer) return;
	await exchange(protocol.route, [rt.deleteLink({name: endpoint.peer})], {tolerate: ['ENODEV']});
}
