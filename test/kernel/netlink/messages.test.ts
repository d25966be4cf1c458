import test from 'ava';
import {parseSubnet} from '../../../src/engine/networks/address.ts';
import {baseRuleset, loopbackRuleset, networkElements} from '../../../src/engine/networks/ruleset.ts';
import * as attributes from '../../../src/kernel/netlink/attributes.ts';
import {encodeBatch, type Message, parseReplies} from '../../../src/kernel/netlink/message.ts';
import * as nft from '../../../src/kernel/netlink/nftables.ts';
import * as rt from '../../../src/kernel/netlink/rtnetlink.ts';

/** Sixteen bytes a line, so that a difference is seen where it is. */
const dump = (messages: readonly Message[]): string[] =>
	messages.map(({type, flags, body}) => {
		const lines = body.toString('hex').match(/.{1,32}/g) ?? [];
		return [`type ${type} flags 0x${flags.toString(16)}`, ...lines].join('\n');
	});

const mac = Buffer.from('0242ac100002', 'hex');
const four = Buffer.of(172, 16, 0, 2);

test('rtnetlink messages have these bytes', (t) => {
	t.snapshot(
		dump([
			rt.newBridge('wherry0', {mac, mtu: 1400}),
			rt.newVeth('eth0', {index: 100, mac}, 'wh0123456789', {namespaceFd: 100}),
			rt.newChildLink('macvlan', 'eth0', 7, rt.macvlanMode.bridge, {namespaceFd: 101, index: 100}),
			rt.newChildLink('ipvlan', 'eth0', 7, rt.ipvlanMode.l3, {namespaceFd: 101, index: 100}),
			...rt.joinBridge('wh0123456789', 3, {hairpin: true, isolated: true, learning: false}),
			rt.withoutLinkLocal({index: 100}),
			rt.newAddress(100, four, 20, Buffer.of(172, 16, 15, 255)),
			rt.newAddress(100, Buffer.from('fd000000000000000000000000000002', 'hex'), 64),
			rt.newRoute(100, {family: rt.family.inet, gateway: Buffer.of(172, 16, 0, 1)}),
			rt.deleteDefaultRoute(rt.family.inet),
			rt.deleteLink({name: 'wh0123456789'}),
			rt.newNeighbour(3, four, mac),
			rt.deleteNeighbour(3, Buffer.from('fd000000000000000000000000000002', 'hex')),
		]),
	);
});

test('nf_tables messages have these bytes', (t) => {
	const network = {
		bridge: 'wherry0',
		subnets: [parseSubnet('172.16.0.0/20')!],
		internal: false,
		icc: false,
		masquerade: true,
	};
	t.snapshot(
		dump([
			...nft.transaction([nft.getTable(nft.nfFamily.ipv4, 'wherry')]),
			...networkElements(network).map(([set, elements]) =>
				nft.newElements(nft.nfFamily.ipv4, 'wherry', set, elements),
			),
			nft.deleteElements(nft.nfFamily.ipv4, 'wherry', 'published', [
				{key: nft.concatenate(Buffer.of(6), 8080)},
			]),
		]),
	);
	t.snapshot(dump(baseRuleset(4, 'wherry', {led: true})));
	t.snapshot(dump(baseRuleset(6, 'wherry', {led: true})));
	t.snapshot(dump(loopbackRuleset('wherry')));
	t.is(baseRuleset(4, 'wherry', {led: true}).length, baseRuleset(4, 'wherry', {led: false}).length + 1);
});

test('a batch numbers its messages and pads them', (t) => {
	const batch = encodeBatch([
		{type: 16, flags: 5, body: Buffer.of(1, 2, 3)},
		{type: 17, flags: 5, body: Buffer.of(4)},
	]);
	t.is(batch.length, 40);
	t.deepEqual(
		parseReplies(batch).map(({type, sequence, body}) => [type, sequence, [...body]]),
		[
			[16, 0, [1, 2, 3]],
			[17, 1, [4]],
		],
	);
});

test('answers that are cut off or lie about their length end the reading', (t) => {
	const batch = encodeBatch([{type: 16, flags: 0, body: Buffer.alloc(20)}]);
	t.deepEqual(parseReplies(batch.subarray(0, 30)), []);
	const short = Buffer.from(batch);
	short.writeUInt32LE(4, 0);
	t.deepEqual(parseReplies(short), []);
	const data = Buffer.concat([attributes.u32(1, 7), Buffer.of(200, 0, 2, 0)]);
	t.deepEqual([...attributes.parseAttributes(data).keys()], [1]);
});
