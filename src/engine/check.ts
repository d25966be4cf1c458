/** `system check`: looks at the host and says what is fine and what to do about what isn't. Changes nothing. */
import {readFileSync, statSync} from 'node:fs';
import {release} from 'node:os';
import {protocol} from '../kernel/netlink/message.ts';
import * as nft from '../kernel/netlink/nftables.ts';
import {exchange} from '../kernel/netlink/socket.ts';
import {detectCgroups} from '../runtime/cgroups/layout.ts';
import type {CheckLine} from './api.ts';
import type {EngineContext} from './containers/context.ts';
import {storageDriver} from './containers/storage.ts';
import {readIfThere} from './files.ts';
import {listStamps, tableName} from './networks/firewall.ts';
import {firewalldIsClosed} from './networks/host-filter.ts';
import {hostLeads, kernelIsAtLeast} from './networks/leading.ts';
import {activeEndpoints} from './networks/list.ts';
import {parseResolvConf} from './networks/resolv-conf.ts';
import {apparmorHost, apparmorProblem, defaultProfile} from './security/apparmor.ts';
import {hostContexts, selinuxEnabled} from './security/selinux.ts';

const ok = (subject: string, message: string): CheckLine => ({subject, status: 'ok', message});
const warn = (subject: string, message: string, advice?: string): CheckLine => ({
	subject,
	status: 'warn',
	message,
	...(advice ? {advice} : {}),
});
const bad = (subject: string, message: string, advice?: string): CheckLine => ({
	...warn(subject, message, advice),
	status: 'fail',
});

const setting = (name: string): string | undefined =>
	readIfThere(`/proc/sys/${name.replaceAll('.', '/')}`)?.trim();

function checkKernel(): CheckLine {
	return kernelIsAtLeast(5, 10)
		? ok('kernel', `Linux ${release()}`)
		: bad('kernel', `Linux ${release()} is too old`, 'Linux 5.10 or newer is needed');
}

function checkRights(): CheckLine {
	return process.getuid?.() === 0
		? ok('rights', 'running as root')
		: bad('rights', 'not running as root', 'run wherry as root, for example with sudo');
}

function checkCgroups(): CheckLine[] {
	const cgroups = detectCgroups();
	if (cgroups.version === 'none') {
		return [bad('cgroups', 'no cgroup hierarchy is mounted', 'mount -t cgroup2 cgroup2 /sys/fs/cgroup')];
	}
	const controllers = new Set([
		...cgroups.v1.flatMap((hierarchy) => hierarchy.controllers),
		...(cgroups.unified?.controllers ?? []),
	]);
	const missing = ['memory', 'pids', 'cpu', 'cpuset'].filter((controller) => !controllers.has(controller));
	return [
		missing.length === 0
			? ok('cgroups', `version ${cgroups.version}, all controllers are there`)
			: warn(
					'cgroups',
					`version ${cgroups.version} without ${missing.join(', ')}: these limits can't be set`,
					`enable them on the kernel's command line: ${missing.map((name) => `cgroup_enable=${name}`).join(' ')}`,
				),
	];
}

function checkOverlay({paths}: EngineContext): CheckLine {
	try {
		return storageDriver(paths) === 'copy'
			? warn(
					'overlay',
					`the file system of ${paths.root} can't hold overlay mounts: layers are copied`,
					'put WHERRY_ROOT on ext4, xfs or btrfs',
				)
			: ok('overlay', `overlay works on ${paths.root}`);
	} catch (error) {
		return bad('overlay', `overlay can't be tried on ${paths.root}: ${(error as Error).message}`);
	}
}

function checkForwarding(): CheckLine[] {
	const lines: CheckLine[] = [];
	const on = setting('net.ipv4.ip_forward') === '1';
	lines.push(
		on
			? ok('forwarding', 'net.ipv4.ip_forward is on')
			: ok('forwarding', 'net.ipv4.ip_forward is off: the first container with a network turns it on'),
	);
	if (!statSync('/proc/net/if_inet6', {throwIfNoEntry: false})) {
		lines.push(warn('ipv6', 'the host has no IPv6: ports are published on IPv4 addresses only'));
	} else lines.push(ok('ipv6', 'the host has IPv6'));
	const [count, max] = ['count', 'max'].map((name) => Number(setting(`net.netfilter.nf_conntrack_${name}`)));
	if (count! > max! * 0.8) {
		lines.push(
			warn(
				'connections',
				`the table of connections is nearly full (${count} of ${max})`,
				`sysctl -w net.netfilter.nf_conntrack_max=${max! * 2}`,
			),
		);
	}
	return lines;
}

function checkBridgeFilter(): CheckLine {
	const on = ['ip', 'ip6'].some((family) => setting(`net.bridge.bridge-nf-call-${family}tables`) === '1');
	return on
		? warn(
				'br_netfilter',
				'packets between containers of one network pass the firewall of the host (slower; ours lets them through)',
				'sysctl -w net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0',
			)
		: ok('br_netfilter', 'packets between containers of one network stay on their bridge');
}

interface Blocker {
	family: string;
	chain: nft.ChainInfo;
}

/** Chains of others that drop what is forwarded, or sent to containers, unless a rule lets it through. */
async function findBlockers(own: string): Promise<Blocker[]> {
	const families = {ip: nft.nfFamily.ipv4, inet: nft.nfFamily.inet} as const;
	const found: Blocker[] = [];
	for (const [family, number] of Object.entries(families)) {
		const chains = nft.parseChains(await exchange(protocol.netfilter, [nft.getChains(number)]));
		for (const chain of chains) {
			const forwards = chain.hook === nft.hook.forward;
			if (chain.table === own || !(forwards || (chain.hook === nft.hook.output && hostLeads()))) continue;
			const firewalld = forwards && chain.table === 'firewalld';
			if (chain.policy === nft.verdictCode.drop || firewalld) found.push({family, chain});
		}
	}
	return found;
}

async function checkFirewall(context: EngineContext): Promise<CheckLine[]> {
	const {paths} = context;
	const table = tableName(paths);
	const bridges = listStamps(paths).map(({bridge}) => bridge);
	const bridge = bridges[0] ?? 'wherry0';
	let blockers: Blocker[];
	let hasTable: boolean;
	try {
		blockers = await findBlockers(table);
		const chains = nft.parseChains(await exchange(protocol.netfilter, [nft.getChains(nft.nfFamily.ipv4)]));
		hasTable = chains.some((chain) => chain.table === table);
	} catch (error) {
		return [
			bad(
				'firewall',
				`nf_tables can't be used: ${(error as Error).message}`,
				'modprobe nf_tables nft_chain_nat nft_masq nft_fib_inet',
			),
		];
	}
	const lines: CheckLine[] = [];
	for (const {family, chain} of blockers) {
		const sends = chain.hook === nft.hook.output;
		if (family === 'ip' && chain.table === 'filter' && chain.name === (sends ? 'OUTPUT' : 'FORWARD')) {
			const rules = sends ? 'a rule' : 'a pair of rules';
			lines.push(ok('firewall', `the chain ${chain.name} drops: each bridge gets ${rules} there`));
		} else if (!sends && chain.table === 'firewalld' && !(await firewalldIsClosed())) {
			lines.push(
				ok('firewall', 'firewalld rejects what is forwarded: each bridge gets a pair of rules there'),
			);
		} else if (!sends && chain.table === 'firewalld') {
			lines.push(
				warn(
					'firewall',
					'firewalld filters what is forwarded and keeps others out of its table',
					`firewall-cmd --permanent --zone=trusted --add-interface=${bridge} && firewall-cmd --reload`,
				),
			);
		} else {
			const rule = (direction: string) =>
				`nft insert rule ${family} ${chain.table} ${chain.name} ${direction} "${bridge}" accept`;
			const dropped = sends ? 'what programs of this host send to published ports' : 'what is forwarded';
			lines.push(
				warn(
					'firewall',
					`the chain ${chain.name} of the table ${family} ${chain.table} drops ${dropped}`,
					sends ? rule('oifname') : `${rule('iifname')} && ${rule('oifname')}`,
				),
			);
		}
	}
	if (readIfThere('/proc/net/ip_tables_names')?.split('\n').includes('filter')) {
		lines.push(
			warn(
				'firewall',
				'rules of iptables-legacy are loaded, which may drop what is forwarded',
				`iptables-legacy -I FORWARD -i ${bridge} -j ACCEPT && iptables-legacy -I FORWARD -o ${bridge} -j ACCEPT`,
			),
		);
	}
	if (!hasTable && activeEndpoints(context).some(({endpoint}) => endpoint.driver === 'bridge')) {
		lines.push(
			bad('firewall', `the table ip ${table} is not there, though containers run`, 'restart the containers'),
		);
	}
	if (lines.every(({status}) => status === 'ok')) {
		lines.unshift(ok('firewall', hasTable ? `nf_tables, table ip ${table}` : 'nf_tables is there'));
	}
	return lines;
}

function checkPorts(): CheckLine {
	const range = setting('net.ipv4.ip_local_port_range')?.split(/\s+/).map(Number) ?? [];
	const [low = 0, high = 0] = range;
	const reserved = setting('net.ipv4.ip_local_reserved_ports');
	const text = `ports ${low} to ${high} are given to -P${reserved ? `, but for ${reserved}` : ''}`;
	return high - low < 1000
		? warn('ports', text, 'sysctl -w net.ipv4.ip_local_port_range="32768 60999"')
		: ok('ports', text);
}

function checkLoopback(): CheckLine {
	const clients = 'programs of this host that connect to';
	if (hostLeads()) return ok('localhost', `${clients} a published TCP port are led into the container`);
	const lacks = kernelIsAtLeast(5, 14) ? 'cgroup v2 is not mounted' : `Linux ${release()} is older than 5.14`;
	return ok('localhost', `${clients} a published port of 127.0.0.1 come by way of route_localnet: ${lacks}`);
}

function checkNames(): CheckLine {
	let text = '';
	try {
		text = readFileSync('/etc/resolv.conf', 'utf8');
	} catch {
		// As if it were empty.
	}
	const {servers} = parseResolvConf(text);
	if (servers.length === 0) {
		return warn(
			'names',
			'/etc/resolv.conf names no server: containers resolve only each other',
			'--dns ADDRESS',
		);
	}
	return ok('names', `asked of ${servers.join(', ')}`);
}

function checkSecurity(): CheckLine[] {
	const lines: CheckLine[] = [];
	const apparmor = apparmorHost();
	const problem = apparmorProblem(apparmor);
	if (problem) lines.push(warn('apparmor', problem, 'apt install apparmor'));
	else if (apparmor.enabled) {
		const when = apparmor.loaded ? 'is loaded' : 'is loaded with the first container';
		lines.push(ok('apparmor', `the profile ${defaultProfile} ${when}`));
	}
	if (selinuxEnabled()) {
		const {process, file} = hostContexts();
		lines.push(ok('selinux', `containers run as ${process}, their files are ${file}`));
	}
	return lines;
}

export async function checkHost(context: EngineContext): Promise<CheckLine[]> {
	return [
		checkKernel(),
		checkRights(),
		...checkCgroups(),
		checkOverlay(context),
		...checkSecurity(),
		...checkForwarding(),
		...(await checkFirewall(context)),
		checkBridgeFilter(),
		checkPorts(),
		checkLoopback(),
		checkNames(),
	];
}
