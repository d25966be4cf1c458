import test from 'ava';
import {rangesText} from '../../src/engine/networks/port-ranges.ts';
import {request} from '../../src/runtime/monitor-protocol.ts';
import {encodePlan} from '../../src/runtime/plan/encode.ts';
import type {Op} from '../../src/runtime/plan/ops.ts';
import {Container, until} from './monitor-container.ts';
import {NetworkNamespace} from './network-namespace.ts';

const tcp = 6;
const udp = 17;
const any4 = Buffer.alloc(4);
const any6 = Buffer.alloc(16);
const loopback4 = Buffer.of(127, 0, 0, 1);

const reserve = (protocol: number, address: Buffer, port: number, count = 1): Op => ({
	op: 'reservePorts',
	protocol,
	address,
	ports: rangesText(Array.from({length: count}, (_, index) => ({from: port + index, to: 80, count: 1}))),
});

function releasePayload(protocol: number, address: Buffer, port: number): Buffer {
	const out = Buffer.alloc(4);
	out[0] = protocol;
	out[1] = address.length;
	out.writeUInt16LE(port, 2);
	return Buffer.concat([out, address]);
}

type Bind = readonly [protocol: number, address: string, port: number, reuse?: boolean];

/** Tries to bind, one after the other, in a namespace: for each `bound` or the name of the error. */
function tryBinds(host: NetworkNamespace, binds: readonly Bind[]): string[] {
	const script = `
import errno, json, socket, sys
for protocol, address, port, *reuse in json.loads(sys.argv[1]):
    s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET,
                      socket.SOCK_STREAM if protocol == 6 else socket.SOCK_DGRAM)
    if reuse and reuse[0]:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        s.bind((address, port))
        if protocol == 6: s.listen()
        print('bound')
    except OSError as e:
        print(errno.errorcode[e.errno])
    s.close()`;
	return host.run('python3', '-c', script, JSON.stringify(binds)).trim().split('\n');
}
const tryBind = (host: NetworkNamespace, ...bind: Bind): string => tryBinds(host, [bind])[0]!;

test('a reserved port is closed to other programs whatever options they set, until the container ends', async (t) => {
	const host = new NetworkNamespace(t);
	const box = new Container(t, {
		argv: ['/bin/sleep', '1000'],
		host,
		network: [
			reserve(tcp, any4, 8080),
			reserve(tcp, loopback4, 8081),
			reserve(tcp, any6, 8082),
			reserve(udp, any4, 8083),
			reserve(udp, any6, 8084),
		],
	});
	await box.start();
	const taken = (reuse: boolean): Bind[] => [
		[tcp, '0.0.0.0', 8080, reuse],
		[tcp, '127.0.0.1', 8080, reuse],
		[tcp, '::', 8080, reuse],
		[tcp, '0.0.0.0', 8081, reuse],
		[tcp, '::', 8082, reuse],
		[udp, '0.0.0.0', 8083, reuse],
		[udp, '::1', 8084, reuse],
	];
	t.deepEqual(
		tryBinds(host, [...taken(false), ...taken(true)]),
		Array.from({length: 14}, () => 'EADDRINUSE'),
	);
	// Neither the other family nor the other protocol.
	const free: Bind[] = [
		[tcp, '0.0.0.0', 8082],
		[udp, '0.0.0.0', 8080],
		[tcp, '127.0.0.2', 8081],
	];
	t.deepEqual(tryBinds(host, free), ['bound', 'bound', 'bound']);
	// Nobody answers there: a connection is refused at once.
	t.is(
		await host.node(`
import {connect} from 'node:net';
connect(8080, '127.0.0.1').on('error', (error) => console.log(error.code));`),
		'ECONNREFUSED\n',
	);
	t.is((await box.stop(0)).code, 137);
	t.deepEqual(
		tryBinds(host, [...taken(false), ...taken(true)]),
		Array.from({length: 14}, () => 'bound'),
	);
});

test('a taken port fails the start with its address, and what was reserved before is free again', async (t) => {
	const host = new NetworkNamespace(t);
	await host.server(`
import {createServer} from 'node:net';
createServer().listen(8080, '127.0.0.1', () => console.log('ready'))`);
	for (const [address, port, message] of [
		[any4, 8080, 'failed to bind host port 0.0.0.0:8080/tcp: address already in use'],
		[loopback4, 8080, 'failed to bind host port 127.0.0.1:8080/tcp: address already in use'],
		[
			Buffer.of(192, 0, 2, 1),
			80,
			'failed to bind host port 192.0.2.1:80/tcp: cannot assign requested address',
		],
	] as const) {
		const box = new Container(t, {
			argv: ['/bin/true'],
			host,
			network: [reserve(tcp, any4, 8079), reserve(udp, any6, 8079), reserve(tcp, address, port)],
		});
		await t.throwsAsync(box.start(), {message});
		t.like(await box.ended(), {status: 'created', exitCode: 125, error: message});
		const freed = tryBinds(host, [
			[tcp, '0.0.0.0', 8079],
			[udp, '::', 8079],
		]);
		t.deepEqual(freed, ['bound', 'bound']);
	}
});

test('connections of a server that has just ended do not keep its port from being published', async (t) => {
	const host = new NetworkNamespace(t);
	await host.node(`
import {connect, createServer} from 'node:net';
const server = createServer((s) => s.end()).listen(8080, () => {
	connect(8080, '127.0.0.1').resume().on('close', () => server.close());
});`);
	t.regex(host.run('ss', '-tan'), /TIME-WAIT.*:8080/);
	t.is(tryBind(host, tcp, '0.0.0.0', 8080), 'EADDRINUSE');
	const box = new Container(t, {
		argv: ['/bin/sleep', '1000'],
		host,
		network: [reserve(tcp, any4, 8080)],
	});
	await box.start();
	const others: Bind[] = [
		[tcp, '0.0.0.0', 8080, true],
		[tcp, '127.0.0.1', 8080, true],
	];
	t.deepEqual(tryBinds(host, others), ['EADDRINUSE', 'EADDRINUSE']);
	// The socket listens no more.
	t.is(host.run('ss', '-tlnH'), '');
	await box.stop(0);
});

test('thousands of ports are reserved, and the command has the limits that it would have without', async (t) => {
	const host = new NetworkNamespace(t);
	const count = 3000;
	const box = new Container(t, {
		argv: ['/bin/sh', '-c', 'ulimit -n; ulimit -Hn; exec sleep 1000'],
		host,
		network: [reserve(tcp, any4, 20000, count)],
	});
	const starter = await box.start();
	await until('both limits', () => starter.text.split('\n').length === 3);
	t.is(starter.text, host.run('sh', '-c', 'ulimit -n; ulimit -Hn'));
	t.is(tryBind(host, tcp, '0.0.0.0', 20000 + count - 1), 'EADDRINUSE');
	const exec = await box.exec(['/bin/sh', '-c', 'ulimit -n; ulimit -Hn']);
	await exec.exit;
	t.is(exec.text, starter.text);
	await box.stop(0);
	t.is(tryBind(host, tcp, '0.0.0.0', 20000), 'bound');
});

test('ports never take the last descriptors, which the container needs', async (t) => {
	const host = new NetworkNamespace(t);
	const limited = Object.create(host, {
		prefix: {value: [...host.prefix, 'prlimit', '--nofile=256:256']},
	}) as NetworkNamespace;
	const box = new Container(t, {
		argv: ['/bin/sleep', '1000'],
		host: limited,
		network: [reserve(tcp, any4, 20000, 150)],
	});
	await box.start();
	const more = await box.ask(request.network, encodePlan({network: [reserve(tcp, any4, 30000, 100)]}));
	await t.throwsAsync(more.ok, {
		message: /^failed to bind host port 0\.0\.0\.0:300\d\d\/tcp: too many open files$/,
	});
	t.is(tryBind(host, tcp, '0.0.0.0', 30000), 'bound');
	const exec = await box.exec(['/bin/echo', 'fine']);
	await exec.exit;
	t.is(exec.text, 'fine\n');
	await box.stop(0);
});

test('ports come and go while the container runs', async (t) => {
	const host = new NetworkNamespace(t);
	const box = new Container(t, {argv: ['/bin/sleep', '1000'], host});
	await box.start();
	const publish = (...network: Op[]) => box.ask(request.network, encodePlan({network}));
	t.deepEqual(await (await publish(reserve(tcp, any4, 8080), reserve(udp, any4, 8080))).ok, {});
	t.is(tryBind(host, tcp, '0.0.0.0', 8080), 'EADDRINUSE');
	const failing = await publish(reserve(tcp, any4, 8081), reserve(tcp, any4, 8080));
	await t.throwsAsync(failing.ok, {
		message: 'failed to bind host port 0.0.0.0:8080/tcp: address already in use',
	});
	const binds: Bind[] = [
		[tcp, '0.0.0.0', 8081],
		[udp, '0.0.0.0', 8080],
		[tcp, '0.0.0.0', 8080],
	];
	t.deepEqual(tryBinds(host, binds), ['bound', 'EADDRINUSE', 'EADDRINUSE']);
	const release = await box.ask(request.releasePort, releasePayload(tcp, any4, 8080));
	t.deepEqual(await release.ok, {});
	t.deepEqual(tryBinds(host, binds), ['bound', 'EADDRINUSE', 'bound']);
	// Several at once.
	t.deepEqual(await (await publish(reserve(tcp, any4, 8080, 3), reserve(tcp, any6, 8080))).ok, {});
	const several = [
		releasePayload(tcp, any4, 8081),
		releasePayload(udp, any4, 8080),
		releasePayload(tcp, any4, 8080),
	];
	t.deepEqual(await (await box.ask(request.releasePort, Buffer.concat(several))).ok, {});
	t.deepEqual(tryBinds(host, binds), ['bound', 'bound', 'bound']);
	t.is(tryBind(host, tcp, '0.0.0.0', 8082), 'EADDRINUSE');
	// What is not held is not missed; what is no port is refused.
	t.deepEqual(await (await box.ask(request.releasePort, releasePayload(tcp, any4, 9))).ok, {});
	await t.throwsAsync((await box.ask(request.releasePort, releasePayload(1, any4, 9))).ok, {
		message: /protocol 1/,
	});
	await t.throwsAsync((await box.ask(request.releasePort, Buffer.of(6, 16, 1, 1, 0))).ok);
	await t.throwsAsync((await box.ask(request.network, 'no plan')).ok, {
		message: 'malformed plan: not a plan',
	});
	await t.throwsAsync((await box.ask(request.releasePort, '')).ok);
	for (const ports of ['', '0:1', '80', '80:', '80:80,', '80:65536', '9-8:1', '1-3:1-2', 'x:1', '1:1;2:2']) {
		const refused = await publish({op: 'reservePorts', protocol: tcp, address: any4, ports});
		await t.throwsAsync(refused.ok, {message: /^ports /}, ports);
	}
	await t.throwsAsync((await publish({op: 'reservePorts', protocol: tcp, address: '', ports: '1:1'})).ok);
	t.is(box.state().status, 'running');
	await box.stop(0);
});
