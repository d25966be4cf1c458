/** /etc/hostname, /etc/hosts and /etc/resolv.conf of a container: files in its folder that are bound in. */
import {writeFileSync} from 'node:fs';
import {readIfThere} from '../files.ts';
import {parseResolvConf, resolvText} from '../networks/resolv-conf.ts';
import type {EngineContext} from './context.ts';
import {type HostFiles, hostFiles} from './host-file-paths.ts';
import type {Attachment} from './network.ts';
import type {ContainerRecord} from './record.ts';

export {type HostFiles, hostFiles} from './host-file-paths.ts';

const localHosts = [
	['127.0.0.1', 'localhost'],
	['::1', 'localhost ip6-localhost ip6-loopback'],
	['fe00::', 'ip6-localnet'],
	['ff00::', 'ip6-mcastprefix'],
	['ff02::1', 'ip6-allnodes'],
	['ff02::2', 'ip6-allrouters'],
] as const;

/** What of the network goes into /etc/hosts. */
export interface HostEntries {
	/** The container's own addresses. */
	own: readonly string[];
	/** Linked containers: address and names. */
	linked: readonly (readonly [string, string])[];
	/** What `host-gateway` of --add-host is. */
	gateway: string;
}

/** `name:address` or `name=address`, an IPv6 address maybe in brackets, as a line of hosts(5). */
function extraHost(entry: string, gateway: string): [string, string] {
	const split = entry.search(/[:=]/);
	const address = entry.slice(split + 1).replace(/^\[(.*)\]$/, '$1');
	return [address === 'host-gateway' ? gateway : address, entry.slice(0, split)];
}

/** The names that a container has for itself: with its domain, which may be part of the host name, and without. */
export function ownNames({Hostname, Domainname}: ContainerRecord['Config']): string {
	const full = Domainname ? `${Hostname}.${Domainname}` : Hostname;
	const dot = full.indexOf('.');
	return dot < 0 ? full : `${full} ${full.slice(0, dot)}`;
}

function hostsText(record: ContainerRecord, entries: HostEntries, ofHost: string | undefined): string {
	const {Config, HostConfig} = record;
	const lines = [
		...(ofHost === undefined ? localHosts : []),
		...(HostConfig.ExtraHosts ?? []).map((entry) => extraHost(entry, entries.gateway)),
		...entries.linked,
		...entries.own.map((address) => [address, ownNames(Config)] as const),
	];
	return `${ofHost ?? ''}${lines.map(([address, names]) => `${address}\t${names}\n`).join('')}`;
}

/** Without endpoints: the host's servers as they are, unless the user gave others. */
function plainResolvText(record: ContainerRecord): string {
	const {Dns, DnsSearch, DnsOptions} = record.HostConfig;
	const text = readIfThere('/etc/resolv.conf') ?? '';
	if (Dns.length + DnsSearch.length + DnsOptions.length === 0) return text;
	const host = parseResolvConf(text);
	return resolvText({
		servers: Dns.length > 0 ? Dns : host.servers,
		// docker: a search domain "." means none.
		search: DnsSearch.length > 0 ? DnsSearch.filter((domain) => domain !== '.') : host.search,
		options: DnsOptions.length > 0 ? DnsOptions : host.options,
	});
}

/** Written anew at every start, as docker does. */
export function writeHostFiles(
	context: EngineContext,
	record: ContainerRecord,
	attachment: Pick<Attachment, 'hosts' | 'resolvConf'>,
): HostFiles {
	const {paths} = context;
	const mode = record.HostConfig.NetworkMode;
	const files = hostFiles(paths, record);
	if (mode.startsWith('container:')) return files;
	const ofHost = mode === 'host' ? (readIfThere('/etc/hosts') ?? '') : undefined;
	// In place: a container that is up has the file bound.
	writeFileSync(files.hosts, hostsText(record, attachment.hosts, ofHost), {mode: 0o644});
	writeFileSync(files.hostname, `${record.Config.Hostname}\n`, {mode: 0o644});
	const {resolvConf} = attachment;
	const servers = resolvConf ? resolvText(resolvConf) : plainResolvText(record);
	writeFileSync(files.resolvConf, servers, {mode: 0o644});
	return files;
}
