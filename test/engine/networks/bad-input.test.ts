import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {busybox, makeNamespace, startEngine} from '../../setup/netns.ts';

test('wrong networks are refused in words, and nothing is made', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	await engine.call('networks.create', {name: 'there', subnets: ['10.99.0.0/16']});
	const cases: [options: Record<string, unknown>, message: RegExp][] = [
		[{name: 'there'}, /^network with name there already exists$/],
		[{name: 'bridge'}, /^operation is not permitted on predefined bridge network$/],
		[{name: 'default'}, /operation is not permitted on predefined default network/],
		[{name: ''}, /invalid name: name is empty/],
		[{name: ' '}, /invalid name: name is empty/],
		[{name: 'container:x'}, /invalid network name: "container:x"/],
		[{name: 'a\nb'}, /invalid network name: "a\\nb"/],
		[{name: 'x'.repeat(300)}, /invalid network name/],
		[{name: 'x', scope: 'swarm'}, /cannot create a swarm scoped network when swarm is not active/],
		[{name: 'x', ingress: true}, /ingress network can only be global scope network/],
		[{name: 'x', configFrom: 'nobody'}, /configuration network "nobody" does not exist/],
		[{name: 'x', configFrom: 'there'}, /"there" is not a configuration network/],
		[
			{name: 'x', configOnly: true, internal: true},
			/configuration network can only contain network specific/,
		],
		[{name: 'x', ipv4: false}, /IPv4 or IPv6 must be enabled/],
		[{name: 'x', ipamDriver: 'nope'}, /plugin "nope" not found/],
		[{name: 'x', subnets: ['10.9.0.1/24']}, /invalid subnet 10\.9\.0\.1\/24: it should be 10\.9\.0\.0\/24/],
		[
			{name: 'x', subnets: ['10.9.0.0/24'], gateways: ['10.9.0.255']},
			/failed to allocate gateway \(10\.9\.0\.255\): Address already in use/,
		],
		[{name: 'x', driver: 'overlay'}, /This node is not a swarm manager/],
		[{name: 'x', driver: 'host'}, /only one instance of "host" network is allowed/],
		[{name: 'x', subnets: ['10.99.7.0/24']}, /Pool overlaps with other one on this address space/],
		[
			{name: 'x', subnets: ['10.9.0.0/24', '10.9.0.0/25']},
			/multiple overlapping subnet configuration is not supported/,
		],
		[{name: 'x', subnets: ['10.9.0.0']}, /invalid subnet 10\.9\.0\.0: invalid CIDR block notation/],
		[{name: 'x', subnets: ['10.9.0.0/33']}, /invalid CIDR block notation/],
		[
			{name: 'x', subnets: ['10.9.0.0/24'], gateways: ['10.8.0.1']},
			/no matching subnet for gateway 10\.8\.0\.1/,
		],
		[{name: 'x', subnets: ['10.9.0.0/24'], gateways: ['10.9.0.0']}, /failed to allocate gateway/],
		[{name: 'x', gateways: ['10.8.0.1']}, /every ip-range or gateway must have a corresponding subnet/],
		[
			{name: 'x', subnets: ['10.9.0.0/24'], ipRanges: ['10.8.0.0/25']},
			/no matching subnet for range 10\.8\.0\.0\/25/,
		],
		[
			{name: 'x', subnets: ['10.9.0.0/24'], auxAddresses: {a: '10.8.0.9'}},
			/no matching subnet for aux-address 10\.8\.0\.9/,
		],
		[{name: 'x', options: {'com.docker.network.bridge.enable_icc': 'maybe'}}, /invalid syntax/],
		[{name: 'x', options: {'com.docker.network.driver.mtu': '12'}}, /invalid MTU number: 12/],
		[{name: 'x', options: {'com.docker.network.bridge.name': 'a/b'}}, /invalid bridge name/],
		[
			{name: 'x', options: {'com.docker.network.bridge.mode': 'x'}},
			/invalid option "com\.docker\.network\.bridge\.mode"/,
		],
	];
	for (const [options, message] of cases) {
		const error = await t.throwsAsync(
			engine.call('networks.create', options),
			undefined,
			JSON.stringify(options),
		);
		t.regex(error.message, message);
	}
	t.deepEqual(readdirSync(join(engine.root, 'networks')).sort(), ['there.json']);
	for (const [name, message] of [
		['nobody', /^network nobody not found$/],
		['bridge', /^bridge is a pre-defined network and cannot be removed$/],
	] as const) {
		t.regex((await t.throwsAsync(engine.call('networks.remove', name))).message, message);
	}
	await t.throwsAsync(engine.call('networks.inspect', 'nobody'), {message: 'network nobody not found'});
});

test('containers with wrong networks are refused before they are made', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	await engine.call('networks.create', {name: 'n', subnets: ['10.99.0.0/24']});
	const network = (mode: string, settings = {}, host = {}) =>
		busybox(['true'], {hostConfig: {NetworkMode: mode, ...host}, networks: {[mode]: settings}});
	const port = (HostPort: string, HostIp = '') => ({HostIp, HostPort});
	const cases: [options: object, message: RegExp][] = [
		[network('nobody'), /^network nobody not found$/],
		[
			network('n', {IPAMConfig: {IPv4Address: '10.98.0.2'}}),
			/no configured subnet or ip-range contain the IP address 10\.98\.0\.2/,
		],
		[network('n', {IPAMConfig: {IPv4Address: '10.99.0.1'}}), /Address already in use/],
		[network('n', {IPAMConfig: {IPv4Address: '10.99.0.255'}}), /Address already in use/],
		[
			network('n', {IPAMConfig: {IPv6Address: '::ffff:10.99.0.4'}}),
			/invalid IPv6 address: ::ffff:10\.99\.0\.4/,
		],
		[network('n', {MacAddress: 'xx'}), /invalid MAC address: xx/],
		[network('n', {MacAddress: '01:00:5e:00:00:01'}), /multicast/],
		[
			network('bridge', {IPAMConfig: {IPv4Address: '10.213.0.9'}}),
			/user specified IP address is supported on user defined networks only/,
		],
		[
			network('bridge', {Aliases: ['a']}),
			/network-scoped aliases are only supported for user-defined networks/,
		],
		[network('bridge', {}, {PortBindings: {'80/tcp': [port('99999')]}}), /invalid hostPort/],
		[
			network('bridge', {}, {PortBindings: {'80/tcp': [port('80', 'localhost')]}}),
			/invalid IP address: localhost/,
		],
		[network('bridge', {}, {Dns: ['nobody']}), /invalid DNS server/],
		[network('bridge', {}, {Links: [':x']}), /bad format for links: :x/],
		[network('container:nobody'), /No such container: nobody/],
	];
	for (const [options, message] of cases) {
		const error = await t.throwsAsync(
			engine.call('containers.create', options),
			undefined,
			JSON.stringify(options),
		);
		t.regex(error.message, message);
	}
	t.deepEqual(await engine.call('containers.list', {all: true}), []);
	const both = await engine.call<{warnings: string[]}>(
		'containers.create',
		network('host', {}, {PortBindings: {'80/tcp': [port('80')]}}),
	);
	t.deepEqual(both.warnings, ['Published ports are discarded when using host network mode']);
});

test('the network that no subnet is left for is refused', async (t) => {
	const engine = await startEngine(t, makeNamespace(t), {WHERRY_SUBNET_POOL: '10.213.0.0/24'});
	for (let index = 0; index < 15; index++) await engine.call('networks.create', {name: `n${index}`});
	// The default bridge has its place.
	await engine.call('networks.list', {});
	const error = await t.throwsAsync(engine.call('networks.create', {name: 'more'}));
	t.regex(
		error.message,
		/^could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network: /,
	);
	await engine.call('networks.remove', 'n7');
	await t.notThrowsAsync(engine.call('networks.create', {name: 'more'}));
});

test('three hundred networks get subnets that are apart, and go again', async (t) => {
	const engine = await startEngine(t, makeNamespace(t), {WHERRY_SUBNET_POOL: ''});
	for (let index = 0; index < 300; index++) await engine.call('networks.create', {name: `n${index}`});
	const all = await engine.call<{Name: string; IPAM: {Config: {Subnet: string}[]}}[]>('networks.list', {});
	t.is(new Set(all.flatMap(({IPAM}) => IPAM.Config.map(({Subnet}) => Subnet))).size, 301);
	const {NetworksDeleted} = await engine.call<{NetworksDeleted: string[]}>('networks.prune', {});
	t.is(NetworksDeleted.length, 300);
	t.deepEqual(readdirSync(join(engine.root, 'networks')), ['bridge.json']);
});
