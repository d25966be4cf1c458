/** What dead containers have left in the kernel in spite of their stop plans. */
import {protocol} from '../../kernel/netlink/message.ts';
import * as nft from '../../kernel/netlink/nftables.ts';
import * as rt from '../../kernel/netlink/rtnetlink.ts';
import {exchange} from '../../kernel/netlink/socket.ts';
import type {Paths} from '../paths.ts';
import {mappedPorts} from './endpoint.ts';
import {tableName} from './firewall.ts';
import {publishedMessages} from './ruleset.ts';
import type {EndpointState, PublishedPort} from './state.ts';

/** Elements that keep these ports from being published, and an interface of the endpoint's name. */
export async function removeElements(
	paths: Paths,
	ports: readonly PublishedPort[],
	endpoint: EndpointState,
): Promise<void> {
	for (const port of mappedPorts(ports, endpoint)) {
		const messages = publishedMessages('delete', port.container.version, tableName(paths), [port]);
		await exchange(protocol.netfilter, nft.transaction(messages), {tolerate: ['ENOENT']});
	}
	if (!endpoint.peer) return;
	await exchange(protocol.route, [rt.deleteLink({name: endpoint.peer})], {tolerate: ['ENODEV']});
}
