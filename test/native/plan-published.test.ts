import test from 'ava';
import {baseMessages} from '../../src/engine/networks/firewall.ts';
import {encodeBatch, protocol} from '../../src/kernel/netlink/message.ts';
import {request} from '../../src/runtime/monitor-protocol.ts';
import {encodePlan} from '../../src/runtime/plan/encode.ts';
import type {Op} from '../../src/runtime/plan/ops.ts';
import {Container} from './monitor-container.ts';
import {NetworkNamespace} from './network-namespace.ts';

const table = 'wherry';
const none = Buffer.alloc(0);
const four = Buffer.of(10, 1, 0, 2);
const six = Buffer.from('fd000001000000000000000000000002', 'hex');

const bases = ([4, 6] as const).map(
	(version): Op => ({
		op: 'netlink',
		where: 0,
		protocol: protocol.netfilter,
		messages: encodeBatch(baseMessages(table, version, [])),
		flags: 0,
	}),
);

const change =
	(op: 'publishPorts' | 'unpublishPorts') =>
	(number: number, address: Buffer, to: Buffer, ports: string): Op => ({
		op,
		family: to.length === 4 ? 2 : 10,
		table,
		map: address.length === 0 ? 'published' : 'published_on',
		protocol: number,
		address,
		toAddress: to,
		ports,
	});
const publish = change('publishPorts');
const unpublish = change('unpublishPorts');

/** Elements of both maps of a family, as nft shows them. */
function elements(host: NetworkNamespace, family: 'ip' | 'ip6'): string[] {
	return ['published', 'published_on'].flatMap((map) => {
		const text = host.run('nft', 'list', 'map', family, table, map);
		return (
			/elements = \{([^}]*)\}/
				.exec(text)?.[1]
				?.split(',')
				.map((element) => element.trim()) ?? []
		);
	});
}

test('ranges of ports become elements of both families, and are deleted in any order, there or not', async (t) => {
	const host = new NetworkNamespace(t);
	const box = new Container(t, {argv: ['/bin/sleep', '1000'], host});
	await box.start();
	const run = async (...network: Op[]) => (await box.ask(request.network, encodePlan({network}))).ok;
	const all = [
		publish(6, none, four, '8080:80,9000-9002:90-92'),
		publish(17, none, four, '8080:53'),
		publish(6, Buffer.of(127, 0, 0, 1), four, '7000-7001:80'),
		publish(6, none, six, '8080:80'),
		publish(132, Buffer.from(`${'00'.repeat(15)}01`, 'hex'), six, '5000:5000'),
	];
	await run(...bases, ...all);
	const before = {
		ip: [
			'tcp . 8080 : 10.1.0.2 . 80',
			'tcp . 9000 : 10.1.0.2 . 90',
			'tcp . 9001 : 10.1.0.2 . 91',
			'tcp . 9002 : 10.1.0.2 . 92',
			'udp . 8080 : 10.1.0.2 . 53',
			'tcp . 127.0.0.1 . 7000 : 10.1.0.2 . 80',
			'tcp . 127.0.0.1 . 7001 : 10.1.0.2 . 80',
		],
		ip6: ['tcp . 8080 : fd00:1::2 . 80', 'sctp . ::1 . 5000 : fd00:1::2 . 5000'],
	};
	const now = () => ({ip: elements(host, 'ip').sort(), ip6: elements(host, 'ip6').sort()});
	const sorted = {ip: before.ip.toSorted(), ip6: before.ip6.toSorted()};
	t.deepEqual(now(), sorted);
	// Again is no error: who heals doesn't know what is there. Another container's is one, and changes nothing.
	await run(...all);
	await t.throwsAsync(
		run(
			publish(6, none, Buffer.of(10, 1, 0, 3), '6000:80'),
			publish(6, none, Buffer.of(10, 1, 0, 3), '8080:80'),
		),
	);
	t.deepEqual(now(), sorted);

	host.run('nft', 'delete', 'element', 'ip', table, 'published', '{ tcp . 9001, tcp . 8080 }');
	await run(
		unpublish(6, none, four, '8080:80,9000-9002:90-92'),
		unpublish(6, Buffer.of(127, 0, 0, 1), four, '7001:80'),
		unpublish(6, none, six, '1-300:1,8080:80'),
	);
	t.deepEqual(now(), {
		ip: ['tcp . 127.0.0.1 . 7000 : 10.1.0.2 . 80', 'udp . 8080 : 10.1.0.2 . 53'],
		ip6: ['sctp . ::1 . 5000 : fd00:1::2 . 5000'],
	});
	// Of a table that somebody has deleted nothing is left to be deleted.
	host.run('nft', 'delete', 'table', 'ip', table);
	await run(unpublish(17, none, four, '8080:53'));
	await box.stop(0);
});

test('a thousand ports are one transaction of messages whose lengths fit', async (t) => {
	const host = new NetworkNamespace(t);
	const box = new Container(t, {argv: ['/bin/sleep', '1000'], host});
	await box.start();
	const run = async (...network: Op[]) => (await box.ask(request.network, encodePlan({network}))).ok;
	await run(...bases, publish(6, none, six, '10000-12999:10000-12999'));
	t.is(elements(host, 'ip6').length, 3000);
	await run(unpublish(6, none, six, '10000-12999:10000-12999'));
	t.deepEqual(elements(host, 'ip6'), []);
	await box.stop(0);
});
