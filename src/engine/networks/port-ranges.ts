/** Ports that follow one another: there may be thousands, and they cost what one does. Pure. */
import type {HostConfig} from '../api.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

interface Range {
	protocol: Protocol;
	/** The first one in the container. */
	containerPort: number;
	hostIp: string;
	/** At least 1. */
	count: number;
}

/** Ports of the host that lead to as many of the container. */
export interface PublishedRange extends Range {
	/** `0.0.0.0` and `::` are every address of the family. */
	hostIp: string;
	/** The first one. */
	hostPort: number;
	/** Whether the engine chose the host's ports: others would do as well. */
	chosen?: boolean;
}

/** What was asked for, as `container.json` has it. */
export interface BindingRange extends Range {
	/** Empty: every address. */
	hostIp: string;
	/**
	 * The first one, in the user's words; empty: the engine chooses all of them. One port may have several
	 * candidates: `8000-8010`.
	 */
	hostPort: string;
}

type Bindings = HostConfig['PortBindings'];

export type PublishedPort = Omit<PublishedRange, 'count'>;

const isNumber = (text: string): boolean => /^[1-9]\d*$/.test(text);

/** The host's port for the one that is `step` after the first. */
const hostPortAt = <P extends number | string>(first: P, step: number): P =>
	typeof first === 'number'
		? ((first + step) as P)
		: ((step > 0 && isNumber(first) ? String(Number(first) + step) : first) as P);

/** `count` ports from the one that is `step` after the first. */
const part = <R extends BindingRange | PublishedRange>(range: R, step: number, count: number): R => ({
	...range,
	containerPort: range.containerPort + step,
	hostPort: hostPortAt<number | string>(range.hostPort, step),
	count,
});

/** A range of one port: the one that belongs to a port of the container; undefined when it isn't in there. */
export function portAt<R extends BindingRange | PublishedRange>(
	range: R,
	protocol: Protocol,
	containerPort: number,
): R | undefined {
	const step = containerPort - range.containerPort;
	return range.protocol === protocol && step >= 0 && step < range.count ? part(range, step, 1) : undefined;
}

/** Takes those of a container's port that fit. */
export function takeOut<R extends BindingRange | PublishedRange>(
	ranges: readonly R[],
	{protocol, containerPort}: Pick<Range, 'protocol' | 'containerPort'>,
	fits: (port: R) => boolean,
): {taken: R[]; left: R[]} {
	const [taken, left]: [R[], R[]] = [[], []];
	for (const range of ranges) {
		const port = portAt(range, protocol, containerPort);
		if (!port || !fits(port)) {
			left.push(range);
			continue;
		}
		taken.push(port);
		const before = containerPort - range.containerPort;
		const after = range.count - before - 1;
		if (before > 0) left.push(part(range, 0, before));
		if (after > 0) left.push(part(range, before + 1, after));
	}
	return {taken, left};
}

/** Whether a published range has this port of the host. */
export const hasHostPort = ({hostPort, count}: PublishedRange, port: number): boolean =>
	port >= hostPort && port < hostPort + count;

export function eachPort(ranges: readonly PublishedRange[]): PublishedPort[] {
	const ports: PublishedPort[] = [];
	for (const {count, ...port} of ranges) {
		for (let step = 0; step < count; step++) {
			ports.push({...port, containerPort: port.containerPort + step, hostPort: port.hostPort + step});
		}
	}
	return ports;
}

export function packPorts(ports: readonly PublishedPort[]): PublishedRange[] {
	const ranges: PublishedRange[] = [];
	// The last range of each protocol and address.
	const lanes: PublishedRange[] = [];
	for (const port of ports) {
		const {protocol, containerPort, hostIp, hostPort, chosen = false} = port;
		const at = lanes.findIndex(
			(lane) => lane.protocol === protocol && lane.hostIp === hostIp && (lane.chosen ?? false) === chosen,
		);
		const range = lanes[at];
		if (
			range &&
			hostPort === range.hostPort + range.count &&
			containerPort === range.containerPort + range.count
		) {
			range.count++;
			continue;
		}
		const next = {...port, count: 1};
		lanes[at < 0 ? lanes.length : at] = next;
		ranges.push(next);
	}
	return ranges;
}

/** Whether a binding goes on where a range ends. */
function continues(
	range: BindingRange,
	protocol: Protocol,
	containerPort: number,
	port: BindingPort,
): boolean {
	const {hostPort, count} = range;
	return (
		range.protocol === protocol &&
		containerPort === range.containerPort + count &&
		port.HostIp === range.hostIp &&
		(hostPort === '' || isNumber(hostPort)) &&
		port.HostPort === hostPortAt(hostPort, count)
	);
}

type BindingPort = Bindings[string][number];

/** The keys are ports and protocols. What one port has several of stays in its order. */
export function packBindings(
	entries: Iterable<readonly [protocol: Protocol, containerPort: number, bindings: readonly BindingPort[]]>,
): BindingRange[] {
	const ranges: BindingRange[] = [];
	// Those that the last port is in.
	let last: BindingRange[] = [];
	for (const [protocol, containerPort, bindings] of entries) {
		const goesOn =
			bindings.length === last.length &&
			bindings.every((binding, at) => continues(last[at]!, protocol, containerPort, binding));
		if (goesOn) {
			for (const range of last) range.count++;
			continue;
		}
		last = bindings.map(({HostIp, HostPort}) => ({
			protocol,
			containerPort,
			hostIp: HostIp,
			hostPort: HostPort,
			count: 1,
		}));
		ranges.push(...last);
	}
	return ranges;
}

/** docker's PortBindings. */
export function bindingsOf(ranges: readonly BindingRange[]): Bindings {
	const bindings: Bindings = {};
	for (const {protocol, containerPort, hostIp, hostPort, count} of ranges) {
		for (let step = 0; step < count; step++) {
			const key = `${containerPort + step}/${protocol}`;
			bindings[key] ??= [];
			bindings[key].push({HostIp: hostIp, HostPort: hostPortAt(hostPort, step)});
		}
	}
	return bindings;
}

/** `80/tcp`, `8000-8010/udp`. */
const exposedForm = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?\/(tcp|udp|sctp)$/;

function exposedRange(text: string): {protocol: Protocol; first: number; last: number} | undefined {
	const match = exposedForm.exec(text);
	if (!match) return undefined;
	const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
	return last < first || last > 65_535 ? undefined : {protocol: match[3] as Protocol, first, last};
}

/** Keys of docker's ExposedPorts, those that follow one another as one. What is no port stays as it is. */
export function packExposed(keys: Iterable<string>): string[] {
	const packed: string[] = [];
	let run: {protocol: Protocol; first: number; last: number} | undefined;
	for (const key of keys) {
		const range = exposedRange(key);
		if (range && run && range.protocol === run.protocol && range.first === run.last + 1) {
			run.last = range.last;
			packed[packed.length - 1] = `${run.first}-${run.last}/${run.protocol}`;
			continue;
		}
		packed.push(key);
		run = range;
	}
	return packed;
}

export function exposedKeys(packed: readonly string[]): string[] {
	return packed.flatMap((text) => {
		const range = exposedRange(text);
		if (!range) return [text];
		const {protocol, first, last} = range;
		return Array.from({length: last - first + 1}, (_, step) => `${first + step}/${protocol}`);
	});
}

/** docker's ExposedPorts. */
export function exposedOf(packed: readonly string[]): Record<string, object> {
	const exposed: Record<string, object> = {};
	for (const key of exposedKeys(packed)) exposed[key] = {};
	return exposed;
}

export const isExposed = (packed: readonly string[], protocol: Protocol, port: number): boolean =>
	packed.some((text) => {
		const range = exposedRange(text);
		return range?.protocol === protocol && port >= range.first && port <= range.last;
	});

export interface PortGroup {
	protocol: Protocol;
	hostIp: string;
	ranges: PublishedRange[];
	/** From the host's ports to those of the container. */
	text: string;
}

/** By protocol and address of the host. */
export function groupPorts(published: readonly PublishedRange[]): PortGroup[] {
	const groups: PortGroup[] = [];
	for (const range of published) {
		const {protocol, hostIp} = range;
		const group = groups.find((each) => each.protocol === protocol && each.hostIp === hostIp);
		if (group) group.ranges.push(range);
		else groups.push({protocol, hostIp, ranges: [range], text: ''});
	}
	for (const group of groups) {
		group.text = rangesText(
			group.ranges.map(({hostPort, containerPort, count}) => ({from: hostPort, to: containerPort, count})),
		);
	}
	return groups;
}

interface Pairs {
	from: number;
	to: number;
	count: number;
}

/**
 * `8080:80`, `9000-9009:9000-9009`, `7000-7002:80`, separated by commas: from ports to ports, where the second
 * ones either follow one another, too, or are all the same.
 */
export function rangesText(pairs: readonly Pairs[]): string {
	const sorted = pairs.toSorted((a, b) => a.from - b.from);
	const parts: string[] = [];
	for (let at = 0; at < sorted.length; ) {
		const {from, to, count} = sorted[at++]!;
		let total = count;
		// Of a single one it isn't known yet.
		let step = count > 1 ? 1 : undefined;
		for (let next = sorted[at]; next?.from === from + total; next = sorted[++at]) {
			const wanted = step ?? (next.to === to && next.count === 1 ? 0 : 1);
			if (next.to !== to + wanted * total || (wanted === 0 && next.count > 1)) break;
			step = wanted;
			total += next.count;
		}
		const target = step === 1 ? `${to}-${to + total - 1}` : `${to}`;
		parts.push(total === 1 ? `${from}:${to}` : `${from}-${from + total - 1}:${target}`);
	}
	return parts.join(',');
}
