/**
 * The host's settings for registries, in docker's format: `registry-mirrors` and `insecure-registries` of
 * `daemon.json`, and certificates in `certs.d/HOST:PORT/`. Ours are in /etc/wherry; where that has no
 * daemon.json, docker's own in /etc/docker is read.
 */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {WherryError} from '../errors.ts';
import {isLoopback} from './host.ts';

export interface RegistrySettings {
	/** Base URLs that have what Docker Hub has, asked first and in this order. */
	readonly mirrors: readonly URL[];
	/** `host`, `host:port`, or an address with a prefix length: any certificate will do, and plain HTTP. */
	readonly insecure: readonly string[];
	/** Folders with a folder of certificates per host; the first that has one counts. */
	readonly certificates: readonly string[];
}

const strings = (value: unknown, key: string, path: string): string[] => {
	if (value === undefined) return [];
	if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
	throw new WherryError('invalid', `${path}: ${key} must be a list of strings`, {object: path});
};

function mirror(text: string, path: string): URL {
	const fail = (reason: string) =>
		new WherryError('invalid', `${path}: invalid mirror: ${reason}`, {object: path});
	if (!URL.canParse(text)) throw fail(`${JSON.stringify(text)} is not a valid URI`);
	const url = new URL(text);
	if (url.protocol !== 'http:' && url.protocol !== 'https:') {
		throw fail(`unsupported scheme ${JSON.stringify(url.protocol.slice(0, -1))} in ${JSON.stringify(text)}`);
	}
	if (url.search || url.hash) throw fail(`query or fragment at end of the URI ${JSON.stringify(text)}`);
	if (url.username || url.password)
		throw fail(`username/password not allowed in URI ${JSON.stringify(url.host)}`);
	return url;
}

/** `WHERRY_CONFIG` is the folder of ours in place of /etc/wherry. Throws WherryError `invalid`. */
export function registrySettings(env: NodeJS.ProcessEnv = process.env): RegistrySettings {
	const own = env.WHERRY_CONFIG || '/etc/wherry';
	const certificates = [join(own, 'certs.d'), '/etc/docker/certs.d'];
	const path = [join(own, 'daemon.json'), '/etc/docker/daemon.json'].find((file) => existsSync(file));
	if (path === undefined) return {mirrors: [], insecure: [], certificates};
	let document: Record<string, unknown>;
	try {
		document = JSON.parse(readFileSync(path, 'utf8').trim() || '{}');
	} catch (cause) {
		throw new WherryError('invalid', `can't read ${path}: ${(cause as Error).message}`, {
			object: path,
			cause,
		});
	}
	return {
		mirrors: strings(document['registry-mirrors'], 'registry-mirrors', path).map((text) =>
			mirror(text, path),
		),
		insecure: strings(document['insecure-registries'], 'insecure-registries', path),
		certificates,
	};
}

/** Whether an IPv4 or IPv6 address is in `address/length`. */
function contains(block: string, address: string): boolean {
	const {BlockList} = process.getBuiltinModule('node:net');
	const [network = '', length = ''] = block.split('/');
	const family = network.includes(':') ? 'ipv6' : 'ipv4';
	if ((address.includes(':') ? 'ipv6' : 'ipv4') !== family || !/^\d+$/.test(length)) return false;
	try {
		const list = new BlockList();
		list.addSubnet(network, Number(length), family);
		return list.check(address, family);
	} catch {
		return false;
	}
}

/** Whether the host's settings say that a registry, `host[:port]`, need not prove who it is. */
export async function isInsecure(settings: RegistrySettings, host: string): Promise<boolean> {
	const bare = host.replace(/:\d+$/, '');
	const names = settings.insecure.map((entry) => entry.replace(/^https?:\/\//, '').replace(/\/$/, ''));
	if (names.includes(host) || names.includes(bare)) return true;
	const blocks = names.filter((entry) => entry.includes('/'));
	if (blocks.length === 0 || isLoopback(bare)) return false;
	const {lookup} = process.getBuiltinModule('node:dns/promises');
	const found = await lookup(bare.replace(/^\[|\]$/g, ''), {all: true}).catch(() => []);
	return found.some(({address}) => blocks.some((block) => contains(block, address)));
}
