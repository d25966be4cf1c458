import test, {type ExecutionContext} from 'ava';
import {request} from '../../src/runtime/monitor-protocol.ts';
import {encodePlan} from '../../src/runtime/plan/encode.ts';
import type {Op} from '../../src/runtime/plan/ops.ts';
import {Container} from './monitor-container.ts';
import {NetworkNamespace} from './network-namespace.ts';

const [tcp, udp] = [6, 17];
const target = Buffer.of(172, 18, 0, 2);
const any6 = Buffer.alloc(16);

const proxy = (protocol: number, port: number, toPort: number): Op => ({
	op: 'proxyPorts',
	protocol,
	address: any6,
	ports: `${port}:${toPort}`,
	toAddress: target,
});

interface Setup {
	host: NetworkNamespace;
	inside: NetworkNamespace;
	box: Container;
}

/** A container with an IPv4 address only, on a host that has IPv6, too. */
async function start(t: ExecutionContext, network: Op[]): Promise<Setup> {
	const host = new NetworkNamespace(t);
	const box = new Container(t, {argv: ['/bin/sleep', '1000'], host, network});
	await box.start();
	const {pid} = box.state();
	const inside = new NetworkNamespace(t, pid);
	host.run('ip', 'link', 'add', 'outside', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid));
	host.run('ip', 'address', 'add', '172.18.0.1/24', 'dev', 'outside');
	host.run('ip', 'address', 'add', '2001:db8::1/64', 'dev', 'outside', 'nodad');
	host.run('ip', 'link', 'set', 'outside', 'up');
	inside.run('ip', 'address', 'add', '172.18.0.2/24', 'dev', 'eth0');
	inside.run('ip', 'link', 'set', 'eth0', 'up');
	return {host, inside, box};
}

/** A server in the container: what it does follows from the first line that a client sends. */
const tcpServer = (inside: NetworkNamespace) =>
	inside.server(`
import {createHash} from 'node:crypto';
import {createServer} from 'node:net';
createServer({allowHalfOpen: true}, (socket) => {
	const hash = createHash('sha256');
	let first = true;
	let size = 0;
	socket.on('error', () => {});
	socket.on('data', (data) => {
		if (first && data.toString().startsWith('reset')) return socket.resetAndDestroy();
		if (first && data.toString().startsWith('from')) return socket.end(socket.remoteAddress);
		first = false;
		hash.update(data);
		size += data.length;
	});
	socket.on('end', () => socket.end(Buffer.concat([Buffer.from(hash.digest('hex')), Buffer.alloc(size, 'z')])));
}).listen(80, '172.18.0.2', () => console.log('ready'));`);

test('connections over IPv6 are carried to a container without IPv6, whole and in both directions', async (t) => {
	const {host, inside, box} = await start(t, [proxy(tcp, 8080, 80)]);
	await tcpServer(inside);
	const output = await host.node(`
import {createHash} from 'node:crypto';
import {connect} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
const carry = (size, address, slow) => new Promise((resolve, reject) => {
	const hash = createHash('sha256');
	const socket = connect({port: 8080, host: address, allowHalfOpen: true});
	const chunk = Buffer.alloc(65536, 'abcdefg');
	let got = Buffer.alloc(0);
	let length = 0;
	socket.on('error', reject);
	socket.on('data', async (data) => {
		length += data.length;
		if (got.length < 64) got = Buffer.concat([got, data]).subarray(0, 64);
		if (slow && length % 5 === 0) { socket.pause(); await sleep(2); socket.resume(); }
	});
	socket.on('end', () => resolve(got.toString() === hash.digest('hex') && length === 64 + size));
	(async () => {
		for (let sent = 0; sent < size; sent += chunk.length) {
			const part = chunk.subarray(0, Math.min(chunk.length, size - sent));
			hash.update(part);
			if (!socket.write(part)) await new Promise((resolve) => socket.once('drain', resolve));
		}
		socket.end();
	})();
});
const sizes = [0, 1, 65536, 3000000, 20000000];
const results = [];
for (const size of sizes) results.push(await carry(size, '::1', false));
results.push(await carry(6000000, '2001:db8::1', true));
results.push(...await Promise.all(Array.from({length: 100}, (_, index) => carry(index * 3001, '::1', index % 2))));
console.log(results.every((ok) => ok), results.length);`);
	t.is(output, 'true 106\n');
	await box.stop(0);
});

const tryConnect = (host: NetworkNamespace, word: string, address = '::1') =>
	host.node(`
import {connect} from 'node:net';
let text = '';
connect(8080, '${address}', function () { this.write('${word}'); })
	.on('data', (data) => { text += data; })
	.on('error', (error) => { text += error.code; })
	.on('close', () => console.log(text));`);

test('a client sees what the container does to its connection', async (t) => {
	const {host, inside, box} = await start(t, [proxy(tcp, 8080, 80)]);
	// Nobody listens there yet.
	t.is(await tryConnect(host, 'from'), 'ECONNRESET\n');
	await tcpServer(inside);
	t.is(await tryConnect(host, 'reset'), 'ECONNRESET\n');
	t.is(await tryConnect(host, 'from'), '172.18.0.1\n');
	// IPv4 has another way.
	t.is(await tryConnect(host, 'from', '127.0.0.1'), 'ECONNREFUSED\n');
	// A client that goes away is gone for the container, too, and nothing is left of it.
	await host.node(`
import {connect} from 'node:net';
connect(8080, '::1', function () { this.write(Buffer.alloc(3000000), () => {}); setTimeout(() => this.resetAndDestroy(), 50); })
	.on('error', () => {});`);
	t.is(await tryConnect(host, 'from'), '172.18.0.1\n');
	t.is(inside.run('ss', '-tnH', 'state', 'established'), '');
	await box.stop(0);
	t.is(host.run('ss', '-tlnH'), '');
});

test('a proxy for the loopback turns away whoever comes to another address', async (t) => {
	const any4 = Buffer.alloc(4);
	const {host, inside, box} = await start(t, [
		{op: 'proxyLoopback', protocol: tcp, address: any4, ports: '8080:80', toAddress: target},
	]);
	await tcpServer(inside);
	for (const address of ['127.0.0.1', '127.9.9.9'])
		t.is(await tryConnect(host, 'from', address), '172.18.0.1\n');
	t.is(await tryConnect(host, 'from', '172.18.0.1'), 'ECONNRESET\n');
	t.is(await tryConnect(inside, 'from', '172.18.0.1'), 'ECONNRESET\n');
	await box.stop(0);
});

test('more clients than are carried at a time wait for their turn', async (t) => {
	const {host, inside, box} = await start(t, [proxy(tcp, 8080, 80)]);
	await tcpServer(inside);
	const output = await host.node(`
import {connect} from 'node:net';
const count = 1100;
let open = 0;
let answered = 0;
const sockets = [];
const next = () => {
	const socket = connect(8080, '::1').on('error', (error) => { console.log(error.code); process.exit(0); });
	socket.on('connect', () => { if (++open < count) next(); else sockets.forEach((one) => one.write('from')); });
	socket.on('data', () => { if (++answered === count) { console.log('all'); process.exit(0); } });
	sockets.push(socket);
};
next();`);
	t.is(output, 'all\n');
	await box.stop(0);
});

test('datagrams over IPv6 reach the container, and each client gets its own answers from where it sent to', async (t) => {
	const {host, inside, box} = await start(t, [proxy(udp, 8053, 53)]);
	await inside.server(`
import {createSocket} from 'node:dgram';
const socket = createSocket('udp4').on('message', (data, from) => {
	for (let copy = 0; copy < 2; copy++) socket.send(data, from.port, from.address);
});
socket.bind(53, '172.18.0.2', () => console.log('ready'));`);
	const output = await host.node(`
import {createSocket} from 'node:dgram';
const client = (index) => new Promise((resolve) => {
	const socket = createSocket('udp6');
	const to = index % 2 ? '::1' : '2001:db8::1';
	let seen = 0;
	let right = true;
	socket.on('message', (data, from) => {
		right &&= data.length === index * 60 && data.every((byte) => byte === index) && from.address === to && from.port === 8053;
		if (++seen === 4) { socket.close(); resolve(right); }
	});
	const message = Buffer.alloc(index * 60, index);
	socket.send(message, 8053, to, () => socket.send(message, 8053, to));
});
const results = [];
for (let round = 0; round < 5; round++) results.push(...await Promise.all(Array.from({length: 20}, (_, index) => client(index))));
results.push(await client(150));
console.log(results.every((right) => right), results.length);`);
	t.is(output, 'true 101\n');
	await box.stop(0);
});

test('a proxied port is taken, refused when it is taken, and released', async (t) => {
	const {host, box} = await start(t, [proxy(tcp, 8080, 80), proxy(udp, 8080, 80)]);
	const again = async (...network: Op[]) => (await box.ask(request.network, encodePlan({network}))).ok;
	await t.throwsAsync(again(proxy(tcp, 8081, 80), proxy(udp, 8081, 80), proxy(tcp, 8080, 80)), {
		message: 'failed to bind host port [::]:8080/tcp: address already in use',
	});
	await t.throwsAsync(again(proxy(udp, 8080, 80)), {
		message: 'failed to bind host port [::]:8080/udp: address already in use',
	});
	const listening = () => host.run('ss', '-tulnH').trim().split('\n').filter(Boolean).length;
	t.is(listening(), 2);
	const head = (protocol: number) => Buffer.concat([Buffer.of(protocol, 16, 0x90, 0x1f), any6]);
	for (const protocol of [tcp, udp]) await (await box.ask(request.releasePort, head(protocol))).ok;
	t.is(listening(), 0);
	t.deepEqual(await again(proxy(tcp, 8080, 80)), {});
	await box.stop(0);
});
