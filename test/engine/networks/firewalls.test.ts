/** Hosts whose own firewall drops what is forwarded, and what is done to it while a container runs: real packets. */
import {spawn} from 'node:child_process';
import test, {type ExecutionContext} from 'ava';
import {
	busybox,
	connect,
	eventually,
	makeNamespace,
	type Namespace,
	nft,
	type RemoteEngine,
	startEngine,
} from '../../setup/netns.ts';

const binds = ['/bin/busybox:/bin/busybox:ro'];
const server = ['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', 'echo served'];
const publish = {'80/tcp': [{HostIp: '0.0.0.0', HostPort: '8080'}]};

interface Host {
	host: Namespace;
	outside: Namespace;
	engine: RemoteEngine;
	/** Runs a command line on the host. */
	shell(script: string): Promise<string>;
}

async function setUp(t: ExecutionContext): Promise<Host> {
	const host = makeNamespace(t);
	const outside = makeNamespace(t);
	connect(host, '192.0.2.1/24', outside, '192.0.2.2/24');
	const path = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin';
	return {
		host,
		outside,
		engine: await startEngine(t, host),
		shell: (script) => host.run('sh', '-c', `${path}; ${script}`),
	};
}

/** Both ways through the host, and from the container to itself by the host's address. */
async function passes({outside, engine}: Host, id: string): Promise<void> {
	await eventually(async () => {
		const answer = await outside.run('busybox', 'nc', '-w', '1', '192.0.2.1', '8080');
		if (!answer.includes('served')) throw new Error('the published port is not reached from outside');
		const ping = await engine.exec(id, '/bin/busybox', 'ping', '-c', '1', '-W', '1', '192.0.2.2');
		if (ping.code !== 0) throw new Error('the container does not reach the outside');
		const own = await engine.exec(id, '/bin/busybox', 'nc', '-w', '1', '192.0.2.1', '8080');
		if (!own.stdout.includes('served')) throw new Error('the container does not reach itself');
	}, 20_000);
}

/** As docker leaves the table. */
const dockerRules = `*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
`;

/** The shape of what ufw loads, which ends with a chain that rejects. */
const ufwRules = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:ufw-before-forward - [0:0]
:ufw-reject-forward - [0:0]
:ufw-before-input - [0:0]
-A INPUT -j ufw-before-input
-A FORWARD -j ufw-before-forward
-A FORWARD -j ufw-reject-forward
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-reject-forward -j REJECT --reject-with icmp-port-unreachable
COMMIT
`;

/** What of firewalld's table is in the way. */
const firewalldRules = `table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		reject with icmpx admin-prohibited
	}
}
`;

const ours = (host: Namespace, family: string, table: string): number =>
	host
		.ruleset()
		.nftables.filter(({rule}) => rule?.family === family && rule.table === table)
		.filter(({rule}) => String(rule!.comment).startsWith('wherry')).length;

test('packets find their way beside docker, ufw and firewalld, whatever is done to them while a container runs', async (t) => {
	const all = await setUp(t);
	const {host, engine, shell} = all;
	const restore = (rules: string) => shell(`iptables-restore <<'END'\n${rules}END`);
	await restore(dockerRules);
	await engine.call('networks.create', {name: 'n'});
	const id = await engine.startContainer(
		busybox(server, {hostConfig: {NetworkMode: 'n', Binds: binds, PortBindings: publish}}),
	);
	t.is(ours(host, 'ip', 'filter'), 2);
	const steps: [what: string, run: () => Promise<unknown>][] = [
		['beside docker', async () => {}],
		['iptables -F', () => shell('iptables -F')],
		[
			'iptables -X and -P ACCEPT, then DROP',
			() => shell('iptables -P FORWARD ACCEPT; iptables -F; iptables -X; iptables -P FORWARD DROP'),
		],
		['docker again', () => restore(dockerRules)],
		['ufw', () => restore(ufwRules)],
		['ufw reload', () => shell('iptables -F; iptables -X').then(() => restore(ufwRules))],
		[
			'its rules by hand',
			() => shell('iptables -P FORWARD ACCEPT; iptables -F; iptables -A FORWARD -j REJECT'),
		],
		['nft delete table', () => shell('nft delete table ip filter')],
		['firewalld', () => shell(`nft -f - <<'END'\n${firewalldRules}END`)],
		['firewalld reload', () => shell(`nft -f - <<'END'\ndelete table inet firewalld\n${firewalldRules}END`)],
		['nft flush ruleset', () => shell('nft flush ruleset')],
		[
			'all of them after that',
			() => restore(dockerRules).then(() => shell(`nft -f - <<'END'\n${firewalldRules}END`)),
		],
	];
	for (const [what, run] of steps) {
		await run();
		await t.notThrowsAsync(passes(all, id), what);
	}
	t.is(ours(host, 'ip', 'filter'), 2);
	t.is(ours(host, 'inet', 'firewalld'), 2);
	// A second container of the network adds nothing.
	await engine.startContainer(busybox(['sleep', '1000'], {hostConfig: {NetworkMode: 'n', Binds: binds}}));
	t.is(ours(host, 'ip', 'filter'), 2);
	const check = await engine.call<{subject: string; status: string; message: string}[]>('check');
	t.deepEqual(
		check.filter(({subject}) => subject === 'firewall').map(({status}) => status),
		check.filter(({subject}) => subject === 'firewall').map(() => 'ok'),
	);
	for (const {Id} of await engine.call<{Id: string}[]>('containers.list', {})) {
		await engine.call('containers.remove', Id, {force: true});
	}
	await engine.call('networks.remove', 'n');
	t.is(ours(host, 'ip', 'filter'), 0);
	t.is(ours(host, 'inet', 'firewalld'), 0);
});

test('clients on a host that filters what it sends come to its containers', async (t) => {
	const {host, engine, shell} = await setUp(t);
	const filter = [
		'iptables -P OUTPUT DROP',
		'iptables -A OUTPUT -o lo -j ACCEPT',
		'iptables -A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT',
		'iptables -A OUTPUT -j REJECT',
	].join(' && ');
	await shell(filter);
	await engine.call('networks.create', {name: 'n', options: {'com.docker.network.bridge.name': 'brn'}});
	const on = {NetworkMode: 'n', Binds: binds};
	const without = await engine.startContainer(busybox(server, {hostConfig: on}));
	// A bridge from which nothing is published has none.
	t.is(ours(host, 'ip', 'filter'), 0);
	await engine.startContainer(busybox(server, {hostConfig: {...on, PortBindings: publish}}));
	const rule = async () => (await shell('iptables -S OUTPUT')).split('\n')[1];
	const reaches = async (address: string, at: number) => {
		await eventually(async () => {
			const answer = await host.run('busybox', 'nc', '-w', '1', address, String(at));
			if (!answer.includes('served')) throw new Error(`${address} is not reached`);
		});
	};
	t.regex(
		(await rule())!,
		/^-A OUTPUT -o brn -m comment --comment "wherry\S* brn of the host to" -j ACCEPT$/,
	);
	for (const address of ['192.0.2.1', '127.0.0.1']) await t.notThrowsAsync(reaches(address, 8080), address);
	await shell(`iptables -F OUTPUT && ${filter}`);
	for (const address of ['192.0.2.1', '127.0.0.1']) await t.notThrowsAsync(reaches(address, 8080), address);
	await engine.call('containers.updatePublished', without, {
		add: {'80/tcp': [{HostIp: '127.0.0.1', HostPort: '8081'}]},
	});
	await t.notThrowsAsync(reaches('127.0.0.1', 8081));
	t.is(ours(host, 'ip', 'filter'), 1);
	const check = () =>
		engine.call<{subject: string; status: string; message: string; advice: string}[]>('check');
	t.like(
		(await check()).find(({message}) => message.includes('OUTPUT')),
		{status: 'ok', message: 'the chain OUTPUT drops: each bridge gets a rule there'},
	);
	// One of which nobody knows what belongs there.
	await shell(
		'nft "add table inet own; add chain inet own out { type filter hook output priority 0; policy drop; }"',
	);
	await shell('nft add rule inet own out oifname lo accept');
	await t.throwsAsync(host.run('busybox', 'nc', '-w', '1', '192.0.2.1', '8080'));
	const line = (await check()).find(({message}) => message.includes('inet own'))!;
	t.is(line.status, 'warn');
	t.regex(
		line.message,
		/^the chain out of the table inet own drops what programs of this host send to published/,
	);
	t.is(line.advice, 'nft insert rule inet own out oifname "brn" accept');
	await shell(line.advice);
	await t.notThrowsAsync(reaches('192.0.2.1', 8080));
	for (const {Id} of await engine.call<{Id: string}[]>('containers.list', {})) {
		await engine.call('containers.remove', Id, {force: true});
	}
	await engine.call('networks.remove', 'n');
	t.is(ours(host, 'ip', 'filter'), 0);
});

test('the table comes back whole with its rules, its chains, and what is published', async (t) => {
	const all = await setUp(t);
	const {host, engine, shell} = all;
	const id = await engine.startContainer(
		busybox(server, {hostConfig: {Binds: binds, PortBindings: publish}}),
	);
	await t.notThrowsAsync(passes(all, id));
	const listed = () => JSON.stringify(host.ruleset()).replaceAll(/"handle": ?\d+/g, '');
	const before = listed();
	const {name} = host.ruleset().nftables.find(({table}) => table?.family === 'ip')!.table as {name: string};
	for (const script of [
		`nft flush table ip ${name}`,
		`nft flush chain ip ${name} forward`,
		`nft delete table ip ${name}`,
		'nft flush ruleset',
	]) {
		await shell(script);
		await eventually(async () => {
			if (listed() !== before) throw new Error(`${script}: it is not as it was`);
		}, 20_000);
		await t.notThrowsAsync(passes(all, id), script);
	}
});

test('a firewalld that lets nobody into its table is named with the command that helps', async (t) => {
	const {host, engine} = await setUp(t);
	const holder = spawn('nsenter', [`--net=${host.path}`, nft, '-i'], {stdio: ['pipe', 'ignore', 'ignore']});
	t.teardown(() => holder.kill('SIGKILL'));
	holder.stdin.write('add table inet firewalld { flags owner; }\n');
	holder.stdin.write(
		'add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; policy accept; }\n',
	);
	holder.stdin.write('add rule inet firewalld filter_FORWARD reject\n');
	await eventually(async () => {
		if (!host.ruleset().nftables.some(({rule}) => rule?.table === 'firewalld')) throw new Error('not yet');
	});
	// It runs all the same.
	const id = await engine.startContainer(busybox(['sleep', '1000'], {hostConfig: {Binds: binds}}));
	t.is((await engine.exec(id, '/bin/busybox', 'true')).code, 0);
	const check =
		await engine.call<{subject: string; status: string; message: string; advice: string}[]>('check');
	const line = check.find(({message}) => message.includes('firewalld'))!;
	t.is(line.status, 'warn');
	t.regex(line.message, /firewalld filters what is forwarded and keeps others out of its table/);
	t.regex(
		line.advice,
		/^firewall-cmd --permanent --zone=trusted --add-interface=wherry0 && firewall-cmd --reload$/,
	);
});
