/** Published ports: docker's bindings, checked, and how they are shown. Pure. */
import type {HostConfig, PortSummary} from '../api.ts';
import {WherryError} from '../errors.ts';
import {parseAddress} from './address.ts';
import {
	type BindingRange,
	eachPort,
	exposedKeys,
	type Protocol,
	type PublishedRange,
	packBindings,
	portAt,
} from './port-ranges.ts';

type Bindings = HostConfig['PortBindings'];

const fail = (message: string): never => {
	throw new WherryError('invalid', message);
};

/** Candidates for one port, or as many ports of the host as of the container. */
export interface WantedPorts {
	protocol: Protocol;
	containerPort: number;
	/** Empty: every address. */
	hostIp: string;
	/** First and last; 0 and 0: any. */
	from: number;
	to: number;
	/** Of more than one `from` and `to` are the first. */
	count: number;
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

function hostPorts(text: string): {from: number; to: number} {
	const [from = '', to = from] = (text || '0').split('-') as [string, string?];
	const range = {from: portNumber(from, 'hostPort'), to: portNumber(to, 'hostPort')};
	if (range.to < range.from) fail(`invalid hostPort: ${text}`);
	return range;
}

/** Throws in docker's words. */
export function checkBindings(bindings: Bindings | null | undefined): BindingRange[] {
	const entries: [Protocol, number, Bindings[string]][] = [];
	const places = new Map<string, number>();
	for (const [key, list] of Object.entries(bindings ?? {})) {
		const {port, protocol} = parseContainerPort(key);
		const ports = (list?.length ? list : [{HostIp: '', HostPort: ''}]).map(({HostIp, HostPort}) => {
			if (HostIp && !parseAddress(HostIp)) fail(`invalid IP address: ${HostIp}`);
			hostPorts(HostPort);
			return {HostIp: HostIp ?? '', HostPort: HostPort ?? ''};
		});
		// `80` and `80/tcp` are the same one.
		const name = `${port}/${protocol}`;
		const at = places.get(name) ?? entries.length;
		places.set(name, at);
		entries[at] = [protocol, port, [...(entries[at]?.[2] ?? []), ...ports]];
	}
	return packBindings(entries);
}

export const wantedPorts = (ranges: readonly BindingRange[]): WantedPorts[] =>
	ranges.map(({protocol, containerPort, hostIp, hostPort, count}) => ({
		protocol,
		containerPort,
		hostIp,
		...hostPorts(hostPort),
		count,
	}));

export const everywhere = (ip: string): boolean => ip === '' || ip === '0.0.0.0' || ip === '::';
const familyOf = (ip: string): 4 | 6 | undefined => (ip === '' ? undefined : ip.includes(':') ? 6 : 4);

/** Whether both want the same port of an address. */
export function clash(
	a: Pick<WantedPorts, 'protocol' | 'hostIp'>,
	b: Pick<WantedPorts, 'protocol' | 'hostIp'>,
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

/** Whether the ports of the host are named. */
export const isFixed = ({from, to}: WantedPorts): boolean => from !== 0 && from === to;

/** A port that one container wants twice. docker sees it when the container is started. */
export function checkTwice(wanted: readonly WantedPorts[]): void {
	// Those that reach as far as the next one begins.
	let open: WantedPorts[] = [];
	for (const ports of wanted.filter(isFixed).toSorted((a, b) => a.from - b.from)) {
		open = open.filter(({from, count}) => from + count > ports.from);
		if (open.some((other) => clash(other, ports))) throw allocatedError(ports.hostIp, ports.from);
		open.push(ports);
	}
}

/** Whether ports of the host that both name are the same. */
export const overlap = (a: WantedPorts, b: WantedPorts): boolean =>
	a.from < b.from + b.count && b.from < a.from + a.count;

/** With -P every exposed port that is not published already. */
export function withExposed(
	bindings: readonly BindingRange[],
	exposed: readonly string[] | undefined,
): BindingRange[] {
	const all = [...bindings];
	for (const {port, protocol} of exposedPorts(exposed)) {
		if (all.some((range) => portAt(range, protocol, port))) continue;
		all.push({protocol, containerPort: port, hostIp: '', hostPort: '', count: 1});
	}
	return all;
}

/** What an image says of ports that are none is left out. */
export const exposedPorts = (exposed: readonly string[] | undefined): {port: number; protocol: Protocol}[] =>
	exposedKeys(exposed ?? []).flatMap((key) => {
		try {
			return [parseContainerPort(key)];
		} catch {
			return [];
		}
	});

/** docker's NetworkSettings.Ports: exposed ports that are not published have null. */
export function portsByKey(
	published: readonly PublishedRange[],
	exposed: readonly string[] | undefined,
): Record<string, {HostIp: string; HostPort: string}[] | null> {
	const lists = new Map<string, {HostIp: string; HostPort: string}[] | null>();
	for (const key of exposedKeys(exposed ?? [])) lists.set(key, null);
	for (const {protocol, containerPort, hostIp, hostPort} of eachPort(published)) {
		const key = `${containerPort}/${protocol}`;
		const binding = {HostIp: hostIp, HostPort: String(hostPort)};
		const known = lists.get(key);
		if (known) known.push(binding);
		else lists.set(key, [binding]);
	}
	// Each member is set once: V8 takes far longer for those that change.
	const ports: Record<string, {HostIp: string; HostPort: string}[] | null> = {};
	for (const [key, list] of lists) ports[key] = list;
	return ports;
}

/** docker's list of ports of a running container, for `ps`. */
export function portSummaries(
	published: readonly PublishedRange[],
	exposed: readonly string[] | undefined,
): PortSummary[] {
	const hidden = exposedPorts(exposed).filter(
		({port, protocol}) => !published.some((range) => portAt(range, protocol, port)),
	);
	return [
		...eachPort(published).map(({protocol, containerPort, hostIp, hostPort}) => ({
			IP: hostIp,
			PrivatePort: containerPort,
			PublicPort: hostPort,
			Type: protocol,
		})),
		...hidden.map(({port, protocol}) => ({PrivatePort: port, Type: protocol})),
	];
}
