/**
 * Names of a network, for the monitors that serve DNS to its containers.
 *
 * A zone is a folder, `WHERRY_RUN/zones/<network id>`, with one file per endpoint, named by the container's id
 * and replaced by rename: so an entry comes and goes in one step, and a stop plan can take it away. A monitor
 * reads the folder again when its modification time has changed.
 *
 * A file is lines of `<name> <address>`: the name in lower case without a final dot, the address as text of
 * either family. The first name of an address is its canonical one, the answer of a reverse look-up. A line
 * `<alias> @<name>` makes an alias of what `name` is in the zones of the same container (for --link). Names
 * that several files have (network aliases) have all their addresses.
 */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {isErrno} from '../errors.ts';
import {replaceFile} from '../files.ts';
import type {Paths} from '../paths.ts';

export const zoneFolder = (paths: Paths, network: string): string => join(paths.run, 'zones', network);
export const zoneFile = (paths: Paths, network: string, container: string): string =>
	join(zoneFolder(paths, network), container);

export interface ZoneEntry {
	/** The container's name and network's name: `web.backend` is the canonical name. */
	container: string;
	network: string;
	/** Aliases, short id. */
	aliases: readonly string[];
	addresses: readonly string[];
}

const hostName = (name: string): string => name.toLowerCase().replace(/\.$/, '');
/** What would break the format, or is no name that a resolver can be asked for. */
const isName = (name: string): boolean => name !== '' && name.length <= 253 && !/^@|[\s\0]/.test(name);

export function zoneText(entry: ZoneEntry): string {
	const {container, network, aliases, addresses} = entry;
	const names = [
		`${container}.${network}`,
		container,
		...aliases,
		...aliases.map((alias) => `${alias}.${network}`),
	];
	const unique = [...new Set(names.map(hostName))].filter(isName);
	return addresses.flatMap((address) => unique.map((name) => `${name} ${address}\n`)).join('');
}

/** `--link name:alias` on a user network: names for one container only, and for what `name` is on that network. */
export function linkText(network: string, links: readonly {name: string; alias: string}[]): string {
	return links
		.map(({name, alias}) => ({alias: hostName(alias), target: hostName(`${name}.${network}`)}))
		.filter(({alias, target}) => isName(alias) && isName(target))
		.map(({alias, target}) => `${alias} @${target}\n`)
		.join('');
}

export function writeZoneEntry(folder: string, container: string, text: string): void {
	const path = join(folder, container);
	try {
		replaceFile(path, text);
	} catch (error) {
		if (!isErrno(error, 'ENOENT')) throw error;
		mkdirSync(folder, {recursive: true, mode: 0o700});
		replaceFile(path, text);
	}
}
