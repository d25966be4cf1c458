import test, {type ExecutionContext} from 'ava';
import {tableName} from '../../../src/engine/networks/firewall.ts';
import {Paths} from '../../../src/engine/paths.ts';
import {
	busybox,
	connect,
	eventually,
	makeNamespace,
	nft,
	type RemoteEngine,
	startEngine,
} from '../../setup/netns.ts';

const binds = ['/bin/busybox:/bin/busybox:ro'];
const sleep = ['sleep', '1000'];
const server = ['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', 'echo served'];

/** A host between an outside host and the containers. */
async function setUp(t: ExecutionContext) {
	const host = makeNamespace(t);
	const outside = makeNamespace(t);
	connect(host, '192.0.2.1/24', outside, '192.0.2.2/24');
	return {host, outside, engine: await startEngine(t, host)};
}

const on = (network: string, bindings = {}) => ({
	hostConfig: {NetworkMode: network, Binds: binds, PortBindings: bindings},
});
/** A UDP port of the loopback, without which no packet with such an address comes to a bridge in the first place. */
const udpOfLoopback = {'53/udp': [{HostIp: '127.0.0.1', HostPort: '5300'}]};
const addressOf = async (engine: RemoteEngine, id: string): Promise<string> => {
	const {NetworkSettings} = await engine.call<{
		NetworkSettings: {Networks: Record<string, {IPAddress: string}>};
	}>('containers.inspect', id);
	return Object.values(NetworkSettings.Networks)[0]!.IPAddress;
};
const reaches = async (engine: RemoteEngine, id: string, address: string, port = 80): Promise<boolean> => {
	const {stdout} = await engine.exec(id, '/bin/busybox', 'nc', '-w', '1', address, String(port));
	return stdout.includes('served');
};

test('what is not published is not reached from outside, though the host forwards', async (t) => {
	const {outside, host, engine} = await setUp(t);
	const id = await engine.startContainer(busybox(server));
	const address = await addressOf(engine, id);
	outside.ip('route', 'add', '10.213.0.0/16', 'via', '192.0.2.1');
	t.regex(await eventually(() => host.run('busybox', 'nc', '-w', '1', address, '80')), /served/);
	await t.throwsAsync(outside.run('busybox', 'nc', '-w', '1', address, '80'));
	await t.throwsAsync(outside.run('busybox', 'ping', '-c', '1', '-W', '1', address));
	// The other way round the container reaches the outside, with the host's address.
	const away = await engine.exec(id, '/bin/busybox', 'ping', '-c', '1', '-W', '2', '192.0.2.2');
	t.is(away.code, 0, away.stdout);
	// And hears that nobody listens there.
	const {State} = await engine.call<{State: {Pid: number}}>('containers.inspect', id);
	const ask = [
		'import socket',
		's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)',
		"s.connect(('192.0.2.2', 5300)); s.send(b'?')",
		'try: s.recv(1)',
		"except ConnectionRefusedError: print('refused')",
	].join('\n');
	t.is(
		(await host.run('nsenter', `--net=/proc/${State.Pid}/ns/net`, 'python3', '-c', ask)).trim(),
		'refused',
	);
});

test('a port of 127.0.0.1 is not reached from outside by a packet for 127.0.0.1', async (t) => {
	const {outside, host, engine} = await setUp(t);
	await engine.startContainer(
		busybox(server, on('bridge', {'80/tcp': [{HostIp: '127.0.0.1', HostPort: '8080'}]})),
	);
	t.regex(await eventually(() => host.run('busybox', 'nc', '-w', '1', '127.0.0.1', '8080')), /served/);
	// CVE-2020-8558: the neighbour sends loopback addresses over the cable.
	const [{ifname}] = outside.ipJson<{ifname: string}[]>('route', 'get', '192.0.2.1') as unknown as [
		{ifname: string},
	];
	const device = ifname ?? outside.ipJson<{dev: string}[]>('route', 'get', '192.0.2.1')[0]!.dev;
	await outside.run('sh', '-c', `echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet`);
	outside.ip('addr', 'del', '127.0.0.1/8', 'dev', 'lo');
	outside.ip('route', 'add', '127.0.0.1/32', 'via', '192.0.2.1', 'dev', device, 'src', '192.0.2.2');
	await t.throwsAsync(outside.run('busybox', 'nc', '-w', '1', '127.0.0.1', '8080'));
	await t.throwsAsync(outside.run('busybox', 'nc', '-w', '1', '192.0.2.1', '8080'));
});

test('a container reaches no service of the host on 127.0.0.1, tracked or not', async (t) => {
	const {host, engine} = await setUp(t);
	const table = tableName(new Paths(engine.root, engine.run));
	host.start('busybox', ['nc', '-ll', '-p', '7000', '-e', '/bin/busybox', 'echo', 'served']);
	const port = {'80/tcp': [{HostIp: '127.0.0.1', HostPort: '8080'}]};
	const published = await engine.startContainer(busybox(server, on('bridge', port)));
	const mine = on('bridge');
	const id = await engine.startContainer(
		busybox(sleep, {...mine, hostConfig: {...mine.hostConfig, Privileged: true}}),
	);
	const send = [
		'ip addr del 127.0.0.1/8 dev lo',
		'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet',
		'set -- $(ip route show default)',
		'ip route add 127.0.0.1 via $3 src $(hostname -i)',
	].join(' && ');
	t.is((await engine.exec(id, '/bin/busybox', 'sh', '-c', send)).code, 0);
	const neither = async (why: string) => {
		for (const at of ['7000', '8080']) {
			t.regex(await eventually(() => host.run('busybox', 'nc', '-w', '1', '127.0.0.1', at)), /served/);
			t.false(await reaches(engine, id, '127.0.0.1', Number(at)), `${at}: ${why}`);
		}
	};
	await neither('the kernel keeps such packets away');
	await engine.call('containers.updatePublished', published, {add: udpOfLoopback});
	await neither('the guard does');
	const untracked = 'type filter hook prerouting priority -300; tcp dport 7000 notrack;';
	await host.run(nft, `table ip raw { chain untracked { ${untracked} }; }`);
	t.false(await reaches(engine, id, '127.0.0.1', 7000), 'what is not tracked');
	await host.run(nft, 'delete', 'table', 'ip', 'raw');
	// What somebody has led there by a rule of his own arrives.
	const led = 'type nat hook prerouting priority -100; tcp dport 7001 dnat to 127.0.0.1:7000;';
	await host.run(nft, `table ip own { chain led { ${led} }; }`);
	t.true(await reaches(engine, id, '192.0.2.1', 7001));
	// The guard alone does it, and nothing but the two chains has kept it away.
	await host.run(nft, 'insert', 'rule', 'ip', table, 'guard_first', 'accept');
	t.false(await reaches(engine, id, '127.0.0.1', 7000));
	await host.run(nft, 'insert', 'rule', 'ip', table, 'guard', 'accept');
	t.true(await reaches(engine, id, '127.0.0.1', 7000));
});

test('what a host lets onto all its interfaces is kept from 127.0.0.1 all the same', async (t) => {
	const {host, engine} = await setUp(t);
	host.start('busybox', ['nc', '-ll', '-p', '7000', '-e', '/bin/busybox', 'echo', 'served']);
	const id = await engine.startContainer(busybox(sleep, {hostConfig: {Binds: binds, Privileged: true}}));
	const send = [
		'ip addr del 127.0.0.1/8 dev lo',
		'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet',
		'set -- $(ip route show default)',
		'ip route add 127.0.0.1 via $3 src $(hostname -i)',
	].join(' && ');
	const {code, stderr} = await engine.exec(id, '/bin/busybox', 'sh', '-c', send);
	t.is(code, 0, stderr);
	t.regex(await eventually(() => host.run('busybox', 'nc', '-w', '1', '127.0.0.1', '7000')), /served/);
	t.false(await reaches(engine, id, '127.0.0.1', 7000));
	await host.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet');
	t.true(await reaches(engine, id, '127.0.0.1', 7000), 'nobody has looked since');
	await engine.startContainer(busybox(sleep, on('bridge')));
	t.false(await reaches(engine, id, '127.0.0.1', 7000));
});

/** What container code with NET_RAW can do: IP packets of its own making, past its routes, to the host. */
const forging = `
import socket, struct
def checksum(data):
	total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
	while total >> 16: total = (total & 0xffff) + (total >> 16)
	return ~total & 0xffff
def packet(protocol, source, destination, payload):
	ends = socket.inet_aton(source) + socket.inet_aton(destination)
	header = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + ends
	return header[:10] + struct.pack('!H', checksum(header)) + header[12:] + payload
def udp(source, destination, text=b''):
	header = struct.pack('!HHHH', source[1], destination[1], 8 + len(text), 0)
	return packet(17, source[0], destination[0], header + text)
gateway, _, _, mac = open('/proc/net/arp').read().splitlines()[1].split()[:4]
usual = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
usual.connect((gateway, 9))
own = usual.getsockname()[0]
def send(data):
	wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
	wire.bind(('eth0', 0))
	wire.send(bytes.fromhex(mac.replace(':', '')) + wire.getsockname()[4] + b'\\x08\\x00' + data)
`;
/** A client within the host that waits for a server's answer, while the container forges; what becomes of it. */
const waiting = `
import socket, subprocess, sys
namespace, forge, address = sys.argv[1:4]
server, client = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
server.bind((address, 7000)); server.settimeout(1); client.settimeout(1)
if address != '0.0.0.0':
	client.bind(('127.0.0.1', 7100)); client.connect((address, 7000)); client.send(b'?'); server.recv(1)
subprocess.run(['nsenter', '--net=' + namespace, 'python3', '-c', forge], check=True)
try: print('got', (server if address == '0.0.0.0' else client).recv(9))
except ConnectionRefusedError: print('refused')
except TimeoutError: print('nothing')
`;

for (const [what, address, forged, result] of [
	[
		'an error of a connection within the host',
		'127.0.0.1',
		`asked = udp(('127.0.0.1', 7100), ('127.0.0.1', 7000))
icmp = struct.pack('!BBHI', 3, 3, 0, 0) + asked
send(packet(1, own, '127.0.0.1', icmp[:2] + struct.pack('!H', checksum(icmp)) + icmp[4:]))`,
		'refused',
	],
	[
		'an answer from 127.0.0.53',
		'127.0.0.53',
		"send(udp(('127.0.0.53', 7000), ('127.0.0.1', 7100), b'forged'))",
		"got b'forged'",
	],
	[
		'a request from 127.0.0.53',
		'0.0.0.0',
		"send(udp(('127.0.0.53', 7100), (gateway, 7000), b'forged'))",
		"got b'forged'",
	],
] as const) {
	test(`a container forges in vain: ${what}`, async (t) => {
		const {host, engine} = await setUp(t);
		const table = tableName(new Paths(engine.root, engine.run));
		const id = await engine.startContainer(busybox(sleep, on('bridge', udpOfLoopback)));
		const {State} = await engine.call<{State: {Pid: number}}>('containers.inspect', id);
		const becomes = async () => {
			const namespace = `/proc/${State.Pid}/ns/net`;
			return (await host.run('python3', '-c', waiting, namespace, forging + forged, address)).trim();
		};
		t.is(await becomes(), 'nothing');
		// Nothing but the guard has kept it away.
		for (const chain of ['guard', 'guard_first']) {
			await host.run(nft, 'insert', 'rule', 'ip', table, chain, 'accept');
		}
		t.is(await becomes(), result);
	});
}

test('somebody on 127.0.0.1 hears that nobody listens behind a published UDP port', async (t) => {
	const {host, engine} = await setUp(t);
	await engine.startContainer(
		busybox(sleep, on('bridge', {'53/udp': [{HostIp: '127.0.0.1', HostPort: '5300'}]})),
	);
	const ask = [
		'import socket',
		's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)',
		's.settimeout(5)',
		"s.connect(('127.0.0.1', 5300))",
		"s.send(b'?')",
		'try: s.recv(1)',
		"except ConnectionRefusedError: print('refused')",
	].join('\n');
	t.is((await host.run('python3', '-c', ask)).trim(), 'refused');
});

test('a container that takes the MAC address of another one does not get its frames', async (t) => {
	const {engine} = await setUp(t);
	const two = await engine.startContainer(busybox(server));
	const one = await engine.startContainer(busybox(sleep));
	const mine = on('bridge');
	const thief = await engine.startContainer(
		busybox(sleep, {...mine, hostConfig: {...mine.hostConfig, CapAdd: ['NET_ADMIN']}}),
	);
	const address = await addressOf(engine, two);
	const reached = async () => {
		if (!(await reaches(engine, one, address))) throw new Error('not reached');
	};
	await t.notThrowsAsync(eventually(reached));
	const {stdout} = await engine.exec(two, '/bin/busybox', 'cat', '/sys/class/net/eth0/address');
	const theft = [
		'set -- $(ip route show default)',
		`ip link set eth0 down && ip link set eth0 address ${stdout.trim()} && ip link set eth0 up`,
		'ping -c 1 -W 1 $3; true',
	].join('; ');
	t.is((await engine.exec(thief, '/bin/busybox', 'sh', '-c', theft)).code, 0);
	t.true(await reaches(engine, one, address));
	// Its own way out goes on, with an address that the bridge knows elsewhere or not at all.
	const own = 'ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:99; ip link set eth0 up';
	await engine.exec(thief, '/bin/busybox', 'sh', '-c', own);
	t.true(await reaches(engine, thief, address));
});

test('a container that claims the IP addresses of others gets nothing of what is sent to them', async (t) => {
	const {host, engine} = await setUp(t);
	const create = {name: 'six', ipv6: true, subnets: ['10.213.60.0/24', 'fd00:60::/64']};
	await engine.call('networks.create', create);
	const victim = await engine.startContainer(busybox(server, on('six')));
	const thief = await engine.startContainer(busybox(sleep, on('six')));
	const inspect = (id: string) =>
		engine.call<{
			State: {Pid: number};
			NetworkSettings: {
				Networks: {six: {IPAddress: string; GlobalIPv6Address: string; MacAddress: string; Gateway: string}};
			};
		}>('containers.inspect', id);
	const {NetworkSettings, State} = await inspect(victim);
	const {IPAddress, GlobalIPv6Address, MacAddress, Gateway} = NetworkSettings.Networks.six;
	const inside = (pid: number, ...argv: string[]) =>
		host.run('nsenter', `--net=/proc/${pid}/ns/net`, ...argv);
	// Replies that nobody has asked for, to all: the address is mine.
	const claims = [
		'import socket, sys',
		"s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('eth0', 0)); me = s.getsockname()[4]",
		'for ip in sys.argv[1:]:',
		"  head = b'\\xff' * 6 + me + b'\\x08\\x06' + b'\\0\\1\\x08\\0\\6\\4'",
		'  a = socket.inet_aton(ip)',
		"  for op in (b'\\0\\1', b'\\0\\2'): s.send(head + op + me + a + b'\\xff' * 6 + a)",
	].join('\n');
	const {Pid} = (await inspect(thief)).State;
	const claim = () => inside(Pid, 'python3', '-c', claims, IPAddress, Gateway);
	await claim();
	t.regex(await eventually(() => host.run('busybox', 'nc', '-w', '1', IPAddress, '80')), /served/);
	await claim();
	t.regex(await host.run('busybox', 'nc', '-w', '1', IPAddress, '80'), /served/);
	t.is((await engine.exec(victim, '/bin/busybox', 'ping', '-c', '1', '-W', '1', Gateway)).code, 0);
	interface Neighbour {
		dst: string;
		lladdr: string;
		state: string[];
	}
	const permanent = (neighbours: readonly object[]) =>
		Object.fromEntries(
			(neighbours as Neighbour[])
				.filter(({state}) => state.includes('PERMANENT'))
				.map(({dst, lladdr}) => [dst, lladdr]),
		);
	const known = () => permanent(host.ipJson('neigh'));
	t.is(known()[IPAddress], MacAddress);
	t.is(known()[GlobalIPv6Address], MacAddress);
	const own = permanent(JSON.parse(await inside(State.Pid, 'ip', '-j', 'neigh')));
	t.deepEqual(Object.keys(own).sort(), ['10.213.60.1', 'fd00:60::1']);
	t.is(new Set(Object.values(own)).size, 1);

	// They go with the container, and with its endpoint.
	await engine.call('networks.disconnect', 'six', thief);
	await engine.call('containers.remove', victim, {force: true});
	t.deepEqual(known(), {});
});

test('a bridge that the user has made may change its MAC address, as it does with its ports', async (t) => {
	const {host, engine} = await setUp(t);
	host.ip('link', 'add', 'own0', 'type', 'bridge');
	await engine.call('networks.create', {
		name: 'own',
		subnets: ['10.213.61.0/24'],
		options: {'com.docker.network.bridge.name': 'own0'},
	});
	const id = await engine.startContainer(busybox(sleep, on('own')));
	const ping = () => engine.exec(id, '/bin/busybox', 'ping', '-c', '1', '-W', '2', '10.213.61.1');
	t.is((await ping()).code, 0);
	// The lowest one of the ports is the bridge's.
	host.ip('link', 'add', 'low0', 'address', '02:00:00:00:00:01', 'type', 'veth', 'peer', 'name', 'low1');
	host.ip('link', 'set', 'low0', 'master', 'own0');
	t.is(host.ipJson('link', 'show', 'own0')[0]!.address, '02:00:00:00:00:01');
	await eventually(async () => {
		const {code, stdout} = await ping();
		if (code !== 0) throw new Error(stdout);
	});
	t.pass();
});

test('an internal network leads nowhere', async (t) => {
	const {engine} = await setUp(t);
	await engine.call('networks.create', {name: 'inner', internal: true});
	const one = await engine.startContainer(busybox(sleep, {name: 'one', ...on('inner')}));
	await engine.startContainer(busybox(sleep, {name: 'two', ...on('inner')}));
	t.is((await engine.exec(one, '/bin/busybox', 'ping', '-c', '1', '-W', '2', 'two')).code, 0);
	const script =
		'ip route add default via $(ip route | sed -n "s,^\\([0-9.]*\\)\\.0/.*,\\1.1,p"); ping -c 1 -W 1 192.0.2.2';
	t.not((await engine.exec(one, '/bin/busybox', 'sh', '-c', script)).code, 0);
});

test('networks are apart from each other, and icc=false keeps containers of one apart', async (t) => {
	const {engine} = await setUp(t);
	await engine.call('networks.create', {name: 'a'});
	await engine.call('networks.create', {name: 'b'});
	await engine.call('networks.create', {
		name: 'lonely',
		options: {'com.docker.network.bridge.enable_icc': 'false'},
	});
	const [inA, alsoInA, inB] = [
		await engine.startContainer(busybox(server, on('a'))),
		await engine.startContainer(busybox(sleep, on('a'))),
		await engine.startContainer(busybox(sleep, on('b'))),
	];
	const address = await addressOf(engine, inA);
	const reached = async () => {
		if (!(await reaches(engine, alsoInA, address))) throw new Error('not reached');
	};
	await t.notThrowsAsync(eventually(reached));
	t.false(await reaches(engine, inB, address));
	const [one, two] = [
		await engine.startContainer(busybox(server, on('lonely'))),
		await engine.startContainer(busybox(sleep, on('lonely'))),
	];
	t.false(await reaches(engine, two, await addressOf(engine, one)));
});

test('a published port is reached from other containers, from other networks and from the container itself', async (t) => {
	const {engine} = await setUp(t);
	await engine.call('networks.create', {name: 'a'});
	await engine.call('networks.create', {name: 'b'});
	const binding = {'80/tcp': [{HostIp: '0.0.0.0', HostPort: '8080'}]};
	const one = await engine.startContainer(busybox(server, on('a', binding)));
	const same = await engine.startContainer(busybox(sleep, on('a')));
	const other = await engine.startContainer(busybox(sleep, on('b')));
	for (const id of [one, same, other]) {
		await eventually(async () => {
			if (!(await reaches(engine, id, '192.0.2.1', 8080))) throw new Error(`${id} doesn't reach it`);
		});
	}
	t.pass();
});

test('a host whose FORWARD chain drops gets a pair of rules, once, and loses them with the network', async (t) => {
	const {host, outside, engine} = await setUp(t);
	await host.run(
		'/usr/sbin/nft',
		'add table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }',
	);
	await engine.call('networks.create', {name: 'a'});
	const rules = () =>
		host
			.ruleset()
			.nftables.filter(({rule}) => rule?.table === 'filter')
			.map(({rule}) => String(rule!.comment));
	const binding = {'80/tcp': [{HostIp: '0.0.0.0', HostPort: '8080'}]};
	const id = await engine.startContainer(busybox(server, on('a', binding)));
	t.is(rules().length, 2);
	t.regex(await eventually(() => outside.run('busybox', 'nc', '-w', '1', '192.0.2.1', '8080')), /served/);
	await host.run('/usr/sbin/nft', 'flush chain ip filter FORWARD');
	await engine.startContainer(busybox(sleep, on('a')));
	t.is(rules().length, 2);
	await engine.startContainer(busybox(sleep, on('a')));
	t.is(rules().length, 2);
	for (const {Id} of await engine.call<{Id: string}[]>('containers.list', {})) {
		await engine.call('containers.remove', Id, {force: true});
	}
	t.truthy(id);
	await engine.call('networks.remove', 'a');
	t.deepEqual(rules(), []);
});
