/** Published ports: docker's bindings, checked, and how they are shown. Pure. */
import type {HostConfig, PortSummary} from '../api.ts';
import {WherryError} from '../errors.ts';
import {parseAddress} from './address.ts';
import type {PublishedPort} from './state.ts';

type Bindings = HostConfig['PortBindings'];

const fail = (message: string): never => {
	throw new WherryError('invalid', message);
};

export type Protocol = PublishedPort['protocol'];

export interface WantedPort {
	protocol: Protocol;
	containerPort: number;
	/** Empty: every address. */
	hostIp: string;
	/** Candidates, first and last; 0 and 0: any. */
	from: number;
	to: number;
}

function portNumber(text: string, what: string): number {
	const port = Number(text);
	if (!/^\d{1,5}$/.test(text) || port > 65_535) fail(`invalid ${what}: ${text}`);
	return port;
}

/** `80/tcp`, protocol optional. */
export function parseContainerPort(key: string): {port: number; protocol: Protocol} {
	const [number = '', protocol = 'tcp'] = key.toLowerCase().split('/') as [string, string?];
	if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') fail(`invalid proto: ${protocol}`);
	const port = portNumber(number, 'containerPort');
	if (port === 0) fail(`invalid containerPort: ${number}`);
	return {port, protocol: protocol as Protocol};
}

/** Throws in docker's words. */
export function wantedPorts(bindings: Bindings | null | undefined): WantedPort[] {
	const wanted: WantedPort[] = [];
	for (const [key, list] of Object.entries(bindings ?? {})) {
		const {port, protocol} = parseContainerPort(key);
		for (const {HostIp, HostPort} of list?.length ? list : [{HostIp: '', HostPort: ''}]) {
			if (HostIp && !parseAddress(HostIp)) fail(`invalid IP address: ${HostIp}`);
			const [from = '', to = from] = (HostPort || '0').split('-') as [string, string?];
			const range = {from: portNumber(from, 'hostPort'), to: portNumber(to, 'hostPort')};
			if (range.to < range.from) fail(`invalid hostPort: ${HostPort}`);
			wanted.push({protocol, containerPort: port, hostIp: HostIp ?? '', ...range});
		}
	}
	return wanted;
}

export const everywhere = (ip: string): boolean => ip === '' || ip === '0.0.0.0' || ip === '::';
const familyOf = (ip: string): 4 | 6 | undefined => (ip === '' ? undefined : ip.includes(':') ? 6 : 4);

/** Whether both want the same port of an address. */
export function clash(
	a: Pick<WantedPort, 'protocol' | 'hostIp'>,
	b: Pick<WantedPort, 'protocol' | 'hostIp'>,
): boolean {
	const [x, y] = [familyOf(a.hostIp), familyOf(b.hostIp)];
	if (a.protocol !== b.protocol || (x && y && x !== y)) return false;
	return everywhere(a.hostIp) || everywhere(b.hostIp) || a.hostIp === b.hostIp;
}

export const displayIp = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip || '0.0.0.0');

export function allocatedError(hostIp: string, port: number): WherryError {
	return new WherryError(
		'conflict',
		`Bind for ${displayIp(hostIp)}:${port} failed: port is already allocated`,
		{
			object: String(port),
			exitCode: 125,
		},
	);
}

/** A port that one container wants twice. docker sees it when the container is started. */
export function checkTwice(wanted: readonly WantedPort[]): void {
	const byPort = new Map<number, WantedPort | WantedPort[]>();
	for (const port of wanted) {
		if (port.from === 0 || port.from !== port.to) continue;
		const there = byPort.get(port.from);
		if (!there) {
			byPort.set(port.from, port);
			continue;
		}
		const others = Array.isArray(there) ? there : [there];
		if (others.some((other) => clash(other, port))) throw allocatedError(port.hostIp, port.from);
		byPort.set(port.from, [...others, port]);
	}
}

/** With -P every exposed port that is not published already. */
export function withExposed(
	bindings: Bindings | null | undefined,
	exposed: Record<string, object> | undefined,
): Bindings {
	const all: Bindings = {...bindings};
	for (const key of Object.keys(exposed ?? {})) {
		const {port, protocol} = parseContainerPort(key);
		const name = `${port}/${protocol}`;
		if (!all[name]?.length) all[name] = [{HostIp: '', HostPort: ''}];
	}
	return all;
}

/** docker's NetworkSettings.Ports: exposed ports that are not published have null. */
export function portsByKey(
	published: readonly PublishedPort[],
	exposed: Record<string, object> | undefined,
): Record<string, {HostIp: string; HostPort: string}[] | null> {
	const ports: Record<string, {HostIp: string; HostPort: string}[] | null> = {};
	for (const key of Object.keys(exposed ?? {})) ports[key] = null;
	for (const {protocol, containerPort, hostIp, hostPort} of published) {
		const key = `${containerPort}/${protocol}`;
		const binding = {HostIp: hostIp, HostPort: String(hostPort)};
		const known = ports[key];
		if (known) known.push(binding);
		else ports[key] = [binding];
	}
	return ports;
}

/** docker's list of ports of a running container, for `ps`. */
export function portSummaries(
	published: readonly PublishedPort[],
	exposed: Record<string, object> | undefined,
): PortSummary[] {
	const shown = new Set(published.map(({protocol, containerPort}) => `${containerPort}/${protocol}`));
	const hidden = Object.keys(exposed ?? {})
		.map(parseContainerPort)
		.filter(({port, protocol}) => !shown.has(`${port}/${protocol}`));
	return [
		...published.map(({protocol, containerPort, hostIp, hostPort}) => ({
			IP: hostIp,
			PrivatePort: containerPort,
			PublicPort: hostPort,
			Type: protocol,
		})),
		...hidden.map(({port, protocol}) => ({PrivatePort: port, Type: protocol})),
	];
}
