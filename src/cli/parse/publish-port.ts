import {ipVersion} from '../../engine/networks/address.ts';

export interface PortBinding {
	HostIp: string;
	/** Empty: any free one. `8000-8010`: any free one of these. */
	HostPort: string;
}

/** Bindings by container port, `80/tcp`. */
export type PortBindings = Record<string, PortBinding[]>;

function parseRange(text: string): [number, number] | undefined {
	const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
	if (!match) return undefined;
	const [low, high] = [Number(match[1]), Number(match[2] ?? match[1])];
	return high < low || high > 65_535 ? undefined : [low, high];
}

/** A `--publish` value: `[[address:][host port]:]container port[/protocol]`, ports or ranges. Throws docker's words. */
export function parsePublish(text: string): PortBindings {
	const parts = text.split(':');
	const target = parts.at(-1)!;
	const hostPort = parts.length > 1 ? parts.at(-2)! : '';
	let address = parts.slice(0, -2).join(':');
	const slash = target.indexOf('/');
	const containerPort = slash < 0 ? target : target.slice(0, slash);
	const protocol = (slash < 0 ? '' : target.slice(slash + 1)) || 'tcp';

	if (address.startsWith('[') && address.endsWith(']')) address = address.slice(1, -1);
	if (address !== '' && ipVersion(address) === 0) throw new Error(`invalid IP address: ${address}`);
	if (containerPort === '') throw new Error(`no port specified: ${text}<empty>`);
	const container = parseRange(containerPort);
	if (!container) throw new Error(`invalid containerPort: ${containerPort}`);
	const host = hostPort === '' ? undefined : parseRange(hostPort);
	if (hostPort !== '' && !host) throw new Error(`invalid hostPort: ${hostPort}`);
	const [first, last] = container;
	// One container port may take any of several host ports; otherwise they go in pairs.
	if (host && host[1] - host[0] !== last - first && first !== last) {
		throw new Error(
			`invalid ranges specified for container and host Ports: ${containerPort} and ${hostPort}`,
		);
	}
	if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) throw new Error(`invalid proto: ${protocol}`);

	const bindings: PortBindings = {};
	for (let port = first; port <= last; port++) {
		let published = '';
		if (host) published = first === last && host[0] !== host[1] ? hostPort : String(host[0] + port - first);
		bindings[`${port}/${protocol.toLowerCase()}`] = [{HostIp: address, HostPort: published}];
	}
	return bindings;
}

/** `published=8080,target=80,protocol=tcp` in the short form. */
function shortForm(text: string): string {
	const fields: Record<string, string> = {protocol: 'tcp', published: '', target: '', mode: ''};
	for (const field of text.split(',')) {
		const equals = field.indexOf('=');
		if (equals < 1) {
			throw new Error(`invalid publish opts format (should be name=value but got '${field}')`);
		}
		const key = field.slice(0, equals).trim().toLowerCase();
		if (!Object.hasOwn(fields, key)) throw new Error(`invalid publish opts: unknown field '${key}'`);
		fields[key] = field.slice(equals + 1).trim();
	}
	const {published, target, protocol, mode} = fields as Record<
		'published' | 'target' | 'protocol' | 'mode',
		string
	>;
	if (target === '') throw new Error(`no port specified: ${text}`);
	// Both are what happens without a swarm.
	if (!['', 'host', 'ingress'].includes(mode))
		throw new Error(`invalid publish mode value (${mode}): must be either 'ingress' or 'host'`);
	return `${published === '' ? '' : `${published}:`}${target}/${protocol}`;
}

/** All `--publish` values of a command line, short and long. */
export function parsePublishAll(values: readonly string[]): PortBindings {
	const all: PortBindings = {};
	for (const text of values) {
		for (const [port, bindings] of Object.entries(
			parsePublish(text.includes('=') ? shortForm(text) : text),
		)) {
			all[port] = [...(all[port] ?? []), ...bindings];
		}
	}
	return all;
}
