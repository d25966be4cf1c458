import test, {type ExecutionContext} from 'ava';
import type {Op} from '../../src/runtime/plan/ops.ts';
import {Container} from './monitor-container.ts';
import {NetworkNamespace} from './network-namespace.ts';

const tcp = 6;
const udp = 17;
const none = Buffer.alloc(0);

const forget = (protocol: number, address: Uint8Array, port: number): Op => ({
	op: 'forgetConnections',
	protocol,
	address,
	port,
});

/** A host with addresses, where the kernel tracks connections; what is named with another address is forwarded. */
function trackingHost(t: ExecutionContext): NetworkNamespace {
	const host = new NetworkNamespace(t);
	host.run('ip', 'link', 'add', 'outside', 'type', 'bridge');
	host.run('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'outside');
	host.run('ip', '-6', 'address', 'add', '2001:db8::1/64', 'dev', 'outside', 'nodad');
	host.run('ip', 'link', 'set', 'outside', 'up');
	return host;
}

interface Entry {
	protocol?: 'udp' | 'tcp';
	from: string;
	to: string;
	port: number;
	/** Where it was translated to. */
	server?: string;
	serverPort?: number;
}

/** Makes an entry of the kernel's table. */
function track(host: NetworkNamespace, entry: Entry): void {
	const {protocol = 'udp', from, to, port, server = to, serverPort = port} = entry;
	const reply = ['--reply-src', server, '--reply-dst', from];
	const state = protocol === 'tcp' ? ['--state', 'ESTABLISHED'] : [];
	const ports = ['--sport', '40000', '--dport', String(port)];
	const replyPorts = ['--reply-port-src', String(serverPort), '--reply-port-dst', '40000'];
	host.run(
		...['conntrack', '-I', '-p', protocol, '-s', from, '-d', to, ...reply, ...ports, ...replyPorts],
		...[...state, '-t', '120'],
	);
}

/** `destination:port server` of the entries. */
function tracked(host: NetworkNamespace): string[] {
	const families = [host.run('conntrack', '-L', '-f', 'ipv4'), host.run('conntrack', '-L', '-f', 'ipv6')];
	return families
		.join('')
		.trim()
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => {
			const [source] = /(?<=src=)\S+/.exec(line)!;
			const [destination] = /(?<=dst=)\S+/.exec(line)!;
			const [port] = /(?<=dport=)\S+/.exec(line)!;
			return `${line.split(' ')[0]} ${source} ${destination} ${port}`;
		})
		.sort();
}

async function run(t: ExecutionContext, host: NetworkNamespace, setup: Op[]): Promise<void> {
	const box = new Container(t, {argv: ['/bin/true'], host, setup});
	const starter = await box.start();
	await starter.exit;
	t.is((await box.ended()).error, '');
}

const entries: readonly Entry[] = [
	{from: '192.0.2.9', to: '192.0.2.1', port: 80, server: '172.16.0.2', serverPort: 8080},
	{from: '192.0.2.9', to: '192.0.2.1', port: 81},
	{from: '192.0.2.9', to: '127.0.0.1', port: 80},
	// From a container to port 80 elsewhere.
	{from: '172.16.0.2', to: '198.51.100.7', port: 80},
	{from: '172.16.0.3', to: '198.51.100.7', port: 80},
	{protocol: 'tcp', from: '192.0.2.9', to: '192.0.2.1', port: 80},
	{protocol: 'tcp', from: '192.0.2.9', to: '192.0.2.1', port: 443, server: '172.16.0.2', serverPort: 8443},
	{from: '2001:db8::9', to: '2001:db8::1', port: 80},
	{from: '2001:db8::9', to: '2001:db8::1', port: 81},
];
const lines = (wanted: readonly Entry[]): string[] =>
	wanted.map(({protocol = 'udp', from, to, port}) => `${protocol} ${from} ${to} ${port}`).sort();
const without = (...indexes: number[]): string[] =>
	lines(entries.filter((_, index) => !indexes.includes(index)));

for (const [how, padding] of [
	['a few', 0],
	// More than the kernel is asked to look for one by one.
	['many', 30],
] as const) {
	test(`connections to ${how} published ports and addresses are forgotten, others stay`, async (t) => {
		const more = Array.from({length: padding}, (_, index) => forget(udp, Buffer.of(203, 0, 113, index), 9));
		const check = async (what: Op, left: string[]): Promise<void> => {
			const host = trackingHost(t);
			for (const entry of entries) track(host, entry);
			t.is(tracked(host).length, entries.length);
			await run(t, host, [...more, what]);
			t.deepEqual(tracked(host), left);
		};
		const own = Buffer.of(192, 0, 2, 1);
		await check(forget(udp, own, 80), without(0));
		await check(forget(tcp, own, 80), without(5));
		await check(forget(0, own, 80), without(0, 5));
		// Every address of the host, but nobody else's port 80.
		await check(forget(udp, none, 80), without(0, 2, 7));
		await check(forget(udp, Buffer.alloc(4), 80), without(0, 2));
		await check(forget(udp, Buffer.alloc(16), 80), without(7));
		// A container's address: what came to it and what it began.
		await check(forget(0, Buffer.of(172, 16, 0, 2), 0), without(0, 3, 6));
		await check(forget(udp, Buffer.of(172, 16, 0, 2), 8080), without(0));
		await check(forget(0, Buffer.from('20010db8000000000000000000000009', 'hex'), 0), without(7, 8));
	});
}

test('where no connections are tracked there is nothing to forget', async (t) => {
	const host = new NetworkNamespace(t);
	await run(t, host, [forget(udp, none, 80), forget(0, Buffer.of(1, 2, 3), 0)]);
	t.deepEqual(tracked(host), []);
});
