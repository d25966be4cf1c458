/** Networks on an older kernel, whose connection tracking does not delete by a filter (Linux before 6.8). */
import {createSocket} from 'node:dgram';
import {readFileSync} from 'node:fs';
import {connect} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Guest} from './guest.ts';

const tracked = (): number => Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8'));

/** Where the kernel has connected the IPv4 socket of a port to: proc_pid_net(5), numbers in the CPU's order. */
function peerInKernel(port: number): string {
	for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
		const [, local, peer] = line.trim().split(/\s+/);
		if (!peer || Number.parseInt(local!.split(':')[1]!, 16) !== port) continue;
		const [address, at] = peer.split(':').map((part) => Number.parseInt(part, 16));
		const bytes = Buffer.alloc(4);
		bytes.writeUInt32LE(address!);
		return `${bytes.join('.')}:${at}`;
	}
	return 'nowhere';
}

/** A UDP client that never stops sending from one port: what it hears last, by whom. */
function endlessClient(address: string, port: number) {
	const socket = createSocket('udp4');
	const client = {
		last: '',
		end: () => {
			clearInterval(timer);
			socket.close();
		},
	};
	socket.on('message', (message) => {
		client.last = message.toString();
	});
	socket.on('error', () => {});
	const timer = setInterval(() => socket.send('who', port, address), 50);
	return client;
}

export async function checkNetwork({engine, check, equal}: Guest): Promise<void> {
	const {containers, networks} = engine;
	await networks.create({name: 'front', subnets: ['10.77.0.0/24']});

	/** Answers each datagram with its name, and says so once it can. */
	async function server(name: string, address: string): Promise<string> {
		const script = `const s = require('dgram').createSocket('udp4');
			s.on('message', (m, from) => s.send('${name}', from.port, from.address));
			s.bind(53)`;
		const {id} = await containers.create({
			image: 'wherry/base',
			config: {Cmd: ['node', '-e', script], StopSignal: 'SIGKILL'},
			hostConfig: {
				NetworkMode: 'front',
				Binds: ['/bin/node', '/lib', '/lib64'].map((path) => `${path}:${path}:ro`),
				PortBindings: {'53/udp': [{HostIp: '', HostPort: '5353'}]},
			},
			networks: {front: {IPAMConfig: {IPv4Address: address}}},
		});
		await containers.start(id);
		return id;
	}

	await check('a UDP client that never stops reaches the next container of a published port', async () => {
		const clients = [endlessClient('10.77.0.1', 5353), endlessClient('127.0.0.1', 5353)];
		const stays = endlessClient('127.0.0.1', 9);
		const heard = async (name: string): Promise<void> => {
			for (let round = 0; round < 600; round++) {
				if (clients.every(({last}) => last === name)) return;
				await sleep(100);
			}
			throw new Error(`instead of ${name}: ${clients.map(({last}) => last)}`);
		};
		try {
			const first = await server('first', '10.77.0.11');
			await heard('first');
			await containers.remove(first, {force: true});
			// The clients' own entries may come back at once, but none leads to the container that is gone.
			const second = await server('second', '10.77.0.12');
			await heard('second');
			await containers.remove(second, {force: true});
		} finally {
			for (const client of [...clients, stays]) client.end();
		}
	});

	await check('connections of an address that is given back are forgotten, others stay', async () => {
		const {id} = await containers.create({
			image: 'wherry/base',
			config: {Cmd: ['sleep', '1000'], StopSignal: 'SIGKILL'},
			hostConfig: {NetworkMode: 'front'},
			networks: {front: {IPAMConfig: {IPv4Address: '10.77.0.13'}}},
		});
		await containers.start(id);
		const socket = createSocket('udp4');
		const send = (port: number, address: string) =>
			new Promise((resolve) => socket.send('x', port, address, resolve));
		for (let port = 1000; port < 1020; port++) await send(port, '10.77.0.13');
		await send(53, '127.0.0.1');
		const before = tracked();
		if (before < 21) throw new Error(`${before} connections are tracked`);
		await containers.remove(id, {force: true});
		const left = tracked();
		socket.close();
		if (left > before - 20) throw new Error(`${left} of ${before} are left`);
		if (left === 0) throw new Error('all were forgotten');
	});

	await check(
		'clients of the host’s addresses are led into the container as they connect, unless they are bound',
		async () => {
			const [gateway, container] = ['10.77.0.1', '10.77.0.13'];
			const script = "require('net').createServer((s) => s.end(s.remoteAddress)).listen(80)";
			const {id} = await containers.create({
				image: 'wherry/base',
				config: {Cmd: ['node', '-e', script], StopSignal: 'SIGKILL'},
				hostConfig: {
					NetworkMode: 'front',
					Binds: ['/bin/node', '/lib', '/lib64'].map((path) => `${path}:${path}:ro`),
					PortBindings: {'80/tcp': [{HostIp: '', HostPort: '8080'}]},
				},
				networks: {front: {IPAMConfig: {IPv4Address: container}}},
			});
			await containers.start(id);
			/** Of a client: its address, to where it thinks that it has connected, and has, and where the server sees it. */
			const ends = (host: string, localAddress?: string) =>
				new Promise<string[]>((resolve, reject) => {
					let seen = '';
					const socket = connect({host, port: 8080, ...(localAddress ? {localAddress} : {})});
					let own: string[] = [];
					socket.once('connect', () => {
						own = [
							socket.localAddress!,
							`${socket.remoteAddress}:${socket.remotePort}`,
							peerInKernel(socket.localPort!),
						];
					});
					socket.on('data', (data) => {
						seen += data;
					});
					socket.once('error', reject);
					socket.once('close', () => resolve([...own, seen]));
				});
			for (let round = 0; ; round++) {
				try {
					await ends('127.0.0.1');
					break;
				} catch (error) {
					if (round === 600) throw error;
					await sleep(100);
				}
			}
			equal(await ends('127.0.0.1'), [gateway, '127.0.0.1:8080', `${container}:80`, `::ffff:${gateway}`]);
			equal(await ends(gateway), [gateway, `${gateway}:8080`, `${container}:80`, `::ffff:${gateway}`]);
			const proxied = ['127.0.0.1', '127.0.0.1:8080', '127.0.0.1:8080', `::ffff:${gateway}`];
			equal(await ends('127.0.0.1', '127.0.0.1'), proxied);
			const translated = [gateway, `${gateway}:8080`, `${gateway}:8080`, `::ffff:${gateway}`];
			equal(await ends(gateway, gateway), translated);
			await containers.remove(id, {force: true});
		},
	);

	await check('a network leaves nothing', async () => {
		await networks.remove('front');
		const links = readFileSync('/proc/net/dev', 'utf8').match(/^\s*(wh|wy)\w*/gm);
		equal(links, null);
	});
}
