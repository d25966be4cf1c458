import test from 'ava';
import {
	bindingsOf,
	eachPort,
	exposedKeys,
	groupPorts,
	isExposed,
	packExposed,
	packPorts,
	rangesText,
	takeOut,
} from '../../../src/engine/networks/port-ranges.ts';
import {checkBindings} from '../../../src/engine/networks/ports.ts';

const ports = (...pairs: [number, number][]) => pairs.map(([from, to]) => ({from, to, count: 1}));

test('ports that follow one another are one range, whatever order they come in', (t) => {
	for (const [pairs, text] of [
		[ports([8080, 80]), '8080:80'],
		[ports([9001, 81], [9000, 80], [9002, 82]), '9000-9002:80-82'],
		[ports([7000, 80], [7001, 80], [7002, 80]), '7000-7002:80'],
		[ports([7000, 80], [7001, 80], [7002, 81]), '7000-7001:80,7002:81'],
		[ports([7000, 80], [7001, 82], [7002, 83]), '7000:80,7001-7002:82-83'],
		[ports([1, 2], [3, 4]), '1:2,3:4'],
		[[], ''],
	] as const) {
		t.is(rangesText(pairs), text);
	}
	const range = {from: 9000, to: 80, count: 3};
	t.is(rangesText([range, {from: 9003, to: 83, count: 1}]), '9000-9003:80-83');
	t.is(rangesText([range, {from: 9003, to: 80, count: 1}]), '9000-9002:80-82,9003:80');
	t.is(rangesText([{from: 8999, to: 79, count: 1}, range]), '8999-9002:79-82');
	t.is(rangesText([{from: 8999, to: 80, count: 1}, range]), '8999:80,9000-9002:80-82');
	const many = Array.from({length: 1000}, (_, index) => ({from: 10_000 + index, to: 1 + index, count: 1}));
	t.is(rangesText(many.toReversed()), '10000-10999:1-1000');
});

test('ports are grouped by protocol and address of the host', (t) => {
	const port = (protocol: 'tcp' | 'udp', hostIp: string, hostPort: number) => ({
		protocol,
		hostIp,
		hostPort,
		containerPort: 80,
		count: 1,
	});
	const groups = groupPorts([
		port('tcp', '0.0.0.0', 1),
		port('tcp', '::', 1),
		port('udp', '0.0.0.0', 1),
		port('tcp', '0.0.0.0', 2),
	]);
	t.deepEqual(
		groups.map(({protocol, hostIp, text}) => [protocol, hostIp, text]),
		[
			['tcp', '0.0.0.0', '1-2:80'],
			['tcp', '::', '1:80'],
			['udp', '0.0.0.0', '1:80'],
		],
	);
});

type Bindings = Record<string, {HostIp: string; HostPort: string}[]>;

const range = (first: number, count: number, binding: (at: number) => Bindings[string]): Bindings =>
	Object.fromEntries(Array.from({length: count}, (_, at) => [`${first + at}/tcp`, binding(at)]));

test('bindings that follow one another are one, and come back as they were', (t) => {
	const one = (HostPort: string, HostIp = '') => [{HostIp, HostPort}];
	for (const [bindings, count] of [
		[range(80, 1000, (at) => one(String(8000 + at))), 1],
		[range(80, 1000, () => one('')), 1],
		[range(80, 3, () => one('8000')), 3],
		[range(80, 2, () => one('8000-8010')), 2],
		[range(80, 2, (at) => one(`0${80 + at}`)), 2],
		[range(80, 2, (at) => one(String(at))), 2],
		[range(80, 4, (at) => [...one(String(80 + at)), ...one(String(180 + at), '::')]), 2],
		[range(80, 2, (at) => (at === 0 ? one('80') : [...one('90'), ...one('81')])), 3],
		[{...range(80, 2, (at) => one(String(80 + at))), '82/udp': one('82'), '83/tcp': one('83')}, 3],
		[{}, 0],
	] as const) {
		const packed = checkBindings(bindings);
		t.is(packed.length, count, JSON.stringify(packed));
		t.deepEqual(bindingsOf(packed), bindings);
	}
	t.deepEqual(bindingsOf(checkBindings({'80': one('1'), '80/TCP': one('2'), '81/tcp': []})), {
		'80/tcp': [...one('1'), ...one('2')],
		'81/tcp': one(''),
	});
});

test('ports are taken out of the middle of a range, one by one', (t) => {
	const all = checkBindings(range(1, 5, (at) => [{HostIp: '', HostPort: String(11 + at)}]));
	const {taken, left} = takeOut(all, {protocol: 'tcp', containerPort: 3}, () => true);
	t.deepEqual(bindingsOf(taken), {'3/tcp': [{HostIp: '', HostPort: '13'}]});
	t.deepEqual(Object.keys(bindingsOf(left)), ['1/tcp', '2/tcp', '4/tcp', '5/tcp']);
	t.is(left.length, 2);
	t.deepEqual(takeOut(all, {protocol: 'udp', containerPort: 3}, () => true).left, all);
	t.deepEqual(takeOut(all, {protocol: 'tcp', containerPort: 6}, () => true).left, all);
	t.deepEqual(takeOut(all, {protocol: 'tcp', containerPort: 5}, () => false).left, all);
	let rest = all;
	for (const containerPort of [1, 5, 3, 2, 4])
		rest = takeOut(rest, {protocol: 'tcp', containerPort}, () => true).left;
	t.deepEqual(rest, []);
});

test('published ports are one range by address and by who has chosen them', (t) => {
	const port = (hostPort: number, hostIp = '0.0.0.0', chosen = false) => ({
		protocol: 'tcp' as const,
		hostIp,
		hostPort,
		containerPort: hostPort - 8000,
		...(chosen ? {chosen} : {}),
	});
	const both = [1, 2, 3].flatMap((at) => [port(8000 + at), port(8000 + at, '::')]);
	const packed = packPorts([...both, port(8004, '::', true), port(8006)]);
	t.deepEqual(
		packed.map(({hostIp, hostPort, count}) => [hostIp, hostPort, count]),
		[
			['0.0.0.0', 8001, 3],
			['::', 8001, 3],
			['::', 8004, 1],
			['0.0.0.0', 8006, 1],
		],
	);
	t.deepEqual(packPorts(eachPort(packed)), packed);
});

test('exposed ports that follow one another are one; what is no port stays', (t) => {
	for (const [keys, packed] of [
		[
			['80/tcp', '81/tcp', '82/tcp', '82/udp', '90/tcp'],
			['80-82/tcp', '82/udp', '90/tcp'],
		],
		[
			['80', 'http/tcp', '81/tcp', '0/tcp', '65536/tcp', '80/TCP'],
			['80', 'http/tcp', '81/tcp', '0/tcp', '65536/tcp', '80/TCP'],
		],
		[
			['9/tcp', '8/tcp', '65535/tcp', '65536/tcp'],
			['9/tcp', '8/tcp', '65535/tcp', '65536/tcp'],
		],
		[[], []],
	] as const) {
		t.deepEqual(packExposed(keys), packed);
		t.deepEqual(exposedKeys(packed), keys);
	}
	t.true(isExposed(['http/tcp', '80-82/tcp'], 'tcp', 81));
	t.false(isExposed(['80-82/tcp'], 'tcp', 83));
	t.false(isExposed(['80-82/tcp'], 'udp', 81));
	t.deepEqual(exposedKeys(['9-8/tcp', '1-65536/tcp']), ['9-8/tcp', '1-65536/tcp']);
});
