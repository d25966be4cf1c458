import test from 'ava';
import type {HostConfig} from '../../../src/engine/api.ts';
import {
	defaultRouteOps,
	needsLoopback,
	networkOps,
	releaseOps,
	unpublishAllOps,
} from '../../../src/engine/networks/endpoint.ts';
import {planNames} from '../../../src/engine/networks/names.ts';
import {bridgeOptions, childOptions} from '../../../src/engine/networks/options.ts';
import {bindingsOf} from '../../../src/engine/networks/port-ranges.ts';
import {
	checkBindings,
	checkTwice,
	portSummaries,
	portsByKey,
	wantedPorts,
	withExposed,
} from '../../../src/engine/networks/ports.ts';
import {parseResolvConf, resolvText} from '../../../src/engine/networks/resolv-conf.ts';
import {
	type EndpointState,
	type NetworkState,
	publishingEndpoint,
} from '../../../src/engine/networks/state.ts';
import {linkText, zoneText} from '../../../src/engine/networks/zone.ts';
import {Paths} from '../../../src/engine/paths.ts';
import {printPlan} from '../../../src/runtime/plan/print.ts';

type Bindings = HostConfig['PortBindings'];

const paths = new Paths('/var/lib/wherry', '/run/wherry');
const container = '0123456789abcdef'.repeat(4);

const endpoint: EndpointState = {
	network: 'front',
	networkId: 'f'.repeat(64),
	endpointId: 'e'.repeat(64),
	driver: 'bridge',
	interface: 'eth0',
	index: 100,
	peer: 'wh0123456780',
	master: 7,
	bridgeMac: '02:42:0a:01:00:01',
	mac: '02:42:0a:01:00:02',
	mtu: 0,
	ipv4: {address: '10.1.0.2', prefix: 24, gateway: '10.1.0.1'},
	isolated: false,
	internal: false,
	mode: 0,
	routed: false,
	aliases: [],
	links: [],
	gateway: true,
	led: true,
};

const ports = [
	{protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080, count: 1},
	{protocol: 'tcp', containerPort: 80, hostIp: '::', hostPort: 8080, count: 1},
	{protocol: 'udp', containerPort: 53, hostIp: '127.0.0.1', hostPort: 53, count: 1},
] as const;

test('the network section reserves, connects, publishes, and the stop section undoes it', (t) => {
	const inner: EndpointState = {
		...endpoint,
		network: 'inner',
		networkId: 'a'.repeat(64),
		interface: 'eth1',
		index: 101,
		peer: 'wh0123456781',
		ipv4: {address: '10.2.0.2', prefix: 24},
		ipv6: {address: 'fd00::2', prefix: 64},
		isolated: true,
		internal: true,
		gateway: false,
	};
	const state: NetworkState = {endpoints: [endpoint, inner], ports: [...ports]};
	const names = {zones: ['/run/wherry/zones/x'], upstreams: ['192.0.2.53'], internal: false};
	t.snapshot(printPlan({network: networkOps(paths, container, state, names)}));
	t.snapshot(printPlan({stop: [...unpublishAllOps(paths, state), ...releaseOps(paths, container, state)]}));
	t.snapshot(printPlan({network: defaultRouteOps(endpoint)}));
	t.is(publishingEndpoint(state), state.endpoints[0]);
});

test('a container of an earlier version, or on a host that leads nobody, has only what its monitor knows', (t) => {
	const {led: _, ...earlier} = endpoint;
	const loopback = {...ports[0], hostIp: '127.0.0.1', hostPort: 8081};
	const state: NetworkState = {endpoints: [earlier], ports: [...ports, loopback]};
	const text = printPlan({
		network: networkOps(paths, container, state, undefined),
		stop: unpublishAllOps(paths, state),
	});
	t.notRegex(text, /Loopback/);
	t.regex(text, /reservePorts protocol=6 address=<4 bytes> ports=8080:80/);
	for (const op of ['publishPorts', 'unpublishPorts']) {
		t.regex(text, new RegExp(` ${op} .* map=published_on protocol=6 address=<4 bytes> .* ports=8081:80`));
	}
	t.true(needsLoopback(loopback, earlier));
	t.true(needsLoopback(ports[0], earlier));
	t.false(needsLoopback(ports[1], earlier));
	t.false(needsLoopback(loopback, endpoint));
	t.true(needsLoopback(ports[2], endpoint));
});

test('the marks for the ports of the resolver are where its rules have them', (t) => {
	const names = {zones: [], upstreams: [], internal: true};
	const op = networkOps(paths, container, {endpoints: [endpoint], ports: []}, names).find(
		(each) => each.op === 'serveNames',
	)!;
	const {rules, udpPort, tcpPort} = op as unknown as {rules: Buffer; udpPort: number; tcpPort: number};
	t.is(rules.readUInt16BE(udpPort), 0xfed1);
	t.is(rules.readUInt16BE(tcpPort), 0xfed2);
});

test('bindings are read, and clashes among them are seen', (t) => {
	const port = (HostPort: string, HostIp = '') => ({HostIp, HostPort});
	const wanted = (bindings: Bindings) => wantedPorts(checkBindings(bindings));
	t.deepEqual(
		wanted({'80/tcp': [port('8080', '127.0.0.1')], '53/udp': [port('')], '81': [port('9000-9010')]}),
		[
			// Keys that look like numbers come first in JavaScript.
			{protocol: 'tcp', containerPort: 81, hostIp: '', from: 9000, to: 9010, count: 1},
			{protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', from: 8080, to: 8080, count: 1},
			{protocol: 'udp', containerPort: 53, hostIp: '', from: 0, to: 0, count: 1},
		],
	);
	const distinct = (bindings: Bindings): void => checkTwice(wanted(bindings));
	t.notThrows(() => distinct({'80/tcp': [port('80', '127.0.0.1'), port('80', '127.0.0.2')]}));
	t.notThrows(() => distinct({'80/tcp': [port('80', '0.0.0.0'), port('80', '::')], '80/udp': [port('80')]}));
	t.throws(() => distinct({'80/tcp': [port('80', '127.0.0.1'), port('80', '0.0.0.0')]}), {
		message: /already allocated/,
	});
	const range = Object.fromEntries(
		[0, 1, 2, 3].map((step) => [`${80 + step}/tcp`, [port(`${8000 + step}`)]]),
	);
	t.notThrows(() => distinct({...range, '90/tcp': [port('8004')]}));
	t.throws(() => distinct({...range, '90/tcp': [port('8002')]}), {message: /8002 failed: port is already/});
	t.throws(() => wanted({'80/tcp': [port('20-10')]}), {message: /invalid hostPort: 20-10/});
	t.throws(() => wanted({'0/tcp': [port('1')]}), {message: /invalid containerPort/});
	const all = withExposed(checkBindings({'80/tcp': [port('8080')]}), ['80-81/tcp', '82/sctp', 'none']);
	t.deepEqual(bindingsOf(all), {'80/tcp': [port('8080')], '81/tcp': [port('')], '82/sctp': [port('')]});
});

test('ports are shown as docker shows them', (t) => {
	t.deepEqual(portsByKey(ports, ['443/tcp']), {
		'443/tcp': null,
		'80/tcp': [
			{HostIp: '0.0.0.0', HostPort: '8080'},
			{HostIp: '::', HostPort: '8080'},
		],
		'53/udp': [{HostIp: '127.0.0.1', HostPort: '53'}],
	});
	t.deepEqual(portSummaries(ports.slice(0, 1), ['80/tcp', '443/tcp']), [
		{IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp'},
		{PrivatePort: 443, Type: 'tcp'},
	]);
});

test('a zone entry names a container once in each way, and nothing that a resolver could trip over', (t) => {
	t.is(
		zoneText({
			container: 'Web',
			network: 'front',
			aliases: ['web', 'shop', 'a b', 'x\ny', '@z'],
			addresses: ['10.1.0.2', 'fd00::2'],
		}),
		['web.front', 'web', 'shop', 'shop.front'].flatMap((name) => `${name} 10.1.0.2\n`).join('') +
			['web.front', 'web', 'shop', 'shop.front'].flatMap((name) => `${name} fd00::2\n`).join(''),
	);
	t.is(
		linkText('Front', [
			{name: 'MyDb', alias: 'db'},
			{name: 'x y', alias: 'z'},
		]),
		'db @mydb.front\n',
	);
});

test('resolv.conf is read as resolv.conf(5) says', (t) => {
	const parsed = parseResolvConf(
		'# comment\nnameserver 1.1.1.1 # one\ndomain old\nsearch a b\noptions ndots:2\noptions timeout:1\nnameserver ::1\n',
	);
	t.deepEqual(parsed, {servers: ['1.1.1.1', '::1'], search: ['a', 'b'], options: ['ndots:2', 'timeout:1']});
	t.is(resolvText(parsed), 'nameserver 1.1.1.1\nnameserver ::1\nsearch a b\noptions ndots:2 timeout:1\n');
});

test('who is asked for names follows from the networks', (t) => {
	const none = {Dns: [], DnsSearch: [], DnsOptions: []};
	const plan = (state: NetworkState, text: string, host = none) =>
		planNames(paths, container, host, state, text);
	const onBridge: NetworkState = {endpoints: [{...endpoint, network: 'bridge'}], ports: []};
	const onUser: NetworkState = {endpoints: [endpoint], ports: []};
	const direct = plan(onBridge, 'nameserver 192.0.2.1\nnameserver 127.0.0.53\nsearch lan\n');
	t.deepEqual(direct, {
		resolvConf: {servers: ['192.0.2.1'], search: ['lan'], options: []},
		service: undefined,
	});
	const forwarder = plan(onBridge, 'nameserver 127.0.0.53\noptions edns0\n');
	t.deepEqual(forwarder.resolvConf, {servers: ['127.0.0.11'], search: [], options: ['edns0']});
	t.deepEqual(forwarder.service, {zones: [], upstreams: ['127.0.0.53'], internal: false});
	const user = plan(onUser, 'nameserver 192.0.2.1\n');
	t.deepEqual(user.resolvConf, {servers: ['127.0.0.11'], search: [], options: ['ndots:0']});
	t.is(user.service!.zones.at(-1), `/run/wherry/zones/${endpoint.networkId}`);
	t.deepEqual(
		plan(onUser, '', {Dns: ['192.0.2.9'], DnsSearch: ['.'], DnsOptions: ['ndots:3']} as never).service!
			.upstreams,
		['192.0.2.9'],
	);
	t.true(
		plan({endpoints: [{...endpoint, internal: true}], ports: []}, 'nameserver 192.0.2.1').service!.internal,
	);
});

test("options of drivers have docker's names", (t) => {
	const options = (Options: Record<string, string>) => bridgeOptions({Options});
	t.deepEqual(options({}), {name: undefined, masquerade: true, icc: true, hostBinding: '', mtu: 0});
	t.like(options({'com.docker.network.bridge.enable_icc': '0', 'com.docker.network.driver.mtu': '1400'}), {
		icc: false,
		mtu: 1400,
	});
	t.deepEqual(childOptions({Driver: 'macvlan', Options: {parent: 'eth0'}}), {
		parent: 'eth0',
		mode: 4,
		routed: false,
		mtu: 0,
	});
	t.like(childOptions({Driver: 'ipvlan', Options: {parent: 'eth0', ipvlan_mode: 'l3s'}}), {
		mode: 2,
		routed: true,
	});
	t.throws(() => childOptions({Driver: 'macvlan', Options: {parent: 'eth0', macvlan_mode: 'x'}}), {
		message: /mode 'x' is not valid/,
	});
});
