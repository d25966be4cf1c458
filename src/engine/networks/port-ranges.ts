/** Published ports in the form that plans have them: however many follow one another, they are one range. Pure. */
import type {PublishedPort} from './state.ts';

export interface PortGroup<P extends PublishedPort = PublishedPort> {
	protocol: P['protocol'];
	hostIp: string;
	ports: P[];
	/** From the host's ports to those of the container. */
	ranges: string;
}

/** By protocol and address of the host. */
export function groupPorts<P extends PublishedPort>(ports: readonly P[]): PortGroup<P>[] {
	const groups: PortGroup<P>[] = [];
	let group: PortGroup<P> | undefined;
	const holds = ({protocol, hostIp}: PortGroup<P>, port: P): boolean =>
		protocol === port.protocol && hostIp === port.hostIp;
	for (const port of ports) {
		if (!group || !holds(group, port)) group = groups.find((each) => holds(each, port));
		if (group) {
			group.ports.push(port);
			continue;
		}
		group = {protocol: port.protocol, hostIp: port.hostIp, ports: [port], ranges: ''};
		groups.push(group);
	}
	for (const group of groups) {
		group.ranges = rangesText(
			group.ports.map(({hostPort, containerPort}) => ({from: hostPort, to: containerPort})),
		);
	}
	return groups;
}

interface Pair {
	from: number;
	to: number;
}

/**
 * `8080:80`, `9000-9009:9000-9009`, `7000-7002:80`, separated by commas: from ports to ports, where the second
 * ones either follow one another, too, or are all the same.
 */
export function rangesText(pairs: readonly Pair[]): string {
	// They most often are in order, and that is seen sooner than they are sorted.
	const sorted = pairs.every(({from}, at) => at === 0 || pairs[at - 1]!.from <= from)
		? pairs
		: pairs.toSorted((a, b) => a.from - b.from);
	const parts: string[] = [];
	for (let at = 0; at < sorted.length; ) {
		const {from, to} = sorted[at]!;
		const step = (sorted[at + 1]?.to ?? to) === to ? 0 : 1;
		let count = 1;
		for (;;) {
			const next = sorted[at + count];
			if (next?.from !== from + count || next.to !== to + step * count) break;
			count++;
		}
		if (count === 1) parts.push(`${from}:${to}`);
		else parts.push(`${from}-${from + count - 1}:${step ? `${to}-${to + count - 1}` : to}`);
		at += count;
	}
	return parts.join(',');
}
