import {randomInt} from 'node:crypto';
import {isIP} from 'node:net';
import test from 'ava';
import * as address from '../../../src/engine/networks/address.ts';
import {completeGateway, ipamConfigs, isFree, poolOf} from '../../../src/engine/networks/ipam.ts';
import {chooseSubnet, chooseSubnet6} from '../../../src/engine/networks/pools.ts';

const {parseAddress, parseSubnet, formatAddress, formatSubnet} = address;

test('addresses are read and written as RFC 5952 has them', (t) => {
	for (const [text, normal = text] of [
		['0.0.0.0'],
		['255.255.255.255'],
		['::'],
		['::1'],
		['2001:db8::'],
		['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
		['1:0:2:0:3:0:4:0'],
		['::ffff:192.0.2.1', '::ffff:c000:201'],
		['fe80:0:0:0:0:0:0:1', 'fe80::1'],
	]) {
		t.is(formatAddress(parseAddress(text!)!), normal!);
	}
	for (const text of ['', '1.2.3', '1.2.3.256', 'fe80::1%eth0', 'x', ':', '1::2::3'])
		t.is(parseAddress(text), undefined, text);
});

test('any IPv6 address survives being read and written', (t) => {
	for (let round = 0; round < 500; round++) {
		const groups = Array.from({length: 8}, () => (randomInt(3) ? 0 : randomInt(65_536)).toString(16));
		const text = groups.join(':');
		const parsed = parseAddress(text)!;
		t.is(`[${formatAddress(parsed)}]`, new URL(`http://[${text}]`).hostname);
		t.deepEqual(address.addressFromBytes(address.addressBytes(parsed)), parsed);
	}
});

test('what is an address is what Node says', (t) => {
	const pieces = [
		'',
		'0',
		'1',
		'ff',
		'FFFF',
		'0001',
		'12345',
		'g',
		'1.2.3.4',
		'01.2.3.4',
		'256.1.1.1',
		':',
		'::',
		'%',
		'%eth0',
		' ',
	];
	for (let round = 0; round < 20_000; round++) {
		const separator = ['::', ':', '.', ''][randomInt(4)]!;
		const text = Array.from({length: randomInt(10)}, () => pieces[randomInt(pieces.length)]).join(
			randomInt(3) ? ':' : separator,
		);
		t.is(address.ipVersion(text), isIP(text) as 0 | 4 | 6, JSON.stringify(text));
		t.is(parseAddress(text)?.version ?? 0, text.includes('%') ? 0 : isIP(text), JSON.stringify(text));
	}
});

test('subnets know what is in them and what overlaps', (t) => {
	const subnet = parseSubnet('10.1.2.3/24')!;
	t.is(formatSubnet(subnet), '10.1.2.0/24');
	t.is(formatAddress(subnet.given), '10.1.2.3');
	t.true(address.contains(subnet, parseAddress('10.1.2.255')!));
	t.false(address.contains(subnet, parseAddress('10.1.3.0')!));
	t.false(address.contains(subnet, parseAddress('::a01:203')!));
	t.true(address.overlaps(subnet, parseSubnet('10.0.0.0/8')!));
	t.false(address.overlaps(subnet, parseSubnet('10.1.3.0/24')!));
	for (const text of ['10.0.0.0', '10.0.0.0/33', 'fd00::/129', 'x/8', '10.0.0.0/'])
		t.is(parseSubnet(text), undefined, text);
});

test('the first free subnet of the pools is chosen', (t) => {
	const taken = ['172.16.0.0/20', '172.17.0.0/16', '0.0.0.0/1'].map((text) => parseSubnet(text)!);
	t.is(formatSubnet(chooseSubnet(taken.slice(0, 2))!), '172.16.16.0/20');
	t.is(formatSubnet(chooseSubnet([parseSubnet('172.0.0.0/8')!])!), '192.168.0.0/24');
	t.is(chooseSubnet([parseSubnet('0.0.0.0/0')!]), undefined);
	t.is(formatSubnet(chooseSubnet([], parseSubnet('10.213.0.0/16'))!), '10.213.0.0/24');
	const six = chooseSubnet6('0123456789abcdef', [])!;
	t.is(formatSubnet(six), 'fd01:2345:6789::/64');
	t.is(formatSubnet(chooseSubnet6('0123456789abcdef', [six])!), 'fd01:2345:6789:1::/64');
});

test('gateway, range and auxiliary addresses find their subnet, and are not given out', (t) => {
	const configs = ipamConfigs({
		subnets: ['10.1.0.0/24', 'fd00:1::/64'],
		gateways: ['fd00:1::ff'],
		ipRanges: ['10.1.0.128/30'],
		auxAddresses: {printer: '10.1.0.128'},
	}).map(completeGateway);
	t.deepEqual(configs, [
		{
			Subnet: '10.1.0.0/24',
			IPRange: '10.1.0.128/30',
			AuxiliaryAddresses: {printer: '10.1.0.128'},
			Gateway: '10.1.0.129',
		},
		{Subnet: 'fd00:1::/64', Gateway: 'fd00:1::ff'},
	]);
	const pool = poolOf(configs[0]!);
	const free = (text: string) => isFree(pool, parseAddress(text)!);
	t.deepEqual(
		['10.1.0.0', '10.1.0.255', '10.1.0.128', '10.1.0.129', '10.1.1.1', '10.1.0.130', '10.1.0.7'].map(free),
		[false, false, false, false, false, true, true],
	);
	t.is(formatAddress({version: 4, value: pool.from}), '10.1.0.128');
	t.is(formatAddress({version: 4, value: pool.to}), '10.1.0.131');
});

test('an address makes a hardware address of its own', (t) => {
	t.is(address.formatMac(address.macOf(parseAddress('172.17.0.2')!)), '02:42:ac:11:00:02');
	t.is(address.formatMac(address.parseMac('AA-BB-CC-DD-EE-FF')!), 'aa:bb:cc:dd:ee:ff');
	t.is(address.parseMac('aa:bb:cc:dd:ee'), undefined);
});
