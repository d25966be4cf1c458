import {existsSync} from 'node:fs';
import test, {type ExecutionContext} from 'ava';
import {encodeBatch, type Message, protocol} from '../../src/kernel/netlink/message.ts';
import * as nft from '../../src/kernel/netlink/nftables.ts';
import {deleteLink, newVeth, setLink} from '../../src/kernel/netlink/rtnetlink.ts';
import type {Op} from '../../src/runtime/plan/ops.ts';
import {Container} from './monitor-container.ts';
import {NetworkNamespace} from './network-namespace.ts';

const ipv4 = nft.nfFamily.ipv4;
const batch = (where: number, kind: number, messages: readonly Message[], flags = 0): Op => ({
	op: 'netlink',
	where,
	protocol: kind,
	messages: encodeBatch(messages),
	flags,
});
const rules = (messages: readonly Message[], where = 0, flags = 0): Op =>
	batch(where, protocol.netfilter, nft.transaction(messages), flags);

/** Starts a container with these operations and gives the error, if any. */
async function failure(t: ExecutionContext, host: NetworkNamespace, network: Op[]): Promise<string> {
	const box = new Container(t, {argv: ['/bin/sleep', '1000'], host, network});
	try {
		await box.start();
		await box.stop(0);
		return '';
	} catch (error) {
		return (error as Error).message;
	}
}

test('messages name the two namespaces by the descriptors 100 and 101', async (t) => {
	const host = new NetworkNamespace(t);
	const box = new Container(t, {
		argv: ['/bin/sh', '-c', 'cat /proc/net/dev; exec sleep 1000'],
		host,
		network: [
			batch(0, protocol.route, [
				newVeth('outside', {up: true}, 'eth0', {namespaceFd: 101}),
				newVeth('second', {namespaceFd: 101}, 'peer', {namespaceFd: 100}),
			]),
			// Sent in the container: one goes the other way.
			batch(1, protocol.route, [
				setLink({name: 'eth0'}, {mtu: 1400}),
				newVeth('inside', {}, 'back', {namespaceFd: 100}),
			]),
		],
	});
	await box.start();
	const links = host.run('ip', '-br', 'link').replaceAll(/@\S+/g, '').split('\n');
	t.deepEqual(links.map((line) => line.split(/\s+/)[0]).sort(), ['', 'back', 'lo', 'outside', 'peer']);
	const inside = await box.exec(['/bin/cat', '/proc/net/dev']);
	await inside.exit;
	t.deepEqual([...inside.text.matchAll(/(\w+):/g)].map((match) => match[1]).sort(), [
		'eth0',
		'inside',
		'lo',
		'second',
	]);
	await box.stop(0);
});

test('a message that fails is named by its place in the batch, with the words of the kernel', async (t) => {
	const host = new NetworkNamespace(t);
	t.regex(
		await failure(t, host, [
			batch(0, protocol.route, [
				newVeth('a', {}, 'b', {}),
				setLink({name: 'a'}, {up: true}),
				deleteLink({name: 'missing'}),
			]),
		]),
		/^netlink message 2 of type 17.*: no such device$/,
	);
	const unknown = nft.newElements(ipv4, 't', 'missing', [{key: Buffer.alloc(4)}]);
	t.regex(
		await failure(t, host, [rules([nft.newTable(ipv4, 't'), unknown])]),
		/^netlink message 2 of type 2572: no such file or directory$/,
	);
	// A transaction is all or nothing.
	t.is(host.run('nft', 'list', 'tables'), '');
	t.regex(
		await failure(t, host, [batch(0, protocol.route, [setLink({name: 'a'}, {mtu: 10})])]),
		/^netlink message 0 of type 16: mtu less than device minimum: invalid argument$/,
	);
	t.regex(await failure(t, host, [{...rules([]), messages: 'x'.repeat(20)} as Op]), /netlink batch/);
	// Errors can be ignored.
	t.is(await failure(t, host, [rules([unknown], 0, 1), rules([nft.newTable(ipv4, 'u')])]), '');
	t.is(host.run('nft', 'list', 'tables'), 'table ip u\n');
});

test('a transaction of thousands of elements goes in at once', async (t) => {
	const host = new NetworkNamespace(t);
	const {ipv4: address, service} = nft.dataType;
	const element = (index: number): nft.Element => ({
		key: nft.concatenate(Buffer.of(0, 0, 0, 0), 8000 + index),
		keyEnd: nft.concatenate(Buffer.of(255, 255, 255, 255), 8000 + index),
		data: nft.concatenate(Buffer.of(172, 16, 0, 2), 8000 + index),
	});
	const all = Array.from({length: 4000}, (_, index) => element(index));
	const map = {key: [address, service], data: [address, service], interval: true, id: 1};
	const single = all.slice(0, 1000).map((one) => nft.newElements(ipv4, 't', 'm', [one]));
	const many = [all.slice(1000, 2000), all.slice(2000, 3000), all.slice(3000)];
	const box = new Container(t, {
		argv: ['/bin/sleep', '1000'],
		host,
		network: [
			rules([nft.newTable(ipv4, 't'), nft.newSet(ipv4, 't', 'm', map)]),
			// A thousand acks, then messages near the most that one can be long.
			rules(single),
			rules(many.map((elements) => nft.newElements(ipv4, 't', 'm', elements))),
		],
		// In the order in which they came: the kernel looks for each from the oldest on.
		stop: [
			rules(all.slice(0, 1000).map((one) => nft.deleteElements(ipv4, 't', 'm', [one]))),
			rules(many.map((elements) => nft.deleteElements(ipv4, 't', 'm', elements))),
		],
	});
	await box.start();
	const count = (): number =>
		JSON.parse(host.run('nft', '-j', 'list', 'map', 'ip', 't', 'm')).nftables.find(
			(item: {map?: object}) => item.map,
		).map.elem?.length ?? 0;
	t.is(count(), 4000);
	await box.stop(0);
	t.is(count(), 0);
	t.is(box.state().error, '');
	t.true(existsSync(host.path));
});
