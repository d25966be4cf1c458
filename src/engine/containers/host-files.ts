/** /etc/hostname, /etc/hosts and /etc/resolv.conf of a container: files in its folder that are bound in. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {readIfThere} from '../files.ts';
import type {EngineContext} from './context.ts';
import {type ContainerRecord, findContainer} from './record.ts';

export interface HostFiles {
	resolvConf?: string;
	hostname?: string;
	hosts?: string;
}

const localHosts = [
	['127.0.0.1', 'localhost'],
	['::1', 'localhost ip6-localhost ip6-loopback'],
	['fe00::', 'ip6-localnet'],
	['ff00::', 'ip6-mcastprefix'],
	['ff02::1', 'ip6-allnodes'],
	['ff02::2', 'ip6-allrouters'],
] as const;

/** `name:address` or `name=address`, an IPv6 address maybe in brackets, as a line of hosts(5). */
function extraHost(entry: string): [string, string] {
	const split = entry.search(/[:=]/);
	const address = entry.slice(split + 1).replace(/^\[(.*)\]$/, '$1');
	return [address === 'host-gateway' ? '127.0.0.1' : address, entry.slice(0, split)];
}

function hostsText(
	record: ContainerRecord,
	addresses: readonly string[],
	ofHost: string | undefined,
): string {
	const {Config, HostConfig} = record;
	const name = Config.Domainname
		? `${Config.Hostname}.${Config.Domainname} ${Config.Hostname}`
		: Config.Hostname;
	const lines = [
		...(ofHost === undefined ? localHosts : []),
		...(HostConfig.ExtraHosts ?? []).map(extraHost),
		...addresses.map((address) => [address, name] as const),
	];
	return `${ofHost ?? ''}${lines.map(([address, names]) => `${address}\t${names}\n`).join('')}`;
}

/** The host's servers, unless the user gave others. */
function resolvText(record: ContainerRecord): string {
	const {Dns, DnsSearch, DnsOptions} = record.HostConfig;
	let text = '';
	try {
		text = readFileSync('/etc/resolv.conf', 'utf8');
	} catch {
		// A host without one: a container without name servers.
	}
	if (Dns.length + DnsSearch.length + DnsOptions.length === 0) return text;
	const lines = text.split('\n').map((line) => line.trim());
	const of = (keyword: string) =>
		lines
			.filter((line) => line.startsWith(`${keyword} `))
			.map((line) => line.slice(keyword.length + 1).trim());
	const servers = Dns.length > 0 ? Dns : of('nameserver');
	// docker: a search domain "." means none.
	const search =
		DnsSearch.length > 0
			? DnsSearch.filter((domain) => domain !== '.')
			: (of('search').at(-1) ?? '').split(/\s+/);
	const options = DnsOptions.length > 0 ? DnsOptions : (of('options').at(-1) ?? '').split(/\s+/);
	const words = (list: readonly string[]) => list.filter(Boolean).join(' ');
	return [
		...servers.map((server) => `nameserver ${server}`),
		...(words(search) ? [`search ${words(search)}`] : []),
		...(words(options) ? [`options ${words(options)}`] : []),
		'',
	].join('\n');
}

/** Written anew at every start, as docker does. */
export function writeHostFiles(
	context: EngineContext,
	record: ContainerRecord,
	addresses: readonly string[],
): HostFiles {
	const {paths} = context;
	const mode = record.HostConfig.NetworkMode;
	const joined = /^container:(.+)$/.exec(mode)?.[1];
	const folder = paths.container(joined ? findContainer(paths, joined).Id : record.Id);
	const files = {
		resolvConf: join(folder, 'resolv.conf'),
		hostname: join(folder, 'hostname'),
		hosts: join(folder, 'hosts'),
	};
	if (joined) return files;
	const ofHost = mode === 'host' ? (readIfThere('/etc/hosts') ?? '') : undefined;
	// In place: a container that is up has the file bound.
	writeFileSync(files.hosts, hostsText(record, addresses, ofHost), {mode: 0o644});
	writeFileSync(files.hostname, `${record.Config.Hostname}\n`, {mode: 0o644});
	writeFileSync(files.resolvConf, resolvText(record), {mode: 0o644});
	return files;
}
