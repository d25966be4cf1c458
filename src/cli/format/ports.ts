import type {PortSummary} from '../../engine/api.ts';
import {byBytes} from './template/go-value.ts';

interface Group {
	first: number;
	last: number;
}

/**
 * `0.0.0.0:80->80/tcp, 443/tcp`: neighbouring ports become ranges, published and unpublished apart, in
 * docker's order.
 */
export function displayPorts(ports: readonly PortSummary[]): string {
	const groups = new Map<string, Group>();
	const result: string[] = [];
	const mappings: string[] = [];
	const sorted = [...ports].sort(
		(a, b) =>
			a.PrivatePort - b.PrivatePort ||
			byBytes(a.IP ?? '', b.IP ?? '') ||
			(a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
			byBytes(a.Type, b.Type),
	);
	const finish = (key: string, group: Group): void => {
		const [ip, type] = key.split('|') as [string, string];
		const range = group.first === group.last ? String(group.first) : `${group.first}-${group.last}`;
		result.push(ip === '' ? `${range}/${type}` : `${address(ip)}:${range}->${range}/${type}`);
	};
	for (const port of sorted) {
		const {IP = '', PrivatePort, PublicPort = 0, Type} = port;
		if (IP !== '' && PublicPort !== PrivatePort) {
			mappings.push(`${address(IP)}:${PublicPort}->${PrivatePort}/${Type}`);
			continue;
		}
		const key = `${IP === '' ? '' : IP}|${Type}`;
		const group = groups.get(key);
		if (group && PrivatePort === group.last + 1) group.last = PrivatePort;
		else {
			if (group) finish(key, group);
			// One that starts anew keeps its place.
			groups.set(key, {first: PrivatePort, last: PrivatePort});
		}
	}
	for (const [key, group] of groups) finish(key, group);
	return [...result, ...mappings].join(', ');
}

const address = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);
