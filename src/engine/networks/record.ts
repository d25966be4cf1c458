/** Networks on disk: `WHERRY_ROOT/networks/<name>.json` in docker's structure, made exclusively. */
import {linkSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import {isErrno, WherryError} from '../errors.ts';
import {readIfThere, unlinkIfThere} from '../files.ts';
import type {Paths} from '../paths.ts';

export type NetworkDriver = 'bridge' | 'macvlan' | 'ipvlan' | 'host' | 'null';

export interface IpamConfig {
	Subnet: string;
	IPRange?: string;
	Gateway?: string;
	AuxiliaryAddresses?: Record<string, string>;
}

/** docker's names and order, as `network inspect` shows them. */
export interface NetworkRecord {
	Name: string;
	/** 64 hex digits. */
	Id: string;
	/** RFC 3339. */
	Created: string;
	Scope: 'local';
	Driver: NetworkDriver;
	EnableIPv4: boolean;
	EnableIPv6: boolean;
	IPAM: {Driver: string; Options: Record<string, string> | null; Config: IpamConfig[]};
	Internal: boolean;
	Attachable: boolean;
	Ingress: boolean;
	ConfigFrom: {Network: string};
	ConfigOnly: boolean;
	Options: Record<string, string>;
	Labels: Record<string, string>;
	/** Not shown: families whose subnet the user has not named, the engine chose it. */
	Chosen?: (4 | 6)[];
}

export const predefined = ['bridge', 'host', 'none'] as const;
export const isPredefined = (name: string): boolean => (predefined as readonly string[]).includes(name);

/** docker takes nearly every name: what a file's name can't have, or shouldn't begin with, is written as `%2F`. */
const fileName = (name: string): string => (/^[\w-][\w.-]*$/.test(name) ? name : escaped(name));

const escaped = (name: string): string =>
	name.replace(/^\.|[^a-zA-Z0-9_.-]/gu, (character) =>
		[...Buffer.from(character)]
			.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
			.join(''),
	);

export const networkPath = (paths: Paths, name: string): string =>
	join(paths.networks, `${fileName(name)}.json`);
/** Held while a subnet is chosen or a network goes. */
export const networksLock = 'networks';

/** Bytes of a file's name, less its ending and what is put around it while it is replaced. */
const longestName = 200;

/** No name: blank, with control characters, too long for a file, or one that `--network` means something else by. */
function isName(name: string): boolean {
	if (
		name.trim() === '' ||
		/[\x00-\x1f\x7f-\x9f]/.test(name) ||
		name === 'container' ||
		name.startsWith('container:')
	)
		return false;
	return fileName(name).length <= longestName;
}

export function checkNetworkName(name: string): void {
	if (name.trim() === '') throw new WherryError('invalid', 'invalid name: name is empty');
	if (!isName(name))
		throw new WherryError('invalid', `invalid network name: ${JSON.stringify(name)}`, {object: name});
}

export function noSuchNetwork(name: string): WherryError {
	return new WherryError('not-found', `network ${name} not found`, {object: name});
}

function parse(text: string, name: string): NetworkRecord {
	try {
		return JSON.parse(text) as NetworkRecord;
	} catch (cause) {
		throw new WherryError('corrupt', `the record of network ${name} is damaged`, {object: name, cause});
	}
}

export function readNetwork(paths: Paths, name: string): NetworkRecord | undefined {
	if (!isName(name)) return undefined;
	if (name === 'host' || name === 'none') return virtualNetwork(paths, name);
	const text = readIfThere(networkPath(paths, name));
	return text === undefined ? undefined : parse(text, name);
}

/** False when the name is taken. What appears under the name is complete. */
export function publishNetwork(paths: Paths, record: NetworkRecord): boolean {
	const path = networkPath(paths, record.Name);
	const temporary = join(paths.networks, `.new-${process.pid}-${record.Id}`);
	mkdirSync(paths.networks, {recursive: true, mode: 0o700});
	writeFileSync(temporary, JSON.stringify(record), {mode: 0o600, flag: 'wx'});
	try {
		linkSync(temporary, path);
		return true;
	} catch (error) {
		if (isErrno(error, 'EEXIST')) return false;
		throw error;
	} finally {
		unlinkIfThere(temporary);
	}
}

/** `host` and `none` have nothing that could change; they need no file. */
function virtualNetwork(paths: Paths, name: 'host' | 'none'): NetworkRecord {
	return {
		...emptyNetwork(name, native.sha256(Buffer.from(`wherry ${paths.root} ${name}`)).slice(7)),
		Driver: name === 'host' ? 'host' : 'null',
	};
}

export function emptyNetwork(name: string, id: string): NetworkRecord {
	return {
		Name: name,
		Id: id,
		Created: '1970-01-01T00:00:00Z',
		Scope: 'local',
		Driver: 'bridge',
		EnableIPv4: true,
		EnableIPv6: false,
		IPAM: {Driver: 'default', Options: null, Config: []},
		Internal: false,
		Attachable: false,
		Ingress: false,
		ConfigFrom: {Network: ''},
		ConfigOnly: false,
		Options: {},
		Labels: {},
	};
}

/** All networks that have a file: host and none are not among them. */
export function storedNetworks(paths: Paths): NetworkRecord[] {
	let names: string[];
	try {
		names = readdirSync(paths.networks);
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return [];
		throw error;
	}
	const records: NetworkRecord[] = [];
	for (const file of names) {
		if (!/^[^.].*\.json$/.test(file)) continue;
		try {
			const text = readIfThere(join(paths.networks, file));
			if (text !== undefined) records.push(parse(text, file.slice(0, -'.json'.length)));
		} catch {
			// A damaged record must not hide the others.
		}
	}
	return records;
}

export const allNetworks = (paths: Paths): NetworkRecord[] => [
	...storedNetworks(paths),
	virtualNetwork(paths, 'host'),
	virtualNetwork(paths, 'none'),
];

/** The network with this name, id or unambiguous prefix of an id, in docker's order. */
export function findNetwork(paths: Paths, network: string): NetworkRecord {
	if (network === '') {
		throw new WherryError('invalid', 'invalid network name or ID: value is empty', {bare: true});
	}
	const byName = readNetwork(paths, network);
	if (byName) return byName;
	if (/^[0-9a-f]{1,64}$/.test(network)) {
		const matches = allNetworks(paths).filter((record) => record.Id.startsWith(network));
		if (matches.length > 1) {
			throw new WherryError(
				'invalid',
				`network ${network} is ambiguous (${matches.length} matches found based on ID prefix)`,
				{object: network},
			);
		}
		if (matches[0]) return matches[0];
	}
	throw noSuchNetwork(network);
}
