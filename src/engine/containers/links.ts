/** `--link` on the default bridge: lines of /etc/hosts and docker's variables about the other container. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {HostConfig} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import {parseLink} from '../networks/parse-link.ts';
import {exposedPorts} from '../networks/ports.ts';
import {readNetworkState} from '../networks/state.ts';
import type {EngineContext} from './context.ts';
import {joinedContainer} from './joined.ts';
import {
	type ContainerRecord,
	currentState,
	findContainer,
	isUp,
	noSuchContainer,
	readRecord,
	writeRecord,
} from './record.ts';
import {readRows} from './rows.ts';

export interface Link {
	alias: string;
	other: ContainerRecord;
	address: string;
}

/** The container whose network a link leads to. */
function linkTarget({paths}: EngineContext, name: string): ContainerRecord {
	let wanted = name;
	try {
		for (;;) {
			const other = findContainer(paths, wanted);
			const joined = joinedContainer(other.HostConfig.NetworkMode);
			if (joined === undefined) return other;
			wanted = joined;
		}
	} catch (error) {
		if (!(error instanceof WherryError) || error.code !== 'not-found') throw error;
		throw new WherryError('invalid', `could not get container for ${wanted}: ${error.message}`, {
			object: wanted,
			cause: error,
		});
	}
}

/** Of two with the same alias the first one holds. */
function linksOf({Links}: Pick<HostConfig, 'Links'>): {name: string; alias: string}[] {
	const aliases = new Set<string>();
	return (Links ?? []).map(parseLink).filter(({alias}) => !aliases.has(alias) && aliases.add(alias));
}

/** Ids of the linked containers by alias: a name may be another's later. Throws docker's words. */
export function settleLinks(context: EngineContext, host: Pick<HostConfig, 'Links'>): Record<string, string> {
	const ids: Record<string, string> = {};
	for (const {name, alias} of linksOf(host)) {
		const other = linkTarget(context, name);
		if (other.HostConfig.NetworkMode === 'host') {
			throw new WherryError(
				'invalid',
				"conflicting options: host type networking can't be used with links. This would result in undefined behavior",
				{object: other.Id},
			);
		}
		ids[alias] = other.Id;
	}
	return ids;
}

/** The names of the links as they are now: the other container may have been renamed. */
export function linkNames(
	{paths}: Pick<EngineContext, 'paths'>,
	record: ContainerRecord,
): {name: string; alias: string}[] {
	return linksOf(record.HostConfig).map(({name, alias}) => {
		const id = record.LinkIds?.[alias];
		return {name: (id && readRecord(paths, id)?.Name) || name, alias};
	});
}

const defaultAddress = ({paths}: EngineContext, id: string): string | undefined =>
	readNetworkState(paths, id).endpoints.find(({network}) => network === 'bridge')?.ipv4?.address;

/** The other containers must be running on the default bridge. Throws `conflict`. */
export function resolveLinks(context: EngineContext, record: ContainerRecord): Link[] {
	const {paths} = context;
	return linksOf(record.HostConfig).map(({name, alias}) => {
		const other = readRecord(paths, record.LinkIds?.[alias] ?? '') ?? undefined;
		if (!other || !isUp(currentState(paths, other.Id))) {
			throw new WherryError(
				'conflict',
				`Cannot link to a non running container: /${other?.Name ?? name} AS /${record.Name}/${alias}`,
				{object: other?.Id ?? name},
			);
		}
		const address = defaultAddress(context, other.Id);
		if (address) return {alias, other, address};
		throw new WherryError(
			'conflict',
			`Cannot link to /${other.Name}, as it does not belong to the default network`,
			{object: other.Id},
		);
	});
}

export const linkHosts = (links: readonly Link[]): [string, string][] =>
	links.map(({alias, other, address}) => [
		address,
		[...new Set([alias, other.Config.Hostname, other.Name])].filter(Boolean).join(' '),
	]);

interface Port {
	port: number;
	protocol: string;
}

/** Ports of one protocol that follow one another, from `ports[at]` on: the index of the last. */
function lastOfRun(ports: readonly Port[], at: number): number {
	let last = at;
	for (let next = at + 1; next < ports.length; next++) {
		const {port, protocol} = ports[next]!;
		if (port > ports[last]!.port + 1) break;
		if (protocol === ports[at]!.protocol && port === ports[last]!.port + 1) last = next;
	}
	return last;
}

/** docker's legacy links: `DB_PORT_5432_TCP_ADDR=172.17.0.2` and what belongs to it. */
export function linkVariables(record: ContainerRecord, links: readonly Link[]): string[] {
	return links.flatMap(({alias, other, address}) => {
		const prefix = alias.toUpperCase().replaceAll('-', '_');
		const ports = exposedPorts(other.Config.ExposedPorts).toSorted(
			(a, b) => a.port - b.port || (a.protocol === 'tcp' ? -1 : 1),
		);
		const url = ({port, protocol}: Port) => `${protocol}://${address}:${port}`;
		const nameOf = ({port, protocol}: Port) => `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
		const lines = ports[0] ? [`${prefix}_PORT=${url(ports[0])}`] : [];
		for (let at = 0; at < ports.length; at++) {
			const [first, last] = [ports[at]!, ports[lastOfRun(ports, at)]!];
			if (first === last) continue;
			const name = nameOf(first);
			lines.push(
				`${name}_START=${url(first)}`,
				`${name}_PORT_START=${first.port}`,
				`${name}_END=${url(last)}`,
				`${name}_PORT_END=${last.port}`,
			);
			at = ports.indexOf(last);
		}
		for (const port of ports) {
			const name = nameOf(port);
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

/** Changes lines of a container's hosts(5) in place, since a container that is up has the file bound. */
function editHosts(
	{paths}: EngineContext,
	id: string,
	edit: (fields: string[]) => string[] | undefined,
): void {
	const path = join(paths.container(id), 'hosts');
	try {
		const old = readFileSync(path, 'utf8');
		const lines = old.split('\n').flatMap((line) => {
			const fields = line.split('\t');
			return fields.length < 2 ? [line] : (edit(fields)?.join('\t') ?? []);
		});
		const text = lines.join('\n');
		if (text !== old) writeFileSync(path, text);
	} catch (error) {
		if (!isErrno(error, 'ENOENT')) throw error;
	}
}

const namedBy = (fields: readonly string[]): string => fields[1]!.split(' ')[0]!;

/** A linked container has come up with another address: those that are linked to it find it there. */
export function moveLinkedHost(context: EngineContext, id: string, before: string, address: string): void {
	for (const {record, state} of readRows(context.paths)) {
		const aliases = Object.entries(record.LinkIds ?? {})
			.filter(([, other]) => other === id)
			.map(([alias]) => alias);
		if (aliases.length === 0 || !isUp(state)) continue;
		editHosts(context, record.Id, (fields) =>
			fields[0] === before && aliases.includes(namedBy(fields)) ? [address, ...fields.slice(1)] : fields,
		);
	}
}

/** `rm --link PARENT/ALIAS`: the container has the link no more, and the name at once. */
export async function removeLink(context: EngineContext, link: string): Promise<void> {
	const {paths, locks} = context;
	const [parent = '', alias] = link.replace(/^\/+/, '').split('/') as [string, string?];
	if (alias === undefined) {
		findContainer(paths, parent);
		throw new WherryError('conflict', 'Conflict, cannot remove the default link name of the container', {
			object: link,
		});
	}
	let id: string;
	try {
		id = findContainer(paths, parent).Id;
	} catch (error) {
		if (error instanceof WherryError && error.code === 'not-found') throw noSuchContainer(link);
		throw error;
	}
	await locks.with(id, () => {
		const record = readRecord(paths, id);
		const links = record?.HostConfig.Links ?? [];
		const left = links.filter((text) => parseLink(text).alias !== alias);
		if (!record || left.length === links.length) throw noSuchContainer(link);
		const {[alias]: _, ...LinkIds} = record.LinkIds ?? {};
		writeRecord(paths, {...record, HostConfig: {...record.HostConfig, Links: left}, LinkIds});
		editHosts(context, id, (fields) => (namedBy(fields) === alias ? undefined : fields));
	});
}
