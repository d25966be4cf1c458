/** Which ports of the host a container gets: those that it names, or ones that are free. */
import {createSocket} from 'node:dgram';
import {existsSync} from 'node:fs';
import {createServer} from 'node:net';
import {isErrno, WherryError} from '../errors.ts';
import {hasHostPort, type Protocol, type PublishedRange, portAt} from './port-ranges.ts';
import {clash, everywhere, isFixed, type WantedPorts} from './ports.ts';

export const hostHasIpv6 = (): boolean => existsSync('/proc/net/if_inet6');

/** RFC 6335, section 6: where dynamic ports begin. */
const firstDynamic = 49_152;

/** Binds for a moment. The port that it got, or undefined when it is taken. */
async function probe(protocol: Protocol, host: string, port: number): Promise<number | undefined> {
	// Node has no sockets for it; whether the port is free is seen when it is bound.
	if (protocol === 'sctp') return port || firstDynamic + Math.floor(Math.random() * (65_536 - firstDynamic));
	return new Promise((resolve, reject) => {
		const failed = (error: Error) =>
			isErrno(error, 'EADDRINUSE', 'EACCES') ? resolve(undefined) : reject(error);
		const ipv6Only = host.includes(':');
		if (protocol === 'tcp') {
			const server = createServer();
			server.once('error', failed);
			server.listen({port, host, ipv6Only, exclusive: true}, () => {
				const {port: got} = server.address() as {port: number};
				server.close(() => resolve(got));
			});
			return;
		}
		const socket = createSocket({type: ipv6Only ? 'udp6' : 'udp4', ipv6Only});
		socket.once('error', failed);
		socket.bind({port, address: host, exclusive: true}, () => {
			const {port: got} = socket.address();
			socket.close(() => resolve(got));
		});
	});
}

const attempts = 20;

/** A free port for all of the addresses at once. */
async function choosePort(
	wanted: WantedPorts,
	ips: readonly string[],
	taken: readonly PublishedRange[],
	before: number,
): Promise<number> {
	const isTaken = (port: number) =>
		taken.some(
			(other) =>
				hasHostPort(other, port) && ips.some((hostIp) => clash(other, {protocol: wanted.protocol, hostIp})),
		);
	const free = async (port: number): Promise<number | undefined> => {
		const got = await probe(wanted.protocol, ips[0]!, port);
		if (got === undefined || isTaken(got)) return undefined;
		for (const ip of ips.slice(1))
			if ((await probe(wanted.protocol, ip, got)) === undefined) return undefined;
		return got;
	};
	const candidates = function* (): Generator<number> {
		if (before >= wanted.from && (wanted.to === 0 || before <= wanted.to)) yield before;
		if (wanted.to === 0) for (let attempt = 0; attempt < attempts; attempt++) yield 0;
		else for (let port = wanted.from; port <= wanted.to; port++) yield port;
	};
	for (const candidate of candidates()) {
		const port = await free(candidate);
		if (port !== undefined) return port;
	}
	throw wanted.to === 0
		? new WherryError('exhausted', 'no free port of the host was found')
		: new WherryError('conflict', 'all ports are allocated', {object: String(wanted.from), exitCode: 125});
}

/** `before`: what the container had; its chosen ports are kept while they are free. */
export async function choosePorts(
	wanted: readonly WantedPorts[],
	options: {hostBinding: string; before: readonly PublishedRange[]; taken?: readonly PublishedRange[]},
): Promise<PublishedRange[]> {
	const published: PublishedRange[] = [];
	const binding = everywhere(options.hostBinding) ? '' : options.hostBinding;
	// As `inspect` shows them.
	const allIps = binding !== '' ? [binding] : hostHasIpv6() ? ['0.0.0.0', '::'] : ['0.0.0.0'];
	const chosenBefore = (protocol: Protocol, containerPort: number, hostIp: string): number =>
		options.before
			.filter((range) => range.chosen && range.hostIp === hostIp)
			.map((range) => portAt(range, protocol, containerPort)?.hostPort)
			.find((port) => port !== undefined) ?? -1;
	for (const ports of wanted) {
		const {protocol, from, count} = ports;
		const ips = ports.hostIp ? [ports.hostIp] : allIps;
		if (isFixed(ports)) {
			const {containerPort} = ports;
			for (const hostIp of ips) published.push({protocol, containerPort, hostIp, hostPort: from, count});
			continue;
		}
		for (let step = 0; step < count; step++) {
			const containerPort = ports.containerPort + step;
			const hostPort = await choosePort(
				ports,
				ips,
				[...published, ...(options.taken ?? [])],
				chosenBefore(protocol, containerPort, ips[0]!),
			);
			for (const hostIp of ips)
				published.push({protocol, containerPort, hostIp, hostPort, count: 1, chosen: true});
		}
	}
	return published;
}
