import {once} from 'node:events';
import {existsSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {request} from '../../src/runtime/monitor-protocol.ts';
import {encodePlan} from '../../src/runtime/plan/encode.ts';
import type {Op} from '../../src/runtime/plan/ops.ts';
import {Container} from './monitor-container.ts';
import {NetworkNamespace} from './network-namespace.ts';

const everyAddress = Buffer.alloc(0);
const name = `looptest_${process.pid % 100_000}`;

// One for all that share the name.
const lock = join(tmpdir(), `${name}.lock`);
test.after.always(() => rmSync(lock, {force: true}));

/** Ports from `first` on lead to 10.9.0.N, one port each for the target's 7000. */
const led = (target: number, ports = '8080:7000') => ({
	name,
	address: everyAddress,
	toAddress: Buffer.of(10, 9, 0, target),
	ports,
});

/** A client: where it goes, and what its socket has been told before. What it then has at its ends, or the error. */
const client = `
import errno, json, socket, sys
to, port, options = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
s = socket.socket(socket.AF_INET6 if ':' in to else socket.AF_INET)
s.settimeout(5)
if options.get('freebind'): s.setsockopt(socket.SOL_IP, 15, 1)
if options.get('only6'): s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
if 'device' in options: s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, options['device'].encode())
if 'bound' in options: s.bind(tuple(options['bound']))
try:
	s.connect((to, port))
	print(json.dumps({'from': s.getsockname()[0], 'to': s.getpeername()[0], 'port': s.getpeername()[1], 'answer': s.recv(100).decode()}))
except OSError as error:
	print(json.dumps({'error': errno.errorcode.get(error.errno, str(error))}))
`;
interface ClientOptions {
	freebind?: boolean;
	only6?: boolean;
	device?: string;
	bound?: [string, number];
}

/** Tells whoever comes to port 7000 which addresses the connection has. */
const server = `
import {createServer} from 'node:net';
createServer((socket) => socket.end(socket.localAddress + ' ' + socket.remoteAddress))
	.listen(7000, '0.0.0.0', () => console.log('listens'));
`;

/** A host with two more addresses. */
function start(t: ConstructorParameters<typeof Container>[0]) {
	const host = new NetworkNamespace(t);
	const box = new Container(t, {argv: ['/bin/sleep', '1000'], host, network: []});
	for (const address of ['10.9.0.1', '10.9.0.2']) host.run('ip', 'addr', 'add', `${address}/32`, 'dev', 'lo');
	const run = async (...network: Op[]) => (await box.ask(request.network, encodePlan({network}))).ok;
	const publish = (...args: Parameters<typeof led>) => run({op: 'leadPorts', ...led(...args), lock});
	const unpublish = (...args: Parameters<typeof led>) => run({op: 'unleadPorts', ...led(...args)});
	/** The address at which a client of 127.0.0.1 arrives, or the error's code. */
	const arrives = (port: number) =>
		host.node(`
import {connect, createServer} from 'node:net';
const server = createServer((socket) => {
	process.stdout.write(socket.localAddress);
	socket.destroy();
	server.close();
}).listen(7000, '0.0.0.0', () => connect(${port}, '127.0.0.1').on('error', (error) => {
	if (error.code !== 'ECONNRESET') process.stdout.write(error.code);
	server.close();
}).resume());`);
	const connects = (to: string, port: number, options: ClientOptions = {}) =>
		JSON.parse(host.run('python3', '-c', client, to, String(port), JSON.stringify(options))) as object;
	return {host, box, run, publish, unpublish, arrives, connects};
}

test('ports of the loopback are led, to another place, and no more', async (t) => {
	const {box, publish, unpublish, arrives} = start(t);
	await box.start();
	t.is(await arrives(8080), 'ECONNREFUSED');
	await publish(1, '8080:7000,9000-9001:7000');
	for (const port of [8080, 9000, 9001]) t.is(await arrives(port), '10.9.0.1', String(port));
	t.is(await arrives(9002), 'ECONNREFUSED');
	await publish(2);
	t.is(await arrives(8080), '10.9.0.2');
	// It leads elsewhere by now.
	await unpublish(1);
	t.is(await arrives(8080), '10.9.0.2');
	await unpublish(2);
	await unpublish(2);
	t.is(await arrives(8080), 'ECONNREFUSED');
	t.is(await arrives(9000), '10.9.0.1');
	await box.stop(0);
	t.is(await arrives(9000), 'ECONNREFUSED');
});

test('clients of an address of the host are led from there, and see what they asked for', async (t) => {
	const {host, box, publish, run, connects} = start(t);
	await box.start();
	await host.server(server);
	await publish(1);
	for (const at of ['10.9.0.1', '10.9.0.2']) {
		const ends = {from: at, to: at, port: 8080, answer: `10.9.0.1 ${at}`};
		t.deepEqual(connects(at, 8080), ends);
		const mapped = `::ffff:${at}`;
		t.deepEqual(connects(mapped, 8080), {...ends, from: mapped, to: mapped});
	}
	t.like(connects('127.0.0.1', 8080), {to: '127.0.0.1', answer: '10.9.0.1 10.9.0.1'});
	t.deepEqual(connects('10.9.0.1', 8081), {error: 'ECONNREFUSED'});
	// One address alone, which the host has, had, or never had.
	for (const [address, port] of [
		['10.9.0.2', 8081],
		['10.9.0.3', 8082],
		['10.9.0.4', 8083],
	] as const) {
		if (port === 8082) host.run('ip', 'addr', 'add', `${address}/32`, 'dev', 'lo');
		const bytes = Buffer.from(address.split('.').map(Number));
		await run({op: 'leadPorts', ...led(1, `${port}:7000`), address: bytes, lock});
	}
	t.like(connects('10.9.0.2', 8081), {to: '10.9.0.2', answer: '10.9.0.1 10.9.0.2'});
	t.deepEqual(connects('10.9.0.1', 8081), {error: 'ECONNREFUSED'});
	t.deepEqual(connects('127.0.0.1', 8081), {error: 'ECONNREFUSED'});
	t.like(connects('10.9.0.3', 8082), {answer: '10.9.0.1 10.9.0.3'});
	host.run('ip', 'addr', 'del', '10.9.0.3/32', 'dev', 'lo');
	t.deepEqual(connects('10.9.0.3', 8082), {error: 'ENETUNREACH'});
	t.deepEqual(connects('10.9.0.4', 8083), {error: 'ENETUNREACH'});
	// From a second address of a subnet, as from the first one.
	host.run('ip', 'link', 'add', 'many', 'type', 'bridge');
	for (const each of ['10.7.0.1/24', '10.7.0.2/24']) host.run('ip', 'addr', 'add', each, 'dev', 'many');
	host.run('ip', 'link', 'set', 'many', 'up');
	t.like(connects('10.7.0.2', 8080), {from: '10.7.0.2', answer: '10.9.0.1 10.7.0.2'});
	await box.stop(0);
});

test('who goes elsewhere, or has a way of its own, is not led', async (t) => {
	const {host, box, publish, connects} = start(t);
	const neighbour = new NetworkNamespace(t);
	host.run('ip', 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'end', 'netns', neighbour.path);
	for (const [namespace, device, address] of [
		[host, 'cable', '10.8.0.1/24'],
		[neighbour, 'end', '10.8.0.2/24'],
	] as const) {
		namespace.run('ip', 'addr', 'add', address, 'dev', device);
		namespace.run('ip', 'link', 'set', device, 'up');
	}
	await neighbour.server(server.replace('7000', '8080'));
	await host.server(server);
	await box.start();
	const refused = {error: 'ECONNREFUSED'};
	// What the kernel says to those of whom nothing is published.
	const nowhere = ['224.0.0.1', '255.255.255.255', '0.0.0.1'].flatMap((to) => [to, `::ffff:${to}`]);
	const unled = nowhere.map((to) => connects(to, 8080));
	await publish(1);
	t.deepEqual(
		nowhere.map((to) => connects(to, 8080)),
		unled,
	);
	t.like(connects('10.8.0.1', 8080), {answer: '10.9.0.1 10.8.0.1'});
	t.deepEqual(connects('10.8.0.1', 8080, {bound: ['10.8.0.1', 0]}), refused);
	t.deepEqual(connects('10.8.0.1', 8080, {bound: ['0.0.0.0', 0]}), refused);
	t.deepEqual(connects('10.9.0.1', 8080, {device: 'lo'}), refused);
	t.deepEqual(connects('10.8.0.1', 8080, {freebind: true}), refused);
	t.deepEqual(connects('::ffff:10.8.0.1', 8080, {freebind: true}), refused);
	t.deepEqual(connects('::ffff:10.8.0.1', 8080, {bound: ['::', 0]}), refused);
	t.deepEqual(connects('::ffff:10.8.0.1', 8080, {only6: true}), {error: 'ENETUNREACH'});
	const theirs = {from: '10.8.0.1', to: '10.8.0.2', port: 8080, answer: '10.8.0.2 10.8.0.1'};
	const mapped = {...theirs, from: '::ffff:10.8.0.1', to: '::ffff:10.8.0.2'};
	for (const nonlocal of ['0', '1']) {
		host.run('sh', '-c', `echo ${nonlocal} > /proc/sys/net/ipv4/ip_nonlocal_bind`);
		t.deepEqual(connects('10.8.0.2', 8080), theirs, nonlocal);
		t.deepEqual(connects('10.8.0.2', 8080, {freebind: true}), theirs, nonlocal);
		t.deepEqual(connects('::ffff:10.8.0.2', 8080), mapped, nonlocal);
		t.deepEqual(connects('::ffff:10.8.0.2', 8080, {freebind: true}), mapped, nonlocal);
	}
	// Then nobody knows what is local.
	t.deepEqual(connects('10.8.0.1', 8080), refused);
	t.like(connects('127.0.0.1', 8080), {answer: '10.9.0.1 10.9.0.1'});
	await box.stop(0);
});

test('where the kernel refuses, and for more ports than it has room for, a container runs all the same', async (t) => {
	const {box, run, arrives} = start(t);
	// Of its own: it fills what all of a name share.
	const name = `full${process.pid % 100_000}`;
	await box.start();
	// No name that the kernel takes.
	t.deepEqual(await run({op: 'leadPorts', ...led(1), name: 'no-name', lock}), {});
	t.is(await arrives(8080), 'ECONNREFUSED');
	t.deepEqual(await run({op: 'unleadPorts', ...led(1), name: 'no-name'}), {});
	const all = (target: number) => ({...led(target, '1-65535:7000'), name, lock});
	t.deepEqual(await run({op: 'leadPorts', ...all(1)}), {});
	t.deepEqual(await run({op: 'leadPorts', ...all(2), address: Buffer.of(127, 0, 0, 1)}), {});
	t.is(await arrives(10_000), '10.9.0.1');
	t.is(box.state().status, 'running');
	await box.stop(0);
});

/** bpf(2) for Python: a command with its attributes, and addresses of data. */
const bpf = `
import ctypes, os, platform, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
number = 321 if platform.machine() == 'x86_64' else 280
kept = []
def bpf(command, attributes):
	area = ctypes.create_string_buffer(attributes.ljust(144, b'\\0'), 144)
	kept.append(area)
	fd = libc.syscall(number, command, area, 144)
	if fd < 0: raise OSError(ctypes.get_errno(), command)
	return fd
def pointer(data):
	kept.append(ctypes.create_string_buffer(data, len(data)))
	return ctypes.addressof(kept[-1])
`;

/** Attaches the programs of a name that are at connect(2) once more. Ends with its input. */
const twice = `${bpf}
name, folder = sys.argv[1].encode(), os.open(sys.argv[2], os.O_RDONLY)
def info(fd):
	area = ctypes.create_string_buffer(256)
	bpf(15, struct.pack('IIQ', fd, 256, ctypes.addressof(area)))
	return area.raw
link, links = 0, []
while True:
	try: bpf(31, struct.pack('I', link))
	except OSError: break
	link, = struct.unpack_from('I', kept[-1].raw, 4)
	about = info(bpf(30, struct.pack('I', link)))
	program, = struct.unpack_from('I', about, 8)
	kind, = struct.unpack_from('I', about, 24)
	if struct.unpack_from('I', about)[0] != 3 or kind not in (10, 11): continue
	fd = bpf(13, struct.pack('I', program))
	if info(fd)[64:80].rstrip(b'\\0') == name: links.append((fd, kind))
attached = [bpf(28, struct.pack('IIII', fd, folder, kind, 0)) for fd, kind in links]
print(len(attached), flush=True)
sys.stdin.read()
`;

/**
 * A program of a name at connect(2) in a cgroup of its own, with maps of other sizes or the right ones, as a container
 * with CAP_BPF can make it. Ends with its input.
 */
const impostor = `${bpf}
name, cgroup, key, value = sys.argv[1].encode(), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
ports = bpf(0, struct.pack('IIIII', 1, key, value, 300, 0))
if key == 1:
	for each in range(256):
		bpf(2, struct.pack('IxxxxQQQ', ports, pointer(bytes([each])), pointer(b'x' * value), 0))
# r1 = the map; r0 = 1; exit
code = struct.pack('BBhiBBhi', 0x18, 0x11, 0, ports, 0, 0, 0, 0) + struct.pack('BBhi', 0xb7, 0, 0, 1) + struct.pack('BBhi', 0x95, 0, 0, 0)
program = bpf(5, struct.pack('IIQQIIQII16sII', 18, len(code) // 8, pointer(code), pointer(b'GPL\\0'), 0, 0, 0, 0, 0, name, 0, 10))
os.mkdir(cgroup)
folder = os.open(cgroup, os.O_RDONLY)
link = bpf(28, struct.pack('IIII', program, folder, 10, 0))
print('attached', flush=True)
sys.stdin.read()
os.close(link)
os.close(folder)
os.rmdir(cgroup)
`;

const cgroupRoot = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) =>
	existsSync(join(path, 'cgroup.controllers')),
)!;

test('a client that comes by two sets of programs is led as by one', async (t) => {
	const {host, box, run, connects} = start(t);
	const name = `two${process.pid % 100_000}`;
	await box.start();
	await host.server(server);
	await run({op: 'leadPorts', ...led(1), name, lock});
	const other = host.spawn('python3', '-c', twice, name, cgroupRoot);
	const ended = once(other, 'exit');
	t.is(String((await once(other.stdout!, 'data'))[0]), '2\n');
	for (const at of ['10.9.0.2', '::ffff:10.9.0.2']) {
		t.deepEqual(connects(at, 8080), {from: at, to: at, port: 8080, answer: '10.9.0.1 10.9.0.2'});
	}
	t.like(connects('127.0.0.1', 8080), {to: '127.0.0.1', answer: '10.9.0.1 10.9.0.1'});
	other.stdin!.end();
	t.deepEqual(await ended, [0, null]);
	await box.stop(0);
});

for (const [key, value] of [
	[1, 65_536],
	[16, 8],
] as const) {
	test(`somebody else’s programs of the same name are left alone: ${key} and ${value} bytes`, async (t) => {
		const name = `imp${process.pid % 100_000}_${key}`;
		const {box, host, run, arrives} = start(t);
		const other = host.spawn(
			'python3',
			'-c',
			impostor,
			name,
			join(cgroupRoot, name),
			String(key),
			String(value),
		);
		const ended = once(other, 'exit');
		t.is(String((await once(other.stdout!, 'data'))[0]), 'attached\n');
		await box.start();
		t.deepEqual(await run({op: 'leadPorts', ...led(1), name, lock}), {});
		t.is(await arrives(8080), '10.9.0.1');
		t.deepEqual(await run({op: 'unleadPorts', ...led(1), name}), {});
		t.is(await arrives(8080), 'ECONNREFUSED');
		await box.stop(0);
		other.stdin!.end();
		t.deepEqual(await ended, [0, null]);
	});
}

test('malformed operations are refused', async (t) => {
	const {box, run} = start(t);
	await box.start();
	const operations: Op[] = [
		{op: 'leadPorts', ...led(1), lock, toAddress: Buffer.alloc(16)},
		{op: 'leadPorts', ...led(1), lock, toAddress: Buffer.alloc(0)},
		{op: 'leadPorts', ...led(1), lock, address: Buffer.alloc(16)},
		{op: 'leadPorts', ...led(1), lock, address: Buffer.alloc(3)},
		{op: 'leadPorts', ...led(1, '0:1'), lock},
		{op: 'unleadPorts', ...led(1, '80')},
		{op: 'unleadPorts', ...led(1), toAddress: Buffer.alloc(5)},
	];
	for (const each of operations)
		await t.throwsAsync(run(each), {message: /^(ports|an address) /}, JSON.stringify(each));
	await box.stop(0);
});
