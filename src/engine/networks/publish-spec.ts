/**
 * What users write after `-p`: `[[address:][port]:]port[/protocol]`, ranges, and the long form
 * `published=8080,target=80`; in docker's rules and words (go-connections, nat.ParsePortSpec). Pure.
 */
import {isIP} from 'node:net';
import type {HostConfig} from '../api.ts';
import {WherryError} from '../errors.ts';

type Bindings = HostConfig['PortBindings'];

const fail = (message: string): never => {
	throw new WherryError('invalid', message);
};

function portRange(text: string, error: string): [first: number, last: number] {
	const match = /^(\d+)(?:-(\d+))?$/.exec(text);
	const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
	if (!match || first > 65_535 || last > 65_535 || last < first) fail(error);
	return [first, last];
}

/** Everything before the last two colons is the address, which may itself have some. */
function splitParts(text: string): [ip: string, hostPort: string, containerPort: string] {
	const parts = text.split(':');
	const containerPort = parts.pop()!;
	const hostPort = parts.pop() ?? '';
	return [parts.join(':'), hostPort, containerPort];
}

function longForm(text: string): string {
	const fields: Record<string, string> = {};
	for (const field of text.split(',')) {
		const [key = '', value] = field.split('=') as [string, string?];
		if (value === undefined) fail(`invalid field ${field}`);
		fields[key] = value!;
	}
	return `${fields.published ?? ''}:${fields.target ?? ''}${fields.protocol ? `/${fields.protocol}` : ''}`;
}

/** One `-p`. */
export function parsePublish(given: string): {key: string; HostIp: string; HostPort: string}[] {
	const text = given.includes('=') ? longForm(given) : given;
	const [rawIp, hostPort, portAndProtocol] = splitParts(text);
	const [containerPort = '', protocolText] = portAndProtocol.split('/') as [string, string?];
	const protocol = protocolText || 'tcp';
	const ip = rawIp.replace(/^\[(.*)\]$/, '$1');
	if (ip !== '' && (!isIP(ip) || ip.includes('%'))) fail(`Invalid ip address: ${ip}`);
	if (containerPort === '') fail(`No port specified: ${text}<empty>`);
	const [first, last] = portRange(containerPort, `Invalid containerPort: ${containerPort}`);
	const host = hostPort === '' ? undefined : portRange(hostPort, `Invalid hostPort: ${hostPort}`);
	if (host && last !== first && last - first !== host[1] - host[0]) {
		fail(`Invalid ranges specified for container and host Ports: ${containerPort} and ${hostPort}`);
	}
	const name = protocol.toLowerCase();
	if (!['tcp', 'udp', 'sctp'].includes(name)) fail(`Invalid proto: ${protocol}`);
	return Array.from({length: last - first + 1}, (_, offset) => {
		// One port of the container for a range of the host: any that is free.
		const range = host && first === last && host[0] !== host[1] ? `-${host[1]}` : '';
		return {
			key: `${first + offset}/${name}`,
			HostIp: ip,
			HostPort: host ? `${host[0] + offset}${range}` : '',
		};
	});
}

/** All `-p` of a command line, as HostConfig has them. Each port is exposed, too: its keys. */
export function publishBindings(texts: readonly string[]): Bindings {
	const bindings: Bindings = {};
	for (const {key, HostIp, HostPort} of texts.flatMap(parsePublish)) {
		bindings[key] = [...(bindings[key] ?? []), {HostIp, HostPort}];
	}
	return bindings;
}
