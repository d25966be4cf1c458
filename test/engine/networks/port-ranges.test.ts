import test from 'ava';
import {groupPorts, rangesText} from '../../../src/engine/networks/port-ranges.ts';

const ports = (...pairs: [number, number][]) => pairs.map(([from, to]) => ({from, to}));

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
	const many = Array.from({length: 1000}, (_, index) => ({from: 10_000 + index, to: 1 + index}));
	t.is(rangesText(many.toReversed()), '10000-10999:1-1000');
});

test('ports are grouped by protocol and address of the host', (t) => {
	const port = (protocol: 'tcp' | 'udp', hostIp: string, hostPort: number) => ({
		protocol,
		hostIp,
		hostPort,
		containerPort: 80,
	});
	const groups = groupPorts([
		port('tcp', '0.0.0.0', 1),
		port('tcp', '::', 1),
		port('udp', '0.0.0.0', 1),
		port('tcp', '0.0.0.0', 2),
	]);
	t.deepEqual(
		groups.map(({protocol, hostIp, ranges}) => [protocol, hostIp, ranges]),
		[
			['tcp', '0.0.0.0', '1-2:80'],
			['tcp', '::', '1:80'],
			['udp', '0.0.0.0', '1:80'],
		],
	);
});
