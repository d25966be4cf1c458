/** Names as containers see them, with a resolver of the host's that the tests run. */
import {once} from 'node:events';
import test, {type ExecutionContext} from 'ava';
import {busybox, makeNamespace, type Namespace, type RemoteEngine, startEngine} from '../../setup/netns.ts';

const binds = ['/bin/busybox:/bin/busybox:ro'];
const sleep = ['sleep', '1000'];

/** Answers A questions below `.test` with one address, by UDP; everything else isn't there. */
async function resolver(host: Namespace, address: string, answer: string): Promise<void> {
	const script = `
const socket = require('dgram').createSocket('udp4');
socket.on('message', (query, from) => {
	let at = 12;
	const labels = [];
	while (query[at]) { labels.push(query.subarray(at + 1, at + 1 + query[at]).toString()); at += query[at] + 1; }
	const isAddress = query.readUInt16BE(at + 1) === 1;
	const known = labels.at(-1) === 'test';
	const head = Buffer.from(query.subarray(0, at + 5));
	head.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
	head.writeUInt16BE(known && isAddress ? 1 : 0, 6);
	head.fill(0, 8, 12);
	const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...'${answer}'.split('.').map(Number)]);
	socket.send(known && isAddress ? Buffer.concat([head, record]) : head, from.port, from.address);
});
socket.bind(53, '${address}', () => console.log('ready'));`;
	const child = host.start(process.execPath, ['-e', script], {stdio: ['ignore', 'pipe', 'inherit']});
	await once(child.stdout!, 'data');
}

const lookUp = async (
	engine: RemoteEngine,
	id: string,
	name: string,
	...options: string[]
): Promise<string[]> => {
	const {stdout} = await engine.exec(id, '/bin/busybox', 'nslookup', ...options, name);
	return [...stdout.matchAll(/^Address: (?!127\.0\.0\.11)(\S+)$/gm)].map(([, address]) => address!);
};

async function setUp(
	t: ExecutionContext,
	resolvConf: string,
): Promise<{host: Namespace; engine: RemoteEngine}> {
	const host = makeNamespace(t);
	host.ip('addr', 'add', '192.0.2.53/32', 'dev', 'lo');
	return {host, engine: await startEngine(t, host, {}, {resolvConf})};
}

test('names of a network of both families: aliases in rotation, both kinds of addresses, and back from them', async (t) => {
	const {engine} = await setUp(t, '');
	await engine.call('networks.create', {name: 'n', ipv6: true});
	const on = (Aliases: string[] = []) => ({
		hostConfig: {NetworkMode: 'n', Binds: binds},
		networks: {n: {Aliases}},
	});
	const one = await engine.startContainer(busybox(sleep, {name: 'one', ...on(['web'])}));
	const two = await engine.startContainer(
		busybox(sleep, {name: 'two', config: {Hostname: 'deux'}, ...on(['web', 'Only-Two'])}),
	);
	const addresses = async (id: string) => {
		const {NetworkSettings} = await engine.call<{
			NetworkSettings: {Networks: Record<string, {IPAddress: string; GlobalIPv6Address: string}>};
		}>('containers.inspect', id);
		const {IPAddress, GlobalIPv6Address} = NetworkSettings.Networks.n!;
		return [IPAddress, GlobalIPv6Address];
	};
	const [[one4, one6], [two4, two6]] = [await addresses(one), await addresses(two)] as [string[], string[]];
	t.deepEqual(await lookUp(engine, one, 'two', '-type=a'), [two4!]);
	t.deepEqual(await lookUp(engine, one, 'two', '-type=aaaa'), [two6!]);
	for (const name of ['two', 'two.n', 'TWO', two.slice(0, 12), 'only-two', 'deux']) {
		t.deepEqual((await lookUp(engine, one, name)).sort(), [two4!, two6!].sort(), name);
	}
	const firsts = new Set<string>();
	for (let round = 0; round < 6; round++) {
		const found = await lookUp(engine, one, 'web', '-type=a');
		t.deepEqual(found.toSorted(), [one4!, two4!].sort());
		firsts.add(found[0]!);
	}
	t.is(firsts.size, 2);
	t.deepEqual((await lookUp(engine, one, 'web', '-type=aaaa')).sort(), [one6!, two6!].sort());
	for (const address of [two4!, two6!]) {
		const {stdout} = await engine.exec(one, '/bin/busybox', 'nslookup', address);
		t.regex(stdout, /name = two\.n$/m, address);
	}
	// An alias that comes at run time, and goes with what it stood for.
	await engine.call('networks.create', {name: 'm'});
	await engine.call('networks.connect', 'm', one);
	await engine.call('networks.connect', 'm', two, {Aliases: ['late']});
	t.is((await lookUp(engine, one, 'late', '-type=a')).length, 1);
	await engine.call('networks.disconnect', 'm', two);
	t.deepEqual(await lookUp(engine, one, 'late', '-type=a'), []);
	await engine.call('containers.rename', two, 'three');
	t.deepEqual(await lookUp(engine, one, 'three', '-type=a'), [two4!]);
	t.deepEqual(await lookUp(engine, one, 'two', '-type=a'), []);
});

test('other names go to the resolvers that the user names, or to those of the host, and none from an internal network', async (t) => {
	const {host, engine} = await setUp(t, 'search host.test\nnameserver 192.0.2.53\noptions timeout:1\n');
	host.ip('addr', 'add', '192.0.2.54/32', 'dev', 'lo');
	await resolver(host, '192.0.2.53', '198.51.100.1');
	await resolver(host, '192.0.2.54', '198.51.100.2');
	await engine.call('networks.create', {name: 'n'});
	await engine.call('networks.create', {name: 'inner', internal: true});
	const on = (NetworkMode: string, hostConfig = {}) =>
		engine.startContainer(busybox(sleep, {hostConfig: {NetworkMode, Binds: binds, ...hostConfig}}));
	const file = async (id: string) =>
		(await engine.exec(id, '/bin/busybox', 'cat', '/etc/resolv.conf')).stdout;

	const plain = await on('n');
	t.is(await file(plain), 'nameserver 127.0.0.11\nsearch host.test\noptions timeout:1 ndots:0\n');
	t.deepEqual(await lookUp(engine, plain, 'a.test', '-type=a'), ['198.51.100.1']);
	// The search domain is the container's own affair, but what comes of it is asked.
	t.deepEqual(await lookUp(engine, plain, 'short.host.test', '-type=a'), ['198.51.100.1']);
	t.deepEqual(await lookUp(engine, plain, 'nobody.example', '-type=a'), []);

	const own = await on('n', {Dns: ['192.0.2.54'], DnsSearch: ['own.test'], DnsOptions: ['ndots:2']});
	t.is(await file(own), 'nameserver 127.0.0.11\nsearch own.test\noptions ndots:2\n');
	t.deepEqual(await lookUp(engine, own, 'a.test', '-type=a'), ['198.51.100.2']);
	const ping = await engine.exec(own, '/bin/busybox', 'ping', '-c', '1', '-W', '1', 'short');
	t.regex(ping.stdout, /PING short \(198\.51\.100\.2\)/);

	const inner = await on('inner');
	t.deepEqual(await lookUp(engine, inner, 'a.test', '-type=a'), []);
	await engine.call('networks.connect', 'n', inner);
	t.deepEqual(await lookUp(engine, inner, 'a.test', '-type=a'), ['198.51.100.1']);
	await engine.call('networks.disconnect', 'n', inner);
	t.deepEqual(await lookUp(engine, inner, 'a.test', '-type=a'), []);

	// On the default bridge a container asks by itself; `.` means no search domain.
	const bridge = await on('bridge', {DnsSearch: ['.']});
	t.is(await file(bridge), 'nameserver 192.0.2.53\noptions timeout:1\n');
	t.deepEqual(await lookUp(engine, bridge, 'a.test', '-type=a'), ['198.51.100.1']);
});

test("a resolver on the host's loopback is reached from every network, but not from the loopback of a container", async (t) => {
	const {host, engine} = await setUp(t, 'nameserver 127.0.0.53\noptions edns0\n');
	await resolver(host, '127.0.0.53', '198.51.100.3');
	await engine.call('networks.create', {name: 'n'});
	for (const NetworkMode of ['bridge', 'n']) {
		const id = await engine.startContainer(busybox(sleep, {hostConfig: {NetworkMode, Binds: binds}}));
		const {stdout} = await engine.exec(id, '/bin/busybox', 'cat', '/etc/resolv.conf');
		t.regex(stdout, /^nameserver 127\.0\.0\.11$/m);
		t.deepEqual(await lookUp(engine, id, 'a.test', '-type=a'), ['198.51.100.3'], NetworkMode);
		// Its own port 53 is free for a server of its own.
		const {code} = await engine.exec(
			...[id, '/bin/busybox', 'sh', '-c', 'busybox nc -l -u -p 53 -w 1 </dev/null; test $? -lt 2'],
		);
		t.is(code, 0);
		await engine.call('containers.remove', id, {force: true});
	}
	// docker's default bridge knows no names.
	await engine.startContainer(busybox(sleep, {name: 'web'}));
	const other = await engine.startContainer(busybox(sleep));
	t.deepEqual(await lookUp(engine, other, 'web', '-type=a'), []);
});
