/** Which ports of all containers are reached from where: by this machine's addresses and the networks' kinds. Pure. */
import type {ContainerSummary, NetworkRecord, PortSummary} from '../../engine/api.ts';
import {containerName, isUp} from './containers.ts';

/** An address of this machine, as os.networkInterfaces() has it. */
export interface HostAddress {
	interface: string;
	address: string;
	family: 'IPv4' | 'IPv6';
	internal: boolean;
}

/** From the widest to the narrowest. */
export type Reach = 'public' | 'lan' | 'machine' | 'networks' | 'itself';

export interface ExposureRow {
	container: ContainerSummary;
	/** `0.0.0.0:8080`; `–` for what isn't published. */
	at: string;
	/** `80/tcp`, or what is open in its place. */
	inside: string;
	reach: Reach;
	text: string;
}

const ORDER: readonly Reach[] = ['public', 'lan', 'machine', 'networks', 'itself'];

/** Bridges of container engines, and ends of their cables: nobody outside has a way to them. */
const OURS = /^(?:wh|wy|veth|docker|podman|cni|br-|virbr|lxc|lxd)/;

/** RFC 1918, 6598, 3927; RFC 4193 and link-local ones. */
export function isPrivate(address: string): boolean {
	const lower = address.toLowerCase();
	if (lower.includes(':')) return /^(?:f[cd]|fe[89ab])/.test(lower);
	const [a = 0, b = 0] = lower.split('.').map(Number);
	return (
		a === 10 ||
		(a === 172 && b >= 16 && b <= 31) ||
		(a === 192 && b === 168) ||
		(a === 100 && b >= 64 && b <= 127) ||
		(a === 169 && b === 254)
	);
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';
const isAny = (address: string): boolean => address === '' || address === '0.0.0.0' || address === '::';

const named = ({address, interface: name}: HostAddress): string => `${address} (${name})`;

function published(ip: string, addresses: readonly HostAddress[]): Pick<ExposureRow, 'reach' | 'text'> {
	if (isLoopback(ip)) return {reach: 'machine', text: 'this machine only'};
	const family = ip.includes(':') ? 'IPv6' : 'IPv4';
	const outside = addresses.filter(
		(one) =>
			!one.internal &&
			!OURS.test(one.interface) &&
			(ip === '' || one.family === family) &&
			(isAny(ip) || one.address === ip) &&
			// Link-local ones reach one cable far, and all machines have them.
			(!isAny(ip) || !/^fe80/i.test(one.address)),
	);
	if (outside.length === 0)
		return isAny(ip)
			? {reach: 'machine', text: 'this machine only: it has no other address'}
			: {reach: 'networks', text: `who reaches ${ip}, which is a bridge’s or not here`};
	const open = outside.filter(({address}) => !isPrivate(address));
	if (open.length > 0)
		return {reach: 'public', text: `everybody who reaches ${open.map(named).join(', ')}: a public address`};
	return {reach: 'lan', text: `the local network, by ${outside.map(named).join(', ')}`};
}

/** Where there is nothing published: who is on its networks. */
function unpublished(
	container: ContainerSummary,
	networks: readonly NetworkRecord[],
): Pick<ExposureRow, 'reach' | 'text'> {
	const names = Object.keys(container.NetworkSettings.Networks).filter((name) => name !== 'none');
	if (names.length === 0) return {reach: 'itself', text: 'itself only: it is on no network'};
	const kinds = names.map((name) => networks.find(({Name}) => Name === name));
	const lan = kinds.filter((one) => one?.Driver === 'macvlan' || one?.Driver === 'ipvlan');
	if (lan.length > 0)
		return {
			reach: 'lan',
			text: `the network of ${lan.map((one) => one!.Options.parent ?? one!.Name).join(', ')}: it has an address there`,
		};
	const list = names.map((name, at) => (kinds[at]?.Internal ? `${name} (internal)` : name)).join(', ');
	return {reach: 'networks', text: `containers on ${list}, and this machine`};
}

const address = ({IP = '', PublicPort}: PortSummary): string =>
	PublicPort ? `${IP.includes(':') ? `[${IP}]` : IP || '*'}:${PublicPort}` : '–';

export function exposureRows(
	containers: Iterable<ContainerSummary>,
	networks: readonly NetworkRecord[],
	addresses: readonly HostAddress[],
): ExposureRow[] {
	const rows: ExposureRow[] = [];
	for (const container of containers) {
		if (!isUp(container)) continue;
		const {NetworkMode: mode} = container.HostConfig;
		if (mode === 'host') {
			const {reach, text} = published('', addresses);
			rows.push({
				container,
				at: '*',
				inside: 'all that it opens',
				reach,
				text: `${text}; it has the machine’s network`,
			});
			continue;
		}
		for (const port of container.Ports)
			rows.push({
				container,
				at: address(port),
				inside: `${port.PrivatePort}/${port.Type}`,
				...(port.PublicPort ? published(port.IP ?? '', addresses) : unpublished(container, networks)),
			});
	}
	const name = ({container}: ExposureRow): string => containerName(container);
	return rows.sort(
		(a, b) =>
			ORDER.indexOf(a.reach) - ORDER.indexOf(b.reach) || (name(a) < name(b) ? -1 : Number(name(a) > name(b))),
	);
}
