/** `--link` on the default bridge: lines of /etc/hosts and docker's variables about the other container. */
import {WherryError} from '../errors.ts';
import {parseLink} from '../networks/parse-link.ts';
import {parseContainerPort} from '../networks/ports.ts';
import {readNetworkState} from '../networks/state.ts';
import type {EngineContext} from './context.ts';
import {type ContainerRecord, currentState, findContainer, isUp} from './record.ts';

export interface Link {
	alias: string;
	other: ContainerRecord;
	address: string;
}

/** The other containers must be running on the default bridge. Throws `not-found`, `conflict`. */
export function resolveLinks(context: EngineContext, record: ContainerRecord): Link[] {
	return (record.HostConfig.Links ?? []).map((text) => {
		const {name, alias} = parseLink(text);
		const other = findContainer(context.paths, name);
		const address = isUp(currentState(context.paths, other.Id))
			? readNetworkState(context.paths, other.Id).endpoints.find(({network}) => network === 'bridge')?.ipv4
					?.address
			: undefined;
		if (!address) {
			throw new WherryError(
				'conflict',
				`Cannot link to a non running container: /${other.Name} AS /${record.Name}/${alias}`,
				{object: other.Id},
			);
		}
		return {alias, other, address};
	});
}

export const linkHosts = (links: readonly Link[]): [string, string][] =>
	links.map(({alias, other, address}) => [
		address,
		[...new Set([alias, other.Config.Hostname, other.Name])].filter(Boolean).join(' '),
	]);

/** docker's legacy links: `DB_PORT_5432_TCP_ADDR=172.17.0.2` and what belongs to it. */
export function linkVariables(record: ContainerRecord, links: readonly Link[]): string[] {
	return links.flatMap(({alias, other, address}) => {
		const prefix = alias.toUpperCase().replaceAll('-', '_');
		const ports = Object.keys(other.Config.ExposedPorts ?? {})
			.map(parseContainerPort)
			.toSorted((a, b) => a.port - b.port || (a.protocol === 'tcp' ? -1 : 1));
		const url = ({port, protocol}: {port: number; protocol: string}) => `${protocol}://${address}:${port}`;
		const lines = ports[0] ? [`${prefix}_PORT=${url(ports[0])}`] : [];
		for (const port of ports) {
			const name = `${prefix}_PORT_${port.port}_${port.protocol.toUpperCase()}`;
			lines.push(
				`${name}=${url(port)}`,
				`${name}_ADDR=${address}`,
				`${name}_PORT=${port.port}`,
				`${name}_PROTO=${port.protocol}`,
			);
		}
		lines.push(`${prefix}_NAME=/${record.Name}/${alias}`);
		for (const entry of other.Config.Env) {
			const split = entry.indexOf('=');
			const name = split < 0 ? entry : entry.slice(0, split);
			if (name === 'HOME' || name === 'PATH') continue;
			lines.push(`${prefix}_ENV_${name}=${split < 0 ? '' : entry.slice(split + 1)}`);
		}
		return lines;
	});
}
